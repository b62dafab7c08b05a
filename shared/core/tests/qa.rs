//! QA checks: the content is looked at before outcomes are requested, the routing before the run may close.

use insta::assert_snapshot;
use meshline_core::command::Action;
use meshline_core::record::Record;
use meshline_core::run::Run;
use meshline_core::view::RunView;

use crate::support::story::Story;
use crate::support::{at, bundle, good, plan, property, publish};

/// A flow whose content two people look at, and whose routing another system reports.
const CHECKED: &str = "
kind: Flow
id: checked
title: Checked
owner: person:ana
backup_owner: person:cara
trigger: {source: contentful, match: {type: [Entry.publish]}}
qa:
  content:
    - {id: editorial, title: Editorial checklist, pass_when: manual, within: 4h}
    - {id: legal, pass_when: {data: {propertyName: [legal]}}, within: 4h}
  routing:
    - {id: attribution, pass_when: {data: {propertyName: [source], propertyValue: ['${data.fields.campaign.en-US}']}}, within: 4h}
outcomes:
  - {id: tag, sla: 2h, request: {channel: crm-automation}, done_when: {data: {propertyName: [campaign_tag]}}}
  - {id: deck, sla: 48h, after: [tag], done_when: manual}
exceptions: {owner: role:ops-lead, recovery_sla: 24h}
";

fn opened() -> Story {
    let mut s = Story::of(CHECKED);
    s.published("23 09:00");
    s
}

fn passes(s: &mut Story, now: &str, check: &str) {
    s.person(now, "ana", Action::PassCheck { check: check.to_owned(), evidence: None });
}

fn fails(s: &mut Story, now: &str, check: &str) {
    s.person(
        now,
        "ana",
        Action::FailCheck { check: check.to_owned(), reason: "two typing errors".to_owned() },
    );
}

fn says(s: &mut Story, name: &str, sent: &str, now: &str) {
    s.observes(&property(&format!("{name} at {sent}"), name, "spring", at(sent)), now);
}

#[test]
fn outcomes_are_requested_and_their_clocks_start_when_the_last_content_check_passes() {
    let mut s = opened();
    assert_snapshot!(s.standing(), @"
    awaiting_qa v1 ana as owner, next 23 13:00
    tag waits waiting undecided, done never, breached never
    deck waits waiting undecided, done never, breached never
    editorial content pending, due 23 13:00
    legal content pending, due 23 13:00
    attribution routing pending, due never
    ");
    says(&mut s, "legal", "23 10:00", "23 10:00");
    passes(&mut s, "23 11:00", "editorial");
    says(&mut s, "source", "23 12:00", "23 12:00");
    says(&mut s, "campaign_tag", "23 12:30", "23 12:30");
    s.completes("23 13:00", "ana", "deck");
    assert_snapshot!(s.news(), @"
    1 23 09:00 run_opened by contentful ana as owner, ack by never; tag waits, deck waits
    2 23 10:00 check_passed by hubspot legal at 23 10:00
    3 23 11:00 check_passed by ana editorial at 23 11:00; tag 23 11:00..23 13:00; attribution due 23 15:00
    4 23 11:00 outcome_requested tag of crm-automation: null
    5 23 12:00 check_passed by hubspot attribution at 23 12:00
    6 23 12:30 outcome_done by hubspot tag at 23 12:30, met true; deck 23 12:30..25 12:30
    7 23 13:00 outcome_done by ana deck at 23 13:00, met true
    8 23 13:00 run_closed met true
    ");
}

#[test]
fn a_run_whose_outcomes_are_done_is_verifying_until_its_routing_checks_have_passed() {
    let mut s = opened();
    says(&mut s, "legal", "23 10:00", "23 10:00");
    passes(&mut s, "23 10:00", "editorial");
    says(&mut s, "campaign_tag", "23 10:30", "23 10:30");
    s.completes("23 11:00", "ana", "deck").news();
    let refused = s.refuses("23 11:00", "ana", Action::Close("enough".to_owned()));
    assert_eq!(refused, "check `attribution` has not passed: pass it first, or cancel the run");
    s.tick("23 14:00");
    says(&mut s, "source", "23 15:00", "23 15:00");
    assert_snapshot!(s.news(), @"
    8 23 14:00 check_overdue attribution due 23 14:00
    9 23 14:00 exception_opened x9 qa_not_reported attribution for eve by 24 14:00: nobody said how it came out by 2026-11-23T14:00:00.000Z
    10 23 15:00 check_passed by hubspot attribution at 23 15:00
    11 23 15:00 exception_resolved x9: `attribution` has passed
    12 23 15:00 run_closed met true
    ");
    assert_eq!(s.run().met(), Some(true), "checks are no outcomes");
}

#[test]
fn a_check_that_fails_is_a_ticket_and_passing_after_all_resolves_it() {
    let mut s = opened();
    s.news();
    fails(&mut s, "23 10:00", "editorial");
    fails(&mut s, "23 10:30", "editorial");
    s.tick("23 12:59");
    says(&mut s, "legal", "23 12:59", "23 12:59");
    passes(&mut s, "23 14:00", "editorial");
    assert_snapshot!(s.news(), @"
    2 23 10:00 check_failed by ana editorial: two typing errors
    3 23 10:00 exception_opened x3 qa_failed editorial for eve by 24 10:00: two typing errors
    4 23 10:30 check_failed by ana editorial: two typing errors
    5 23 12:59 check_passed by hubspot legal at 23 12:59
    6 23 14:00 check_passed by ana editorial at 23 14:00; tag 23 14:00..23 16:00; attribution due 23 18:00
    7 23 14:00 exception_resolved x3: `editorial` has passed
    8 23 14:00 outcome_requested tag of crm-automation: null
    ");
    let again = s.refuses(
        "23 14:01",
        "ana",
        Action::FailCheck { check: "editorial".to_owned(), reason: "x".to_owned() },
    );
    assert_eq!(again, "check `editorial` has passed");
}

#[test]
fn silence_at_the_deadline_is_recorded_and_a_ticket_and_never_counts_as_passed() {
    let mut s = opened();
    says(&mut s, "legal", "23 09:30", "23 09:30");
    s.news();
    s.tick("23 13:00:20").tick("23 13:01");
    assert_eq!(RunView::of(s.run(), s.run().last_at).checks[0].due_at, Some(at("23 13:00")));
    assert_snapshot!(s.standing(), @"
    awaiting_qa v4 ana as owner, next 24 13:00:20
    tag waits waiting undecided, done never, breached never
    deck waits waiting undecided, done never, breached never
    editorial content overdue, due 23 13:00
    legal content passed, due 23 13:00
    attribution routing pending, due never
    x4 qa_not_reported resolved never
    ");
    fails(&mut s, "23 14:00", "editorial");
    passes(&mut s, "23 15:00", "editorial");
    assert_snapshot!(s.news(), @"
    3 23 13:00:20 check_overdue editorial due 23 13:00
    4 23 13:00:20 exception_opened x4 qa_not_reported editorial for eve by 24 13:00:20: nobody said how it came out by 2026-11-23T13:00:00.000Z
    5 23 14:00 check_failed by ana editorial: two typing errors
    6 23 14:00 exception_opened x6 qa_failed editorial for eve by 24 14:00: two typing errors
    7 23 15:00 check_passed by ana editorial at 23 15:00; tag 23 15:00..23 17:00; attribution due 23 19:00
    8 23 15:00 exception_resolved x4: `editorial` has passed
    9 23 15:00 exception_resolved x6: `editorial` has passed
    10 23 15:00 outcome_requested tag of crm-automation: null
    ");
}

#[test]
fn what_is_reported_at_the_deadline_is_in_time() {
    let mut s = opened();
    says(&mut s, "legal", "23 13:00", "23 13:00");
    passes(&mut s, "23 13:00", "editorial");
    assert_snapshot!(s.news(), @"
    1 23 09:00 run_opened by contentful ana as owner, ack by never; tag waits, deck waits
    2 23 13:00 check_passed by hubspot legal at 23 13:00
    3 23 13:00 check_passed by ana editorial at 23 13:00; tag 23 13:00..23 15:00; attribution due 23 17:00
    4 23 13:00 outcome_requested tag of crm-automation: null
    ");
}

#[test]
fn a_check_that_was_passed_in_time_and_heard_of_late_takes_its_ticket_back() {
    let mut s = opened();
    passes(&mut s, "23 10:00", "editorial");
    s.tick("23 13:00").news();
    says(&mut s, "legal", "23 12:55", "23 13:05");
    assert_snapshot!(s.news(), @"
    5 23 13:05 check_passed by hubspot legal at 23 12:55; tag 23 12:55..23 14:55; attribution due 23 16:55
    6 23 13:05 exception_resolved x4: `legal` has passed
    7 23 13:05 outcome_requested tag of crm-automation: null
    ");
}

#[test]
fn signals_before_the_trigger_and_before_the_content_checks_count() {
    let mut s = opened();
    says(&mut s, "legal", "23 08:50", "23 09:01");
    says(&mut s, "campaign_tag", "23 09:30", "23 09:30");
    says(&mut s, "source", "23 09:31", "23 09:31");
    s.news();
    passes(&mut s, "23 10:00", "editorial");
    assert_snapshot!(s.news(), @"5 23 10:00 check_passed by ana editorial at 23 10:00; tag 23 10:00..23 12:00; deck 23 10:00..25 10:00; attribution due 23 14:00");
    assert_snapshot!(s.standing(), @"
    active v5 ana as owner, next 25 10:00
    tag 23 10:00..23 12:00 done met true, done 23 09:30, breached never
    deck 23 10:00..25 10:00 open undecided, done never, breached never
    editorial content passed, due 23 13:00
    legal content passed, due 23 13:00
    attribution routing passed, due 23 14:00
    ");
}

#[test]
fn a_value_that_the_trigger_lacks_is_a_ticket_of_the_check_at_once() {
    let mut s = Story::of(CHECKED);
    let mut untagged = publish("p1", at("23 09:00"));
    untagged.data["fields"] = serde_json::json!({});
    s.opens(&untagged, at("23 09:00"));
    passes(&mut s, "23 09:30", "attribution");
    assert_snapshot!(s.news(), @"
    1 23 09:00 run_opened by contentful ana as owner, ack by never; tag waits, deck waits
    2 23 09:00 exception_opened x2 qa_failed attribution for eve by 24 09:00: the trigger has no value at `data.fields.campaign.en-US`, so no signal can match
    3 23 09:30 check_passed by ana attribution at 23 09:30
    4 23 09:30 exception_resolved x2: `attribution` has passed
    ");
}

#[test]
fn cancelling_a_run_ends_the_tickets_of_its_checks() {
    let mut s = opened();
    s.tick("23 13:00").person("23 13:30", "ana", Action::Cancel("withdrawn".to_owned()));
    assert!(s.run().open_exceptions().next().is_none());
    assert_eq!(s.run().next_due(), None);
    let refused =
        s.refuses("23 14:00", "ana", Action::PassCheck { check: "legal".to_owned(), evidence: None });
    assert_eq!(refused, "the run is cancelled");
}

#[test]
fn what_nobody_asked_for_and_what_says_nothing_is_refused() {
    let mut s = opened();
    let unknown = Action::PassCheck { check: "style".to_owned(), evidence: None };
    assert_eq!(s.refuses("23 10:00", "ana", unknown), "there is no check `style`");
    let silent = Action::FailCheck { check: "legal".to_owned(), reason: " ".to_owned() };
    assert_eq!(s.refuses("23 10:00", "ana", silent), "`reason` must not be empty");
}

#[test]
fn a_run_from_before_there_were_checks_reads_as_one_without() {
    let mut s = Story::new();
    s.published("23 09:00");
    let stored = serde_json::to_value(s.run()).unwrap();
    assert!(stored.get("checks").is_none(), "a flow without checks pays nothing for them");
    let opened = serde_json::to_value(&s.trail[0]).unwrap();
    assert!(opened["detail"].get("checks").is_none());
    assert_eq!(serde_json::from_value::<Run>(stored).unwrap().checks, vec![]);
    let read: Record = serde_json::from_value(opened).unwrap();
    assert_eq!(read, s.trail[0]);
}

#[test]
fn every_problem_of_the_checks_is_named_with_its_line_and_mend() {
    let wrong = CHECKED
        .replace("id: legal, pass_when: {data", "id: Legal, pass_when: {payload")
        .replace("{id: attribution, pass_when", "{id: editorial, title: 1, pass_if: manual, pass_when")
        .replace("manual, within: 4h}", "manual, within: 0s}");
    let problems = |flow: &str| {
        let problems = plan(&good(&bundle(CHECKED)), &bundle(flow)).unwrap_err();
        let line = |p: &meshline_core::config::Problem| {
            format!("{} {}: {} -> {}", p.line, p.field, p.reason, p.mend)
        };
        problems.iter().map(line).collect::<Vec<_>>().join("\n")
    };
    assert_snapshot!(problems(&wrong), @"
    10 qa.content[0].within: this leaves no time at all -> write more than `0s`
    11 qa.content[1].id: `Legal` is not an id -> use 1 to 63 lower-case letters, digits and hyphens, the first no hyphen
    11 qa.content[1].pass_when: not an event pattern: an event has no attribute `payload`: it has `id`, `source`, `type`, `subject`, `occurred_at`, `received_at`, `actor`, `title`, `url`, `data` -> docs/FLOWS.md shows patterns
    13 qa.routing[0].id: `editorial` is a content check already -> give each its own id
    13 qa.routing[0].pass_if: unknown field `pass_if` -> remove it, or use one of `id`, `title`, `pass_when`, `within`
    13 qa.routing[0].title: invalid type: integer `1` -> write a string
    ");
    let (head, rest) = CHECKED.split_once("qa:").unwrap();
    let outcomes = rest.split_once("outcomes:").unwrap().1;
    let many = (0..11).map(|n| format!("    - {{id: c{n}, pass_when: manual, within: 1h}}\n"));
    let many = format!("{head}qa:\n  routing:\n{}outcomes:{outcomes}", many.collect::<String>());
    assert_snapshot!(problems(&many), @"8 qa: a flow has 1 to 10 checks, this one 11 -> leave `qa` out if nothing is to be checked");
    assert_snapshot!(problems(&format!("{head}qa: {{}}\noutcomes:{outcomes}")), @"8 qa: a flow has 1 to 10 checks, this one 0 -> leave `qa` out if nothing is to be checked");
    let missing = CHECKED.replace("pass_when: manual, within: 4h", "");
    assert_snapshot!(problems(&missing), @"
    10 qa.content[0].pass_when: `pass_when` is missing -> write `pass_when:` with its value (docs/FLOWS.md)
    10 qa.content[0].within: `within` is missing -> write `within:` with its value (docs/FLOWS.md)
    ");
}
