//! Opening and resolving exceptions.

use super::{Draft, duty};
use crate::config::flow::ExceptionKind;
use crate::record::{ExceptionOpened, ExceptionResolved, Fact};
use crate::time::Time;

impl Draft<'_> {
    /// Gives the case to whoever answers for its kind, because of what was seen.
    pub(super) fn open_exception(
        &mut self,
        kind: ExceptionKind,
        outcome: Option<&str>,
        expected: String,
        seen: String,
    ) {
        self.follow(self.exception(kind, outcome, None, expected, seen));
    }

    /// The case, as the next record. It is about an outcome, a check, or the run.
    pub(super) fn exception(
        &self,
        kind: ExceptionKind,
        outcome: Option<&str>,
        check: Option<&str>,
        expected: String,
        seen: String,
    ) -> Fact {
        let policy = self.context.flow.document.exception_policy();
        let playbook = policy.playbooks.get(&kind);
        let party = playbook.and_then(|playbook| playbook.owner.as_ref()).unwrap_or(&policy.owner);
        Fact::ExceptionOpened(Box::new(ExceptionOpened {
            exception: format!("x{}", self.run.version + 1),
            kind,
            outcome: outcome.map(str::to_owned),
            check: check.map(str::to_owned),
            expected,
            seen,
            owner: duty::answerable(self.context.directory, party, self.at),
            recovery_due_at: self.context.deadline(self.at, policy.recovery_sla),
            playbook: playbook.map(|playbook| playbook.url.clone()),
            custody: self.run.custody(),
            group: group(&self.run.flow, outcome.or(check), kind, self.at),
            title: self.run.title.clone(),
            url: self.run.url.clone(),
        }))
    }

    /// Resolves every open case, because the run ends: afterwards nobody could.
    pub(super) fn resolve_all(&mut self, resolution: &str) {
        let open: Vec<String> = self.run.open_exceptions().map(|open| open.id.clone()).collect();
        for exception in open {
            let resolution = resolution.to_owned();
            self.follow(Fact::ExceptionResolved(ExceptionResolved { exception, resolution, evidence: None }));
        }
    }

    /// Resolves what was open because `outcome` was not verified.
    pub(super) fn resolve_by_outcome(&mut self, outcome: &str) {
        let of_outcome = |kind| match kind {
            ExceptionKind::OutcomeFailed
            | ExceptionKind::RequestFailed
            | ExceptionKind::SlaBreached
            | ExceptionKind::CalendarUnknown => true,
            ExceptionKind::QaFailed
            | ExceptionKind::QaNotReported
            | ExceptionKind::OwnershipGap
            | ExceptionKind::Manual
            | ExceptionKind::RunParked
            | ExceptionKind::PlaybookReview
            | ExceptionKind::ChecklistFailed
            | ExceptionKind::ChecklistUndelivered
            | ExceptionKind::SilentTrigger
            | ExceptionKind::OrphanSignal => false,
        };
        let open = self.run.open_exceptions().filter(|open| open.outcome.as_deref() == Some(outcome));
        let over: Vec<String> =
            open.filter(|open| of_outcome(open.kind)).map(|open| open.id.clone()).collect();
        for exception in over {
            let resolution = format!("`{outcome}` was verified");
            self.follow(Fact::ExceptionResolved(ExceptionResolved { exception, resolution, evidence: None }));
        }
    }
}

/// What tickets of one cause have in common: flow, outcome, kind, hour.
pub(crate) fn group(flow: &str, outcome: Option<&str>, kind: ExceptionKind, at: Time) -> String {
    let hour: String = at.to_string().chars().take(13).collect();
    [flow, outcome.unwrap_or("-"), &kind.to_string(), &hour].join("/")
}
