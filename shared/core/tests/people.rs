//! What people do to a run, and what they are told when it cannot be done.

use insta::assert_snapshot;
use meshline_core::command::{Action, Command, Rejection};
use meshline_core::config::flow::ExceptionKind;
use meshline_core::record::Actor;

use crate::support::at;
use crate::support::story::Story;

fn opened() -> Story {
    let mut story = Story::new();
    story.published("23 09:00").news();
    story
}

fn note(text: &str) -> Action {
    Action::Note(text.to_owned())
}

fn fail(outcome: &str) -> Action {
    Action::FailOutcome { outcome: outcome.to_owned(), reason: "the form is broken".to_owned() }
}

fn complete(outcome: &str, evidence: &str) -> Action {
    Action::CompleteOutcome { outcome: outcome.to_owned(), evidence: evidence.to_owned() }
}

fn reassign(to: &str) -> Action {
    Action::Reassign { to: to.parse().unwrap(), reason: "holiday".to_owned() }
}

fn open_exception(kind: ExceptionKind, outcome: Option<&str>) -> Action {
    let outcome = outcome.map(str::to_owned);
    Action::OpenException { kind, outcome, reason: "legal must look".to_owned() }
}

fn resolve(exception: &str) -> Action {
    Action::ResolveException {
        exception: exception.to_owned(),
        resolution: "looked".to_owned(),
        evidence: Some("https://l.example.com".to_owned()),
    }
}

fn close() -> Action {
    Action::Close("shipped".to_owned())
}

fn cancel() -> Action {
    Action::Cancel("not needed".to_owned())
}

#[test]
fn a_run_verifies_while_a_ticket_is_open_and_closes_with_it() {
    let mut s = opened();
    s.person("23 09:05", "ana", Action::Acknowledge);
    s.person("23 09:10", "ben", open_exception(ExceptionKind::Manual, Some("sales-deck")));
    s.tagged("23 09:30").completes("23 09:40", "ana", "sales-deck");
    assert_snapshot!(s.news(), @"
    3 23 09:05 acknowledged by ana
    4 23 09:10 exception_opened by ben x4 manual sales-deck for eve by 24 09:10: legal must look
    5 23 09:30 outcome_done by hubspot crm-tag at 23 09:30, met true; sales-deck 23 09:30..25 09:30
    6 23 09:40 outcome_done by ana sales-deck at 23 09:40, met true
    7 23 09:40 run_verifying
    ");
    s.person("23 15:00", "eve", resolve("x4"));
    assert_snapshot!(s.news(), @"
    8 23 15:00 exception_resolved by eve x4: looked
    9 23 15:00 run_closed met true
    ");
    assert_snapshot!(s.standing(), @"
    closed v9 ana as owner, next never
    crm-tag 23 09:00..23 11:00 done met true, done 23 09:30, breached never
    sales-deck 23 09:30..25 09:30 done met true, done 23 09:40, breached never
    x4 manual resolved 23 15:00
    ");
}

#[test]
fn a_run_is_closed_by_hand_once_nothing_is_open() {
    let mut s = opened();
    assert_snapshot!(s.refuses("23 09:30", "ana", close()), @"outcome `crm-tag` is open: complete or fail it first, or cancel the run");
    s.person("23 09:31", "ana", fail("crm-tag")).person("23 09:32", "ana", close());
    assert_snapshot!(s.news(), @"
    3 23 09:31 outcome_failed by ana crm-tag: the form is broken
    4 23 09:31 exception_opened x4 outcome_failed crm-tag for dev by 24 09:31: the form is broken
    5 23 09:32 exception_resolved x4: closed with the run: shipped
    6 23 09:32 run_closed by ana met false
    ");
}

#[test]
fn a_cancelled_run_leaves_no_ticket_open_that_nobody_could_resolve() {
    let mut s = opened();
    s.person("23 09:31", "ana", fail("crm-tag")).person("23 09:32", "ana", cancel());
    assert_snapshot!(s.news(), @"
    3 23 09:31 outcome_failed by ana crm-tag: the form is broken
    4 23 09:31 exception_opened x4 outcome_failed crm-tag for dev by 24 09:31: the form is broken
    5 23 09:32 exception_resolved x4: cancelled with the run: not needed
    6 23 09:32 run_cancelled by ana not needed
    ");
    assert_eq!(s.run().open_exceptions().count(), 0);
}

#[test]
fn after_the_end_nothing_changes_but_notes() {
    for (end, status) in [(close(), "closed"), (cancel(), "cancelled")] {
        let mut s = opened();
        s.person("23 09:31", "ana", fail("crm-tag")).person("23 09:32", "ana", end);
        let over = format!("the run is {status}");
        for action in [
            Action::Acknowledge,
            reassign("person:fay"),
            complete("crm-tag", "x"),
            fail("sales-deck"),
            open_exception(ExceptionKind::Manual, None),
            resolve("x4"),
            close(),
            cancel(),
        ] {
            assert_eq!(s.refuses("23 10:00", "ana", action), over);
        }
        s.tick("30 10:00").tagged("30 10:00").news();
        s.person("30 11:00", "eve", note("see the post-mortem")).person("30 12:00", "eve", note("done"));
        assert_eq!(s.news().lines().count(), 2, "only the notes");
        assert_eq!(s.run().next_due(), None);
    }
}

#[test]
fn a_person_who_decided_on_an_old_version_is_refused_and_told_so() {
    let mut s = opened();
    s.person("23 09:10", "ana", note("on it"));
    let mut command = Command {
        action: Action::Acknowledge,
        actor: Actor::person("ana"),
        if_version: Some(2),
        cause: None,
    };
    let refused = s.command(&command, at("23 09:20")).err();
    assert_eq!(refused, Some(Rejection::Stale { seen: 2, current: 3 }));
    assert_eq!(refused.unwrap().to_string(), "the run has moved on: you saw version 2, it is at version 3");
    command.if_version = Some(3);
    s.command(&command, at("23 09:20")).unwrap();
    assert_eq!(s.run().version, 4);
}

/// Rule 11, for every command a person can retry, also after the run is over and with the version first seen.
#[test]
fn a_command_with_the_same_idempotency_key_acts_once() {
    for action in [
        Action::Acknowledge,
        reassign("person:fay"),
        complete("crm-tag", "x"),
        fail("crm-tag"),
        open_exception(ExceptionKind::Manual, None),
        open_exception(ExceptionKind::RequestFailed, Some("crm-tag")),
        note("on it"),
        cancel(),
    ] {
        let mut s = opened();
        let actor = Actor::person("ana");
        let command =
            Command { action, actor: actor.clone(), if_version: Some(2), cause: Some("key:k1".to_owned()) };
        s.command(&command, at("23 09:10")).unwrap();
        let once = s.trail.clone();
        assert!(once.iter().any(|record| record.actor == actor), "the person is in the trail: {command:?}");
        s.command(&command, at("23 09:11")).unwrap();
        assert_eq!(s.trail, once, "{command:?}");
    }
}

#[test]
fn what_cannot_be_done_says_why() {
    let mut s = opened();
    let mut all = Vec::new();
    for action in [
        complete("crm-tag", "  "),
        complete("crm-tga", "x"),
        fail("crm-tga"),
        reassign("person:zoe"),
        reassign("person:ana"),
        open_exception(ExceptionKind::Manual, Some("crm-tga")),
        resolve("x9"),
        note(""),
        note(&"x".repeat(4_001)),
        Action::Cancel(String::new()),
    ] {
        all.push(s.refuses("23 09:30", "ana", action));
    }
    s.person("23 09:31", "ana", Action::Acknowledge).tagged("23 09:32");
    s.person("23 09:33", "ana", open_exception(ExceptionKind::Manual, None))
        .resolves("23 09:34", "eve", "x5");
    s.person("23 09:35", "ana", fail("sales-deck"));
    for action in [Action::Acknowledge, complete("crm-tag", "x"), fail("sales-deck"), resolve("x5")] {
        all.push(s.refuses("23 09:40", "ben", action));
    }
    assert_snapshot!(all.join("\n"), @"
    `evidence` must not be empty
    there is no outcome `crm-tga`
    there is no outcome `crm-tga`
    there is no person or role in the directory called `person:zoe`
    `ana` owns the run already
    there is no outcome `crm-tga`
    there is no exception `x9`
    `text` must not be empty
    `text` is longer than 4000 bytes
    `reason` must not be empty
    the run was acknowledged by `ana` at 2026-11-23T09:31:00.000Z
    outcome `crm-tag` is done
    outcome `sales-deck` has failed already
    exception `x5` was resolved at 2026-11-23T09:34:00.000Z
    ");
}

#[test]
fn a_reassignment_by_hand_gives_the_new_owner_a_new_window() {
    let mut s = opened();
    s.person("23 09:05", "ana", Action::Acknowledge).person("23 09:30", "ana", reassign("role:head-of-ops"));
    assert_snapshot!(s.news(), @"
    3 23 09:05 acknowledged by ana
    4 23 09:30 reassigned by ana ana -> fay as assigned, ack by 23 13:30
    ");
    assert_eq!(s.run().ack.as_ref().unwrap().at, None);
    assert_eq!(s.run().custody().len(), 2);
}

#[test]
fn what_fell_due_before_a_person_acts_is_recorded_first() {
    let mut s = opened();
    s.person("23 09:05", "ana", Action::Acknowledge).news();
    s.person("23 11:30", "ana", note("sorry, late"));
    assert_snapshot!(s.news(), @"
    4 23 11:30 sla_warning crm-tag due 23 11:00, dev
    5 23 11:30 sla_breached crm-tag due 23 11:00, ladder 23 11:00
    6 23 11:30 exception_opened x6 sla_breached crm-tag for eve by 24 11:30: nothing that verifies it
    7 23 11:30 escalated breached crm-tag step 0 high to dev+eve, next 25 11:00
    8 23 11:30 note_added by ana sorry, late
    ");
}

#[test]
fn time_does_not_run_backwards_when_the_clock_of_a_function_does() {
    let mut s = opened();
    s.person("23 09:30", "ana", note("first")).person("23 09:20", "ana", note("second"));
    assert_snapshot!(s.news(), @"
    3 23 09:30 note_added by ana first
    4 23 09:30 note_added by ana second
    ");
}
