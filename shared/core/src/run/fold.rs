//! The fold: how each record changes the run.

use std::collections::VecDeque;

use super::{
    Acknowledgement, Check, CheckStatus, Climb, Escalation, Exception, Outcome, OutcomeStatus, Owner, Pause,
    Run, Status,
};
use crate::alert;
use crate::config::flow::Ladder;
use crate::config::qa::CheckKind;
use crate::id;
use crate::record::{
    Custody, Done, Escalated, ExceptionOpened, Fact, Opened, Reassigned, Record, Resumed, StartedOutcome,
    StepEmpty,
};
use crate::time::Time;

/// How many causes a run remembers: more re-publishes than this of one open run are no retries any more.
const MAX_SEEN: usize = 100;

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

    /// Whether it is what these records add up to. How an exception was resolved need not stand in it: early versions
    /// did not keep that.
    pub fn is_fold_of(&self, records: &[Record]) -> bool {
        let Ok(mut folded) = Self::fold(records) else { return false };
        for (folded, stored) in folded.exceptions.iter_mut().zip(&self.exceptions) {
            if stored.resolution.is_none() {
                (folded.resolution, folded.evidence) = (None, None);
            }
        }
        folded == *self
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
        let awaits_qa = opened.checks.iter().any(|check| check.kind == CheckKind::Content);
        let mut run = Self {
            run: record.run.clone(),
            flow: record.flow.clone(),
            flow_version: record.flow_version,
            calendar_version: opened.calendar_version,
            client: opened.client.clone(),
            subject: record.subject.clone(),
            title: opened.title.clone(),
            url: opened.url.clone(),
            trace: record.trace,
            suppressed: record.suppressed,
            status: if awaits_qa { Status::AwaitingQa } else { Status::Active },
            version: 0,
            reports: 0,
            head: String::new(),
            last_at: record.at,
            opened_at: opened.opened_at,
            closed_at: None,
            owner: Owner { id: opened.owner.clone(), since: opened.opened_at, role: opened.role },
            held: Vec::new(),
            ack: opened.acknowledge_by.map(Acknowledgement::until),
            outcomes: outcomes.collect(),
            checks: opened.checks.iter().map(Check::new).collect(),
            pauses: Vec::new(),
            exceptions: Vec::new(),
            escalations: Vec::new(),
            alerts: Vec::new(),
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
            Fact::RunOpened(_)
            | Fact::FlowApplied(_)
            | Fact::OwnerRotated(_)
            | Fact::HandoverAccepted(_)
            | Fact::HandoverReminded(_)
            | Fact::ChecklistSent(_) => return Err(FoldError::Opening(record.seq)),
            Fact::Retriggered(_)
            | Fact::OutcomeRequested(_)
            | Fact::NoteAdded(_)
            | Fact::Stalled(_)
            | Fact::DeliveryFailed(_)
            | Fact::DeliverySkipped(_) => {}
            Fact::DeliverySucceeded(delivered) => alert::raised(&mut self.alerts, delivered),
            Fact::AlertSettled(settled) => alert::settled(&mut self.alerts, settled),
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
            Fact::Acknowledged(acknowledged) => self.acknowledged(record, acknowledged.lease_until),
            Fact::AcknowledgementLapsed(lapsed) => self.lapsed(lapsed.acknowledge_by),
            Fact::AcknowledgementMissed(missed) => self.missed(missed),
            Fact::Reassigned(reassigned) => self.reassigned(record.at, reassigned),
            Fact::Escalated(escalated) => self.escalated(record, escalated)?,
            Fact::StepEmpty(empty) => self.step_empty(record.seq, empty)?,
            Fact::ExceptionOpened(opened) => self.exception_opened(record.at, opened),
            Fact::ExceptionResolved(resolved) => {
                let exception = self.exception_mut(record.seq, &resolved.exception)?;
                exception.resolved_at = Some(record.at);
                (exception.resolution, exception.evidence) = resolved.in_short();
                exception.ladder.at = None;
            }
            Fact::RecoveryBreached(breached) => {
                let exception = self.exception_mut(record.seq, &breached.exception)?;
                exception.recovery_breached = true;
                exception.ladder.at = breached.ladder_at;
            }
            Fact::CheckPassed(passed) => self.check_passed(record.seq, passed)?,
            Fact::CheckFailed(failed) => {
                self.check_mut(record.seq, &failed.check)?.status = CheckStatus::Failed;
            }
            Fact::CheckOverdue(overdue) => {
                self.check_mut(record.seq, &overdue.check)?.status = CheckStatus::Overdue;
            }
            Fact::Paused(paused) => {
                self.pauses.push(Pause { from: record.at, to: paused.until, lasts: true });
            }
            Fact::Resumed(resumed) => self.resumed(record.seq, resumed)?,
            Fact::RunVerifying(_) => self.status = Status::Verifying,
            Fact::RunClosed(_) => self.end(Status::Closed, record.at),
            Fact::RunCancelled(_) => self.end(Status::Cancelled, record.at),
        }
        self.renew_lease(record);
        self.remember(record);
        Ok(())
    }

    fn remember(&mut self, record: &Record) {
        self.version = record.seq;
        let is_report = matches!(
            record.fact,
            Fact::DeliverySucceeded(_)
                | Fact::DeliveryFailed(_)
                | Fact::DeliverySkipped(_)
                | Fact::AlertSettled(_)
        );
        self.reports = if is_report { self.reports + 1 } else { 0 };
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
        if let Some(clock) = &mut outcome.clock {
            clock.warn_at = None;
        }
        if done.met {
            // A signal that was late on its way, about a thing that was done in time.
            outcome.breached_at = None;
        }
        self.start(seq, &done.starts)
    }

    /// The clocks of these outcomes start.
    pub(super) fn start(&mut self, seq: u64, starts: &[StartedOutcome]) -> Result<(), FoldError> {
        let pause = self.pause().copied();
        for started in starts {
            let outcome = self.outcome_mut(seq, &started.id)?;
            outcome.clock = Some(started.clock.clone());
            match outcome.status {
                OutcomeStatus::Waiting => outcome.status = OutcomeStatus::Open,
                // Its signal came before that of what it waits for: now it is known whether it was in time.
                OutcomeStatus::Done => {
                    let stands_still = pause.is_some_and(|pause| pause.from < started.clock.due_at);
                    outcome.met =
                        outcome.done_at.map(|done_at| done_at <= started.clock.due_at || stands_still);
                }
                OutcomeStatus::Open | OutcomeStatus::Failed => {}
            }
        }
        Ok(())
    }

    fn resumed(&mut self, seq: u64, resumed: &Resumed) -> Result<(), FoldError> {
        if let Some(pause) = self.pauses.last_mut() {
            (pause.to, pause.lasts) = (resumed.resumed_at, false);
        }
        for moved in &resumed.clocks {
            self.outcome_mut(seq, &moved.id)?.clock = Some(moved.clock.clone());
        }
        Ok(())
    }

    fn reassigned(&mut self, at: Time, reassigned: &Reassigned) {
        let new = Owner { id: reassigned.to.clone(), since: at, role: reassigned.role };
        let old = std::mem::replace(&mut self.owner, new);
        self.held.push(Custody { owner: old.id, role: Some(old.role), from: old.since, to: Some(at) });
        if let (Some(ack), Some(until)) = (&mut self.ack, reassigned.acknowledge_by) {
            let (ladder, missed) = (ack.ladder, ack.missed.take());
            *ack = Acknowledgement { ladder, missed, ..Acknowledgement::until(until) };
        }
    }

    fn escalated(&mut self, record: &Record, escalated: &Escalated) -> Result<(), FoldError> {
        let Escalated { ladder, outcome, exception, step, owner, next_at, .. } = escalated;
        let (ladder, step) = (*ladder, *step);
        let climb = Climb { next: step + 1, at: *next_at };
        *self.climb_mut(record.seq, ladder, outcome.as_deref(), exception.as_deref())? = climb;
        if let Some(exception) = exception {
            self.exception_mut(record.seq, exception)?.owner.clone_from(owner);
        }
        let (outcome, exception) = (outcome.clone(), exception.clone());
        self.escalations.push(Escalation { ladder, outcome, exception, step, at: record.at });
        Ok(())
    }

    fn step_empty(&mut self, seq: u64, empty: &StepEmpty) -> Result<(), FoldError> {
        let climb = Climb { next: empty.step + 1, at: empty.next_at };
        *self.climb_mut(seq, empty.ladder, empty.outcome.as_deref(), empty.exception.as_deref())? = climb;
        Ok(())
    }

    /// How far the ladder of the run, of an outcome or of an exception has been climbed.
    fn climb_mut(
        &mut self,
        seq: u64,
        ladder: Ladder,
        outcome: Option<&str>,
        exception: Option<&str>,
    ) -> Result<&mut Climb, FoldError> {
        match ladder {
            Ladder::NotAcknowledged => {
                let missing = || FoldError::Unknown { seq, name: "acknowledge".to_owned() };
                Ok(&mut self.ack.as_mut().ok_or_else(missing)?.ladder)
            }
            Ladder::Breached => Ok(&mut self.outcome_mut(seq, outcome.unwrap_or_default())?.ladder),
            Ladder::Recovery => Ok(&mut self.exception_mut(seq, exception.unwrap_or_default())?.ladder),
        }
    }

    fn exception_opened(&mut self, at: Time, opened: &ExceptionOpened) {
        self.exceptions.push(Exception {
            id: opened.exception.clone(),
            kind: opened.kind,
            outcome: opened.outcome.clone(),
            check: opened.check.clone(),
            owner: opened.owner.clone(),
            opened_at: at,
            recovery_due_at: opened.recovery_due_at,
            recovery_breached: false,
            resolved_at: None,
            resolution: None,
            evidence: None,
            ladder: Climb::default(),
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
}
