//! Replaying a window: what was missed is made up for, once.

use meshline_core::time::Span;
use meshline_tests::{EXAMPLES, Local};
use serde_json::{Value, json};

/// A stack that knows sources and people, and flows only later.
async fn without_flows() -> Local {
    let local = Local::start_with(None).await;
    assert_eq!(local.apply(&EXAMPLES[..2]).await.0, 200);
    local
}

async fn publish(local: &Local, asset: &str) {
    assert_eq!(local.publish(asset).await.0, 202);
    local.settle().await;
}

async fn replay(local: &Local, more: Value) -> (u16, Value) {
    let mut body = json!({"source": "contentful", "from": "2026-11-23", "to": "2026-11-30"});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let answer = local.post("/v1/replay", &body).await;
    local.settle().await;
    answer
}

#[tokio::test]
async fn a_flow_that_was_applied_too_late_gets_its_run_once() {
    let local = without_flows().await;
    publish(&local, "5Ks").await;
    assert_eq!(local.apply(&EXAMPLES).await.0, 200);
    local.advance(Span::minutes(30)).await;
    assert!(local.runs("blog-launch").await.is_empty());

    let counted = replay(&local, json!({"dry_run": true})).await;
    assert_eq!(counted, (200, json!({"replayed": 1, "cursor": null})));
    assert!(local.runs("blog-launch").await.is_empty());
    let replayed = replay(&local, json!({})).await;
    assert_eq!(replayed, (200, json!({"replayed": 1, "cursor": null})));
    let runs = local.runs("blog-launch").await;
    assert_eq!((runs.len(), &runs[0]["opened_at"]), (1, &json!("2026-11-23T09:00:00.000Z")));

    local.advance(Span::minutes(1)).await;
    assert_eq!(replay(&local, json!({})).await, replayed);
    let again = local.runs("blog-launch").await;
    assert_eq!((again.len(), &again[0]["version"]), (1, &runs[0]["version"]));
    assert_eq!(local.queue("requests").await.len(), 1);
}

#[tokio::test]
async fn pages_cover_the_days_of_a_window_oldest_first() {
    let local = without_flows().await;
    for asset in ["first", "second", "third", "fourth"] {
        publish(&local, asset).await;
        local.advance(Span::hours(20)).await;
    }
    assert_eq!(local.apply(&EXAMPLES).await.0, 200);
    // To the very moment of the third.
    let page = async |cursor: Value| {
        replay(&local, json!({"to": "2026-11-25T01:00:00Z", "limit": 2, "cursor": cursor})).await.1
    };
    let first = page(Value::Null).await;
    assert_eq!(first["replayed"], 2);
    let opened = async || {
        let runs = local.runs("blog-launch").await;
        runs.iter().rev().map(|run| run["subject"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(opened().await, ["contentful:first", "contentful:second"]);
    let last = page(first["cursor"].clone()).await;
    assert_eq!(last, json!({"replayed": 1, "cursor": null}));
    assert_eq!(opened().await, ["contentful:first", "contentful:second", "contentful:third"]);
}

#[tokio::test]
async fn events_of_the_same_moment_are_replayed_one_page_after_the_other() {
    let local = Local::start().await;
    let batch: Vec<Value> =
        (0..5).map(|n| json!({"subscriptionType": "email.sent", "objectId": n})).collect();
    assert_eq!(local.hubspot("5Ks", &batch).await.0, 202);
    let (mut replayed, mut cursor) = (0, Value::Null);
    loop {
        let page = replay(&local, json!({"source": "hubspot", "limit": 2, "cursor": cursor})).await.1;
        replayed += page["replayed"].as_u64().unwrap();
        cursor = page["cursor"].clone();
        if cursor.is_null() {
            break;
        }
    }
    assert_eq!(replayed, 5);
}

#[tokio::test]
async fn a_change_of_an_event_that_is_no_replay_routes_nothing() {
    let local = without_flows().await;
    publish(&local, "5Ks").await;
    assert_eq!(local.apply(&EXAMPLES).await.0, 200);
    let dynamodb = local.stack.app.clients.dynamodb();
    let item = dynamodb.scan().table_name("meshline-events").send().await.unwrap().items()[0].clone();
    let touch = dynamodb.update_item().table_name("meshline-events").update_expression("REMOVE expires_at");
    touch.key("pk", item["pk"].clone()).key("sk", item["sk"].clone()).send().await.unwrap();
    let delete = dynamodb.delete_item().table_name("meshline-events");
    delete.key("pk", item["pk"].clone()).key("sk", item["sk"].clone()).send().await.unwrap();
    local.settle().await;
    assert!(local.runs("blog-launch").await.is_empty());
}

#[tokio::test]
async fn a_window_without_events_is_no_error() {
    let local = Local::start().await;
    publish(&local, "5Ks").await;
    local.advance(Span::minutes(1)).await;
    let nothing = (200, json!({"replayed": 0, "cursor": null}));
    assert_eq!(replay(&local, json!({"source": "hubspot"})).await, nothing);
    assert_eq!(replay(&local, json!({"from": "2026-11-23T09:00:00.001Z"})).await, nothing);
    assert_eq!(
        replay(&local, json!({"from": "0001-01-01", "to": "2026-11-23T08:59:59.999Z"})).await,
        nothing
    );
    assert_eq!(replay(&local, json!({"from": "2026-11-24", "to": "9000-01-01"})).await, nothing);
}

#[tokio::test]
async fn a_window_that_makes_no_sense_names_the_field() {
    let local = Local::start().await;
    publish(&local, "5Ks").await;
    publish(&local, "6Lt").await;
    let cursor = replay(&local, json!({"limit": 1})).await.1["cursor"].clone();
    for (field, wrong) in [
        ("source", json!({"source": "contentfull"})),
        ("from", json!({"from": "yesterday"})),
        ("to", json!({"to": ""})),
        ("to", json!({"to": "2026-11-22"})),
        ("limit", json!({"limit": 0})),
        ("limit", json!({"limit": 501})),
        ("limit", json!({"limit": -1})),
        ("cursor", json!({"cursor": "more"})),
        ("cursor", json!({"cursor": format!("2026-11-23T09:00:00.000Z_{}_contentful#1", "x".repeat(3000))})),
        ("cursor", json!({"cursor": cursor, "source": "hubspot"})),
        ("cursor", json!({"cursor": cursor, "from": "2026-11-24"})),
    ] {
        let (status, problem) = replay(&local, wrong.clone()).await;
        assert_eq!((status, &problem["field"]), (422, &json!(field)), "{wrong} {problem}");
    }
    assert_eq!(replay(&local, json!({"form": "2026-11-23"})).await.0, 400);
    assert_eq!(local.send("GET", "/v1/replay", &[], Vec::new()).await.0, 405);
}
