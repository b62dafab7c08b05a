//! What a life costs, as DynamoDB itself counts it.

use meshline_core::time::Span;
use meshline_tests::{Local, campaign_tag};
use serde_json::json;

/// The budget of docs/PERFORMANCE.md.
const MAX_WRITE_UNITS: u64 = 60;

#[tokio::test]
async fn a_life_from_trigger_to_close_stays_within_its_write_units() {
    let local = Local::start().await;
    let units = || local.stack.app.clients.write_units();
    let before = units();
    let run = local.opened("5KsDBWseXY6QegucYAoacS").await;
    let opened = units();
    local.advance(Span::minutes(10)).await;
    local.post(&format!("/v1/runs/{run}/acknowledge"), &json!({})).await;
    let acknowledged = units();
    local.hubspot("5KsDBWseXY6QegucYAoacS", &[campaign_tag()]).await;
    local.settle().await;
    local.hubspot("5KsDBWseXY6QegucYAoacS", &[json!({"subscriptionType": "email.sent"})]).await;
    local.settle().await;
    let evidence = json!({"evidence": "https://drive.example.com/deck"});
    local.post(&format!("/v1/runs/{run}/outcomes/sales-deck/complete"), &evidence).await;
    assert_eq!(local.get(&format!("/v1/runs/{run}")).await["status"], "closed");
    let all = units() - before;
    println!(
        "write units: {all} (trigger and open {}, acknowledge {}, three outcomes and close {}), budget {MAX_WRITE_UNITS}",
        opened - before,
        acknowledged - opened,
        units() - acknowledged,
    );
    assert!(all <= MAX_WRITE_UNITS, "{all} write units, budget {MAX_WRITE_UNITS}");
}
