//! A proof of origin: what every scheme shares, and why a delivery is not believed.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use meshline_core::time::{Span, Time};
use sha2::{Digest, Sha256};

use crate::adapter::{Ask, Heard};
use crate::delivery::Delivery;
use crate::form;

/// HMAC-SHA256, keyed and ready for the signed bytes.
pub(crate) type HmacSha256 = Hmac<Sha256>;

/// Why a delivery is not believed. For logs and `webhook check`; the HTTP answer is only 401.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unverified {
    /// The source has no secret to check with: an operator must add it.
    #[error("the source has no secret to verify with")]
    NoSecret,
    /// No secret has the form that the provider's secrets have: an operator must mend it.
    #[error("the secret cannot be used: {0}")]
    UnusableSecret(&'static str),
    /// A generic source does not say how it is verified: an operator must mend it.
    #[error("the source does not say how deliveries are verified: {0}")]
    NotConfigured(&'static str),
    /// A header that the scheme needs is absent or empty.
    #[error("header `{0}` is missing")]
    MissingHeader(String),
    /// A header that must be there once is there twice.
    #[error("header `{0}` is there more than once")]
    RepeatedHeader(String),
    /// The address has no parameter `secret`.
    #[error("the address that was called has no `secret`")]
    NoSecretInAddress,
    /// The secret is there twice, in the address or in the body.
    #[error("the secret is there more than once")]
    RepeatedSecret,
    /// The body does not hold the secret that the provider puts there.
    #[error("the body has no text at `{0}`")]
    NoSecretInBody(&'static str),
    /// The provider never sends nothing.
    #[error("the body is empty")]
    EmptyBody,
    /// A handshake is only for a source that has no secret yet.
    #[error("a handshake came, and the source has a secret already")]
    UnexpectedHandshake,
    /// A token is not what the scheme prescribes.
    #[error("the token is {0}")]
    BadToken(&'static str),
    /// A header is not in the form that the scheme prescribes.
    #[error("header `{header}` is malformed: {reason}")]
    MalformedHeader {
        /// Its name, in lower case.
        header: String,
        /// What is expected of it.
        reason: &'static str,
    },
    /// No secret makes the signature that was sent.
    #[error("the signature is not made with a secret of this source over this request")]
    Mismatch,
    /// The signature is right, but was made too long ago: a replay, or a sender's clock that is slow.
    #[error("signed {age} ago, and at most {limit} is accepted")]
    Expired {
        /// How long ago it was signed.
        age: Span,
        /// The oldest that is accepted.
        limit: Span,
    },
    /// The signature is right, but was made in the future: a sender's clock that is fast.
    #[error("signed {ahead} in the future, and at most {limit} is accepted")]
    Future {
        /// How far in the future it was signed.
        ahead: Span,
        /// The furthest that is accepted.
        limit: Span,
    },
}

impl Unverified {
    pub(crate) fn malformed(header: &str, reason: &'static str) -> Self {
        Self::MalformedHeader { header: header.to_owned(), reason }
    }
}

/// Tries each secret; one that matches is enough, so that a receiver can hold two during a rotation.
///
/// A secret that cannot be used is reported only when no other could be tried. An empty one is never
/// tried: anybody can sign with an empty key.
pub(crate) fn any_secret(
    secrets: &[String],
    mut matches: impl FnMut(&str) -> Result<bool, Unverified>,
) -> Result<(), Unverified> {
    let mut failure = Unverified::NoSecret;
    for secret in secrets {
        let outcome =
            if secret.is_empty() { Err(Unverified::UnusableSecret("it is empty")) } else { matches(secret) };
        match outcome {
            Ok(true) => return Ok(()),
            Ok(false) => failure = Unverified::Mismatch,
            Err(unusable) if failure != Unverified::Mismatch => failure = unusable,
            Err(_) => {}
        }
    }
    Err(failure)
}

/// Refuses what was signed more than `past` before `now` or more than `future` after it.
pub(crate) fn in_window(signed_at: Time, now: Time, past: Span, future: Span) -> Result<(), Unverified> {
    let (age, ahead) = (now.since(signed_at), signed_at.since(now));
    if age > past {
        Err(Unverified::Expired { age, limit: past })
    } else if ahead > future {
        Err(Unverified::Future { ahead, limit: future })
    } else {
        Ok(())
    }
}

/// Reads a header of decimal digits only; no sign, no space, no fraction.
pub(crate) fn digits(header: &str, value: &str) -> Result<i64, Unverified> {
    let plain = !value.starts_with('0') && value.bytes().all(|b| b.is_ascii_digit());
    let number = if plain { value.parse().ok() } else { None };
    number.ok_or_else(|| {
        Unverified::malformed(header, "a whole number without sign or leading zero is expected")
    })
}

/// A keyed MAC over `parts`, one after the other.
pub(crate) fn mac<M: Mac + KeyInit>(key: &[u8], parts: &[&[u8]]) -> Result<M, Unverified> {
    let keyed = <M as KeyInit>::new_from_slice(key);
    let mut mac = keyed.map_err(|_| Unverified::UnusableSecret("it is no key for this algorithm"))?;
    for part in parts {
        mac.update(part);
    }
    Ok(mac)
}

/// Whether two texts are equal, in a time that does not depend on where they differ: their MACs are
/// compared, under the expected text as the key.
pub(crate) fn same_text(expected: &str, given: &str) -> Result<bool, Unverified> {
    let own: HmacSha256 = mac(expected.as_bytes(), &[expected.as_bytes()])?;
    let other: HmacSha256 = mac(expected.as_bytes(), &[given.as_bytes()])?;
    Ok(other.verify_slice(&own.finalize().into_bytes()).is_ok())
}

/// The bytes of padded base64 in the one form that encodes them; `None` for any other text.
pub(crate) fn base64(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

/// The first 32 hexadecimal characters (128 bits) of the SHA-256 of `parts`, one after the other: an event
/// id where the provider has none. Two deliveries of one thing hash alike.
pub(crate) fn fingerprint(parts: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
    }
    let mut text = hex::encode(hash.finalize());
    text.truncate(32);
    text
}

/// An event id where the provider sends neither an id nor a time: the same body within `span` is the same event.
pub(crate) fn in_span(heard: &Heard<'_>, span: Span) -> String {
    let slot = heard.received_at.unix_ms().div_euclid(span.ms());
    fingerprint(&[slot.to_string().as_bytes(), b"\n", heard.delivery.body])
}

/// Refuses unless one of the secrets makes that HMAC-SHA256 over `parts`, one after the other.
pub(crate) fn signed_sha256(secrets: &[String], signature: &[u8], parts: &[&[u8]]) -> Result<(), Unverified> {
    any_secret(secrets, |secret| {
        let signed: HmacSha256 = mac(secret.as_bytes(), parts)?;
        Ok(signed.verify_slice(signature).is_ok())
    })
}

/// A header `sha256=<hex>` with the HMAC-SHA256 over the body, in the form of WebSub.
/// <https://www.w3.org/TR/websub/#signature-validation>
pub(crate) fn hub_sha256(ask: &Ask<'_>, header: &str) -> Result<(), Unverified> {
    let text = after(header, ask.delivery.only(header)?, "sha256=")?;
    signed_sha256(ask.secrets, &lower_hex::<32>(header, text)?, &[ask.delivery.body])
}

/// A header with the base64 of the HMAC-SHA256 over the body.
pub(crate) fn base64_sha256(ask: &Ask<'_>, header: &str) -> Result<(), Unverified> {
    let signature = padded(header, ask.delivery.only(header)?)?;
    signed_sha256(ask.secrets, &signature, &[ask.delivery.body])
}

/// How long a signature over a time holds, and how far the sender's clock may be ahead of ours, where the provider
/// says so or says nothing.
const TOLERANCE: Span = Span::minutes(5);

/// As [`signed_sha256`], for parts that have the time `signed_at` in them: what was signed five minutes ago, or will
/// be, is refused.
pub(crate) fn signed_recently(
    ask: &Ask<'_>,
    signature: &[u8],
    parts: &[&[u8]],
    signed_at: Time,
) -> Result<(), Unverified> {
    signed_sha256(ask.secrets, signature, parts)?;
    in_window(signed_at, ask.now, TOLERANCE, TOLERANCE)
}

/// The bytes of a signature of `N` bytes in lower-case hexadecimal, the one form in which it is sent: another form of the
/// same bytes would be another text for whoever remembers what was seen.
pub(crate) fn lower_hex<const N: usize>(header: &str, text: &str) -> Result<[u8; N], Unverified> {
    let mut bytes = [0; N];
    let is_lower = !text.bytes().any(|b| b.is_ascii_uppercase());
    let read = if is_lower { hex::decode_to_slice(text, &mut bytes).ok() } else { None };
    read.map(|()| bytes).ok_or_else(|| {
        Unverified::malformed(header, "the whole digest in lower-case hexadecimal is expected")
    })
}

/// The text after `prefix` in a header.
pub(crate) fn after<'t>(header: &str, text: &'t str, prefix: &'static str) -> Result<&'t str, Unverified> {
    text.strip_prefix(prefix)
        .ok_or_else(|| Unverified::malformed(header, "it does not begin as the scheme says"))
}

/// The bytes of padded base64 in a header.
pub(crate) fn padded(header: &str, text: &str) -> Result<Vec<u8>, Unverified> {
    base64(text).ok_or_else(|| Unverified::malformed(header, "padded base64 is expected"))
}

/// The instant of a header in milliseconds, which is too small for any time since 2020 if it is in seconds.
pub(crate) fn milliseconds(header: &str, text: &str) -> Result<Time, Unverified> {
    match digits(header, text)? {
        ms if ms > EARLIEST_MS => Ok(Time::from_unix_ms(ms)),
        _ => Err(Unverified::malformed(header, "milliseconds since 1970 are expected")),
    }
}

/// The instant of a header in seconds.
pub(crate) fn seconds(header: &str, text: &str) -> Result<Time, Unverified> {
    Ok(Time::from_unix_ms(digits(header, text)?.saturating_mul(1_000)))
}

/// 2020-01-01, in milliseconds.
const EARLIEST_MS: i64 = 1_577_836_800_000;

/// HTTP Basic (RFC 7617) in `header`; a secret is `user:password`.
pub(crate) fn basic(secrets: &[String], delivery: &Delivery<'_>, header: &str) -> Result<(), Unverified> {
    let value = delivery.only(header)?;
    let bytes = match value.split_once(' ') {
        Some((scheme, encoded)) if scheme.eq_ignore_ascii_case("basic") => base64(encoded.trim_start()),
        Some(_) | None => None,
    };
    let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    let text = text
        .ok_or_else(|| Unverified::malformed(header, "`Basic` and base64 of `user:password` are expected"))?;
    any_secret(secrets, |secret| same_text(secret, &text))
}

/// A header that is `prefix` and the secret.
pub(crate) fn token(
    secrets: &[String],
    delivery: &Delivery<'_>,
    header: &str,
    prefix: &str,
) -> Result<(), Unverified> {
    let token = delivery.only(header)?;
    any_secret(secrets, |secret| same_text(&format!("{prefix}{secret}"), token))
}

/// The parameter `secret` of the address: for a provider that can prove itself in no other way.
pub(crate) fn in_address(secrets: &[String], delivery: &Delivery<'_>) -> Result<(), Unverified> {
    let (_, query) = delivery.target().split_once('?').unwrap_or_default();
    let mut given =
        form::pairs(query.as_bytes()).filter(|(name, _)| name == "secret").map(|(_, value)| value);
    let first = given.next().ok_or(Unverified::NoSecretInAddress)?;
    if given.next().is_some() {
        return Err(Unverified::RepeatedSecret);
    }
    any_secret(secrets, |secret| same_text(secret, &first))
}
