//! `meshline doctor` against stacks that are well, and others that are not.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

mod local;
mod tool;

use insta::assert_snapshot;
use serde_json::{Value, json};

use local::Local;
use tool::{meshline, text};

const START: &str = "2026-11-23T09:00:00Z";
const DIRECTORY: &str = include_str!("../../infra/examples/directory.yaml");
const FLOW: &str = include_str!("../../infra/examples/lead-form.yaml");

/// What the doctor says, without the address, and its exit code.
fn doctor(local: &Local) -> (String, Option<i32>) {
    let output = local.meshline(&["doctor"]);
    assert_eq!(text(&output.stderr), "");
    (text(&output.stdout).replace(&local.url, "URL"), output.status.code())
}

fn apply(local: &Local, text: &str) {
    let file = local.file("applied.yaml");
    std::fs::write(&file, text).unwrap();
    assert_eq!(local.meshline(&["apply", &file]).status.code(), Some(0));
}

/// The lines that are not ok.
fn complaints(said: &str) -> String {
    said.lines().filter(|line| !line.starts_with("ok ")).map(|line| format!("{line}\n")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fresh_stack_is_well() {
    let local = Local::start("doctor-fresh", START).await;
    let (said, code) = doctor(&local);
    assert_snapshot!(said.replace(env!("CARGO_PKG_VERSION"), "VERSION"), @"
    ok  reachable    URL, version VERSION
    ok  flows        2 flows in force, all on
    ok  people       owners and backups cover today and the next 30 days
    ok  triggers     the last runs were opened: `blog-launch` none yet; `lead-form` none yet
    ok  deadlines    0 open runs, none overlooked
    ok  exceptions   0 open exceptions, none past its recovery deadline
    ok  deliveries   no message of today was given up
    ok  checkpoints  none yet: the first is made at 00:20 UTC
    ok  rejections   none within a day
    ok  queues       drained, and no dead letters
    ");
    assert_eq!(code, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_that_was_not_understood_is_named_for_a_day() {
    let local = Local::start("doctor-rejected", START).await;
    let without_its_asset = json!({"event": "form.submitted", "delivery": "d-1"});
    let (status, _) = local.send("POST", "/hooks/forms", &without_its_asset).await;
    assert_eq!(status, 422);
    let (said, code) = doctor(&local);
    assert_snapshot!(complaints(&said), @"
    problem  rejections   1 within a day not understood: `forms`: the event's subject is missing: there is no value at `data.asset` -> `meshline rejections` shows them; mend the source or its provider, and let it send again
    ");
    assert_eq!(code, Some(1));
    local.until("2026-11-24T09:00:00Z").await;
    let (said, code) = doctor(&local);
    assert_eq!((complaints(&said).as_str(), code), ("", Some(0)));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exception_past_its_recovery_deadline_is_named_until_it_is_resolved() {
    let local = Local::start("doctor-exception", START).await;
    let run = local.submit("form:7").await;
    local.until("2026-11-24T14:00:00Z").await;
    let (said, code) = doctor(&local);
    assert_snapshot!(complaints(&said).replace(&run, "RUN"), @"
    problem  exceptions   1 open exception, 1 past the recovery deadline: x9 of RUN (sla_breached) was due 2026-11-24T13:00Z (60m ago), owner dev -> `meshline resolve RUN EXCEPTION --resolution …`, or ask its owner
    ");
    assert_eq!(code, Some(1));
    assert!(said.contains("1 day until 2026-11-23 signed and in a chain"), "{said}");

    let exceptions = local.call("GET", "/v1/exceptions?status=open", &Value::Null).await;
    let id = exceptions["items"][0]["id"].as_str().unwrap().to_owned();
    let resolve = format!("/v1/runs/{run}/exceptions/{id}/resolve");
    local.call("POST", &resolve, &json!({"resolution": "called them"})).await;
    let (said, code) = doctor(&local);
    assert_eq!((complaints(&said).as_str(), code), ("", Some(0)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flow_whose_people_will_be_away_is_named_before_they_are() {
    let local = Local::start("doctor-away", START).await;
    let away = ", away: [{from: 2026-12-24, to: 2026-12-26}]}";
    let directory = DIRECTORY
        .replace("slack: U02BEN}", &format!("slack: U02BEN{away}"))
        .replace("email: dev@example.com}", &format!("email: dev@example.com{away}"));
    apply(&local, &directory);
    let (said, code) = doctor(&local);
    assert_eq!((complaints(&said).as_str(), code), ("", Some(0)), "beyond the 30 days nobody asks yet");
    local.until("2026-11-26T09:00:00Z").await;
    let (said, code) = doctor(&local);
    assert_snapshot!(complaints(&said), @"
    problem  people       `lead-form`: neither `role:marketing-ops` nor `role:revops` is there on 2026-12-24, 2026-12-25 -> change the days off, or name another backup, and apply
    ");
    assert_eq!(code, Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_off_what_stays_away_and_what_was_given_up_are_told() {
    let local = Local::start("doctor-flow", START).await;
    apply(&local, &format!("{FLOW}enabled: false\n"));
    let (said, code) = doctor(&local);
    assert_snapshot!(complaints(&said), @"
    warning  flows        2 flows in force; nobody is told of what is off: `lead-form` -> write `enabled: true` and apply, once people shall be told
    ");
    assert_eq!(code, Some(0), "a warning is no problem");

    // On this machine, so that it is called; its secret is not there.
    apply(&local, &DIRECTORY.replace("https://crm.example.com", "http://127.0.0.1:9"));
    let request = "    request: {channel: crm-automation, payload: {form: \"${subject}\"}}\n";
    apply(&local, &format!("{FLOW}{request}expect: {{at_least_every: 1d}}\n"));
    local.until("2026-11-24T10:00:00Z").await;
    let (said, code) = doctor(&local);
    assert_snapshot!(complaints(&said), @r#"
    problem  triggers     `lead-form` expects one every 1d: none yet -> does the provider still send? Its webhook's log, then docs/RUNBOOK.md, "A delivery that does nothing"
    "#);
    assert_eq!(code, Some(1));

    let run = local.submit("form:8").await;
    local.until("2026-11-24T11:00:00Z").await;
    let (said, code) = doctor(&local);
    assert_snapshot!(complaints(&said).replace(&run, "RUN"), @"
    problem  deliveries   1 message of today given up: channel:crm-automation was not told of RUN: there is no secret `crm-automation` -> mend the channel or the person's addresses in the directory, apply, and tell them (`DeliveriesFailedAlarm`)
    ");
    assert_eq!(code, Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn machines_get_each_finding_with_its_status() {
    let local = Local::start("doctor-json", START).await;
    let output = local.meshline(&["doctor", "--json"]);
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    let checks = said["checks"].as_array().unwrap();
    assert!(
        checks.len() >= 9 && checks.iter().all(|it| it["status"] == "ok" && it["mend"].is_null()),
        "{said}"
    );
    assert_eq!(said["unseen"], json!([]), "a stack on this machine tells all");
}

#[test]
fn a_stack_that_is_not_there_is_a_problem_and_ends_with_3() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let output = meshline(&url, &["doctor"]);
    assert_eq!(output.status.code(), Some(3));
    assert!(text(&output.stdout).starts_with("problem  reachable"), "{}", text(&output.stdout));
    assert!(text(&output.stdout).contains("`meshline up`"));
}
