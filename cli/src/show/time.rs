//! Times as people read them: to the minute, with how far off that is.

use meshline_core::time::{Span, Time};

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// `2026-11-23T09:00Z (in 2h)`.
pub(crate) fn at(time: Time, now: Time) -> String {
    format!("{} ({})", minute(time), hint(time, now))
}

/// The same, or a dash.
pub(crate) fn at_or_dash(time: Option<Time>, now: Time) -> String {
    time.map_or_else(|| "-".to_owned(), |time| at(time, now))
}

/// A number of seconds, `1h5m`, or a dash.
pub(crate) fn span(seconds: Option<i64>) -> String {
    seconds.map_or_else(|| "-".to_owned(), |s| Span::from_ms(s.saturating_mul(1000)).to_string())
}

/// RFC 3339 to the minute, rounded down.
fn minute(time: Time) -> String {
    let text = time.to_string();
    format!("{}Z", text.get(..16).unwrap_or(&text))
}

/// `in 2h`, `3m ago`, `now`: the largest unit that it is at least two of, rounded down.
fn hint(time: Time, now: Time) -> String {
    let (later, earlier) = (time.max(now), time.min(now));
    let seconds = (later.unix_ms() - earlier.unix_ms()) / 1000;
    let size = match seconds {
        0 => return "now".to_owned(),
        s if s < 2 * MINUTE => format!("{s}s"),
        s if s < 2 * HOUR => format!("{}m", s / MINUTE),
        s if s < 2 * DAY => format!("{}h", s / HOUR),
        s => format!("{}d", s / DAY),
    };
    if time > now { format!("in {size}") } else { format!("{size} ago") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_comes_with_how_far_off_it_is() {
        let now: Time = "2026-11-23T09:00:30Z".parse().unwrap();
        let show = |text: &str| at(text.parse().unwrap(), now);
        assert_eq!(show("2026-11-23T09:00:30.900Z"), "2026-11-23T09:00Z (now)");
        assert_eq!(show("2026-11-23T11:00:30Z"), "2026-11-23T11:00Z (in 2h)");
        assert_eq!(show("2026-11-23T08:57:30Z"), "2026-11-23T08:57Z (3m ago)");
        assert_eq!(show("2026-11-23T09:02:29Z"), "2026-11-23T09:02Z (in 119s)");
        assert_eq!(show("2026-11-22T09:00:30Z"), "2026-11-22T09:00Z (24h ago)");
        assert_eq!(show("2026-12-23T09:00:30Z"), "2026-12-23T09:00Z (in 30d)");
        assert_eq!(at_or_dash(None, now), "-");
    }

    #[test]
    fn a_number_of_seconds_has_units() {
        assert_eq!(span(Some(3_905)), "1h5m5s");
        assert_eq!(span(Some(0)), "0s");
        assert_eq!(span(None), "-");
    }
}
