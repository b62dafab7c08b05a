//! How a deadline came about, as the API shows it.

use serde::{Deserialize, Serialize};

use super::{Stretch, StretchKind, timestamp};
use crate::config::Versioned;
use crate::config::calendar::Calendar;
use crate::day::Day;
use crate::duration::Duration;
use crate::time::Time;

/// How a deadline came about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DeadlineView {
    /// The duration.
    pub sla: Duration,
    /// The calendar that counted it, if it is business time.
    pub calendar: Option<String>,
    /// Its version.
    pub calendar_version: Option<u32>,
    /// Its zone.
    pub timezone: Option<String>,
    /// The start.
    pub from: Time,
    /// The deadline.
    pub due_at: Time,
    /// Whether the calendar knows the holidays up to there.
    pub known: bool,
    /// What the time between was, without gaps; none for elapsed time.
    pub stretches: Vec<StretchView>,
}

/// A stretch of time on the way to a deadline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct StretchView {
    /// What it was.
    pub kind: StretchKind,
    /// Its start.
    pub from: Time,
    /// Its end.
    pub to: Time,
    /// The start by the clock on the wall, RFC 3339.
    pub from_local: String,
    /// The end by the clock on the wall.
    pub to_local: String,
    /// Holidays in it that close what would be open.
    pub holidays: Vec<Day>,
}

impl DeadlineView {
    /// How the deadline of `sla` from `from` comes about; `None` for business time without a calendar.
    pub fn of(sla: Duration, calendar: Option<&Versioned<Calendar>>, from: Time) -> Option<Self> {
        let view = |due_at, known| Self {
            sla,
            calendar: None,
            calendar_version: None,
            timezone: None,
            from,
            due_at,
            known,
            stretches: Vec::new(),
        };
        let time = match sla {
            Duration::Elapsed(span) => return Some(view(from + span, true)),
            Duration::Business(time) => time,
        };
        let Versioned { version, document: calendar, .. } = calendar?;
        let deadline = calendar.add(from, time);
        Some(Self {
            calendar: Some(calendar.id.clone()),
            calendar_version: Some(*version),
            timezone: Some(calendar.timezone.to_string()),
            stretches: deadline.stretches.iter().map(|stretch| calendar.show(stretch)).collect(),
            ..view(deadline.due_at, calendar.knows(deadline.due_at))
        })
    }
}

impl Calendar {
    fn show(&self, stretch: &Stretch) -> StretchView {
        let Stretch { kind, from, to } = *stretch;
        let holidays = match kind {
            StretchKind::Closed => self.closing_holidays(self.local_day(from), self.local_day(to)).collect(),
            StretchKind::Open | StretchKind::StartDay => Vec::new(),
        };
        let (from_local, to_local) = (self.on_the_wall(from), self.on_the_wall(to));
        StretchView { kind, from, to, from_local, to_local, holidays }
    }

    fn on_the_wall(&self, at: Time) -> String {
        let at = timestamp(at);
        at.display_with_offset(self.timezone.rules().to_offset(at)).to_string()
    }
}
