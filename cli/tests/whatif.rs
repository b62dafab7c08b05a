//! `meshline whatif` against a stack with a run that was answered late.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

mod local;
mod tool;

use insta::assert_snapshot;
use serde_json::{Value, json};

use local::Local;
use tool::text;

const FLOW: &str = include_str!("../../infra/examples/lead-form.yaml");

/// A form that was answered five hours after it was filled in, an hour late; and the run's id.
async fn answered_late(name: &str) -> (Local, String) {
    let local = Local::start(&format!("whatif-{name}"), "2026-11-23T09:00:00Z").await;
    let run = local.submit("form:7").await;
    local.until("2026-11-23T14:00:00Z").await;
    let body = json!({"event": "form.answered", "delivery": "answer", "asset": "form:7"});
    local.call("POST", "/hooks/forms", &body).await;
    local.until("2026-11-23T15:00:00Z").await;
    (local, run)
}

/// The example flow with other words in it, as a file.
fn changed(local: &Local, old: &str, new: &str) -> String {
    assert!(FLOW.contains(old));
    let file = local.file("lead-form.yaml");
    std::fs::write(&file, FLOW.replace(old, new)).unwrap();
    file
}

#[tokio::test(flavor = "multi_thread")]
async fn a_longer_promise_shows_what_would_have_differed_and_changes_nothing() {
    let (local, _) = answered_late("longer").await;
    let file = changed(&local, "sla: 4h", "sla: 6h");
    let output = local.meshline(&["whatif", "--flow", &file, "--last", "5"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert_snapshot!(text(&output.stdout), @"
    RUN                                      OPENED                      TITLE         WOULD HAVE DIFFERED
    uqyjyrr7yiyy-01M83T4CM0Y0HTXSECH653FGSY  2026-11-23T09:00Z (6h ago)  Demo request  the run: missed -> met
                                                                                       `answered` due: 2026-11-23T13:00:00.000Z -> 2026-11-23T15:00:00.000Z
                                                                                       `answered` would not have breached at 2026-11-23T13:00:00.000Z
                                                                                       step 0 of the ladder `breached` of `answered` would not have told dev
                                                                                       exceptions `sla_breached`: 1 -> 0

    TOGETHER     WAS  WOULD BE
    runs         1    1
    met          0    1
    breaches     1    0
    escalations  2    1
    ben told     1    1
    dev told     2    1
    ");
    let flow = local.call("GET", "/v1/flows/lead-form", &Value::Null).await;
    assert_eq!(flow["version"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn json_is_the_answer_as_it_is() {
    let (local, run) = answered_late("json").await;
    let file = changed(&local, "within: 30m", "within: 10h");
    let output = local.meshline(&["--json", "whatif", "--flow", &file]);
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&answer["flow"], &answer["runs"][0]["run"]), (&json!("lead-form"), &json!(run)));
    assert_eq!(answer["summary"]["breaches"], json!({"was": 1, "would_be": 1}));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_apply_would_refuse_is_refused_with_its_line() {
    let local = Local::start("whatif-refused", "2026-11-23T09:00:00Z").await;
    let file = changed(&local, "    sla: 4h", "    slaa: 4h");
    let output = local.meshline(&["whatif", "--flow", &file]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stdout));
    assert_snapshot!(text(&output.stderr).replace(&file, "lead-form.yaml"), @"
    lead-form.yaml:13: outcomes[0].slaa: unknown field `slaa` (did you mean `sla`?)
    meshline: 422 bad-configuration: the configuration has problems: 1 to mend; nothing was applied
    ");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flow_without_runs_says_so() {
    let local = Local::start("whatif-none", "2026-11-23T09:00:00Z").await;
    let file = changed(&local, "sla: 4h", "sla: 6h");
    let output = local.meshline(&["whatif", "--flow", &file]);
    assert_eq!(text(&output.stdout), "`lead-form` has no runs yet\n");
}
