//! Exceptions: one case is one ticket, whoever speaks of it and however often.

use insta::assert_snapshot;
use meshline_core::command::Action;
use meshline_core::config::flow::ExceptionKind;
use meshline_core::event::Event;
use meshline_core::record::Fact;
use serde_json::json;

use crate::support::story::Story;
use crate::support::{at, publish};

/// Two outcomes and two checks, which wait for nothing; the first of each needs the trigger's campaign.
const FLOW: &str = "
kind: Flow
id: two
title: Two
owner: person:ana
backup_owner: person:cara
trigger: {source: contentful, match: {type: [Entry.publish]}}
qa:
  routing:
    - {id: source, within: 9h, pass_when: {data: {source: [\"${data.fields.campaign.en-US}\"]}}}
    - {id: target, within: 9h, pass_when: manual}
outcomes:
  - {id: tag, title: The tag, sla: 9h, done_when: {data: {tag: [\"${data.fields.campaign.en-US}\"]}}}
  - {id: deck, sla: 9h, done_when: manual}
";

/// A run whose trigger has no campaign.
fn without_campaign() -> Story {
    let mut story = Story::of(FLOW);
    let now = at("23 09:00");
    story.opens(&Event { data: json!({}), ..publish("p1", now) }, now);
    story
}

fn fails(outcome: &str) -> Action {
    Action::FailOutcome { outcome: outcome.to_owned(), reason: "no".to_owned() }
}

fn fails_check(check: &str) -> Action {
    Action::FailCheck { check: check.to_owned(), reason: "no".to_owned() }
}

#[test]
fn what_cannot_come_true_has_a_ticket_from_the_start_and_gets_no_second_one() {
    let mut story = without_campaign();
    assert_snapshot!(story.news(), @"
    1 23 09:00 run_opened by contentful ana as owner, ack by never; tag 23 09:00..23 18:00, deck 23 09:00..23 18:00
    2 23 09:00 exception_opened x2 outcome_failed tag for cara by 24 09:00: the trigger has no value at `data.fields.campaign.en-US`, so no signal can match
    3 23 09:00 exception_opened x3 qa_failed source for cara by 24 09:00: the trigger has no value at `data.fields.campaign.en-US`, so no signal can match
    ");
    story.person("23 09:10", "ana", fails("tag")).person("23 09:20", "ana", fails_check("source"));
    assert_snapshot!(story.news(), @"
    4 23 09:10 outcome_failed by ana tag: no
    5 23 09:20 check_failed by ana source: no
    ");
}

#[test]
fn each_outcome_and_each_check_that_failed_has_a_ticket_of_its_own() {
    let mut story = without_campaign();
    story.news();
    story.person("23 09:10", "ana", fails("deck")).person("23 09:20", "ana", fails_check("target"));
    story.person("23 09:30", "ana", fails_check("target"));
    assert_snapshot!(story.news(), @"
    4 23 09:10 outcome_failed by ana deck: no
    5 23 09:10 exception_opened x5 outcome_failed deck for cara by 24 09:10: no
    6 23 09:20 check_failed by ana target: no
    7 23 09:20 exception_opened x7 qa_failed target for cara by 24 09:20: no
    8 23 09:30 check_failed by ana target: no
    ");
    let expected = story.trail.iter().filter_map(|record| {
        let Fact::ExceptionOpened(opened) = &record.fact else { return None };
        Some(opened.expected.as_str())
    });
    assert_snapshot!(expected.collect::<Vec<_>>().join("\n"), @"
    a signal that verifies `tag`
    the check `source` to pass
    deck
    the check `target` to pass
    ");
}

#[test]
fn a_ticket_ends_with_what_it_is_about_and_no_other_does() {
    let mut story = without_campaign();
    story.person("23 09:10", "ana", fails("deck")).person("23 09:20", "ana", fails_check("target"));
    let odd = Action::OpenException {
        kind: ExceptionKind::Manual,
        outcome: Some("deck".to_owned()),
        reason: "odd".to_owned(),
    };
    story.person("23 09:30", "ana", odd).news();
    story.completes("23 10:00", "ana", "deck");
    let evidence = None;
    story.person("23 10:10", "ana", Action::PassCheck { check: "target".to_owned(), evidence });
    assert_snapshot!(story.news(), @"
    9 23 10:00 outcome_done by ana deck at 23 10:00, met true
    10 23 10:00 exception_resolved x5: `deck` was verified
    11 23 10:10 check_passed by ana target at 23 10:10
    12 23 10:10 exception_resolved x7: `target` has passed
    ");
    let kinds: Vec<_> =
        story.run().open_exceptions().map(|open| (open.kind, open.outcome.as_deref())).collect();
    let (failed, manual) = (ExceptionKind::OutcomeFailed, ExceptionKind::Manual);
    let qa = ExceptionKind::QaFailed;
    assert_eq!(
        kinds,
        [(failed, Some("tag")), (qa, None), (manual, Some("deck"))],
        "what a person saw, a person resolves"
    );
}
