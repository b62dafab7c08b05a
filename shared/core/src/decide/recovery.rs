//! Exceptions that are not resolved in time, of a run and of a flow itself: the breach, and the ladder that follows.

use super::{Draft, duty};
use crate::config::calendar::Calendar;
use crate::config::directory::Directory;
use crate::config::flow::{Assignee, Flow, Ladder, Step};
use crate::flow_exception::FlowException;
use crate::record::{Escalated, Fact, RecoveryBreached, StepEmpty};
use crate::time::Time;

/// An exception whose recovery deadline has passed.
struct Overdue<'a> {
    id: &'a str,
    owner: &'a str,
    due_at: Time,
    /// The next step of its ladder, from 0.
    step: usize,
    title: &'a str,
    url: Option<&'a str>,
}

/// What an overdue exception goes by, at a moment.
struct Rules<'a> {
    flow: &'a Flow,
    calendar: Option<&'a Calendar>,
    directory: &'a Directory,
    now: Time,
}

impl Rules<'_> {
    /// That the deadline has passed, which starts the ladder.
    fn breached(&self, overdue: &Overdue<'_>) -> Fact {
        let steps = self.flow.ladder(Ladder::Recovery);
        Fact::RecoveryBreached(RecoveryBreached {
            exception: overdue.id.to_owned(),
            owner: overdue.owner.to_owned(),
            due_at: overdue.due_at,
            detected_at: self.now,
            ladder_at: steps.first().map(|step| self.step_at(overdue, step)),
        })
    }

    /// The ladder's next step, which was due `at`.
    fn climbed(&self, overdue: &Overdue<'_>, at: Time) -> Fact {
        let steps = self.flow.ladder(Ladder::Recovery);
        let Some(step) = steps.get(overdue.step) else {
            return empty(overdue, "the ladder has no such step", None);
        };
        let next = steps.get(overdue.step + 1);
        let owner = duty::reachable(self.directory, overdue.owner);
        let notify = duty::recipients(self.flow, self.directory, self.now, &step.notify, owner.as_ref());
        let new_owner = self.new_owner(overdue, step);
        if notify.is_empty() && new_owner.is_none() {
            // Nobody to tell: the next step does not wait.
            return empty(overdue, "nobody can be reached", next.map(|_| at));
        }
        Fact::Escalated(Escalated {
            ladder: Ladder::Recovery,
            outcome: None,
            exception: Some(overdue.id.to_owned()),
            step: overdue.step,
            severity: step.severity,
            reason: format!("exception `{}` was not resolved by {}", overdue.id, overdue.due_at),
            // The record itself hands the exception over.
            owner: new_owner.unwrap_or_else(|| overdue.owner.to_owned()),
            notify,
            due_at: overdue.due_at,
            detected_at: self.now,
            next_at: next.map(|next| self.step_at(overdue, next).max(at)),
            title: overdue.title.to_owned(),
            url: overdue.url.map(str::to_owned),
        })
    }

    /// When a step is due. Steps are counted from the deadline, whenever that was seen.
    fn step_at(&self, overdue: &Overdue<'_>, step: &Step) -> Time {
        step.after.end(overdue.due_at, self.calendar)
    }

    /// Whoever the step gives the exception to; `None` when there is nobody but the present owner.
    fn new_owner(&self, overdue: &Overdue<'_>, step: &Step) -> Option<String> {
        let party = match step.reassign.as_ref()? {
            Assignee::BackupOwner => &self.flow.backup_owner,
            Assignee::Party(party) => party,
        };
        let person = self.directory.on_duty(party, self.now, Some(overdue.owner));
        person.map(|person| person.id.clone())
    }
}

fn empty(overdue: &Overdue<'_>, why: &str, next_at: Option<Time>) -> Fact {
    Fact::StepEmpty(StepEmpty {
        ladder: Ladder::Recovery,
        outcome: None,
        exception: Some(overdue.id.to_owned()),
        step: overdue.step,
        reason: why.to_owned(),
        next_at,
    })
}

impl Draft<'_> {
    /// The recovery deadline of the run's `n`th exception has passed.
    pub(super) fn recovery_breached(&mut self, n: usize) {
        let fact = self.overdue(n).map(|overdue| self.rules().breached(&overdue));
        fact.into_iter().for_each(|fact| self.follow(fact));
    }

    /// Fires the next step about the run's `n`th exception, which was due `at`.
    pub(super) fn recovery_step(&mut self, n: usize, at: Time) {
        let fact = self.overdue(n).map(|overdue| self.rules().climbed(&overdue, at));
        fact.into_iter().for_each(|fact| self.follow(fact));
    }

    fn overdue(&self, n: usize) -> Option<Overdue<'_>> {
        let exception = self.run.exceptions.get(n)?;
        Some(Overdue {
            id: &exception.id,
            owner: &exception.owner,
            due_at: exception.recovery_due_at,
            step: exception.ladder.next,
            title: &self.run.title,
            url: self.run.url.as_deref(),
        })
    }

    fn rules(&self) -> Rules<'_> {
        Rules {
            flow: &self.context.flow.document,
            calendar: self.context.calendar.map(|calendar| calendar.document.as_ref()),
            directory: self.context.directory,
            now: self.at,
        }
    }
}

/// What the clock of an exception of the flow itself says at `now`: its deadline has passed, or its ladder's next step
/// is due; nothing while neither is.
pub fn recovery_of_flow(
    exception: &FlowException,
    flow: &Flow,
    calendar: Option<&Calendar>,
    directory: &Directory,
    now: Time,
) -> Option<Fact> {
    let at = exception.next_due_at.filter(|at| *at <= now)?;
    let rules = Rules { flow, calendar, directory, now };
    let overdue = Overdue {
        id: &exception.id,
        owner: &exception.owner,
        due_at: exception.recovery_due_at,
        step: exception.ladder,
        title: &flow.title,
        url: None,
    };
    Some(if exception.recovery_breached { rules.climbed(&overdue, at) } else { rules.breached(&overdue) })
}
