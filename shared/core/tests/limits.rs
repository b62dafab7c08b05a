//! Limits: the most that is taken, and that one more is refused or told in words.

use insta::assert_snapshot;
use meshline_core::command::{Action, Command};
use meshline_core::config::flow::ExceptionKind;
use meshline_core::record::{Actor, Fact};
use meshline_core::time::Span;

use crate::support::story::Story;
use crate::support::{FLOW, at};

fn note(text: &str) -> Action {
    Action::Note(text.to_owned())
}

#[test]
fn a_payload_of_eight_kibibytes_is_sent_and_a_longer_one_is_a_ticket() {
    let sent = |bytes: usize| {
        let quoted = format!("\"{}\"", "x".repeat(bytes - 2));
        let payload = "{asset: \"${subject}\", tag: \"${data.fields.campaign.en-US}\"}";
        let mut story = Story::of(&FLOW.replace(payload, &quoted));
        story.published("23 09:00");
        let Fact::ExceptionOpened(opened) = &story.trail[1].fact else {
            return story.trail[1].fact.kind().to_owned();
        };
        opened.seen.clone()
    };
    assert_snapshot!(sent(8 * 1024), @"outcome_requested");
    assert_snapshot!(sent(8 * 1024 + 1), @"the payload has 8193 bytes, at most 8192 are sent");
}

#[test]
fn a_run_is_paused_twenty_times() {
    let mut story = Story::of(&(FLOW.to_owned() + "pause: {budget: 3h}\n"));
    story.published("23 09:00");
    for minute in 0..20 {
        let (from, to) = (format!("23 09:{:02}", 2 * minute), format!("23 09:{:02}", 2 * minute + 1));
        story.person(&from, "ana", Action::Pause("x".to_owned())).person(&to, "ana", Action::Resume);
    }
    assert_snapshot!(story.refuses("23 09:50", "ana", Action::Pause("x".to_owned())), @"the run was paused 20 times already");
}

#[test]
fn a_run_has_twenty_five_open_tickets() {
    let mut story = Story::new();
    story.published("23 09:00");
    let ask =
        || Action::OpenException { kind: ExceptionKind::Manual, outcome: None, reason: "odd".to_owned() };
    for _ in 0..25 {
        story.person("23 09:10", "ana", ask());
    }
    assert_snapshot!(story.refuses("23 09:10", "ana", ask()), @"25 exceptions are open: resolve one first");
    let first = story.run().exceptions[0].id.clone();
    story.resolves("23 09:20", "ana", &first).person("23 09:20", "ana", ask());
    assert_eq!(story.run().open_exceptions().count(), 25);
}

#[test]
fn a_text_has_four_thousand_bytes() {
    let mut story = Story::new();
    story.published("23 09:00").person("23 09:10", "ana", note(&"x".repeat(4_000)));
    assert_snapshot!(story.refuses("23 09:10", "ana", note(&"x".repeat(4_001))), @"`text` is longer than 4000 bytes");
}

#[test]
fn a_run_remembers_the_last_hundred_causes() {
    let mut story = Story::new();
    story.published("23 09:00");
    let mut notes = |key: usize| {
        let (actor, cause) = (Actor::person("ana"), Some(format!("key:{key}")));
        let command = Command { action: note("x"), actor, if_version: None, cause };
        let before = story.trail.len();
        story.command(&command, at("23 09:10") + Span::minutes(1)).unwrap();
        story.trail.len() - before
    };
    let made: usize = (0..100).map(&mut notes).sum();
    assert_eq!((made, notes(0)), (100, 0), "a hundred causes, of which the first is still known");
    assert_eq!((notes(100), notes(1), notes(0)), (1, 0, 1), "one more, and the first is forgotten");
}
