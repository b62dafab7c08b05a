//! Climbing the ladders of a run, and handing it over. That of its exceptions is in `recovery`.

use super::Draft;
use crate::config::flow::{Assignee, ExceptionKind, Ladder, Party, Step};
use crate::record::{Escalated, Fact, OwnerRole, Reassigned, Recipient, StepEmpty};
use crate::time::Time;

/// Where on a ladder its next step is, and what for.
pub(super) struct Rung {
    ladder: Ladder,
    /// On the ladder `breached`.
    outcome: Option<String>,
    step: usize,
    /// From when the steps are counted.
    start: Time,
    /// The deadline that passed.
    due_at: Time,
    reason: String,
}

impl Draft<'_> {
    /// The next step while nobody acknowledges.
    pub(super) fn acknowledgement_rung(&self) -> Option<Rung> {
        let ack = self.run.ack.as_ref()?;
        let missed = ack.missed.as_ref()?;
        Some(Rung {
            ladder: Ladder::NotAcknowledged,
            outcome: None,
            step: ack.ladder.next,
            start: missed.ladder_start(),
            due_at: missed.due_at,
            reason: format!("`{}` did not acknowledge by {}", missed.owner, missed.due_at),
        })
    }

    /// The next step about an outcome that is late.
    pub(super) fn breach_rung(&self, n: usize) -> Option<Rung> {
        let outcome = self.run.outcomes.get(n)?;
        let due_at = outcome.clock.as_ref()?.due_at;
        Some(Rung {
            ladder: Ladder::Breached,
            outcome: Some(outcome.id.clone()),
            step: outcome.ladder.next,
            start: due_at,
            due_at,
            reason: format!("`{}` was not verified by {due_at}", outcome.id),
        })
    }

    /// Fires the ladder's next step, which was due `at`.
    pub(super) fn climb(&mut self, rung: Option<Rung>, at: Time) {
        let Some(rung) = rung else { return };
        let steps = self.context.flow.document.ladder(rung.ladder);
        let Some(step) = steps.get(rung.step) else {
            return self.empty(rung, "the ladder has no such step", None);
        };
        let next = steps.get(rung.step + 1);
        let notify = self.recipients(&step.notify, self.owner_of(&rung).as_ref());
        let handed_over = self.hand_over(&rung, step);
        if notify.is_empty() && !handed_over {
            // Nobody to tell: the next step does not wait.
            return self.empty(rung, "nobody can be reached", next.map(|_| at));
        }
        let owner = self.run.owner.id.clone();
        self.follow(Fact::Escalated(Escalated {
            ladder: rung.ladder,
            outcome: rung.outcome,
            exception: None,
            step: rung.step,
            severity: step.severity,
            reason: rung.reason,
            owner,
            notify,
            due_at: rung.due_at,
            detected_at: self.at,
            next_at: next.map(|next| self.context.deadline(rung.start, next.after).max(at)),
            title: self.run.title.clone(),
            url: self.run.url.clone(),
        }));
    }

    fn empty(&mut self, rung: Rung, why: &str, next_at: Option<Time>) {
        let Rung { ladder, outcome, step, .. } = rung;
        self.follow(Fact::StepEmpty(StepEmpty {
            ladder,
            outcome,
            exception: None,
            step,
            reason: why.to_owned(),
            next_at,
        }));
    }

    /// Who is told as `owner`: whoever is on duty for the outcome where it has an owner of its own, else the run's.
    fn owner_of(&self, rung: &Rung) -> Option<Recipient> {
        let spec = rung.outcome.as_deref().and_then(|outcome| self.flow_outcome(outcome));
        match spec.and_then(|spec| spec.owner.as_ref()) {
            Some(party) => self.on_duty(party),
            None => self.reachable(&self.run.owner.id),
        }
    }

    /// Gives the run to whoever the step's `reassign` stands for now; false when there is nobody but the present owner.
    fn hand_over(&mut self, rung: &Rung, step: &Step) -> bool {
        let backup_owner = &self.context.flow.document.backup_owner;
        let (party, role) = match &step.reassign {
            None => return false,
            Some(Assignee::BackupOwner) => (backup_owner, OwnerRole::Backup),
            Some(Assignee::Party(party)) => (party, OwnerRole::Assigned),
        };
        match self.context.directory.on_duty(party, self.at, Some(&self.run.owner.id)) {
            Some(person) => {
                self.follow(self.reassigned(person.id.clone(), role, rung.reason.clone()));
                true
            }
            None => {
                self.gap_unless_of(party);
                false
            }
        }
    }

    /// Nobody of `party` can take the run over: a gap, unless the present owner is of it.
    fn gap_unless_of(&mut self, party: &Party) {
        let members = self.context.directory.members(party);
        if !members.iter().any(|person| person.id == self.run.owner.id) {
            self.ownership_gap();
        }
    }

    /// The run goes to `to`, with a new window to acknowledge.
    pub(super) fn reassigned(&self, to: String, role: OwnerRole, reason: String) -> Fact {
        Fact::Reassigned(Reassigned {
            from: self.run.owner.id.clone(),
            to,
            role,
            reason,
            acknowledge_by: self.context.acknowledge_by(self.at),
        })
    }

    /// Opens the exception that nobody is there to own the run, unless it is open already.
    pub(super) fn ownership_gap(&mut self) {
        if self.run.open_exceptions().any(|open| open.kind == ExceptionKind::OwnershipGap) {
            return;
        }
        let flow = &self.context.flow.document;
        let expected = format!("`{}` or `{}` to own the run", flow.owner, flow.backup_owner);
        let seen = format!("neither is there; `{}` holds it", self.run.owner.id);
        self.open_exception(ExceptionKind::OwnershipGap, None, expected, seen);
    }
}
