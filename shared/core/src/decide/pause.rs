//! Pauses: a run's outcome clocks stand still for a while, and its deadlines move by as much.

use super::person::given;
use super::{Context, Draft};
use crate::command::Rejection;
use crate::config::flow::OutcomeSpec;
use crate::duration::{BusinessTime, Duration};
use crate::record::{Fact, Paused, Resumed, Started, StartedOutcome};
use crate::run::{OutcomeStatus, Pause};
use crate::time::{Span, Time};

/// Pauses of one run: all are stored with it.
const MAX_PAUSES: usize = 20;

impl Draft<'_> {
    pub(super) fn pause(&mut self, reason: &str) -> Result<(), Rejection> {
        let refused = |why: String| Err(Rejection::WrongState(why));
        let Some(policy) = &self.context.flow.document.pause else {
            return refused("this flow allows no pause".to_owned());
        };
        if let Some(pause) = self.run.pause() {
            return refused(format!("the run is paused since {}", pause.from));
        }
        let left = policy.budget - self.run.paused_within(self.run.opened_at, self.at);
        if left == Span::ZERO {
            return refused(format!("the pause budget of {} is spent", policy.budget));
        }
        if self.run.pauses.len() >= MAX_PAUSES {
            return refused(format!("the run was paused {MAX_PAUSES} times already"));
        }
        let runs = |status| matches!(status, OutcomeStatus::Open | OutcomeStatus::Failed);
        if !self.run.outcomes.iter().any(|outcome| runs(outcome.status) && outcome.breached_at.is_none()) {
            return refused("no clock runs that a pause could stop".to_owned());
        }
        let reason = given("reason", reason)?;
        self.record(Fact::Paused(Paused { reason, until: self.at + left }));
        Ok(())
    }

    pub(super) fn resume(&mut self) -> Result<(), Rejection> {
        let Some(pause) = self.run.pause() else {
            return Err(Rejection::WrongState("the run is not paused".to_owned()));
        };
        self.record(self.resumed(pause, self.at.min(pause.to)));
        Ok(())
    }

    /// The budget was spent at `at`.
    pub(super) fn pause_spent(&mut self, at: Time) {
        if let Some(pause) = self.run.pause() {
            self.follow(self.resumed(pause, at));
        }
    }

    fn resumed(&self, pause: &Pause, resumed_at: Time) -> Fact {
        let pause = Pause { to: resumed_at, ..*pause };
        let running = self
            .run
            .outcomes
            .iter()
            .filter(|outcome| outcome.status != OutcomeStatus::Done && outcome.breached_at.is_none());
        let clocks = running.filter_map(|outcome| {
            let spec = self.flow_outcome(&outcome.id)?;
            let clock = self.context.moved(spec, outcome.clock.as_ref()?, pause)?;
            Some(StartedOutcome { id: outcome.id.clone(), clock })
        });
        Fact::Resumed(Resumed { resumed_at, clocks: clocks.collect() })
    }

    /// The clock of an outcome that starts at `at`, however late that is known: as if it had been paused with the rest.
    pub(super) fn started(&self, outcome: &OutcomeSpec, at: Time) -> Started {
        let over = self.run.pauses.iter().filter(|pause| !pause.lasts);
        over.fold(self.context.start(outcome, at), |clock, pause| {
            self.context.moved(outcome, &clock, *pause).unwrap_or(clock)
        })
    }
}

impl Context<'_> {
    /// The clock after a pause; `None` when it did not run then.
    fn moved(&self, outcome: &OutcomeSpec, clock: &Started, pause: Pause) -> Option<Started> {
        if clock.started_at >= pause.to || clock.due_at <= pause.from {
            return None;
        }
        if clock.started_at >= pause.from {
            return Some(Started { started_at: clock.started_at, ..self.start(outcome, pause.to) });
        }
        let later = |at: Time| match (outcome.sla, self.calendar) {
            (Duration::Business(_), Some(calendar)) => {
                let left = calendar.document.open_between(pause.from, at);
                calendar.document.add(pause.to, BusinessTime::Open(left)).due_at
            }
            (Duration::Business(_) | Duration::Elapsed(_), _) => at + pause.to.since(pause.from),
        };
        let warn_at = clock.warn_at.map(|at| if at > pause.from { later(at) } else { at });
        Some(Started { started_at: clock.started_at, warn_at, due_at: later(clock.due_at) })
    }
}
