//! What a user of the local stack sees: the same handlers, SDK calls and messages as on AWS.

mod aliases;
mod bad_input;
mod business;
mod checklist;
mod checkpoints;
mod console;
mod cost;
mod duties;
mod faults;
mod figures;
mod hooks;
mod life;
mod monday;
mod notify;
mod poison;
mod pressure;
mod replay;
mod restart;
mod robustness;
mod rotation;
mod security;
mod signals;
mod silence;
mod telemetry;
mod whatif;
