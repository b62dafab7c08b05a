//! Deadlines: what a duration of the flow comes to, by the calendar of the run.

use super::{Context, Draft};
use crate::config::flow::{ExceptionKind, OutcomeSpec};
use crate::duration::{BusinessTime, Duration};
use crate::record::Started;
use crate::run::OutcomeStatus;
use crate::time::Time;

impl Context<'_> {
    /// When `duration` from `at` ends.
    pub(super) fn deadline(&self, at: Time, duration: Duration) -> Time {
        duration.end(at, self.calendar.map(|calendar| calendar.document.as_ref()))
    }

    /// When the outcome must be acknowledged whose window starts at `at`.
    pub(super) fn acknowledge_by(&self, at: Time) -> Option<Time> {
        let acknowledge = self.flow.document.acknowledge.as_ref()?;
        Some(self.deadline(at, acknowledge.within))
    }

    /// The clock of an outcome that starts at `at`.
    pub(super) fn start(&self, outcome: &OutcomeSpec, at: Time) -> Started {
        let due_at = self.deadline(at, outcome.sla);
        let warn_at = outcome.warn_at.map(|share| {
            let share = share.hundredths();
            match (outcome.sla, self.calendar) {
                (Duration::Business(_), Some(calendar)) => {
                    let calendar = &calendar.document;
                    let open = calendar.open_between(at, due_at).percent(share);
                    calendar.add(at, BusinessTime::Open(open)).due_at
                }
                (Duration::Business(_) | Duration::Elapsed(_), _) => at + due_at.since(at).percent(share),
            }
        });
        Started { started_at: at, warn_at, due_at }
    }
}

impl Draft<'_> {
    /// Opens an exception, once for each, for business deadlines beyond what the calendar knows.
    pub(super) fn flag_unknown_deadlines(&mut self) {
        let Some(calendar) = self.context.calendar.filter(|_| self.run.is_open()) else { return };
        let calendar = &calendar.document;
        let flow = &self.context.flow.document;
        let outcomes = self.run.outcomes.iter().zip(&flow.outcomes).filter_map(|(outcome, spec)| {
            let running = outcome.status != OutcomeStatus::Done && spec.sla.business().is_some();
            Some((Some(outcome.id.clone()), outcome.clock.as_ref().filter(|_| running)?.due_at))
        });
        let window = self.run.ack.as_ref().and_then(|ack| ack.window);
        let business = flow.acknowledge.as_ref().is_some_and(|it| it.within.business().is_some());
        let window = window.filter(|_| business).map(|due_at| (None, due_at));
        let recovery = flow.exception_policy().recovery_sla.business().and_then(|_| {
            // The case that says so need not be one itself.
            let open = self.run.open_exceptions().filter(|x| x.kind != ExceptionKind::CalendarUnknown);
            open.map(|exception| (None, exception.recovery_due_at)).max()
        });
        let deadlines = outcomes.chain(window.into_iter().chain(recovery).max());
        let is_flagged = |outcome: &Option<String>| {
            let mut exceptions = self.run.exceptions.iter();
            exceptions.any(|x| x.kind == ExceptionKind::CalendarUnknown && x.outcome == *outcome)
        };
        let unknown: Vec<_> =
            deadlines.filter(|(outcome, due_at)| !calendar.knows(*due_at) && !is_flagged(outcome)).collect();
        for (outcome, due_at) in unknown {
            let (id, until) = (&calendar.id, calendar.known_until);
            let expected = format!("the holidays of `{id}` up to {due_at}");
            let seen = format!("they are known until {until}: the deadline may be too early");
            self.open_exception(ExceptionKind::CalendarUnknown, outcome.as_deref(), expected, seen);
        }
    }
}
