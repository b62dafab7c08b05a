//! A run: one execution of one flow version for one subject. It is the fold of its trail.

mod check;
mod due;
mod fold;
mod lease;

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::alert::Alert;
use crate::config::flow::{ExceptionKind, Ladder};
use crate::id;
use crate::pattern::Values;
use crate::record::{Custody, OwnerRole, Started};
use crate::time::{Span, Time};
use crate::trace::TraceId;

pub use check::{Check, CheckStatus};
pub use due::Due;
pub use fold::FoldError;

/// One execution of a flow for a subject: what its records add up to, and nothing else.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// Its id, see [`id::run_id`].
    pub run: String,
    /// The flow, and the version it was opened with.
    pub flow: String,
    /// Version of the flow.
    pub flow_version: u32,
    /// Version of the flow's calendar, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calendar_version: Option<u32>,
    /// The flow's client label.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// The content asset.
    pub subject: String,
    /// Title of the asset, else of the flow.
    pub title: String,
    /// Where the asset can be seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The trace of its trigger, which all its records belong to; runs of early versions have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<TraceId>,
    /// Whether nobody is told of it, because its flow was off when it opened.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub suppressed: bool,
    /// Where it is in its life.
    pub status: Status,
    /// Sequence number of the last record.
    pub version: u64,
    /// How many records at the end of the trail only say what became of messages: whoever saw the run before them has
    /// seen the run as it is.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub reports: u64,
    /// Hash of the last record.
    pub head: String,
    /// Time of the last record.
    pub last_at: Time,
    /// When the trigger took effect.
    pub opened_at: Time,
    /// When it closed or was cancelled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_at: Option<Time>,
    /// Who is accountable.
    pub owner: Owner,
    /// Who was before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub held: Vec<Custody>,
    /// Until when the owner must acknowledge, and whether they did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ack: Option<Acknowledgement>,
    /// In the order of the flow.
    pub outcomes: Vec<Outcome>,
    /// In the order of the flow, those of the content first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<Check>,
    /// In the order they began.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pauses: Vec<Pause>,
    /// In the order they were opened.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exceptions: Vec<Exception>,
    /// Ladder steps that fired.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub escalations: Vec<Escalation>,
    /// What pagers and trackers hold open about it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub alerts: Vec<Alert>,
    /// Values of `${…}` places, from the trigger event.
    #[serde(default, skip_serializing_if = "Values::is_empty")]
    pub values: Values,
    /// Marks of the causes that must not act twice, oldest first.
    #[serde(default, skip_serializing_if = "VecDeque::is_empty")]
    pub seen: VecDeque<String>,
}

/// Where a run is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Content checks are awaited, before outcomes are.
    AwaitingQa,
    /// Outcomes are awaited.
    Active,
    /// All outcomes are done; routing checks or exceptions are open.
    Verifying,
    /// Over.
    Closed,
    /// Called off.
    Cancelled,
}

/// The one accountable person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Owner {
    /// Their id.
    pub id: String,
    /// Since when.
    pub since: Time,
    /// As what.
    #[serde(rename = "as")]
    pub role: OwnerRole,
}

/// The owner's word that they have it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acknowledgement {
    /// Until when; absent once missed, until there is a new owner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<Time>,
    /// The last deadline, missed or not.
    pub due_at: Time,
    /// When it was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Time>,
    /// By whom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// How long it holds, where the flow gives it a lease.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease: Option<Lease>,
    /// The last window that was missed, by this owner or one before: why the ladder is climbed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missed: Option<MissedWindow>,
    /// How far the ladder `not_acknowledged` has been climbed.
    #[serde(default, skip_serializing_if = "Climb::is_at_rest")]
    pub ladder: Climb,
}

/// How long an acknowledgement holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// From the last progress on.
    pub length_ms: i64,
    /// When it lapses.
    pub until: Time,
}

/// A window to acknowledge that passed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MissedWindow {
    /// Who did not acknowledge.
    pub owner: String,
    /// By when.
    pub due_at: Time,
    /// The deadline of the earlier miss since which the ladder is being climbed, where it is not this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub climbed_since: Option<Time>,
}

/// How far a ladder has been climbed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Climb {
    /// The next step, from 0.
    pub next: usize,
    /// When it is due; absent while the ladder is not climbed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Time>,
}

/// One expected result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// Its id.
    pub id: String,
    /// Its own owner, a person or role, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Where it stands.
    pub status: OutcomeStatus,
    /// Its clock, once it started.
    #[serde(default, skip_serializing_if = "Option::is_none", flatten)]
    pub clock: Option<Started>,
    /// When it came true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub done_at: Option<Time>,
    /// The deadline, once it passed without the outcome.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub breached_at: Option<Time>,
    /// Whether it was in time; absent while undecided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub met: Option<bool>,
    /// Proof given by a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<String>,
    /// How far the ladder `breached` has been climbed.
    #[serde(default, skip_serializing_if = "Climb::is_at_rest")]
    pub ladder: Climb,
}

/// A while in which the outcomes' clocks stand still.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    /// Its start.
    pub from: Time,
    /// Its end; while it lasts, when the budget is spent.
    pub to: Time,
    /// Whether it lasts.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub lasts: bool,
}

/// Where an outcome stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum OutcomeStatus {
    /// Its clock has not started.
    Waiting,
    /// Its clock runs.
    Open,
    /// Verified.
    Done,
    /// Reported to have failed; its clock runs on, and it can still be verified.
    Failed,
}

/// A case automation could not resolve.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Exception {
    /// Its id, unique within the run: `x5`.
    pub id: String,
    /// Its kind.
    pub kind: ExceptionKind,
    /// The outcome it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
    /// The check it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check: Option<String>,
    /// Who must resolve it.
    pub owner: String,
    /// When it was opened.
    pub opened_at: Time,
    /// Until when it must be resolved.
    pub recovery_due_at: Time,
    /// Whether that passed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub recovery_breached: bool,
    /// When it was resolved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved_at: Option<Time>,
    /// How, in short; early versions did not keep it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolution: Option<String>,
    /// The proof of it, in short.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<String>,
    /// How far the ladder `recovery` has been climbed.
    #[serde(default, skip_serializing_if = "Climb::is_at_rest")]
    pub ladder: Climb,
}

/// A ladder step that fired.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Escalation {
    /// Which ladder.
    pub ladder: Ladder,
    /// The outcome, on the ladder `breached`.
    pub outcome: Option<String>,
    /// The exception, on the ladder `recovery`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exception: Option<String>,
    /// Which step, from 0.
    pub step: usize,
    /// When it fired.
    pub at: Time,
}

impl Climb {
    fn is_at_rest(&self) -> bool {
        *self == Self::default()
    }
}

impl Run {
    /// Whether it is neither closed nor cancelled.
    pub fn is_open(&self) -> bool {
        match self.status {
            Status::AwaitingQa | Status::Active | Status::Verifying => true,
            Status::Closed | Status::Cancelled => false,
        }
    }

    /// Whether every outcome was in time; absent while one is undecided.
    pub fn met(&self) -> Option<bool> {
        if self.outcomes.iter().any(|outcome| outcome.met == Some(false)) {
            return Some(false);
        }
        let all = self.outcomes.iter().all(|outcome| outcome.met == Some(true));
        if all { Some(true) } else { (!self.is_open()).then_some(false) }
    }

    /// Whether an outcome is past its deadline and not done.
    pub fn is_overdue(&self) -> bool {
        let late = |outcome: &Outcome| outcome.breached_at.is_some() && outcome.status != OutcomeStatus::Done;
        self.is_open() && self.outcomes.iter().any(late)
    }

    /// The pause that lasts.
    pub fn pause(&self) -> Option<&Pause> {
        self.pauses.last().filter(|pause| pause.lasts && self.is_open())
    }

    /// Whether a point of an outcome's clock does not come nearer, because of the pause that lasts.
    pub fn stands_still(&self, at: Time) -> bool {
        self.pause().is_some_and(|pause| pause.from < at)
    }

    /// Whether what came true at `done_at` was in time.
    pub fn in_time(&self, clock: &Started, done_at: Time) -> bool {
        done_at <= clock.due_at || self.stands_still(clock.due_at)
    }

    /// How much of the time from `from` to `to` was paused.
    pub fn paused_within(&self, from: Time, to: Time) -> Span {
        let ms = self.pauses.iter().map(|pause| pause.to.min(to).since(pause.from.max(from)).ms());
        Span::from_ms(ms.sum())
    }

    /// Exceptions that are not resolved.
    pub fn open_exceptions(&self) -> impl Iterator<Item = &Exception> {
        self.exceptions.iter().filter(|exception| exception.resolved_at.is_none())
    }

    /// Whether somebody who saw it at that version has seen it as it is.
    pub fn is_seen_at(&self, version: u64) -> bool {
        (self.version.saturating_sub(self.reports)..=self.version).contains(&version)
    }

    /// Whether this cause has acted on the run already.
    pub fn has_seen(&self, cause: &str) -> bool {
        let mark = id::mark(cause);
        self.seen.contains(&mark)
    }

    /// Who held it, and holds it.
    pub fn custody(&self) -> Vec<Custody> {
        let Owner { id, since, role } = self.owner.clone();
        let now = Custody { owner: id, role: Some(role), from: since, to: None };
        self.held.iter().cloned().chain(std::iter::once(now)).collect()
    }
}

fn is_zero(count: &u64) -> bool {
    *count == 0
}
