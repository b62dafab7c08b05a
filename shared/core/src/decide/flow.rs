//! Exceptions of a flow itself, which stand in the flow's own trail.

use super::duty;
use crate::config::calendar::Calendar;
use crate::config::directory::Directory;
use crate::config::flow::{ExceptionKind, Flow};
use crate::record::ExceptionOpened;
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
