//! What a record tells the queues and the bus: every field that docs/ARCHITECTURE.md promises.

use std::collections::BTreeSet;

use insta::{assert_json_snapshot, assert_snapshot};
use meshline_core::command::Action;
use meshline_core::event::Event;
use meshline_core::message::{Outgoing, Queue, outgoing};
use meshline_core::record::Record;
use serde_json::Value;

use crate::support::story::Story;
use crate::support::{at, publish};

const URL: &str = "https://ops.example.com";

/// The example run: requested, acknowledged, breached, escalated, its ticket late, done.
fn told() -> Story {
    let mut s = Story::new();
    s.published("23 09:00").person("23 09:10", "ana", Action::Acknowledge).tick("23 11:00:20");
    s.tick("24 11:01").tagged("24 12:00");
    s
}

fn record<'s>(story: &'s Story, kind: &str) -> &'s Record {
    story.trail.iter().find(|record| record.fact.kind() == kind).unwrap()
}

/// The message that the first record of this kind sends, with its queue.
fn message(story: &Story, kind: &str) -> (Queue, Value) {
    outgoing(record(story, kind), URL, None).queue.unwrap()
}

fn has(data: &Value, fields: &str) {
    for field in fields.split(", ") {
        assert!(data.get(field).is_some(), "`{field}` is not in {data:#}");
    }
}

const ESCALATION: &str = "run, flow, subject, title, url, ladder, step, severity, reason, outcome, owner, notify, \
                          due_at, breached_at, detected_at, links";

#[test]
fn an_escalation_says_who_is_told_what_and_why() {
    let (queue, message) = message(&told(), "escalated");
    assert_eq!(queue.as_str(), "escalations");
    has(&message["data"], ESCALATION);
    assert_json_snapshot!(message, @r#"
    {
      "data": {
        "breached_at": "2026-11-23T11:00:00.000Z",
        "detected_at": "2026-11-23T11:00:20.000Z",
        "due_at": "2026-11-23T11:00:00.000Z",
        "exception": null,
        "flow": "blog-launch",
        "ladder": "breached",
        "links": {
          "run": "https://ops.example.com/v1/runs/oc5z7qr3kbmh-01M83T4CM0DP9RNJB7P8AK2EJ6",
          "timeline": "https://ops.example.com/v1/subjects/contentful:5KsDBWseXY6/timeline",
          "trail": "https://ops.example.com/v1/runs/oc5z7qr3kbmh-01M83T4CM0DP9RNJB7P8AK2EJ6/audit"
        },
        "notify": [
          {
            "id": "dev",
            "name": "Dev Rao",
            "slack": "U04DEV"
          },
          {
            "email": "eve@example.com",
            "id": "eve",
            "name": "Eve Moss"
          }
        ],
        "outcome": "crm-tag",
        "owner": "ana",
        "reason": "`crm-tag` was not verified by 2026-11-23T11:00:00.000Z",
        "run": "oc5z7qr3kbmh-01M83T4CM0DP9RNJB7P8AK2EJ6",
        "severity": "high",
        "step": 0,
        "subject": "contentful:5KsDBWseXY6",
        "title": "Spring launch",
        "url": "https://app.example.com/5Ks"
      },
      "datacontenttype": "application/json",
      "dataschema": "urn:meshline:schema:escalation:1",
      "id": "oc5z7qr3kbmh-01M83T4CM0DP9RNJB7P8AK2EJ6:7",
      "source": "meshline/blog-launch",
      "specversion": "1.0",
      "subject": "contentful:5KsDBWseXY6",
      "time": "2026-11-23T11:00:20.000Z",
      "traceparent": "00-afb03c3c56bb933ccc38b3c3d0268da2-4be2cc5d5526f199-01",
      "type": "meshline.escalated"
    }
    "#);
}

#[test]
fn a_ticket_says_what_was_expected_what_was_seen_and_who_held_it() {
    let (queue, message) = message(&told(), "exception_opened");
    assert_eq!(queue.as_str(), "exceptions");
    has(
        &message["data"],
        "exception, run, flow, subject, title, url, kind, expected, seen, owner, custody, recovery_due_at, playbook, group, links",
    );
    assert_json_snapshot!(message, @r#"
    {
      "data": {
        "check": null,
        "custody": [
          {
            "as": "owner",
            "from": "2026-11-23T09:00:00.000Z",
            "owner": "ana"
          }
        ],
        "exception": "x6",
        "expected": "`crm-tag` by 2026-11-23T11:00:00.000Z",
        "flow": "blog-launch",
        "group": "blog-launch/crm-tag/sla_breached/2026-11-23T11",
        "kind": "sla_breached",
        "links": {
          "run": "https://ops.example.com/v1/runs/oc5z7qr3kbmh-01M83T4CM0DP9RNJB7P8AK2EJ6",
          "timeline": "https://ops.example.com/v1/subjects/contentful:5KsDBWseXY6/timeline",
          "trail": "https://ops.example.com/v1/runs/oc5z7qr3kbmh-01M83T4CM0DP9RNJB7P8AK2EJ6/audit"
        },
        "opened_at": "2026-11-23T11:00:20.000Z",
        "outcome": "crm-tag",
        "owner": "eve",
        "playbook": null,
        "recovery_due_at": "2026-11-24T11:00:20.000Z",
        "run": "oc5z7qr3kbmh-01M83T4CM0DP9RNJB7P8AK2EJ6",
        "seen": "nothing that verifies it",
        "subject": "contentful:5KsDBWseXY6",
        "title": "Spring launch",
        "url": "https://app.example.com/5Ks"
      },
      "datacontenttype": "application/json",
      "dataschema": "urn:meshline:schema:exception:1",
      "id": "oc5z7qr3kbmh-01M83T4CM0DP9RNJB7P8AK2EJ6:6",
      "source": "meshline/blog-launch",
      "specversion": "1.0",
      "subject": "contentful:5KsDBWseXY6",
      "time": "2026-11-23T11:00:20.000Z",
      "traceparent": "00-afb03c3c56bb933ccc38b3c3d0268da2-b0413f34e77113d2-01",
      "type": "meshline.exception_opened"
    }
    "#);
}

#[test]
fn a_request_says_what_is_to_be_done_and_by_which_channel() {
    let (queue, message) = message(&told(), "outcome_requested");
    assert_eq!(queue.as_str(), "requests");
    has(&message["data"], "run, outcome, channel, payload");
    assert_json_snapshot!(message, @r#"
    {
      "data": {
        "channel": "crm-automation",
        "flow": "blog-launch",
        "links": {
          "run": "https://ops.example.com/v1/runs/oc5z7qr3kbmh-01M83T4CM0DP9RNJB7P8AK2EJ6",
          "timeline": "https://ops.example.com/v1/subjects/contentful:5KsDBWseXY6/timeline",
          "trail": "https://ops.example.com/v1/runs/oc5z7qr3kbmh-01M83T4CM0DP9RNJB7P8AK2EJ6/audit"
        },
        "outcome": "crm-tag",
        "payload": {
          "asset": "contentful:5KsDBWseXY6",
          "tag": "spring"
        },
        "run": "oc5z7qr3kbmh-01M83T4CM0DP9RNJB7P8AK2EJ6",
        "subject": "contentful:5KsDBWseXY6"
      },
      "datacontenttype": "application/json",
      "dataschema": "urn:meshline:schema:request:1",
      "id": "oc5z7qr3kbmh-01M83T4CM0DP9RNJB7P8AK2EJ6:2",
      "source": "meshline/blog-launch",
      "specversion": "1.0",
      "subject": "contentful:5KsDBWseXY6",
      "time": "2026-11-23T09:00:00.000Z",
      "traceparent": "00-afb03c3c56bb933ccc38b3c3d0268da2-1ff1e7dd44e9ace7-01",
      "type": "meshline.outcome_requested"
    }
    "#);
}

#[test]
fn the_notices_about_a_late_ticket_and_a_stalled_run_are_escalations_too() {
    let mut s = Story::new();
    s.published("01 09:00");
    for day in 2..=20 {
        s.tick(&format!("{day:02} 09:00"));
    }
    let queued = s.trail.iter().filter_map(|record| outgoing(record, URL, None).queue);
    let mut reasons = Vec::new();
    for ladder in ["recovery", "stalled"] {
        let of = |(_, message): &(Queue, Value)| message["data"]["ladder"] == ladder;
        let (queue, message) = queued.clone().find(of).unwrap();
        assert_eq!(queue, Queue::Escalations);
        has(&message["data"], ESCALATION);
        reasons.push(format!("{} {}", message["data"]["notify"][0]["id"], message["data"]["reason"]));
    }
    assert_snapshot!(reasons.join("\n"), @r#"
    "eve" "exception `x5` was not resolved by 2026-11-03T09:00:00.000Z"
    "eve" "nothing is due and nothing happened for a week"
    "#);
}

#[test]
fn the_bus_gets_every_record_as_it_was_hashed() {
    let s = told();
    for record in &s.trail {
        let Outgoing { kind, bus, .. } = outgoing(record, URL, None);
        assert_eq!(kind, format!("meshline.{}", record.fact.kind()));
        assert_eq!((&bus["specversion"], &bus["type"]), (&Value::from("1.0"), &Value::from(kind)));
        assert_eq!(bus["id"], format!("{}:{}", record.run, record.seq));
        assert_eq!(serde_json::from_value::<Record>(bus["data"].clone()).unwrap(), *record);
        has(&bus, "source, subject, time, dataschema, data");
    }
}

#[test]
fn every_message_of_a_run_is_a_step_of_the_trace_of_its_trigger() {
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let mut s = Story::new();
    let publish = publish("p1", at("23 09:00"));
    s.opens(&Event { trace: trace.parse().ok(), ..publish }, at("23 09:00"));
    s.tick("23 11:00:20").tagged("23 12:00");
    let mut steps = BTreeSet::new();
    for record in &s.trail {
        let Outgoing { bus, queue, trace: step, .. } = outgoing(record, URL, None);
        let step = step.unwrap().to_string();
        assert!(step.starts_with(&format!("00-{trace}-")), "{step}");
        for event in [Some(bus), queue.map(|(_, body)| body)].into_iter().flatten() {
            assert_eq!(event["traceparent"], step);
        }
        assert!(steps.insert(step), "two records are one step");
    }
    assert_eq!(s.run().trace, trace.parse().ok());
}

#[test]
fn only_what_somebody_must_act_on_goes_to_a_queue() {
    let s = told();
    let queued = s.trail.iter().filter(|record| outgoing(record, URL, None).queue.is_some());
    let kinds: Vec<&str> = queued.map(|record| record.fact.kind()).collect();
    assert_eq!(kinds, ["outcome_requested", "exception_opened", "escalated", "escalated"]);
}

#[test]
fn where_there_is_a_console_a_message_leads_to_the_page_of_its_case() {
    let s = told();
    let console = |kind: &str| {
        let (_, message) =
            outgoing(record(&s, kind), URL, Some("https://console.example.com")).queue.unwrap();
        message["data"]["links"]["console"].as_str().unwrap().to_owned()
    };
    let page = format!("https://console.example.com/runs/{}", s.run().run);
    assert_eq!(console("outcome_requested"), page);
    assert_eq!(console("exception_opened"), format!("{page}#x6"));
    let (_, message) = message(&s, "exception_opened");
    assert_eq!(message["data"]["links"].get("console"), None, "nobody is sent where nothing is");
}

#[test]
fn links_hold_for_any_subject() {
    let mut s = Story::new();
    let mut event = publish("p1", at("23 09:00"));
    event.subject = "cms:a/b c?d#é".to_owned();
    s.opens(&event, at("23 09:00"));
    let (_, message) = message(&s, "outcome_requested");
    assert_eq!(
        message["data"]["links"]["timeline"],
        format!("{URL}/v1/subjects/cms:a%2Fb%20c%3Fd%23%C3%A9/timeline")
    );
}

#[test]
fn an_escalation_names_whoever_missed_the_window_also_after_the_run_moved_on() {
    let mut s = Story::new();
    s.published("23 09:00").tick("23 13:00:30").tick("23 17:00:10");
    let steps = s
        .trail
        .iter()
        .filter(|r| r.fact.kind() == "escalated")
        .map(|r| outgoing(r, URL, None).queue.unwrap().1);
    let missed: Vec<Value> = steps.filter(|step| step["data"]["ladder"] == "not_acknowledged").collect();
    let reasons: Vec<&str> = missed.iter().map(|step| step["data"]["reason"].as_str().unwrap()).collect();
    assert_snapshot!(reasons.join("\n"), @"
    `ana` did not acknowledge by 2026-11-23T13:00:00.000Z
    `ana` did not acknowledge by 2026-11-23T13:00:00.000Z
    ");
    assert!(missed.iter().all(|step| step["data"]["due_at"] == "2026-11-23T13:00:00.000Z"));
    assert_eq!((&missed[0]["data"]["owner"], &missed[1]["data"]["owner"]), (&"cara".into(), &"cara".into()));
}

#[test]
fn a_run_of_a_flow_that_is_off_goes_to_the_bus_alone() {
    let told = told();
    for record in &told.trail {
        let off = Record { suppressed: true, ..record.clone() };
        assert_eq!(outgoing(&off, URL, None).queue, None);
        assert_eq!(outgoing(&off, URL, None).bus["data"]["suppressed"], true);
    }
    assert!(
        told.trail.iter().any(|record| outgoing(record, URL, None).queue.is_some()),
        "when it is on, people are told"
    );
}
