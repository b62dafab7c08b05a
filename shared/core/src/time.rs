//! An instant, and a length of elapsed time.

use std::fmt;
use std::str::FromStr;

/// A UTC instant with millisecond precision.
///
/// Text form: RFC 3339 with exactly three decimals and `Z` (`2026-11-23T09:00:00.000Z`), so that the
/// text sorts as the time does. Years 0001 to 9999.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(i64);

/// A non-negative length of elapsed time in milliseconds.
///
/// Text form: whole numbers with a unit, `s`, `m`, `h`, `d` or `w`, largest first: `90s`, `4h`, `1d12h`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Span(i64);

/// What is wrong with the text of a time or a duration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TimeError {
    /// Not an RFC 3339 instant.
    #[error("`{0}` is not a time: write it as RFC 3339, like `2026-11-23T09:00:00Z`")]
    Time(String),
    /// Not a duration.
    #[error("`{0}` is not a duration: write a whole number and a unit, like `30m`, `4h` or `2d`")]
    Span(String),
    /// Business time where only elapsed time can stand.
    #[error("`{0}`: business time cannot stand here: write elapsed time, like `48h`")]
    OnlyElapsed(String),
    /// Not a duration of business time.
    #[error("`{0}` is not business time: write it like `16 business hours` or `2 business days`")]
    Business(String),
    /// A duration of business time beyond a year.
    #[error(
        "`{0}` is longer than a year of business time: write at most `366 business days` or `8784 business hours`"
    )]
    LongBusiness(String),
    /// A duration beyond [`Span::MAX`].
    #[error("`{0}` is longer than ten years: write a shorter duration")]
    TooLong(String),
}

/// The first and last instants that have a four-digit year.
const MIN_MS: i64 = -62_135_596_800_000;
const MAX_MS: i64 = 253_402_300_799_999;
const DAY_MS: i64 = 86_400_000;

impl Time {
    /// The instant `ms` milliseconds after 1970-01-01T00:00:00Z; clamped to the years 0001 to 9999.
    pub fn from_unix_ms(ms: i64) -> Self {
        Self(ms.clamp(MIN_MS, MAX_MS))
    }

    /// Milliseconds since 1970-01-01T00:00:00Z.
    pub fn unix_ms(self) -> i64 {
        self.0
    }

    /// The time that has passed since `earlier`; zero when `earlier` is later.
    pub fn since(self, earlier: Self) -> Span {
        Span((self.0 - earlier.0).max(0))
    }

    /// The UTC calendar day, `2026-11-23`.
    pub fn day(self) -> String {
        let mut text = self.to_string();
        text.truncate(10);
        text
    }

    /// The start of the next whole minute, strictly after this instant.
    pub fn next_minute(self) -> Self {
        Self::from_unix_ms((self.0.div_euclid(60_000) + 1) * 60_000)
    }
}

impl std::ops::Add<Span> for Time {
    type Output = Self;
    fn add(self, span: Span) -> Self {
        Self::from_unix_ms(self.0.saturating_add(span.0))
    }
}

impl std::ops::Sub<Span> for Time {
    type Output = Self;
    fn sub(self, span: Span) -> Self {
        Self::from_unix_ms(self.0.saturating_sub(span.0))
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(at) => write!(f, "{at:.3}"),
            Err(_) => write!(f, "{}ms", self.0), // INVARIANT: unreachable, the range is jiff's own
        }
    }
}

impl fmt::Debug for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl FromStr for Time {
    type Err = TimeError;
    fn from_str(text: &str) -> Result<Self, TimeError> {
        let at: jiff::Timestamp = text.parse().map_err(|_| TimeError::Time(text.to_owned()))?;
        Ok(Self::from_unix_ms(at.as_millisecond()))
    }
}

impl Span {
    /// No time at all.
    pub const ZERO: Self = Self(0);
    /// Ten years: longer than any promise, short enough that no sum overflows.
    pub const MAX: Self = Self(3_653 * DAY_MS);

    /// A span of `ms` milliseconds; clamped to zero and [`Span::MAX`].
    pub const fn from_ms(ms: i64) -> Self {
        if ms < 0 {
            Self(0)
        } else if ms > Self::MAX.0 {
            Self::MAX
        } else {
            Self(ms)
        }
    }

    /// A span of whole minutes.
    pub const fn minutes(n: i64) -> Self {
        Self::from_ms(n.saturating_mul(60_000))
    }

    /// A span of whole hours.
    pub const fn hours(n: i64) -> Self {
        Self::from_ms(n.saturating_mul(3_600_000))
    }

    /// A span of days of 24 hours.
    pub const fn days(n: i64) -> Self {
        Self::from_ms(n.saturating_mul(DAY_MS))
    }

    /// Milliseconds.
    pub const fn ms(self) -> i64 {
        self.0
    }

    /// `percent` hundredths of this span, rounded down to the millisecond.
    pub fn percent(self, percent: u8) -> Self {
        Self(self.0 / 100 * i64::from(percent) + self.0 % 100 * i64::from(percent) / 100)
    }
}

impl std::ops::Sub for Span {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self((self.0 - other.0).max(0))
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0 / 1000;
        if rest == 0 {
            return write!(f, "0s");
        }
        for (unit, seconds) in [("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)] {
            let n = rest / seconds;
            rest %= seconds;
            if n > 0 {
                write!(f, "{n}{unit}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl FromStr for Span {
    type Err = TimeError;
    fn from_str(text: &str) -> Result<Self, TimeError> {
        let bad = || TimeError::Span(text.to_owned());
        if text.contains("business") {
            return Err(TimeError::OnlyElapsed(text.to_owned()));
        }
        let (mut total, mut digits, mut last_unit) = (0_i64, String::new(), i64::MAX);
        for c in text.chars() {
            if c.is_ascii_digit() {
                digits.push(c);
                continue;
            }
            let unit = match c {
                's' => 1_000,
                'm' => 60_000,
                'h' => 3_600_000,
                'd' => DAY_MS,
                'w' => 7 * DAY_MS,
                _ => return Err(bad()),
            };
            if digits.is_empty() || unit >= last_unit {
                return Err(bad());
            }
            let n: i64 = digits.parse().map_err(|_| TimeError::TooLong(text.to_owned()))?;
            total = n.checked_mul(unit).and_then(|ms| total.checked_add(ms)).unwrap_or(i64::MAX);
            last_unit = unit;
            digits.clear();
        }
        if !digits.is_empty() || last_unit == i64::MAX {
            return Err(bad());
        }
        if total > Self::MAX.0 { Err(TimeError::TooLong(text.to_owned())) } else { Ok(Self(total)) }
    }
}

/// Serialises a type as its text form, which is described in words for whoever wrote something else. Where the type
/// stands in a document, a pattern (ECMA-262) and examples make a JSON Schema of it.
macro_rules! text_serde {
    ($type:ident, $what:literal, $pattern:expr, $examples:expr) => {
        $crate::time::text_serde!($type, $what);
        #[cfg(feature = "schema")]
        impl schemars::JsonSchema for $type {
            fn inline_schema() -> bool {
                true
            }
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($type).into()
            }
            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({
                    "type": "string", "description": $what, "pattern": $pattern, "examples": $examples,
                    // What the YAML language server says instead of the pattern.
                    "patternErrorMessage": concat!("write ", $what),
                })
            }
        }
    };
    ($type:ty, $what:literal) => {
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Text;
                impl serde::de::Visitor<'_> for Text {
                    type Value = $type;
                    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        f.write_str($what)
                    }
                    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<$type, E> {
                        text.parse().map_err(E::custom)
                    }
                }
                deserializer.deserialize_str(Text)
            }
        }
    };
}
pub(crate) use text_serde;
text_serde!(Time, "a time, like `2026-11-23T09:00:00Z`");
#[cfg(feature = "schema")]
impl schemars::JsonSchema for Time {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Time".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({"type": "string", "format": "date-time"})
    }
}
text_serde!(
    Span,
    "a duration, like `2h`",
    "^(?=.)([0-9]+w)?([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?$",
    ["30m", "4h", "2d", "1d12h"]
);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_time_has_three_decimals_and_z() {
        let at: Time = "2026-11-23T10:00:00.5+01:00".parse().unwrap();
        assert_eq!(at.to_string(), "2026-11-23T09:00:00.500Z");
        assert_eq!(at.day(), "2026-11-23");
        assert_eq!(at.next_minute().to_string(), "2026-11-23T09:01:00.000Z");
    }

    #[test]
    fn durations_that_are_not_understood_say_so() {
        for text in ["", "4", "h", "4x", "4m4h", "-1h", "1.5h", "4 h"] {
            assert!(matches!(text.parse::<Span>(), Err(TimeError::Span(_))), "{text}");
        }
        assert!(matches!("16 business hours".parse::<Span>(), Err(TimeError::OnlyElapsed(_))));
        assert!(matches!("99999999999999999999d".parse::<Span>(), Err(TimeError::TooLong(_))));
        assert!(matches!("11000d".parse::<Span>(), Err(TimeError::TooLong(_))));
    }

    #[test]
    fn a_share_of_a_span_is_rounded_down_to_the_millisecond() {
        assert_eq!(Span::hours(2).percent(75), Span::minutes(90));
        assert_eq!(Span::from_ms(1_099).percent(1).ms(), 10);
        assert_eq!(Span::from_ms(150).percent(33).ms(), 49);
        assert_eq!(Span::MAX.percent(100), Span::MAX, "without overflow");
    }

    #[test]
    fn a_span_is_never_negative_and_never_longer_than_ten_years() {
        assert_eq!(Span::from_ms(-1), Span::ZERO);
        assert_eq!(Span::from_ms(i64::MAX), Span::MAX);
        assert_eq!(Span::from_ms(1).ms(), 1);
        assert_eq!("3653d".parse::<Span>().unwrap(), Span::MAX);
        assert!("3653d1s".parse::<Span>().is_err());
    }

    proptest! {
        #[test]
        fn the_text_of_a_time_reads_back_and_sorts_as_the_time(a in MIN_MS..=MAX_MS, b in MIN_MS..=MAX_MS) {
            let (a, b) = (Time::from_unix_ms(a), Time::from_unix_ms(b));
            prop_assert_eq!(a.to_string().parse::<Time>().unwrap(), a);
            prop_assert_eq!(a.to_string().cmp(&b.to_string()), a.cmp(&b));
        }

        #[test]
        fn the_text_of_a_duration_reads_back(seconds in 0..=Span::MAX.0 / 1000) {
            let span = Span::from_ms(seconds * 1000);
            prop_assert_eq!(span.to_string().parse::<Span>().unwrap(), span);
        }
    }
}
