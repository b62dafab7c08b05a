//! Signals in any order: before their trigger, long before it, twice, or without any.

use meshline_core::time::Span;
use meshline_tests::{Local, header};
use serde_json::{Value, json};

const FLOW: &str = r#"
kind: Flow
id: answer
title: Form answered
owner: role:marketing-ops
backup_owner: role:revops
trigger: {source: forms, match: {type: [submitted]}}
outcomes:
  - id: tagged
    sla: 4h
    done_when: {source: [forms], type: [tagged], data: {title: ["${data.title}"]}}
  - {id: mailed, sla: 4h, after: [tagged], done_when: {source: [forms], type: [mailed]}}
"#;

struct Forms {
    local: Local,
}

impl Forms {
    async fn start() -> Self {
        let local = Local::start().await;
        assert_eq!(local.apply(&[("answer.yaml", FLOW)]).await.0, 200);
        Self { local }
    }

    async fn says(&self, event: &str, title: &str) {
        let delivery = format!("{event}-{title}");
        let body = json!({"event": event, "delivery": delivery, "asset": "form:7", "title": title});
        let headers = [header("x-forms-token", "forms-token"), header("content-type", "application/json")];
        let answer = self.local.send("POST", "/hooks/forms", &headers, body.to_string().into_bytes()).await;
        assert_eq!(answer.0, 202, "{}", answer.1);
        self.local.settle().await;
    }

    /// A tick that comes after the wait of a parked signal.
    async fn ticks(&self) {
        self.local.advance(Span::minutes(20)).await;
    }

    /// Status of the runs and their outcomes.
    async fn runs(&self) -> Vec<Value> {
        let runs = self.local.runs("answer").await;
        let outcome = |outcome: &Value| json!([outcome["id"], outcome["status"], outcome["met"]]);
        let outcomes =
            |run: &Value| run["outcomes"].as_array().unwrap().iter().map(outcome).collect::<Vec<_>>();
        runs.iter().map(|run| json!([run["status"], run["met"], outcomes(run)])).collect()
    }

    /// The exceptions of the flow, each as kind and status.
    async fn exceptions(&self) -> Vec<Value> {
        let all = self.local.get("/v1/exceptions?flow=answer").await;
        let items = all["items"].as_array().unwrap().iter();
        items.map(|item| json!([item["kind"], item["status"]])).collect()
    }
}

/// Every order of what there is.
fn permutations(items: &[&'static str]) -> Vec<Vec<&'static str>> {
    if items.is_empty() {
        return vec![Vec::new()];
    }
    let mut all = Vec::new();
    for (n, first) in items.iter().enumerate() {
        let rest: Vec<&str> =
            items.iter().enumerate().filter(|(m, _)| *m != n).map(|(_, item)| *item).collect();
        for mut order in permutations(&rest) {
            order.insert(0, *first);
            all.push(order);
        }
    }
    all
}

#[tokio::test]
async fn trigger_signals_and_a_tick_lead_to_one_state_in_every_order() {
    let orders = permutations(&["submitted", "tagged", "mailed", "tick"]);
    assert_eq!(orders.len(), 24);
    for order in orders {
        let forms = Forms::start().await;
        for what in &order {
            match *what {
                "tick" => forms.ticks().await,
                event => forms.says(event, "spring").await,
            }
        }
        let met = |id: &str| json!([id, "done", true]);
        assert_eq!(
            forms.runs().await,
            [json!(["closed", true, [met("tagged"), met("mailed")]])],
            "{order:?}"
        );
        let open = forms.exceptions().await.into_iter().filter(|it| it[1] == "open").count();
        assert_eq!(open, 0, "{order:?}");
        for trail in [forms.local.runs("answer").await[0]["run"].as_str().unwrap(), "FLOW%23answer"] {
            let verified = forms.local.get(&format!("/v1/runs/{trail}/audit/verify")).await;
            assert_eq!(verified["valid"], json!(true), "{order:?}");
        }
    }
}

#[tokio::test]
async fn a_signal_without_a_trigger_is_one_exception_until_the_trigger_takes_it() {
    let forms = Forms::start().await;
    forms.says("mailed", "spring").await;
    forms.local.advance(Span::minutes(15)).await;
    forms.says("mailed", "spring").await; // delivered again
    forms.local.advance(Span::hours(20)).await;
    assert_eq!(forms.exceptions().await, [json!(["orphan_signal", "open"])]);
    let tickets = forms.local.queue("exceptions").await;
    let ticket = &tickets[0]["data"];
    assert_eq!(
        (tickets.len(), &ticket["kind"], &ticket["owner"]),
        (1, &json!("orphan_signal"), &json!("dev"))
    );
    assert_eq!(ticket["expected"], "a run of `answer` for `form:7`");
    assert_eq!(ticket["seen"], "`mailed` from `forms` at 2026-11-23T09:00:00.000Z, and no trigger");

    forms.says("submitted", "spring").await;
    assert_eq!(forms.exceptions().await, [json!(["orphan_signal", "resolved"])]);
    let mailed = &forms.local.runs("answer").await[0]["outcomes"][1];
    assert_eq!((&mailed["status"], &mailed["done_at"]), (&json!("done"), &json!("2026-11-23T09:00:00.000Z")));
}

#[tokio::test]
async fn a_person_can_resolve_an_orphan_and_it_does_not_come_back() {
    let forms = Forms::start().await;
    forms.says("tagged", "autumn").await;
    forms.ticks().await;
    let open = forms.local.get("/v1/exceptions?flow=answer&status=open").await;
    let id = open["items"][0]["id"].as_str().unwrap();
    let path = format!("/v1/flows/answer/exceptions/{id}/resolve");
    assert_eq!(forms.local.post(&path, &json!({"resolution": "a test of the CRM"})).await.0, 200);
    forms.says("tagged", "autumn").await;
    forms.local.advance(Span::hours(1)).await;
    forms.says("submitted", "spring").await;
    assert_eq!(forms.exceptions().await, [json!(["orphan_signal", "resolved"])]);
    assert_eq!(forms.local.runs("answer").await[0]["outcomes"][0]["status"], "open", "another title");
}

#[tokio::test]
async fn what_matches_no_outcome_and_what_finds_a_run_is_not_parked() {
    let forms = Forms::start().await;
    let before = forms.local.stack.app.clients.write_units();
    forms.says("opened", "spring").await;
    assert_eq!(forms.local.stack.app.clients.write_units() - before, 2, "the event itself and its index");
    forms.says("submitted", "spring").await;
    forms.says("tagged", "autumn").await;
    forms.says("tagged", "spring").await;
    forms.says("mailed", "spring").await;
    forms.says("mailed", "summer").await; // the run is over
    forms.ticks().await;
    assert!(forms.exceptions().await.is_empty());
}

#[tokio::test]
async fn a_crash_between_opening_and_taking_loses_no_parked_signal() {
    for killed_after in (0..30).step_by(3) {
        let forms = Forms::start().await;
        forms.says("mailed", "spring").await;
        forms.ticks().await;
        forms.local.stack.kill("route", &[killed_after, killed_after / 2]);
        forms.says("submitted", "spring").await;
        assert_eq!(
            forms.runs().await[0][2][1],
            json!(["mailed", "done", true]),
            "killed after {killed_after}"
        );
        assert_eq!(forms.exceptions().await, [json!(["orphan_signal", "resolved"])]);
    }
}
