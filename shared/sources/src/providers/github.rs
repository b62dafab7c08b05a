//! GitHub: a signed body without a time, one event per delivery.
//!
//! What is relied on (GitHub's documentation; `@octokit/webhooks-methods` 6.0.0):
//!
//! - `X-Hub-Signature-256: sha256=<hex>` is the HMAC-SHA256 over the body. The header of SHA-1 beside it is not
//!   looked at.
//! - `X-GitHub-Delivery` is the same when a delivery is sent again, and is not signed: whoever overhears one could
//!   send it under another. An event is told by its body. `X-GitHub-Event` is not signed either, and the body does
//!   not say it: two events are never of one body.
//! - `ping` comes when a webhook is made; it is signed and starts nothing. With the content type *form* the JSON is
//!   in `payload`.

use serde_json::Value;

use crate::adapter::{Accepted, Adapter, Facts, Heard, Reading, no_greeting};
use crate::draft::{Draft, Unreadable, needed, parse, text_at, time};
use crate::form;
use crate::proof::{Unverified, fingerprint, hub_sha256};

const SIGNATURE: &str = "x-hub-signature-256";
const EVENT: &str = "x-github-event";
/// What an event can be about, the most particular first.
const OBJECTS: [&str; 8] = [
    "release",
    "pull_request",
    "issue",
    "discussion",
    "deployment",
    "workflow_run",
    "check_run",
    "milestone",
];

pub(crate) const ADAPTER: Adapter = Adapter {
    verify: |ask| {
        if ask.delivery.body.is_empty() {
            return Err(Unverified::EmptyBody);
        }
        hub_sha256(ask, SIGNATURE)
    },
    read,
    greet: no_greeting,
    accepted: Accepted::Ok,
    facts: Facts {
        title: "GitHub",
        scheme: "HMAC-SHA256 over the body, `sha256=` and hex, in `X-Hub-Signature-256`",
        replay: "no time is signed: the same body is the same event",
        retries: "none by itself; 10 s",
        deduplication: "the body",
        subject: "`github:`, the repository, what it is, and its id",
        setup: &[
            "The repository or organisation, Settings, Webhooks, Add: the address, content type `application/json`, the events",
            "Secret: a new random one, the same in the secret store",
            "Saving sends a ping, which is answered",
        ],
        lossy: Some("it does not try again by itself: after an outage, redeliver under Recent Deliveries"),
        quirks: &["Bodies can have 25 MB; 1 MiB is taken"],
    },
};

fn read(heard: &Heard<'_>) -> Result<Reading, Unreadable> {
    let event = heard.delivery.header(EVENT).filter(|event| !event.is_empty());
    if event == Some("ping") {
        return Ok(Reading::Nothing);
    }
    let data = body(heard)?;
    let action = text_at(&data, "/action");
    let kind =
        event.map(|event| action.map_or_else(|| event.to_owned(), |action| format!("{event}.{action}")));
    let about =
        OBJECTS.into_iter().find_map(|name| Some((name, data.get(name).filter(|it| it.is_object())?)));
    let repository = needed("subject", &data, "/repository/full_name");
    let (name, item) = about.unwrap_or(("repository", data.get("repository").unwrap_or(&Value::Null)));
    let number = text_at(item, "/number").or_else(|| text_at(item, "/id"));
    let subject = repository.map(|repository| match number.filter(|_| about.is_some()) {
        Some(number) => format!("github:{repository}:{name}:{number}"),
        None => format!("github:{repository}"),
    });
    let at = ["/published_at", "/closed_at", "/updated_at", "/created_at"];
    Ok(Reading::one(Draft {
        id: Ok(fingerprint(&[heard.delivery.body])),
        kind: kind.ok_or(Unreadable::MissingHeader(EVENT)),
        subject,
        occurred_at: at.into_iter().find_map(|pointer| time(&text_at(item, pointer)?)),
        actor: text_at(&data, "/sender/login"),
        title: ["/name", "/title", "/tag_name"].into_iter().find_map(|pointer| text_at(item, pointer)),
        url: text_at(item, "/html_url"),
        data,
    }))
}

/// JSON, or a form that has it in `payload`.
fn body(heard: &Heard<'_>) -> Result<Value, Unreadable> {
    let body = heard.delivery.body;
    if !body.starts_with(b"payload=") {
        return parse(body);
    }
    let form = form::parse(body)?;
    parse(form.get("payload").and_then(Value::as_str).unwrap_or_default().as_bytes())
}
