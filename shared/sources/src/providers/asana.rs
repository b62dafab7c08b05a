//! Asana: a signed body without a time, many events at once, and a handshake.
//!
//! What is relied on (Asana's webhooks guide; `Asana/openapi` @fc9f8dcf):
//!
//! - `X-Hook-Signature` is the bare hex HMAC-SHA256 over the body, keyed with the text of the handshake's secret.
//! - The handshake comes while the webhook is being created: an unsigned request with `X-Hook-Secret`, to be sent
//!   back at once. It is taken only by a source that has no secret yet. The same secret is in the answer to whoever
//!   creates the webhook: that one puts it into the store.
//! - Events have no id and come at most once by design. An empty list is a sign of life.

use serde_json::Value;

use crate::adapter::{Accepted, Adapter, Ask, Facts, Heard, Reading, Reply};
use crate::draft::{Draft, Unreadable, needed, parse, text_at, time};
use crate::proof::{Unverified, fingerprint, lower_hex, signed_sha256};

const SIGNATURE: &str = "x-hook-signature";
const SECRET: &str = "x-hook-secret";
/// A secret longer than this is none of Asana's.
const MAX_SECRET: usize = 256;

pub(crate) const ADAPTER: Adapter = Adapter {
    verify,
    read,
    greet,
    accepted: Accepted::Ok,
    facts: Facts {
        title: "Asana",
        scheme: "HMAC-SHA256 over the body, hex, in `X-Hook-Signature`",
        replay: "no time is signed: the same event is the same",
        retries: "for 24 hours; 10 s",
        deduplication: "the event, which has the time",
        subject: "`asana:` and the resource's gid",
        setup: &[
            "Apply the source first, with the name of a secret that the store does not have yet: so the handshake is answered",
            "Create the webhook by the API (`POST /webhooks`, with the address as `target`)",
            "Its answer has `X-Hook-Secret`: put that into the secret store. From then on no handshake is taken",
        ],
        lossy: Some("it promises each event at most once: look from time to time for what was missed"),
        quirks: &["A delivery is a list of events; an empty one is a sign of life"],
    },
};

fn verify(ask: &Ask<'_>) -> Result<(), Unverified> {
    if ask.delivery.header(SECRET).is_some() {
        return Err(Unverified::UnexpectedHandshake);
    }
    let signature = lower_hex::<32>(SIGNATURE, ask.delivery.only(SIGNATURE)?)?;
    signed_sha256(ask.secrets, &signature, &[ask.delivery.body])
}

fn greet(ask: &Ask<'_>) -> Option<Reply> {
    let is_pending = ask.secrets.iter().all(String::is_empty);
    let is_secret = |text: &&str| {
        (1..=MAX_SECRET).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric())
    };
    let secret = ask.delivery.at_most_one(SECRET).ok().flatten().filter(is_secret);
    secret.filter(|_| is_pending).map(|secret| Reply {
        status: 200,
        headers: vec![(SECRET, secret.to_owned())],
        body: String::new(),
    })
}

fn read(heard: &Heard<'_>) -> Result<Reading, Unreadable> {
    let mut body = parse(heard.delivery.body)?;
    match body.get_mut("events").map(Value::take) {
        Some(Value::Array(events)) if events.is_empty() => Ok(Reading::Nothing),
        Some(Value::Array(events)) => Reading::batch(events, draft),
        None if body.is_object() => Ok(Reading::Nothing),
        Some(_) | None => Err(Unreadable::NotAnObject),
    }
}

/// `task.changed`
fn draft(data: Value) -> Result<Draft, Unreadable> {
    let kind = needed("type", &data, "/resource/resource_type")
        .and_then(|resource| Ok(format!("{resource}.{}", needed("type", &data, "/action")?)));
    Ok(Draft {
        id: Ok(fingerprint(&[data.to_string().as_bytes()])),
        kind,
        subject: needed("subject", &data, "/resource/gid").map(|gid| format!("asana:{gid}")),
        occurred_at: text_at(&data, "/created_at").as_deref().and_then(time),
        actor: text_at(&data, "/user/gid"),
        title: text_at(&data, "/resource/name"),
        url: None,
        data,
    })
}
