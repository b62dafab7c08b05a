//! A parked signal: an event that matches an outcome of a flow and finds no run. The event itself stays where it is.

use serde::{Deserialize, Serialize};

use crate::config::calendar::Calendar;
use crate::config::directory::Directory;
use crate::config::flow::{ExceptionKind, Flow};
use crate::decide;
use crate::event::Event;
use crate::id;
use crate::record::{ExceptionOpened, ExceptionResolved};
use crate::time::{Span, Time};

/// How long a signal may wait for its trigger before somebody is asked.
pub const WAIT: Span = Span::minutes(15);

/// An event that matches an outcome of flows and has found no run of any of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parked {
    /// The asset.
    pub subject: String,
    /// The event, see [`Event::key`].
    pub event: String,
    /// What happened, in the provider's word.
    #[serde(rename = "type")]
    pub kind: String,
    /// When it was taken in.
    pub received_at: Time,
    /// Ids of the flows, in order.
    pub flows: Vec<String>,
    /// What became of it.
    pub status: Status,
}

/// What became of a parked signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It waits for its trigger.
    Waiting,
    /// It waited too long, which is an exception. A trigger can still take it.
    Orphaned,
    /// A run has looked at it.
    Taken,
}

impl Status {
    /// The word in the stored item.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Orphaned => "orphaned",
            Self::Taken => "taken",
        }
    }
}

impl Parked {
    /// The event, parked for these flows.
    pub fn new(event: &Event, flows: Vec<String>) -> Self {
        Self {
            subject: event.subject.clone(),
            event: event.key(),
            kind: event.kind.clone(),
            received_at: event.received_at,
            flows,
            status: Status::Waiting,
        }
    }

    /// Whether it waited for runs of that flow.
    pub fn is_for(&self, flow: &str) -> bool {
        self.flows.iter().any(|id| id == flow)
    }

    /// The id of its exception: one signal has one.
    fn exception_id(&self) -> String {
        format!("orphan_signal-{}", id::mark(&self.event))
    }

    /// The exception that it is of `flow` when no trigger came.
    pub fn exception(
        &self,
        flow: &Flow,
        calendar: Option<&Calendar>,
        directory: &Directory,
        now: Time,
    ) -> ExceptionOpened {
        let flows = self.flows.join("`, `");
        let source = self.event.split('#').next().unwrap_or_default();
        let expected = format!("a run of `{flows}` for `{}`", self.subject);
        let seen = format!("`{}` from `{source}` at {}, and no trigger", self.kind, self.received_at);
        let (kind, id) = (ExceptionKind::OrphanSignal, self.exception_id());
        decide::exception_of_flow(flow, calendar, directory, kind, id, (expected, seen), now)
    }

    /// The resolution of that exception by the run that takes the signal after all.
    pub fn resolved_by(&self, run: &str) -> ExceptionResolved {
        let resolution = format!("taken by the run `{run}`");
        ExceptionResolved { exception: self.exception_id(), resolution, evidence: None }
    }
}
