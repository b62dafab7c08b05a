//! What the clock says is next for a run.

use super::{OutcomeStatus, Run};
use crate::time::{Span, Time};

/// What the clock says is next for a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Due {
    /// The warning of an outcome (its position).
    Warning(usize),
    /// The deadline of an outcome.
    Breach(usize),
    /// The deadline of a check (its position).
    Check(usize),
    /// The next step of an outcome's ladder.
    BreachStep(usize),
    /// The end of the acknowledgement's lease.
    Lease,
    /// The end of the acknowledgement window.
    Acknowledgement,
    /// The next step of the ladder `not_acknowledged`.
    AcknowledgementStep,
    /// The pause has spent its budget.
    PauseSpent,
    /// The recovery deadline of an exception (its position).
    Recovery(usize),
    /// The next step of an exception's ladder.
    RecoveryStep(usize),
    /// A week without anything.
    Stalled,
}

/// How long an open run may have nothing due.
const STALLED_AFTER: Span = Span::days(7);

impl Run {
    /// What is due next, and when; `None` once the run is over.
    pub fn next_due(&self) -> Option<(Time, Due)> {
        if !self.is_open() {
            return None;
        }
        let outcomes = self.outcomes.iter().enumerate().flat_map(|(n, outcome)| {
            let clock = outcome.clock.as_ref().filter(|_| outcome.status != OutcomeStatus::Done);
            let runs = |at: &Time| !self.stands_still(*at);
            let warning = clock.and_then(|clock| clock.warn_at).filter(runs);
            let breach =
                clock.filter(|_| outcome.breached_at.is_none()).map(|clock| clock.due_at).filter(runs);
            let warning = warning.map(|at| (at, Due::Warning(n)));
            let breach = breach.map(|at| (at, Due::Breach(n)));
            let step = outcome.ladder.at.map(|at| (at, Due::BreachStep(n)));
            [warning, breach, step].into_iter().flatten()
        });
        let checks = self.checks.iter().enumerate();
        let checks = checks.filter_map(|(n, check)| Some((check.silent_until()?, Due::Check(n))));
        let ack = self.ack.iter().flat_map(|ack| {
            let window = ack.window.map(|at| (at, Due::Acknowledgement));
            let step = ack.ladder.at.map(|at| (at, Due::AcknowledgementStep));
            let lease = ack.lease.as_ref().map(|lease| (lease.until, Due::Lease));
            [window, step, lease].into_iter().flatten()
        });
        let recovery = self.exceptions.iter().enumerate().flat_map(|(n, exception)| {
            let pending = exception.resolved_at.is_none() && !exception.recovery_breached;
            let breach = pending.then_some((exception.recovery_due_at, Due::Recovery(n)));
            let step = exception.ladder.at.map(|at| (at, Due::RecoveryStep(n)));
            [breach, step].into_iter().flatten()
        });
        let pause = self.pause().map(|pause| (pause.to, Due::PauseSpent));
        let next = outcomes.chain(checks).chain(ack).chain(recovery).chain(pause).min();
        Some(next.unwrap_or((self.last_at + STALLED_AFTER, Due::Stalled)))
    }
}
