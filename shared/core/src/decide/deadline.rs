//! Deadlines: what a duration of the flow comes to, by the calendar of the run.

use super::{Context, Draft};
use crate::config::flow::{ExceptionKind, OutcomeSpec};
use crate::duration::{BusinessTime, Duration};
use crate::record::Started;
use crate::run::OutcomeStatus;
use crate::time::{Span, Time};

impl Context<'_> {
    /// When `duration` from `at` ends. Without its calendar, business time passes around the clock.
    pub(super) fn deadline(&self, at: Time, duration: Duration) -> Time {
        match (duration, self.calendar) {
            (Duration::Elapsed(span), _) => at + span,
            (Duration::Business(time), Some(calendar)) => calendar.document.add(at, time).due_at,
            (Duration::Business(BusinessTime::Open(span)), None) => at + span,
            (Duration::Business(BusinessTime::Days(days)), None) => at + Span::days(days.into()),
        }
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
        let deadlines = outcomes.chain(window.filter(|_| business).map(|due_at| (None, due_at)));
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
