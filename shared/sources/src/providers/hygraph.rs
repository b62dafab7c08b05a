//! Hygraph: the signature is over a JSON text that has the body in it as a string.
//!
//! What is relied on, and where it was read:
//!
//! - `gcms-signature: sign=<base64>, env=<name>, t=<ms>`, the HMAC-SHA256 over
//!   `{"Body":…,"EnvironmentName":…,"TimeStamp":…}` as `JSON.stringify` writes it (`@hygraph/utils` 1.2.1): the body
//!   as a JSON string, with JavaScript's escapes and no others.
//! - The verifier splits at `, ` and takes the parts in that order; so do we.
//! - It knows no limit of age. A replay would be a new run: we allow five minutes either way. Four tries are within 3
//!   s each.

use crate::adapter::{Accepted, Adapter, Ask, Facts, Heard, Reading, no_greeting};
use crate::draft::{Draft, Unreadable, needed, parse, text_at, time};
use crate::proof::{Unverified, fingerprint, milliseconds, padded, signed_recently};

const SIGNATURE: &str = "gcms-signature";

pub(crate) const ADAPTER: Adapter = Adapter {
    verify,
    read,
    greet: no_greeting,
    accepted: Accepted::Success,
    facts: Facts {
        title: "Hygraph",
        scheme: "HMAC-SHA256 over a JSON envelope of body, environment and milliseconds, base64, in `gcms-signature`",
        replay: "5 minutes (its toolkit has no limit)",
        retries: "4; 3 s",
        deduplication: "the body",
        subject: "`hygraph:` and the entry's id",
        setup: &[
            "The project, Webhooks, Add: the address, method POST, include payload, triggers and stages",
            "Secret key: a new random one of 32 characters, the same in the secret store",
        ],
        lossy: None,
        quirks: &["The environment is a part of what is signed"],
    },
};

fn verify(ask: &Ask<'_>) -> Result<(), Unverified> {
    let header = ask.delivery.only(SIGNATURE)?;
    let malformed =
        || Unverified::malformed(SIGNATURE, "`sign=<base64>, env=<name>, t=<milliseconds>` is expected");
    let mut parts = header.split(", ");
    let mut part = |name: &str| parts.next().and_then(|part| part.strip_prefix(name)).ok_or_else(malformed);
    let (signature, environment, timestamp) = (part("sign=")?, part("env=")?, part("t=")?);
    if parts.next().is_some() {
        return Err(malformed());
    }
    let signed_at = milliseconds(SIGNATURE, timestamp)?;
    let body = std::str::from_utf8(ask.delivery.body).map_err(|_| Unverified::Mismatch)?;
    let envelope = format!(
        "{{\"Body\":{},\"EnvironmentName\":{},\"TimeStamp\":{timestamp}}}",
        stringified(body),
        stringified(environment)
    );
    signed_recently(ask, &padded(SIGNATURE, signature)?, &[envelope.as_bytes()], signed_at)
}

/// A text as `JSON.stringify` writes it (ECMA-262, QuoteJSONString); no lone surrogates are in UTF-8.
fn stringified(text: &str) -> String {
    let mut json = String::with_capacity(text.len() + 2);
    json.push('"');
    for c in text.chars() {
        match c {
            '"' => json.push_str("\\\""),
            '\\' => json.push_str("\\\\"),
            '\u{8}' => json.push_str("\\b"),
            '\u{c}' => json.push_str("\\f"),
            '\n' => json.push_str("\\n"),
            '\r' => json.push_str("\\r"),
            '\t' => json.push_str("\\t"),
            c if c < ' ' => json.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => json.push(c),
        }
    }
    json.push('"');
    json
}

fn read(heard: &Heard<'_>) -> Result<Reading, Unreadable> {
    let data = parse(heard.delivery.body)?;
    Ok(Reading::one(Draft {
        id: Ok(fingerprint(&[heard.delivery.body])),
        kind: needed("type", &data, "/operation"),
        subject: needed("subject", &data, "/data/id").map(|id| format!("hygraph:{id}")),
        occurred_at: text_at(&data, "/data/updatedAt").as_deref().and_then(time),
        actor: text_at(&data, "/data/updatedBy/id"),
        title: text_at(&data, "/data/title"),
        url: text_at(&data, "/data/url"),
        data,
    }))
}
