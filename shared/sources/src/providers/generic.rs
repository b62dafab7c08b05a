//! Anything else: what the source document says about proof and fields.
//!
//! Except for Standard Webhooks these schemes sign no time, so an overheard delivery can be sent again; it
//! then has the same body and, unless `event_id` says otherwise, the same event id, and is a duplicate. The
//! headers are signed by none of them, which is why templates see the body only.

use hmac::{Hmac, Mac};
use meshline_core::config::source::{Encoding, Scheme};
use sha1::Sha1;

use super::standard_webhooks::{self, NAMES};
use crate::adapter::{Accepted, Adapter, Ask, Facts, Heard, Reading, no_greeting};
use crate::delivery::Delivery;
use crate::draft::{Draft, Unreadable, parse};
use crate::proof::{HmacSha256, Unverified, any_secret, base64, basic, fingerprint, mac, token};

type HmacSha1 = Hmac<Sha1>;

/// The type of an event whose source has no `type` template.
const DEFAULT_TYPE: &str = "event";

/// The header of [`Scheme::Basic`] and [`Scheme::Token`] unless the source names another.
const AUTHORIZATION: &str = "authorization";

pub(crate) const ADAPTER: Adapter = Adapter {
    verify,
    read,
    greet: no_greeting,
    accepted: Accepted::Success,
    facts: Facts {
        title: "Anything else",
        scheme: "`verify` of the source: HMAC-SHA256 or -SHA1 over the body, Basic, a token, or Standard Webhooks",
        replay: "no time is signed, but for Standard Webhooks: the same body is the same event",
        retries: "the sender's matter",
        deduplication: "the body, or `event_id` of the source",
        subject: "`subject` of the source",
        setup: &[
            "Where the sender has its webhooks: the address",
            "A new random secret, the same in the secret store; `verify` says in which header it comes and how",
        ],
        lossy: None,
        quirks: &["Templates see the body and not the headers, which are not signed"],
    },
};

fn verify(ask: &Ask<'_>) -> Result<(), Unverified> {
    let Ask { source, secrets, delivery, now } = *ask;
    let Some(verify) = &source.verify else {
        return Err(Unverified::NotConfigured("`verify` is missing"));
    };
    let prefix = verify.prefix.as_deref().unwrap_or_default();
    let named = verify.header.as_deref().ok_or(Unverified::NotConfigured("`verify.header` is missing"));
    let encoding = verify.encoding.unwrap_or(Encoding::Hex);
    match verify.scheme {
        Scheme::StandardWebhooks => standard_webhooks::verify(secrets, delivery, NAMES, now),
        Scheme::HmacSha256 => {
            let signature = signature(delivery, named?, prefix, encoding)?;
            any_secret(secrets, |secret| {
                let signed: HmacSha256 = mac(secret.as_bytes(), &[delivery.body])?;
                Ok(signed.verify_slice(&signature).is_ok())
            })
        }
        Scheme::HmacSha1 => {
            let signature = signature(delivery, named?, prefix, encoding)?;
            any_secret(secrets, |secret| {
                let signed: HmacSha1 = mac(secret.as_bytes(), &[delivery.body])?;
                Ok(signed.verify_slice(&signature).is_ok())
            })
        }
        Scheme::Token => token(secrets, delivery, named.unwrap_or(AUTHORIZATION), prefix),
        Scheme::Basic => basic(secrets, delivery, named.unwrap_or(AUTHORIZATION)),
    }
}

/// The bytes of the one signature in a header, after its prefix.
fn signature(
    delivery: &Delivery<'_>,
    header: &str,
    prefix: &str,
    encoding: Encoding,
) -> Result<Vec<u8>, Unverified> {
    let value = delivery.only(header)?;
    let text = value
        .strip_prefix(prefix)
        .ok_or_else(|| Unverified::malformed(header, "it does not start with the source's `prefix`"))?;
    let (bytes, expected) = match encoding {
        Encoding::Hex => (hex::decode(text).ok(), "one signature in hexadecimal is expected"),
        Encoding::Base64 => (base64(text), "one signature in padded base64 is expected"),
    };
    bytes.ok_or_else(|| Unverified::malformed(header, expected))
}

/// What can be said of an event without knowing its sender; the source's templates say the rest.
fn read(heard: &Heard<'_>) -> Result<Reading, Unreadable> {
    let scheme = heard.source.verify.as_ref().map(|verify| verify.scheme);
    let signed_id = if scheme == Some(Scheme::StandardWebhooks) {
        heard.delivery.header(NAMES.id).filter(|id| !id.is_empty()).map(str::to_owned)
    } else {
        None
    };
    Ok(Reading::one(Draft {
        id: Ok(signed_id.unwrap_or_else(|| fingerprint(&[heard.delivery.body]))),
        kind: Ok(DEFAULT_TYPE.to_owned()),
        subject: Err(Unreadable::Missing { field: "subject", path: "subject".to_owned() }),
        occurred_at: None,
        actor: None,
        title: None,
        url: None,
        data: parse(heard.delivery.body)?,
    }))
}
