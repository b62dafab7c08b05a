//! Canaries: secrets that must not come out anywhere, however deliveries and receivers fail.

use axum::body::{Body, to_bytes};
use axum::http::Request;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use meshline_core::time::Span;
use meshline_local::gateway;
use meshline_tests::receiver::{Call, Receiver};
use meshline_tests::senders::{CONTENTFUL_SECRET, HUBSPOT_SECRET};
use meshline_tests::{EXAMPLES, Local, campaign_tag, header};
use serde_json::{Value, json};

use crate::telemetry::{start_logging, written};

/// Secrets by name. Each can be found again in a text, and each has something that is written otherwise in a URL or in JSON.
const SECRETS: [(&str, &str); 10] = [
    ("forms-token", "canary/forms+1"),
    ("mailchimp", "canary/mailchimp+1"),
    ("salesforce", "canary/salesforce+1"),
    ("prismic", "canary/\"prismic\"+1"),
    ("pipedrive", "canary-user:canary/pipedrive+1"),
    ("crm-automation", "whsec_Y2FuYXJ5LXdlYmhvb2stc2VjcmV0"),
    ("pager", "CANARYROUTINGKEY0000000000000000"),
    ("slack-bot", "xoxb-canary-slack"),
    ("slack-hook", "https://127.0.0.1:1/services/T0/B0/CanaryHook"),
    ("jira", "bot@example.com:canary/jira+1"),
];

const SOURCES: &str = "kind: Source\nid: mailchimp\nprovider: mailchimp\nsecrets: [mailchimp]\n\
    ---\nkind: Source\nid: salesforce\nprovider: salesforce\nsecrets: [salesforce]\n\
    ---\nkind: Source\nid: prismic\nprovider: prismic\nsecrets: [prismic]\n\
    ---\nkind: Source\nid: pipedrive\nprovider: pipedrive\nsecrets: [pipedrive]\n";

/// Every form in which a secret could come out.
fn canaries() -> Vec<String> {
    let written = |secret: &str| {
        let escaped = json!(secret).to_string();
        let in_url = secret.replace('/', "%2F").replace('+', "%2B").replace('"', "%22").replace(':', "%3A");
        [secret.to_owned(), escaped.trim_matches('"').to_owned(), in_url, STANDARD.encode(secret)]
    };
    let mut all: Vec<String> = SECRETS.iter().flat_map(|(_, secret)| written(secret)).collect();
    all.extend(
        ["canary/jira+1", "canary/pipedrive+1", "CanaryHook", CONTENTFUL_SECRET, HUBSPOT_SECRET]
            .map(str::to_owned),
    );
    all
}

/// Repeats in its answer all that it was sent, the secret first.
fn echo(call: &Call) -> String {
    let authorization = call.headers.get("authorization").map_or("", |value| value.to_str().unwrap());
    let key = call.body["routing_key"].as_str().unwrap_or_default();
    format!("{authorization} {key} {:?} {}", call.headers, String::from_utf8_lossy(&call.raw))
}

/// A stack with all of these, whose receivers repeat what they are sent.
async fn stack(receiver: &Receiver) -> Local {
    let local = Local::with_secrets(&SECRETS).await;
    let url = &receiver.url;
    let (people, _) = EXAMPLES[0].1.split_once("channels:").unwrap();
    let directory = format!(
        "{people}channels:\n  - {{id: crm-automation, kind: webhook, url: \"{url}/refuse\", secret: crm-automation}}\n  \
         - {{id: pager, kind: pagerduty, url: \"{url}/refuse\", secret: pager}}\n  \
         - {{id: slack, kind: slack, url: \"{url}/slack\", secret: slack-bot}}\n  \
         - {{id: hook, kind: slack, url: \"{url}/unused\", secret: slack-hook, to: general}}\n  \
         - {{id: room, kind: slack, url: \"{url}/slack\", secret: slack-bot, to: C1}}\n  \
         - {{id: jira, kind: jira, url: \"{url}/later\", secret: jira, to: OPS}}\n"
    );
    let flow = EXAMPLES[2]
        .1
        .replace(
            "notify: [owner, backup_owner]",
            "notify: [owner, channel:pager, channel:hook, channel:room]",
        )
        .replace("exceptions:\n", "exceptions:\n  channel: jira\n");
    let files = [
        ("directory.yaml", directory.as_str()),
        EXAMPLES[1],
        ("more.yaml", SOURCES),
        ("flow.yaml", &flow),
        EXAMPLES[3],
    ];
    let (status, answer) = local.apply(&files).await;
    assert_eq!(status, 200, "{answer}");
    local
}

/// Sends each source what is right, what cannot be read, and what is forged, and gives all that was answered.
async fn deliveries(local: &Local) -> String {
    let mut answers = String::new();
    let mut send = async |path: &str, headers: &[(&str, &str)], body: &str, status: u16| {
        let headers: Vec<_> = headers.iter().map(|(name, value)| header(name, value)).collect();
        let answer = local.send("POST", path, &headers, body.as_bytes().to_vec()).await;
        assert_eq!(answer.0, status, "{path} {body}: {}", answer.1);
        answers.push_str(&answer.1.to_string());
    };
    let json = ("content-type", "application/json");
    let form = ("content-type", "application/x-www-form-urlencoded");
    let xml = ("content-type", "text/xml");
    let token = ("x-forms-token", SECRETS[0].1);
    let lead = r#"{"delivery": "d1", "event": "form.submitted", "asset": "form:1", "title": "Hello"}"#;
    send("/hooks/forms", &[json, token], lead, 202).await;
    send("/hooks/forms", &[json, token], "{no json", 422).await;
    send("/hooks/forms", &[json, ("x-forms-token", "canary/forms+2")], lead, 401).await;
    let subscribed = "type=subscribe&fired_at=2026-11-23+08%3A59%3A00&data%5Bid%5D=8a";
    send("/hooks/mailchimp?secret=canary%2Fmailchimp%2B1", &[form], subscribed, 200).await;
    send("/hooks/mailchimp?secret=canary%2Fmailchimp%2B1", &[form], "nothing=canary%2Fmailchimp%2B1", 422)
        .await;
    send("/hooks/mailchimp?secret=canary%2Fmailchimp%2B1&secret=x", &[form], subscribed, 401).await;
    send("/hooks/salesforce?secret=canary%2Fsalesforce%2B1", &[xml], "<a>canary/salesforce+1", 422).await;
    let published = r#"{"type": "api-update", "documents": ["d1"], "secret": "canary/\"prismic\"+1"}"#;
    send("/hooks/prismic", &[json], published, 200).await;
    send("/hooks/prismic", &[json], r#"{"documents": ["d1"], "secret": "canary/\"prismic\"+1"}"#, 422).await;
    let basic = format!("Basic {}", STANDARD.encode(SECRETS[4].1));
    send("/hooks/pipedrive", &[json, ("authorization", &basic)], &format!("[{{\"echo\": \"{basic}\"}}"), 422)
        .await;
    send("/hooks/nobody?secret=canary%2Fmailchimp%2B1", &[json, ("authorization", &basic)], "{}", 404).await;
    answers.push_str(&local.hubspot_raw(format!("{{{HUBSPOT_SECRET}").into_bytes()).await.1.to_string());
    answers
}

/// Every item of every table, as it is stored.
async fn tables(local: &Local) -> String {
    let mut all = String::new();
    for table in ["meshline-events", "meshline-state", "meshline-audit"] {
        let scan = local.stack.app.clients.dynamodb().scan().table_name(table).send().await.unwrap();
        assert!(scan.last_evaluated_key.is_none() && scan.count > 0, "{table}");
        all.push_str(&format!("{:?}", scan.items()));
    }
    all
}

/// What people and scripts can look at.
async fn looked_at(local: &Local, run: &str) -> String {
    let mut all = String::new();
    for path in [
        "/v1/runs",
        "/v1/flows",
        "/v1/flows/blog-launch",
        "/v1/exceptions",
        "/v1/rejections",
        "/v1/reports/checklist?flow=blog-launch",
        "/v1/sources/forms/heard",
        "/v1/sources/mailchimp/heard",
        "/v1/sources/prismic/heard",
        "/v1/sources/pipedrive/heard",
        "/v1/sources/salesforce/heard",
        "/v1/subjects/contentful%3A5Ks/timeline",
        "/v1/subjects/form%3A1/timeline",
        "/v1/subjects/mailchimp%3A8a/timeline",
        "/v1/subjects/prismic%3Ad1/timeline",
        &format!("/v1/runs/{run}"),
        &format!("/v1/runs/{run}/audit"),
        "/_local/bus",
        "/_local/inbox",
        "/_local/queues/escalations",
        "/_local/queues/exceptions",
        "/_local/queues/requests",
        "/_local/queues/ingest-spill",
        "/",
        "/runs",
        "/exceptions",
        "/flows/blog-launch",
        &format!("/runs/{run}"),
        "/subjects/prismic%3Ad1",
    ] {
        let response = gateway::call(&local.stack, Request::get(path).body(Body::empty()).unwrap()).await;
        assert_eq!(response.status(), 200, "{path}");
        let headers = format!("{:?}", response.headers());
        let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        all.push_str(&headers);
        all.push_str(std::str::from_utf8(&body).unwrap());
    }
    all
}

#[tokio::test]
async fn no_secret_comes_out_anywhere_however_senders_and_receivers_fail() {
    let receiver = Receiver::answering(|call| match call.path.split('/').nth(1) {
        Some("slack") => (200, json!({"ok": false, "error": echo(call)}).to_string()),
        Some("later") => (503, echo(call)),
        _ => (400, echo(call)),
    })
    .await;
    let local = stack(&receiver).await;
    start_logging();
    for source in ["forms", "mailchimp", "prismic", "pipedrive", "salesforce"] {
        assert_eq!(local.post(&format!("/v1/sources/{source}/listen"), &json!({})).await.0, 200);
    }
    let answers = deliveries(&local).await;
    local.stack.kill("notify", &[3]);
    let run = local.opened("5Ks").await;
    local.hubspot("5Ks", &[campaign_tag()]).await;
    local.advance(Span::hours(9)).await;
    let looked_at = looked_at(&local, &run).await;
    local.damage(&run).await;
    local.advance(Span::hours(1)).await;

    let log = written();
    let places = [
        ("the log", log.as_str()),
        ("an answer to a sender", &answers),
        ("a table", &tables(&local).await),
        ("a page, a list, a queue, the bus or the inbox", &looked_at),
        ("what prints the app", &format!("{:?}", local.stack.app)),
    ];
    for canary in canaries() {
        for (place, text) in places {
            let around = text.find(&canary).map(|at| {
                let (from, to) =
                    (text.floor_char_boundary(at.saturating_sub(200)), text.ceil_char_boundary(at + 200));
                &text[from..to]
            });
            assert_eq!(around, None, "`{canary}` is in {place}");
        }
    }
    assert_echoed(&local, &receiver, &run, &log).await;
}

/// The test can fail: every secret was sent where it belongs, came back, and left its mark.
async fn assert_echoed(local: &Local, receiver: &Receiver, run: &str, log: &str) {
    let sent: String = receiver.calls().iter().map(echo).collect();
    let jira = STANDARD.encode("bot@example.com:canary/jira+1");
    for secret in ["xoxb-canary-slack", "CANARYROUTINGKEY", &jira] {
        assert!(sent.contains(secret), "`{secret}` was never sent");
    }
    let trail = local.get(&format!("/v1/runs/{run}/audit")).await.to_string();
    for mark in ["Bearer [secret]", " [secret] ", "Basic [secret]"] {
        assert!(trail.contains(mark), "{mark}: {trail}");
    }
    assert!(log.contains("Bearer [secret]") && log.contains("a delivery was not believed"), "{log}");
    let rejected = local.get("/v1/rejections").await["items"].clone();
    let hidden = |it: &&Value| it["body"].as_str().unwrap().contains("[secret]");
    assert_eq!(rejected.as_array().unwrap().iter().filter(hidden).count(), 5, "{rejected}");
}
