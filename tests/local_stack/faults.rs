//! Faults on demand: what a plan may say, that it strikes, and that nothing is lost or done twice by it.

use meshline_core::time::Span;
use meshline_tests::{Local, campaign_tag};
use serde_json::{Value, json};

/// Posts a plan, which is taken.
async fn strike(local: &Local, plan: Value) {
    let (status, answer) = local.post("/_local/faults", &plan).await;
    assert_eq!(status, 200, "{answer}");
}

/// How often anything of a service went wrong.
async fn struck(local: &Local, service: &str) -> u64 {
    let report = local.get("/_local/faults").await;
    let faults = report["struck"][service].as_object().cloned().unwrap_or_default();
    faults.values().filter_map(Value::as_u64).sum()
}

#[tokio::test]
async fn what_a_plan_may_not_say_is_named() {
    let local = Local::start().await;
    for (plan, said) in [
        (json!({"dynamo": {}}), "`dynamo`"),
        (json!({"sqs": {"kill": 0.1}}), "`sqs.kill`"),
        (json!({"dynamodb": {"throttle": 1.5}}), "`dynamodb.throttle` is a share from 0 to 1"),
        (json!({"dynamodb": {"throttle": 0.6, "fail": 0.6}}), "more than 1"),
        (json!({"skew": "fast"}), "`skew`"),
        (json!([]), "an object"),
    ] {
        let (status, answer) = local.post("/_local/faults", &plan).await;
        assert_eq!(status, 400, "{plan}: {answer}");
        assert!(answer["detail"].as_str().unwrap().contains(said), "{plan}: {answer}");
    }
}

#[tokio::test]
async fn a_table_that_never_answers_takes_nothing_and_a_sender_is_told() {
    let local = Local::start().await;
    // Neither the table nor the queue that stands in for it.
    strike(&local, json!({"dynamodb": {"timeout": true}, "sqs": {"fail": true}})).await;
    assert_eq!(local.publish("spring").await.0, 503);
    assert!(struck(&local, "dynamodb").await > 1, "the SDK tries again");
    strike(&local, json!({})).await;
    local.settle().await;
    assert_eq!(local.runs("blog-launch").await.len(), 0);
    assert_eq!(local.publish("spring").await.0, 202);
    local.settle().await;
    assert_eq!(local.runs("blog-launch").await.len(), 1);
}

#[tokio::test]
async fn lost_answers_duplicates_and_stale_batches_do_nothing_twice() {
    let local = Local::start().await;
    strike(
        &local,
        json!({
            "seed": 11, "dynamodb": {"lost_ack": 0.3}, "events": {"lost_ack": 0.3, "partial": 0.3},
            "sqs": {"lost_ack": 0.3, "partial": 0.2, "duplicate": 0.3, "reorder": true}, "streams": {"stale": 0.3, "split": 0.3},
        }),
    )
    .await;
    for asset in ["one", "two", "three", "four"] {
        assert_eq!(local.publish(asset).await.0, 202);
        assert_eq!(local.hubspot(asset, &[campaign_tag()]).await.0, 202);
    }
    local.settle().await;
    for service in ["dynamodb", "sqs", "events", "streams"] {
        assert!(struck(&local, service).await > 0, "{service}");
    }
    strike(&local, json!({})).await;
    local.advance(Span::minutes(2)).await;
    let runs = local.runs("blog-launch").await;
    assert_eq!(runs.len(), 4);
    for run in runs {
        let id = run["run"].as_str().unwrap();
        let trail = local.trail(id).await;
        assert_eq!(trail.iter().filter(|kind| *kind == "outcome_done").count(), 1, "{trail:?}");
        assert_eq!(local.get(&format!("/v1/runs/{id}/audit/verify")).await["valid"], true);
    }
}

#[tokio::test]
async fn a_sender_whose_webhook_kills_ingest_again_and_again_gets_one_run_in_the_end() {
    let local = Local::start().await;
    strike(&local, json!({"functions": {"kill": true}})).await;
    // Ingest dies too, before or after the event was kept; a sender sends again.
    let mut answers = Vec::new();
    for _ in 0..10 {
        answers.push(local.publish("spring").await.0);
    }
    assert!(answers.contains(&500), "{answers:?}");
    strike(&local, json!({})).await;
    assert_eq!(local.publish("spring").await.0, 202);
    local.settle().await;
    assert_eq!(local.runs("blog-launch").await.len(), 1);
}
