//! `meshline watch` where nobody looks: one picture.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

#[expect(dead_code, reason = "other tests use the rest of it")]
mod local;
mod tool;

use insta::assert_snapshot;
use serde_json::{Value, json};

use local::Local;
use tool::text;

#[tokio::test(flavor = "multi_thread")]
async fn a_pipe_gets_one_picture_of_what_needs_somebody() {
    let local = Local::start("watch", "2026-11-23T09:00:00Z").await;
    let late = local.submit("form:7").await;
    local.until("2026-11-23T13:30:00Z").await;
    local.submit("form:8").await;
    let output = local.meshline(&["watch"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let drawn = text(&output.stdout).replace(&local.url, "URL");
    assert!(!drawn.contains('\u{1b}'), "a pipe is no terminal");
    assert_snapshot!(drawn, @"
    URL at 2026-11-23T13:30Z (now)

    OVERDUE: 1
    DUE                          WHAT      OWNER  FLOW       RUN                                      TITLE
    2026-11-23T13:00Z (30m ago)  answered  dev    lead-form  uqyjyrr7yiyy-01M83T4CM0Y0HTXSECH653FGSY  Demo request

    DUE SOON: 1
    DUE                        WHAT      OWNER  FLOW       RUN                                      TITLE
    2026-11-23T17:30Z (in 4h)  answered  ben    lead-form  q4a3cvajkwz4-01M849JRY0V3MC58HZC2S0WZWP  Demo request

    NOT ACKNOWLEDGED: 2
    DUE                         WHAT         OWNER  FLOW       RUN                                      TITLE
    2026-11-23T10:00Z (3h ago)  acknowledge  dev    lead-form  uqyjyrr7yiyy-01M83T4CM0Y0HTXSECH653FGSY  Demo request
    2026-11-23T14:00Z (in 30m)  acknowledge  ben    lead-form  q4a3cvajkwz4-01M849JRY0V3MC58HZC2S0WZWP  Demo request

    OPEN EXCEPTIONS: 1
    RECOVERY DUE                KIND          OWNER  FLOW       RUN                                      EXCEPTION
    2026-11-24T13:00Z (in 23h)  sla_breached  dev    lead-form  uqyjyrr7yiyy-01M83T4CM0Y0HTXSECH653FGSY  x9
    ");

    let output = local.meshline(&["watch", "--json"]);
    let picture: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(picture.pointer("/overdue/0/run/run"), Some(&json!(late)));
    assert_eq!(picture.pointer("/due_soon/0/due_at"), Some(&json!("2026-11-23T17:30:00.000Z")));
}
