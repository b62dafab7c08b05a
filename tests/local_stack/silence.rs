//! A flow that expects triggers: silence is told once, and ends with the next trigger.

use meshline_core::time::Span;
use meshline_tests::{EXAMPLES, Local};
use serde_json::{Value, json};

/// The example flow, expecting a post each week.
fn weekly() -> String {
    EXAMPLES[2].1.replace("objective:", "expect: {at_least_every: 7d}\nobjective:")
}

async fn start() -> Local {
    let local = Local::start().await;
    apply(&local, &weekly()).await;
    local
}

async fn apply(local: &Local, flow: &str) {
    let (status, answer) = local.apply(&[("blog-launch.yaml", flow)]).await;
    assert_eq!(status, 200, "{answer}");
}

/// The exceptions about silence, newest first, each as when it was opened and whether it is.
async fn told(local: &Local) -> Vec<Value> {
    let all = local.get("/v1/exceptions?flow=blog-launch").await;
    let silences = all["items"].as_array().unwrap().iter().filter(|it| it["kind"] == "silent_trigger");
    silences.map(|it| json!([it["opened_at"], it["status"]])).collect()
}

#[tokio::test]
async fn a_flow_that_never_saw_a_trigger_is_told_of_once() {
    let local = start().await;
    local.advance(Span::days(7) - Span::minutes(1)).await;
    assert!(told(&local).await.is_empty());
    local.advance(Span::days(20)).await;
    assert_eq!(told(&local).await, [json!(["2026-11-30T09:00:00.000Z", "open"])]);
    let tickets = local.queue("exceptions").await;
    assert_eq!(tickets.len(), 1, "{tickets:#?}");
    let ticket = &tickets[0]["data"];
    assert_eq!((&ticket["kind"], &ticket["owner"]), (&json!("silent_trigger"), &json!("cleo")));
    assert_eq!(ticket["expected"], "a trigger at least every 7d");
    assert_eq!(ticket["seen"], "none since 2026-11-23T09:00:00.000Z");
}

#[tokio::test]
async fn an_exception_of_a_flow_that_nobody_resolves_is_a_breach_of_its_recovery_sla() {
    let ladder = "escalation:\n    - {after: 0m, notify: [owner]}\n    - {after: 1d, notify: [person:dev]}\n    - {after: 1d, reassign: backup_owner}";
    let flow = weekly().replace("  recovery_sla: 24h", &format!("  recovery_sla: 24h\n  {ladder}"));
    let local = Local::start().await;
    let away = "dev@example.com, away: [{from: 2026-12-01, to: 2026-12-03}]";
    let people = EXAMPLES[0].1.replace("dev@example.com", away);
    let (status, answer) = local.apply(&[("directory.yaml", &people), ("blog-launch.yaml", &flow)]).await;
    assert_eq!(status, 200, "{answer}");
    local.advance(Span::hours(7 * 24 + 23)).await;
    let pages =
        |local: Vec<Value>| local.into_iter().filter(|page| page["data"]["ladder"] == "recovery").collect();
    let before: Vec<Value> = pages(local.queue("escalations").await);
    assert!(before.is_empty(), "{before:#?}");
    local.advance(Span::days(3)).await;
    let told: Vec<Value> = pages(local.queue("escalations").await);
    let steps: Vec<Value> =
        told.iter().map(|page| json!([page["data"]["step"], page["data"]["owner"], page["time"]])).collect();
    assert_eq!(
        steps,
        [json!([0, "cleo", "2026-12-01T09:00:00.000Z"]), json!([2, "ben", "2026-12-02T09:00:00.000Z"])]
    );
    let mut trail = local.trail("FLOW%23blog-launch").await;
    trail.retain(|kind| kind != "delivery_succeeded" && kind != "checklist_sent");
    assert_eq!(
        trail[2..],
        ["exception_opened", "recovery_breached", "escalated", "step_empty", "escalated"][..],
        "{trail:?}"
    );
    assert_eq!(told[0]["data"]["due_at"], "2026-12-01T09:00:00.000Z", "a day after it was opened");
    let open = local.get("/v1/exceptions?flow=blog-launch&status=open").await;
    assert_eq!(open["items"][0]["recovery_due_at"], told[0]["data"]["due_at"]);
}

#[tokio::test]
async fn every_trigger_counts_and_the_next_one_ends_the_silence() {
    let local = start().await;
    local.advance(Span::days(6)).await;
    local.publish("5Ks").await; // opens a run
    local.advance(Span::hours(23)).await;
    local.publish("5Ks").await; // joins it
    local.advance(Span::days(7) - Span::minutes(1)).await;
    assert!(told(&local).await.is_empty());
    local.advance(Span::minutes(1)).await;
    assert_eq!(told(&local).await, [json!(["2026-12-07T08:00:00.000Z", "open"])]);

    local.publish("6Lt").await;
    local.settle().await;
    assert_eq!(told(&local).await, [json!(["2026-12-07T08:00:00.000Z", "resolved"])]);
    local.advance(Span::days(7)).await;
    let twice =
        [json!(["2026-12-14T08:00:00.000Z", "open"]), json!(["2026-12-07T08:00:00.000Z", "resolved"])];
    assert_eq!(told(&local).await, twice, "the next silence is another one");
    let verified = local.get("/v1/runs/FLOW%23blog-launch/audit/verify").await;
    assert_eq!(verified["valid"], json!(true));
}

#[tokio::test]
async fn a_person_ends_it_for_this_silence() {
    let local = start().await;
    local.advance(Span::days(7)).await;
    let open = local.get("/v1/exceptions?flow=blog-launch&status=open").await;
    let id = open["items"][0]["id"].as_str().unwrap();
    let path = format!("/v1/flows/blog-launch/exceptions/{id}/resolve");
    assert_eq!(local.post(&path, &json!({"resolution": "holidays"})).await.0, 200);
    apply(&local, &weekly().replace("sla: 6h", "sla: 5h")).await;
    local.advance(Span::days(30)).await;
    local.publish("5Ks").await;
    local.settle().await;
    assert_eq!(told(&local).await, [json!(["2026-11-30T09:00:00.000Z", "resolved"])]);
    local.advance(Span::days(7)).await;
    assert_eq!(told(&local).await.len(), 2);
}

#[tokio::test]
async fn a_new_version_goes_on_counting_and_one_without_expectation_forgets() {
    let local = start().await;
    local.advance(Span::days(5)).await;
    apply(&local, &weekly().replace("at_least_every: 7d", "at_least_every: 3d")).await;
    local.advance(Span::minutes(1)).await;
    assert_eq!(told(&local).await, [json!(["2026-11-28T09:01:00.000Z", "open"])], "it is overdue already");

    apply(&local, EXAMPLES[2].1).await;
    local.publish("5Ks").await;
    local.advance(Span::days(8)).await;
    assert_eq!(told(&local).await.len(), 1);
    apply(&local, &weekly()).await;
    local.advance(Span::days(6)).await;
    assert_eq!(told(&local).await.len(), 1, "it is counted anew");
    local.advance(Span::days(1)).await;
    assert_eq!(told(&local).await.len(), 2);
}

#[tokio::test]
async fn a_crash_while_a_trigger_ends_a_silence_leaves_nothing_open() {
    for killed_after in (0..24).step_by(3) {
        let local = start().await;
        local.advance(Span::days(7)).await;
        local.stack.kill("route", &[killed_after, killed_after / 2]);
        local.publish("5Ks").await;
        local.settle().await;
        assert_eq!(told(&local).await, [json!(["2026-11-30T09:00:00.000Z", "resolved"])], "{killed_after}");
    }
}
