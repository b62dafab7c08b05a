//! Business time, against the clock on the wall looked at minute by minute.

use std::sync::LazyLock;

use insta::assert_snapshot;
use jiff::tz::TimeZone;
use meshline_core::calendar::{DeadlineView, StretchKind};
use meshline_core::config::Versioned;
use meshline_core::config::calendar::Calendar;
use meshline_core::duration::BusinessTime;
use meshline_core::time::{Span, Time};
use proptest::prelude::*;
use serde_json::{Value, json};

/// Zones and the days of 2026 on which their clocks change: in the middle of the night, by half an hour, at midnight.
const CHANGES: [(&str, [&str; 2]); 6] = [
    ("America/New_York", ["2026-03-08", "2026-11-01"]),
    ("Europe/Berlin", ["2026-03-29", "2026-10-25"]),
    ("Australia/Lord_Howe", ["2026-04-05", "2026-10-04"]),
    ("Pacific/Auckland", ["2026-04-05", "2026-09-27"]),
    ("America/Havana", ["2026-03-08", "2026-11-01"]),
    ("Asia/Beirut", ["2026-03-29", "2026-10-25"]),
];
/// How many days the oracle looks at: five before the change.
const DAYS: i64 = 40;
const MINUTE_MS: i64 = 60_000;

/// What the clock on the wall shows during one minute.
#[derive(Debug, Clone, Copy)]
struct Minute {
    date: jiff::civil::Date,
    /// From midnight.
    minute: i64,
}

/// The minutes around one change of the clocks.
struct Wall {
    zone: &'static str,
    start: Time,
    minutes: Vec<Minute>,
}

static WALLS: LazyLock<Vec<Wall>> = LazyLock::new(|| {
    let changes = CHANGES.iter().flat_map(|(zone, days)| days.iter().map(move |day| (*zone, *day)));
    changes.map(|(zone, day)| Wall::around(zone, day)).collect()
});

impl Wall {
    fn around(zone: &'static str, day: &str) -> Self {
        let rules = TimeZone::get(zone).unwrap();
        let start = format!("{day}T00:00:00Z").parse::<Time>().unwrap() - Span::days(5);
        let minutes = (0..DAYS * 24 * 60).map(|n| {
            let at = jiff::Timestamp::from_millisecond(start.unix_ms() + n * MINUTE_MS).unwrap();
            let wall = rules.to_datetime(at);
            Minute { date: wall.date(), minute: i64::from(wall.hour()) * 60 + i64::from(wall.minute()) }
        });
        Self { zone, start, minutes: minutes.collect() }
    }

    /// Where the duration from `start` ends, looked for minute by minute; `None` when that is too far away.
    fn due_at(&self, hours: &Hours, start: Time, time: BusinessTime) -> Option<Time> {
        let first = usize::try_from(start.since(self.start).ms() / MINUTE_MS).unwrap();
        let begin = |n: usize| self.start.unix_ms() + i64::try_from(n).unwrap() * MINUTE_MS;
        let mut left = match time {
            BusinessTime::Open(span) => span.ms(),
            BusinessTime::Days(_) => 0,
        };
        let (mut days, mut day, mut end) = (0, self.minutes[first].date, None);
        for (n, minute) in
            self.minutes.iter().enumerate().skip(first).filter(|(_, minute)| hours.are_open(minute))
        {
            let from = begin(n).max(start.unix_ms());
            match time {
                BusinessTime::Open(_) => {
                    let passes = begin(n + 1) - from;
                    if left <= passes {
                        return Some(Time::from_unix_ms(from + left));
                    }
                    left -= passes;
                }
                BusinessTime::Days(wanted) => {
                    if minute.date != day {
                        if days == wanted {
                            return end;
                        }
                        (days, day) = (days + 1, minute.date);
                    }
                    end = Some(Time::from_unix_ms(begin(n + 1)));
                }
            }
        }
        None
    }
}

/// The hours of a calendar, in the oracle's own form.
#[derive(Debug, Clone)]
struct Hours {
    /// Minutes at which the hours of a day begin and end: of Monday to Thursday, Friday, and the weekend.
    slots: [Vec<(i64, i64)>; 3],
    holidays: Vec<jiff::civil::Date>,
}

impl Hours {
    fn are_open(&self, minute: &Minute) -> bool {
        let group = match minute.date.weekday().to_monday_zero_offset() {
            0..=3 => 0,
            4 => 1,
            _ => 2,
        };
        let within = |(opens, closes): &(i64, i64)| (*opens..*closes).contains(&minute.minute);
        self.slots[group].iter().any(within) && !self.holidays.contains(&minute.date)
    }

    fn calendar(&self, zone: &str) -> Calendar {
        let clock = |minute: i64| format!("{:02}:{:02}", minute / 60, minute % 60);
        let slots = |group: usize| -> Vec<Value> {
            let slots = self.slots[group].iter();
            slots.map(|(opens, closes)| json!(format!("{}-{}", clock(*opens), clock(*closes)))).collect()
        };
        let holidays: Vec<String> = self.holidays.iter().map(ToString::to_string).collect();
        calendar(json!({
            "id": "any", "timezone": zone, "holidays": holidays, "known_until": "2027-12-31",
            "hours": {"mon-thu": slots(0), "fri": slots(1), "sat-sun": slots(2)},
        }))
    }
}

fn calendar(document: Value) -> Calendar {
    serde_json::from_value(document).unwrap()
}

fn slots() -> impl Strategy<Value = Vec<(i64, i64)>> {
    prop::collection::btree_set(0..=96_i64, 0..7).prop_map(|cuts| {
        let cuts: Vec<i64> = cuts.into_iter().map(|quarter| quarter * 15).collect();
        cuts.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect()
    })
}

/// A wall, hours, holidays among its days, and a start among the first ten of them.
fn case() -> impl Strategy<Value = (usize, Hours, Time)> {
    let hours = [slots(), slots(), slots()];
    let start = 0..10 * 24 * 60 * MINUTE_MS;
    let walls = CHANGES.len() * 2;
    (0..walls, hours, prop::collection::vec(0..DAYS, 0..6), start).prop_map(
        |(wall, slots, holidays, start)| {
            let Wall { start: begin, minutes, .. } = &WALLS[wall];
            let day = |n: &i64| minutes[usize::try_from(n * 24 * 60).unwrap()].date;
            let hours = Hours { slots, holidays: holidays.iter().map(day).collect() };
            (wall, hours, *begin + Span::from_ms(start))
        },
    )
}

fn business() -> impl Strategy<Value = BusinessTime> {
    prop_oneof![
        2 => (1..3_000_i64).prop_map(|n| BusinessTime::Open(Span::minutes(n))),
        1 => (1..8_u32).prop_map(BusinessTime::Days),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10_000, max_global_rejects: 10_000, ..ProptestConfig::default() })]

    #[test]
    fn a_deadline_is_where_the_wall_clock_says((wall, hours, start) in case(), time in business()) {
        let wall = &WALLS[wall];
        let expected = wall.due_at(&hours, start, time);
        prop_assume!(expected.is_some());
        let found = hours.calendar(wall.zone).add(start, time).due_at;
        prop_assert_eq!(Some(found), expected, "{} from {} in {}", time, start, wall.zone);
    }
}

proptest! {
    #[test]
    fn what_passes_on_the_way_is_what_was_asked_for((wall, hours, start) in case(), minutes in 1..3_000_i64) {
        let calendar = hours.calendar(WALLS[wall].zone);
        prop_assume!(hours.slots.iter().any(|slots| !slots.is_empty()));
        let span = Span::minutes(minutes);
        let deadline = calendar.add(start, BusinessTime::Open(span));
        prop_assert_eq!(calendar.open_between(start, deadline.due_at), span);
        let open = deadline.stretches.iter().filter(|stretch| stretch.kind == StretchKind::Open);
        prop_assert_eq!(open.map(|stretch| stretch.to.since(stretch.from).ms()).sum::<i64>(), span.ms());
        let mut at = start;
        for stretch in &deadline.stretches {
            prop_assert!(stretch.from == at && stretch.to > at, "{:?}", deadline);
            at = stretch.to;
        }
        prop_assert_eq!(at, deadline.due_at);
    }

    #[test]
    fn two_durations_are_as_long_as_their_sum((wall, hours, start) in case(), a in 1..900_i64, b in 1..900_i64) {
        let calendar = hours.calendar(WALLS[wall].zone);
        let open = |n| BusinessTime::Open(Span::minutes(n));
        let half_way = calendar.add(start, open(a)).due_at;
        prop_assume!(hours.slots.iter().any(|slots| !slots.is_empty()));
        prop_assert_eq!(calendar.add(half_way, open(b)).due_at, calendar.add(start, open(a + b)).due_at);
    }

    #[test]
    fn a_later_start_never_ends_earlier((wall, hours, start) in case(), time in business(), later in 0..9_000_i64) {
        let calendar = hours.calendar(WALLS[wall].zone);
        let due_at = |start| calendar.add(start, time).due_at;
        prop_assert!(due_at(start) <= due_at(start + Span::minutes(later)));
    }
}

/// The calendar of docs/FLOWS.md.
fn office() -> Calendar {
    calendar(json!({
        "id": "us-business", "timezone": "America/New_York",
        "hours": {"mon-thu": ["09:00-12:00", "13:00-17:30"], "fri": ["09:00-16:00"]},
        "holidays": ["2026-11-26", "2026-12-25"], "known_until": "2026-12-31",
    }))
}

/// `from -> due`, and the stretches between, by the clock on the wall.
fn explained(calendar: Calendar, from: &str, sla: &str) -> String {
    let calendar = Versioned { version: 1, hash: String::new(), document: std::sync::Arc::new(calendar) };
    let view = DeadlineView::of(sla.parse().unwrap(), Some(&calendar), from.parse().unwrap()).unwrap();
    let known = if view.known { "" } else { ", holidays unknown" };
    let lines = view.stretches.iter().map(|it| {
        let kind = serde_json::to_value(it.kind).unwrap();
        let holidays: Vec<String> = it.holidays.iter().map(|day| format!(" holiday {day}")).collect();
        format!("\n{} .. {} {}{}", it.from_local, it.to_local, kind.as_str().unwrap(), holidays.concat())
    });
    format!("{} -> {}{known}{}", view.sla, view.due_at, lines.collect::<String>())
}

#[test]
fn hours_pass_over_lunch_the_night_and_a_holiday() {
    assert_snapshot!(explained(office(), "2026-11-25T16:00:00Z", "8 business hours"), @"
    8 business hours -> 2026-11-27T16:30:00.000Z
    2026-11-25T11:00:00-05:00 .. 2026-11-25T12:00:00-05:00 open
    2026-11-25T12:00:00-05:00 .. 2026-11-25T13:00:00-05:00 closed
    2026-11-25T13:00:00-05:00 .. 2026-11-25T17:30:00-05:00 open
    2026-11-25T17:30:00-05:00 .. 2026-11-27T09:00:00-05:00 closed holiday 2026-11-26
    2026-11-27T09:00:00-05:00 .. 2026-11-27T11:30:00-05:00 open
    ");
}

#[test]
fn a_business_day_ends_when_it_closes_and_the_day_of_the_start_is_none() {
    // Monday before it opens, Monday during lunch, and Monday after hours are all the same Monday.
    for start in ["2026-11-23T13:00:00Z", "2026-11-23T17:30:00Z", "2026-11-24T01:00:00Z"] {
        assert!(
            explained(office(), start, "2 business days")
                .starts_with("2 business days -> 2026-11-25T22:30:00.000Z")
        );
    }
    assert_snapshot!(explained(office(), "2026-11-28T12:00:00Z", "1 business day"), @"
    1 business day -> 2026-11-30T22:30:00.000Z
    2026-11-28T07:00:00-05:00 .. 2026-11-30T09:00:00-05:00 closed
    2026-11-30T09:00:00-05:00 .. 2026-11-30T12:00:00-05:00 open
    2026-11-30T12:00:00-05:00 .. 2026-11-30T13:00:00-05:00 closed
    2026-11-30T13:00:00-05:00 .. 2026-11-30T17:30:00-05:00 open
    ");
    assert_snapshot!(explained(office(), "2026-11-25T20:00:00Z", "1 business day"), @"
    1 business day -> 2026-11-27T21:00:00.000Z
    2026-11-25T15:00:00-05:00 .. 2026-11-25T17:30:00-05:00 start_day
    2026-11-25T17:30:00-05:00 .. 2026-11-27T09:00:00-05:00 closed holiday 2026-11-26
    2026-11-27T09:00:00-05:00 .. 2026-11-27T16:00:00-05:00 open
    ");
}

#[test]
fn a_night_shift_has_the_real_length_of_the_day_the_clocks_change() {
    let night = || {
        calendar(
            json!({"id": "night", "timezone": "Europe/Berlin", "hours": {"sun": ["00:00-06:00"]}, "known_until": "2027-12-31"}),
        )
    };
    // Five hours in spring, seven in autumn.
    assert_snapshot!(explained(night(), "2026-03-28T12:00:00Z", "5 business hours"), @"
    5 business hours -> 2026-03-29T04:00:00.000Z
    2026-03-28T13:00:00+01:00 .. 2026-03-29T00:00:00+01:00 closed
    2026-03-29T00:00:00+01:00 .. 2026-03-29T06:00:00+02:00 open
    ");
    assert_snapshot!(explained(night(), "2026-10-24T12:00:00Z", "7 business hours"), @"
    7 business hours -> 2026-10-25T05:00:00.000Z
    2026-10-24T14:00:00+02:00 .. 2026-10-25T00:00:00+02:00 closed
    2026-10-25T00:00:00+02:00 .. 2026-10-25T06:00:00+01:00 open
    ");
}

#[test]
fn a_deadline_ends_at_the_end_of_a_slot_and_on_the_last_known_day_it_is_known() {
    assert_snapshot!(explained(office(), "2026-12-31T14:00:00Z", "450 business minutes"), @"
    450 business minutes -> 2026-12-31T22:30:00.000Z
    2026-12-31T09:00:00-05:00 .. 2026-12-31T12:00:00-05:00 open
    2026-12-31T12:00:00-05:00 .. 2026-12-31T13:00:00-05:00 closed
    2026-12-31T13:00:00-05:00 .. 2026-12-31T17:30:00-05:00 open
    ");
    assert_snapshot!(explained(office(), "2026-12-31T14:00:00Z", "451 business minutes"), @"
    451 business minutes -> 2027-01-01T14:01:00.000Z, holidays unknown
    2026-12-31T09:00:00-05:00 .. 2026-12-31T12:00:00-05:00 open
    2026-12-31T12:00:00-05:00 .. 2026-12-31T13:00:00-05:00 closed
    2026-12-31T13:00:00-05:00 .. 2026-12-31T17:30:00-05:00 open
    2026-12-31T17:30:00-05:00 .. 2027-01-01T09:00:00-05:00 closed
    2027-01-01T09:00:00-05:00 .. 2027-01-01T09:01:00-05:00 open
    ");
}
