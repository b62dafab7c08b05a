//! What the API shows of a run.

use insta::assert_snapshot;
use meshline_core::command::Action;
use meshline_core::run::Run;
use meshline_core::view::RunView;

use crate::support::story::Story;
use crate::support::{FLOW, at, lines};

/// The clock of the first outcome, of two hours, in minutes: budget, consumed, running since.
fn clock(story: &Story, now: &str) -> String {
    let clock = RunView::of(story.run(), at(now)).outcomes[0].clock.clone().unwrap();
    let since = clock.running_since.map_or("-".to_owned(), lines::time);
    format!("{} {} {since}", clock.budget_s / 60, clock.consumed_s / 60)
}

#[test]
fn a_clock_shows_its_budget_what_is_consumed_and_since_when_it_runs() {
    let mut s = Story::of(&(FLOW.to_owned() + "pause: {budget: 24h}\n"));
    s.published("23 09:00");
    assert_eq!(clock(&s, "23 09:30"), "120 30 23 09:00");
    s.person("23 09:30", "ana", Action::Pause("the CRM is down".to_owned()));
    assert_eq!(clock(&s, "23 10:00"), "120 30 -", "it stands still");
    s.person("23 10:10", "ana", Action::Resume);
    assert_eq!(clock(&s, "23 10:20"), "120 40 23 10:10");
    s.tick("23 11:45");
    assert_eq!(clock(&s, "23 12:40"), "120 180 23 10:10", "late, and it runs on");
    s.tagged("23 12:40");
    assert_eq!(clock(&s, "23 20:00"), "120 180 -", "verified");
    assert!(RunView::of(s.run(), at("23 12:40")).outcomes[1].clock.is_some());
}

#[test]
fn a_clock_that_waits_is_none() {
    let mut s = Story::new();
    s.published("23 09:00");
    assert_eq!(RunView::of(s.run(), at("23 10:00")).outcomes[1].clock, None);
}

#[test]
fn custody_shows_who_held_the_run_as_what_and_how_long() {
    let mut s = Story::new();
    s.published("23 09:00").tick("23 13:00");
    let custody = |now: &str| {
        let held = RunView::of(s.run(), at(now)).custody.into_iter();
        held.map(|held| serde_json::to_string(&held).unwrap()).collect::<Vec<_>>().join("\n")
    };
    assert_snapshot!(custody("23 14:00"), @r#"
    {"owner":"ana","as":"owner","from":"2026-11-23T09:00:00.000Z","to":"2026-11-23T13:00:00.000Z","seconds":14400}
    {"owner":"cara","as":"backup","from":"2026-11-23T13:00:00.000Z","to":null,"seconds":3600}
    "#);
}

/// Of the first exception: group, resolution, evidence.
fn exception(run: &Run) -> String {
    let view = &RunView::of(run, at("23 12:00")).exceptions[0];
    format!("{} {:?} {:?}", view.group, view.resolution, view.evidence)
}

#[test]
fn an_exception_shows_what_it_has_in_common_with_others_and_how_it_was_resolved() {
    let mut s = Story::new();
    s.published("23 09:00").tick("23 11:00");
    assert_snapshot!(exception(s.run()), @"blog-launch/crm-tag/sla_breached/2026-11-23T11 None None");
    let resolve = Action::ResolveException {
        exception: s.run().exceptions[0].id.clone(),
        resolution: "tagged by hand".to_owned(),
        evidence: Some("é".repeat(501)),
    };
    s.person("23 11:30", "eve", resolve);
    let kept = format!("Some(\"tagged by hand\") Some(\"{}…\")", "é".repeat(500));
    assert!(exception(s.run()).ends_with(&kept), "{}", exception(s.run()));
}

#[test]
fn a_run_that_was_stored_without_resolutions_is_still_the_sum_of_its_records() {
    let mut s = Story::new();
    s.published("23 09:00").tick("23 11:00").tagged("23 11:30");
    let mut stored = serde_json::to_value(s.run()).unwrap();
    let kept = stored["exceptions"][0].as_object_mut().unwrap().remove("resolution");
    assert_eq!(kept, Some("`crm-tag` was verified".into()));
    let early: Run = serde_json::from_value(stored).unwrap();
    assert_snapshot!(exception(&early), @"blog-launch/crm-tag/sla_breached/2026-11-23T11 None None");
    assert!(early.is_fold_of(&s.trail) && s.run().is_fold_of(&s.trail));
    let mut forged = s.run().clone();
    forged.exceptions[0].resolution = Some("never happened".to_owned());
    assert!(!forged.is_fold_of(&s.trail));
}
