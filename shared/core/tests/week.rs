//! Weeks: which one is due, and when, whatever the clocks of a zone do.

use jiff::tz::TimeZone;
use meshline_core::time::{Span, Time};
use meshline_core::week::Week;
use proptest::prelude::*;

/// Zones with changes by an hour, by half an hour, at midnight, by a whole day, and none.
const ZONES: [&str; 9] = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "America/Santiago",
    "Africa/Cairo",
    "Pacific/Apia",
    "Pacific/Kiritimati",
    "Asia/Kathmandu",
];

fn zone(name: &str) -> TimeZone {
    TimeZone::get(name).unwrap()
}

fn time(text: &str) -> Time {
    text.parse().unwrap()
}

#[test]
fn a_checklist_is_due_at_eight_by_the_clock_on_the_wall_before_and_after_it_changes() {
    let due = |week: &str, name: &str| week.parse::<Week>().unwrap().due_at(&zone(name)).to_string();
    assert_eq!(due("2026-W43", "Europe/Berlin"), "2026-10-19T06:00:00.000Z");
    assert_eq!(
        due("2026-W44", "Europe/Berlin"),
        "2026-10-26T07:00:00.000Z",
        "the clocks were set back on Sunday"
    );
    assert_eq!(due("2026-W48", "Asia/Kathmandu"), "2026-11-23T02:15:00.000Z");
    assert_eq!(due("2026-W48", "UTC"), "2026-11-23T08:00:00.000Z");
}

#[test]
fn a_week_is_due_from_its_moment_until_the_next_one() {
    let berlin = zone("Europe/Berlin");
    let due = |text: &str| Week::due(&berlin, time(text)).to_string();
    assert_eq!(due("2026-11-23T06:59:59.999Z"), "2026-W47");
    assert_eq!(due("2026-11-23T07:00:00Z"), "2026-W48");
    assert_eq!(due("2026-11-29T23:30:00Z"), "2026-W48", "Monday there, and too early");
    assert_eq!(due("2021-01-03T12:00:00Z"), "2020-W53", "a year of 53 weeks");
}

#[test]
fn what_is_no_week_is_refused() {
    for text in ["", "2026-W54", "2026-W00", "2026-W1", "2026W48", "2026-48", "2026-11-23", "26-W48"] {
        assert!(text.parse::<Week>().is_err(), "{text}");
    }
}

proptest! {
    /// At each moment exactly one week is due, and its checklist at eight on a Monday by the clock of the zone, where the
    /// clock shows that hour at all.
    #[test]
    fn one_week_is_due_at_each_moment_and_each_gets_its_turn(
        name in prop::sample::select(&ZONES[..]), ms in 0..4_000_000_000_000_i64,
    ) {
        let (zone, at) = (zone(name), Time::from_unix_ms(ms));
        let week = Week::due(&zone, at);
        let (due_at, next) = (week.due_at(&zone), week.next());
        prop_assert!(due_at <= at && at < next.due_at(&zone));
        prop_assert_eq!(Week::due(&zone, due_at), week);
        prop_assert_eq!(Week::due(&zone, due_at - Span::from_ms(1)), week.before());
        prop_assert_eq!(next.before(), week);
        prop_assert_eq!(week.to_string().parse::<Week>(), Ok(week));

        let wall = zone.to_datetime(jiff::Timestamp::from_millisecond(due_at.unix_ms()).unwrap());
        prop_assert_eq!((wall.weekday(), wall.hour(), wall.minute()), (jiff::civil::Weekday::Monday, 8, 0));
        let days = week.next().begins(&zone).since(week.begins(&zone)).ms() as f64 / Span::days(1).ms() as f64;
        prop_assert!((5.9..=8.1).contains(&days), "a week of {} days", days);
    }
}
