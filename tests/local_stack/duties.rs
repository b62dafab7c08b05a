//! What a flow owes without any run: playbooks that are reviewed, and somebody there on each of the next days.

use meshline_core::time::Span;
use meshline_tests::{EXAMPLES, Local};
use serde_json::{Value, json};

/// The example flow, whose one playbook is to be reviewed every twenty days.
fn reviewed() -> String {
    let playbook = "playbooks/crm\", owner: role:revops";
    assert!(EXAMPLES[2].1.contains(playbook));
    EXAMPLES[2].1.replace(playbook, &format!("{playbook}, review_every: 20d"))
}

/// The exceptions of that kind, newest first.
async fn exceptions(local: &Local, kind: &str) -> Vec<Value> {
    let all = local.get("/v1/exceptions?flow=blog-launch").await;
    all["items"].as_array().unwrap().iter().filter(|it| it["kind"] == kind).cloned().collect()
}

async fn apply(local: &Local, name: &str, text: &str) {
    let (status, answer) = local.apply(&[(name, text)]).await;
    assert_eq!(status, 200, "{answer}");
}

#[tokio::test]
async fn a_playbook_is_to_be_reviewed_so_long_after_its_last_review_and_asked_for_once() {
    let local = Local::start().await;
    apply(&local, "blog-launch.yaml", &reviewed()).await;
    local.advance(Span::days(19)).await;
    apply(&local, "blog-launch.yaml", &reviewed().replace("sla: 6h", "sla: 5h")).await; // goes on counting
    assert_eq!(exceptions(&local, "playbook_review").await, [json!(null); 0]);
    local.advance(Span::days(4)).await;

    let asked = exceptions(&local, "playbook_review").await;
    assert_eq!(asked.len(), 1, "{asked:#?}");
    assert_eq!(asked[0]["opened_at"].as_str().unwrap()[..10], *"2026-12-13");
    let tickets = local.queue("exceptions").await;
    let ticket = &tickets.iter().find(|ticket| ticket["data"]["kind"] == "playbook_review").unwrap()["data"];
    assert_eq!(ticket["owner"], "dev", "who owns the playbook");
    assert_eq!(ticket["playbook"], "https://wiki.example.com/playbooks/crm");
    assert_eq!(ticket["expected"], "a review of the playbook for `outcome_failed` every 20d");

    let path = format!("/v1/flows/blog-launch/exceptions/{}/resolve", asked[0]["id"].as_str().unwrap());
    let review =
        json!({"resolution": "still right", "evidence": "https://wiki.example.com/playbooks/crm?v=2"});
    assert_eq!(local.post(&path, &review).await.0, 200);
    local.advance(Span::days(18)).await;
    assert_eq!(exceptions(&local, "playbook_review").await.len(), 1, "twenty days from the review");
    local.advance(Span::days(3)).await;
    assert_eq!(exceptions(&local, "playbook_review").await.len(), 2);
}

#[tokio::test]
async fn days_that_nobody_covers_are_found_as_they_come_near_and_the_case_ends_when_somebody_does() {
    let local = Local::start().await;
    let away = "away: [{from: 2027-01-04, to: 2027-01-05}]";
    let both = EXAMPLES[0].1.replace("U01ANA}", &format!("U01ANA, {away}}}"));
    let both = both.replace("U02BEN}", &format!("U02BEN, {away}}}"));
    apply(&local, "directory.yaml", &both).await; // more than thirty days ahead: no problem yet
    local.advance(Span::days(11)).await;
    assert_eq!(exceptions(&local, "ownership_gap").await, [json!(null); 0]);
    local.advance(Span::days(5)).await;
    let found = exceptions(&local, "ownership_gap").await;
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_eq!((&found[0]["status"], &found[0]["owner"]), (&json!("open"), &json!("cleo")));
    let tickets = local.queue("exceptions").await;
    let ticket = &tickets.iter().find(|ticket| ticket["data"]["kind"] == "ownership_gap").unwrap()["data"];
    let seen = ticket["seen"].as_str().unwrap();
    assert!(seen.contains("neither") && seen.contains("2027-01-04"), "{seen}");

    apply(&local, "directory.yaml", EXAMPLES[0].1).await;
    local.advance(Span::days(2)).await;
    let found = exceptions(&local, "ownership_gap").await;
    assert_eq!((found.len(), &found[0]["status"]), (1, &json!("resolved")));
    let verified = local.get("/v1/runs/FLOW%23blog-launch/audit/verify").await;
    assert_eq!(verified["valid"], true);
}

#[tokio::test]
async fn a_crash_while_a_review_is_asked_for_asks_once() {
    for killed_after in [0, 2, 4, 6] {
        let local = Local::start().await;
        apply(&local, "blog-launch.yaml", &reviewed()).await;
        local.advance(Span::days(19)).await;
        local.stack.kill("sla-check", &[killed_after, killed_after / 2]);
        local.advance(Span::days(2)).await;
        assert_eq!(exceptions(&local, "playbook_review").await.len(), 1, "{killed_after}");
        let tickets = local.queue("exceptions").await;
        let ids: std::collections::BTreeSet<String> =
            tickets.iter().map(|ticket| ticket["id"].to_string()).collect();
        assert_eq!(ids.len(), 1, "{tickets:#?}");
    }
}
