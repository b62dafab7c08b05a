//! A calendar day: what the audit trail is closed by, and what holidays are.

use std::fmt;
use std::str::FromStr;

use crate::time::{Span, Time, text_serde};

/// A calendar day: of UTC, where it stands for a stretch of time; of a calendar's zone, where it is a holiday.
///
/// Text form: `2026-11-23`, so that the text sorts as the days do.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(Time);

/// The text is not a day.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a day: write it like `2026-11-23`")]
pub struct NotADay(String);

impl Day {
    /// The day that `at` is in.
    pub fn of(at: Time) -> Self {
        Self(Time::from_unix_ms(at.unix_ms().div_euclid(Span::days(1).ms()) * Span::days(1).ms()))
    }

    /// Its number, from 0 for 1970-01-01.
    pub fn number(self) -> i64 {
        self.0.unix_ms().div_euclid(Span::days(1).ms())
    }

    /// Its first instant.
    pub fn start(self) -> Time {
        self.0
    }

    /// The day after it.
    pub fn next(self) -> Self {
        Self(self.0 + Span::days(1))
    }

    /// The day before it.
    pub fn before(self) -> Self {
        Self(self.0 - Span::days(1))
    }

    /// This day and those after it, up to and with `last`.
    pub fn through(self, last: Self) -> impl Iterator<Item = Self> {
        std::iter::successors(Some(self), |day| Some(day.next())).take_while(move |day| *day <= last)
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.day())
    }
}

impl fmt::Debug for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl FromStr for Day {
    type Err = NotADay;
    fn from_str(text: &str) -> Result<Self, NotADay> {
        let start = format!("{text}T00:00:00Z").parse::<Time>().map_err(|_| NotADay(text.to_owned()))?;
        let day = Self::of(start);
        // A two-digit year or another calendar's form may be read as a time; it is not how a day is written.
        if day.to_string() == text { Ok(day) } else { Err(NotADay(text.to_owned())) }
    }
}

text_serde!(Day, "a day, like `2026-11-23`", "^[0-9]{4}-[0-9]{2}-[0-9]{2}$", ["2026-11-23"]);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_written_as_people_write_it() {
        let day: Day = "2026-02-28".parse().unwrap();
        assert_eq!(day.next().to_string(), "2026-03-01");
        assert_eq!(day.next().before(), day);
        assert_eq!(Day::of(day.next().start() - Span::from_ms(1)), day);
        assert_eq!(day.through(day.next().next()).count(), 3);
        assert_eq!(day.through(day.before()).count(), 0);
    }

    #[test]
    fn what_is_no_day_is_refused() {
        for text in ["", "2026-02-30", "2026-2-1", "2026-02-28T00:00:00Z", "20260228", "yesterday"] {
            assert!(text.parse::<Day>().is_err(), "{text}");
        }
    }
}
