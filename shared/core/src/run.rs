//! A run: one execution of one flow version for one subject. It is the fold of its trail.

mod due;

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::config::flow::{ExceptionKind, Ladder};
use crate::id;
use crate::pattern::Values;
use crate::record::{
    Custody, Done, Escalated, ExceptionOpened, Fact, Opened, OwnerRole, Reassigned, Record, Started,
    StepEmpty,
};
use crate::time::Time;

pub use due::Due;

/// One execution of a flow for a subject: what its records add up to, and nothing else.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// Its id, see [`id::run_id`].
    pub run: String,
    /// The flow, and the version it was opened with.
    pub flow: String,
    /// Version of the flow.
    pub flow_version: u32,
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
    /// Where it is in its life.
    pub status: Status,
    /// Sequence number of the last record.
    pub version: u64,
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
    /// In the order they were opened.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exceptions: Vec<Exception>,
    /// Ladder steps that fired.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub escalations: Vec<Escalation>,
    /// Values of `${…}` places, from the trigger event.
    #[serde(default, skip_serializing_if = "Values::is_empty")]
    pub values: Values,
    /// Marks of the causes that must not act twice, oldest first.
    #[serde(default, skip_serializing_if = "VecDeque::is_empty")]
    pub seen: VecDeque<String>,
}

/// Where a run is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Outcomes are awaited.
    Active,
    /// All outcomes are done, exceptions are open.
    Verifying,
    /// Over.
    Closed,
    /// Called off.
    Cancelled,
}

/// The one accountable person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
    /// The last window that was missed, by this owner or one before: why the ladder is climbed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missed: Option<MissedWindow>,
    /// How far the ladder `not_acknowledged` has been climbed.
    #[serde(default, skip_serializing_if = "Climb::is_at_rest")]
    pub ladder: Climb,
}

/// A window to acknowledge that passed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MissedWindow {
    /// Who did not acknowledge.
    pub owner: String,
    /// By when.
    pub due_at: Time,
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

/// Where an outcome stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
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
}

/// A ladder step that fired.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Escalation {
    /// Which ladder.
    pub ladder: Ladder,
    /// The outcome, on the ladder `breached`.
    pub outcome: Option<String>,
    /// Which step, from 0.
    pub step: usize,
    /// When it fired.
    pub at: Time,
}

/// A trail that does not add up to a run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FoldError {
    /// The first record does not open a run, or a later one does.
    #[error("record {0} stands where no `run_opened` belongs, or where one is needed")]
    Opening(u64),
    /// A record that is not the next one of this run.
    #[error("record {0} is not the next of this run")]
    Sequence(u64),
    /// A record about an outcome or an exception that the run does not have.
    #[error("record {seq} names `{name}`, which the run does not have")]
    Unknown {
        /// The record.
        seq: u64,
        /// What it names.
        name: String,
    },
}

/// How many causes a run remembers: more re-publishes than this of one open run are no retries any more.
const MAX_SEEN: usize = 100;

impl Climb {
    fn is_at_rest(&self) -> bool {
        *self == Self::default()
    }
}

impl Run {
    /// Adds up a whole trail, first record first.
    ///
    /// # Errors
    /// The first record that does not fit.
    pub fn fold<'r>(records: impl IntoIterator<Item = &'r Record>) -> Result<Self, FoldError> {
        let mut records = records.into_iter();
        let first = records.next().ok_or(FoldError::Opening(1))?;
        let Fact::RunOpened(opened) = &first.fact else { return Err(FoldError::Opening(first.seq)) };
        let mut run = Self::open(first, opened);
        for record in records {
            run.apply(record)?;
        }
        Ok(run)
    }

    /// The run as its `run_opened` record, with that detail, makes it.
    pub fn open(record: &Record, opened: &Opened) -> Self {
        let outcomes = opened.outcomes.iter().map(|expected| Outcome {
            id: expected.id.clone(),
            owner: expected.owner.clone(),
            status: if expected.clock.is_some() { OutcomeStatus::Open } else { OutcomeStatus::Waiting },
            clock: expected.clock.clone(),
            done_at: None,
            breached_at: None,
            met: None,
            evidence: None,
            ladder: Climb::default(),
        });
        let mut run = Self {
            run: record.run.clone(),
            flow: record.flow.clone(),
            flow_version: record.flow_version,
            client: opened.client.clone(),
            subject: record.subject.clone(),
            title: opened.title.clone(),
            url: opened.url.clone(),
            status: Status::Active,
            version: 0,
            head: String::new(),
            last_at: record.at,
            opened_at: opened.opened_at,
            closed_at: None,
            owner: Owner { id: opened.owner.clone(), since: opened.opened_at, role: opened.role },
            held: Vec::new(),
            ack: opened.acknowledge_by.map(Acknowledgement::until),
            outcomes: outcomes.collect(),
            exceptions: Vec::new(),
            escalations: Vec::new(),
            values: opened.values.clone(),
            seen: VecDeque::new(),
        };
        run.remember(record);
        run
    }

    /// Takes one more record in.
    ///
    /// # Errors
    /// A record that is not the next one of this run, or names what the run does not have.
    pub fn apply(&mut self, record: &Record) -> Result<(), FoldError> {
        if record.run != self.run || record.seq != self.version + 1 {
            return Err(FoldError::Sequence(record.seq));
        }
        match &record.fact {
            Fact::RunOpened(_) | Fact::FlowApplied(_) => return Err(FoldError::Opening(record.seq)),
            Fact::Retriggered(_) | Fact::OutcomeRequested(_) | Fact::NoteAdded(_) | Fact::Stalled(_) => {}
            Fact::OutcomeDone(done) => self.done(record.seq, done)?,
            Fact::OutcomeFailed(failed) => {
                self.outcome_mut(record.seq, &failed.outcome)?.status = OutcomeStatus::Failed;
            }
            Fact::SlaWarning(warning) => {
                if let Some(clock) = &mut self.outcome_mut(record.seq, &warning.outcome)?.clock {
                    clock.warn_at = None;
                }
            }
            Fact::SlaBreached(breached) => {
                let outcome = self.outcome_mut(record.seq, &breached.outcome)?;
                outcome.breached_at = Some(breached.due_at);
                outcome.met = Some(false);
                outcome.ladder.at = breached.ladder_at;
            }
            Fact::Acknowledged(_) => {
                if let Some(ack) = &mut self.ack {
                    ack.at = Some(record.at);
                    ack.by = Some(record.actor.id.clone());
                    ack.window = None;
                    ack.ladder.at = None;
                }
            }
            Fact::AcknowledgementMissed(missed) => {
                if let Some(ack) = &mut self.ack {
                    ack.window = None;
                    ack.missed = Some(MissedWindow { owner: missed.owner.clone(), due_at: missed.due_at });
                    ack.ladder.at = missed.ladder_at;
                }
            }
            Fact::Reassigned(reassigned) => self.reassigned(record.at, reassigned),
            Fact::Escalated(escalated) => self.escalated(record, escalated)?,
            Fact::StepEmpty(empty) => self.step_empty(record.seq, empty)?,
            Fact::ExceptionOpened(opened) => self.exception_opened(record.at, opened),
            Fact::ExceptionResolved(resolved) => {
                self.exception_mut(record.seq, &resolved.exception)?.resolved_at = Some(record.at);
            }
            Fact::RecoveryBreached(breached) => {
                self.exception_mut(record.seq, &breached.exception)?.recovery_breached = true;
            }
            Fact::RunVerifying(_) => self.status = Status::Verifying,
            Fact::RunClosed(_) => self.end(Status::Closed, record.at),
            Fact::RunCancelled(_) => self.end(Status::Cancelled, record.at),
        }
        self.remember(record);
        Ok(())
    }

    fn remember(&mut self, record: &Record) {
        self.version = record.seq;
        self.head.clone_from(&record.hash);
        self.last_at = record.at;
        if let Some(cause) = &record.cause {
            self.seen.push_back(id::mark(cause));
            if self.seen.len() > MAX_SEEN {
                self.seen.pop_front();
            }
        }
    }

    fn done(&mut self, seq: u64, done: &Done) -> Result<(), FoldError> {
        let outcome = self.outcome_mut(seq, &done.outcome)?;
        outcome.status = OutcomeStatus::Done;
        outcome.done_at = Some(done.done_at);
        outcome.met = Some(done.met);
        outcome.evidence.clone_from(&done.evidence);
        outcome.ladder.at = None;
        if done.met {
            // A signal that was late on its way, about a thing that was done in time.
            outcome.breached_at = None;
        }
        for started in &done.starts {
            let outcome = self.outcome_mut(seq, &started.id)?;
            outcome.clock = Some(started.clock.clone());
            match outcome.status {
                OutcomeStatus::Waiting => outcome.status = OutcomeStatus::Open,
                // Its signal came before that of what it waits for: now it is known whether it was in time.
                OutcomeStatus::Done => {
                    outcome.met = outcome.done_at.map(|done_at| done_at <= started.clock.due_at);
                }
                OutcomeStatus::Open | OutcomeStatus::Failed => {}
            }
        }
        Ok(())
    }

    fn reassigned(&mut self, at: Time, reassigned: &Reassigned) {
        let new = Owner { id: reassigned.to.clone(), since: at, role: reassigned.role };
        let old = std::mem::replace(&mut self.owner, new);
        self.held.push(Custody { owner: old.id, from: old.since, to: Some(at) });
        if let (Some(ack), Some(until)) = (&mut self.ack, reassigned.acknowledge_by) {
            let (ladder, missed) = (ack.ladder, ack.missed.take());
            *ack = Acknowledgement { ladder, missed, ..Acknowledgement::until(until) };
        }
    }

    fn escalated(&mut self, record: &Record, escalated: &Escalated) -> Result<(), FoldError> {
        let climb = Climb { next: escalated.step + 1, at: escalated.next_at };
        self.climb(record.seq, escalated.ladder, escalated.outcome.as_deref(), climb)?;
        let (ladder, outcome) = (escalated.ladder, escalated.outcome.clone());
        self.escalations.push(Escalation { ladder, outcome, step: escalated.step, at: record.at });
        Ok(())
    }

    fn step_empty(&mut self, seq: u64, empty: &StepEmpty) -> Result<(), FoldError> {
        let climb = Climb { next: empty.step + 1, at: empty.next_at };
        self.climb(seq, empty.ladder, empty.outcome.as_deref(), climb)
    }

    fn climb(
        &mut self,
        seq: u64,
        ladder: Ladder,
        outcome: Option<&str>,
        climb: Climb,
    ) -> Result<(), FoldError> {
        match ladder {
            Ladder::NotAcknowledged => {
                if let Some(ack) = &mut self.ack {
                    ack.ladder = climb;
                }
            }
            Ladder::Breached => self.outcome_mut(seq, outcome.unwrap_or_default())?.ladder = climb,
        }
        Ok(())
    }

    fn exception_opened(&mut self, at: Time, opened: &ExceptionOpened) {
        self.exceptions.push(Exception {
            id: opened.exception.clone(),
            kind: opened.kind,
            outcome: opened.outcome.clone(),
            owner: opened.owner.clone(),
            opened_at: at,
            recovery_due_at: opened.recovery_due_at,
            recovery_breached: false,
            resolved_at: None,
        });
    }

    fn end(&mut self, status: Status, at: Time) {
        self.status = status;
        self.closed_at = Some(at);
    }

    fn outcome_mut(&mut self, seq: u64, id: &str) -> Result<&mut Outcome, FoldError> {
        let found = self.outcomes.iter_mut().find(|outcome| outcome.id == id);
        found.ok_or_else(|| FoldError::Unknown { seq, name: id.to_owned() })
    }

    fn exception_mut(&mut self, seq: u64, id: &str) -> Result<&mut Exception, FoldError> {
        let found = self.exceptions.iter_mut().find(|exception| exception.id == id);
        found.ok_or_else(|| FoldError::Unknown { seq, name: id.to_owned() })
    }

    /// Whether it is neither closed nor cancelled.
    pub fn is_open(&self) -> bool {
        match self.status {
            Status::Active | Status::Verifying => true,
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

    /// Exceptions that are not resolved.
    pub fn open_exceptions(&self) -> impl Iterator<Item = &Exception> {
        self.exceptions.iter().filter(|exception| exception.resolved_at.is_none())
    }

    /// Whether this cause has acted on the run already.
    pub fn has_seen(&self, cause: &str) -> bool {
        let mark = id::mark(cause);
        self.seen.contains(&mark)
    }

    /// Who held it, and holds it.
    pub fn custody(&self) -> Vec<Custody> {
        let now = Custody { owner: self.owner.id.clone(), from: self.owner.since, to: None };
        self.held.iter().cloned().chain(std::iter::once(now)).collect()
    }
}

impl Acknowledgement {
    fn until(due_at: Time) -> Self {
        Self { window: Some(due_at), due_at, at: None, by: None, missed: None, ladder: Climb::default() }
    }
}
