//! Exceptions of a flow itself, which stand in the flow's own trail.

use super::duty;
use crate::config::calendar::Calendar;
use crate::config::directory::Directory;
use crate::config::flow::{Assignee, ExceptionKind, Flow, Ladder, Step};
use crate::flow_exception::FlowException;
use crate::record::{Escalated, ExceptionOpened, Fact, RecoveryBreached, StepEmpty};
use crate::time::Time;

/// The case `id` of the flow itself, given to whoever answers for its kind: what was expected, and what was seen.
pub fn exception_of_flow(
    flow: &Flow,
    calendar: Option<&Calendar>,
    directory: &Directory,
    kind: ExceptionKind,
    id: String,
    (expected, seen): (String, String),
    now: Time,
) -> ExceptionOpened {
    let policy = flow.exception_policy();
    let playbook = policy.playbooks.get(&kind);
    let party = playbook.and_then(|playbook| playbook.owner.as_ref()).unwrap_or(&policy.owner);
    ExceptionOpened {
        exception: id,
        kind,
        outcome: None,
        check: None,
        expected,
        seen,
        owner: duty::answerable(directory, party, now),
        recovery_due_at: policy.recovery_sla.end(now, calendar),
        playbook: playbook.map(|playbook| playbook.url.clone()),
        custody: Vec::new(),
        group: super::exception::group(&flow.id, None, kind, now),
        title: flow.title.clone(),
        url: None,
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
    let (id, due_at) = (exception.id.clone(), exception.recovery_due_at);
    let steps = flow.ladder(Ladder::Recovery);
    let step_at = |step: &Step| step.after.end(due_at, calendar).max(at);
    if !exception.recovery_breached {
        return Some(Fact::RecoveryBreached(RecoveryBreached {
            exception: id,
            owner: exception.owner.clone(),
            due_at,
            detected_at: now,
            ladder_at: steps.first().map(step_at),
        }));
    }
    let (ladder, step) = (Ladder::Recovery, exception.ladder);
    let empty = |reason: &str, next_at| {
        let (exception, reason) = (Some(id.clone()), reason.to_owned());
        Some(Fact::StepEmpty(StepEmpty { ladder, outcome: None, exception, step, reason, next_at }))
    };
    let Some(found) = steps.get(step) else { return empty("the ladder has no such step", None) };
    let next = steps.get(step + 1);
    let owner = duty::reachable(directory, &exception.owner);
    let notify = duty::recipients(flow, directory, now, &found.notify, owner.as_ref());
    let party = found.reassign.as_ref().map(|to| match to {
        Assignee::BackupOwner => &flow.backup_owner,
        Assignee::Party(party) => party,
    });
    let new_owner = party.and_then(|party| directory.on_duty(party, now, Some(&exception.owner)));
    if notify.is_empty() && new_owner.is_none() {
        return empty("nobody can be reached", next.map(|_| at));
    }
    Some(Fact::Escalated(Escalated {
        ladder,
        outcome: None,
        reason: format!("exception `{id}` was not resolved by {due_at}"),
        exception: Some(id),
        step,
        severity: found.severity,
        owner: new_owner.map_or_else(|| exception.owner.clone(), |person| person.id.clone()),
        notify,
        due_at,
        detected_at: now,
        next_at: next.map(step_at),
        title: flow.title.clone(),
        url: None,
    }))
}
