//! What CloudWatch and X-Ray are told of a run: log lines, metrics and one trace; never a body or a secret.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::io::{self, Write};
use std::sync::Once;

use meshline_aws::telemetry::json_lines;
use meshline_core::time::Span;
use meshline_tests::senders::{CONTENTFUL_SECRET, HUBSPOT_SECRET};
use meshline_tests::{Local, campaign_tag, header};
use serde_json::{Value, json};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

thread_local! {
    /// What this thread, and so its test, writes to standard output where it is deployed.
    static OUTPUT: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

struct Output;

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        OUTPUT.with_borrow_mut(|output| output.extend_from_slice(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Logs for all tests of this process: `tracing` caches what is of interest, not for whom. The emulators are left
/// out, as they are not deployed.
pub(crate) fn start_logging() {
    static STARTED: Once = Once::new();
    STARTED.call_once(|| {
        let lines = json_lines("info,meshline=trace,dynoxide=off,rustack=off", || Output);
        tracing::subscriber::set_global_default(lines).unwrap();
        tracing::callsite::rebuild_interest_cache();
    });
    OUTPUT.take();
}

/// What was written since then.
pub(crate) fn output() -> (String, Vec<Value>) {
    let text = String::from_utf8(OUTPUT.take()).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    (text, lines)
}

/// A publish whose sender takes part in a trace.
async fn traced_publish(local: &Local, asset: &str) -> (String, Vec<(String, String)>) {
    let mut delivery = local.signed_publish(asset);
    delivery.headers.push(header("traceparent", &format!("00-{TRACE}-00f067aa0ba902b7-01")));
    assert_eq!(local.deliver(&delivery).await.0, 202);
    local.settle().await;
    (local.runs("blog-launch").await[0]["run"].as_str().unwrap().to_owned(), delivery.headers)
}

/// Opened at 09:00, acknowledged at 09:10, breached at 11:00, verified at 12:00, and closed.
async fn life(local: &Local) -> (String, Vec<(String, String)>) {
    let (run, headers) = traced_publish(local, "5Ks").await;
    local.advance(Span::minutes(10)).await;
    local.post(&format!("/v1/runs/{run}/acknowledge"), &json!({})).await;
    local.advance(Span::minutes(170)).await;
    local.hubspot("5Ks", &[campaign_tag(), json!({"subscriptionType": "email.sent"})]).await;
    local.settle().await;
    let evidence = json!({"evidence": "https://drive.example.com/deck"});
    local.post(&format!("/v1/runs/{run}/outcomes/sales-deck/complete"), &evidence).await;
    local.settle().await;
    assert_eq!(local.get(&format!("/v1/runs/{run}")).await["status"], "closed");
    (run, headers)
}

#[tokio::test]
async fn log_lines_name_the_run_and_never_hold_a_body_or_a_secret() {
    let local = Local::start().await;
    start_logging();
    let (run, mut headers) = life(&local).await;
    local.post(&format!("/v1/runs/{run}/note"), &json!({"text": "a word between colleagues"})).await;
    local.post(&format!("/v1/runs/{run}/cancel"), &json!({"reason": "too late a thought"})).await;
    local.hubspot_raw(b"not json but private".to_vec()).await;
    let signature = headers.iter_mut().find(|(name, _)| name.eq_ignore_ascii_case("x-contentful-signature"));
    let (_, signature) = signature.unwrap();
    let believed = std::mem::replace(signature, "f00d".repeat(16));
    local.send("POST", "/hooks/contentful", &headers, b"{\"private\": 1}".to_vec()).await;

    let (text, lines) = output();
    for private in [
        CONTENTFUL_SECRET,
        HUBSPOT_SECRET,
        &believed,
        &"f00d".repeat(16),
        "private",
        "Spring launch",
        "campaign_tag",
        "drive.example.com",
        "colleagues",
        "thought",
        "@example.com",
    ] {
        assert!(!text.contains(private), "`{private}` is in {text}");
    }
    let decided: Vec<&Value> = lines.iter().filter(|line| line["message"] == "decided").collect();
    assert!(decided.len() >= 6, "{text}");
    for line in &decided {
        assert_eq!((&line["run"], &line["flow"]), (&json!(run), &json!("blog-launch")));
        assert_eq!((&line["subject"], &line["trace_id"]), (&json!("contentful:5Ks"), &json!(TRACE)));
        assert_eq!(line["level"], "INFO");
    }
    assert_eq!(decided[0]["event"].as_str().unwrap().split('#').next(), Some("contentful"));
    assert_eq!(decided[0]["records"], "run_opened outcome_requested");
    assert!(text.contains("a delivery was not believed"));
}

#[tokio::test]
async fn an_error_about_a_run_says_which() {
    let local = Local::start().await;
    let (run, _) = traced_publish(&local, "5Ks").await;
    local.damage(&run).await;
    start_logging();
    local.advance(Span::hours(3)).await;

    let (_, lines) = output();
    let line = lines.iter().find(|line| line["message"] == "a run could not be ticked").unwrap();
    assert_eq!((&line["run"], &line["flow"]), (&json!(run), &json!("blog-launch")));
    assert_eq!((&line["subject"], &line["trace_id"]), (&json!("contentful:5Ks"), &json!(TRACE)));
}

#[tokio::test]
async fn metrics_say_by_flow_and_by_source_what_happened() {
    let local = Local::start().await;
    start_logging();
    let (_, headers) = life(&local).await;
    local.send("POST", "/hooks/contentful", &headers, b"{}".to_vec()).await;

    let (mut of_flow, mut others) = (Vec::new(), BTreeSet::new());
    for line in output().1.iter().filter(|line| !line["_aws"].is_null()) {
        let directive = &line["_aws"]["CloudWatchMetrics"][0];
        assert_eq!((&directive["Namespace"], &line["stack"]), (&json!("Meshline"), &json!("local")));
        for metric in directive["Metrics"].as_array().unwrap() {
            let name = metric["Name"].as_str().unwrap();
            if line["flow"].is_null() {
                others.insert(format!("{name} {} {}", directive["Dimensions"], line["source"]));
            } else {
                assert_eq!(line["flow"], "blog-launch");
                assert_eq!(directive["Dimensions"], json!([["stack"], ["stack", "flow"]]));
                of_flow.push(format!("{name} {} {}", line[name], metric["Unit"].as_str().unwrap()));
            }
        }
    }
    assert_eq!(
        of_flow,
        [
            "Triggers [1.0] Count",
            "AcknowledgeSeconds [600.0] Seconds",
            "OutcomesBreached [1.0] Count",
            "ExceptionsOpened [1.0] Count",
            "OutcomeLatencySeconds [10800.0] Seconds",
            "RemediationSeconds [3600.0] Seconds",
            "OutcomesMet [1.0] Count",
            "OutcomeLatencySeconds [10800.0] Seconds",
            "OutcomesMet [1.0] Count",
            "OutcomeLatencySeconds [0.0] Seconds",
        ]
    );
    assert_eq!(
        others.iter().map(String::as_str).collect::<Vec<_>>(),
        [
            r#"DueRuns [["stack"]] null"#,
            r#"SweepLagSeconds [["stack"]] null"#,
            r#"UnverifiedWebhooks [["stack"],["stack","source"]] "contentful""#,
        ]
    );
}

#[tokio::test]
async fn one_trace_leads_from_the_webhook_to_every_record_and_message() {
    let local = Local::start().await;
    let (run, _) = traced_publish(&local, "5Ks").await;
    local.hubspot("5Ks", &[campaign_tag()]).await; // without a trace of its own
    local.advance(Span::hours(7)).await;

    let trail = local.get(&format!("/v1/runs/{run}/audit")).await;
    for record in trail["items"].as_array().unwrap() {
        assert_eq!(record["trace"], TRACE, "{record}");
    }
    let bus = local.get("/_local/bus").await;
    let mut events: Vec<Value> =
        bus["messages"].as_array().unwrap().iter().map(|message| message["body"]["detail"].clone()).collect();
    for queue in ["requests", "escalations", "exceptions"] {
        events.extend(local.queue(queue).await);
    }
    let of_run: Vec<&Value> = events.iter().filter(|event| event["data"]["run"] == run.as_str()).collect();
    assert!(of_run.len() > 8, "{of_run:#?}");
    for event in of_run {
        assert!(event["traceparent"].as_str().unwrap().starts_with(&format!("00-{TRACE}-")), "{event}");
    }
    assert_eq!(local.get(&format!("/v1/runs/{run}/audit/verify")).await["valid"], json!(true));
}

#[tokio::test]
async fn a_delivery_without_a_trace_begins_one() {
    let local = Local::start().await;
    let run = local.opened("5Ks").await;
    let trail = local.get(&format!("/v1/runs/{run}/audit")).await;
    let trace = trail["items"][0]["trace"].as_str().unwrap();
    assert!(trace.len() == 32 && trace != TRACE, "{trace}");
    assert_eq!(trail["items"][1]["trace"], trace);
}
