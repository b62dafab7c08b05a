//! Clocks, breaches, pauses and what is due next: rules 2, 5, 9 and 12.

use std::collections::BTreeSet;

use meshline_core::command::{Action, Command};
use meshline_core::config::flow::ExceptionKind;
use meshline_core::config::qa::CheckKind;
use meshline_core::duration::{BusinessTime, Duration};
use meshline_core::record::{Actor, ActorKind, Breached, Fact, Record};
use meshline_core::run::{Acknowledgement, OutcomeStatus, Run};
use meshline_core::time::{Span, Time};
use proptest::prelude::*;

use super::{cases, changes, clock};
use crate::support::chance::{World, world};

fn done(run: &Run) -> BTreeSet<&str> {
    let done = run.outcomes.iter().filter(|outcome| outcome.status == OutcomeStatus::Done);
    done.map(|outcome| outcome.id.as_str()).collect()
}

/// The deadline as budget, consumed and running: the pauses that are over take nothing of the budget.
fn due_at(world: &World, sla: Duration, start: Time) -> Time {
    let calendar = world.calendar.as_ref().map(|calendar| calendar.document.as_ref());
    let over: Vec<_> = world.run.pauses.iter().filter(|pause| !pause.lasts).collect();
    let running = over.iter().fold(start, |at, pause| if pause.from <= at { at.max(pause.to) } else { at });
    let passes = |from: Time, to: Time| match (sla, calendar) {
        (Duration::Business(_), Some(calendar)) => calendar.open_between(from, to),
        (Duration::Business(_) | Duration::Elapsed(_), _) => to.since(from),
    };
    let after = |at: Time, span: Span| match (sla, calendar) {
        (Duration::Business(_), Some(calendar)) => calendar.add(at, BusinessTime::Open(span)).due_at,
        (Duration::Business(_) | Duration::Elapsed(_), _) => at + span,
    };
    let (mut at, mut left) = match (sla, calendar) {
        (Duration::Elapsed(span) | Duration::Business(BusinessTime::Open(span)), _) => (running, span),
        (Duration::Business(time), Some(calendar)) => {
            (running, calendar.open_between(running, calendar.add(running, time).due_at))
        }
        (Duration::Business(time), None) => panic!("`{time}` has no calendar"),
    };
    for pause in over.iter().filter(|pause| pause.to > running) {
        let used = passes(at, pause.from);
        if used >= left {
            break;
        }
        (at, left) = (pause.to, left - used);
    }
    after(at, left)
}

/// The record with its detail, if it is a breach.
fn breach(record: &Record) -> Option<(&Record, &Breached)> {
    if let Fact::SlaBreached(breach) = &record.fact { Some((record, breach)) } else { None }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn rule_2_clock_stops_only_on_verified_outcome(world in world()) {
        for (step, after, records) in changes(&world) {
            let resumes = records.iter().any(|record| matches!(record.fact, Fact::Resumed(_)));
            for (old, new) in step.before.outcomes.iter().zip(&after.outcomes) {
                if clock(old).is_some() && resumes {
                    prop_assert!(clock(old) <= clock(new), "a pause made it earlier");
                } else if clock(old).is_some() {
                    prop_assert_eq!(clock(old), clock(new), "{:?}", step.command);
                }
                if old.status == OutcomeStatus::Done {
                    prop_assert_eq!((new.status, new.done_at), (old.status, old.done_at));
                }
            }
            let verifies = match &step.command.action {
                Action::Observe(_) | Action::TakeParked(_) | Action::CompleteOutcome { .. } => true,
                Action::Retrigger(_) | Action::Acknowledge | Action::Reassign { .. } | Action::FailOutcome { .. }
                | Action::PassCheck { .. } | Action::FailCheck { .. } | Action::OpenException { .. }
                | Action::ResolveException { .. } | Action::Note(_) | Action::Pause(_) | Action::Resume
                | Action::Cancel(_) | Action::Close(_) | Action::ReportDelivery(_) | Action::Tick => false,
            };
            prop_assert!(verifies || done(&step.before) == done(after), "{:?}", step.command);
        }
    }

    #[test]
    fn rule_2_every_deadline_is_its_start_and_the_sla(world in world()) {
        for (outcome, spec) in world.run.outcomes.iter().zip(&world.flow.document.outcomes) {
            let done_at = |id: &String| world.run.outcomes.iter().find(|o| o.id == *id).and_then(|o| o.done_at);
            let before: Option<Vec<Time>> = spec.after.iter().map(done_at).collect();
            // No clock of a run starts before the run.
            let opened_at = world.run.opened_at;
            let content = world.run.checks.iter().filter(|check| check.kind == CheckKind::Content);
            let passed: Option<Vec<Time>> = content.map(|check| check.passed_at).collect();
            let start = before.zip(passed).and_then(|(before, passed)| {
                before.into_iter().chain(passed).chain([opened_at]).max()
            });
            // What is done before a pause is over is not moved by it; whether it was in time, rule 5 says.
            let due = start.map(|start| (start, due_at(&world, spec.sla, start)));
            let moved = outcome.status == OutcomeStatus::Done && !world.run.pauses.is_empty();
            prop_assert!(moved || clock(outcome) == due, "{}: {:?}, not {:?}", outcome.id, clock(outcome), due);
        }
    }

    #[test]
    fn rule_5_breach_recorded_once_with_deadline(mut world in world()) {
        world.lives_on(3);
        for outcome in &world.run.outcomes {
            let breaches: Vec<_> = world.trail.iter().filter_map(breach).filter(|(_, b)| b.outcome == outcome.id).collect();
            prop_assert!(breaches.len() <= 1);
            for (record, breach) in &breaches {
                prop_assert_eq!(Some(breach.due_at), clock(outcome).map(|(_, due)| due));
                prop_assert_eq!(breach.detected_at, record.at);
                prop_assert!(breach.detected_at >= breach.due_at);
            }
            let undone = world.run.is_open() && outcome.status != OutcomeStatus::Done;
            let is_over = |due: Time| due <= world.run.last_at && !world.run.stands_still(due);
            let overdue = undone && clock(outcome).is_some_and(|(_, due)| is_over(due));
            prop_assert!(!overdue || breaches.len() == 1, "{} is overdue and nobody saw it", outcome.id);
            if let (Some((_, due)), Some(done_at)) = (clock(outcome), outcome.done_at) {
                let paused = world.run.pauses.iter().any(|pause| pause.from < due && pause.from <= done_at);
                prop_assert!(outcome.met == Some(done_at <= due) || paused && outcome.met == Some(true));
            }
        }
    }

    #[test]
    fn rule_5_a_breach_has_a_ticket_until_it_is_verified(world in world()) {
        for (_, run, _) in changes(&world) {
            for exception in &run.exceptions {
                let outcome = run.outcomes.iter().find(|o| Some(&o.id) == exception.outcome.as_ref());
                let over = outcome.is_some_and(|o| o.status == OutcomeStatus::Done) || !run.is_open();
                if exception.kind == ExceptionKind::SlaBreached && over {
                    prop_assert!(exception.resolved_at.is_some());
                }
            }
        }
    }

    #[test]
    fn rule_9_a_pause_stops_outcome_clocks_only_and_resumes_when_its_budget_is_spent(mut world in world()) {
        for (step, after, records) in changes(&world) {
            let [record] = records else { continue };
            if matches!(record.fact, Fact::Paused(_) | Fact::Resumed(_)) {
                // The owner who pauses shows that the run is in hand: that renews the lease, and nothing else.
                let window = |run: &Run| run.ack.clone().map(|ack| Acknowledgement { lease: None, ..ack });
                prop_assert_eq!(window(&step.before), window(after));
                prop_assert_eq!(after.pause().is_some(), matches!(record.fact, Fact::Paused(_)));
            }
        }
        world.lives_on(3);
        prop_assert!(world.run.pause().is_none());
        let budget = world.flow.document.pause.as_ref().unwrap().budget;
        prop_assert!(world.run.paused_within(world.run.opened_at, world.now) <= budget);
        let mut paused: Option<(Time, Time)> = None;
        for record in &world.trail {
            if let Fact::Paused(it) = &record.fact {
                prop_assert!(paused.is_none() && !it.reason.is_empty() && it.until > record.at);
                paused = Some((record.at, it.until));
            } else if let Fact::Resumed(it) = &record.fact {
                let (from, until) = paused.take().unwrap();
                prop_assert!(from <= it.resumed_at && it.resumed_at <= until);
                prop_assert!(record.actor.kind == ActorKind::Person || it.resumed_at == until);
            } else if let (Fact::SlaBreached(breach), Some((from, _))) = (&record.fact, paused) {
                prop_assert!(breach.due_at <= from, "a clock ran on in a pause");
            }
        }
    }

    #[test]
    fn rule_12_next_due_always_set_while_open_and_a_tick_then_makes_progress(mut world in world()) {
        for (_, run, _) in changes(&world) {
            prop_assert_eq!(run.next_due().is_some(), run.is_open());
        }
        for _ in 0..40 {
            let Some((due, _)) = world.run.next_due() else { break };
            world.now = due.max(world.now);
            let version = world.run.version;
            world.gives(Command {
                action: Action::Tick,
                actor: Actor::system("sla-check"),
                if_version: None,
                cause: None,
            });
            prop_assert!(world.run.version > version, "a tick at {due} did nothing");
            prop_assert!(world.run.next_due().is_some_and(|(next, _)| next > world.now), "and left something due");
        }
    }
}
