//! PagerDuty: an alert by the Events API v2, triggered, acknowledged and resolved.
//! <https://developer.pagerduty.com/docs/events-api-v2/trigger-events/>

use meshline_core::alert::Settlement;
use meshline_core::config::flow::Severity;
use serde_json::{Map, Value, json};

use crate::message::{Content, Message};
use crate::post::Call;
use crate::target::Way;
use crate::text::Words;

const ENQUEUE: &str = "https://events.pagerduty.com/v2/enqueue";
/// A summary longer than this is refused.
const MAX_SUMMARY: usize = 1_024;

pub(super) fn call(way: &Way, routing_key: &str, message: &Message, words: &Words) -> Call {
    let severity = match words.severity {
        Severity::Low => "info",
        Severity::Normal => "warning",
        Severity::High => "error",
        Severity::Critical => "critical",
    };
    let details: Map<String, Value> =
        words.facts.iter().map(|(label, value)| ((*label).to_owned(), json!(value))).collect();
    let links: Vec<Value> =
        words.links.iter().map(|(label, href)| json!({"href": href, "text": label})).collect();
    let body = json!({
        "routing_key": routing_key,
        "event_action": action(message),
        "dedup_key": dedup_key(message),
        "client": "Meshline",
        "links": links,
        "payload": {
            "summary": words.headline.chars().take(MAX_SUMMARY).collect::<String>(),
            "source": message.run,
            "severity": severity,
            "timestamp": message.at,
            "custom_details": details,
        },
    });
    Call::post(way.url.as_deref().unwrap_or(ENQUEUE), Vec::new(), body.to_string())
}

/// An alert is triggered by what is due, and acknowledged and resolved with it.
fn action(message: &Message) -> &'static str {
    match &message.content {
        Content::Notice(_) | Content::Ticket(_) | Content::Request(_) => "trigger",
        Content::Settlement(settled) => match settled.settlement {
            Settlement::Acknowledged => "acknowledge",
            Settlement::Resolved => "resolve",
        },
    }
}

/// One alert for all that is said of a run and an outcome, however many steps its ladder has.
fn dedup_key(message: &Message) -> String {
    format!("meshline/{}/{}", message.run, message.matter().key())
}
