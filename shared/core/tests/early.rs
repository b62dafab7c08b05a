//! Signals that come before their trigger: which of them the run takes that is opened at last.

use meshline_core::command::{Action, Command};
use meshline_core::config::flow::Flow;
use meshline_core::decide::{Context, decide, open};
use meshline_core::event::Event;
use meshline_core::id::run_id;
use meshline_core::parked::Parked;
use meshline_core::record::Actor;
use meshline_core::route::{Candidate, Router, Step, early, finds_no_run, opened};
use meshline_core::run::Run;

use crate::support::{FLOW, at, bundle, good, property, publish};

/// The example flow, and the run of a publish at nine.
fn story() -> (meshline_core::config::Versioned<Flow>, Event, Run) {
    let config = good(&bundle(FLOW));
    let flow = config.flows["blog-launch"].clone();
    let trigger = publish("p1", at("23 09:00"));
    let directory = config.people();
    let run =
        open(Context { flow: &flow, calendar: None, directory: &directory }, &trigger, at("23 09:00")).run;
    (flow, trigger, run)
}

/// The ids of the signals that the run of `trigger` looks at, each with whether it was parked.
fn taken(
    trigger: &Event,
    run: &Run,
    events: &[Event],
    parked: &[Parked],
    runs: &[Candidate<'_>],
) -> Vec<(String, bool)> {
    let steps = early(trigger, std::slice::from_ref(&run.run), events, parked, runs);
    let signal = |step: Step| {
        let Step::Command { run: of, command } = step else { panic!("nothing is to be opened") };
        assert_eq!(of, run.run);
        if let Action::TakeParked(event) = &command.action {
            return (event.id.clone(), true);
        }
        let Action::Observe(event) = command.action else { panic!("it is no signal") };
        (event.id.clone(), false)
    };
    steps.into_iter().map(signal).collect()
}

#[test]
fn a_run_takes_signals_of_the_quarter_of_an_hour_before_it_and_older_ones_only_from_where_they_are_parked() {
    let (_, trigger, run) = story();
    let events = [
        property("at-the-limit", "campaign_tag", "spring", at("23 08:45")),
        property("too-old", "campaign_tag", "spring", at("23 08:44:59.999")),
        property("old-and-parked", "campaign_tag", "spring", at("22 08:00")),
        trigger.clone(),
    ];
    let parked = [Parked::new(&events[2], vec!["blog-launch".to_owned()])];
    let found = taken(&trigger, &run, &events, &parked, &[]);
    assert_eq!(found, [("at-the-limit".to_owned(), false), ("old-and-parked".to_owned(), true)]);
}

#[test]
fn a_clock_that_a_parked_signal_starts_begins_with_the_run_and_not_with_the_signal() {
    let (flow, _, run) = story();
    let directory = good(&bundle(FLOW)).people();
    let signal = property("old-and-parked", "campaign_tag", "spring", at("22 08:00"));
    let command = Command {
        action: Action::TakeParked(Box::new(signal)),
        actor: Actor::source("hubspot"),
        if_version: None,
        cause: None,
    };
    let context = Context { flow: &flow, calendar: None, directory: &directory };
    let run = decide(&run, context, &command, at("23 09:00")).unwrap().run;
    let started = run.outcomes.iter().filter_map(|outcome| outcome.clock.as_ref()).map(|it| it.started_at);
    let started: Vec<_> = started.collect();
    assert_eq!(started, vec![run.opened_at; run.outcomes.len()], "also what waited for it");
}

#[test]
fn a_signal_that_another_run_has_seen_is_not_taken_again() {
    let (flow, trigger, run) = story();
    let seen = property("seen", "campaign_tag", "spring", at("23 08:50"));
    let mut other = run.clone();
    other.seen.push_back(meshline_core::id::mark(&seen.cause()));
    let candidates = [Candidate { run: &other, flow: &flow.document }];
    assert_eq!(taken(&trigger, &run, std::slice::from_ref(&seen), &[], &candidates), []);
    assert_eq!(taken(&trigger, &run, std::slice::from_ref(&seen), &[], &[]), [("seen".to_owned(), false)]);
}

#[test]
fn a_run_counts_as_opened_by_an_event_now_and_whenever_it_is_looked_at_again() {
    let (flow, trigger, run) = story();
    let flows = [flow.document.as_ref()];
    let open = [Step::Open { flow: "blog-launch".to_owned() }];
    let there = [Candidate { run: &run, flow: &flow.document }];
    let id = run_id(&trigger, "blog-launch");
    assert_eq!(opened(&trigger, &flows, &[], &open), std::slice::from_ref(&id));
    assert_eq!(opened(&trigger, &flows, &there, &[]), [id]);
    assert_eq!(opened(&trigger, &flows, &[], &[]), [""; 0], "it joined another run");
    let again = publish("p2", at("23 10:00"));
    assert_eq!(opened(&again, &flows, &there, &[]), [""; 0], "that run is of another publish");
}

#[test]
fn a_signal_waits_only_where_a_flow_may_need_it_and_has_no_run() {
    let (flow, _, run) = story();
    let router = Router::new([flow.document.as_ref()]).unwrap();
    let awaiting = |name: &str| router.awaiting(&property("s", name, "whatever", at("23 08:00"))).unwrap();
    assert_eq!(awaiting("campaign_tag"), ["blog-launch"], "the value is the trigger's to say");
    assert_eq!(awaiting("favourite_colour"), [""; 0]);
    let failed =
        crate::support::event("f", "hubspot", "workflow.failed", at("23 08:00"), serde_json::json!({}));
    assert_eq!(router.awaiting(&failed).unwrap(), ["blog-launch"], "a failure is a signal as well");

    let there = [Candidate { run: &run, flow: &flow.document }];
    let of = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>();
    assert!(finds_no_run(&of(&["blog-launch"]), &[]));
    assert!(finds_no_run(&of(&["lead-form"]), &there), "another flow's run is none for it");
    assert!(!finds_no_run(&of(&["blog-launch"]), &there));
    assert!(!finds_no_run(&of(&["blog-launch", "lead-form"]), &there), "one of them has seen it");
    assert!(!finds_no_run(&[], &[]), "nobody waits for it");
}
