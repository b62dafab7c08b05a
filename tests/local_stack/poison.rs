//! What cannot be read holds up nobody: it is tried, left behind, and said so.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use meshline_core::time::Span;
use meshline_tests::Local;

/// Puts an item that is none of Meshline's.
async fn put(local: &Local, table: &str, pk: &str, sk: AttributeValue) {
    let put = local.stack.app.clients.dynamodb().put_item().table_name(table);
    let put = put.item("pk", AttributeValue::S(pk.to_owned())).item("sk", sk);
    put.send().await.unwrap();
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
    let (hash, ulid) = damaged.split_once('-').unwrap();
    let damage = local.stack.app.clients.dynamodb().update_item().table_name("meshline-state");
    let damage = damage
        .key("pk", AttributeValue::S(format!("S#{hash}")))
        .key("sk", AttributeValue::S(format!("RUN#{ulid}")))
        .update_expression("SET outcomes = :none")
        .expression_attribute_values(":none", AttributeValue::S("gone".to_owned()));
    damage.send().await.unwrap();
    local.publish("beside").await;
    local.settle().await;
    local.advance(Span::hours(3)).await;

    let tickets = local.queue("exceptions").await;
    let about = |kind: &str| tickets.iter().filter(|ticket| ticket["data"]["kind"] == kind).count();
    assert_eq!((about("sla_breached"), about("run_parked")), (1, 1), "{tickets:#?}");
    let parked = tickets.iter().find(|ticket| ticket["data"]["kind"] == "run_parked").unwrap();
    assert_eq!(parked["data"]["exception"], damaged.as_str());
}
