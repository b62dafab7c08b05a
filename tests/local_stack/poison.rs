//! What cannot be read holds up nobody: it is tried, left behind, and said so.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use meshline_core::time::Span;
use meshline_tests::Local;
use serde_json::{Value, json};

/// Puts an item that is none of Meshline's.
async fn put(local: &Local, table: &str, pk: &str, sk: AttributeValue) {
    let put = local.stack.app.clients.dynamodb().put_item().table_name(table);
    let put = put.item("pk", AttributeValue::S(pk.to_owned())).item("sk", sk);
    put.send().await.unwrap();
}

/// Puts something else in the place of a run's outcomes, and gives what was there.
async fn outcomes(local: &Local, run: &str, outcomes: AttributeValue) -> AttributeValue {
    let (hash, ulid) = run.split_once('-').unwrap();
    let update = local.stack.app.clients.dynamodb().update_item().table_name("meshline-state");
    let update = update
        .key("pk", AttributeValue::S(format!("S#{hash}")))
        .key("sk", AttributeValue::S(format!("RUN#{ulid}")))
        .update_expression("SET outcomes = :outcomes")
        .expression_attribute_values(":outcomes", outcomes)
        .return_values(ReturnValue::UpdatedOld);
    let updated = update.send().await.unwrap();
    updated.attributes.unwrap().remove("outcomes").unwrap()
}

#[tokio::test]
async fn an_event_that_cannot_be_read_holds_up_no_other_event() {
    let local = Local::start().await;
    local.publish("before").await;
    put(&local, "meshline-events", "S#aaaaaaaaaaaa", AttributeValue::S("contentful#damaged".to_owned()))
        .await;
    local.publish("beside").await;
    local.settle().await;
    local.publish("after").await;
    local.settle().await;
    let runs = local.runs("blog-launch").await;
    let mut subjects: Vec<&str> = runs.iter().filter_map(|run| run["subject"].as_str()).collect();
    subjects.sort_unstable();
    assert_eq!(subjects, ["contentful:after", "contentful:before", "contentful:beside"]);
    // What cannot be read is kept, whole, where somebody can look at it.
    let left = local.get("/_local/failed-batches").await["records"].take();
    assert_eq!(left.as_array().map(Vec::len), Some(1), "{left}");
    assert_eq!(left[0]["table"], "meshline-events");
    assert_eq!(left[0]["record"]["dynamodb"]["NewImage"]["sk"]["S"], "contentful#damaged");
}

#[tokio::test]
async fn a_record_that_cannot_be_read_holds_up_no_message() {
    let local = Local::start().await;
    put(&local, "meshline-audit", "nobody", AttributeValue::N("1".to_owned())).await;
    local.publish("beside").await;
    local.settle().await;
    local.publish("after").await;
    local.settle().await;
    // What lies behind it in its batch is sent again with each attempt: consumers go by the id.
    let requests = local.queue("requests").await;
    let told: BTreeMap<String, &str> = requests
        .iter()
        .map(|request| (request["id"].to_string(), request["subject"].as_str().unwrap()))
        .collect();
    let mut subjects: Vec<&str> = told.into_values().collect();
    subjects.sort_unstable();
    assert_eq!(subjects, ["contentful:after", "contentful:beside"]);
}

#[tokio::test]
async fn a_run_that_cannot_be_read_is_set_aside_and_other_deadlines_are_found() {
    let local = Local::start().await;
    let damaged = local.opened("damaged").await;
    outcomes(&local, &damaged, AttributeValue::S("gone".to_owned())).await;
    local.publish("beside").await;
    local.settle().await;
    local.advance(Span::hours(3)).await;

    let tickets = local.queue("exceptions").await;
    let about = |kind: &str| tickets.iter().filter(|ticket| ticket["data"]["kind"] == kind).count();
    assert_eq!((about("sla_breached"), about("run_parked")), (1, 1), "{tickets:#?}");
    let parked = tickets.iter().find(|ticket| ticket["data"]["kind"] == "run_parked").unwrap();
    assert_eq!(parked["data"]["exception"], damaged.as_str());
}

#[tokio::test]
async fn a_run_that_was_set_aside_is_looked_at_again_once_its_exception_is_resolved() {
    let local = Local::start().await;
    let damaged = local.opened("damaged").await;
    let outcomes = outcomes(&local, &damaged, AttributeValue::S("gone".to_owned())).await;
    local.advance(Span::hours(5)).await;
    let resolve = format!("/v1/flows/blog-launch/exceptions/{damaged}/resolve");
    let resolution = json!({"resolution": "put back from the point-in-time restore"});

    let answer = local.post(&resolve, &resolution).await;
    assert_eq!((answer.0, &answer.1["status"]), (200, &json!("resolved")), "{answer:?}");
    local.advance(Span::minutes(10)).await;
    let parked = local.get("/v1/exceptions?status=open").await;
    let found: Vec<&Value> =
        parked["items"].as_array().unwrap().iter().filter(|it| it["kind"] == "run_parked").collect();
    assert_eq!(found.len(), 1, "it still cannot be read, and is set aside again: {parked}");

    self::outcomes(&local, &damaged, outcomes).await;
    assert_eq!(local.post(&resolve, &resolution).await.0, 200);
    local.advance(Span::minutes(2)).await;
    let run = local.get(&format!("/v1/runs/{damaged}")).await;
    assert_eq!(run["overdue"], true, "what fell due meanwhile was found: {run}");
    assert_eq!(run["outcomes"][0]["breached_at"], run["outcomes"][0]["due_at"]);
}
