//! Signals in any order, and checks: rule 6.

use meshline_core::command::{Action, Command};
use meshline_core::config::qa::CheckKind;
use meshline_core::decide::decide;
use meshline_core::event::Event;
use meshline_core::record::{Actor, Fact, Record};
use meshline_core::run::{CheckStatus, Outcome, OutcomeStatus, Status};
use meshline_core::time::Span;
use proptest::prelude::*;

use super::{cases, changes, clock};
use crate::support::chance::{Happening, opened, signal, world};

/// The signals of [`rule_6`](rule_6_signals_lead_to_the_same_state_in_any_order): outcomes and checks.
const SAID: [&str; 7] = ["o0", "o1", "o2", "o3", "c0", "c1", "r0"];

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn rule_6_signals_lead_to_the_same_state_in_any_order(
        opened in opened(),
        said in Just((0..SAID.len()).collect::<Vec<_>>()).prop_shuffle(),
        times in prop::collection::vec(0..4_000_i64, SAID.len()),
        twice in 0..SAID.len(),
        pause in prop::option::of((0..600_i64, 1..600_i64)),
    ) {
        let end = opened.now + Span::days(4);
        let tell = |order: &[usize]| {
            let mut world = opened.clone();
            if let Some((wait, lasts)) = pause {
                world.happens(&(wait, None, Happening::Pause));
                world.happens(&(lasts, None, Happening::Resume));
            }
            for n in order {
                let event = signal(&format!("s{n}"), SAID[*n], opened.now + Span::minutes(times[*n]), 0);
                let decision = decide(&world.run, world.context(), &observe(event), end).unwrap();
                world.run = decision.run;
            }
            world.now = end;
            world.happens(&(0, None, Happening::Tick));
            // The deadline of what is done stands as it did when that was known: before a pause was over, or after.
            let moved = |o: &Outcome| pause.is_some() && o.status == OutcomeStatus::Done;
            let due = |o: &Outcome| clock(o).map(|(start, due)| (start, (!moved(o)).then_some(due)));
            let outcome = |o: &Outcome| (o.id.clone(), o.status, o.met, o.done_at, due(o));
            let outcomes: Vec<_> = world.run.outcomes.iter().map(outcome).collect();
            // What the clock did meanwhile (an acknowledgement missed, nobody there) is not undone by a late signal.
            let checks: Vec<_> = world.run.checks.iter().map(|c| (c.id.clone(), c.passed_at, c.due_at)).collect();
            let waits = [Status::AwaitingQa, Status::Active].map(|status| world.run.status == status);
            (outcomes, checks, waits)
        };
        let mut in_order: Vec<usize> = said.clone();
        in_order.sort_by_key(|n| times[*n]);
        let mut shuffled = said;
        shuffled.push(twice);
        prop_assert_eq!(tell(&in_order), tell(&shuffled));
    }

    #[test]
    fn qa_holds_up_the_outcomes_until_every_content_check_has_passed(world in world()) {
        for (step, run, records) in changes(&world) {
            let passed = run.has_passed(CheckKind::Content);
            prop_assert!(passed || run.outcomes.iter().all(|outcome| outcome.clock.is_none()));
            prop_assert!(passed || records.iter().all(|r| !matches!(r.fact, Fact::OutcomeRequested(_))));
            prop_assert_eq!(run.status == Status::AwaitingQa, run.is_open() && !passed, "{:?}", step.command);
        }
    }

    #[test]
    fn qa_a_run_never_closes_before_every_check_has_passed(world in world()) {
        for (_, run, _) in changes(&world) {
            let all = run.has_passed(CheckKind::Content) && run.has_passed(CheckKind::Routing);
            prop_assert!(all || run.status != Status::Closed);
        }
        for check in &world.run.checks {
            let passed = |r: &&Record| matches!(&r.fact, Fact::CheckPassed(it) if it.check == check.id);
            prop_assert_eq!(world.trail.iter().filter(passed).count(), usize::from(check.passed_at.is_some()));
            prop_assert_eq!(check.status == CheckStatus::Passed, check.passed_at.is_some());
        }
    }

    #[test]
    fn qa_silence_is_told_once_with_its_deadline_and_its_ticket_ends_when_the_check_passes(mut world in world()) {
        world.lives_on(3);
        for check in &world.run.checks {
            let overdue = world.trail.iter().filter_map(|record| {
                if let Fact::CheckOverdue(it) = &record.fact { Some((record, it)) } else { None }
            });
            let overdue: Vec<_> = overdue.filter(|(_, it)| it.check == check.id).collect();
            prop_assert!(overdue.len() <= 1);
            for (record, it) in &overdue {
                prop_assert_eq!(Some(it.due_at), check.due_at);
                prop_assert!(it.detected_at == record.at && record.at >= it.due_at);
            }
            let silent = world.run.is_open() && check.status == CheckStatus::Pending;
            prop_assert!(!silent || check.due_at.is_none_or(|due| due > world.now), "nobody saw the silence");
            let passed_late = check.passed_at.zip(check.due_at).is_some_and(|(at, due)| at > due);
            let failed = world.trail.iter().any(|r| matches!(&r.fact, Fact::CheckFailed(it) if it.check == check.id));
            let early = check.kind == CheckKind::Routing && overdue.is_empty();
            prop_assert!(!passed_late || failed || early || overdue.len() == 1);
            let mut tickets = world.run.exceptions.iter().filter(|x| x.check.as_ref() == Some(&check.id));
            prop_assert!(check.passed_at.is_none() || tickets.all(|ticket| ticket.resolved_at.is_some()));
        }
    }
}

/// A source's event, looked at.
fn observe(event: Event) -> Command {
    Command {
        actor: Actor::source(&event.source),
        if_version: None,
        cause: Some(event.cause()),
        action: Action::Observe(Box::new(event)),
    }
}
