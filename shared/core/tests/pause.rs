//! Pauses: what stands still, what runs on, and by how much deadlines move.

use insta::assert_snapshot;
use meshline_core::command::Action;
use meshline_core::config::flow::ExceptionKind;
use meshline_core::report;

use crate::support::story::Story;
use crate::support::{FLOW, at, bundle, file, good, property};

fn pause(reason: &str) -> Action {
    Action::Pause(reason.to_owned())
}

/// The example flow: the tag in 2 hours, then the deck in 48; pauses of 3 hours in all.
fn pausable() -> Story {
    Story::of(&(FLOW.to_owned() + "pause: {budget: 3h}\n"))
}

#[test]
fn a_pause_moves_deadlines_by_its_length_and_leaves_the_acknowledgement_alone() {
    let mut story = pausable();
    story.published("23 09:00").news();
    story.person("23 10:00", "ana", pause("legal looks at it"));
    assert!(!story.tick("23 12:30").run().is_overdue());
    story.person("23 12:30", "ana", Action::Resume);
    assert_eq!(story.run().ack.as_ref().unwrap().window, Some(at("23 13:00")));
    assert_snapshot!(story.news(), @"
    3 23 10:00 paused by ana until 23 13:00: legal looks at it
    4 23 12:30 resumed by ana at 23 12:30; crm-tag 23 09:00..23 13:30
    ");
    assert_snapshot!(story.tick("23 13:30").news(), @"
    5 23 13:30 sla_warning crm-tag due 23 13:30, dev
    6 23 13:30 acknowledgement_missed ana by 23 13:00, ladder 23 13:00
    7 23 13:30 reassigned ana -> cara as backup, ack by 23 17:30
    8 23 13:30 escalated not_acknowledged step 0 normal to ana+cara, next 23 17:00
    9 23 13:30 sla_breached crm-tag due 23 13:30, ladder 23 13:30
    10 23 13:30 exception_opened x10 sla_breached crm-tag for eve by 24 13:30: nothing that verifies it
    11 23 13:30 escalated breached crm-tag step 0 high to dev+eve, next 25 13:30
    ");
}

#[test]
fn a_pause_that_spends_the_budget_is_over_then_however_late_that_is_seen() {
    let mut story = pausable();
    story.published("23 09:00").person("23 09:30", "ana", Action::Acknowledge).news();
    story.person("23 10:00", "ana", pause("legal looks at it"));
    assert_eq!(story.run().next_due().map(|(at, _)| at), Some(at("23 13:00")));
    assert_snapshot!(story.tick("23 15:00").news(), @"
    4 23 10:00 paused by ana until 23 13:00: legal looks at it
    5 23 15:00 resumed at 23 13:00; crm-tag 23 09:00..23 14:00
    6 23 15:00 sla_warning crm-tag due 23 14:00, dev
    7 23 15:00 sla_breached crm-tag due 23 14:00, ladder 23 14:00
    8 23 15:00 exception_opened x8 sla_breached crm-tag for eve by 24 15:00: nothing that verifies it
    9 23 15:00 escalated breached crm-tag step 0 high to dev+eve, next 25 14:00
    ");
    assert_snapshot!(story.refuses("23 15:00", "ana", pause("once more")), @"the pause budget of 3h is spent");
}

#[test]
fn what_comes_during_a_pause_is_in_time_and_what_starts_in_it_has_its_whole_time_after_it() {
    let mut story = pausable();
    story.published("23 09:00").person("23 09:30", "ana", Action::Acknowledge);
    story.person("23 10:00", "ana", pause("legal looks at it")).news();
    story.tagged("23 11:30").person("23 12:00", "ana", Action::Resume);
    assert_snapshot!(story.news(), @"
    5 23 11:30 outcome_done by hubspot crm-tag at 23 11:30, met true; sales-deck 23 11:30..25 11:30
    6 23 12:00 resumed by ana at 23 12:00; sales-deck 23 11:30..25 12:00
    ");
    let flow = story.flow.document.clone();
    let report = report::sla(&flow, &[story.run().clone()], at("23 00:00"), at("24 00:00"), at("23 12:00"));
    let latency = &report.outcomes[0];
    assert_eq!((latency.latency_s.p50, latency.net_latency_s.p50), (Some(9_000), Some(3_600)));
}

#[test]
fn a_signal_that_is_known_after_the_pause_leads_to_the_same_deadlines() {
    let (mut timely, mut late) = (pausable(), pausable());
    for story in [&mut timely, &mut late] {
        story.published("23 09:00");
    }
    timely.tagged("23 09:50").person("23 10:00", "ana", pause("x")).person("23 12:00", "ana", Action::Resume);
    late.person("23 10:00", "ana", pause("x")).person("23 12:00", "ana", Action::Resume);
    late.observes(&property("t", "campaign_tag", "spring", at("23 09:50")), "23 12:30");
    let clocks = |story: &Story| story.run().outcomes.iter().map(|o| o.clock.clone()).collect::<Vec<_>>();
    assert_eq!(clocks(&timely)[1], clocks(&late)[1]);
}

#[test]
fn business_time_moves_by_business_time() {
    let flow = FLOW.replace("sla: 2h", "sla: 4 business hours") + "pause: {budget: 3d}\ncalendar: office\n";
    let mut files = bundle(&flow);
    let hours = "hours: {mon-fri: [\"09:00-17:00\"]}\nknown_until: 2026-12-31\n";
    files.push(file("c.yaml", &format!("kind: Calendar\nid: office\ntimezone: UTC\n{hours}")));
    let mut story = Story::from(&good(&files));
    // Two of four hours are left at 11:00; they pass from 16:00 on Monday, and on Tuesday.
    story.published("23 09:00").person("23 09:30", "ana", Action::Acknowledge).news();
    story.person("23 11:00", "ana", pause("legal looks at it")).person("23 16:00", "ana", Action::Resume);
    assert_snapshot!(story.news(), @"
    4 23 11:00 paused by ana until 26 11:00: legal looks at it
    5 23 16:00 resumed by ana at 23 16:00; crm-tag 23 09:00..24 10:00
    ");
}

#[test]
fn a_pause_that_cannot_be_is_refused() {
    let mut story = Story::new();
    story.published("23 09:00");
    assert_snapshot!(story.refuses("23 09:10", "ana", pause("why")), @"this flow allows no pause");
    let mut story = pausable();
    story.published("23 09:00");
    assert_snapshot!(story.refuses("23 09:10", "ana", pause(" ")), @"`reason` must not be empty");
    assert_snapshot!(story.refuses("23 09:10", "ana", Action::Resume), @"the run is not paused");
    story.person("23 09:20", "ana", pause("why"));
    assert_snapshot!(story.refuses("23 09:30", "ana", pause("why")), @"the run is paused since 2026-11-23T09:20:00.000Z");
    story.person("23 09:30", "ana", Action::Resume);
    let manual = ExceptionKind::Manual;
    story.person(
        "23 09:35",
        "ana",
        Action::OpenException { kind: manual, outcome: None, reason: "odd".to_owned() },
    );
    story.tagged("23 09:40").completes("23 09:50", "ana", "sales-deck");
    assert_snapshot!(story.refuses("23 10:00", "ana", pause("why")), @"no clock runs that a pause could stop");
}

/// Paused from ten to twelve, after which it is heard that the deck's clock had started ten minutes before the pause.
fn deck_known_after_the_pause(sla: &str) -> Story {
    let flow = FLOW.replace("sla: 48h", &format!("sla: {sla}\n    warn_at: 50%")) + "pause: {budget: 3h}\n";
    let mut story = Story::of(&flow);
    story.published("23 09:00").person("23 10:00", "ana", pause("x")).person(
        "23 12:00",
        "ana",
        Action::Resume,
    );
    story.observes(&property("t", "campaign_tag", "spring", at("23 09:50")), "23 12:05");
    story
}

#[test]
fn what_was_due_as_the_pause_began_was_due_then() {
    let story = deck_known_after_the_pause("20m");
    let clock = story.run().outcomes[1].clock.clone().unwrap();
    assert_eq!(
        (clock.warn_at, clock.due_at),
        (Some(at("23 10:00")), at("23 12:10")),
        "the warning was due at ten"
    );
    let story = deck_known_after_the_pause("10m");
    assert_eq!(story.run().outcomes[1].clock.as_ref().unwrap().due_at, at("23 10:00"));
}

#[test]
fn what_was_late_before_a_pause_is_late_though_it_came_during_it() {
    let met = |sla: &str| {
        let mut story =
            Story::of(&(FLOW.replace("sla: 48h", &format!("sla: {sla}")) + "pause: {budget: 3h}\n"));
        story.published("23 09:00").person("23 10:00", "ana", pause("x")).completes(
            "23 10:30",
            "ana",
            "sales-deck",
        );
        story.observes(&property("t", "campaign_tag", "spring", at("23 09:50")), "23 11:00");
        story.run().outcomes[1].met
    };
    assert_eq!(met("10m"), Some(false), "due at ten, as the pause began");
    assert_eq!(met("11m"), Some(true), "a minute was left when its clock stood still");
}
