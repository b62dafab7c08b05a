//! What if: the last runs of a flow under a changed one, and nothing is changed by asking.

use meshline_core::time::Span;
use meshline_tests::{EXAMPLES, Local, campaign_tag};
use serde_json::{Value, json};

const FLOW: &str = EXAMPLES[2].1;

fn changed(old: &str, new: &str) -> String {
    assert!(FLOW.contains(old), "the example has no `{old}`");
    FLOW.replacen(old, new, 1)
}

async fn ask(local: &Local, query: &str, files: &[(&str, &str)]) -> (u16, Value) {
    let files: Vec<Value> = files.iter().map(|(name, text)| json!({"name": name, "text": text})).collect();
    local.post(&format!("/v1/whatif{query}"), &json!({"files": files})).await
}

/// The answer about one changed flow, which must be given.
async fn under(local: &Local, flow: &str) -> Value {
    let (status, answer) = ask(local, "", &[("blog-launch.yaml", flow)]).await;
    assert_eq!(status, 200, "{answer}");
    answer
}

/// A stack on which one post was tagged after 90 minutes, half an hour before its deadline.
async fn tagged() -> (Local, String) {
    let local = Local::start().await;
    let run = local.opened("5Ks").await;
    assert_eq!(local.post(&format!("/v1/runs/{run}/acknowledge"), &json!({})).await.0, 200);
    local.advance(Span::minutes(90)).await;
    assert_eq!(local.hubspot("5Ks", &[campaign_tag()]).await.0, 202);
    local.settle().await;
    local.advance(Span::hours(4)).await;
    (local, run)
}

#[tokio::test]
async fn the_flow_in_force_makes_no_difference_to_what_was_decided() {
    let (local, run) = tagged().await;
    let answer = under(&local, FLOW).await;
    let [of_run] = answer["runs"].as_array().unwrap().as_slice() else { panic!("{answer}") };
    assert_eq!((&of_run["run"], &of_run["differences"]), (&json!(run), &json!([])));
    assert_eq!(of_run["was"], of_run["would_be"]);
}

#[tokio::test]
async fn a_shorter_promise_would_have_been_broken_and_somebody_told() {
    let (local, run) = tagged().await;
    let trail = local.trail(&run).await;
    let answer = under(&local, &changed("sla: 2h", "sla: 1h")).await;
    let would_be = &answer["runs"][0]["would_be"];
    assert_eq!(would_be["outcomes"][0]["breached_at"], "2026-11-23T10:00:00.000Z");
    assert_eq!(answer["summary"]["breaches"], json!({"was": 0, "would_be": 1}));
    assert_eq!(answer["summary"]["escalations"], json!({"was": 0, "would_be": 1}));
    assert_eq!(would_be["escalations"][0]["at"], "2026-11-23T10:00:00.000Z");
    let told = would_be["escalations"][0]["told"].as_array().unwrap();
    assert_eq!(answer["summary"]["told"][told[0].as_str().unwrap()], json!({"was": 0, "would_be": 1}));

    local.settle().await;
    assert_eq!(local.trail(&run).await, trail, "asking decides nothing");
    assert_eq!(local.get("/v1/flows/blog-launch").await["version"], 1, "and applies nothing");
    assert!(local.queue("escalations").await.is_empty());
}

#[tokio::test]
async fn a_longer_promise_would_have_been_kept() {
    let local = Local::start().await;
    local.opened("5Ks").await;
    local.advance(Span::hours(3)).await;
    assert_eq!(local.hubspot("5Ks", &[campaign_tag()]).await.0, 202);
    local.settle().await;
    let answer = under(&local, &changed("sla: 2h", "sla: 4h")).await;
    assert_eq!(answer["summary"]["breaches"], json!({"was": 1, "would_be": 0}));
    let [was, would_be] = ["was", "would_be"].map(|side| answer["runs"][0][side]["escalations"].clone());
    let breached = |of: &Value| of.as_array().unwrap().iter().filter(|it| it["ladder"] == "breached").count();
    assert_eq!((breached(&was), breached(&would_be)), (1, 0));
}

#[tokio::test]
async fn another_owner_would_have_had_it_and_been_told() {
    let (local, _) = tagged().await;
    let answer = under(&local, &changed("owner: role:product-marketing", "owner: role:ops-lead")).await;
    let of_run = &answer["runs"][0];
    assert_eq!((&of_run["was"]["owner"], &of_run["would_be"]["owner"]), (&json!("ana"), &json!("cleo")));
    assert!(of_run["differences"].as_array().unwrap().contains(&json!("owned by: ana -> cleo")), "{of_run}");
}

#[tokio::test]
async fn the_newest_runs_come_first_and_no_more_than_were_asked_for() {
    let local = Local::start().await;
    let mut runs = Vec::new();
    for asset in ["first", "second", "third"] {
        runs.push(local.opened(asset).await);
        local.advance(Span::minutes(1)).await;
    }
    let (_, answer) = ask(&local, "?last=2", &[("flow.yaml", FLOW)]).await;
    let found: Vec<&Value> = answer["runs"].as_array().unwrap().iter().map(|it| &it["run"]).collect();
    assert_eq!(found, [&json!(runs[2]), &json!(runs[1])]);
}

#[tokio::test]
async fn what_cannot_be_compared_is_refused() {
    let local = Local::start().await;
    let shorter = changed("sla: 2h", "sla: 1h");
    let lead = EXAMPLES[3].1.replace("sla: 4h", "sla: 1h");
    let both = [("a.yaml", shorter.as_str()), ("b.yaml", lead.as_str())];
    let (status, refused) = ask(&local, "", &both).await;
    assert_eq!((status, &refused["field"]), (422, &json!("flow")), "{refused}");
    assert_eq!(ask(&local, "?flow=lead-form", &both).await.1["flow"], "lead-form");
    assert_eq!(ask(&local, "?flow=other", &both).await.0, 422);
    assert_eq!(ask(&local, "", &EXAMPLES[..2]).await.0, 422, "no flow at all");
    for last in ["0", "51", "x"] {
        assert_eq!(ask(&local, &format!("?last={last}"), &both[..1]).await.1["field"], "last");
    }
    let (status, refused) = ask(&local, "", &[("a.yaml", &changed("sla: 2h", "slaa: 2h"))]).await;
    assert_eq!((status, &refused["problems"][0]["field"]), (422, &json!("outcomes[0].slaa")));
    assert_eq!(local.send("GET", "/v1/whatif", &[], Vec::new()).await.0, 405);
}
