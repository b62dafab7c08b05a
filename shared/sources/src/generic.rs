//! Anything else: what the source document says about proof and fields.
//!
//! Except for Standard Webhooks these schemes sign no time, so an overheard delivery can be sent again; it
//! then has the same body and, unless `event_id` says otherwise, the same event id, and is a duplicate. The
//! headers are signed by none of them, which is why templates see the body only.

use hmac::{Hmac, Mac};
use meshline_core::config::source::{Encoding, Scheme, Source};
use meshline_core::time::Time;
use serde_json::Value;
use sha1::Sha1;

use crate::delivery::Delivery;
use crate::draft::{Draft, Unreadable};
use crate::proof::{HmacSha256, Unverified, any_secret, base64, fingerprint, mac, same_text};
use crate::standard_webhooks;

type HmacSha1 = Hmac<Sha1>;

/// The type of an event whose source has no `type` template.
const DEFAULT_TYPE: &str = "event";

/// The header of [`Scheme::Basic`] and [`Scheme::Token`] unless the source names another.
const AUTHORIZATION: &str = "authorization";

pub(crate) fn verify(
    source: &Source,
    secrets: &[String],
    delivery: &Delivery<'_>,
    now: Time,
) -> Result<(), Unverified> {
    let Some(verify) = &source.verify else {
        return Err(Unverified::NotConfigured("`verify` is missing"));
    };
    let prefix = verify.prefix.as_deref().unwrap_or_default();
    let named = verify.header.as_deref().ok_or(Unverified::NotConfigured("`verify.header` is missing"));
    let encoding = verify.encoding.unwrap_or(Encoding::Hex);
    match verify.scheme {
        Scheme::StandardWebhooks => standard_webhooks::verify(secrets, delivery, now),
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
        Scheme::Token => {
            let token = delivery.only(named.unwrap_or(AUTHORIZATION))?;
            any_secret(secrets, |secret| same_text(&format!("{prefix}{secret}"), token))
        }
        Scheme::Basic => {
            let credentials = credentials(delivery, named.unwrap_or(AUTHORIZATION))?;
            any_secret(secrets, |secret| same_text(secret, &credentials))
        }
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

/// User and password of HTTP Basic (RFC 7617), `user:password`.
fn credentials(delivery: &Delivery<'_>, header: &str) -> Result<String, Unverified> {
    let value = delivery.only(header)?;
    let bytes = match value.split_once(' ') {
        Some((scheme, encoded)) if scheme.eq_ignore_ascii_case("basic") => base64(encoded.trim_start()),
        Some(_) | None => None,
    };
    let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    text.ok_or_else(|| Unverified::malformed(header, "`Basic` and base64 of `user:password` are expected"))
}

/// What can be said of an event without knowing its sender; the source's templates say the rest.
pub(crate) fn draft(source: &Source, delivery: &Delivery<'_>, data: Value) -> Draft {
    let scheme = source.verify.as_ref().map(|verify| verify.scheme);
    let signed_id = if scheme == Some(Scheme::StandardWebhooks) {
        delivery.header(standard_webhooks::ID).filter(|id| !id.is_empty()).map(str::to_owned)
    } else {
        None
    };
    Draft {
        id: Ok(signed_id.unwrap_or_else(|| fingerprint(&[delivery.body]))),
        kind: Ok(DEFAULT_TYPE.to_owned()),
        subject: Err(Unreadable::Missing { field: "subject", path: "subject".to_owned() }),
        occurred_at: None,
        actor: None,
        title: None,
        url: None,
        data,
    }
}
