//! A rotation: whose turn it is among the members of a role, at any time.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::config::calendar::Zone;
use crate::config::directory::{Directory, Person, Role};
use crate::config::flow::Party;
use crate::day::Day;
use crate::time::Time;

/// How the members of a role take turns. YAML: `rotate:` on a role.
///
/// Turns are numbered from 0, which begins at midnight of `starting`. What is before belongs to turn 0 as well.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Rotation {
    /// How long a turn is.
    pub every: Every,
    /// The first day of turn 0.
    pub starting: Day,
    /// Whose midnight begins a turn; UTC where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timezone: Option<Zone>,
}

/// The length of a turn, in the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Every {
    /// Seven days.
    Week,
    /// A month; a day that a month does not have is its last one.
    Month,
    /// Three months.
    Quarter,
}

const MONTHS_OF_QUARTER: i64 = 3;
const DAYS_OF_WEEK: i64 = 7;

impl Rotation {
    /// When a turn begins: at local midnight, or the first instant of a day that has none. Counted from `starting`
    /// each time, so that months of different lengths do not add up.
    pub fn begins(&self, turn: u32) -> Time {
        let n = i64::from(turn);
        let length = match self.every {
            Every::Week => jiff::Span::new().try_weeks(n),
            Every::Month => jiff::Span::new().try_months(n),
            Every::Quarter => jiff::Span::new().try_months(n * MONTHS_OF_QUARTER),
        };
        let begins = length
            .and_then(|length| self.first_day().checked_add(length))
            .and_then(|day| self.zone().to_timestamp(day.to_datetime(jiff::civil::Time::midnight())));
        // INVARIANT: only a turn after the year 9999 has no beginning.
        Time::from_unix_ms(begins.map_or(i64::MAX, jiff::Timestamp::as_millisecond))
    }

    /// The turn that is in force at `at`.
    pub fn turn(&self, at: Time) -> u32 {
        let first = self.first_day();
        let instant = jiff::Timestamp::from_millisecond(at.unix_ms()).unwrap_or_default();
        let day = self.zone().to_datetime(instant).date();
        let months = |day: Date| i64::from(day.year()) * 12 + i64::from(day.month());
        let guess = match self.every {
            Every::Week => first.duration_until(day).as_hours() / 24 / DAYS_OF_WEEK,
            Every::Month => months(day) - months(first),
            Every::Quarter => (months(day) - months(first)) / MONTHS_OF_QUARTER,
        };
        let turn = u32::try_from(guess.max(0)).unwrap_or(u32::MAX);
        if turn > 0 && self.begins(turn) > at {
            turn - 1 // the month's day is still to come
        } else if self.begins(turn.saturating_add(1)) <= at {
            turn + 1 // the clock was set back at midnight, and shows the day before once more
        } else {
            turn
        }
    }

    fn zone(&self) -> TimeZone {
        self.timezone.as_ref().map_or(TimeZone::UTC, |zone| zone.rules().clone())
    }

    fn first_day(&self) -> Date {
        let start = jiff::Timestamp::from_millisecond(self.starting.start().unix_ms()).unwrap_or_default();
        TimeZone::UTC.to_datetime(start).date()
    }
}

impl Role {
    /// The id of whoever has that turn; `None` in a role without members.
    pub fn incumbent(&self, turn: u32) -> Option<&str> {
        let n = usize::try_from(turn).unwrap_or_default().checked_rem(self.members.len())?;
        self.members.get(n).map(String::as_str)
    }

    /// Whether that turn's incumbent has said so, or need not.
    pub fn has_accepted(&self, turn: u32) -> bool {
        self.rotate.is_none() || self.accepted.contains(&turn)
    }

    /// Ids of the members in order of duty: the incumbent, those who come after, and so round.
    pub(super) fn order_at(&self, at: Time) -> impl Iterator<Item = &str> {
        let first = self.rotate.as_ref().map_or(0, |rotation| rotation.turn(at));
        let first = usize::try_from(first).unwrap_or_default().checked_rem(self.members.len()).unwrap_or(0);
        let (before, after) = self.members.split_at(first);
        after.iter().chain(before).map(String::as_str)
    }

    /// Takes acceptances over from the role as it was. The turn in force needs none where the rotation is new, or its
    /// definition or members changed: who is on duty has just been decided.
    fn settle(&mut self, before: Option<&Self>, now: Time) {
        let Some(rotation) = &self.rotate else { return };
        self.accepted = match before.filter(|before| self.takes_turns_as(before)) {
            Some(before) => before.accepted.clone(),
            None => [rotation.turn(now)].into(),
        };
    }

    /// Whether the same people take the same turns.
    fn takes_turns_as(&self, before: &Self) -> bool {
        self.rotate == before.rotate && self.members == before.members
    }

    /// Notes that a turn was accepted, and forgets turns that nobody asks about any more. The last one counts until
    /// what happened in it is decided.
    pub(crate) fn accept(&mut self, turn: u32, in_force: u32) {
        self.accepted.insert(turn);
        self.accepted.retain(|turn| turn.saturating_add(1) >= in_force);
    }
}

impl Directory {
    /// The role of that id.
    pub fn role(&self, id: &str) -> Option<&Role> {
        self.roles.iter().find(|role| role.id == id)
    }

    /// Roles whose rotation begins when this directory follows `before`: new ones, and such as changed.
    pub fn begun<'d>(&'d self, before: &'d Self) -> impl Iterator<Item = &'d Role> {
        let goes_on = |role: &Role| before.role(&role.id).is_some_and(|before| role.takes_turns_as(before));
        self.roles.iter().filter(move |role| role.rotate.is_some() && !goes_on(role))
    }

    /// This directory with the acceptances that stand when it follows `before` at `now`.
    pub(super) fn settled(&self, before: Option<&Self>, now: Time) -> Self {
        let mut next = self.clone();
        for role in &mut next.roles {
            role.settle(before.and_then(|before| before.role(&role.id)), now);
        }
        next
    }

    /// Whoever has the turn of a rotating role at `at`, as long as they have not accepted it.
    pub(crate) fn awaited(&self, party: &Party, at: Time) -> Option<&Person> {
        let Party::Role(id) = party else { return None };
        let role = self.role(id)?;
        let turn = role.rotate.as_ref()?.turn(at);
        if role.has_accepted(turn) { None } else { self.person(role.incumbent(turn)?) }
    }
}
