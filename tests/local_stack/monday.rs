//! Mondays: the checklist of each flow goes out once a week, whatever happens to whoever sends it, and to looks at it.

use meshline_core::time::Span;
use meshline_tests::Local;
use serde_json::{Value, json};

/// From the start of each stack, Monday the 23rd at nine, to the next Monday at eight.
const TO_MONDAY: Span = Span::hours(7 * 24 - 1);

async fn exceptions(local: &Local, kind: &str) -> Vec<Value> {
    let all = local.get("/v1/exceptions?flow=blog-launch").await;
    all["items"].as_array().unwrap().iter().filter(|it| it["kind"] == kind).cloned().collect()
}

/// What was put on the queue for the owner of a flow, each as often as it was sent.
async fn told(local: &Local, flow: &str) -> Vec<Value> {
    let sent = local.queue("escalations").await;
    let is_it = |message: &Value| message["data"]["ladder"] == "monday" && message["data"]["flow"] == flow;
    sent.into_iter().filter(is_it).collect()
}

/// How many of the records of the flow's trail are of that kind.
async fn records(local: &Local, flow: &str, kind: &str) -> usize {
    local.trail(&format!("FLOW%23{flow}")).await.iter().filter(|it| *it == kind).count()
}

#[tokio::test]
async fn each_flow_s_owner_gets_one_letter_a_week_which_is_one_record_of_the_flow() {
    let local = Local::start().await;
    local.advance(TO_MONDAY).await;
    local.advance(Span::days(7)).await;
    for (flow, owner) in [("blog-launch", "ana"), ("lead-form", "ben")] {
        let told = told(&local, flow).await;
        let weeks: Vec<&Value> = told.iter().map(|message| &message["time"]).collect();
        assert_eq!(weeks, ["2026-11-30T08:00:00.000Z", "2026-12-07T08:00:00.000Z"]);
        assert_eq!(told[0]["data"]["notify"][0]["id"], owner);
        assert_eq!(records(&local, flow, "checklist_sent").await, 2);
        let verified = local.get(&format!("/v1/runs/FLOW%23{flow}/audit/verify")).await;
        assert_eq!(verified["valid"], true);
    }
    let letters = local.stack.emulators.inbox();
    let mondays = letters.iter().filter(|it| it.body["message"]["type"] == "meshline.checklist_sent");
    assert_eq!(mondays.count(), 4);
}

#[tokio::test]
async fn a_crash_on_monday_at_whatever_step_neither_loses_nor_doubles_anything() {
    for killed_after in [0, 1, 3, 6, 9, 14] {
        let local = Local::start().await;
        let run = local.opened("5Ks").await;
        // A person in place of the system: the checklist finds it, and opens an exception before it is sent.
        let evidence = json!({"evidence": "https://crm.example.com/7"});
        for outcome in ["crm-tag", "nurture-email"] {
            let path = format!("/v1/runs/{run}/outcomes/{outcome}/complete");
            assert_eq!(local.post(&path, &evidence).await.0, 200);
        }
        local.advance(TO_MONDAY - Span::minutes(2)).await;
        local.stack.kill("sla-check", &[killed_after, killed_after / 2, killed_after]);
        local.advance(Span::hours(2)).await;
        assert_eq!(records(&local, "blog-launch", "checklist_sent").await, 1, "{killed_after}");
        assert_eq!(exceptions(&local, "checklist_failed").await.len(), 1, "{killed_after}");
        assert_eq!(exceptions(&local, "checklist_undelivered").await.len(), 0, "{killed_after}");
        assert_eq!(told(&local, "blog-launch").await.len(), 1, "{killed_after}");
    }
}

#[tokio::test]
async fn looking_at_the_checklist_opens_and_sends_nothing() {
    let local = Local::start().await;
    let run = local.opened("5Ks").await;
    let evidence = json!({"evidence": "https://crm.example.com/7"});
    let path = format!("/v1/runs/{run}/outcomes/crm-tag/complete");
    assert_eq!(local.post(&path, &evidence).await.0, 200);
    let before = local.trail("FLOW%23blog-launch").await;
    let list = local.get("/v1/reports/checklist?flow=blog-launch").await;
    assert_eq!(list["checks"][3]["status"], "fail", "{list:#}");
    local.settle().await;
    assert_eq!(local.trail("FLOW%23blog-launch").await, before);
}

#[tokio::test]
async fn a_checklist_that_cannot_be_made_is_a_ticket_that_says_why_and_holds_up_no_other_flow() {
    let local = Local::start().await;
    let run = local.opened("5Ks").await;
    local.damage(&run).await;
    local.advance(TO_MONDAY).await;
    let [missing] = exceptions(&local, "checklist_undelivered").await.try_into().unwrap();
    assert_eq!((&missing["status"], &missing["owner"]), (&json!("open"), &json!("cleo")));
    let tickets = local.queue("exceptions").await;
    let ticket = tickets.iter().find(|it| it["data"]["kind"] == "checklist_undelivered").unwrap();
    let seen = ticket["data"]["seen"].as_str().unwrap();
    assert!(seen.starts_with("it could not be made: "), "{seen}");
    assert_eq!(records(&local, "blog-launch", "checklist_sent").await, 0);
    assert_eq!(told(&local, "lead-form").await.len(), 1);
}

#[tokio::test]
async fn a_report_by_owner_or_client_is_of_all_flows_and_says_what_it_does_not_know() {
    let local = Local::start().await;
    local.opened("5Ks").await;
    local.advance(Span::hours(3)).await;
    let report = local.get("/v1/reports/sla?by=owner").await;
    let [owner] = report["items"].as_array().unwrap().as_slice() else { panic!("{report:#}") };
    assert_eq!((&owner["id"], &owner["missed"]), (&json!("ana"), &json!(1)), "overdue and open is missed");
    assert_eq!(owner["flows"], json!(["blog-launch"]));
    let none = local.get("/v1/reports/sla?by=client&flow=lead-form").await;
    assert_eq!((&none["by"], &none["items"]), (&json!("client"), &json!([])));
}
