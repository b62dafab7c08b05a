//! The one clock of the local stack.

use std::sync::{Arc, Mutex};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use meshline_core::time::{Span, Time};

use crate::lock;

/// The one clock of the local stack: every handler, queue and table is handed its time. Cheap to clone;
/// all clones show the same time.
///
/// A running clock shows the time it was started at, plus the time that has really passed, plus what it was
/// advanced by. A frozen one moves only by [`Clock::set`] and [`Clock::advance`]. Neither ever goes back.
#[derive(Clone)]
pub struct Clock(Arc<Inner>);

struct Inner {
    /// `None`: frozen.
    running_since: Option<Instant>,
    /// The time shown, without what has really passed since the start.
    base: Mutex<Time>,
}

impl Clock {
    /// A clock that shows `start` (the wall clock's time when `None`), frozen there or running on.
    pub fn starting_at(start: Option<Time>, frozen: bool) -> Self {
        #[expect(clippy::disallowed_methods, reason = "the edge: the local stack's clock is made here")]
        let (wall, instant) = (SystemTime::now(), Instant::now());
        let start = start.unwrap_or_else(|| {
            let ms = wall.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
            Time::from_unix_ms(i64::try_from(ms).unwrap_or(i64::MAX))
        });
        Self(Arc::new(Inner { running_since: (!frozen).then_some(instant), base: Mutex::new(start) }))
    }

    /// The time in force.
    pub fn now(&self) -> Time {
        *lock(&self.0.base) + self.passed()
    }

    /// Moves the clock forward to `time`; a time already past changes nothing. Returns the time in force.
    pub fn set(&self, time: Time) -> Time {
        let mut base = lock(&self.0.base);
        let passed = self.passed();
        *base = (*base).max(time - passed);
        *base + passed
    }

    /// Moves the clock forward by `span`. Returns the time in force.
    pub fn advance(&self, span: Span) -> Time {
        let mut base = lock(&self.0.base);
        *base = *base + span;
        *base + self.passed()
    }

    /// Whether the clock moves only when it is told to.
    pub fn is_frozen(&self) -> bool {
        self.0.running_since.is_none()
    }

    fn passed(&self) -> Span {
        let Some(since) = self.0.running_since else { return Span::ZERO };
        Span::from_ms(i64::try_from(since.elapsed().as_millis()).unwrap_or(i64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Time {
        text.parse().unwrap()
    }

    #[test]
    fn a_frozen_clock_moves_only_when_told_and_never_back() {
        let clock = Clock::starting_at(Some(at("2026-11-23T09:00:00Z")), true);
        let same = clock.clone();
        assert_eq!(clock.now(), at("2026-11-23T09:00:00Z"));
        assert_eq!(clock.advance(Span::minutes(5)), at("2026-11-23T09:05:00Z"));
        assert_eq!(clock.set(at("2026-11-23T08:00:00Z")), at("2026-11-23T09:05:00Z"));
        assert_eq!(clock.set(at("2026-11-23T10:00:00Z")), at("2026-11-23T10:00:00Z"));
        assert_eq!(same.now(), at("2026-11-23T10:00:00Z"));
        assert!(same.is_frozen());
    }

    #[test]
    fn a_running_clock_ticks_on_from_where_it_was_set() {
        let start = at("2026-11-23T09:00:00Z");
        let clock = Clock::starting_at(Some(start), false);
        let ticks_on_from = |time| std::iter::repeat_with(|| clock.now()).any(|now| now > time);
        assert!(ticks_on_from(start));
        let later = clock.set(start + Span::hours(1));
        assert!(later >= start + Span::hours(1));
        assert!(ticks_on_from(later) && clock.now() < start + Span::hours(2));
        assert!(!clock.is_frozen());
    }

    #[test]
    fn without_a_start_it_shows_the_wall_clock() {
        assert!(Clock::starting_at(None, true).now() > at("2024-01-01T00:00:00Z"));
    }
}
