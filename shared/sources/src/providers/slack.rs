//! Slack: a signed body and time; events, buttons and commands.
//!
//! What is relied on, and where it was read:
//!
//! - `X-Slack-Signature: v0=<hex>` is the HMAC-SHA256 over `v0:<seconds>:<body>` (`@slack/bolt` 5.1.0, `slack_sdk`
//!   3.47.0). Bolt's Lambda receiver does not look at the version and knows no future; the Python SDK does both, and
//!   so do we.
//! - `url_verification` is signed like anything else: it is answered after it is believed, with its challenge as JSON.
//! - Buttons and commands are forms; those of buttons have JSON in `payload`.
//! - `token` of the body is a secret of old, and is taken out before anything is kept.

use serde_json::{Value, json};

use crate::adapter::{Accepted, Adapter, Ask, Facts, Heard, Reading, Reply, no_greeting};
use crate::draft::{Draft, Unreadable, needed, parse, text_at, time};
use crate::form;
use crate::proof::{Unverified, after, fingerprint, lower_hex, seconds, signed_recently};

const SIGNATURE: &str = "x-slack-signature";
const TIMESTAMP: &str = "x-slack-request-timestamp";

pub(crate) const ADAPTER: Adapter = Adapter {
    verify,
    read,
    greet: no_greeting,
    accepted: Accepted::Ok,
    facts: Facts {
        title: "Slack",
        scheme: "HMAC-SHA256 over `v0:seconds:body`, `v0=` and hex, in `X-Slack-Signature`",
        replay: "5 minutes",
        retries: "3: at once, after a minute, after five; 3 s",
        deduplication: "`event_id`; of buttons `trigger_id`",
        subject: "`slack:` and the channel",
        setup: &[
            "api.slack.com/apps, the app, Basic Information: copy the Signing Secret into the secret store",
            "Event Subscriptions (and Interactivity, for buttons): the address; Slack asks it for a challenge, which is answered",
        ],
        lossy: None,
        quirks: &[
            "Over 95 % failures in an hour turn the subscription off",
            "A form without JSON in it, a command, is read as it is",
        ],
    },
};

fn verify(ask: &Ask<'_>) -> Result<(), Unverified> {
    let text = after(SIGNATURE, ask.delivery.only(SIGNATURE)?, "v0=")?;
    let signature = lower_hex::<32>(SIGNATURE, text)?;
    let timestamp = ask.delivery.only(TIMESTAMP)?;
    let signed_at = seconds(TIMESTAMP, timestamp)?;
    let parts = [b"v0:", timestamp.as_bytes(), b":", ask.delivery.body];
    signed_recently(ask, &signature, &parts, signed_at)
}

fn read(heard: &Heard<'_>) -> Result<Reading, Unreadable> {
    let mut data = body(heard)?;
    if let Some(members) = data.as_object_mut() {
        members.remove("token");
    }
    if data.get("type").and_then(Value::as_str) == Some("url_verification") {
        let challenge = needed("challenge", &data, "/challenge")?;
        return Ok(Reading::Answer(Reply::json(200, json!({"challenge": challenge}).to_string())));
    }
    let command = text_at(&data, "/command").map(|command| format!("command{command}"));
    let kind = text_at(&data, "/event/type").or(command).map_or_else(|| needed("type", &data, "/type"), Ok);
    let channel = ["/event/channel", "/channel/id", "/channel_id", "/event/item/channel"];
    let channel = channel.into_iter().find_map(|pointer| text_at(&data, pointer));
    let id = text_at(&data, "/event_id").or_else(|| text_at(&data, "/trigger_id"));
    let actor =
        ["/event/user", "/user/id", "/user_id"].into_iter().find_map(|pointer| text_at(&data, pointer));
    Ok(Reading::one(Draft {
        id: Ok(id.unwrap_or_else(|| fingerprint(&[heard.delivery.body]))),
        kind,
        subject: channel
            .map(|channel| format!("slack:{channel}"))
            .ok_or(Unreadable::Missing { field: "subject", path: "data.event.channel".to_owned() }),
        occurred_at: text_at(&data, "/event_time").as_deref().and_then(time),
        actor,
        title: None,
        url: None,
        data,
    }))
}

/// JSON, or a form with JSON in `payload`, or a form.
fn body(heard: &Heard<'_>) -> Result<Value, Unreadable> {
    if heard.delivery.body.first() == Some(&b'{') {
        return parse(heard.delivery.body);
    }
    let form = form::parse(heard.delivery.body)?;
    match form.get("payload").and_then(Value::as_str) {
        Some(payload) => parse(payload.as_bytes()),
        None => Ok(form),
    }
}
