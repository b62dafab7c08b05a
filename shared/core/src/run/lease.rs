//! The fold of acknowledgements and their leases.

use super::{Acknowledgement, Climb, Lease, MissedWindow, Run};
use crate::record::{ActorKind, Fact, Missed, Record};
use crate::time::{Span, Time};

impl Run {
    /// The owner has it. Said again during a lease, it renews that and changes nothing else.
    pub(super) fn acknowledged(&mut self, record: &Record, lease_until: Option<Time>) {
        let Some(ack) = &mut self.ack else { return };
        ack.window = None;
        ack.ladder.at = None;
        ack.lease = lease_until.map(|until| Lease { length_ms: until.since(record.at).ms(), until });
        if ack.at.is_none() {
            ack.at = Some(record.at);
            ack.by = Some(record.actor.id.clone());
        }
    }

    /// The window passed. A ladder that is being climbed goes on from the miss that it began with.
    pub(super) fn missed(&mut self, missed: &Missed) {
        let Some(ack) = &mut self.ack else { return };
        let before = ack.missed.take().filter(|_| ack.ladder.at.is_some());
        let climbed_since = before.map(|before| before.ladder_start());
        ack.window = None;
        ack.missed = Some(MissedWindow { owner: missed.owner.clone(), due_at: missed.due_at, climbed_since });
        ack.ladder.at = missed.ladder_at;
    }

    /// As if it had not been acknowledged, with a new window. The ladder stays where it is.
    pub(super) fn lapsed(&mut self, acknowledge_by: Time) {
        if let Some(ack) = &mut self.ack {
            let (ladder, missed) = (ack.ladder, ack.missed.take());
            *ack = Acknowledgement { ladder, missed, ..Acknowledgement::until(acknowledge_by) };
        }
    }

    /// Progress lets the lease begin anew: whatever the owner does, and whatever brings the run nearer to its end.
    /// What counts is part of the fold: another answer would make another run of a stored trail.
    pub(super) fn renew_lease(&mut self, record: &Record) {
        let by_owner = record.actor.kind == ActorKind::Person && record.actor.id == self.owner.id;
        let nearer =
            matches!(record.fact, Fact::OutcomeDone(_) | Fact::CheckPassed(_) | Fact::ExceptionResolved(_));
        let lease = self.ack.as_mut().and_then(|ack| ack.lease.as_mut());
        if let (Some(lease), true) = (lease, by_owner || nearer) {
            lease.until = record.at + Span::from_ms(lease.length_ms);
        }
    }
}

impl MissedWindow {
    /// From when the steps of the ladder are counted.
    pub fn ladder_start(&self) -> Time {
        self.climbed_since.unwrap_or(self.due_at)
    }
}

impl Acknowledgement {
    /// Not given yet, with a window until `due_at`.
    pub(super) fn until(due_at: Time) -> Self {
        let (at, by, lease, missed) = (None, None, None, None);
        Self { window: Some(due_at), due_at, at, by, lease, missed, ladder: Climb::default() }
    }
}
