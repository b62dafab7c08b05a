//! Slack: a message of blocks, by a bot or by an incoming webhook.
//! <https://api.slack.com/methods/chat.postMessage>, <https://api.slack.com/reference/block-kit/blocks>

use meshline_core::config::flow::Severity;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::post::{Call, Trouble, shown};
use crate::target::Way;
use crate::text::Words;

const POST_MESSAGE: &str = "https://slack.com/api/chat.postMessage";
/// A section takes no more fields, a row no more buttons that are seen at once.
const MAX_FIELDS: usize = 10;
const MAX_BUTTONS: usize = 5;
/// A section's text may not be longer.
const MAX_TEXT: usize = 3_000;

/// What a bot is answered; an incoming webhook says `ok` in plain text.
#[derive(Deserialize)]
struct Posted {
    ok: bool,
    error: Option<String>,
}

/// `secret` is a bot's token, or the address of an incoming webhook, which has its Slack channel in itself.
pub(super) fn call(way: &Way, secret: &str, words: &Words) -> Result<Call, Trouble> {
    let mut body = json!({
        "text": plain(&words.headline), "blocks": blocks(words), "unfurl_links": false, "unfurl_media": false,
    });
    if secret.starts_with("https://") {
        return Ok(Call::post(secret, Vec::new(), body.to_string()));
    }
    let to =
        way.to.as_ref().ok_or_else(|| Trouble::refused("the channel has no `to`: which Slack channel?"))?;
    if let Some(members) = body.as_object_mut() {
        members.insert("channel".to_owned(), json!(to));
    }
    let url = way.url.as_deref().unwrap_or(POST_MESSAGE);
    Ok(Call::post(url, vec![("authorization", format!("Bearer {secret}"))], body.to_string()))
}

/// What the answer to a message means: Slack says 200 to most that went wrong.
pub(super) fn taken(answer: &str) -> Result<(), Trouble> {
    let posted = match serde_json::from_str::<Posted>(answer) {
        Ok(posted) => posted,
        Err(_) if answer.trim() == "ok" => return Ok(()),
        Err(_) => return Err(Trouble::later("Slack gave an answer that cannot be read")),
    };
    let error = shown(&posted.error.unwrap_or_default());
    match (posted.ok, error.as_str()) {
        (true, _) => Ok(()),
        (
            false,
            "ratelimited"
            | "rate_limited"
            | "internal_error"
            | "fatal_error"
            | "service_unavailable"
            | "request_timeout",
        ) => Err(Trouble::later(format!("Slack answered `{error}`"))),
        (false, _) => Err(Trouble::refused(format!("Slack answered `{error}`"))),
    }
}

fn blocks(words: &Words) -> Value {
    let mark = match words.severity {
        Severity::Low | Severity::Normal => "",
        Severity::High => ":warning: ",
        Severity::Critical => ":rotating_light: ",
    };
    let fields: Vec<Value> = words
        .facts
        .iter()
        .take(MAX_FIELDS)
        .map(|(label, value)| json!({"type": "mrkdwn", "text": format!("*{label}*\n{}", plain(value))}))
        .collect();
    let buttons: Vec<Value> = words
        .links
        .iter()
        .take(MAX_BUTTONS)
        .map(|(label, url)| json!({"type": "button", "text": {"type": "plain_text", "text": label}, "url": url}))
        .collect();
    let headline = format!("{mark}*{}*", plain(&words.headline));
    let mut blocks = vec![json!({"type": "section", "text": {"type": "mrkdwn", "text": headline}})];
    if !words.lines.is_empty() {
        let lines: String = words.lines.iter().map(|line| format!("• {}\n", plain(line))).collect();
        let lines: String = lines.chars().take(MAX_TEXT).collect();
        blocks.push(json!({"type": "section", "text": {"type": "mrkdwn", "text": lines}}));
    }
    if !fields.is_empty() {
        blocks.push(json!({"type": "section", "fields": fields}));
    }
    if !buttons.is_empty() {
        blocks.push(json!({"type": "actions", "elements": buttons}));
    }
    Value::Array(blocks)
}

/// A text that mentions nobody and links nowhere: these three are what Slack gives a meaning.
/// <https://api.slack.com/reference/surfaces/formatting#escaping>
fn plain(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
