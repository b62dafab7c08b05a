//! The detail of each kind of record.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::config::directory::ChannelKind;
use crate::config::flow::{ExceptionKind, Ladder, Severity};
use crate::duration::BusinessTime;
use crate::pattern::Values;
use crate::record::ExpectedCheck;
use crate::time::Time;

/// How much of a resolution or its evidence is kept with the case: a run may have a hundred, and is written as a whole.
const MAX_KEPT_CHARS: usize = 500;

/// No detail.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Empty {}

/// Detail of `run_opened`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Opened {
    /// Title of the asset, else of the flow.
    pub title: String,
    /// Where the asset can be seen.
    pub url: Option<String>,
    /// The flow's client label.
    pub client: Option<String>,
    /// When the trigger took effect, and clocks start.
    pub opened_at: Time,
    /// Type of the trigger event.
    pub event_type: String,
    /// When it happened, by the source.
    pub occurred_at: Option<Time>,
    /// When Meshline took it in.
    pub received_at: Time,
    /// Who is accountable.
    pub owner: String,
    /// As what.
    #[serde(rename = "as")]
    pub role: OwnerRole,
    /// Who would take over now.
    pub backup: Option<String>,
    /// Until when the owner must acknowledge.
    pub acknowledge_by: Option<Time>,
    /// Who is told of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notify: Vec<Recipient>,
    /// What is expected.
    pub outcomes: Vec<ExpectedOutcome>,
    /// Version of the flow's calendar.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calendar_version: Option<u32>,
    /// What is to be looked at.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<ExpectedCheck>,
    /// Values of the `${…}` places that later decisions need.
    #[serde(default, skip_serializing_if = "Values::is_empty")]
    pub values: Values,
}

/// An outcome at the opening. Without `due_at` it waits for others.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ExpectedOutcome {
    /// Its id.
    pub id: String,
    /// Its own owner, a person or role, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Its SLA in milliseconds; a business day counts as one of 24 hours.
    pub sla_ms: i64,
    /// Its SLA where that is business time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sla: Option<BusinessTime>,
    /// Its clock, if it runs from the opening.
    #[serde(flatten)]
    pub clock: Option<Started>,
}

/// A clock that started.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Started {
    /// When.
    pub started_at: Time,
    /// When a warning is due.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warn_at: Option<Time>,
    /// The deadline.
    pub due_at: Time,
}

/// As what somebody owns a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum OwnerRole {
    /// As the flow's owner.
    Owner,
    /// As the flow's backup owner.
    Backup,
    /// By hand, or because nobody else was there.
    Assigned,
}

/// Detail of `retriggered`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Retriggered {
    /// Type of the event.
    pub event_type: String,
    /// Who did it, in the source's terms.
    pub by: Option<String>,
}

/// Detail of `outcome_requested`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Requested {
    /// The outcome.
    pub outcome: String,
    /// The directory's channel.
    pub channel: String,
    /// What to ask, filled in.
    pub payload: Value,
}

/// Detail of `outcome_done`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Done {
    /// The outcome.
    pub outcome: String,
    /// When it came true.
    pub done_at: Time,
    /// Whether that was in time.
    pub met: bool,
    /// What a person gave as proof.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<String>,
    /// Clocks that this starts, by outcome.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub starts: Vec<StartedOutcome>,
}

/// An outcome whose clock starts because others are done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StartedOutcome {
    /// Its id.
    pub id: String,
    /// Its clock.
    #[serde(flatten)]
    pub clock: Started,
}

/// Detail of `outcome_failed`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Failed {
    /// The outcome.
    pub outcome: String,
    /// What was seen: an event's type, or a person's words.
    pub reason: String,
}

/// Detail of `sla_warning`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Warning {
    /// The outcome.
    pub outcome: String,
    /// Who should know.
    pub owner: String,
    /// Its deadline.
    pub due_at: Time,
}

/// Detail of `sla_breached`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Breached {
    /// The outcome.
    pub outcome: String,
    /// The deadline, which is when it was breached.
    pub due_at: Time,
    /// When that was seen.
    pub detected_at: Time,
    /// When the ladder's first step is due.
    pub ladder_at: Option<Time>,
}

/// Detail of `acknowledged`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Acknowledged {
    /// Until when it holds without progress; absent where the flow gives no lease.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease_until: Option<Time>,
}

/// Detail of `acknowledgement_lapsed`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Lapsed {
    /// Whose run it is.
    pub owner: String,
    /// The end of the lease.
    pub due_at: Time,
    /// When that was seen.
    pub detected_at: Time,
    /// Until when the owner must acknowledge again.
    pub acknowledge_by: Time,
}

/// Detail of `acknowledgement_missed`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Missed {
    /// Who did not acknowledge.
    pub owner: String,
    /// Until when they should have.
    pub due_at: Time,
    /// When that was seen.
    pub detected_at: Time,
    /// When the ladder's next step is due, where it goes on from.
    pub ladder_at: Option<Time>,
}

/// Detail of `reassigned`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reassigned {
    /// The owner so far.
    pub from: String,
    /// The owner now.
    pub to: String,
    /// As what.
    #[serde(rename = "as")]
    pub role: OwnerRole,
    /// Why.
    pub reason: String,
    /// Until when the new owner must acknowledge.
    pub acknowledge_by: Option<Time>,
}

/// Somebody, or a channel, to be told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recipient {
    /// A person's or channel's id.
    pub id: String,
    /// A person's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// A person's address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// A person's Slack member id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slack: Option<String>,
    /// A channel's way to send; absent for a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<ChannelKind>,
}

/// Detail of `escalated`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Escalated {
    /// Which ladder.
    pub ladder: Ladder,
    /// The outcome, on the ladder `breached`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
    /// The exception, on the ladder `recovery`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exception: Option<String>,
    /// Which step, from 0.
    pub step: usize,
    /// How loudly.
    pub severity: Severity,
    /// Why, in words.
    pub reason: String,
    /// Who is accountable, after a reassignment by this step: for the run; for the exception on the ladder `recovery`.
    pub owner: String,
    /// Who is told.
    pub notify: Vec<Recipient>,
    /// The deadline that passed.
    pub due_at: Time,
    /// When that was seen.
    pub detected_at: Time,
    /// When the next step is due.
    pub next_at: Option<Time>,
    /// Title of the run.
    pub title: String,
    /// Where the asset can be seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// Detail of `step_empty`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepEmpty {
    /// Which ladder.
    pub ladder: Ladder,
    /// The outcome, on the ladder `breached`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
    /// The exception, on the ladder `recovery`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exception: Option<String>,
    /// Which step, from 0.
    pub step: usize,
    /// Why, in words.
    pub reason: String,
    /// When the next step is due: at once.
    pub next_at: Option<Time>,
}

/// How long somebody held a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Custody {
    /// Who.
    pub owner: String,
    /// As what; not known of holders in early versions.
    #[serde(rename = "as", default, skip_serializing_if = "Option::is_none")]
    pub role: Option<OwnerRole>,
    /// From when.
    pub from: Time,
    /// Until when; absent while they hold it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Time>,
}

/// Detail of `exception_opened`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ExceptionOpened {
    /// Its id, unique within the run.
    pub exception: String,
    /// Its kind.
    pub kind: ExceptionKind,
    /// The outcome it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
    /// The check it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check: Option<String>,
    /// What should have happened.
    pub expected: String,
    /// What was seen instead.
    pub seen: String,
    /// Who must resolve it.
    pub owner: String,
    /// Until when.
    pub recovery_due_at: Time,
    /// What to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub playbook: Option<String>,
    /// Who held the run so far.
    pub custody: Vec<Custody>,
    /// Tickets of one group have one cause: flow, outcome or check, kind, hour.
    pub group: String,
    /// Title of the run.
    pub title: String,
    /// Where the asset can be seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// Detail of `exception_resolved`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ExceptionResolved {
    /// Its id.
    pub exception: String,
    /// How, in words.
    pub resolution: String,
    /// Proof.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<String>,
}

impl ExceptionResolved {
    /// Resolution and evidence as they are kept with the case: where one is long, its beginning.
    pub fn in_short(&self) -> (Option<String>, Option<String>) {
        let short = |text: &String| match text.char_indices().nth(MAX_KEPT_CHARS) {
            Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
            None => text.clone(),
        };
        (Some(short(&self.resolution)), self.evidence.as_ref().map(short))
    }
}

/// Detail of `recovery_breached`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RecoveryBreached {
    /// The exception.
    pub exception: String,
    /// Who should have resolved it.
    pub owner: String,
    /// The deadline that passed.
    pub due_at: Time,
    /// When that was seen.
    pub detected_at: Time,
    /// When the ladder's first step is due.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ladder_at: Option<Time>,
}

/// Detail of `stalled`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Stalled {
    /// Since when nothing happened.
    pub since: Time,
    /// Who is told.
    pub notify: Vec<Recipient>,
    /// Title of the run.
    pub title: String,
}

/// Detail of `paused`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Paused {
    /// Why.
    pub reason: String,
    /// When the budget is spent, and the run resumes by itself.
    pub until: Time,
}

/// Detail of `resumed`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Resumed {
    /// From when the clocks run again.
    pub resumed_at: Time,
    /// The clocks that stood still, as they are now.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub clocks: Vec<StartedOutcome>,
}

/// Detail of `run_closed`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Closed {
    /// Whether every outcome was met.
    pub met: bool,
    /// A person's reason, when closed by hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Detail of `run_cancelled`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cancelled {
    /// A person's reason, or an event's type.
    pub reason: String,
}

/// Detail of `note_added`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Note {
    /// Their words.
    pub text: String,
}

/// Detail of `flow_applied`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FlowApplied {
    /// What differs from the version before.
    pub diff: Vec<String>,
}
