//! The oracle of clocks: from what happened to a run, by the plainest means, when each deadline must have passed.

use std::collections::BTreeMap;

use meshline_core::record::{Fact, Record};
use meshline_core::run::Run;
use meshline_core::time::Time;

use super::invariants::TWO_SWEEPS;
use super::seen::Seen;
use super::shape::{FlowShape, OutcomeShape, Shape};

/// What happened to a run, and when.
struct Life<'a> {
    flow: &'a FlowShape,
    trail: &'a [Record],
    opened_at: Time,
    over_at: Option<Time>,
    now: Time,
    /// When each outcome was done, and when that was known.
    done: BTreeMap<&'a str, (Time, Time)>,
    /// From when to when it was paused; the last one may last.
    pauses: Vec<(Time, Option<Time>)>,
    checked_at: Option<Time>,
}

/// What the trails say against what the oracle says.
pub(super) fn compare(seen: &Seen, shape: &Shape) -> Vec<String> {
    let mut found = Vec::new();
    for (run, trail) in seen.lives() {
        let Some(flow) = shape.flow(&run.flow) else { continue };
        let life = Life::of(run, trail, flow, seen.now);
        let mut say = |what: String| found.push(format!("run {} of {}: {what}", run.run, run.flow));
        flow.outcomes.iter().for_each(|outcome| life.breach(outcome, &mut say));
        life.acknowledgement(&mut say);
    }
    found
}

impl<'a> Life<'a> {
    fn of(run: &Run, trail: &'a [Record], flow: &'a FlowShape, now: Time) -> Self {
        let mut life = Self {
            flow,
            trail,
            opened_at: run.opened_at,
            over_at: None,
            now,
            done: BTreeMap::new(),
            pauses: Vec::new(),
            checked_at: (!flow.checked).then_some(run.opened_at),
        };
        for record in trail {
            match &record.fact {
                Fact::OutcomeDone(done) => {
                    life.done.insert(&done.outcome, (done.done_at, record.at));
                }
                Fact::Paused(_) => life.pauses.push((record.at, None)),
                Fact::Resumed(resumed) => {
                    if let Some(last) = life.pauses.last_mut() {
                        last.1 = Some(resumed.resumed_at);
                    }
                }
                Fact::CheckPassed(passed) => life.checked_at = Some(passed.passed_at),
                Fact::RunClosed(_) | Fact::RunCancelled(_) => life.over_at = Some(record.at),
                _ => {}
            }
        }
        life
    }

    /// When the outcome's clock starts: when all is there that it waits for.
    fn start(&self, outcome: &OutcomeShape) -> Option<Time> {
        let waits = outcome.after.iter().map(|before| self.done.get(before.as_str()).map(|(at, _)| *at));
        let last = waits.collect::<Option<Vec<Time>>>()?.into_iter().max();
        Some(self.checked_at?.max(last.unwrap_or(self.opened_at)))
    }

    /// Minute by minute would be plainer still; this walks the time between the pauses. `None`: not before the pause ends.
    fn deadline(&self, outcome: &OutcomeShape) -> Option<Time> {
        let (mut at, mut left) = (self.start(outcome)?, outcome.sla);
        for (from, to) in &self.pauses {
            let until = *from;
            if to.is_some_and(|to| to <= at) {
                continue;
            }
            if until.since(at) >= left && until > at {
                return Some(at + left);
            }
            if until > at {
                left = left - until.since(at);
            }
            at = (*to)?.max(at);
        }
        Some(at + left)
    }

    fn is_open_at(&self, at: Time) -> bool {
        self.over_at.is_none_or(|over| at < over)
    }

    fn breach(&self, outcome: &OutcomeShape, say: &mut dyn FnMut(String)) {
        let id = outcome.id.as_str();
        let breach = self.trail.iter().find_map(|record| match &record.fact {
            Fact::SlaBreached(breach) if breach.outcome == id => Some((breach.due_at, record)),
            _ => None,
        });
        let deadline = self.deadline(outcome);
        let done = self.done.get(id);
        match (breach, deadline) {
            (Some((due_at, _)), Some(deadline)) if due_at == deadline => {}
            (Some((due_at, _)), deadline) => {
                return say(format!("{id} is breached at {due_at}, its deadline is {deadline:?}"));
            }
            (None, Some(deadline)) => {
                let in_time = done.is_some_and(|(at, _)| *at <= deadline);
                let noticed = deadline + TWO_SWEEPS;
                if !in_time && noticed < self.now && self.is_open_at(noticed) {
                    return say(format!("{id} was due at {deadline}, and no breach is recorded"));
                }
            }
            (None, None) => {}
        }
        if let Some((due_at, record)) = breach {
            if done.is_some_and(|(at, known)| *at < due_at && *known < record.at) {
                say(format!("{id} was done before its deadline {due_at}, and breached"));
            }
            self.ladder(outcome, due_at, say);
        }
    }

    /// Every step whose time has come, while the outcome was missing and the run open, has been taken.
    fn ladder(&self, outcome: &OutcomeShape, due_at: Time, say: &mut dyn FnMut(String)) {
        let taken = self.trail.iter().filter(|record| match &record.fact {
            Fact::Escalated(it) => it.outcome.as_ref() == Some(&outcome.id),
            Fact::StepEmpty(it) => it.outcome.as_ref() == Some(&outcome.id),
            _ => false,
        });
        let taken = taken.count();
        for (n, after) in self.flow.breached.iter().enumerate() {
            let noticed = due_at + *after + TWO_SWEEPS;
            let missing = self.done.get(outcome.id.as_str()).is_none_or(|(_, known)| noticed < *known);
            if taken <= n && noticed < self.now && missing && self.is_open_at(noticed) {
                say(format!("{}: step {n} after the breach at {due_at} was not taken", outcome.id));
            }
        }
    }

    /// Each window to acknowledge in that passed is missed once, at its end.
    fn acknowledgement(&self, say: &mut dyn FnMut(String)) {
        let Some(within) = self.flow.within else { return };
        let mut window: Option<Time> = Some(self.opened_at + within);
        for record in self.trail {
            match &record.fact {
                Fact::Acknowledged(_) => window = None,
                Fact::Reassigned(_) => window = Some(record.at + within),
                Fact::AcknowledgementMissed(missed) => {
                    if window != Some(missed.due_at) {
                        say(format!(
                            "missed acknowledgement at {}, the window ends {window:?}",
                            missed.due_at
                        ));
                    }
                    window = None;
                }
                _ => {}
            }
        }
        let noticed = window.map(|due_at| due_at + TWO_SWEEPS);
        if noticed.is_some_and(|noticed| noticed < self.now && self.is_open_at(noticed)) {
            say(format!("the window to acknowledge ended at {window:?}, and no miss is recorded"));
        }
    }
}
