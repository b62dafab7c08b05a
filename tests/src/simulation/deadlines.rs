//! The oracle of clocks: from what happened to a run, by the plainest means, when each deadline must have passed.

use std::collections::BTreeMap;

use meshline_core::record::{Fact, Record};
use meshline_core::run::Run;
use meshline_core::time::Time;

use super::invariants::TWO_SWEEPS;
use super::seen::Seen;
use super::shape::{FlowShape, OutcomeShape, Shape, is_open};

const HOUR_MS: i64 = 3_600_000;

/// What is asked of an owner.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Asked {
    /// To acknowledge until then.
    Window(Time),
    /// Progress until then.
    Holds(Time),
    /// Nothing.
    Rests,
}

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
        let Some(flow) = shape.flow(run) else { continue };
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
                // Outcomes wait for the content check, not for the routing check at the end.
                Fact::CheckPassed(it) if it.check == "editorial" => life.checked_at = Some(it.passed_at),
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

    /// Hour by hour, for it is in full hours that the office opens and closes. `None`: not before the pause ends.
    fn deadline(&self, outcome: &OutcomeShape) -> Option<Time> {
        let (mut at, mut left) = (self.start(outcome)?, outcome.sla);
        loop {
            let hour = Time::from_unix_ms((at.unix_ms().div_euclid(HOUR_MS) + 1) * HOUR_MS);
            let mut until = hour;
            for (from, to) in &self.pauses {
                if *from <= at && to.is_none_or(|to| at < to) {
                    at = (*to)?;
                } else if at < *from {
                    until = until.min(*from);
                }
            }
            if until <= at {
                continue;
            }
            if !outcome.business || is_open(at) {
                if until.since(at) >= left {
                    return Some(at + left);
                }
                left = left - until.since(at);
            }
            at = until;
        }
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

    /// Each window to acknowledge in that passed is missed once, at its end; and each lease lapses once, at its end.
    fn acknowledgement(&self, say: &mut dyn FnMut(String)) {
        let Some(within) = self.flow.within else { return };
        let lease = |from: Time| self.flow.lease.map_or(Asked::Rests, |lease| Asked::Holds(from + lease));
        let mut asked = Asked::Window(self.opened_at + within);
        let mut owner = None;
        for record in self.trail {
            let (kind, at) = (record.fact.kind(), record.at);
            match &record.fact {
                Fact::RunOpened(opened) => owner = Some(opened.owner.clone()),
                Fact::Acknowledged(_) => asked = lease(at),
                Fact::Reassigned(to) => {
                    owner = Some(to.to.clone());
                    asked = Asked::Window(at + within);
                }
                Fact::AcknowledgementMissed(missed) => {
                    if asked != Asked::Window(missed.due_at) {
                        say(format!("{kind} at {}, where it was {asked:?}", missed.due_at));
                    }
                    asked = Asked::Rests;
                }
                Fact::AcknowledgementLapsed(lapsed) => {
                    if asked != Asked::Holds(lapsed.due_at) {
                        say(format!("{kind} at {}, where it was {asked:?}", lapsed.due_at));
                    }
                    asked = Asked::Window(lapsed.due_at + within);
                }
                _ => {
                    let by_owner = Some(&record.actor.id) == owner.as_ref();
                    let goes_on = matches!(kind, "outcome_done" | "check_passed" | "exception_resolved");
                    if matches!(asked, Asked::Holds(_)) && (by_owner || goes_on) {
                        asked = lease(at);
                    }
                }
            }
        }
        let due_at = match asked {
            Asked::Window(end) | Asked::Holds(end) => end,
            Asked::Rests => return,
        };
        let noticed = due_at + TWO_SWEEPS;
        if noticed < self.now && self.is_open_at(noticed) {
            say(format!("it was {asked:?}, and no miss or lapse is recorded"));
        }
    }
}
