//! An acknowledgement is a lease: it holds as long as there is progress.

use insta::assert_snapshot;
use meshline_core::command::Action;
use meshline_core::measure::Measures;
use meshline_core::record::Record;
use meshline_core::run::Run;
use meshline_core::view::RunView;

use crate::support::at;
use crate::support::story::Story;

/// A flow whose acknowledgements hold for a day, with two outcomes that take long.
const LEASED: &str = "
kind: Flow
id: leased
title: Leased
owner: person:ana
backup_owner: person:cara
trigger: {source: contentful, match: {type: [Entry.publish]}}
acknowledge: {within: 4h, lease: 24h}
outcomes:
  - {id: tag, sla: 400h, done_when: {data: {propertyName: [campaign_tag]}}}
  - {id: deck, sla: 400h, done_when: manual}
escalation:
  not_acknowledged:
    - {after: 0m, reassign: backup_owner, notify: [owner]}
    - {after: 4h, notify: [role:ops-lead]}
exceptions: {owner: role:ops-lead, recovery_sla: 400h}
";

/// The leased run, acknowledged by Ana a quarter past nine.
fn acknowledged() -> Story {
    let mut s = Story::of(LEASED);
    s.published("23 09:00").person("23 09:15", "ana", Action::Acknowledge);
    s
}

fn lease_until(story: &Story) -> Option<meshline_core::time::Time> {
    RunView::of(story.run(), story.run().last_at).acknowledgement.unwrap().lease_until
}

#[test]
fn rule_3_a_lapse_opens_a_new_window_and_missing_that_climbs_the_ladder() {
    let mut s = acknowledged();
    s.tick("24 09:14:59").tick("24 09:15").tick("24 13:15").tick("24 17:15");
    assert_snapshot!(s.news(), @"
    1 23 09:00 run_opened by contentful ana as owner, ack by 23 13:00; tag 23 09:00..10 01:00, deck 23 09:00..10 01:00
    2 23 09:15 acknowledged by ana until 24 09:15
    3 24 09:15 acknowledgement_lapsed ana at 24 09:15, ack by 24 13:15
    4 24 13:15 acknowledgement_missed ana by 24 13:15, ladder 24 13:15
    5 24 13:15 reassigned ana -> cara as backup, ack by 24 17:15
    6 24 13:15 escalated not_acknowledged step 0 normal to ana, next 24 17:15
    7 24 17:15 acknowledgement_missed cara by 24 17:15, ladder 24 17:15
    8 24 17:15 escalated not_acknowledged step 1 normal to eve, next never
    ");
}

#[test]
fn rule_3_a_second_lapse_goes_on_with_the_step_after_the_last_one() {
    let mut s = acknowledged();
    s.tick("24 09:15").tick("24 13:15").person("24 13:20", "cara", Action::Acknowledge).news();
    s.tick("25 13:20").tick("25 17:20").tick("25 21:20");
    assert_snapshot!(s.news(), @"
    8 25 13:20 acknowledgement_lapsed cara at 25 13:20, ack by 25 17:20
    9 25 17:20 acknowledgement_missed cara by 25 17:20, ladder 25 21:20
    10 25 21:20 escalated not_acknowledged step 1 normal to eve, next never
    ");
}

#[test]
fn a_lapse_that_is_found_late_is_recorded_with_its_times() {
    let mut s = acknowledged();
    s.news();
    s.tick("24 15:00");
    assert_snapshot!(s.news(), @"
    3 24 15:00 acknowledgement_lapsed ana at 24 09:15, ack by 24 13:15
    4 24 15:00 acknowledgement_missed ana by 24 13:15, ladder 24 13:15
    5 24 15:00 reassigned ana -> cara as backup, ack by 24 19:00
    6 24 15:00 escalated not_acknowledged step 0 normal to ana, next 24 17:15
    ");
}

#[test]
fn progress_renews_the_lease_whoever_brings_it() {
    let mut s = acknowledged();
    assert_eq!(lease_until(&s), Some(at("24 09:15")));
    s.person("23 10:00", "ana", Action::Note("asked the agency".to_owned()));
    assert_eq!(lease_until(&s), Some(at("24 10:00")), "a note of the owner");
    s.tagged("23 11:00");
    assert_eq!(lease_until(&s), Some(at("24 11:00")), "an outcome that another system verified");
    s.person("23 12:00", "ana", Action::Acknowledge);
    assert_eq!(lease_until(&s), Some(at("24 12:00")), "said again");
    s.person("24 12:00", "ana", Action::Acknowledge);
    assert_eq!(lease_until(&s), Some(at("25 12:00")), "said again in the last moment");
    assert_eq!(s.run().ack.as_ref().unwrap().at, Some(at("23 09:15")), "it was given once");
}

#[test]
fn what_is_no_progress_leaves_the_lease_as_it_is() {
    let mut s = acknowledged();
    s.person("23 10:00", "ben", Action::Note("how is it going?".to_owned()));
    s.person("23 10:10", "ben", Action::FailOutcome { outcome: "deck".to_owned(), reason: "no".to_owned() });
    assert_eq!(lease_until(&s), Some(at("24 09:15")));
}

#[test]
fn a_new_owner_has_no_part_in_the_lease_of_the_one_before() {
    let mut s = acknowledged();
    let to = "person:ben".parse().unwrap();
    s.person("23 10:00", "ana", Action::Reassign { to, reason: "leave".to_owned() });
    let ack = RunView::of(s.run(), s.run().last_at).acknowledgement.unwrap();
    assert_eq!((ack.lease_until, ack.due_at), (None, at("23 14:00")));
}

#[test]
fn only_the_first_word_of_an_acknowledgement_is_measured() {
    let mut s = acknowledged();
    let before = s.run().clone();
    s.person("23 10:00", "ana", Action::Acknowledge);
    let renewed = s.trail[s.trail.len() - 1..].to_vec();
    let decision = meshline_core::command::Decision { records: renewed, run: s.run().clone() };
    assert_eq!(Measures::of(Some(&before), &decision), Measures::default());
}

#[test]
fn an_acknowledgement_without_a_lease_is_stored_as_it_always_was() {
    let mut s = Story::of(&LEASED.replace(", lease: 24h", ""));
    s.published("23 09:00").person("23 09:15", "ana", Action::Acknowledge);
    let record: Record = serde_json::from_str(&serde_json::to_string(&s.trail[1]).unwrap()).unwrap();
    let detail = serde_json::to_value(&record).unwrap()["detail"].clone();
    assert_eq!(detail, serde_json::json!({}));
    let run: Run = serde_json::from_value(serde_json::to_value(s.run()).unwrap()).unwrap();
    assert_eq!(run.ack.unwrap().lease, None);
    let again = s.refuses("23 10:00", "ana", Action::Acknowledge);
    assert_eq!(again, "the run was acknowledged by `ana` at 2026-11-23T09:15:00.000Z");
}
