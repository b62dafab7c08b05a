//! What providers ask and want to hear beside their events: probes, pings, handshakes, answers of their own.

use meshline_core::time::Span;
use meshline_tests::{Local, header};
use serde_json::{Value, json};

/// A stack with a source of that provider, whose secret has that value, or none yet.
async fn with(provider: &str, secret: Option<&str>) -> Local {
    let name = "theirs";
    let secrets: Vec<(&str, &str)> = secret.iter().map(|secret| (name, *secret)).collect();
    let local = Local::with_secrets(&secrets).await;
    let source = format!("kind: Source\nid: it\nprovider: {provider}\nsecrets: [{name}]\n");
    let (status, answer) = local.apply(&[("source.yaml", &source)]).await;
    assert_eq!(status, 200, "{answer}");
    local
}

async fn send(local: &Local, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> (u16, Value) {
    let headers: Vec<_> = headers.iter().map(|(name, value)| header(name, value)).collect();
    local.send(method, path, &headers, body.as_bytes().to_vec()).await
}

#[tokio::test]
async fn a_mailchimp_address_is_probed_and_takes_forms() {
    let local = with("mailchimp", Some("s3cr3t")).await;
    assert_eq!(send(&local, "GET", "/hooks/it", &[], "").await.0, 200);
    let form =
        "type=subscribe&fired_at=2026-11-23+08%3A59%3A00&data%5Bid%5D=8a&data%5Bemail%5D=a%40example.com";
    let kind = [("content-type", "application/x-www-form-urlencoded")];
    let (status, answer) = send(&local, "POST", "/hooks/it?secret=s3cr3t", &kind, form).await;
    assert_eq!((status, &answer["events"][0]["subject"]), (200, &json!("mailchimp:8a")));
    assert_eq!(send(&local, "POST", "/hooks/it?secret=other", &kind, form).await.0, 401);
}

#[tokio::test]
async fn a_woocommerce_ping_is_answered_200_and_is_nothing() {
    let local = with("woocommerce", Some("s3cr3t")).await;
    let kind = [("content-type", "application/x-www-form-urlencoded")];
    assert_eq!(send(&local, "POST", "/hooks/it", &kind, "webhook_id=65").await.0, 200);
    assert_eq!(send(&local, "POST", "/hooks/it", &kind, "webhook_id=65&more=1").await.0, 401);
}

#[tokio::test]
async fn a_salesforce_message_is_acknowledged_once_its_events_are_kept() {
    let local = with("salesforce", Some("s3cr3t")).await;
    let message = "<?xml version=\"1.0\"?><e:Envelope xmlns:e=\"s\"><e:Body><notifications><Notification><Id>04l1</Id>\
        <sObject xsi:type=\"sf:Opportunity\"><sf:Id>0061</sf:Id></sObject></Notification></notifications></e:Body></e:Envelope>";
    let kind = [("content-type", "text/xml; charset=utf-8")];
    let (status, answer) = send(&local, "POST", "/hooks/it?secret=s3cr3t", &kind, message).await;
    assert_eq!(status, 200);
    assert!(answer.as_str().unwrap().contains("<Ack>true</Ack>"), "{answer}");
    let timeline = local.get("/v1/subjects/salesforce:Opportunity:0061/timeline").await;
    assert_eq!(timeline["items"][0]["event"]["type"], "Opportunity", "{timeline}");
    assert_eq!(send(&local, "POST", "/hooks/it", &kind, message).await.0, 401);
}

#[tokio::test]
async fn an_asana_handshake_is_answered_until_the_secret_is_there() {
    let secret = [("x-hook-secret", "b537207f20cbfa02357cf448134da559")];
    let waiting = with("asana", None).await;
    assert_eq!(send(&waiting, "POST", "/hooks/it", &secret, "{}").await.0, 200);
    let ready = with("asana", Some("b537207f20cbfa02357cf448134da559")).await;
    assert_eq!(send(&ready, "POST", "/hooks/it", &secret, "{}").await.0, 401);
}

#[tokio::test]
async fn what_is_neither_a_probe_nor_a_post_is_refused() {
    let local = with("github", Some("s3cr3t")).await;
    for method in ["GET", "PUT", "DELETE"] {
        assert_eq!(send(&local, method, "/hooks/it", &[], "").await.0, 405, "{method}");
    }
}

#[tokio::test]
async fn a_plan_says_what_a_sender_is_known_to_lose() {
    let local = with("ghost", Some("s3cr3t")).await;
    let source = "kind: Source\nid: it\nprovider: ghost\nsecrets: [theirs]\ntype: post.published\n";
    let (_, answer) =
        local.put("/v1/config?dry_run", &json!({"files": [{"name": "a.yaml", "text": source}]})).await;
    assert!(answer["notes"][0]["text"].as_str().unwrap().starts_with("it tries once"), "{answer}");
}

#[tokio::test]
async fn whoever_listens_sees_how_a_delivery_was_judged_and_which_flows_it_matches() {
    let local = Local::start().await;
    local.publish("unheard").await;
    let (status, listening) = local.post("/v1/sources/contentful/listen", &json!({})).await;
    assert_eq!(status, 200, "{listening}");
    local.advance(Span::minutes(1)).await;
    let forged = [("x-contentful-signature", "00"), ("x-contentful-timestamp", "1763888400000")];
    assert_eq!(send(&local, "POST", "/hooks/contentful", &forged, "{}").await.0, 401);
    local.advance(Span::from_ms(1_000)).await;
    local.publish("5Ks").await;
    let heard = local.get("/v1/sources/contentful/heard").await["items"].clone();
    assert_eq!(heard.as_array().unwrap().len(), 2, "{heard}");
    assert_eq!(heard[0]["status"], 401);
    assert!(heard[0]["why"].as_str().unwrap().contains("x-contentful-signature"), "{heard}");
    assert_eq!(heard[1]["events"][0]["event"]["subject"], "contentful:5Ks");
    assert_eq!(heard[1]["events"][0]["triggers"], json!(["blog-launch"]));
    local.advance(Span::minutes(20)).await;
    local.publish("unheard-too").await;
    assert_eq!(local.get("/v1/sources/contentful/heard").await["items"].as_array().unwrap().len(), 2);
    assert_eq!(local.post("/v1/sources/nobody/listen", &json!({})).await.0, 404);
}
