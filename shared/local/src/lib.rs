//! The whole system in one process: embedded emulators behind the real AWS clients, and one virtual clock.

pub mod clock;
pub mod emulators;
pub mod faults;
pub mod gateway;
mod left_behind;
mod progress;
mod pump;
mod sign_in;
pub mod stack;
pub mod tables;
pub mod vault;

pub use meshline_aws::telemetry::init_for_person as log_to_stderr;
pub use pump::PumpError;
pub use stack::{Options, Stack, StackError};

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks `mutex`; nothing held under a lock in this crate can be left half done by a panic.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
