//! The Monday checklist over HTTP: of the last triggers, with what proves each answer.

use meshline_core::time::Span;
use meshline_tests::{EXAMPLES, Local, campaign_tag};
use serde_json::{Value, json};

const FLOW: &str = EXAMPLES[2].1;

async fn checklist(local: &Local) -> Value {
    local.get("/v1/reports/checklist?flow=blog-launch").await
}

fn check<'a>(list: &'a Value, name: &str) -> &'a Value {
    list["checks"].as_array().unwrap().iter().find(|item| item["check"] == name).unwrap()
}

/// What is answered to each question, in order.
fn answers(list: &Value) -> Vec<(&str, &str)> {
    let checks = list["checks"].as_array().unwrap().iter();
    checks.map(|it| (it["check"].as_str().unwrap(), it["status"].as_str().unwrap())).collect()
}

#[tokio::test]
async fn a_flow_whose_promises_are_kept_passes() {
    let local = Local::start().await;
    let run = local.opened("5Ks").await;
    assert_eq!(local.post(&format!("/v1/runs/{run}/acknowledge"), &json!({})).await.0, 200);
    let sent = json!({"subscriptionType": "email.sent"});
    assert_eq!(local.hubspot("5Ks", &[campaign_tag(), sent]).await.0, 202);
    local.settle().await;
    let deck = json!({"evidence": "https://deck.example.com"});
    assert_eq!(local.post(&format!("/v1/runs/{run}/outcomes/sales-deck/complete"), &deck).await.0, 200);
    let list = checklist(&local).await;
    assert_eq!(
        answers(&list),
        [
            ("people", "pass"),
            ("outcomes", "pass"),
            ("routing_qa", "unknown"),
            ("both_systems", "pass"),
            ("exceptions", "pass"),
            ("misses_explained", "pass"),
        ],
        "{list:#}"
    );
    assert_eq!(list["triggers"][0]["systems"], json!(["contentful", "hubspot"]));
}

#[tokio::test]
async fn a_missed_outcome_and_its_exception_are_shown_with_the_trail_that_proves_them() {
    let local = Local::start().await;
    let run = local.opened("5Ks").await;
    local.advance(Span::hours(3)).await;
    let list = checklist(&local).await;
    let failing = check(&list, "outcomes");
    assert_eq!((&failing["status"], &failing["examples"][0]["run"]), (&json!("fail"), &json!(run)));
    assert_eq!(check(&list, "exceptions")["status"], "unknown", "it may still be resolved in time");
    local.advance(Span::hours(24)).await;
    let list = checklist(&local).await;
    let past = check(&list, "exceptions");
    assert_eq!(past["status"], "fail");
    let trail = local.get(past["examples"][0]["trail"].as_str().unwrap()).await;
    let mut kinds = trail["items"].as_array().unwrap().iter().map(|record| &record["kind"]);
    assert!(kinds.any(|kind| kind == "recovery_breached"), "the address leads to the proof");
    assert_eq!(check(&list, "misses_explained")["status"], "pass");
}

#[tokio::test]
async fn ten_triggers_are_looked_at_and_three_examples_shown_whatever_came_before() {
    let local = Local::start().await;
    for n in 0..12 {
        local.opened(&format!("asset-{n}")).await;
    }
    local.advance(Span::hours(3)).await;
    let list = checklist(&local).await;
    assert_eq!(list["triggers"].as_array().unwrap().len(), 10);
    let outcomes = check(&list, "outcomes");
    assert_eq!((&outcomes["failed"], outcomes["examples"].as_array().unwrap().len()), (&json!(10), 3));
    assert_eq!(check(&list, "exceptions")["undecided"], 12, "also those of older runs");
}

#[tokio::test]
async fn routing_qa_that_came_with_a_later_version_is_missing_from_what_was_opened_before() {
    let local = Local::start().await;
    let before = local.opened("before").await;
    let qa = "qa: {routing: [{id: attribution, pass_when: manual, within: 4h}]}\n\noutcomes:";
    let changed = FLOW.replacen("outcomes:", qa, 1);
    assert_eq!(local.apply(&[("blog-launch.yaml", &changed)]).await.0, 200);
    let after = local.opened("after").await;
    let list = checklist(&local).await;
    let routing = check(&list, "routing_qa");
    assert_eq!((&routing["status"], &routing["examples"][0]["run"]), (&json!("fail"), &json!(before)));
    assert_eq!(list["triggers"][0]["run"], json!(after));
    assert_eq!(list["triggers"][0]["routing_qa"][0]["report"], "pending");
}

#[tokio::test]
async fn an_exception_of_the_flow_itself_is_counted_and_leads_to_its_record() {
    let local = Local::start().await;
    let changed = format!("{FLOW}\nexpect: {{at_least_every: 2d}}\n");
    assert_eq!(local.apply(&[("blog-launch.yaml", &changed)]).await.0, 200);
    local.advance(Span::days(3)).await;
    let list = checklist(&local).await;
    let example = &check(&list, "exceptions")["examples"][0];
    assert_eq!(example["run"], Value::Null);
    let records = local.get(example["trail"].as_str().unwrap()).await;
    let mut kinds = records["items"].as_array().unwrap().iter().map(|record| &record["detail"]["kind"]);
    assert!(kinds.any(|kind| kind == "silent_trigger"), "{records}");
}

#[tokio::test]
async fn a_checklist_of_no_flow_is_refused() {
    let local = Local::start().await;
    let ask = async |method: &str, path: &str| local.send(method, path, &[], Vec::new()).await.0;
    assert_eq!(ask("GET", "/v1/reports/checklist").await, 400);
    assert_eq!(ask("GET", "/v1/reports/checklist?flow=other").await, 404);
    assert_eq!(ask("POST", "/v1/reports/checklist?flow=blog-launch").await, 405);
}
