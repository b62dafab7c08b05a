//! Meshline's side of AWS: what is stored where, and how it is sent. The only crate that names `aws-sdk-*`.
//!
//! [`App`] is what every function is handed: built once in `main`, used for every invocation.

pub mod aliases;
pub mod app;
pub mod audit;
mod batch;
pub mod brake;
pub mod browser;
pub mod checklist;
pub mod clients;
pub mod clock;
pub mod config;
pub mod delivery;
pub mod due;
pub mod duties;
pub mod error;
pub mod events;
pub mod exception;
pub mod execute;
pub mod http;
pub mod issues;
pub mod listening;
pub mod mail;
mod monday;
pub mod openid;
pub mod outbound;
pub mod outbox;
mod packed;
pub mod parked;
pub mod rotation;
pub mod runs;
pub mod secrets;
pub mod settings;
pub mod silence;
pub mod stream;
pub mod telemetry;
pub mod vault;
pub mod verify;
pub mod watch;

pub use app::App;
pub use error::StoreError;
