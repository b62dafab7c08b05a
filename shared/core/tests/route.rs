//! From an event to steps: which runs it opens, joins, restarts and cancels, also when it is looked at again.

use meshline_core::command::Action;
use meshline_core::config::Versioned;
use meshline_core::config::directory::Directory;
use meshline_core::config::flow::Flow;
use meshline_core::decide::{Context, decide, open};
use meshline_core::event::Event;
use meshline_core::route::{Candidate, Router, Step, steps};
use meshline_core::run::{Run, Status};

use crate::support::{FLOW, at, bundle, event, good, property, publish};

/// One asset and what became of it.
struct Asset {
    flow: Versioned<Flow>,
    directory: Directory,
    router: Router,
    runs: Vec<Run>,
}

impl Asset {
    /// Under the example flow with this trigger behaviour.
    fn under(behaviour: &str) -> Self {
        let given = "  on_retrigger: join\n  join_within: 24h\n";
        assert!(FLOW.contains(given));
        let config = good(&bundle(&FLOW.replace(given, behaviour)));
        let flow = config.flows["blog-launch"].clone();
        let router = Router::new([flow.document.as_ref()]).unwrap();
        Self { flow, directory: config.people().as_ref().clone(), router, runs: Vec::new() }
    }

    fn steps(&self, event: &Event) -> Vec<Step> {
        let triggered = self.router.triggered(event).unwrap();
        let flows: Vec<&Flow> = triggered.iter().map(|_| self.flow.document.as_ref()).collect();
        let candidates: Vec<Candidate<'_>> =
            self.runs.iter().map(|run| Candidate { run, flow: &self.flow.document }).collect();
        steps(event, &flows, &candidates)
    }

    /// Does the first `n` steps that the event makes necessary, then crashes.
    fn crashes_after(&mut self, n: usize, event: &Event) -> &mut Self {
        for step in self.steps(event).into_iter().take(n) {
            let context = Context { flow: &self.flow, calendar: None, directory: &self.directory };
            match step {
                Step::Open { .. } => {
                    let opened = open(context, event, event.received_at).run;
                    if !self.runs.iter().any(|run| run.run == opened.run) {
                        self.runs.push(opened);
                    }
                }
                Step::Command { run, command } => {
                    let run = self.runs.iter_mut().find(|candidate| candidate.run == run).unwrap();
                    *run = decide(run, context, &command, event.received_at).unwrap().run;
                }
            }
        }
        self
    }

    fn takes(&mut self, event: &Event) -> &mut Self {
        self.crashes_after(usize::MAX, event)
    }

    fn statuses(&self) -> Vec<Status> {
        self.runs.iter().map(|run| run.status).collect()
    }
}

use Status::{Active, Cancelled};

#[test]
fn a_second_publish_joins_the_open_run() {
    let mut asset = Asset::under("");
    asset.takes(&publish("p1", at("23 09:00"))).takes(&publish("p2", at("23 09:30")));
    assert_eq!(asset.statuses(), [Active]);
    assert_eq!(asset.runs[0].version, 3, "opened, requested, retriggered");
    assert_eq!(asset.runs[0].outcomes[0].clock.as_ref().unwrap().due_at, at("23 11:00"), "the clock runs on");
}

#[test]
fn a_publish_later_than_join_within_opens_a_run_beside_the_open_one() {
    let mut asset = Asset::under("  join_within: 24h\n");
    asset.takes(&publish("p1", at("23 09:00"))).takes(&publish("p2", at("24 09:00")));
    assert_eq!(asset.statuses(), [Active]);
    asset.takes(&publish("p3", at("24 09:00:00.001")));
    assert_eq!(asset.statuses(), [Active, Active]);
    let older = asset.runs[0].clone();
    asset.takes(&publish("p4", at("24 10:00")));
    assert_eq!((&asset.runs[0], asset.runs[1].version), (&older, 3), "the newest run is joined");
}

#[test]
fn restart_cancels_the_open_run_and_opens_a_new_one() {
    let mut asset = Asset::under("  on_retrigger: restart\n");
    asset.takes(&publish("p1", at("23 09:00"))).takes(&publish("p2", at("23 09:30")));
    assert_eq!(asset.statuses(), [Cancelled, Active]);
}

#[test]
fn new_opens_a_run_beside_the_open_one() {
    let mut asset = Asset::under("  on_retrigger: new\n");
    asset.takes(&publish("p1", at("23 09:00"))).takes(&publish("p2", at("23 09:30")));
    assert_eq!(asset.statuses(), [Active, Active]);
}

#[test]
fn unpublishing_cancels_open_runs_but_not_those_opened_after_it() {
    let unpublish = |id, when| event(id, "contentful", "Entry.unpublish", at(when), serde_json::json!({}));
    let mut asset = Asset::under("");
    asset.takes(&publish("p1", at("23 09:00"))).takes(&unpublish("u0", "23 08:59"));
    assert_eq!(asset.statuses(), [Active], "it was unpublished before, the news came late");
    asset.takes(&unpublish("u1", "23 09:10"));
    assert_eq!(asset.statuses(), [Cancelled]);
    asset.takes(&publish("p2", at("23 09:20")));
    assert_eq!(asset.statuses(), [Cancelled, Active], "a later publish opens a new run");
}

#[test]
fn events_of_other_systems_cancel_and_trigger_nothing() {
    let mut asset = Asset::under("");
    let forged = Event { source: "hubspot".to_owned(), ..publish("p1", at("23 09:00")) };
    assert_eq!(asset.steps(&forged), []);
    asset.takes(&publish("p1", at("23 09:00")));
    asset.takes(&event("u1", "hubspot", "Entry.unpublish", at("23 09:10"), serde_json::json!({})));
    assert_eq!(asset.statuses(), [Active]);
}

#[test]
fn an_event_that_is_looked_at_again_changes_nothing_whatever_the_behaviour() {
    for behaviour in ["", "  join_within: 24h\n", "  on_retrigger: restart\n", "  on_retrigger: new\n"] {
        let mut asset = Asset::under(behaviour);
        let events =
            [publish("p1", at("23 09:00")), publish("p2", at("23 09:30")), publish("p3", at("25 09:30"))];
        let tag = property("t", "campaign_tag", "spring", at("23 09:40"));
        for event in events.iter().chain([&tag]) {
            asset.takes(event);
        }
        let once = asset.runs.clone();
        for event in events.iter().chain([&tag]) {
            asset.takes(event);
        }
        assert_eq!(asset.runs, once, "{behaviour}");
    }
}

#[test]
fn after_a_crash_between_two_steps_the_next_look_does_the_rest() {
    for behaviour in ["", "  join_within: 24h\n", "  on_retrigger: restart\n", "  on_retrigger: new\n"] {
        let events =
            [publish("p1", at("23 09:00")), publish("p2", at("24 09:30")), publish("p3", at("24 09:40"))];
        let mut smooth = Asset::under(behaviour);
        events.iter().for_each(|event| _ = smooth.takes(event));
        for n in 0..3 {
            let mut bumpy = Asset::under(behaviour);
            events.iter().for_each(|event| _ = bumpy.crashes_after(n, event).takes(event));
            assert_eq!(bumpy.runs, smooth.runs, "{behaviour}");
        }
    }
}

#[test]
fn a_run_that_was_joined_and_closed_since_is_not_opened_anew() {
    let mut asset = Asset::under("");
    let again = publish("p2", at("23 09:30"));
    asset.takes(&publish("p1", at("23 09:00"))).takes(&again);
    asset.takes(&event("u1", "contentful", "Entry.unpublish", at("23 09:40"), serde_json::json!({})));
    asset.takes(&again);
    assert_eq!(asset.statuses(), [Cancelled]);
}

/// A publish may be the trigger of one run and the proof of another at once.
#[test]
fn a_publish_that_verifies_an_outcome_still_triggers() {
    let cases = [
        ("", vec![Active]),
        ("  on_retrigger: restart\n", vec![Cancelled, Active]),
        ("  on_retrigger: new\n", vec![Active, Active]),
    ];
    for (behaviour, statuses) in cases {
        let mut asset = Asset::under(behaviour);
        let mut flow = asset.flow.document.as_ref().clone();
        flow.outcomes[0].done_when =
            serde_json::from_value(serde_json::json!({"type": ["Entry.publish"]})).unwrap();
        asset.flow.document = std::sync::Arc::new(flow);
        let second = publish("p2", at("23 09:30"));
        asset.takes(&publish("p1", at("23 09:00"))).takes(&second);
        assert_eq!(asset.statuses(), statuses, "{behaviour}");
        let tagged = asset.runs[0].outcomes[0].done_at;
        let restarted = behaviour.contains("restart");
        assert_eq!(
            tagged.is_some(),
            !restarted,
            "{behaviour}: the first run has its proof, unless it is over"
        );
        assert!(asset.steps(&second).iter().all(|step| !matches!(step, Step::Open { .. })));
    }
}

#[test]
fn a_proof_that_an_old_run_has_seen_still_opens_the_new_run_after_a_crash() {
    let mut asset = Asset::under("  join_within: 24h\n");
    let mut flow = asset.flow.document.as_ref().clone();
    flow.outcomes[0].done_when =
        serde_json::from_value(serde_json::json!({"type": ["Entry.publish"]})).unwrap();
    asset.flow.document = std::sync::Arc::new(flow);
    let late = publish("p2", at("25 09:00"));
    asset.takes(&publish("p1", at("23 09:00"))).crashes_after(1, &late);
    assert!(asset.runs[0].outcomes[0].done_at.is_some());
    asset.takes(&late);
    assert_eq!(asset.statuses(), [Active, Active]);
}

#[test]
fn every_event_of_a_run_is_a_command_with_its_cause_and_its_source_as_actor() {
    let mut asset = Asset::under("");
    asset.takes(&publish("p1", at("23 09:00")));
    let tag = property("t", "campaign_tag", "spring", at("23 09:40"));
    let steps = asset.steps(&tag);
    let [Step::Command { run, command }] = steps.as_slice() else { panic!("{steps:?}") };
    assert_eq!(*run, asset.runs[0].run);
    assert_eq!((command.cause.as_deref(), command.actor.id.as_str()), (Some("event:hubspot#t"), "hubspot"));
    assert!(matches!(command.action, Action::Observe(_)));
}
