//! Measures: what one decision adds to the metrics of its flow.

use crate::command::Decision;
use crate::record::Fact;
use crate::run::{Outcome, OutcomeStatus, Run};
use crate::time::Span;

/// What one decision adds to the metrics of its flow.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Measures {
    /// Runs opened; a trigger that joins a run is none.
    pub triggers: i64,
    /// Outcomes of which it is known now that they were in time.
    pub outcomes_met: i64,
    /// Outcomes whose deadline passed without them, or whose run was closed by hand without them. One that was in time
    /// after all is taken back: its signal was late, not what it tells of.
    pub outcomes_breached: i64,
    /// Exceptions opened.
    pub exceptions_opened: i64,
    /// Messages to people or systems that were given up.
    pub deliveries_failed: i64,
    /// For each outcome verified: from the start of its clock.
    pub outcome_latency: Vec<Span>,
    /// For each exception resolved: from its opening.
    pub remediation: Vec<Span>,
    /// For an acknowledgement: from the opening of the run.
    pub acknowledge: Vec<Span>,
}

impl Measures {
    /// What `decision` adds, made on the run as it was `before`; `None` for one that opened it. A
    /// suppressed run adds nothing: nobody was asked to keep its promises.
    pub fn of(before: Option<&Run>, decision: &Decision) -> Self {
        let run = &decision.run;
        let mut measures = Self::default();
        if run.suppressed {
            return measures;
        }
        for record in &decision.records {
            measures.take(record.at.since(run.opened_at), &record.fact, run);
        }
        for outcome in &run.outcomes {
            let was = before.and_then(|run| run.outcomes.iter().find(|was| was.id == outcome.id));
            if outcome.met == Some(true) && was.is_none_or(|was| was.met != Some(true)) {
                measures.outcomes_met += 1;
            }
            measures.outcomes_breached += breaches(outcome) - was.map_or(0, breaches);
            // Verified before its clock started: the latency is known when that has happened.
            let latency = latency(outcome).filter(|_| was.and_then(latency).is_none());
            measures.outcome_latency.extend(latency);
        }
        measures
    }

    fn take(&mut self, age: Span, fact: &Fact, run: &Run) {
        match fact {
            Fact::RunOpened(_) => self.triggers += 1,
            Fact::RunClosed(_) => {
                let undecided = run.outcomes.iter().filter(|outcome| outcome.met.is_none());
                self.outcomes_breached += undecided.count() as i64;
            }
            Fact::ExceptionOpened(_) => self.exceptions_opened += 1,
            Fact::DeliveryFailed(_) => self.deliveries_failed += 1,
            // Said again during its lease, it is no new one.
            Fact::Acknowledged(_) => {
                let given = run.ack.as_ref().and_then(|ack| Some(ack.at?.since(run.opened_at)));
                self.acknowledge.extend(given.filter(|given| *given == age));
            }
            Fact::ExceptionResolved(resolved) => {
                let exception = run.exceptions.iter().find(|exception| exception.id == resolved.exception);
                let span = exception.and_then(|it| Some(it.resolved_at?.since(it.opened_at)));
                self.remediation.extend(span);
            }
            Fact::Retriggered(_)
            | Fact::OutcomeRequested(_)
            | Fact::OutcomeDone(_)
            | Fact::OutcomeFailed(_)
            | Fact::SlaWarning(_)
            | Fact::SlaBreached(_)
            | Fact::AcknowledgementMissed(_)
            | Fact::AcknowledgementLapsed(_)
            | Fact::Reassigned(_)
            | Fact::Escalated(_)
            | Fact::StepEmpty(_)
            | Fact::RecoveryBreached(_)
            | Fact::Stalled(_)
            | Fact::CheckPassed(_)
            | Fact::CheckFailed(_)
            | Fact::CheckOverdue(_)
            | Fact::Paused(_)
            | Fact::Resumed(_)
            | Fact::RunVerifying(_)
            | Fact::RunCancelled(_)
            | Fact::NoteAdded(_)
            | Fact::DeliverySucceeded(_)
            | Fact::DeliverySkipped(_)
            | Fact::AlertSettled(_)
            | Fact::FlowApplied(_)
            | Fact::OwnerRotated(_)
            | Fact::HandoverAccepted(_)
            | Fact::HandoverReminded(_)
            | Fact::ChecklistSent(_) => {}
        }
    }
}

/// 1 if an outcome's deadline passed without it.
fn breaches(outcome: &Outcome) -> i64 {
    i64::from(outcome.breached_at.is_some())
}

/// How long a verified outcome took.
fn latency(outcome: &Outcome) -> Option<Span> {
    let started_at = outcome.clock.as_ref()?.started_at;
    (outcome.status == OutcomeStatus::Done).then(|| Some(outcome.done_at?.since(started_at)))?
}
