//! Bad input gets a clear answer; nothing is lost, nothing is stored that must not be.

use meshline_core::time::Span;
use meshline_tests::{EXAMPLES, Local, header};
use serde_json::{Value, json};

fn kind(answer: &(u16, Value)) -> (u16, &str) {
    (answer.0, answer.1["type"].as_str().unwrap_or_default().trim_start_matches("urn:meshline:problem:"))
}

#[tokio::test]
async fn a_delivery_with_a_bad_signature_is_refused_and_nothing_is_stored() {
    let local = Local::start().await;
    let mut delivery = local.signed_publish("5Ks");
    for (name, value) in &mut delivery.headers {
        if name.eq_ignore_ascii_case("x-contentful-signature") {
            *value = "0".repeat(64);
        }
    }
    let refused = local.deliver(&delivery).await;
    assert_eq!(kind(&refused), (401, "unverified"));
    local.settle().await;
    assert!(local.runs("blog-launch").await.is_empty());
    let timeline = local.get("/v1/subjects/contentful%3A5Ks/timeline").await;
    assert_eq!(timeline["items"], json!([]));
    assert_eq!(local.get("/v1/rejections").await["items"], json!([]));
}

#[tokio::test]
async fn an_unknown_source_and_another_method_are_named() {
    let local = Local::start().await;
    assert_eq!(kind(&local.send("POST", "/hooks/nobody", &[], b"{}".to_vec()).await), (404, "not-found"));
    assert_eq!(
        kind(&local.send("GET", "/hooks/contentful", &[], Vec::new()).await),
        (405, "method-not-allowed")
    );
    assert_eq!(kind(&local.send("POST", "/hooks/contentful/x", &[], Vec::new()).await), (404, "not-found"));
}

#[tokio::test]
async fn an_authentic_delivery_that_cannot_be_understood_is_kept_once() {
    let local = Local::start().await;
    let no_json = local.hubspot_raw(b"not json".to_vec()).await;
    assert_eq!(kind(&no_json), (422, "unreadable"));
    let no_subject =
        json!([{"subscriptionType": "contact.creation", "objectId": 1}]).to_string().into_bytes();
    for _ in 0..2 {
        assert_eq!(kind(&local.hubspot_raw(no_subject.clone()).await), (422, "unreadable"));
    }
    let kept = local.get("/v1/rejections").await;
    let kept: Vec<&str> =
        kept["items"].as_array().unwrap().iter().map(|r| r["body"].as_str().unwrap()).collect();
    assert_eq!(kept.len(), 2);
    assert!(kept.contains(&"not json"));
}

#[tokio::test]
async fn a_body_over_a_mebibyte_is_refused() {
    let local = Local::start().await;
    let large = local.send("POST", "/hooks/contentful", &[], vec![b' '; 1024 * 1024 + 1]).await;
    assert_eq!(kind(&large), (413, "too-large"));
}

#[tokio::test]
async fn every_problem_of_every_file_is_reported_and_nothing_is_applied() {
    let local = Local::start_with(None).await;
    let flow =
        EXAMPLES[2].1.replace("sla: 2h", "sla: 2 hours").replace("owner: role:revops", "owner: role:nobody");
    let directory = EXAMPLES[0].1.replace("members: [cleo]", "members: [cloe]");
    let files = [("people.yaml", directory.as_str()), EXAMPLES[1], ("flow.yaml", flow.as_str())];
    let refused = local.apply(&files).await;
    assert_eq!(kind(&refused), (422, "bad-configuration"));
    let problems = refused.1["problems"].as_array().unwrap();
    let find = |file: &str, field: &str| {
        let found = problems.iter().find(|p| p["file"] == file && p["field"] == field);
        found.unwrap_or_else(|| panic!("{file} {field}: {problems:#?}"))
    };
    assert_eq!(find("flow.yaml", "outcomes[0].sla")["line"], 24);
    assert!(find("people.yaml", "roles[3].members[0]")["reason"].as_str().unwrap().contains("`cloe`"));
    find("flow.yaml", "outcomes[0].owner");
    assert_eq!(local.get("/v1/flows").await["items"], json!([]));
}

#[tokio::test]
async fn a_stale_version_is_refused_with_what_changed() {
    let local = Local::start().await;
    let run = local.opened("5Ks").await;
    let seen = local.get(&format!("/v1/runs/{run}")).await["version"].clone();
    local.advance(Span::hours(2)).await;
    let stale = local.post(&format!("/v1/runs/{run}/acknowledge"), &json!({"if_version": seen})).await;
    assert_eq!(kind(&stale), (409, "stale-version"));
    let changes: Vec<&str> =
        stale.1["changes"].as_array().unwrap().iter().map(|c| c["kind"].as_str().unwrap()).collect();
    assert_eq!(changes[..4], ["sla_warning", "sla_breached", "exception_opened", "escalated"][..]);
    assert!(changes[4..].iter().all(|kind| *kind == "delivery_succeeded"), "{changes:?}");
}

#[tokio::test]
async fn wrong_transitions_name_the_state() {
    let local = Local::start().await;
    let run = local.opened("5Ks").await;
    let post = async |path: &str, body: Value| local.post(&format!("/v1/runs/{run}/{path}"), &body).await;
    assert_eq!(kind(&local.post("/v1/runs/nobody/acknowledge", &json!({})).await), (404, "not-found"));
    assert_eq!(kind(&post("outcomes/nothing/complete", json!({"evidence": "x"})).await), (404, "not-found"));
    assert_eq!(kind(&post("outcomes/crm-tag/complete", json!({"evidence": " "})).await), (422, "invalid"));
    assert_eq!(kind(&post("reassign", json!({"to": "ben"})).await), (422, "invalid"));
    assert_eq!(kind(&post("acknowledge", json!({"if_versoin": 1})).await), (400, "bad-request"));
    assert_eq!(kind(&post("checks/nothing/pass", json!({})).await), (404, "not-found"));
    assert_eq!(kind(&post("checks/nothing/fail", json!({"reason": " "})).await), (422, "invalid"));
    assert_eq!(kind(&post("pause", json!({"reason": "x"})).await), (409, "wrong-state"));
    assert_eq!(post("acknowledge", json!({})).await.0, 200);
    assert_eq!(kind(&post("acknowledge", json!({})).await), (409, "wrong-state"));
    assert_eq!(kind(&post("close", json!({"reason": "x"})).await), (409, "wrong-state"));
    assert_eq!(post("cancel", json!({"reason": "x"})).await.0, 200);
    let over = post("acknowledge", json!({})).await;
    assert_eq!(kind(&over), (409, "run-over"));
    assert_eq!(over.1["detail"], "the run is cancelled");
    assert_eq!(post("note", json!({"text": "for the record"})).await.0, 200);
}

#[tokio::test]
async fn the_same_idempotency_key_changes_nothing() {
    let local = Local::start().await;
    let run = local.opened("5Ks").await;
    let note = async |caller: &str| {
        let headers = [
            header("idempotency-key", "k-1"),
            header("content-type", "application/json"),
            header("authorization", &format!("Local {caller}")),
        ];
        let body = json!({"text": "once"}).to_string().into_bytes();
        let answer = local.send("POST", &format!("/v1/runs/{run}/note"), &headers, body).await;
        assert_eq!(answer.0, 200);
        let trail = local.trail(&run).await;
        trail.iter().filter(|kind| *kind == "note_added").count()
    };
    for _ in 0..3 {
        assert_eq!(note("ana").await, 1);
    }
    for _ in 0..2 {
        assert_eq!(note("ben").await, 2, "a key is its caller's own");
    }
}

#[tokio::test]
async fn a_name_that_nothing_can_have_is_refused_before_a_table_is_asked() {
    let local = Local::start().await;
    let get = async |path: &str| local.send("GET", path, &[], Vec::new()).await;
    let (long, longest) = ("x".repeat(801), "x".repeat(800));
    for path in ["/v1/runs/{}", "/v1/runs/{}/audit", "/v1/flows/{}", "/v1/subjects/{}/timeline"] {
        assert_eq!(kind(&get(&path.replace("{}", &long)).await), (404, "not-found"), "{path}");
    }
    for query in ["/v1/runs?flow={}", "/v1/runs?cursor={}", "/v1/exceptions?flow={}", "/v1/runs?owner={}"] {
        let refused = get(&query.replace("{}", &long)).await;
        assert_eq!(kind(&refused), (400, "bad-request"), "{query}");
        assert!(refused.1["detail"].as_str().unwrap().contains("800 bytes"), "{refused:?}");
        assert_eq!(get(&query.replace("{}", &longest)).await.0, 200, "{query}");
    }
    let page = get(&format!("/runs/{long}")).await;
    assert_eq!(page.0, 404);
}

#[tokio::test]
async fn a_cursor_that_is_none_of_ours_starts_from_the_beginning() {
    let local = Local::start().await;
    let run = local.opened("5Ks").await;
    for cursor in ["_", "x", &format!("_{run}"), &format!("x_{run}"), "9999-12-31T23:59:59.999Z_x"] {
        let runs = local.get(&format!("/v1/runs?flow=blog-launch&cursor={cursor}")).await;
        assert_eq!(runs["items"][0]["run"], run.as_str(), "{cursor}");
    }
    for cursor in ["%23%23", &format!("%23{run}%231"), "2026-11-23T09:00:00.000Z%23%231"] {
        let records = local.get(&format!("/v1/audit?flow=blog-launch&day=2026-11-23&cursor={cursor}")).await;
        assert_eq!(records["items"][0]["kind"], "flow_applied", "{cursor}");
    }
}

#[tokio::test]
async fn an_address_that_takes_other_methods_names_them() {
    let local = Local::start().await;
    for (method, path, allowed) in [
        ("GET", "/v1/runs/x/acknowledge", "POST"),
        ("DELETE", "/v1/config", "PUT"),
        ("POST", "/v1/checkpoints/2026-11-23", "GET"),
        ("PUT", "/hooks/contentful", "POST"),
    ] {
        let mut request = axum::http::Request::new(axum::body::Body::empty());
        *request.method_mut() = method.parse().unwrap();
        *request.uri_mut() = path.parse().unwrap();
        let answer = meshline_local::gateway::call(&local.stack, request).await;
        assert_eq!(answer.status(), 405, "{method} {path}");
        assert_eq!(answer.headers()["allow"], allowed, "{method} {path}");
    }
}
