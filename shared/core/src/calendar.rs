//! Counting business time: from a start to a deadline, and how it came about.
//!
//! An instant is open if the clock on the wall then shows a time within the hours of a day that is no holiday. So an
//! hour that a day loses in spring is nobody's, and one that it has twice in autumn counts twice.

mod explain;

use crate::config::calendar::{Calendar, Slot};
use crate::day::Day;
use crate::duration::BusinessTime;
use crate::time::{Span, Time};

pub use explain::{DeadlineView, StretchView};

/// Where a length of business time from a start ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deadline {
    /// The end, which is in time.
    pub due_at: Time,
    /// What the time from the start to there was, without gaps.
    pub stretches: Vec<Stretch>,
}

/// A stretch of time on the way to a deadline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stretch {
    /// What it was.
    pub kind: StretchKind,
    /// Its start.
    pub from: Time,
    /// Its end, not included.
    pub to: Time,
}

/// What a stretch of time was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum StretchKind {
    /// Open, and counted.
    Open,
    /// Open on the day of the start, which a number of business days does not count.
    StartDay,
    /// Closed.
    Closed,
}

/// A stretch of open time within one local day, in milliseconds.
#[derive(Debug, Clone, Copy)]
struct Opening {
    from: i64,
    to: i64,
    /// Number of the local day.
    day: i64,
}

/// A stretch of time with one offset from UTC, in milliseconds.
#[derive(Debug, Clone, Copy)]
struct Season {
    from: i64,
    to: i64,
    offset: i64,
}

/// How far a deadline is looked for. Hours so short that it is not found by then are no hours.
const HORIZON: Span = Span::MAX;
const DAY_MS: i64 = 86_400_000;
const MINUTE_MS: i64 = 60_000;

impl Calendar {
    /// Where `time` from `start` ends.
    ///
    /// Hours and minutes end when so much open time has passed: at a slot's end rather than at the start of the next.
    /// A number of business days ends when the last of them closes; the local day of the start is not one of them.
    pub fn add(&self, start: Time, time: BusinessTime) -> Deadline {
        let mut way = Way::from(start);
        let found = match time {
            BusinessTime::Open(span) => self.add_open(start, span, &mut way),
            BusinessTime::Days(days) => self.add_days(start, days, &mut way),
        };
        let due_at = found.unwrap_or(start + HORIZON);
        way.closed_until(due_at);
        Deadline { due_at, stretches: way.stretches }
    }

    /// The open time from `from` to `to`.
    pub fn open_between(&self, from: Time, to: Time) -> Span {
        let until = to.unix_ms();
        let openings = self.openings(from).take_while(|opening| opening.from < until);
        Span::from_ms(openings.map(|opening| opening.to.min(until) - opening.from).sum())
    }

    /// Whether the holidays up to a deadline at `due_at` are known.
    pub fn knows(&self, due_at: Time) -> bool {
        // What ends at midnight belongs to the day that ends.
        self.local_day(due_at - Span::from_ms(1)) <= self.known_until.number()
    }

    /// Holidays from one local day to another that close what would be open.
    fn closing_holidays(&self, from: i64, to: i64) -> impl Iterator<Item = Day> {
        let within = move |day: &&Day| (from..=to).contains(&day.number());
        let opens = |day: &&Day| self.slots(weekday(day.number())).next().is_some();
        self.holidays.iter().filter(within).filter(opens).copied()
    }

    fn add_open(&self, start: Time, span: Span, way: &mut Way) -> Option<Time> {
        let mut left = span.ms();
        for opening in self.openings(start) {
            let used = left.min(opening.to - opening.from);
            way.passes(StretchKind::Open, opening.from, opening.from + used);
            left -= used;
            if left == 0 {
                return Some(Time::from_unix_ms(opening.from + used));
            }
        }
        None
    }

    fn add_days(&self, start: Time, days: u32, way: &mut Way) -> Option<Time> {
        let first = self.local_day(start);
        let (mut passed, mut day, mut end) = (0, first, None);
        for opening in self.openings(start) {
            if opening.day > day {
                if passed == days {
                    break;
                }
                (passed, day) = (passed + 1, opening.day);
            }
            let kind = if passed == 0 { StretchKind::StartDay } else { StretchKind::Open };
            way.passes(kind, opening.from, opening.to);
            end = Some(Time::from_unix_ms(opening.to));
        }
        end.filter(|_| passed == days)
    }

    /// The number of the day that the clock on the wall is in.
    fn local_day(&self, at: Time) -> i64 {
        (at.unix_ms() + self.offset(at)).div_euclid(DAY_MS)
    }

    fn offset(&self, at: Time) -> i64 {
        i64::from(self.timezone.rules().to_offset(timestamp(at)).seconds()) * 1000
    }

    /// Everything open from `start` on, in order.
    fn openings(&self, start: Time) -> impl Iterator<Item = Opening> {
        self.seasons(start).flat_map(|season| self.openings_of(season))
    }

    /// The time from `start` on, cut where the offset from UTC may change.
    fn seasons(&self, start: Time) -> impl Iterator<Item = Season> {
        let end = start + HORIZON;
        let mut changes = self.timezone.rules().following(timestamp(start));
        let mut next = Some((start.unix_ms(), self.offset(start)));
        std::iter::from_fn(move || {
            let (from, offset) = next.filter(|(from, _)| *from < end.unix_ms())?;
            next = changes.next().map(|change| {
                (change.timestamp().as_millisecond(), i64::from(change.offset().seconds()) * 1000)
            });
            let to = next.map_or(end.unix_ms(), |(change, _)| change.min(end.unix_ms()));
            Some(Season { from, to, offset })
        })
    }

    fn openings_of(&self, season: Season) -> impl Iterator<Item = Opening> {
        let Season { from, to, offset } = season;
        let first = (from + offset).div_euclid(DAY_MS);
        let last = (to - 1 + offset).div_euclid(DAY_MS);
        (first..=last).filter(|day| !self.is_holiday(*day)).flat_map(move |day| {
            let midnight = day * DAY_MS - offset;
            let opening = move |slot: Slot| Opening {
                from: (midnight + i64::from(slot.opens()) * MINUTE_MS).max(from),
                to: (midnight + i64::from(slot.closes()) * MINUTE_MS).min(to),
                day,
            };
            self.slots(weekday(day)).map(opening).filter(|opening| opening.from < opening.to)
        })
    }

    fn is_holiday(&self, day: i64) -> bool {
        self.holidays.contains(&Day::of(Time::from_unix_ms(day * DAY_MS)))
    }
}

/// The way to a deadline, stretch by stretch.
struct Way {
    at: Time,
    stretches: Vec<Stretch>,
}

impl Way {
    fn from(start: Time) -> Self {
        Self { at: start, stretches: Vec::new() }
    }

    fn passes(&mut self, kind: StretchKind, from: i64, to: i64) {
        let (from, to) = (Time::from_unix_ms(from), Time::from_unix_ms(to));
        self.closed_until(from);
        match self.stretches.last_mut() {
            Some(last) if last.kind == kind => last.to = to,
            Some(_) | None => self.stretches.push(Stretch { kind, from, to }),
        }
        self.at = to;
    }

    fn closed_until(&mut self, to: Time) {
        if self.at < to {
            self.stretches.push(Stretch { kind: StretchKind::Closed, from: self.at, to });
            self.at = to;
        }
    }
}

/// The day of the week, from 0 for Monday; the day with the number 0 was a Thursday.
fn weekday(day: i64) -> u8 {
    u8::try_from((day + 3).rem_euclid(7)).unwrap_or_default()
}

fn timestamp(at: Time) -> jiff::Timestamp {
    // INVARIANT: never the default: the range of `Time` is within jiff's own.
    jiff::Timestamp::from_millisecond(at.unix_ms()).unwrap_or_default()
}
