//! What an event of another system means for a run.

use super::Draft;
use crate::config::flow::{DoneWhen, ExceptionKind, OutcomeSpec};
use crate::config::qa::CheckKind;
use crate::event::Event;
use crate::record::{Closed, Done, Fact, Failed, Retriggered, StartedOutcome};
use crate::run::{OutcomeStatus, Status};
use crate::time::{Span, Time};

/// How long before the opening a signal may have come and still count. What is older belongs to an earlier run.
pub const EARLIEST_SIGNAL: Span = Span::minutes(15);

impl Draft<'_> {
    /// Passes every check, and verifies or fails every outcome, that the event speaks of.
    pub(super) fn observe(&mut self, event: &Event) {
        let json = event.json();
        self.observe_checks(event, &json);
        for spec in &self.context.flow.document.outcomes {
            let status =
                self.run.outcomes.iter().find(|outcome| outcome.id == spec.id).map(|outcome| outcome.status);
            if matches!(status, Some(OutcomeStatus::Done) | None) {
                continue;
            }
            // A pattern with a missing value never matches; the exception for that was opened with the run.
            let matches =
                |pattern: &crate::pattern::Pattern| pattern.matches(&self.run.values, &json) == Ok(true);
            let done = match &spec.done_when {
                DoneWhen::Manual => false,
                DoneWhen::Event(pattern) => matches(pattern),
            };
            let failed = !done && spec.failed_when.as_ref().is_some_and(matches);
            if done {
                self.complete(spec, event.effective_at(), None);
            } else if failed && status != Some(OutcomeStatus::Failed) {
                self.fail(spec, format!("{} from {}", event.kind, event.source));
            }
        }
    }

    /// A further trigger joins the run; like any event, it may also verify or fail outcomes.
    pub(super) fn retrigger(&mut self, event: &Event) {
        self.record(Fact::Retriggered(Retriggered {
            event_type: event.kind.clone(),
            by: event.actor.clone(),
        }));
        self.observe(event);
    }

    /// The outcome came true at `done_at`: starts the clocks that waited for it, and asks for them.
    pub(super) fn complete(&mut self, spec: &OutcomeSpec, done_at: Time, evidence: Option<String>) {
        let Some(n) = self.run.outcomes.iter().position(|outcome| outcome.id == spec.id) else { return };
        let Some(outcome) = self.run.outcomes.get(n) else { return };
        let met = outcome.clock.as_ref().is_none_or(|clock| self.run.in_time(clock, done_at));
        let unseen = outcome.clock.as_ref().filter(|_| !met && outcome.breached_at.is_none());
        if let Some(due_at) = unseen.map(|clock| clock.due_at) {
            // So much fell due at once that catching up left it for the next decision.
            self.breach(n, due_at);
        }
        let starts = self.unlocked(Some((&spec.id, done_at)), self.content_passed(None));
        self.record(Fact::OutcomeDone(Done {
            outcome: spec.id.clone(),
            done_at,
            met,
            evidence,
            starts: starts.clone(),
        }));
        self.resolve_by_outcome(&spec.id);
        self.request_started(&starts);
    }

    /// Asks for the outcomes whose clocks have started, unless they are there already.
    pub(super) fn request_started(&mut self, starts: &[StartedOutcome]) {
        let outcomes = self.run.outcomes.iter().filter(|outcome| outcome.status != OutcomeStatus::Done);
        let undone: Vec<String> = outcomes.map(|outcome| outcome.id.clone()).collect();
        let started = |id: &str| starts.iter().any(|started| started.id == id);
        self.request(&|outcome| started(&outcome.id) && undone.contains(&outcome.id));
    }

    /// The outcomes that wait for nothing any more once this one is done, with their clocks from the moment the last
    /// of theirs was there: outcomes done, content checks `passed` (absent while one has not).
    pub(super) fn unlocked(
        &self,
        done: Option<(&str, Time)>,
        passed: Option<Vec<Time>>,
    ) -> Vec<StartedOutcome> {
        let Some(passed) = passed else { return Vec::new() };
        let done_time = |id: &str| match done {
            Some((this, at)) if this == id => Some(at),
            Some(_) | None => self.run.outcomes.iter().find(|outcome| outcome.id == id)?.done_at,
        };
        // Also one that was reported done or failed too early, so that its clock is as if all came in order.
        let waits = |id: &str| self.run.outcomes.iter().any(|o| o.id == id && o.clock.is_none());
        let specs = self.context.flow.document.outcomes.iter().filter(|spec| waits(&spec.id));
        specs
            .filter_map(|spec| {
                let times: Option<Vec<Time>> = spec.after.iter().map(|before| done_time(before)).collect();
                // What came before the run was opened starts no clock before that.
                let at = times?.into_iter().chain(passed.iter().copied()).max();
                let at = at.unwrap_or(self.run.opened_at).max(self.run.opened_at);
                Some(StartedOutcome { id: spec.id.clone(), clock: self.started(spec, at) })
            })
            .collect()
    }

    /// The outcome went wrong. Its clock runs on: only a verified outcome stops it.
    pub(super) fn fail(&mut self, spec: &OutcomeSpec, reason: String) {
        self.record(Fact::OutcomeFailed(Failed { outcome: spec.id.clone(), reason: reason.clone() }));
        let expected = spec.title.clone().unwrap_or_else(|| spec.id.clone());
        let open = self.run.open_exceptions().any(|open| {
            open.kind == ExceptionKind::OutcomeFailed && open.outcome.as_deref() == Some(spec.id.as_str())
        });
        if !open {
            self.open_exception(ExceptionKind::OutcomeFailed, Some(&spec.id), expected, reason);
        }
    }

    /// Ends the run once every outcome is done, every check passed and every exception resolved.
    pub(super) fn close_if_done(&mut self) {
        let done = self.run.outcomes.iter().all(|outcome| outcome.status == OutcomeStatus::Done);
        if !done || !self.run.is_open() {
            return;
        }
        let passed = self.run.has_passed(CheckKind::Content) && self.run.has_passed(CheckKind::Routing);
        if passed && self.run.open_exceptions().next().is_none() {
            let met = self.run.met() == Some(true);
            self.follow(Fact::RunClosed(Closed { met, reason: None }));
        } else if self.run.status == Status::Active {
            self.follow(Fact::RunVerifying(crate::record::Empty {}));
        }
    }
}
