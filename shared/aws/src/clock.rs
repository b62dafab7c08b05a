//! The edge at which time is read, once for each invocation.

use meshline_core::time::Time;

/// The system's time, to the millisecond.
#[expect(clippy::disallowed_methods, reason = "this is the edge: handlers are handed what it returns")]
pub fn now() -> Time {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Time::from_unix_ms(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
