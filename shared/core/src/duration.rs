//! A duration in a flow: elapsed time, or business time, which a calendar has to count.

use std::fmt;
use std::str::FromStr;

use crate::config::calendar::Calendar;
use crate::time::{Span, Time, TimeError, text_serde};

/// A duration in a flow: elapsed or business time.
///
/// Text form: that of a [`Span`], or of [`BusinessTime`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Duration {
    /// Time that passes at night and on holidays as well.
    Elapsed(Span),
    /// Time that passes only while a calendar says so.
    Business(BusinessTime),
}

/// A length of business time.
///
/// Text form: `16 business hours`, `45 business minutes`, `2 business days`; one of them is singular.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BusinessTime {
    /// Open time, whole minutes.
    Open(Span),
    /// Business days: until the end of the last one, the day of the start not counted.
    Days(u32),
}

/// The most business hours of a duration: a year of round-the-clock hours.
const MAX_HOURS: u32 = 8_784;
/// The most business days of a duration: a year of them.
const MAX_DAYS: u32 = 366;

impl Duration {
    /// Whether it leaves any time at all.
    pub fn is_zero(self) -> bool {
        match self {
            Self::Elapsed(span) | Self::Business(BusinessTime::Open(span)) => span == Span::ZERO,
            Self::Business(BusinessTime::Days(days)) => days == 0,
        }
    }

    /// When it ends that starts at `start`. Without a calendar, business time passes around the clock.
    pub fn end(self, start: Time, calendar: Option<&Calendar>) -> Time {
        match (self, calendar) {
            (Self::Elapsed(span), _) => start + span,
            (Self::Business(_), _) if self.is_zero() => start,
            (Self::Business(time), Some(calendar)) => calendar.add(start, time).due_at,
            (Self::Business(BusinessTime::Open(span)), None) => start + span,
            (Self::Business(BusinessTime::Days(days)), None) => start + Span::days(days.into()),
        }
    }

    /// The business time, if it is some.
    pub fn business(self) -> Option<BusinessTime> {
        match self {
            Self::Business(time) => Some(time),
            Self::Elapsed(_) => None,
        }
    }
}

impl FromStr for Duration {
    type Err = TimeError;
    fn from_str(text: &str) -> Result<Self, TimeError> {
        if text.contains("business") {
            text.parse().map(Self::Business)
        } else {
            text.parse().map(Self::Elapsed)
        }
    }
}

impl FromStr for BusinessTime {
    type Err = TimeError;
    fn from_str(text: &str) -> Result<Self, TimeError> {
        let bad = || TimeError::Business(text.to_owned());
        let (number, unit) = text.split_once(" business ").ok_or_else(bad)?;
        if number.is_empty() || !number.bytes().all(|c| c.is_ascii_digit()) {
            return Err(bad());
        }
        let long = || TimeError::LongBusiness(text.to_owned());
        let n: u32 = number.parse().map_err(|_| long())?;
        let (time, is_short) = match unit {
            "day" | "days" => (Self::Days(n), n <= MAX_DAYS),
            "hour" | "hours" => (Self::Open(Span::hours(n.into())), n <= MAX_HOURS),
            "minute" | "minutes" => (Self::Open(Span::minutes(n.into())), n <= MAX_HOURS * 60),
            _ => return Err(bad()),
        };
        is_short.then_some(time).ok_or_else(long)
    }
}

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Elapsed(span) => span.fmt(f),
            Self::Business(time) => time.fmt(f),
        }
    }
}

impl fmt::Display for BusinessTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (n, unit) = match self {
            Self::Days(days) => (i64::from(*days), "day"),
            Self::Open(span) if span.ms() % Span::hours(1).ms() == 0 => {
                (span.ms() / Span::hours(1).ms(), "hour")
            }
            Self::Open(span) => (span.ms() / Span::minutes(1).ms(), "minute"),
        };
        write!(f, "{n} business {unit}{}", if n == 1 { "" } else { "s" })
    }
}

text_serde!(BusinessTime, "business time, like `16 business hours`");
text_serde!(
    Duration,
    "a duration, like `2h` or `16 business hours`",
    "^((?=.)([0-9]+w)?([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?|[0-9]+ business (minute|hour|day)s?)$",
    ["30m", "4h", "2d", "16 business hours", "2 business days"]
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_back() {
        for text in
            ["2h", "1d12h", "16 business hours", "1 business hour", "45 business minutes", "2 business days"]
        {
            assert_eq!(text.parse::<Duration>().unwrap().to_string(), text);
        }
        assert_eq!("60 business minutes".parse::<Duration>(), "1 business hour".parse());
    }

    #[test]
    fn business_time_that_is_not_understood_says_so() {
        for text in [
            "business",
            "2business days",
            "2 business",
            "two business days",
            "-1 business days",
            "2 business weeks",
        ] {
            assert!(matches!(text.parse::<Duration>(), Err(TimeError::Business(_))), "{text}");
        }
        for text in ["367 business days", "8785 business hours", "99999999999 business minutes"] {
            assert!(matches!(text.parse::<Duration>(), Err(TimeError::LongBusiness(_))), "{text}");
        }
    }
}
