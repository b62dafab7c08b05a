//! Messages of every queue: what is none is left behind by itself, what is good beside it is worked at.

use meshline_core::time::Span;
use meshline_tests::Local;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Chance, cases, in_time, mutated, wild, wild_json};

/// Puts a body on a queue; false where SQS takes no such text.
async fn put(local: &Local, queue: &str, body: &str) -> bool {
    let url = local.stack.emulators.queue_url(queue);
    let send = local.stack.app.clients.sqs().send_message().queue_url(url).message_body(body);
    send.send().await.is_ok()
}

async fn dead(local: &Local, queue: &str) -> usize {
    local.stack.emulators.queue_len(&format!("{queue}-dlq")).await.unwrap()
}

/// Bodies of a queue that carries such messages.
fn body(real: Vec<Value>) -> BoxedStrategy<String> {
    prop_oneof![
        4 => mutated(real).prop_map(|value| value.to_string()),
        1 => wild_json().prop_map(|value| value.to_string()),
        1 => wild(),
    ]
    .boxed()
}

/// Puts bad bodies on a queue, and gives how many of them are not even JSON, and so can only be left behind.
async fn spoil(local: &Local, chance: &mut Chance, queue: &str, real: Vec<Value>) -> usize {
    let strategy = body(real);
    let mut hopeless = 0;
    for _ in 0..cases(40) {
        let body = chance.draw(&strategy);
        println!("{queue}: {body}");
        let is_taken = put(local, queue, &body).await;
        hopeless += usize::from(is_taken && serde_json::from_str::<Value>(&body).is_err());
    }
    assert!(hopeless > 0);
    hopeless
}

#[tokio::test]
async fn bad_messages_to_people_hold_up_no_message() {
    let local = Local::start().await;
    local.opened("5Ks").await;
    in_time(local.advance(Span::hours(3))).await;
    let mut chance = Chance::new();
    for queue in ["escalations", "exceptions", "requests"] {
        let real = local.queue(queue).await;
        assert!(!real.is_empty(), "{queue}");
        let hopeless = spoil(&local, &mut chance, queue, real).await;
        // What it leads to lies behind all of that.
        local.publish(queue).await;
        in_time(local.advance(Span::hours(3))).await;
        assert!(
            dead(&local, queue).await >= hopeless,
            "{queue}: {} of {hopeless}",
            dead(&local, queue).await
        );
        let told = local.get("/_local/inbox").await;
        let about = format!("contentful:{queue}");
        let told =
            told["messages"].as_array().unwrap().iter().filter(|told| told.to_string().contains(&about));
        assert!(told.count() >= 2, "people were told nothing of {about}");
        let runs = local.runs("blog-launch").await;
        let run = runs.iter().find(|run| run["subject"] == about.as_str()).unwrap();
        let trail = local.trail(run["run"].as_str().unwrap()).await;
        assert!(trail.iter().any(|kind| kind == "delivery_succeeded"), "{trail:?}");
        assert!(!trail.iter().any(|kind| kind == "delivery_failed"), "{trail:?}");
    }
}

#[tokio::test]
async fn bad_ticks_hold_up_no_deadline() {
    let local = Local::start().await;
    let run = local.opened("5Ks").await;
    let hopeless = spoil(&local, &mut Chance::new(), "ticks", vec![json!({"run": run})]).await;
    assert!(put(&local, "ticks", &json!({"run": run}).to_string()).await);
    in_time(local.settle()).await;
    assert!(dead(&local, "ticks").await >= hopeless);
    in_time(local.advance(Span::hours(2))).await;
    let run = local.get(&format!("/v1/runs/{run}")).await;
    assert_eq!(run["outcomes"][0]["breached_at"], run["outcomes"][0]["due_at"]);
    assert_eq!(
        local.get(&format!("/v1/runs/{}/audit/verify", run["run"].as_str().unwrap())).await["valid"],
        true
    );
}

#[tokio::test]
async fn bad_events_that_were_put_aside_hold_up_no_event() {
    let local = Local::start().await;
    local.opened("5Ks").await;
    let timeline = local.get("/v1/subjects/contentful%3A5Ks/timeline").await;
    let event = timeline["items"][0]["event"].clone();
    assert!(event["id"].is_string(), "{timeline}");
    let hopeless = spoil(&local, &mut Chance::new(), "ingest-spill", vec![event.clone()]).await;
    let mut good = event;
    good["id"] = json!("another delivery");
    good["subject"] = json!("contentful:beside");
    assert!(put(&local, "ingest-spill", &good.to_string()).await);
    in_time(local.settle()).await;
    assert!(dead(&local, "ingest-spill").await >= hopeless);
    let runs = local.runs("blog-launch").await;
    assert!(runs.iter().any(|run| run["subject"] == "contentful:beside"), "{runs:?}");
}
