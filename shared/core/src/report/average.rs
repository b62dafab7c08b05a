//! Averages of a period: whether the outcomes of a flow took longer than their SLA.

use serde::{Deserialize, Serialize};

use crate::config::flow::Flow;
use crate::run::{Outcome, Run, Status};
use crate::time::Time;
use crate::view::ClockView;

/// The outcomes of a flow that took longer than their SLA in a period, on average.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Late {
    /// Start of the period, included.
    pub from: Time,
    /// Its end, excluded.
    pub to: Time,
    /// In the order of the flow; at least one.
    pub outcomes: Vec<LateOutcome>,
}

/// An outcome that took longer than its SLA, on average.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LateOutcome {
    /// Its id.
    pub id: String,
    /// How many there were.
    pub cases: i64,
    /// How long one took, in seconds of elapsed time without pauses; of one that is not there yet, until the period's end.
    pub mean_s: i64,
    /// How long one may take; of business time, as much elapsed time as it came to.
    pub sla_s: i64,
}

/// How long the outcomes of a flow took in a period, as runs are added to it.
///
/// An outcome counts in the period in which it was verified, or its run ended without it; and in each at whose end it is
/// past its deadline. What is not due is not late, and what was called off or opened while the flow was off is not asked.
#[derive(Debug, Clone)]
pub struct Averages {
    from: Time,
    to: Time,
    outcomes: Vec<Sum>,
}

#[derive(Debug, Clone)]
struct Sum {
    id: String,
    cases: i64,
    taken_s: i64,
    allowed_s: i64,
}

impl Averages {
    /// Of the period from `from` to `to`, without any run yet.
    pub fn of(flow: &Flow, from: Time, to: Time) -> Self {
        let none = |id: &String| Sum { id: id.clone(), cases: 0, taken_s: 0, allowed_s: 0 };
        Self { from, to, outcomes: flow.outcomes.iter().map(|outcome| none(&outcome.id)).collect() }
    }

    /// Adds a run of the flow, each once.
    pub fn add(&mut self, run: &Run) {
        if run.suppressed || run.status == Status::Cancelled {
            return;
        }
        let (from, to) = (self.from, self.to);
        for sum in &mut self.outcomes {
            let outcome = run.outcomes.iter().find(|outcome| outcome.id == sum.id);
            if let Some((taken_s, allowed_s)) = outcome.and_then(|outcome| took(run, outcome, from, to)) {
                sum.cases += 1;
                sum.taken_s += taken_s;
                sum.allowed_s += allowed_s;
            }
        }
    }

    /// The outcomes that took longer than they may on average; `None` when none did.
    pub fn late(&self) -> Option<Late> {
        let outcomes: Vec<LateOutcome> = self.outcomes.iter().filter_map(Sum::late).collect();
        (!outcomes.is_empty()).then_some(Late { from: self.from, to: self.to, outcomes })
    }
}

impl Sum {
    fn late(&self) -> Option<LateOutcome> {
        let mean_s = self.taken_s.checked_div(self.cases)?;
        let sla_s = self.allowed_s.checked_div(self.cases)?;
        let is_late = self.taken_s > self.allowed_s;
        is_late.then(|| LateOutcome { id: self.id.clone(), cases: self.cases, mean_s, sla_s })
    }
}

/// How long an outcome took and how long it might, in seconds; `None` where it does not count in the period.
fn took(run: &Run, outcome: &Outcome, from: Time, to: Time) -> Option<(i64, i64)> {
    let clock = outcome.clock.as_ref()?;
    let stopped_at = outcome.done_at.or(run.closed_at).filter(|at| *at < to);
    let counts = match stopped_at {
        Some(at) => from <= at,
        None => clock.due_at < to && !run.stands_still(clock.due_at),
    };
    let until = stopped_at.unwrap_or(to);
    let taken = until.since(clock.started_at) - run.paused_within(clock.started_at, until);
    let allowed_s = ClockView::of(clock, outcome, run, until).budget_s;
    counts.then_some((taken.ms() / 1000, allowed_s))
}
