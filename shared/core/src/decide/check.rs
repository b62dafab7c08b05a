//! QA checks: passed by an event or a person, failed by a person, or silent.

use super::{Draft, person::given};
use crate::command::Rejection;
use crate::config::flow::{ExceptionKind, Flow};
use crate::config::qa::{CheckKind, CheckSpec};
use crate::event::Event;
use crate::record::{
    CheckFailed, CheckOverdue, CheckPassed, ExceptionResolved, ExpectedCheck, Fact, StartedCheck,
};
use crate::run::CheckStatus;
use crate::time::Time;

/// The checks of a flow at the opening of a run. Those of routing begin together with the outcomes: before, there is
/// nothing that they could look at.
pub(super) fn expected(flow: &Flow, opened_at: Time) -> Vec<ExpectedCheck> {
    let starts = |kind| match kind {
        CheckKind::Content => true,
        CheckKind::Routing => !flow.awaits_qa(),
    };
    let checks = flow.checks().map(|(kind, check)| ExpectedCheck {
        id: check.id.clone(),
        kind,
        due_at: starts(kind).then(|| opened_at + check.within),
    });
    checks.collect()
}

impl Draft<'_> {
    /// Passes every check that the event speaks of.
    pub(super) fn observe_checks(&mut self, event: &Event, json: &[u8]) {
        for (_, spec) in self.context.flow.document.checks() {
            let passed = self.run.checks.iter().any(|c| c.id == spec.id && c.status == CheckStatus::Passed);
            // A pattern with a missing value never matches; the exception for that was opened with the run.
            let pattern = spec.pass_when.pattern();
            if !passed && pattern.is_some_and(|it| it.matches(&self.run.values, json) == Ok(true)) {
                self.pass(spec, event.effective_at(), None);
            }
        }
    }

    pub(super) fn pass_by_hand(&mut self, check: &str, evidence: Option<&str>) -> Result<(), Rejection> {
        let evidence = evidence.map(|text| given("evidence", text)).transpose()?;
        let spec = self.unpassed(check)?;
        self.pass(&spec, self.at, evidence);
        Ok(())
    }

    pub(super) fn fail_check_by_hand(&mut self, check: &str, reason: &str) -> Result<(), Rejection> {
        let reason = given("reason", reason)?;
        let spec = self.unpassed(check)?;
        self.record(Fact::CheckFailed(CheckFailed { check: spec.id.clone(), reason: reason.clone() }));
        let open = self.run.open_exceptions().any(|open| {
            open.kind == ExceptionKind::QaFailed && open.check.as_deref() == Some(spec.id.as_str())
        });
        if !open {
            self.open_qa_exception(ExceptionKind::QaFailed, &spec, reason);
        }
        Ok(())
    }

    /// The deadline passed, and nobody had said how the check came out.
    pub(super) fn check_overdue(&mut self, n: usize, due_at: Time) {
        let Some(check) = self.run.checks.get(n).map(|check| check.id.clone()) else { return };
        let detected_at = self.at;
        self.follow(Fact::CheckOverdue(CheckOverdue { check: check.clone(), due_at, detected_at }));
        if let Ok(spec) = self.unpassed(&check) {
            let seen = format!("nobody said how it came out by {due_at}");
            self.open_qa_exception(ExceptionKind::QaNotReported, &spec, seen);
        }
    }

    /// Opens an exception for each check that can never pass by itself, because the trigger lacks a value.
    pub(super) fn unfillable_checks(&mut self) {
        let flow = self.context.flow.document.clone();
        for (_, spec) in flow.checks() {
            let Some(pattern) = spec.pass_when.pattern() else { continue };
            let paths = pattern.paths().unwrap_or_default();
            if let Some(missing) = paths.iter().find(|path| !self.run.values.contains_key(path.as_str())) {
                let missing = missing.as_str();
                let seen = format!("the trigger has no value at `{missing}`, so no signal can match");
                self.open_qa_exception(ExceptionKind::QaFailed, spec, seen);
            }
        }
    }

    /// When each content check passed, if all have; `passing` is one that passes now.
    pub(super) fn content_passed(&self, passing: Option<(&str, Time)>) -> Option<Vec<Time>> {
        let content = self.run.checks.iter().filter(|check| check.kind == CheckKind::Content);
        let passed_at = content.map(|check| match passing {
            Some((id, at)) if id == check.id => Some(at),
            Some(_) | None => check.passed_at,
        });
        passed_at.collect()
    }

    /// The check is all right since `passed_at`. The last content check starts what waited for it.
    fn pass(&mut self, spec: &CheckSpec, passed_at: Time, evidence: Option<String>) {
        let Some(n) = self.run.checks.iter().position(|check| check.id == spec.id) else { return };
        let Some(check) = self.run.checks.get(n).cloned() else { return };
        let unseen = check.due_at.filter(|due| *due < passed_at && check.status == CheckStatus::Pending);
        if let Some(due_at) = unseen {
            // So much fell due at once that catching up left it for the next decision.
            self.check_overdue(n, due_at);
        }
        let (starts, checks) = match check.kind {
            CheckKind::Content => {
                let passed = self.content_passed(Some((&spec.id, passed_at)));
                (self.unlocked(None, passed.clone()), self.routing_clocks(passed))
            }
            CheckKind::Routing => (Vec::new(), Vec::new()),
        };
        let started = starts.clone();
        self.record(Fact::CheckPassed(CheckPassed {
            check: spec.id.clone(),
            passed_at,
            evidence,
            starts,
            checks,
        }));
        self.resolve_by_check(&spec.id);
        self.request_started(&started);
    }

    /// The clocks of the routing checks, which start once all content checks have `passed`.
    fn routing_clocks(&self, passed: Option<Vec<Time>>) -> Vec<StartedCheck> {
        let Some(passed) = passed else { return Vec::new() };
        let at = passed.into_iter().fold(self.run.opened_at, Time::max);
        let routing = self.context.flow.document.qa.iter().flat_map(|qa| &qa.routing);
        routing.map(|spec| StartedCheck { id: spec.id.clone(), due_at: at + spec.within }).collect()
    }

    fn open_qa_exception(&mut self, kind: ExceptionKind, spec: &CheckSpec, seen: String) {
        let title = spec.title.as_ref().unwrap_or(&spec.id);
        let expected = format!("the check `{title}` to pass");
        self.follow(self.exception(kind, None, Some(&spec.id), expected, seen));
    }

    /// Resolves what was open because the check had not passed.
    fn resolve_by_check(&mut self, check: &str) {
        let open = self.run.open_exceptions().filter(|open| open.check.as_deref() == Some(check));
        let over: Vec<String> = open.map(|open| open.id.clone()).collect();
        for exception in over {
            let resolution = format!("`{check}` has passed");
            self.follow(Fact::ExceptionResolved(ExceptionResolved { exception, resolution, evidence: None }));
        }
    }

    /// The definition of a check that has not passed yet.
    fn unpassed(&self, id: &str) -> Result<CheckSpec, Rejection> {
        let unknown = || Rejection::Unknown { what: "check", id: id.to_owned() };
        let check = self.run.checks.iter().find(|check| check.id == id).ok_or_else(unknown)?;
        if check.status == CheckStatus::Passed {
            return Err(Rejection::WrongState(format!("check `{id}` has passed")));
        }
        let spec = self.context.flow.document.checks().find(|(_, spec)| spec.id == id);
        spec.map(|(_, spec)| spec.clone()).ok_or_else(unknown)
    }
}
