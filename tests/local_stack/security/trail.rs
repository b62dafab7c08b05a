//! Whoever can write the tables: what they change in a trail is found, rings, and reaches nobody.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use meshline_core::time::Span;
use meshline_tests::Local;
use serde_json::Value;

use crate::telemetry::{start_logging, written};

const TABLE: &str = "meshline-audit";

type Item = HashMap<String, AttributeValue>;

fn key(run: &str, seq: u64) -> Item {
    let (pk, sk) = (AttributeValue::S(run.to_owned()), AttributeValue::N(seq.to_string()));
    HashMap::from([("pk".to_owned(), pk), ("sk".to_owned(), sk)])
}

async fn item(local: &Local, run: &str, seq: u64) -> Item {
    let get = local.stack.app.clients.dynamodb().get_item().table_name(TABLE);
    get.set_key(Some(key(run, seq))).send().await.unwrap().item.unwrap()
}

async fn put(local: &Local, item: Item) {
    let put = local.stack.app.clients.dynamodb().put_item().table_name(TABLE);
    put.set_item(Some(item)).send().await.unwrap();
}

async fn remove(local: &Local, run: &str, seq: u64) {
    let delete = local.stack.app.clients.dynamodb().delete_item().table_name(TABLE);
    delete.set_key(Some(key(run, seq))).send().await.unwrap();
}

/// A run with a few records, and how many they are.
async fn with_run(local: &Local, asset: &str) -> (String, u64) {
    local.advance(Span::minutes(1)).await;
    let run = local.opened(asset).await;
    let note = serde_json::json!({"text": "for the record"});
    assert_eq!(local.post(&format!("/v1/runs/{run}/note"), &note).await.0, 200);
    local.settle().await;
    let verified = local.get(&format!("/v1/runs/{run}/audit/verify")).await;
    assert_eq!(verified["valid"], true, "{verified}");
    (run, verified["records"].as_u64().unwrap())
}

/// What verification says of a trail that was tampered with.
async fn fault(local: &Local, run: &str) -> Value {
    let verified = local.get(&format!("/v1/runs/{run}/audit/verify")).await;
    assert_eq!(verified["valid"], false, "{verified}");
    verified["fault"].clone()
}

#[tokio::test]
async fn an_edited_removed_inserted_or_cut_record_is_found_where_it_is() {
    let local = Local::start().await;

    let (edited, _) = with_run(&local, "edited").await;
    let mut record = item(&local, &edited, 2).await;
    record.insert("actor".to_owned(), AttributeValue::S("somebody else".to_owned()));
    put(&local, record).await;
    assert_eq!(fault(&local, &edited).await["seq"], 2);

    let (gap, _) = with_run(&local, "gap").await;
    remove(&local, &gap, 2).await;
    assert_eq!(fault(&local, &gap).await["seq"], 2, "the one that is not there");

    let (inserted, last) = with_run(&local, "inserted").await;
    let mut record = item(&local, &inserted, last).await;
    record.insert("sk".to_owned(), AttributeValue::N((last + 1).to_string()));
    put(&local, record).await;
    assert_eq!(fault(&local, &inserted).await["seq"], last + 1);

    let (cut, last) = with_run(&local, "cut").await;
    remove(&local, &cut, last).await;
    assert_eq!(fault(&local, &cut).await["seq"], last, "the run knows how many there were");

    let (swapped, _) = with_run(&local, "swapped").await;
    let (mut first, mut second) = (item(&local, &swapped, 1).await, item(&local, &swapped, 2).await);
    first.insert("sk".to_owned(), AttributeValue::N("2".to_owned()));
    second.insert("sk".to_owned(), AttributeValue::N("1".to_owned()));
    put(&local, first).await;
    put(&local, second).await;
    assert_eq!(fault(&local, &swapped).await["seq"], 1);
}

#[tokio::test]
async fn a_changed_or_removed_record_rings_and_is_told_to_nobody() {
    let local = Local::start().await;
    let (run, last) = with_run(&local, "5Ks").await;
    let sent =
        async || (local.queue("requests").await.len(), local.get("/_local/bus").await["messages"].clone());
    let before = sent().await;
    start_logging();
    let mut record = item(&local, &run, 2).await;
    record.insert("detail".to_owned(), AttributeValue::S("{\"channel\":\"evil\"}".to_owned()));
    put(&local, record).await;
    remove(&local, &run, last).await;
    local.settle().await;
    let log = written();
    assert_eq!(log.matches("\"AuditTampered\":[1.0]").count(), 2, "{log}");
    assert_eq!(log.matches("the audit table was tampered with").count(), 2, "{log}");
    assert_eq!(sent().await, before);
}
