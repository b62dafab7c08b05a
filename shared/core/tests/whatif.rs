//! What if: the same life under another flow.

use std::collections::BTreeMap;

use insta::assert_snapshot;
use meshline_core::command::Action;
use meshline_core::config::Versioned;
use meshline_core::config::directory::Directory;
use meshline_core::config::flow::Flow;
use meshline_core::decide::Context;
use meshline_core::event::Event;
use meshline_core::parked::Parked;
use meshline_core::route::Candidate;
use meshline_core::time::Time;
use meshline_core::whatif::{Comparison, Life, Pair, Summary, compare};
use proptest::prelude::*;

use crate::support::chance::{Happening, World, moves, opened};
use crate::support::story::Story;
use crate::support::{FLOW, at, bundle, good, property, publish};

impl Story {
    /// What would have become of the run under `flow`, given the events about its subject.
    fn under(&self, flow: &str, events: &[Event], parked: &[Parked], now: &str) -> Comparison {
        let config = good(&bundle(flow));
        let new = config.flows.values().next().unwrap();
        let context =
            Context { flow: new, calendar: config.calendar_of(&new.document), directory: &config.people() };
        let runs = [Candidate { run: self.run(), flow: &self.flow.document }];
        let life = Life { run: self.run(), trail: &self.trail, events, parked, runs: &runs };
        compare(life, context, at(now)).unwrap()
    }
}

fn flow(old: &str, new: &str) -> String {
    assert!(FLOW.contains(old), "the example has no `{old}`");
    FLOW.replacen(old, new, 1)
}

/// A post that is published at nine, acknowledged and tagged, with its deck completed by hand.
fn kept() -> (Story, Vec<Event>) {
    let mut story = Story::new();
    story.published("23 09:00").person("23 09:10", "ana", Action::Acknowledge).tagged("23 10:30");
    story.completes("24 09:00", "ana", "sales-deck");
    let tag = property("tag at 23 10:30", "campaign_tag", "spring", at("23 10:30"));
    (story, vec![publish("p1", at("23 09:00")), tag])
}

fn differences(comparison: &Comparison) -> String {
    let skipped = comparison.skipped.iter();
    let skipped = skipped.map(|it| format!("skipped: {} by {}: {}", it.what, it.by, it.why));
    comparison.differences.iter().cloned().chain(skipped).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_same_flow_makes_no_difference() {
    let (story, events) = kept();
    let comparison = story.under(FLOW, &events, &[], "30 09:00");
    assert_eq!(differences(&comparison), "");
    assert_eq!(comparison.would_be.as_ref(), Some(&comparison.was));
}

#[test]
fn a_shorter_sla_breaches_and_tells_people() {
    let (story, events) = kept();
    let comparison = story.under(&flow("sla: 2h", "sla: 1h"), &events, &[], "30 09:00");
    assert_snapshot!(differences(&comparison), @r"
    the run: met -> missed
    `crm-tag` due: 2026-11-23T11:00:00.000Z -> 2026-11-23T10:00:00.000Z
    `crm-tag` would have breached at 2026-11-23T10:00:00.000Z
    step 0 of the ladder `breached` of `crm-tag` would have told dev, eve at 2026-11-23T10:00:00.000Z
    exceptions `sla_breached`: 0 -> 1
    ");
    let again = story.under(&flow("sla: 2h", "sla: 1h"), &events, &[], "30 09:00");
    let lost = Comparison { would_be: None, ..comparison.clone() };
    let summary = Summary::of(&[comparison, again, lost]);
    let pair = |was, would_be| Pair { was, would_be };
    assert_eq!((summary.runs, summary.met, summary.breaches), (pair(3, 2), pair(3, 0), pair(0, 2)));
    let told = ["dev", "eve"].map(|who| (who.to_owned(), pair(0, 2)));
    assert_eq!((summary.escalations, summary.told), (pair(0, 2), BTreeMap::from(told)));
}

/// The same post under an SLA of an hour, which was breached at ten; then the tag came.
fn late() -> (Story, Vec<Event>) {
    let mut story = Story::of(&flow("sla: 2h", "sla: 1h"));
    story.published("23 09:00").person("23 09:10", "ana", Action::Acknowledge).tick("23 10:00");
    story.tagged("23 10:30").completes("24 09:00", "ana", "sales-deck");
    let tag = property("tag at 23 10:30", "campaign_tag", "spring", at("23 10:30"));
    (story, vec![publish("p1", at("23 09:00")), tag])
}

#[test]
fn a_longer_sla_breaches_nothing_and_tells_nobody() {
    let (story, events) = late();
    assert_snapshot!(differences(&story.under(FLOW, &events, &[], "30 09:00")), @"
    the run: missed -> met
    `crm-tag` due: 2026-11-23T10:00:00.000Z -> 2026-11-23T11:00:00.000Z
    `crm-tag` would not have breached at 2026-11-23T10:00:00.000Z
    step 0 of the ladder `breached` of `crm-tag` would not have told dev, eve
    exceptions `sla_breached`: 1 -> 0
    ");
}

#[test]
fn other_people_are_told_and_own_what_the_changed_flow_names() {
    let (story, events) = late();
    let changed = flow("sla: 2h", "sla: 1h")
        .replacen("owner: role:revops", "owner: role:head-of-ops", 1)
        .replacen("notify: [owner, role:ops-lead], severity: high", "notify: [owner], severity: high", 1);
    assert_snapshot!(differences(&story.under(&changed, &events, &[], "30 09:00")), @"
    `crm-tag` owned by: role:revops -> role:head-of-ops
    step 0 of the ladder `breached` of `crm-tag` told: dev, eve -> fay
    ");
    let off = flow("sla: 2h", "sla: 1h").replacen("kind: Flow", "kind: Flow\nenabled: false", 1);
    assert_snapshot!(differences(&story.under(&off, &events, &[], "30 09:00")), @"step 0 of the ladder `breached` of `crm-tag` told: dev, eve -> nobody");
}

#[test]
fn outcomes_of_the_run_s_owner_change_hands_with_the_run() {
    let (story, events) = kept();
    assert_snapshot!(differences(&story.under(&flow("within: 4h", "within: 5m"), &events, &[], "30 09:00")), @"
    step 0 of the ladder `not_acknowledged` would have told ana, cara at 2026-11-23T09:05:00.000Z
    owned by: ana -> ana, cara
    ");
}

#[test]
fn what_people_did_to_an_outcome_that_is_gone_is_skipped_and_named() {
    let (story, events) = kept();
    let renamed = flow("id: sales-deck", "id: deck");
    assert_snapshot!(differences(&story.under(&renamed, &events, &[], "30 09:00")), @r"
    the run: met -> missed
    status: closed -> active
    `deck` would have been expected
    `sales-deck` would not have been expected
    step 0 of the ladder `breached` of `deck` would have told ana, eve at 2026-11-25T10:30:00.000Z
    step 0 of the ladder `recovery` of `sla_breached` of `deck` would have told eve at 2026-11-26T10:30:00.000Z
    step 1 of the ladder `breached` of `deck` would have told fay, ops-pager at 2026-11-27T10:30:00.000Z
    step 0 of the ladder `not_acknowledged` would have told cara at 2026-11-27T14:30:00.000Z
    step 1 of the ladder `not_acknowledged` would have told eve at 2026-11-27T18:30:00.000Z
    owned by: ana -> ana, cara
    exceptions `sla_breached`: 0 -> 1
    skipped: outcome_done by ana: there is no outcome `sales-deck`
    ");
}

#[test]
fn a_trigger_that_does_not_match_any_more_opens_nothing() {
    let (story, events) = kept();
    let comparison =
        story.under(&flow("type: [Entry.publish]", "type: [Entry.create]"), &events, &[], "30 09:00");
    assert_snapshot!(differences(&comparison), @"`Entry.publish` would not have opened it");
    assert_eq!(comparison.would_be, None);
    let comparison = story.under(FLOW, &[], &[], "30 09:00");
    assert_snapshot!(differences(&comparison), @"its trigger is not kept any more: it cannot be decided again");
}

#[test]
fn a_signal_from_before_the_trigger_is_taken_as_route_takes_it() {
    let tag = |when| property("early", "campaign_tag", "spring", at(when));
    let story = || {
        let mut story = Story::new();
        story.published("23 09:00").tick("23 11:00");
        story
    };
    let events = |tag: &Event| vec![tag.clone(), publish("p1", at("23 09:00"))];
    let (recent, old) = (tag("23 08:50"), tag("23 07:00"));
    let done = |comparison: Comparison| comparison.would_be.unwrap().outcomes[0].done_at;
    assert_eq!(done(story().under(FLOW, &events(&recent), &[], "23 12:00")), Some(at("23 08:50")));
    assert_eq!(done(story().under(FLOW, &events(&old), &[], "23 12:00")), None);
    let parked = Parked::new(&old, vec!["blog-launch".to_owned()]);
    assert_eq!(done(story().under(FLOW, &events(&old), &[parked], "23 12:00")), Some(at("23 07:00")));
}

#[test]
fn a_signal_from_before_the_trigger_stays_with_the_run_that_took_it() {
    let tag = property("early", "campaign_tag", "spring", at("23 08:50"));
    let events = [publish("p0", at("23 08:30")), tag.clone(), publish("p1", at("23 09:00"))];
    let (mut taker, mut later) = (Story::new(), Story::new());
    taker.published("23 09:00").observes(&tag, "23 09:00").tick("23 12:00");
    assert_eq!(differences(&taker.under(FLOW, &events[1..], &[], "23 12:00")), "", "it took it itself");

    let mut older = Story::new();
    older.opens(&events[0], at("23 08:30")).observes(&tag, "23 08:50");
    later.published("23 09:00").tick("23 10:00");
    let config = good(&bundle(FLOW));
    let flow = &config.flows["blog-launch"];
    let context = Context { flow, calendar: None, directory: &config.people() };
    let runs = [&older, &later].map(|story| Candidate { run: story.run(), flow: &flow.document });
    let life = Life { run: later.run(), trail: &later.trail, events: &events, parked: &[], runs: &runs };
    assert_eq!(differences(&compare(life, context, at("23 10:00")).unwrap()), "", "an older run took it");
}

#[test]
fn an_exception_that_was_resolved_by_hand_is_resolved_under_the_id_it_has_there() {
    let (manual, because) = (meshline_core::config::flow::ExceptionKind::Manual, || "because".to_owned());
    let mut story = Story::new();
    story.published("23 09:00").person("23 09:10", "ana", Action::Acknowledge);
    story.person("23 10:00", "ana", Action::OpenException { kind: manual, outcome: None, reason: because() });
    let exception = story.run().exceptions[0].id.clone();
    story.tagged("23 10:30").resolves("23 10:45", "ana", &exception).completes(
        "24 09:00",
        "ana",
        "sales-deck",
    );
    let tag = property("tag at 23 10:30", "campaign_tag", "spring", at("23 10:30"));
    let events = [publish("p1", at("23 09:00")), tag];
    // Two records more before it.
    let comparison = story.under(&flow("sla: 2h", "sla: 30m"), &events, &[], "30 09:00");
    let would_be = comparison.would_be.unwrap();
    assert_eq!((would_be.status, comparison.skipped), (story.run().status, vec![]));
}

/// A run whose clock was looked at whenever something was due, and to which things happened as they came.
fn punctual() -> impl Strategy<Value = World> {
    (opened(), moves()).prop_map(|(mut world, moves)| {
        for (wait, key, what) in moves {
            let wait = wait.max(0);
            let then = world.now + meshline_core::time::Span::minutes(wait);
            while let Some((due, _)) = world.run.next_due().filter(|(due, _)| *due < then) {
                world.now = due.max(world.run.last_at);
                world.happens(&(0, None, Happening::Tick));
            }
            world.now = then;
            world.happens(&(0, key, what));
        }
        world.lives_on(9);
        world
    })
}

/// The events that the run looked at, each id once, as they are kept: the one that had something to say.
fn events(world: &World) -> Vec<Event> {
    let mut events: BTreeMap<String, (bool, Event)> = BTreeMap::new();
    for step in &world.steps {
        let Some(event) = step.command.action.event() else { continue };
        let acted = step.result.as_ref().is_ok_and(|decision| {
            decision.records.iter().any(|record| record.cause.as_deref() == Some(&event.cause()))
        });
        let kept = events.entry(event.key()).or_insert_with(|| (acted, event.clone()));
        if acted && !kept.0 {
            *kept = (true, event.clone());
        }
    }
    let mut events: Vec<Event> = events.into_values().map(|(_, event)| event).collect();
    events.push(publish("p", at("23 09:00")));
    events.sort_by_key(|event| event.received_at);
    events
}

fn again(world: &World, flow: &Versioned<Flow>, directory: &Directory, now: Time) -> Comparison {
    let context = Context { flow, calendar: world.calendar.as_ref(), directory };
    let runs = [Candidate { run: &world.run, flow: &world.flow.document }];
    let events = events(world);
    let life = Life { run: &world.run, trail: &world.trail, events: &events, parked: &[], runs: &runs };
    compare(life, context, now).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happened_the_same_flow_and_people_make_no_difference(world in punctual()) {
        let comparison = again(&world, &world.flow, &world.directory, world.now);
        prop_assert_eq!(&comparison.differences, &Vec::<String>::new());
        prop_assert_eq!(&comparison.skipped, &vec![]);
        prop_assert_eq!(comparison.would_be.as_ref(), Some(&comparison.was));
    }

    #[test]
    fn whatever_happened_it_can_be_decided_again_under_any_other_flow(world in punctual(), other in opened()) {
        prop_assume!(other.calendar.is_none() || world.calendar.is_some());
        let comparison = again(&world, &other.flow, &other.directory, world.now);
        let would_be = comparison.would_be.unwrap();
        prop_assert_eq!(would_be.outcomes.len(), other.flow.document.outcomes.len());
    }
}
