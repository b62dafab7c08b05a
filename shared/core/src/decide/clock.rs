//! What follows from the clock alone.

use super::Draft;
use crate::config::flow::{ExceptionKind, Ladder};
use crate::record::{Breached, Fact, Lapsed, Missed, Stalled, Warning};
use crate::run::{Due, Exception};
use crate::time::Time;

/// Due points handled in one decision; what is left stays due and is found again at once. Keeps a decision
/// within one transaction of 100 items: at three records a point, 40 are left for the command itself.
const MAX_POINTS: usize = 20;

impl Draft<'_> {
    /// Handles everything that fell due up to `until`, in the order it fell due.
    pub(super) fn catch_up(&mut self, until: Time) {
        for _ in 0..MAX_POINTS {
            match self.run.next_due() {
                Some((at, due)) if at <= until => self.fall_due(at, due),
                Some(_) | None => return,
            }
        }
    }

    fn fall_due(&mut self, at: Time, due: Due) {
        match due {
            Due::Warning(n) => self.warn(n),
            Due::Breach(n) => self.breach(n, at),
            Due::Check(n) => self.check_overdue(n, at),
            Due::BreachStep(n) => self.climb(self.breach_rung(n), at),
            Due::Lease => self.acknowledgement_lapsed(at),
            Due::Acknowledgement => self.acknowledgement_missed(at),
            Due::AcknowledgementStep => self.climb(self.acknowledgement_rung(), at),
            Due::PauseSpent => self.pause_spent(at),
            Due::Recovery(n) => self.recovery_breached(n),
            Due::RecoveryStep(n) => self.recovery_step(n, at),
            Due::Stalled => {
                let (since, title) = (self.run.last_at, self.run.title.clone());
                self.follow(Fact::Stalled(Stalled { since, notify: self.exceptions_owner(), title }));
            }
        }
    }

    fn warn(&mut self, n: usize) {
        let Some(outcome) = self.run.outcomes.get(n) else { return };
        let Some(due_at) = outcome.clock.as_ref().map(|clock| clock.due_at) else { return };
        let outcome = outcome.id.clone();
        let party = self.flow_outcome(&outcome).and_then(|spec| spec.owner.clone());
        let owner = match party {
            Some(party) => super::duty::answerable(self.context.directory, &party, self.at),
            None => self.run.owner.id.clone(),
        };
        self.follow(Fact::SlaWarning(Warning { outcome, owner, due_at }));
    }

    pub(super) fn breach(&mut self, n: usize, due_at: Time) {
        let Some(outcome) = self.run.outcomes.get(n).map(|outcome| outcome.id.clone()) else { return };
        let ladder = self.context.flow.document.ladder(Ladder::Breached);
        self.follow(Fact::SlaBreached(Breached {
            outcome: outcome.clone(),
            due_at,
            detected_at: self.at,
            ladder_at: ladder.first().map(|step| self.context.deadline(due_at, step.after)),
        }));
        let about = |open: &Exception| {
            open.kind != ExceptionKind::CalendarUnknown && open.outcome.as_deref() == Some(&outcome)
        };
        let covered = self.run.open_exceptions().any(about);
        if !covered {
            let expected = format!("`{outcome}` by {due_at}");
            let seen = "nothing that verifies it".to_owned();
            self.open_exception(ExceptionKind::SlaBreached, Some(&outcome), expected, seen);
        }
    }

    fn acknowledgement_lapsed(&mut self, due_at: Time) {
        let Some(acknowledge_by) = self.context.acknowledge_by(due_at) else { return };
        self.follow(Fact::AcknowledgementLapsed(Lapsed {
            owner: self.run.owner.id.clone(),
            due_at,
            detected_at: self.at,
            acknowledge_by,
        }));
    }

    fn acknowledgement_missed(&mut self, due_at: Time) {
        let Some(ack) = &self.run.ack else { return };
        let ladder = self.context.flow.document.ladder(Ladder::NotAcknowledged);
        // A ladder that is being climbed goes on from where it is; one at rest starts from this miss.
        let next = ladder.get(ack.ladder.next);
        let ladder_at = ack.ladder.at.or_else(|| Some(self.context.deadline(due_at, next?.after)));
        let owner = self.run.owner.id.clone();
        self.follow(Fact::AcknowledgementMissed(Missed { owner, due_at, detected_at: self.at, ladder_at }));
    }
}
