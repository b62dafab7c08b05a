//! Trails, and what may change a run at all: rules 7, 8, 10, 11 and 13.

use std::collections::BTreeSet;

use meshline_core::command::{Action, Command, Rejection};
use meshline_core::config::directory::Directory;
use meshline_core::config::flow::Party;
use meshline_core::decide::decide;
use meshline_core::record::{Actor, ActorKind, Fact, Recipient, Record};
use meshline_core::run::Run;
use meshline_core::time::Span;
use proptest::prelude::*;
use serde_json::json;

use super::{cases, changes};
use crate::support::chance::{Happening, directory, world};

/// Where everybody of a later directory is reached.
const NEW_HOUSE: &str = "@new.example.com";

fn moved_house(directory: &Directory) -> Directory {
    let mut directory = directory.clone();
    for person in &mut directory.people {
        person.email = person.email.as_ref().map(|_| format!("{}{NEW_HOUSE}", person.id));
    }
    directory
}

fn is_report(record: &Record) -> bool {
    matches!(record.fact, Fact::DeliverySucceeded(_) | Fact::DeliveryFailed(_) | Fact::AlertSettled(_))
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn rule_7_nothing_after_close_but_notes_and_what_became_of_messages(world in world()) {
        let ended = world.trail.iter().position(|r| matches!(r.fact, Fact::RunClosed(_) | Fact::RunCancelled(_)));
        let after = ended.map_or(&[][..], |end| &world.trail[end + 1..]);
        let is_allowed = |record: &Record| {
            matches!(record.fact, Fact::NoteAdded(_)) || is_report(record)
        };
        prop_assert!(after.iter().all(is_allowed));
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
    fn rule_10_a_run_keeps_its_versions_and_looks_people_up_in_the_directory_of_the_moment(
        mut world in world(),
        later in directory(),
    ) {
        let (before, n) = (json!(world.run), world.trail.len());
        world.directory = moved_house(&later);
        world.lives_on(3);
        prop_assert_eq!(json!(Run::fold(&world.trail[..n]).unwrap()), before, "what was decided stands");
        prop_assert_eq!(&Run::fold(&world.trail).unwrap(), &world.run);
        for record in &world.trail {
            prop_assert_eq!((record.flow_version, &record.config_hash), (world.flow.version, &world.flow.hash));
        }
        prop_assert_eq!(world.run.calendar_version, world.calendar.as_ref().map(|calendar| calendar.version));
        for (record, is_later) in world.trail.iter().enumerate().map(|(at, record)| (record, at >= n)) {
            let told: &[Recipient] = if let Fact::Escalated(step) = &record.fact { &step.notify } else { &[] };
            for person in told {
                let address = person.email.as_deref().unwrap_or_default();
                prop_assert_eq!(address.ends_with(NEW_HOUSE), is_later, "{:?}", record);
            }
            if let (Fact::Reassigned(new), true) = (&record.fact, is_later) {
                let person = Party::Person(new.to.clone());
                prop_assert!(world.directory.on_duty(&person, record.at, None).is_some(), "{:?}", record);
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
    fn who_saw_a_run_before_the_last_reports_of_messages_is_not_behind(world in world()) {
        let reports = world.trail.iter().rev().take_while(|record| is_report(record)).count() as u64;
        for seen in 0..=world.run.version + 1 {
            let command = Command {
                action: Action::Note("seen".to_owned()), actor: Actor::person("ana"), if_version: Some(seen), cause: None,
            };
            let stale = Rejection::Stale { seen, current: world.run.version };
            let is_behind = decide(&world.run, world.context(), &command, world.now).err() == Some(stale);
            prop_assert_eq!(is_behind, seen > world.run.version || seen + reports < world.run.version);
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
