//! Contentful: a signed canonical request, one event per delivery.
//!
//! What is relied on, and where it was read:
//!
//! - The signature is the lower-case hex HMAC-SHA256 over `METHOD\npath\nheaders\nbody`, keyed with the
//!   text of a 64-character secret (`@contentful/node-apps-toolkit` 3.16.1, `src/requests`). The headers
//!   are `name:value` joined by `;`, sorted by name: those that `x-contentful-signed-headers` lists and the
//!   request has. The verifier writes that list anew from what it found, so nobody can drop a header from
//!   it.
//! - A query is escaped twice, and what follows a second `?` is not signed (toolkit, measured). Whether
//!   Contentful's servers do the same is not known to us: a hook address without a query is safest.
//! - The toolkit refuses a signature 30 s after it was made and knows no limit in the future; we allow as
//!   much ahead as behind. Each attempt is signed anew, so retries do not run into this.
//! - The kind of event is only in the header `x-contentful-topic`; the body names no URL and no title.
//! - Facts are taken only from headers that the signature covers: of an overheard delivery an attacker
//!   could otherwise make another event within the 30 s.

use std::collections::BTreeMap;

use hmac::Mac;
use meshline_core::time::{Span, Time};
use serde_json::Value;

use crate::adapter::{Accepted, Adapter, Facts, Reading, no_greeting};
use crate::delivery::Delivery;
use crate::draft::{Draft, Unreadable, needed, parse, text_at, time};
use crate::proof::{HmacSha256, Unverified, any_secret, digits, fingerprint, in_window, mac};

const SIGNATURE: &str = "x-contentful-signature";
const SIGNED_HEADERS: &str = "x-contentful-signed-headers";
const TIMESTAMP: &str = "x-contentful-timestamp";
const TOPIC: &str = "x-contentful-topic";
const IDEMPOTENCY_KEY: &str = "x-contentful-idempotency-key";
const EVENT_DATETIME: &str = "x-contentful-event-datetime";

/// How many characters a secret has, always.
const SECRET_CHARS: usize = 64;

/// How long a signature holds: the toolkit refuses at 30 s sharp, so the last good millisecond is one less.
const TIME_TO_LIVE: Span = Span::from_ms(29_999);

/// How far Contentful's clock may be ahead of ours.
const CLOCK_AHEAD: Span = Span::from_ms(30_000);

/// Timestamps are milliseconds, and later than 2020-01-01: seconds in their place are refused.
const EARLIEST_MS: i64 = 1_577_836_800_000;

pub(crate) const ADAPTER: Adapter = Adapter {
    verify: |ask| verify(ask.secrets, ask.delivery, ask.now),
    read: |heard| Ok(Reading::one(draft(heard.delivery, parse(heard.delivery.body)?)?)),
    greet: no_greeting,
    accepted: Accepted::Success,
    facts: Facts {
        title: "Contentful",
        scheme: "HMAC-SHA256 over method, path, named headers and body, hex, in `x-contentful-signature`",
        replay: "30 s",
        retries: "2, about 30 s apart, after 429 and 5xx; 30 s",
        deduplication: "`x-contentful-idempotency-key`, where it is signed; else a hash",
        subject: "`contentful:` and the entry's id",
        setup: &[
            "Settings, Webhooks, Request verification: make a signing secret of 64 characters and copy it into the secret store",
            "Settings, Webhooks, Add: the address, without a query; triggers: Entry publish, unpublish, delete",
        ],
        lossy: None,
        quirks: &[
            "The title is a field that the content model names: write `title: \"${data.fields.title.en-US}\"` where it is another",
        ],
    },
};

fn verify(secrets: &[String], delivery: &Delivery<'_>, now: Time) -> Result<(), Unverified> {
    let signature = delivery.only(SIGNATURE)?;
    let signed_ms = digits(TIMESTAMP, delivery.only(TIMESTAMP)?)?;
    if signed_ms <= EARLIEST_MS {
        return Err(Unverified::malformed(TIMESTAMP, "milliseconds since 1970 are expected"));
    }
    let signature = signature_bytes(signature)?;
    let signed = Signed::of(delivery, signed_ms)?;
    any_secret(secrets, |secret| {
        if secret.chars().count() != SECRET_CHARS {
            return Err(Unverified::UnusableSecret("a Contentful signing secret has exactly 64 characters"));
        }
        Ok(canonical(secret, delivery, &signed)?.verify_slice(&signature).is_ok())
    })?;
    in_window(Time::from_unix_ms(signed_ms), now, TIME_TO_LIVE, CLOCK_AHEAD)
}

/// All headers to send with a request so that [`verify`](crate::verify) believes it: `headers`, each
/// signed, and the three that Contentful adds. For demonstrations and tests. `secret` should have 64
/// characters.
pub fn sign(
    secret: &str,
    method: &str,
    url: &str,
    headers: &[(String, String)],
    body: &[u8],
    now: Time,
) -> Vec<(String, String)> {
    let names: Vec<String> = headers.iter().map(|(name, _)| name.trim().to_lowercase()).collect();
    let pairs = names.iter().zip(headers).map(|(name, (_, value))| (name.as_str(), value.trim()));
    let signed = Signed::new(pairs.collect(), now.unix_ms());
    let delivery = Delivery { method, url, headers, body };
    // INVARIANT: HMAC takes keys of any length, so there always is a signature.
    let signature = canonical(secret, &delivery, &signed);
    let signature = signature.map_or_else(|_| String::new(), |mac| hex::encode(mac.finalize().into_bytes()));
    let mut all: Vec<(String, String)> =
        signed.lines.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    all.push((TIMESTAMP.to_owned(), signed.timestamp));
    all.push((SIGNED_HEADERS.to_owned(), signed.list));
    all.push((SIGNATURE.to_owned(), signature));
    all
}

/// The bytes of a signature in the one form that Contentful writes: 64 lower-case hexadecimal digits.
fn signature_bytes(text: &str) -> Result<Vec<u8>, Unverified> {
    let is_lower = !text.bytes().any(|b| b.is_ascii_uppercase());
    let bytes = if is_lower { hex::decode(text).ok().filter(|bytes| bytes.len() == 32) } else { None };
    bytes.ok_or_else(|| Unverified::malformed(SIGNATURE, "64 lower-case hexadecimal digits are expected"))
}

/// The headers that a signature covers.
struct Signed<'d> {
    /// Name and value of all but the two below.
    lines: BTreeMap<&'d str, &'d str>,
    timestamp: String,
    /// The names, the two included.
    list: String,
}

impl<'d> Signed<'d> {
    fn new(mut lines: BTreeMap<&'d str, &'d str>, signed_ms: i64) -> Self {
        lines.remove(TIMESTAMP);
        lines.remove(SIGNED_HEADERS);
        let mut names: Vec<&str> = lines.keys().copied().chain([TIMESTAMP, SIGNED_HEADERS]).collect();
        names.sort_unstable();
        Self { list: names.join(","), timestamp: signed_ms.to_string(), lines }
    }

    /// What `delivery` lists and has. The list's names are taken exactly, as the toolkit does; the
    /// request's in any case.
    fn of(delivery: &Delivery<'d>, signed_ms: i64) -> Result<Self, Unverified> {
        let list = delivery.only(SIGNED_HEADERS)?;
        if !list.contains(',') {
            return Err(Unverified::malformed(SIGNED_HEADERS, "at least two names are expected"));
        }
        let mut lines = BTreeMap::new();
        for name in list.split(',').filter(|name| !name.bytes().any(|b| b.is_ascii_uppercase())) {
            if let Some(value) = delivery.at_most_one(name)? {
                if value.chars().any(char::is_control) {
                    return Err(Unverified::malformed(name, "it holds a control character"));
                }
                lines.insert(name, value);
            }
        }
        Ok(Self::new(lines, signed_ms))
    }

    fn canonical(&self) -> String {
        let mut lines = self.lines.clone();
        lines.insert(TIMESTAMP, &self.timestamp);
        lines.insert(SIGNED_HEADERS, &self.list);
        let lines: Vec<String> = lines.iter().map(|(name, value)| format!("{name}:{value}")).collect();
        lines.join(";")
    }
}

/// The MAC over the canonical request.
fn canonical(secret: &str, delivery: &Delivery<'_>, signed: &Signed<'_>) -> Result<HmacSha256, Unverified> {
    let head = format!("{}\n{}\n{}\n", delivery.method, path(delivery.target()), signed.canonical());
    mac(secret.as_bytes(), &[head.as_bytes(), delivery.body])
}

/// The canonical path: JavaScript's `encodeURI(path + '?' + querystring.escape(query))`, where the query
/// ends at a second `?`.
fn path(target: &str) -> String {
    let mut pieces = target.split('?');
    let path = pieces.next().unwrap_or_default();
    match pieces.next() {
        Some(query) if !query.is_empty() => {
            let query = escape(query, "-_.!~*'()");
            escape(&format!("{path}?{query}"), URI)
        }
        Some(_) | None => escape(path, URI),
    }
}

/// What `encodeURI` leaves as it is, beside letters and digits (ECMA-262, `encodeURI`).
const URI: &str = "-_.!~*'();/?:@&=+$,#";

/// `text` with every byte but letters, digits and `kept` written as `%XX`.
fn escape(text: &str, kept: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        let c = char::from(byte);
        if c.is_ascii_alphanumeric() || kept.contains(c) {
            escaped.push(c);
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}

/// What Contentful says of the one event in a delivery.
pub(crate) fn draft(delivery: &Delivery<'_>, data: Value) -> Result<Draft, Unreadable> {
    let topic = fact(delivery, TOPIC)?;
    let id = match fact(delivery, IDEMPOTENCY_KEY) {
        Ok(key) => key.to_owned(),
        // A retry has the same topic and body; another publish has another revision in its body.
        Err(_) => fingerprint(&[topic.as_bytes(), b"\n", delivery.body]),
    };
    let happened = fact(delivery, EVENT_DATETIME).ok().and_then(time);
    let at = |pointer| text_at(&data, pointer).as_deref().and_then(time);
    Ok(Draft {
        id: Ok(id),
        kind: Ok(topic.strip_prefix("ContentManagement.").unwrap_or(topic).to_owned()),
        subject: needed("subject", &data, "/sys/id").map(|id| format!("contentful:{id}")),
        occurred_at: happened.or_else(|| at("/sys/deletedAt")).or_else(|| at("/sys/updatedAt")),
        actor: text_at(&data, "/sys/updatedBy/sys/id").or_else(|| text_at(&data, "/sys/deletedBy/sys/id")),
        title: title(&data),
        url: None,
        data,
    })
}

/// The value of a header that the signature covers.
fn fact<'d>(delivery: &Delivery<'d>, name: &'static str) -> Result<&'d str, Unreadable> {
    let Some(value) = delivery.header(name).filter(|value| !value.is_empty()) else {
        return Err(Unreadable::MissingHeader(name));
    };
    let list = delivery.header(SIGNED_HEADERS).unwrap_or_default();
    if list.split(',').any(|signed| signed == name) {
        Ok(value)
    } else {
        Err(Unreadable::UnsignedHeader(name))
    }
}

/// Which field is the title is for the content model to say, and that is not in the body: these names are
/// the usual ones. Values are per locale; the first text is taken.
fn title(data: &Value) -> Option<String> {
    ["title", "name", "headline"].into_iter().find_map(|name| {
        let locales = data.pointer("/fields")?.get(name)?.as_object()?;
        locales.values().find_map(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_escaped_twice_and_ends_at_a_second_question_mark() {
        for (target, canonical) in [
            ("/hooks/cms", "/hooks/cms"),
            ("/hooks/cms?", "/hooks/cms"),
            ("/a%20b/é", "/a%2520b/%C3%A9"),
            ("/in?tenant=acme&n=25", "/in?tenant%253Dacme%2526n%253D25"),
            ("/in?a=1?b=2", "/in?a%253D1"),
        ] {
            assert_eq!(path(target), canonical, "{target}");
        }
    }
}
