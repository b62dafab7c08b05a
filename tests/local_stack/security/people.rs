//! Callers of the API: who is nobody, who somebody says they are, and in whose name they act.

use meshline_tests::{Local, nine};
use serde_json::{Value, json};

use super::{answered, event};

/// Every address of the API; `RUN` stands for a run.
const ROUTES: [(&str, &str); 36] = [
    ("PUT", "/v1/config"),
    ("GET", "/v1/flows"),
    ("GET", "/v1/flows/blog-launch"),
    ("GET", "/v1/flows/blog-launch/deadline"),
    ("POST", "/v1/flows/blog-launch/exceptions/x/resolve"),
    ("GET", "/v1/runs"),
    ("GET", "/v1/runs/RUN"),
    ("GET", "/v1/runs/RUN/audit"),
    ("GET", "/v1/runs/RUN/audit/verify"),
    ("POST", "/v1/runs/RUN/acknowledge"),
    ("POST", "/v1/runs/RUN/reassign"),
    ("POST", "/v1/runs/RUN/pause"),
    ("POST", "/v1/runs/RUN/resume"),
    ("POST", "/v1/runs/RUN/note"),
    ("POST", "/v1/runs/RUN/cancel"),
    ("POST", "/v1/runs/RUN/close"),
    ("POST", "/v1/runs/RUN/outcomes/sales-deck/complete"),
    ("POST", "/v1/runs/RUN/outcomes/sales-deck/fail"),
    ("POST", "/v1/runs/RUN/checks/editorial/pass"),
    ("POST", "/v1/runs/RUN/checks/editorial/fail"),
    ("POST", "/v1/runs/RUN/exceptions"),
    ("POST", "/v1/runs/RUN/exceptions/x/resolve"),
    ("GET", "/v1/audit"),
    ("GET", "/v1/subjects/contentful:5Ks/timeline"),
    ("GET", "/v1/exceptions"),
    ("GET", "/v1/rejections"),
    ("GET", "/v1/rotations"),
    ("POST", "/v1/rotations/revops/accept"),
    ("POST", "/v1/sources/contentful/listen"),
    ("GET", "/v1/sources/contentful/heard"),
    ("GET", "/v1/reports/sla"),
    ("GET", "/v1/reports/checklist"),
    ("POST", "/v1/replay"),
    ("POST", "/v1/whatif"),
    ("GET", "/v1/none"),
    ("DELETE", "/v1/runs/RUN"),
];

const NOTE: &[u8] =
    br#"{"text": "it was me", "reason": "x", "evidence": "x", "resolution": "x", "to": "person:ben"}"#;

async fn call(local: &Local, method: &str, path: &str, body: &[u8], authorizer: Value) -> (i64, String) {
    let headers = [("authorization".to_owned(), "Local cleo".to_owned())];
    let request = event(method, path, &headers, body, authorizer);
    answered(meshline_ops_api::handle(&local.stack.app, request, nine()).await)
}

#[tokio::test]
async fn every_address_of_the_api_refuses_whom_no_authorizer_vouches_for() {
    let local = Local::start().await;
    let run = local.opened("5Ks").await;
    let before = local.trail(&run).await;
    for authorizer in [Value::Null, json!({}), json!({"lambda": {"principalId": "ana"}})] {
        for (method, path) in ROUTES {
            let path = path.replace("RUN", &run);
            let (status, body) = call(&local, method, &path, NOTE, authorizer.clone()).await;
            assert_eq!(status, 401, "{method} {path} with {authorizer}: {body}");
            assert!(!body.contains("Spring launch"), "{method} {path}: {body}");
        }
    }
    for path in ["/v1/checkpoints", "/v1/checkpoints/key", "/v1/checkpoints/2026-11-22"] {
        let request = event("GET", path, &[], b"", Value::Null);
        let (status, _) = answered(meshline_report::handle(&local.stack.vault, request).await);
        assert_eq!(status, 401, "{path}");
    }
    assert_eq!(local.trail(&run).await, before);
}

#[tokio::test]
async fn the_trail_names_whom_the_authorizer_named_whatever_the_request_says() {
    let local = Local::start().await;
    let run = local.opened("5Ks").await;
    let iam = |arn: &str| json!({"iam": {"userArn": arn}});
    let jwt = |claims: Value| json!({"jwt": {"claims": claims, "scopes": null}});
    let role = "arn:aws:sts::123456789012:assumed-role/operators";
    for (authorizer, who) in [
        (iam("arn:aws:iam::123456789012:user/ops/ben"), "ben"),
        (iam(&format!("{role}/dev@example.com")), "dev"),
        (iam(&format!("{role}/i-0abc")), "i-0abc"),
        (json!({"iam": {"userArn": null}}), "unknown"),
        (jwt(json!({"email": "ANA@example.com", "email_verified": "true", "sub": "00u1"})), "ana"),
        (jwt(json!({"email": "ana@example.com", "sub": "00u1"})), "ana"),
        (jwt(json!({"email": "mallory@evil.example", "sub": "00u2"})), "mallory@evil.example"),
        (jwt(json!({"email": "ana@example.com", "email_verified": "false", "sub": "00u2"})), "00u2"),
        (jwt(json!({"email": "cleo", "sub": "00u3"})), "00u3"),
        (jwt(json!({"sub": "00u4"})), "00u4"),
    ] {
        let path = format!("/v1/runs/{run}/note");
        let (status, body) =
            call(&local, "POST", &path, br#"{"text": "it was me"}"#, authorizer.clone()).await;
        assert_eq!(status, 200, "{authorizer}: {body}");
        let trail = local.get(&format!("/v1/runs/{run}/audit")).await;
        let last = trail["items"].as_array().unwrap().last().unwrap().clone();
        assert_eq!(last["actor"], json!({"type": "person", "id": who}), "{authorizer}");
    }
}

#[tokio::test]
async fn nobody_says_in_the_body_who_they_are() {
    let local = Local::start().await;
    let run = local.opened("5Ks").await;
    let before = local.trail(&run).await;
    for member in ["actor", "by", "as", "person", "at", "cause"] {
        let body = json!({"text": "it was me", member: "cleo"});
        let (status, _) = local.post(&format!("/v1/runs/{run}/note"), &body).await;
        assert_eq!(status, 400, "{member}");
    }
    assert_eq!(local.trail(&run).await, before);
    assert_eq!(local.post(&format!("/v1/runs/{run}/note?as=cleo"), &json!({"text": "me"})).await.0, 200);
    let trail = local.get(&format!("/v1/runs/{run}/audit")).await;
    assert_eq!(trail["items"].as_array().unwrap().last().unwrap()["actor"]["id"], "ana");
}

#[tokio::test]
async fn ids_that_climb_hide_or_never_end_find_nothing() {
    let local = Local::start().await;
    let iam = json!({"iam": {"userArn": "arn:aws:iam::123456789012:user/ana"}});
    let long = "a".repeat(5_000);
    for id in [
        "..",
        "%2e%2e",
        "..%2f..%2fconfig",
        "%00",
        "\0",
        "x%0d%0ax:y",
        "CONFIG",
        "FLOW%23none",
        &long,
        "a-b",
        "-",
    ] {
        for path in [
            format!("/v1/runs/{id}"),
            format!("/v1/runs/{id}/audit"),
            format!("/v1/runs/{id}/audit/verify"),
            format!("/v1/flows/{id}"),
            format!("/v1/sources/{id}/heard"),
        ] {
            let (status, body) = call(&local, "GET", &path, b"", iam.clone()).await;
            assert!((400..500).contains(&status), "GET {path}: {status} {body}");
        }
        for path in [
            format!("/v1/runs/{id}/note"),
            format!("/v1/flows/{id}/exceptions/{id}/resolve"),
            format!("/v1/rotations/{id}/accept"),
            format!("/v1/sources/{id}/listen"),
        ] {
            let (status, body) = call(&local, "POST", &path, NOTE, iam.clone()).await;
            assert!((400..500).contains(&status), "POST {path}: {status} {body}");
        }
        let (status, body) =
            call(&local, "GET", &format!("/v1/subjects/{id}/timeline"), b"", iam.clone()).await;
        assert!(
            status == 200 && body.starts_with("{\"cursor\":null,\"items\":[]") || status == 404,
            "{id}: {status} {body}"
        );
    }
}
