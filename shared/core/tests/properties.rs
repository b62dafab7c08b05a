//! The rules of a run (docs/ARCHITECTURE.md), whatever happens in whatever order. A test's name begins with its rule.

use std::collections::BTreeSet;

use meshline_core::command::{Action, Command};
use meshline_core::config::flow::{ExceptionKind, Ladder};
use meshline_core::config::qa::CheckKind;
use meshline_core::decide::decide;
use meshline_core::duration::{BusinessTime, Duration};
use meshline_core::event::Event;
use meshline_core::record::{Actor, ActorKind, Breached, Fact, OwnerRole, Record};
use meshline_core::run::{Acknowledgement, CheckStatus, Outcome, OutcomeStatus, Run, Status};
use meshline_core::time::{Span, Time};
use proptest::prelude::*;

use crate::support::chance::{Happening, Step, World, opened, signal, world};

/// Quick enough for every build; two and a half thousand found nothing more.
const CASES: u32 = 64;

/// The signals of [`rule_6`](rule_6_signals_lead_to_the_same_state_in_any_order): outcomes and checks.
const SAID: [&str; 7] = ["o0", "o1", "o2", "o3", "c0", "c1", "r0"];

fn done(run: &Run) -> BTreeSet<&str> {
    let done = run.outcomes.iter().filter(|outcome| outcome.status == OutcomeStatus::Done);
    done.map(|outcome| outcome.id.as_str()).collect()
}

/// Start and deadline: what no one but the clock's own start may set.
fn clock(outcome: &Outcome) -> Option<(Time, Time)> {
    outcome.clock.as_ref().map(|clock| (clock.started_at, clock.due_at))
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

/// The decisions that changed something, each with the run before.
fn changes(world: &World) -> impl Iterator<Item = (&Step, &Run, &[Record])> {
    world.steps.iter().filter_map(|step| {
        let decision = step.result.as_ref().ok()?;
        (!decision.records.is_empty()).then_some((step, &decision.run, decision.records.as_slice()))
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: CASES, ..ProptestConfig::default() })]

    #[test]
    fn rule_1_one_owner_at_every_moment(world in world()) {
        let mut owner: Option<String> = None;
        let mut since = None;
        for record in &world.trail {
            if let Fact::RunOpened(opened) = &record.fact {
                owner = Some(opened.owner.clone());
                since = Some(opened.opened_at);
                let gap = world.trail.iter().any(|record| matches!(&record.fact, Fact::ExceptionOpened(x)
                    if x.kind == ExceptionKind::OwnershipGap && record.seq == 2));
                prop_assert_eq!(gap, opened.role == OwnerRole::Assigned);
            }
            if let Fact::Reassigned(new) = &record.fact {
                prop_assert_eq!(Some(&new.from), owner.as_ref());
                prop_assert_ne!(&new.from, &new.to);
                owner = Some(new.to.clone());
                since = Some(record.at);
            }
        }
        prop_assert_eq!(Some(&world.run.owner.id), owner.as_ref());
        prop_assert_eq!(Some(world.run.owner.since), since);
        let custody = world.run.custody();
        for pair in custody.windows(2) {
            prop_assert_eq!(pair[0].to, Some(pair[1].from), "a gap in the custody");
        }
        prop_assert_eq!((custody[0].from, custody[custody.len() - 1].to), (world.run.opened_at, None));
    }

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
                | Action::Cancel(_) | Action::Close(_) | Action::Tick => false,
            };
            prop_assert!(verifies || done(&step.before) == done(after), "{:?}", step.command);
        }
    }

    #[test]
    fn rule_2_every_deadline_is_its_start_and_the_sla(world in world()) {
        for (outcome, spec) in world.run.outcomes.iter().zip(&world.flow.document.outcomes) {
            let done_at = |id: &String| world.run.outcomes.iter().find(|o| o.id == *id).and_then(|o| o.done_at);
            let before: Option<Vec<Time>> = spec.after.iter().map(done_at).collect();
            let opened_at = spec.after.is_empty().then_some(world.run.opened_at);
            let content = world.run.checks.iter().filter(|check| check.kind == CheckKind::Content);
            let passed: Option<Vec<Time>> = content.map(|check| check.passed_at).collect();
            let start = before.zip(passed).and_then(|(before, passed)| {
                before.into_iter().chain(passed).chain(opened_at).max()
            });
            // What is done before a pause is over is not moved by it; whether it was in time, rule 5 says.
            let due = start.map(|start| (start, due_at(&world, spec.sla, start)));
            let moved = outcome.status == OutcomeStatus::Done && !world.run.pauses.is_empty();
            prop_assert!(moved || clock(outcome) == due, "{}: {:?}, not {:?}", outcome.id, clock(outcome), due);
        }
    }

    #[test]
    fn rule_3_each_window_is_missed_at_most_once_and_only_unacknowledged(mut world in world()) {
        world.lives_on(3);
        let mut window: Option<Time> = None;
        for record in &world.trail {
            let next = if let Fact::RunOpened(opened) = &record.fact {
                opened.acknowledge_by
            } else if let Fact::Reassigned(new) = &record.fact {
                new.acknowledge_by
            } else if let Fact::AcknowledgementMissed(missed) = &record.fact {
                prop_assert_eq!(Some(missed.due_at), window);
                prop_assert!(record.at >= missed.due_at);
                None
            } else if let Fact::AcknowledgementLapsed(lapsed) = &record.fact {
                Some(lapsed.acknowledge_by)
            } else {
                window.filter(|_| !matches!(record.fact, Fact::Acknowledged(_)))
            };
            window = next;
        }
        let over = window.is_some_and(|due| world.run.is_open() && due <= world.run.last_at);
        prop_assert!(!over || world.run.ack.as_ref().is_some_and(|ack| ack.at.is_some()));
    }

    #[test]
    fn rule_3_an_acknowledgement_lapses_once_its_lease_has_passed_without_progress(mut world in world()) {
        world.lives_on(3);
        let terms = world.flow.document.acknowledge.clone();
        let (mut owner, mut until) = (String::new(), None);
        for record in &world.trail {
            let progress = record.actor.kind == ActorKind::Person && record.actor.id == owner
                || matches!(record.fact, Fact::OutcomeDone(_) | Fact::CheckPassed(_) | Fact::ExceptionResolved(_));
            let lease = terms.as_ref().and_then(|terms| terms.lease);
            if let Fact::RunOpened(opened) = &record.fact {
                owner = opened.owner.clone();
            } else if let Fact::Reassigned(new) = &record.fact {
                (owner, until) = (new.to.clone(), None);
            } else if let Fact::Acknowledged(acknowledged) = &record.fact {
                until = lease.map(|lease| record.at + lease);
                prop_assert_eq!(acknowledged.lease_until, until);
            } else if let Fact::AcknowledgementLapsed(lapsed) = &record.fact {
                prop_assert_eq!(Some(lapsed.due_at), until.take());
                prop_assert!(record.at >= lapsed.due_at);
                let Duration::Elapsed(within) = terms.as_ref().unwrap().within else { unreachable!() };
                prop_assert_eq!(lapsed.acknowledge_by, lapsed.due_at + within);
            } else if let (Some(_), Some(lease), true) = (until, lease, progress) {
                until = Some(record.at + lease);
            }
        }
        prop_assert_eq!(world.run.ack.as_ref().and_then(|ack| Some(ack.lease.as_ref()?.until)), until);
        prop_assert!(!world.run.is_open() || until.is_none_or(|until| until > world.now), "nobody saw it lapse");
    }

    #[test]
    fn rule_3_a_ladder_hands_over_at_most_once_per_step(mut world in world()) {
        world.lives_on(3);
        // A step's hand-over stands right before the step itself.
        for pair in world.trail.windows(2) {
            let by_ladder = pair[0].actor.kind == ActorKind::System && matches!(pair[0].fact, Fact::Reassigned(_));
            prop_assert!(!by_ladder || matches!(pair[1].fact, Fact::Escalated(_)), "{:?}", pair);
        }
    }

    #[test]
    fn rule_4_each_step_fires_at_most_once_and_none_is_skipped(mut world in world()) {
        world.lives_on(3);
        let mut next = std::collections::BTreeMap::new();
        for record in &world.trail {
            let fired = if let Fact::Escalated(fired) = &record.fact {
                Some((fired.ladder, fired.outcome.clone().or(fired.exception.clone()), fired.step))
            } else if let Fact::StepEmpty(empty) = &record.fact {
                Some((empty.ladder, empty.outcome.clone().or(empty.exception.clone()), empty.step))
            } else {
                None
            };
            let Some((ladder, about, step)) = fired else { continue };
            let expected = next.entry((ladder, about)).or_insert(0);
            prop_assert_eq!(step, *expected);
            *expected += 1;
            prop_assert!(step < world.flow.document.ladder(ladder).len());
        }
        if world.run.is_open() {
            for late in world.run.open_exceptions().filter(|exception| exception.recovery_breached) {
                let climbed = next.get(&(Ladder::Recovery, Some(late.id.clone()))).copied().unwrap_or(0);
                let left = world.flow.document.ladder(Ladder::Recovery).len() - climbed;
                prop_assert!(left == 0 || late.ladder.at.is_some_and(|at| at > world.now), "{} is stuck", late.id);
            }
        }
    }

    #[test]
    fn rule_4_a_step_never_fires_before_its_time_unless_one_before_it_was_empty(mut world in world()) {
        world.lives_on(3);
        for record in &world.trail {
            let Fact::Escalated(fired) = &record.fact else { continue };
            prop_assert!(record.at >= fired.due_at);
            let skipped = world.trail.iter().any(|r| matches!(&r.fact, Fact::StepEmpty(e) if e.ladder == fired.ladder));
            // Of a ladder that a second miss finds in the middle, the deadline here is not the one that it began with.
            let from_the_start = fired.ladder != Ladder::NotAcknowledged;
            let after = world.flow.document.ladder(fired.ladder)[fired.step].after;
            let calendar = world.calendar.as_ref().map(|calendar| calendar.document.as_ref());
            let due = after.end(fired.due_at, calendar);
            prop_assert!(skipped || !from_the_start || record.at >= due, "{record:?}, due {due}");
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

    #[test]
    fn rule_7_nothing_after_close_but_notes(world in world()) {
        let ended = world.trail.iter().position(|r| matches!(r.fact, Fact::RunClosed(_) | Fact::RunCancelled(_)));
        let after = ended.map_or(&[][..], |end| &world.trail[end + 1..]);
        prop_assert!(after.iter().all(|record| matches!(record.fact, Fact::NoteAdded(_))));
        prop_assert_eq!(ended.is_none(), world.run.is_open());
        prop_assert!(world.run.is_open() || world.run.open_exceptions().next().is_none());
    }

    #[test]
    fn rule_8_fold_of_trail_is_the_run(world in world()) {
        let text: String = world.trail.iter().map(|record| serde_json::to_string(record).unwrap() + "\n").collect();
        let read: Vec<Record> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        prop_assert_eq!(&read, &world.trail);
        let json = |run: &Run| serde_json::to_string(run).unwrap();
        for (_, run, _) in changes(&world) {
            let n = run.version as usize;
            prop_assert_eq!(json(&Run::fold(&world.trail[..n]).unwrap()), json(run));
            prop_assert_eq!(json(&Run::fold(&read[..n]).unwrap()), json(run));
        }
        prop_assert_eq!(serde_json::from_str::<Run>(&json(&world.run)).unwrap(), world.run);
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
    fn rule_11_the_same_cause_acts_once(world in world()) {
        let mut last = world.run.clone();
        for step in world.steps.iter().filter(|step| step.command.cause.is_some()) {
            let acted = step.result.as_ref().is_ok_and(|decision| {
                decision.records.iter().any(|record| record.cause == step.command.cause)
            });
            if acted {
                let again = decide(&last, world.context(), &step.command, world.now + Span::days(9)).unwrap();
                prop_assert_eq!(again.records, vec![]);
                last = again.run;
            }
        }
        prop_assert_eq!(last, world.run);
        let causes: Vec<&String> = world.trail.iter().filter_map(|record| record.cause.as_ref()).collect();
        prop_assert_eq!(causes.iter().collect::<BTreeSet<_>>().len(), causes.len());
    }

    #[test]
    fn rule_11_what_a_person_did_carries_their_name_and_key(world in world()) {
        for (step, _, records) in changes(&world) {
            let theirs = records.iter().filter(|record| record.actor == step.command.actor);
            if step.command.actor.kind == ActorKind::Person {
                let causes: Vec<_> = theirs.map(|record| record.cause.clone()).collect();
                prop_assert_eq!(causes, vec![step.command.cause.clone()], "{:?}", step.command);
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

    #[test]
    fn rule_13_time_never_runs_backwards(world in world()) {
        for pair in world.trail.windows(2) {
            prop_assert!(pair[0].at <= pair[1].at);
        }
        for (step, run, records) in changes(&world) {
            prop_assert!(records.iter().all(|record| record.at == step.now.max(step.before.last_at)));
            prop_assert_eq!(run.last_at, records[records.len() - 1].at);
        }
    }

    #[test]
    fn a_refused_command_and_a_tick_too_early_change_nothing(world in world()) {
        let Some((due, _)) = world.run.next_due() else { return Ok(()) };
        let mut early = world.clone();
        early.now = due - Span::from_ms(1);
        early.happens(&(0, None, Happening::Tick));
        prop_assert_eq!(early.run == world.run, early.now < due && world.run.last_at < due);
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
