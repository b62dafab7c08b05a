//! A calendar week: what is told on Mondays, and what a Monday looks back on.

use std::fmt;
use std::str::FromStr;

use jiff::civil::{Date, ISOWeekDate, Weekday};
use jiff::tz::TimeZone;

use crate::time::{Time, text_serde};

/// The hour on Monday, by the clock on the wall, at which a week's checklist is due.
const DUE_HOUR: i8 = 8;
/// Days of a week.
const DAYS: i64 = 7;

/// A calendar week, from Monday to Sunday, of no zone yet.
///
/// Text form: `2026-W48`, by ISO 8601.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Week(Date);

/// The text is not a week.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a week: write it like `2026-W48`")]
pub struct NotAWeek(String);

impl Week {
    /// The week whose Monday at 08:00 in `zone` was the last one by `at`.
    pub fn due(zone: &TimeZone, at: Time) -> Self {
        let instant = jiff::Timestamp::from_millisecond(at.unix_ms()).unwrap_or_default();
        let today = zone.to_datetime(instant).date();
        let since_monday = i64::from(today.weekday().to_monday_zero_offset());
        let week = Self(later(today, -since_monday));
        if week.due_at(zone) > at {
            week.before()
        } else if week.next().due_at(zone) <= at {
            week.next() // the clock was set back over midnight of a Monday, and shows Sunday once more
        } else {
            week
        }
    }

    /// When its checklist is due: Monday at 08:00 in `zone`; where the clock on the wall leaves that out, as much later.
    pub fn due_at(self, zone: &TimeZone) -> Time {
        instant(zone, self.0, DUE_HOUR)
    }

    /// Its first instant in `zone`.
    pub fn begins(self, zone: &TimeZone) -> Time {
        instant(zone, self.0, 0)
    }

    /// The week after it.
    pub fn next(self) -> Self {
        Self(later(self.0, DAYS))
    }

    /// The week before it.
    pub fn before(self) -> Self {
        Self(later(self.0, -DAYS))
    }
}

fn later(date: Date, days: i64) -> Date {
    // INVARIANT: only the ends of jiff's calendar, years -9999 and 9999, have no such day.
    jiff::Span::new().try_days(days).and_then(|span| date.checked_add(span)).unwrap_or(date)
}

fn instant(zone: &TimeZone, date: Date, hour: i8) -> Time {
    let found = zone.to_timestamp(date.at(hour, 0, 0, 0));
    Time::from_unix_ms(found.map_or(i64::MAX, jiff::Timestamp::as_millisecond))
}

impl fmt::Display for Week {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let week = self.0.iso_week_date();
        write!(f, "{:04}-W{:02}", week.year(), week.week())
    }
}

impl fmt::Debug for Week {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl FromStr for Week {
    type Err = NotAWeek;
    fn from_str(text: &str) -> Result<Self, NotAWeek> {
        let read = || {
            let (year, week) = text.split_once("-W")?;
            let monday = ISOWeekDate::new(year.parse().ok()?, week.parse().ok()?, Weekday::Monday);
            Some(Self(monday.ok()?.date()))
        };
        read().filter(|week| week.to_string() == text).ok_or_else(|| NotAWeek(text.to_owned()))
    }
}

text_serde!(Week, "a week, like `2026-W48`");
