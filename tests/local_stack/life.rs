//! From a publish to an escalation, a ticket and the end of the run.

use aws_sdk_dynamodb::types::AttributeValue;
use meshline_core::time::Span;
use meshline_tests::{EXAMPLES, Local, campaign_tag, header};
use serde_json::{Value, json};

#[tokio::test]
async fn a_publish_delivered_twice_opens_one_run_with_an_owner_and_deadlines() {
    let local = Local::start().await;
    let delivery = local.signed_publish("5Ks");
    let first = local.deliver(&delivery).await;
    let second = local.deliver(&delivery).await;
    assert_eq!((first.0, &first.1["events"][0]["duplicate"]), (202, &json!(false)));
    assert_eq!((second.0, &second.1["events"][0]["duplicate"]), (202, &json!(true)));
    local.settle().await;

    let runs = local.runs("blog-launch").await;
    assert_eq!(runs.len(), 1);
    let run = &runs[0];
    assert_eq!(run["subject"], "contentful:5Ks");
    assert_eq!(run["owner"]["id"], "ana");
    assert_eq!(run["acknowledgement"]["due_at"], "2026-11-23T13:00:00.000Z");
    assert_eq!(run["outcomes"][0]["due_at"], "2026-11-23T11:00:00.000Z");
    assert_eq!(run["outcomes"][2]["status"], "waiting");
    let requests = local.queue("requests").await;
    assert_eq!(requests.len(), 1);
    assert_eq!(requests[0]["data"]["payload"], json!({"asset": "contentful:5Ks", "tag": "spring"}));
}

#[tokio::test]
async fn a_crm_signal_verifies_an_outcome_and_starts_what_waits_for_it() {
    let local = Local::start().await;
    let run = local.opened("5Ks").await;
    local.advance(Span::minutes(30)).await;
    let unrelated =
        json!({"subscriptionType": "contact.propertyChange", "propertyName": "email", "propertyValue": "x"});
    assert_eq!(local.hubspot("5Ks", &[unrelated, campaign_tag()]).await.0, 202);
    local.settle().await;

    let run = local.get(&format!("/v1/runs/{run}")).await;
    assert_eq!((&run["outcomes"][0]["status"], &run["outcomes"][0]["met"]), (&json!("done"), &json!(true)));
    assert_eq!(run["outcomes"][2]["due_at"], "2026-11-25T09:30:00.000Z");
}

#[tokio::test]
async fn a_missed_deadline_makes_one_breach_one_escalation_and_one_ticket() {
    let local = Local::start().await;
    let run = local.opened("5Ks").await;
    assert_eq!(local.post(&format!("/v1/runs/{run}/acknowledge"), &json!({})).await.0, 200);
    local.advance(Span::hours(3)).await;
    local.advance(Span::hours(1)).await;

    let trail = local.trail(&run).await;
    assert_eq!(trail.iter().filter(|kind| *kind == "sla_breached").count(), 1);
    let escalations = local.queue("escalations").await;
    assert_eq!(escalations.len(), 1, "{escalations:#?}");
    let escalation = &escalations[0];
    assert_eq!(escalation["type"], "meshline.escalated");
    assert_eq!(escalation["data"]["outcome"], "crm-tag");
    assert_eq!(escalation["data"]["breached_at"], "2026-11-23T11:00:00.000Z");
    assert_eq!(escalation["data"]["notify"][0]["email"], "dev@example.com");
    let tickets = local.queue("exceptions").await;
    assert_eq!(tickets.len(), 1);
    assert_eq!(tickets[0]["data"]["kind"], "sla_breached");
    assert_eq!(tickets[0]["data"]["owner"], "cleo");
    assert_eq!(local.get("/v1/exceptions?status=open").await["items"].as_array().unwrap().len(), 1);

    let bus = local.get("/_local/bus").await;
    let breaches = bus["messages"].as_array().unwrap().iter();
    assert_eq!(breaches.filter(|m| m["body"]["detail-type"] == "meshline.sla_breached").count(), 1);
    let inbox = local.get("/_local/inbox").await;
    let told: Vec<&str> =
        inbox["messages"].as_array().unwrap().iter().map(|m| m["body"]["to"].as_str().unwrap()).collect();
    assert_eq!(told, ["channel:crm-automation", "person:dev", "person:cleo", "person:cleo"]);
}

#[tokio::test]
async fn a_missed_acknowledgement_hands_the_run_to_the_backup_and_clocks_run_on() {
    let local = Local::start().await;
    let run = local.opened("5Ks").await;
    local.hubspot("5Ks", &[campaign_tag()]).await;
    local.settle().await;
    local.advance(Span::hours(4)).await;

    let run = local.get(&format!("/v1/runs/{run}")).await;
    assert_eq!((&run["owner"]["id"], &run["owner"]["as"]), (&json!("ben"), &json!("backup")));
    assert_eq!(run["acknowledgement"]["due_at"], "2026-11-23T17:00:00.000Z");
    assert_eq!(run["outcomes"][1]["due_at"], "2026-11-23T15:00:00.000Z");
    let told = &local.queue("escalations").await[0]["data"]["notify"];
    assert_eq!((&told[0]["id"], &told[1]["id"]), (&json!("ana"), &json!("ben")));
}

#[tokio::test]
async fn a_run_with_everything_verified_closes_and_its_trail_is_valid() {
    let local = Local::start().await;
    let run = local.opened("5Ks").await;
    local.post(&format!("/v1/runs/{run}/acknowledge"), &json!({"if_version": 2})).await;
    local.hubspot("5Ks", &[campaign_tag(), json!({"subscriptionType": "email.sent"})]).await;
    local.settle().await;
    let evidence = json!({"evidence": "https://drive.example.com/deck"});
    let (status, done) = local.post(&format!("/v1/runs/{run}/outcomes/sales-deck/complete"), &evidence).await;
    assert_eq!((status, &done["status"], &done["met"]), (200, &json!("closed"), &json!(true)));

    let verified = local.get(&format!("/v1/runs/{run}/audit/verify")).await;
    assert_eq!(verified, json!({"valid": true, "records": 8, "fault": null}));
    let report = local.get("/v1/reports/sla?flow=blog-launch").await;
    assert_eq!((&report["triggers"], &report["met"], &report["missed"]), (&json!(1), &json!(1), &json!(0)));
    let timeline = local.get("/v1/subjects/contentful%3A5Ks/timeline").await;
    let kinds: Vec<&str> =
        timeline["items"].as_array().unwrap().iter().map(|i| i["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds.iter().filter(|kind| **kind == "event").count(), 3);
    assert_eq!(kinds.iter().filter(|kind| **kind == "record").count(), 8);
}

/// Changes a stored record behind Meshline's back.
async fn tamper(local: &Local, run: &str, update: &str, name: &str) {
    let edit = local
        .stack
        .app
        .clients
        .dynamodb()
        .update_item()
        .table_name("meshline-audit")
        .key("pk", AttributeValue::S(run.to_owned()))
        .key("sk", AttributeValue::N("2".to_owned()))
        .update_expression(update)
        .expression_attribute_names("#name", name)
        .expression_attribute_values(":value", AttributeValue::S("ben".to_owned()));
    edit.send().await.unwrap();
}

#[tokio::test]
async fn a_record_that_was_changed_by_hand_is_named_by_verification() {
    let local = Local::start().await;
    for (n, (update, name)) in [
        ("SET detail.#name = :value", "channel"),
        ("SET detail.#name = :value", "added"),
        ("SET #name = :value", "added"),
        ("SET #name.id = :value", "actor"),
    ]
    .into_iter()
    .enumerate()
    {
        local.advance(Span::minutes(1)).await; // the newest run is listed first
        let run = local.opened(&format!("asset-{n}")).await;
        assert_eq!(local.get(&format!("/v1/runs/{run}/audit/verify")).await["valid"], json!(true));
        tamper(&local, &run, update, name).await;
        let verified = local.get(&format!("/v1/runs/{run}/audit/verify")).await;
        assert_eq!(
            (&verified["valid"], &verified["fault"]["seq"]),
            (&json!(false), &json!(2)),
            "{update} {name}"
        );
    }
}

#[tokio::test]
async fn an_unpublish_cancels_and_a_later_publish_opens_a_new_run() {
    let local = Local::start().await;
    let run = local.opened("5Ks").await;
    let cancelled = local.post(&format!("/v1/runs/{run}/cancel"), &json!({"reason": "wrong post"})).await;
    assert_eq!(cancelled.1["status"], "cancelled");
    local.advance(Span::minutes(5)).await;
    let second = local.opened("5Ks").await;
    assert_ne!(run, second);
    assert_eq!(local.runs("blog-launch").await.len(), 2);
}

#[tokio::test]
async fn a_signal_from_just_before_its_trigger_verifies_the_outcome() {
    let local = Local::start().await;
    let form = async |event: &str, delivery: &str| {
        let body = json!({"event": event, "delivery": delivery, "asset": "form:7", "title": "Demo request"});
        let headers = [header("x-forms-token", "forms-token"), header("content-type", "application/json")];
        let answer = local.send("POST", "/hooks/forms", &headers, body.to_string().into_bytes()).await;
        assert_eq!(answer.0, 202, "{}", answer.1);
        local.settle().await;
    };
    form("form.answered", "d2").await;
    form("form.submitted", "d1").await;
    let run = &local.runs("lead-form").await[0];
    assert_eq!((&run["status"], &run["met"]), (&json!("closed"), &json!(true)));

    // A signal that a run has taken is no news to the next one.
    form("form.submitted", "d3").await;
    assert_eq!(local.runs("lead-form").await[0]["status"], "active");
}

#[tokio::test]
async fn a_run_keeps_the_flow_version_it_was_opened_with() {
    let local = Local::start().await;
    let run = local.opened("5Ks").await;
    let shorter = EXAMPLES[2].1.replace("sla: 2h", "sla: 1h");
    let (status, applied) = local.apply(&[("blog-launch.yaml", &shorter)]).await;
    assert_eq!((status, &applied["changes"][0]["version"]), (200, &json!(2)));

    local.advance(Span::minutes(61)).await;
    let run = local.get(&format!("/v1/runs/{run}")).await;
    assert_eq!((&run["flow_version"], &run["outcomes"][0]["breached_at"]), (&json!(1), &json!(null)));
    let new = local.opened("6Lt").await;
    assert_eq!(local.get(&format!("/v1/runs/{new}")).await["flow_version"], 2);
}

#[tokio::test]
async fn exceptions_of_one_cause_are_found_by_their_group_whatever_became_of_them() {
    let local = Local::start().await;
    let run = local.opened("5Ks").await;
    local.opened("6Lt").await;
    local.advance(Span::hours(3)).await;
    local.opened("7Mu").await;
    local.advance(Span::hours(2)).await;
    let path = format!("/v1/runs/{run}");
    let breach = local.get(&path).await["exceptions"][0].clone();
    assert_eq!(breach["group"], "blog-launch/crm-tag/sla_breached/2026-11-23T11");
    let resolution = json!({"resolution": "tagged by hand", "evidence": "https://crm.example.com/7"});
    let path = format!("{path}/exceptions/{}/resolve", breach["id"].as_str().unwrap());
    assert_eq!(local.post(&path, &resolution).await.0, 200);

    let listed = async |query: &str| -> Vec<Value> {
        let found = local.get(&format!("/v1/exceptions?{query}")).await["items"].clone();
        let items = found.as_array().unwrap().iter();
        items.map(|it| json!([it["subject"], it["resolution"], it["evidence"]])).collect()
    };
    let group = format!("group={}", breach["group"].as_str().unwrap());
    let mended = json!(["contentful:5Ks", "tagged by hand", "https://crm.example.com/7"]);
    let open = json!(["contentful:6Lt", null, null]);
    assert_eq!(listed("").await.len(), 3);
    let mut of_group = listed(&group).await;
    of_group.sort_by_key(Value::to_string);
    assert_eq!(of_group, [mended, open.clone()]);
    assert_eq!(listed(&format!("{group}&status=open")).await, [open]);
    assert_eq!(listed("group=nothing/like/this").await, [json!(null); 0]);
}

#[tokio::test]
async fn a_run_that_cannot_be_read_is_parked_and_its_exception_can_be_resolved() {
    let local = Local::start().await;
    let run = local.opened("5Ks").await;
    local.damage(&run).await;
    local.advance(Span::hours(3)).await;
    let open = async || local.get("/v1/exceptions?status=open&flow=blog-launch").await["items"].clone();
    let parked = open().await;
    assert_eq!((&parked[0]["kind"], &parked[0]["id"]), (&json!("run_parked"), &json!(run)));

    let resolve = async |flow: &str, id: &str, resolution: &str| {
        let path = format!("/v1/flows/{flow}/exceptions/{id}/resolve");
        local.post(&path, &json!({"resolution": resolution})).await
    };
    assert_eq!(resolve("nothing", &run, "mended").await.0, 404);
    assert_eq!(resolve("blog-launch", "nothing", "mended").await.0, 404);
    assert_eq!(resolve("blog-launch", &run, " ").await.1["field"], "resolution");
    let (status, resolved) = resolve("blog-launch", &run, "mended").await;
    assert_eq!((status, &resolved["status"]), (200, &json!("resolved")), "{resolved}");
    assert_eq!(open().await, json!([]));
    let of_group = format!("/v1/exceptions?group={}", parked[0]["group"].as_str().unwrap());
    let kept = local.get(&of_group).await["items"].clone();
    assert_eq!((&kept[0]["resolution"], &kept[0]["evidence"]), (&json!("mended"), &json!(null)));
    assert_eq!(resolve("blog-launch", &run, "again").await.0, 409);
    let verified = local.get("/v1/runs/FLOW%23blog-launch/audit/verify").await;
    assert_eq!(verified["valid"], json!(true));
}
