//! Standard Webhooks, symmetric (`v1`): a signed id, time and body; one event per delivery.
//!
//! What is relied on, and where it was read (specification and libraries,
//! `standard-webhooks/standard-webhooks`):
//!
//! - The signature is base64 HMAC-SHA256 over `id.timestamp.body`, keyed with the bytes that follow
//!   `whsec_` in base64. The header is a list with spaces between, each entry with its version: `v1,…`;
//!   during a rotation the sender signs twice. Entries of other versions, and malformed ones, are skipped:
//!   a list that commas joined (API Gateway, when the header came twice) is one malformed entry.
//! - The timestamp is in seconds, and at most five minutes off, either way; all libraries compare whole
//!   seconds.
//! - With a dot in the id, id, time and body could be shifted against each other under the same signature:
//!   ids are restricted to letters, digits, `_` and `-`, which is what senders make.
//! - The id is the same on every retry. The body is recommended to have `type`, `timestamp` and `data`.

use base64::Engine as _;
use base64::alphabet::STANDARD as ALPHABET;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use hmac::Mac;
use meshline_core::time::{Span, Time};

use crate::adapter::{Accepted, Adapter, Facts, Heard, Reading, no_greeting};
use crate::delivery::Delivery;
use crate::draft::{Draft, Unreadable, needed, parse, text_at, time};
use crate::limits::MAX_ID_BYTES;
use crate::proof::{HmacSha256, Unverified, any_secret, base64, digits, in_window, mac};

/// The names of the three headers.
pub(crate) struct Names {
    pub(crate) id: &'static str,
    pub(crate) timestamp: &'static str,
    pub(crate) signature: &'static str,
}

/// Those of the standard.
pub(crate) const NAMES: Names =
    Names { id: "webhook-id", timestamp: "webhook-timestamp", signature: "webhook-signature" };

pub(crate) const ADAPTER: Adapter = Adapter {
    verify: |ask| verify(ask.secrets, ask.delivery, NAMES, ask.now),
    read: |heard| read(heard, NAMES),
    greet: no_greeting,
    accepted: Accepted::Success,
    facts: Facts {
        title: "Standard Webhooks",
        scheme: "HMAC-SHA256 over `id.timestamp.body`, base64, in `webhook-signature`",
        replay: "5 minutes",
        retries: "the sender's matter; the standard proposes 10 in three days",
        deduplication: "`webhook-id`",
        subject: "`<source>:` and `data.id`",
        setup: &[
            "Where the sender has its webhooks: the address",
            "Copy the signing secret (`whsec_…`) into the secret store",
        ],
        lossy: None,
        quirks: &["Signatures by public key (`v1a`) are not read"],
    },
};

/// How long a signature holds, and how far the sender's clock may be ahead of ours.
const TOLERANCE: Span = Span::minutes(5);

/// Secrets are padded base64 in the specification; some consoles show them without the padding.
const SECRET_BASE64: GeneralPurpose = GeneralPurpose::new(
    &ALPHABET,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

pub(crate) fn verify(
    secrets: &[String],
    delivery: &Delivery<'_>,
    names: Names,
    now: Time,
) -> Result<(), Unverified> {
    let id = delivery.only(names.id)?;
    if id.len() > MAX_ID_BYTES || !id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-')) {
        return Err(Unverified::malformed(names.id, "at most 256 letters, digits, `_` and `-` are expected"));
    }
    let timestamp = delivery.only(names.timestamp)?;
    let signed_s = digits(names.timestamp, timestamp)?;
    let signatures = signatures(delivery.only(names.signature)?);
    if signatures.is_empty() {
        return Err(Unverified::malformed(
            names.signature,
            "at least one `v1,` with padded base64 is expected",
        ));
    }
    any_secret(secrets, |secret| {
        let parts = [id.as_bytes(), b".", timestamp.as_bytes(), b".", delivery.body];
        let signed: HmacSha256 = mac(&key(secret)?, &parts)?;
        Ok(signatures.iter().any(|signature| signed.clone().verify_slice(signature).is_ok()))
    })?;
    let whole_seconds = now.unix_ms().div_euclid(1_000).saturating_mul(1_000);
    let signed_at = Time::from_unix_ms(signed_s.saturating_mul(1_000));
    in_window(signed_at, Time::from_unix_ms(whole_seconds), TOLERANCE, TOLERANCE)
}

/// The header `webhook-signature` of a delivery of ours: one entry, over its id, its time in seconds and its body.
///
/// # Errors
/// The secret cannot be a key.
pub fn signature(secret: &str, id: &str, at: Time, body: &[u8]) -> Result<String, Unverified> {
    let seconds = at.unix_ms().div_euclid(1_000).to_string();
    let parts = [id.as_bytes(), b".", seconds.as_bytes(), b".", body];
    let signed: HmacSha256 = mac(&key(secret)?, &parts)?;
    let bytes = signed.finalize().into_bytes();
    Ok(format!("v1,{}", base64::engine::general_purpose::STANDARD.encode(bytes)))
}

/// The entries of version 1 that can be signatures.
fn signatures(header: &str) -> Vec<Vec<u8>> {
    header.split(' ').filter_map(|entry| base64(entry.strip_prefix("v1,")?)).collect()
}

/// The bytes of a secret.
fn key(secret: &str) -> Result<Vec<u8>, Unverified> {
    let text = secret.strip_prefix("whsec_").unwrap_or(secret);
    let bytes = SECRET_BASE64.decode(text).ok().filter(|bytes| !bytes.is_empty());
    bytes.ok_or(Unverified::UnusableSecret("a Standard Webhooks secret is base64, mostly after `whsec_`"))
}

/// What the one event of a delivery says of itself.
pub(crate) fn read(heard: &Heard<'_>, names: Names) -> Result<Reading, Unreadable> {
    let data = parse(heard.delivery.body)?;
    let id = heard.delivery.header(names.id).filter(|id| !id.is_empty());
    Ok(Reading::one(Draft {
        id: id.map(str::to_owned).ok_or(Unreadable::MissingHeader(names.id)),
        kind: needed("type", &data, "/type"),
        subject: needed("subject", &data, "/data/id").map(|id| format!("{}:{id}", heard.source.id)),
        occurred_at: text_at(&data, "/timestamp").as_deref().and_then(time),
        actor: None,
        title: text_at(&data, "/data/title"),
        url: text_at(&data, "/data/url"),
        data,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_well_formed_v1_entries_are_signatures() {
        assert_eq!(signatures("v1,YQ== v1a,Yg== v2,Yw== v1,ZA== YQ== v1").len(), 2);
        for none in ["", "v1,", "v1,YQ", "v1,YQ==,v1,YQ==", "V1,YQ=="] {
            assert!(signatures(none).iter().all(Vec::is_empty), "{none}");
        }
    }

    #[test]
    fn a_secret_is_base64_with_or_without_prefix_and_padding() {
        for secret in ["whsec_YQ==", "YQ==", "whsec_YQ"] {
            assert_eq!(key(secret), Ok(b"a".to_vec()));
        }
        for secret in ["whsec_", "whsec_YR==", "whpk_YQ==", "not base64"] {
            assert!(matches!(key(secret), Err(Unverified::UnusableSecret(_))), "{secret}");
        }
    }
}
