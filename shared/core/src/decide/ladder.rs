//! Climbing an escalation ladder, and handing the run over.

use super::Draft;
use crate::config::flow::{Assignee, ExceptionKind, Ladder, Party};
use crate::record::{Escalated, Fact, OwnerRole, Reassigned, StepEmpty};
use crate::time::Time;

impl Draft<'_> {
    /// Fires the ladder's next step, which was due `at`.
    pub(super) fn climb(&mut self, ladder: Ladder, outcome: Option<usize>, at: Time) {
        let flow = self.context.flow.document.clone();
        let steps = flow.ladder(ladder);
        let (climb, outcome, start, due_at, reason) = match ladder {
            Ladder::NotAcknowledged => {
                let Some(ack) = &self.run.ack else { return };
                let Some(missed) = &ack.missed else { return };
                let reason = format!("`{}` did not acknowledge by {}", missed.owner, missed.due_at);
                (ack.ladder, None, missed.ladder_start(), missed.due_at, reason)
            }
            Ladder::Breached => {
                let Some(outcome) = outcome.and_then(|n| self.run.outcomes.get(n)) else { return };
                let due_at = outcome.clock.as_ref().map_or(at, |clock| clock.due_at);
                let reason = format!("`{}` was not verified by {due_at}", outcome.id);
                (outcome.ladder, Some(outcome.id.clone()), due_at, due_at, reason)
            }
        };
        let Some(step) = steps.get(climb.next) else {
            return self.empty(ladder, outcome, climb.next, "the ladder has no such step", None);
        };
        let next = steps.get(climb.next + 1);
        let outcome_owner =
            outcome.as_deref().and_then(|id| flow.outcome(id)).and_then(|spec| spec.owner.as_ref());
        let notify = self.recipients(&step.notify, outcome_owner);
        let handed_over =
            step.reassign.as_ref().is_some_and(|to| self.hand_over(to, &flow.backup_owner, &reason));
        if notify.is_empty() && !handed_over {
            // Nobody to tell: the next step does not wait.
            return self.empty(ladder, outcome, climb.next, "nobody can be reached", next.map(|_| at));
        }
        self.follow(Fact::Escalated(Escalated {
            ladder,
            outcome,
            step: climb.next,
            severity: step.severity,
            reason,
            owner: self.run.owner.id.clone(),
            notify,
            due_at,
            detected_at: self.at,
            next_at: next.map(|next| self.context.deadline(start, next.after).max(at)),
            title: self.run.title.clone(),
            url: self.run.url.clone(),
        }));
    }

    fn empty(
        &mut self,
        ladder: Ladder,
        outcome: Option<String>,
        step: usize,
        why: &str,
        next_at: Option<Time>,
    ) {
        self.follow(Fact::StepEmpty(StepEmpty { ladder, outcome, step, reason: why.to_owned(), next_at }));
    }

    /// Gives the run to whoever `to` stands for now; false when there is nobody but the present owner.
    fn hand_over(&mut self, to: &Assignee, backup_owner: &Party, reason: &str) -> bool {
        let (party, role) = match to {
            Assignee::BackupOwner => (backup_owner, OwnerRole::Backup),
            Assignee::Party(party) => (party, OwnerRole::Assigned),
        };
        let directory = self.context.directory;
        match directory.on_duty(party, self.at, Some(&self.run.owner.id)) {
            Some(person) => {
                self.follow(self.reassigned(person.id.clone(), role, reason.to_owned()));
                true
            }
            None => {
                let holds_it = directory.members(party).iter().any(|person| person.id == self.run.owner.id);
                if !holds_it {
                    self.ownership_gap();
                }
                false
            }
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
