//! Ids and hashes: made from what they stand for, so that doing a thing twice makes the same id.

use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::canonical;
use crate::event::Event;
use crate::time::Time;

const BASE32: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
/// Crockford's alphabet, as ULIDs use it.
const CROCKFORD: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// `h`: the first 12 base32 characters of SHA-256(subject). Everything about one subject shares it.
pub fn subject_hash(subject: &str) -> String {
    let digest = Sha256::digest(subject.as_bytes());
    let bits = digest.iter().take(8).fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
    (0..12).map(|n| letter(BASE32, bits >> (64 - 5 * (n + 1)))).collect()
}

/// The id of the run that `event` opens under `flow`: `<subject hash>-<ULID>`, the same however often.
///
/// The ULID's time is the event's `received_at`, its random part a hash of event and flow.
pub fn run_id(event: &Event, flow: &str) -> String {
    let digest = Sha256::digest(format!("{}\n{flow}", event.key()).as_bytes());
    let chance = digest.iter().take(10).fold(0_u128, |bits, byte| bits << 8 | u128::from(*byte));
    format!("{}-{}", subject_hash(&event.subject), ulid(event.received_at, chance))
}

/// A ULID: 48 bits of milliseconds, 80 bits of `chance`. <https://github.com/ulid/spec>
fn ulid(at: Time, chance: u128) -> String {
    let ms = u128::from(at.unix_ms().unsigned_abs());
    let bits = (ms & ((1 << 48) - 1)) << 80 | (chance & ((1 << 80) - 1));
    (0..26_u32).map(|n| letter(CROCKFORD, (bits >> (125 - 5 * n)) as u64)).collect()
}

/// The character for the lowest five bits.
fn letter(alphabet: &[u8; 32], bits: u64) -> char {
    alphabet.get((bits & 31) as usize).map_or('?', |byte| char::from(*byte))
}

/// A run id taken apart into the subject hash and the ULID; `None` when it has not that form.
pub fn parse_run_id(id: &str) -> Option<(&str, &str)> {
    let (hash, ulid) = id.split_once('-')?;
    let form = hash.len() == 12
        && ulid.len() == 26
        && hash.bytes().all(|b| BASE32.contains(&b))
        && ulid.bytes().all(|b| CROCKFORD.contains(&b));
    form.then_some((hash, ulid))
}

/// SHA-256 over the canonical JSON (RFC 8785) of `value`.
pub fn canonical_hash(value: &impl Serialize) -> [u8; 32] {
    // INVARIANT: only our own types come here; none of them has a non-text key or a NaN.
    let bytes = canonical::to_vec(value).unwrap_or_default();
    Sha256::digest(bytes).into()
}

/// The first 16 bytes of [`canonical_hash`], in hexadecimal: names the content of a document.
pub fn content_hash(value: &impl Serialize) -> String {
    canonical_hash(value).first_chunk::<16>().map(hex::encode).unwrap_or_default()
}

/// Twelve hexadecimal characters that stand for a cause (an event key, an idempotency key) in a run's memory.
pub fn mark(cause: &str) -> String {
    let digest: [u8; 32] = Sha256::digest(cause.as_bytes()).into();
    digest.first_chunk::<6>().map(hex::encode).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_of_a_subject_is_the_base32_of_its_sha256() {
        // SHA-256("") = e3b0c442 98fc1c14…; RFC 4648 base32 of it begins 4OYMIQUY7QOB.
        assert_eq!(subject_hash(""), "4oymiquy7qob");
    }

    #[test]
    fn a_run_id_comes_apart_and_what_has_not_its_form_does_not() {
        let (hash, ulid) = ("4oymiquy7qob", "01ARYZ6S41ZZZZZZZZZZZZZZZZ");
        assert_eq!(parse_run_id(&format!("{hash}-{ulid}")), Some((hash, ulid)));
        let bad = [
            format!("{hash}{ulid}"),
            format!("{hash}a-{ulid}"),
            format!("{hash}-{ulid}Z"),
            format!("{}-{ulid}", hash.to_uppercase()),
            format!("{hash}-{}", ulid.to_lowercase()),
            format!("{hash}-{}U", &ulid[1..]), // Crockford's alphabet has no U
            "FLOW#blog-launch".to_owned(),
        ];
        for id in bad {
            assert_eq!(parse_run_id(&id), None, "{id}");
        }
    }

    #[test]
    fn a_ulid_has_the_reference_form() {
        let at = Time::from_unix_ms(1_469_918_176_385);
        assert_eq!(&ulid(at, 0)[..10], "01ARYZ6S41"); // the example of the ULID specification
        assert_eq!(ulid(at, (1 << 80) - 1), "01ARYZ6S41ZZZZZZZZZZZZZZZZ");
    }
}
