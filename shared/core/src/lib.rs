//! Meshline's core: what a flow promises, and what happens to a run.
//!
//! Pure: no clock, no I/O, no async, no AWS type. See docs/ARCHITECTURE.md for the picture.

pub mod alert;
pub mod alias;
pub mod api;
pub mod calendar;
pub mod canonical;
pub mod checklist;
pub mod checkpoint;
pub mod command;
pub mod config;
pub mod day;
pub mod decide;
pub mod delivery;
pub mod duration;
pub mod duties;
pub mod event;
pub mod flow_exception;
pub mod id;
pub mod issue;
pub mod measure;
pub mod message;
pub mod monday;
pub mod parked;
pub mod pattern;
pub mod record;
pub mod report;
pub mod rotation;
pub mod route;
pub mod run;
pub mod silence;
pub mod template;
pub mod time;
pub mod trace;
pub mod trail;
pub mod view;
pub mod week;
pub mod whatif;
