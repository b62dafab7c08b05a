//! The life of a run: what follows from signals and from the clock. Each story reads given, when, then.

use insta::assert_snapshot;
use meshline_core::command::Action;

use crate::support::story::Story;
use crate::support::{FLOW, at, event, property, publish};

/// The example flow, with a piece of its text replaced.
fn flow_with(old: &str, new: &str) -> String {
    assert!(FLOW.contains(old), "the example flow has no `{old}`");
    FLOW.replace(old, new)
}

/// A flow of two outcomes, the second after the first, without acknowledgement.
const CHAIN: &str = "
kind: Flow
id: chain
title: Chain
owner: person:ana
backup_owner: person:cara
trigger: {source: contentful, match: {type: [Entry.publish]}}
outcomes:
  - {id: one, sla: 1h, done_when: {data: {propertyName: [one]}}}
  - {id: two, sla: 2h, after: [one], done_when: {data: {propertyName: [two]}}, failed_when: {data: {propertyName: [two-failed]}}}
  - {id: three, sla: 3h, after: [one, two], request: {channel: crm-automation, payload: {at: '${url}'}}, done_when: manual}
";

#[test]
fn from_publish_to_closed() {
    let mut s = Story::new();
    s.published("23 09:00");
    s.person("23 09:10", "ana", Action::Acknowledge);
    s.tagged("23 10:00").completes("24 09:00", "ben", "sales-deck");
    assert_snapshot!(s.news(), @r#"
    1 23 09:00 run_opened by contentful ana as owner, ack by 23 13:00; crm-tag 23 09:00..23 11:00, sales-deck waits
    2 23 09:00 outcome_requested crm-tag of crm-automation: {"asset":"contentful:5KsDBWseXY6","tag":"spring"}
    3 23 09:10 acknowledged by ana
    4 23 10:00 outcome_done by hubspot crm-tag at 23 10:00, met true; sales-deck 23 10:00..25 10:00
    5 24 09:00 outcome_done by ben sales-deck at 24 09:00, met true
    6 24 09:00 run_closed met true
    "#);
    assert_snapshot!(s.standing(), @"
    closed v6 ana as owner, next never
    crm-tag 23 09:00..23 11:00 done met true, done 23 10:00, breached never
    sales-deck 23 10:00..25 10:00 done met true, done 24 09:00, breached never
    ");
}

#[test]
fn nothing_happens_before_it_is_due() {
    let mut s = Story::new();
    s.published("23 09:00").tick("23 09:01").tick("23 10:29:59.999");
    assert_eq!(s.trail.len(), 2);
    s.tick("23 10:30");
    assert_eq!(s.trail.len(), 3, "the warning at 75 % of two hours");
}

#[test]
fn whoever_does_not_acknowledge_loses_the_run_to_the_backup_and_the_clocks_run_on() {
    let mut s = Story::of(&flow_with("sla: 2h", "sla: 30h"));
    s.published("23 09:00").news();
    s.tick("23 13:00:30").tick("23 17:01").tick("23 17:02");
    assert_snapshot!(s.news(), @"
    3 23 13:00:30 acknowledgement_missed ana by 23 13:00, ladder 23 13:00
    4 23 13:00:30 reassigned ana -> cara as backup, ack by 23 17:00:30
    5 23 13:00:30 escalated not_acknowledged step 0 normal to ana+cara, next 23 17:00
    6 23 17:01 escalated not_acknowledged step 1 high to eve, next never
    7 23 17:01 acknowledgement_missed cara by 23 17:00:30, ladder never
    ");
    s.person("23 18:00", "cara", Action::Acknowledge).tick("24 07:00");
    assert_snapshot!(s.news(), @"8 23 18:00 acknowledged by cara");
    assert_snapshot!(s.standing(), @"
    active v8 cara as backup, next 24 07:30
    crm-tag 23 09:00..24 15:00 open undecided, done never, breached never
    sales-deck waits waiting undecided, done never, breached never
    ");
}

#[test]
fn without_a_ladder_a_missed_acknowledgement_reassigns_at_once() {
    let head = "acknowledge: {within: 1h}\noutcomes:";
    let mut s = Story::of(&CHAIN.replace("outcomes:", head));
    s.published("23 09:00").news();
    s.tick("23 10:00");
    assert_snapshot!(s.news(), @"
    2 23 10:00 sla_breached one due 23 10:00, ladder 23 10:00
    3 23 10:00 exception_opened x3 sla_breached one for cara by 24 10:00: nothing that verifies it
    4 23 10:00 escalated breached one step 0 high to ana, next never
    5 23 10:00 acknowledgement_missed ana by 23 10:00, ladder 23 10:00
    6 23 10:00 reassigned ana -> cara as backup, ack by 23 11:00
    7 23 10:00 escalated not_acknowledged step 0 normal to ana+cara, next never
    ");
}

#[test]
fn an_acknowledgement_ends_its_ladder_and_a_new_owner_climbs_on_from_there() {
    let mut s = Story::of(&flow_with("sla: 2h", "sla: 300h"));
    s.published("23 09:00").tick("23 13:00");
    s.person("23 13:05", "cara", Action::Acknowledge).tick("23 18:00").news();
    let to = "person:fay".parse().unwrap();
    s.person("24 09:00", "cara", Action::Reassign { to, reason: "she knows it".to_owned() });
    s.tick("24 13:00").tick("24 17:00").tick("24 23:00");
    assert_snapshot!(s.news(), @"
    7 24 09:00 reassigned by cara cara -> fay as assigned, ack by 24 13:00
    8 24 13:00 acknowledgement_missed fay by 24 13:00, ladder 24 17:00
    9 24 17:00 escalated not_acknowledged step 1 high to eve, next never
    ");
}

#[test]
fn a_breach_climbs_its_ladder_and_late_completion_resolves_its_ticket() {
    let mut s = Story::new();
    s.published("23 09:00");
    s.person("23 09:10", "ana", Action::Acknowledge).tick("23 10:30").news();
    s.tick("23 11:00:20");
    assert_snapshot!(s.news(), @"
    5 23 11:00:20 sla_breached crm-tag due 23 11:00, ladder 23 11:00
    6 23 11:00:20 exception_opened x6 sla_breached crm-tag for eve by 24 11:00:20: nothing that verifies it
    7 23 11:00:20 escalated breached crm-tag step 0 high to dev+eve, next 25 11:00
    ");
    s.tick("25 11:00").person("25 11:30", "cara", Action::Acknowledge).tagged("25 12:00");
    assert_snapshot!(s.news(), @"
    8 25 11:00 recovery_breached x6 due 24 11:00:20, ladder 24 11:00:20
    9 25 11:00 escalated recovery x6 step 0 high to eve, next never
    10 25 11:00 reassigned ana -> cara as backup, ack by 25 15:00
    11 25 11:00 escalated breached crm-tag step 1 critical to fay+ops-pager, next never
    12 25 11:30 acknowledged by cara
    13 25 12:00 outcome_done by hubspot crm-tag at 25 12:00, met false; sales-deck 25 12:00..27 12:00
    14 25 12:00 exception_resolved x6: `crm-tag` was verified
    ");
    assert_snapshot!(s.standing(), @"
    active v14 cara as backup, next 27 12:00
    crm-tag 23 09:00..23 11:00 done met false, done 25 12:00, breached 23 11:00
    sales-deck 25 12:00..27 12:00 open undecided, done never, breached never
    x6 sla_breached resolved 25 12:00
    ");
}

#[test]
fn a_breach_that_is_found_late_is_recorded_with_its_deadline() {
    let mut s = Story::of(CHAIN);
    s.published("23 09:00").tick("26 09:00").tick("26 09:01");
    assert_snapshot!(s.news(), @"
    1 23 09:00 run_opened by contentful ana as owner, ack by never; one 23 09:00..23 10:00, two waits, three waits
    2 26 09:00 sla_breached one due 23 10:00, ladder 23 10:00
    3 26 09:00 exception_opened x3 sla_breached one for cara by 27 09:00: nothing that verifies it
    4 26 09:00 escalated breached one step 0 high to ana, next never
    ");
}

#[test]
fn what_comes_at_the_deadline_is_in_time_whoever_brings_it() {
    for by_hand in [false, true] {
        let mut s = Story::of(CHAIN);
        s.published("23 09:00").news();
        match by_hand {
            true => s.completes("23 10:00", "ana", "one"),
            false => s.observes(&property("1", "one", "", at("23 10:00")), "23 10:00"),
        };
        assert_eq!(s.run().outcomes[0].met, Some(true));
        assert_eq!(s.run().outcomes[0].breached_at, None);
        assert_eq!(s.trail.len(), 2, "{}", s.news());
    }
}

#[test]
fn an_acknowledgement_at_the_end_of_its_window_is_in_time() {
    let mut s = Story::of(&flow_with("sla: 2h", "sla: 30h"));
    s.published("23 09:00").news();
    s.person("23 13:00", "ana", Action::Acknowledge);
    assert_snapshot!(s.news(), @"3 23 13:00 acknowledged by ana");
}

#[test]
fn a_signal_on_its_way_past_the_deadline_takes_the_breach_back() {
    let mut s = Story::of(CHAIN);
    let on_time = property("1", "one", "", at("23 09:59"));
    s.published("23 09:00").tick("23 10:00").observes(&on_time, "23 10:04");
    assert_snapshot!(s.news(), @"
    1 23 09:00 run_opened by contentful ana as owner, ack by never; one 23 09:00..23 10:00, two waits, three waits
    2 23 10:00 sla_breached one due 23 10:00, ladder 23 10:00
    3 23 10:00 exception_opened x3 sla_breached one for cara by 24 10:00: nothing that verifies it
    4 23 10:00 escalated breached one step 0 high to ana, next never
    5 23 10:04 outcome_done by hubspot one at 23 09:59, met true; two 23 09:59..23 11:59
    6 23 10:04 exception_resolved x3: `one` was verified
    ");
    assert_snapshot!(s.standing(), @"
    active v6 ana as owner, next 23 11:59
    one 23 09:00..23 10:00 done met true, done 23 09:59, breached never
    two 23 09:59..23 11:59 open undecided, done never, breached never
    three waits waiting undecided, done never, breached never
    x3 sla_breached resolved 23 10:04
    ");
}

#[test]
fn a_failure_opens_a_ticket_and_the_clock_runs_on_until_it_comes_true() {
    let mut s = Story::new();
    s.published("23 09:00").news();
    let failed = |id| event(id, "hubspot", "workflow.failed", at("23 09:30"), serde_json::json!({}));
    s.observes(&failed("f1"), "23 09:30").observes(&failed("f2"), "23 09:31").tick("23 11:00");
    assert_snapshot!(s.news(), @"
    3 23 09:30 outcome_failed by hubspot crm-tag: workflow.failed from hubspot
    4 23 09:30 exception_opened x4 outcome_failed crm-tag for dev by 24 09:30: workflow.failed from hubspot
    5 23 11:00 sla_warning crm-tag due 23 11:00, dev
    6 23 11:00 sla_breached crm-tag due 23 11:00, ladder 23 11:00
    7 23 11:00 escalated breached crm-tag step 0 high to dev+eve, next 25 11:00
    ");
    s.tagged("23 11:30");
    assert_snapshot!(s.news(), @"
    8 23 11:30 outcome_done by hubspot crm-tag at 23 11:30, met false; sales-deck 23 11:30..25 11:30
    9 23 11:30 exception_resolved x4: `crm-tag` was verified
    ");
}

#[test]
fn outcomes_start_when_those_before_them_are_done_and_are_asked_for_then() {
    let mut s = Story::of(CHAIN);
    s.published("23 09:00");
    s.observes(&property("1", "one", "", at("23 09:20")), "23 09:21");
    s.observes(&property("2", "two", "", at("23 10:00")), "23 10:00");
    assert_snapshot!(s.news(), @r#"
    1 23 09:00 run_opened by contentful ana as owner, ack by never; one 23 09:00..23 10:00, two waits, three waits
    2 23 09:21 outcome_done by hubspot one at 23 09:20, met true; two 23 09:20..23 11:20
    3 23 10:00 outcome_done by hubspot two at 23 10:00, met true; three 23 10:00..23 13:00
    4 23 10:00 outcome_requested three of crm-automation: {"at":"https://app.example.com/5Ks"}
    "#);
}

#[test]
fn signals_out_of_order_lead_to_the_same_clocks() {
    let (one, two) = (property("1", "one", "", at("23 09:20")), property("2", "two", "", at("23 12:00")));
    let mut in_order = Story::of(CHAIN);
    in_order.published("23 09:00").observes(&one, "23 12:01").observes(&two, "23 12:01");
    let mut reversed = Story::of(CHAIN);
    reversed.published("23 09:00").observes(&two, "23 12:01").observes(&one, "23 12:01");
    for (a, b) in in_order.run().outcomes.iter().zip(&reversed.run().outcomes) {
        assert_eq!(
            (&a.clock, a.done_at, a.met, a.status),
            (&b.clock, b.done_at, b.met, b.status),
            "{}",
            a.id
        );
    }
    assert_eq!(reversed.run().outcomes[1].met, Some(false), "two was due at 11:20");
}

#[test]
fn a_failure_that_comes_before_its_start_does_not_stop_the_clock_from_starting() {
    let mut s = Story::of(CHAIN);
    s.published("23 09:00");
    s.observes(&property("f", "two-failed", "", at("23 09:10")), "23 09:10");
    s.observes(&property("1", "one", "", at("23 09:20")), "23 09:20").tick("23 11:20");
    assert_snapshot!(s.news(), @"
    1 23 09:00 run_opened by contentful ana as owner, ack by never; one 23 09:00..23 10:00, two waits, three waits
    2 23 09:10 outcome_failed by hubspot two: contact.propertyChange from hubspot
    3 23 09:10 exception_opened x3 outcome_failed two for cara by 24 09:10: contact.propertyChange from hubspot
    4 23 09:20 outcome_done by hubspot one at 23 09:20, met true; two 23 09:20..23 11:20
    5 23 11:20 sla_breached two due 23 11:20, ladder 23 11:20
    6 23 11:20 escalated breached two step 0 high to ana, next never
    ");
    assert_snapshot!(s.standing(), @"
    active v6 ana as owner, overdue, next 24 09:10
    one 23 09:00..23 10:00 done met true, done 23 09:20, breached never
    two 23 09:20..23 11:20 failed met false, done never, breached 23 11:20
    three waits waiting undecided, done never, breached never
    x3 outcome_failed resolved never
    ");
}

#[test]
fn the_same_signal_twice_counts_once() {
    let mut s = Story::of(CHAIN);
    let one = property("1", "one", "", at("23 09:20"));
    s.published("23 09:00").observes(&one, "23 09:20").observes(&one, "23 09:21");
    assert_eq!(s.trail.len(), 2);
}

#[test]
fn a_value_that_the_trigger_lacks_is_a_ticket_at_once() {
    let mut s = Story::new();
    let mut untagged = publish("p1", at("23 09:00"));
    untagged.data["fields"] = serde_json::json!({});
    s.opens(&untagged, at("23 09:00"));
    assert_snapshot!(s.news(), @"
    1 23 09:00 run_opened by contentful ana as owner, ack by 23 13:00; crm-tag 23 09:00..23 11:00, sales-deck waits
    2 23 09:00 exception_opened x2 outcome_failed crm-tag for dev by 24 09:00: the trigger has no value at `data.fields.campaign.en-US`, so no signal can match
    3 23 09:00 exception_opened x3 request_failed crm-tag for eve by 24 09:00: the event has no value at `data.fields.campaign.en-US`
    ");
    s.completes("23 09:30", "dev", "crm-tag");
    assert_snapshot!(s.news(), @"
    4 23 09:30 outcome_done by dev crm-tag at 23 09:30, met true; sales-deck 23 09:30..25 09:30
    5 23 09:30 exception_resolved x2: `crm-tag` was verified
    6 23 09:30 exception_resolved x3: `crm-tag` was verified
    ");
}

#[test]
fn a_run_without_anybody_to_own_it_is_a_ticket_at_once() {
    let mut s = Story::new();
    for id in ["ana", "ben", "cara"] {
        let person = s.directory.people.iter_mut().find(|person| person.id == id).unwrap();
        person.away =
            serde_json::from_value(serde_json::json!([{"from": "2026-11-23", "to": "2026-11-23"}])).unwrap();
    }
    s.published("23 09:00");
    assert_snapshot!(s.news(), @r#"
    1 23 09:00 run_opened by contentful eve as assigned, ack by 23 13:00; crm-tag 23 09:00..23 11:00, sales-deck waits
    2 23 09:00 exception_opened x2 ownership_gap for eve by 24 09:00: neither is there; `eve` holds it
    3 23 09:00 outcome_requested crm-tag of crm-automation: {"asset":"contentful:5KsDBWseXY6","tag":"spring"}
    "#);
    s.tick("23 13:00").tick("24 13:00").tick("24 17:00");
    assert_snapshot!(s.news(), @"
    4 23 13:00 sla_warning crm-tag due 23 11:00, dev
    5 23 13:00 sla_breached crm-tag due 23 11:00, ladder 23 11:00
    6 23 13:00 exception_opened x6 sla_breached crm-tag for eve by 24 13:00: nothing that verifies it
    7 23 13:00 escalated breached crm-tag step 0 high to dev+eve, next 25 11:00
    8 23 13:00 acknowledgement_missed eve by 23 13:00, ladder 23 13:00
    9 23 13:00 escalated not_acknowledged step 0 normal to eve, next 23 17:00
    10 24 13:00 escalated not_acknowledged step 1 high to eve, next never
    11 24 13:00 recovery_breached x2 due 24 09:00, ladder 24 09:00
    12 24 13:00 escalated recovery x2 step 0 high to eve, next never
    13 24 13:00 recovery_breached x6 due 24 13:00, ladder 24 13:00
    14 24 13:00 escalated recovery x6 step 0 high to eve, next never
    ");
}

#[test]
fn the_backup_opens_the_run_when_the_owner_is_away() {
    let mut s = Story::of(CHAIN);
    s.published("23 09:00");
    assert_eq!(s.run().owner.id, "ana");
    let mut s = Story::of(CHAIN);
    s.opens(&publish("p1", "2026-12-21T09:00:00Z".parse().unwrap()), "2026-12-21T09:00:00Z".parse().unwrap());
    assert_snapshot!(s.news(), @"1 21 09:00 run_opened by contentful cara as backup, ack by never; one 21 09:00..21 10:00, two waits, three waits");
}

#[test]
fn a_step_with_nobody_to_reach_says_so_and_the_next_one_does_not_wait() {
    let mut s = Story::new();
    s.directory.people.retain(|person| !["dev", "eve"].contains(&person.id.as_str()));
    s.published("23 09:00");
    s.person("23 09:10", "ana", Action::Acknowledge).tick("23 10:30").news();
    s.tick("23 11:00");
    assert_snapshot!(s.news(), @"
    5 23 11:00 sla_breached crm-tag due 23 11:00, ladder 23 11:00
    6 23 11:00 exception_opened x6 sla_breached crm-tag for role:ops-lead by 24 11:00: nothing that verifies it
    7 23 11:00 step_empty breached step 0: nobody can be reached, next 23 11:00
    8 23 11:00 reassigned ana -> cara as backup, ack by 23 15:00
    9 23 11:00 escalated breached crm-tag step 1 critical to fay+ops-pager, next never
    ");
}

#[test]
fn a_ticket_that_nobody_resolves_is_told_to_its_owner_and_to_the_exceptions_owner() {
    let mut s = Story::new();
    s.published("23 09:00").person("23 09:10", "ana", Action::Acknowledge);
    let failed = event("f1", "hubspot", "workflow.failed", at("23 09:30"), serde_json::json!({}));
    s.observes(&failed, "23 09:30").tagged("23 10:00").completes("23 10:01", "ana", "sales-deck").news();
    assert_eq!(s.run().closed_at, Some(at("23 10:01")), "the ticket resolved itself");

    let mut s = Story::new();
    s.published("23 09:00")
        .person("23 09:10", "ana", Action::Acknowledge)
        .observes(&failed, "23 09:30")
        .news();
    s.tick("24 09:30").tick("24 09:31");
    assert_snapshot!(s.news().lines().last().unwrap(), @"10 24 09:30 escalated recovery x5 step 0 high to dev+eve, next never");
}

#[test]
fn an_open_run_with_nothing_due_speaks_up_every_week() {
    let mut s = Story::of(&flow_with("acknowledge:\n  within: 4h\n", "").replace(
        "  not_acknowledged:
    - {after: 0m, reassign: backup_owner, notify: [owner, backup_owner]}
    - {after: 4h, notify: [role:ops-lead], severity: high}\n",
        "",
    ));
    s.published("01 09:00").tick("01 11:00").tick("02 11:00").tick("03 11:00").news();
    s.tick("10 10:59").tick("10 11:00").tick("17 11:00").tick("29 12:00");
    assert_snapshot!(s.news(), @"
    11 10 11:00 stalled since 03 11:00 to eve
    12 17 11:00 stalled since 10 11:00 to eve
    13 29 12:00 stalled since 17 11:00 to eve
    ");
}

#[test]
fn a_signal_from_shortly_before_the_trigger_counts_and_one_of_an_earlier_run_does_not() {
    for (sent, counts) in [("23 08:44:59.999", false), ("23 08:45", true)] {
        let mut s = Story::of(CHAIN);
        s.published("23 09:00").observes(&property("1", "one", "", at(sent)), "23 09:01");
        assert_eq!(s.run().outcomes[0].met, counts.then_some(true), "{sent}");
    }
}

#[test]
fn the_moment_an_event_was_taken_in_is_over_even_when_a_functions_clock_is_behind() {
    let mut s = Story::of(CHAIN);
    s.opens(&publish("p1", at("23 09:00")), at("23 08:59:58"));
    s.observes(&property("1", "one", "", at("23 10:00:01")), "23 09:59:58");
    assert_snapshot!(s.news(), @"
    1 23 09:00 run_opened by contentful ana as owner, ack by never; one 23 09:00..23 10:00, two waits, three waits
    2 23 10:00:01 sla_breached one due 23 10:00, ladder 23 10:00
    3 23 10:00:01 exception_opened x3 sla_breached one for cara by 24 10:00:01: nothing that verifies it
    4 23 10:00:01 escalated breached one step 0 high to ana, next never
    5 23 10:00:01 outcome_done by hubspot one at 23 10:00:01, met false; two 23 10:00:01..23 12:00:01
    6 23 10:00:01 exception_resolved x3: `one` was verified
    ");
}

#[test]
fn when_very_much_falls_due_at_once_a_decision_stays_within_a_transaction_and_nothing_is_lost() {
    let (head, _) = CHAIN.split_once("outcomes:").unwrap();
    let outcomes = (0..20).map(|n| format!("\n  - {{id: o{n}, sla: 1h, warn_at: 50%, done_when: manual}}"));
    let mut s = Story::of(&format!("{head}outcomes:{}", outcomes.collect::<String>()));
    s.published("23 09:00").completes("23 12:00", "ana", "o19");
    assert!(s.trail.len() < 99, "{} records in one transaction", s.trail.len());
    assert_eq!(s.run().outcomes[19].breached_at, Some(at("23 10:00")), "breached before it was done");
    for _ in 0..5 {
        s.tick("23 12:01");
    }
    let count = |kind| s.trail.iter().filter(|record| record.fact.kind() == kind).count();
    assert_eq!((count("sla_breached"), count("exception_opened"), count("escalated")), (20, 20, 19));
    assert!(s.run().next_due().unwrap().0 > at("23 12:01"));
}

#[test]
fn a_second_miss_does_not_put_off_the_ladder_that_is_being_climbed() {
    let mut s = Story::of(&flow_with("within: 4h", "within: 1h"));
    s.published("23 09:00").tick("23 10:00").tick("23 11:00");
    let missed = s.news().lines().rfind(|line| line.contains("acknowledgement_missed")).unwrap().to_owned();
    assert!(missed.ends_with("acknowledgement_missed cara by 23 11:00, ladder 23 14:00"), "{missed}");
}
