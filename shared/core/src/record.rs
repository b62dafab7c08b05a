//! A record: one immutable audit entry. Whoever acts on it has no choice left to make.

mod check;
mod delivery;
mod detail;
mod monday;
mod rotation;

use serde::{Deserialize, Serialize};

use crate::time::Time;
use crate::trace::{TraceId, TraceParent};
use crate::trail;

pub use check::*;
pub use delivery::*;
pub use detail::*;
pub use monday::*;
pub use rotation::*;

/// What happened to a run or was decided about it: by whom, when and why.
///
/// Its JSON is exactly what is hashed, plus `hash`: `hash = SHA-256(RFC 8785(record without hash))`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The run, or `FLOW#<id>` for a record about a flow.
    pub run: String,
    /// From 1, without gaps.
    pub seq: u64,
    /// When it was decided; never earlier than the record before.
    pub at: Time,
    /// Who made it happen.
    pub actor: Actor,
    /// The flow.
    pub flow: String,
    /// Its version, with which the run was opened.
    pub flow_version: u32,
    /// The content asset; `flow:<id>` for a record about a flow.
    pub subject: String,
    /// Content hash of the flow version.
    pub config_hash: String,
    /// What must not act twice: an event (`event:<source>#<id>`), a caller's idempotency key (`key:<caller>:<key>`) or an
    /// API request (`request:<id>`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// The trace of the run: that of its trigger. Records about flows have none, nor have those of early versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<TraceId>,
    /// Whether its flow was off when the run opened: then it goes to the bus alone, and nobody is told.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub suppressed: bool,
    /// What happened: `kind` and `detail`.
    #[serde(flatten)]
    pub fact: Fact,
    /// The hash of the record before; 64 zeros for the first.
    pub prev: String,
    /// SHA-256 over all the above, 64 hexadecimal characters; empty, and left out of the JSON, until it is made.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub hash: String,
}

/// Who made something happen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// What it is.
    #[serde(rename = "type")]
    pub kind: ActorKind,
    /// Its id: a person's, a source's, or a function's name.
    pub id: String,
}

/// What an actor is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActorKind {
    /// Meshline itself.
    System,
    /// A human.
    Person,
    /// A system that sends webhooks.
    Source,
}

/// The kinds of records, each with its detail. JSON: `"kind": "sla_breached", "detail": {…}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "detail", rename_all = "snake_case")]
pub enum Fact {
    /// A trigger opened the run.
    RunOpened(Box<Opened>),
    /// A further trigger joined the run.
    Retriggered(Retriggered),
    /// The execution layer is to be asked.
    OutcomeRequested(Requested),
    /// An outcome was verified.
    OutcomeDone(Done),
    /// An outcome was reported to have failed; its clock runs on.
    OutcomeFailed(Failed),
    /// An outcome nears its deadline.
    SlaWarning(Warning),
    /// An outcome's deadline passed without it.
    SlaBreached(Breached),
    /// The owner has it.
    Acknowledged(Acknowledged),
    /// The owner did not say so in time.
    AcknowledgementMissed(Missed),
    /// The acknowledgement's lease passed without progress.
    AcknowledgementLapsed(Lapsed),
    /// The run has a new owner.
    Reassigned(Reassigned),
    /// A ladder step fired.
    Escalated(Escalated),
    /// A ladder step found nobody to tell and nothing to hand over.
    StepEmpty(StepEmpty),
    /// Automation gave the case to a person.
    ExceptionOpened(Box<ExceptionOpened>),
    /// The case is over.
    ExceptionResolved(ExceptionResolved),
    /// The recovery SLA of an exception passed.
    RecoveryBreached(RecoveryBreached),
    /// An open run with nothing due for a week.
    Stalled(Stalled),
    /// The outcomes' clocks stand still.
    Paused(Paused),
    /// They run again.
    Resumed(Resumed),
    /// A check passed.
    CheckPassed(CheckPassed),
    /// A check found something wrong.
    CheckFailed(CheckFailed),
    /// A check's deadline passed in silence.
    CheckOverdue(CheckOverdue),
    /// All outcomes are done; checks or exceptions are not.
    RunVerifying(Empty),
    /// The run is over.
    RunClosed(Closed),
    /// The run was called off.
    RunCancelled(Cancelled),
    /// Somebody wrote something down.
    NoteAdded(Note),
    /// A message reached its receiver.
    DeliverySucceeded(DeliverySucceeded),
    /// A message was given up.
    DeliveryFailed(DeliveryFailed),
    /// A message was not sent: nobody needed it any more.
    DeliverySkipped(DeliverySkipped),
    /// A pager's alert or a tracker's issue is to hear what became of its matter.
    AlertSettled(Box<AlertSettled>),
    /// A flow version was put in force.
    FlowApplied(FlowApplied),
    /// The next member of a rotating role has the turn.
    OwnerRotated(OwnerRotated),
    /// They accepted it.
    HandoverAccepted(HandoverAccepted),
    /// They did not, and are reminded.
    HandoverReminded(HandoverReminded),
    /// The checklist of a week was sent to the flow's owner.
    ChecklistSent(Box<ChecklistSent>),
}

impl Record {
    /// The id that its messages have, and nothing else: `<run>:<seq>`.
    pub fn id(&self) -> String {
        format!("{}:{}", self.run, self.seq)
    }

    /// The record that follows from it at once, as the system's doing: `fact`.
    pub fn followed_by(&self, fact: Fact) -> Self {
        let mut next = Self {
            seq: self.seq + 1,
            actor: Actor::system("meshline"),
            cause: None,
            fact,
            prev: self.hash.clone(),
            ..self.clone()
        };
        next.hash = trail::hash(&next);
        next
    }

    /// Its step of the run's trace.
    pub fn trace_parent(&self) -> Option<TraceParent> {
        self.trace.map(|trace| TraceParent::derived(trace, &self.id()))
    }
}

impl Actor {
    /// Meshline's function of that name.
    pub fn system(function: &str) -> Self {
        Self { kind: ActorKind::System, id: function.to_owned() }
    }

    /// The person of that id.
    pub fn person(id: &str) -> Self {
        Self { kind: ActorKind::Person, id: id.to_owned() }
    }

    /// The source of that id.
    pub fn source(id: &str) -> Self {
        Self { kind: ActorKind::Source, id: id.to_owned() }
    }
}

impl Fact {
    /// The word in `kind`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::RunOpened(_) => "run_opened",
            Self::Retriggered(_) => "retriggered",
            Self::OutcomeRequested(_) => "outcome_requested",
            Self::OutcomeDone(_) => "outcome_done",
            Self::OutcomeFailed(_) => "outcome_failed",
            Self::SlaWarning(_) => "sla_warning",
            Self::SlaBreached(_) => "sla_breached",
            Self::Acknowledged(_) => "acknowledged",
            Self::AcknowledgementMissed(_) => "acknowledgement_missed",
            Self::AcknowledgementLapsed(_) => "acknowledgement_lapsed",
            Self::Reassigned(_) => "reassigned",
            Self::Escalated(_) => "escalated",
            Self::StepEmpty(_) => "step_empty",
            Self::ExceptionOpened(_) => "exception_opened",
            Self::ExceptionResolved(_) => "exception_resolved",
            Self::RecoveryBreached(_) => "recovery_breached",
            Self::Stalled(_) => "stalled",
            Self::Paused(_) => "paused",
            Self::Resumed(_) => "resumed",
            Self::CheckPassed(_) => "check_passed",
            Self::CheckFailed(_) => "check_failed",
            Self::CheckOverdue(_) => "check_overdue",
            Self::RunVerifying(_) => "run_verifying",
            Self::RunClosed(_) => "run_closed",
            Self::RunCancelled(_) => "run_cancelled",
            Self::NoteAdded(_) => "note_added",
            Self::DeliverySucceeded(_) => "delivery_succeeded",
            Self::DeliveryFailed(_) => "delivery_failed",
            Self::DeliverySkipped(_) => "delivery_skipped",
            Self::AlertSettled(_) => "alert_settled",
            Self::FlowApplied(_) => "flow_applied",
            Self::OwnerRotated(_) => "owner_rotated",
            Self::HandoverAccepted(_) => "handover_accepted",
            Self::HandoverReminded(_) => "handover_reminded",
            Self::ChecklistSent(_) => "checklist_sent",
        }
    }
}
