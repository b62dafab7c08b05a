//! Exceptions of a flow itself, which stand in the flow's own trail.

use super::duty;
use crate::config::directory::Directory;
use crate::config::flow::{ExceptionKind, Flow};
use crate::record::{ExceptionOpened, Recipient};
use crate::time::Time;

/// The case `id` of the flow itself, given to whoever answers for its kind: what was expected, and what was seen.
pub fn exception_of_flow(
    flow: &Flow,
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
        recovery_due_at: now + policy.recovery_sla,
        playbook: playbook.map(|playbook| playbook.url.clone()),
        custody: Vec::new(),
        group: super::exception::group(&flow.id, None, kind, now),
        title: flow.title.clone(),
        url: None,
    }
}

/// Everybody to be told that `owner` has not resolved an exception of the flow: also whoever answers for its exceptions.
pub fn answer_for(flow: &Flow, directory: &Directory, owner: &str, now: Time) -> Vec<Recipient> {
    let mut notify: Vec<Recipient> =
        directory.person(owner).filter(|it| it.is_reachable()).map(duty::recipient).into_iter().collect();
    notify.extend(duty::exceptions_owner(flow, directory, now).into_iter().filter(|other| other.id != owner));
    notify
}
