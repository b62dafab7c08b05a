//! HubSpot: request signature version 3, batches of events.
//!
//! What is relied on, and where it was read:
//!
//! - The signature is the base64 HMAC-SHA256 over method, URL, body and timestamp (milliseconds), keyed
//!   with the app's client secret (`@hubspot/api-client` 13.5.0; HubSpot's page on validating requests). In
//!   the URL twelve escapes are decoded first, no others. It is the URL that HubSpot called: the public
//!   host, https.
//! - Versions 1 and 2 are plain SHA-256 over secret and body, without a time: whoever has one signature can
//!   extend the body. They are never accepted, also not when version 3 is missing.
//! - Older than five minutes is refused (HubSpot's page); the SDK knows no limit in the future, we do.
//! - The body is a list of up to 100 events that have nothing to do with each other. A workflow's webhook
//!   action sends one object, which is read as a list of one.
//! - `eventId` is "not guaranteed to be unique" (HubSpot's page), and no order and no single delivery is
//!   promised: an id is made of what the event says (`id` below). A page calls `subscriptionType`
//!   `eventType`; both are read.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::Mac;
use meshline_core::time::{Span, Time};
use serde_json::{Map, Value};

use crate::adapter::{Accepted, Adapter, Facts, Heard, Reading, no_greeting};
use crate::delivery::Delivery;
use crate::draft::{Draft, Unreadable, needed, parse, text_at, time};
use crate::proof::{HmacSha256, Unverified, any_secret, base64, digits, fingerprint, in_window, mac};

const SIGNATURE: &str = "x-hubspot-signature-v3";
const TIMESTAMP: &str = "x-hubspot-request-timestamp";

/// How long a signature holds, and how far HubSpot's clock may be ahead of ours.
const TOLERANCE: Span = Span::minutes(5);

/// The escapes that are decoded before hashing (HubSpot's page lists exactly these).
const DECODED: [(&str, char); 12] = [
    ("%3A", ':'),
    ("%2F", '/'),
    ("%3F", '?'),
    ("%40", '@'),
    ("%21", '!'),
    ("%24", '$'),
    ("%27", '\''),
    ("%28", '('),
    ("%29", ')'),
    ("%2A", '*'),
    ("%2C", ','),
    ("%3B", ';'),
];

pub(crate) const ADAPTER: Adapter = Adapter {
    verify: |ask| verify(ask.secrets, ask.delivery, ask.now),
    read,
    greet: no_greeting,
    accepted: Accepted::Success,
    facts: Facts {
        title: "HubSpot",
        scheme: "HMAC-SHA256 over method, address, body and milliseconds, base64, in `X-HubSpot-Signature-v3`",
        replay: "5 minutes",
        retries: "up to 10 in 24 hours; 5 s",
        deduplication: "a hash of what the event says but for `eventId` and `attemptNumber`",
        subject: "`hubspot:`, the type of object and its id",
        setup: &[
            "The developer account, the app, Webhooks: the address as target, and the subscriptions",
            "Auth: copy the client secret into the secret store",
            "`subject: \"contentful:${data.asset_id}\"` or the like says which asset an event is about",
        ],
        lossy: None,
        quirks: &[
            "A delivery is a list of up to 100 events",
            "`eventId` is not unique, and no order is promised",
        ],
    },
};

fn verify(secrets: &[String], delivery: &Delivery<'_>, now: Time) -> Result<(), Unverified> {
    let signature = delivery.only(SIGNATURE)?;
    let timestamp = delivery.only(TIMESTAMP)?;
    let signed_ms = digits(TIMESTAMP, timestamp)?;
    let signature =
        base64(signature).ok_or_else(|| Unverified::malformed(SIGNATURE, "padded base64 is expected"))?;
    any_secret(secrets, |secret| Ok(signed(secret, delivery, timestamp)?.verify_slice(&signature).is_ok()))?;
    in_window(Time::from_unix_ms(signed_ms), now, TOLERANCE, TOLERANCE)
}

/// The two headers to send with a request so that [`verify`](crate::verify) believes it. For
/// demonstrations and tests.
pub fn sign(secret: &str, method: &str, url: &str, body: &[u8], now: Time) -> Vec<(String, String)> {
    let timestamp = now.unix_ms().to_string();
    let delivery = Delivery { method, url, headers: &[], body };
    // INVARIANT: HMAC takes keys of any length, so there always is a signature.
    let signature = signed(secret, &delivery, &timestamp);
    let signature =
        signature.map_or_else(|_| String::new(), |mac| STANDARD.encode(mac.finalize().into_bytes()));
    vec![(TIMESTAMP.to_owned(), timestamp), (SIGNATURE.to_owned(), signature)]
}

/// The MAC over what HubSpot signs.
fn signed(secret: &str, delivery: &Delivery<'_>, timestamp: &str) -> Result<HmacSha256, Unverified> {
    let url = decoded(delivery.url);
    mac(secret.as_bytes(), &[delivery.method.as_bytes(), url.as_bytes(), delivery.body, timestamp.as_bytes()])
}

/// `url` with the twelve escapes decoded, once.
fn decoded(url: &str) -> String {
    let mut text = String::with_capacity(url.len());
    let mut rest = url;
    while let Some(c) = rest.chars().next() {
        let escape = DECODED.iter().find_map(|(escape, plain)| Some((rest.strip_prefix(escape)?, *plain)));
        let (after, plain) = escape.unwrap_or_else(|| (rest.get(c.len_utf8()..).unwrap_or_default(), c));
        text.push(plain);
        rest = after;
    }
    text
}

fn read(heard: &Heard<'_>) -> Result<Reading, Unreadable> {
    let elements = match parse(heard.delivery.body)? {
        Value::Array(elements) => elements,
        object @ Value::Object(_) => vec![object],
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            return Err(Unreadable::NotAnObject);
        }
    };
    Reading::batch(elements, draft)
}

/// What HubSpot says of one event of a batch.
fn draft(data: Value) -> Result<Draft, Unreadable> {
    let Some(fields) = data.as_object() else {
        return Err(Unreadable::NotAnObject);
    };
    let kind = needed("type", &data, "/subscriptionType");
    let kind = kind.or_else(|missing| text_at(&data, "/eventType").ok_or(missing));
    Ok(Draft {
        id: Ok(id(fields)),
        subject: kind.clone().and_then(|kind| subject(&kind, &data)),
        kind,
        occurred_at: text_at(&data, "/occurredAt").as_deref().and_then(time),
        actor: text_at(&data, "/sourceId"),
        title: None,
        url: None,
        data,
    })
}

/// `hubspot:contact:123`. The type of object is in the type of event (`contact.creation`); the apps of the
/// newer platform say `object.creation` and name the type by number beside it (`objectTypeId: "0-1"`).
fn subject(kind: &str, data: &Value) -> Result<String, Unreadable> {
    let prefix = kind.split('.').next().unwrap_or(kind);
    let numbered = if prefix == "object" { text_at(data, "/objectTypeId") } else { None };
    let object = needed("subject", data, "/objectId")?;
    Ok(format!("hubspot:{}:{object}", numbered.as_deref().unwrap_or(prefix)))
}

/// A hash of everything that HubSpot says of the event but how often it tried to deliver it, and `eventId`,
/// which it does not promise to be unique.
fn id(fields: &Map<String, Value>) -> String {
    let mut lines: Vec<String> = fields
        .iter()
        .filter(|(name, _)| !matches!(name.as_str(), "attemptNumber" | "eventId"))
        .map(|(name, value)| format!("{name:?}:{value}\n"))
        .collect();
    lines.sort_unstable();
    fingerprint(&lines.iter().map(String::as_bytes).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn twelve_escapes_are_decoded_once_and_no_others() {
        for (url, read) in [
            ("https://h/a?b=%3A%2F%3F%40%21%24%27%28%29%2A%2C%3B", "https://h/a?b=:/?@!$'()*,;"),
            ("https://h/%20%26%253A%3a%", "https://h/%20%26%253A%3a%"),
            ("https://h/é%", "https://h/é%"),
        ] {
            assert_eq!(decoded(url), read);
        }
    }

    #[test]
    fn an_id_survives_a_retry_and_tells_changes_apart() {
        let of = |value: Value| id(value.as_object().unwrap());
        let first =
            json!({"objectId": 1, "propertyValue": "a", "occurredAt": 5, "eventId": 7, "attemptNumber": 0});
        let retry =
            json!({"occurredAt": 5, "objectId": 1, "propertyValue": "a", "eventId": 8, "attemptNumber": 1});
        let other =
            json!({"objectId": 1, "propertyValue": "b", "occurredAt": 5, "eventId": 7, "attemptNumber": 0});
        assert_eq!(of(first.clone()), of(retry));
        assert_ne!(of(first), of(other));
    }
}
