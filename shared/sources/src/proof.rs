//! A proof of origin: what every scheme shares, and why a delivery is not believed.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use meshline_core::time::{Span, Time};
use sha2::{Digest, Sha256};

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
