//! Two names of one asset: what is said about either belongs to it, from the event on that links them.

use meshline_core::time::Span;
use meshline_tests::{Local, header};
use serde_json::{Value, json};

const CONFIG: &str = r#"
kind: Source
id: forms
provider: generic
secrets: [forms-token]
verify: {scheme: token, header: x-forms-token}
subject: "${data.asset}"
event_id: "${data.delivery}"
type: "${data.event}"
aliases: ["contact:${data.contact}"]
---
kind: Source
id: mailer
provider: generic
secrets: [forms-token]
verify: {scheme: token, header: x-forms-token}
subject: "contact:${data.contact}"
event_id: "${data.delivery}"
type: "${data.event}"
---
kind: Flow
id: launch
title: Asset launched
owner: role:marketing-ops
backup_owner: role:revops
trigger: {source: forms, match: {type: [asset.launched]}}
outcomes:
  - {id: mailed, sla: 4h, done_when: {source: [mailer], type: [mail.sent]}}
"#;

struct Names {
    local: Local,
}

impl Names {
    async fn start() -> Self {
        let local = Local::start().await;
        let (status, answer) = local.apply(&[("names.yaml", CONFIG)]).await;
        assert_eq!(status, 200, "{answer}");
        Self { local }
    }

    async fn send(&self, source: &str, body: Value) {
        let headers = [header("x-forms-token", "forms-token"), header("content-type", "application/json")];
        let path = format!("/hooks/{source}");
        let answer = self.local.send("POST", &path, &headers, body.to_string().into_bytes()).await;
        assert_eq!(answer.0, 202, "{}", answer.1);
    }

    async fn launched(&self, asset: &str) {
        let delivery = format!("launch-{asset}");
        self.send("forms", json!({"event": "asset.launched", "delivery": delivery, "asset": asset})).await;
    }

    async fn linked(&self, asset: &str, contact: &str) {
        let delivery = format!("link-{asset}-{contact}");
        let body = json!({"event": "form.filled", "delivery": delivery, "asset": asset, "contact": contact});
        self.send("forms", body).await;
    }

    async fn mailed(&self, contact: &str, delivery: &str) {
        self.send("mailer", json!({"event": "mail.sent", "delivery": delivery, "contact": contact})).await;
    }

    /// The status of the only run about the asset.
    async fn status(&self, asset: &str) -> Value {
        self.local.settle().await;
        let runs = self.local.runs("launch").await;
        let runs: Vec<&Value> = runs.iter().filter(|run| run["subject"] == asset).collect();
        assert_eq!(runs.len(), 1, "{runs:#?}");
        runs[0]["status"].clone()
    }

    async fn later(&self) {
        self.local.advance(Span::minutes(1)).await;
    }
}

#[tokio::test]
async fn what_is_said_about_a_name_belongs_to_the_asset_from_the_link_on() {
    let names = Names::start().await;
    names.launched("a").await;
    names.mailed("7", "before").await;
    names.later().await;
    names.linked("a", "7").await;
    assert_eq!(names.status("a").await, "active", "what was said before the link is about nobody known");
    names.mailed("8", "stranger").await;
    assert_eq!(names.status("a").await, "active");
    names.mailed("7", "after").await;
    assert_eq!(names.status("a").await, "closed");

    let timeline = names.local.get("/v1/subjects/a/timeline").await;
    let items = timeline["items"].as_array().unwrap();
    let by_alias: Vec<&Value> = items.iter().filter(|item| item["event"]["alias"] == "contact:7").collect();
    assert_eq!(by_alias.len(), 1, "{timeline:#}");
    assert_eq!(by_alias[0]["event"]["id"], "after");
}

#[tokio::test]
async fn the_latest_link_wins() {
    let names = Names::start().await;
    names.launched("a").await;
    names.launched("b").await;
    names.linked("a", "7").await;
    names.later().await;
    names.linked("b", "7").await;
    names.later().await;
    names.linked("a", "7").await; // the same delivery again is no new link
    names.mailed("7", "m").await;
    assert_eq!(names.status("a").await, "active");
    assert_eq!(names.status("b").await, "closed");
}

#[tokio::test]
async fn a_mail_that_overtakes_the_launch_counts_by_its_alias_too() {
    let names = Names::start().await;
    names.linked("a", "7").await;
    names.mailed("7", "m").await;
    names.local.advance(Span::minutes(10)).await;
    names.launched("a").await;
    assert_eq!(names.status("a").await, "closed");
}

#[tokio::test]
async fn a_link_and_a_mail_that_are_looked_at_at_once_or_after_a_crash_find_each_other() {
    for killed_after in (0..24).step_by(2) {
        let names = Names::start().await;
        names.launched("a").await;
        names.local.settle().await;
        names.local.stack.kill("route", &[killed_after, killed_after, killed_after / 2]);
        names.linked("a", "7").await;
        names.mailed("7", "m").await;
        assert_eq!(names.status("a").await, "closed", "killed after {killed_after} steps");
        let trail = names.local.get("/v1/subjects/a/timeline").await;
        let done =
            trail["items"].as_array().unwrap().iter().filter(|i| i["record"]["kind"] == "outcome_done");
        assert_eq!(done.count(), 1);
    }
}
