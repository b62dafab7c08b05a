//! A checkpoint: what the audit trail held at the end of a day, signed, each naming the one before.
//!
//! A trail by itself shows an edit, a gap and another order. It does not show that its tail was cut off, or that it was
//! hashed anew from its first record: for that somebody outside the table must have kept its head. That is the
//! checkpoint.

mod merkle;
mod verify;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::canonical;
use crate::day::Day;
use crate::time::{Span, Time};

pub use verify::{Evidence, Finding, IsSigned, MAX_FINDINGS, Verdict, verify, verify_chain};

/// The form of checkpoints described here.
pub const VERSION: u32 = 1;
/// How a checkpoint is signed: ECDSA on P-256 over SHA-256, as ASN.1 DER. What KMS calls it.
pub const ALGORITHM: &str = "ECDSA_SHA_256";
/// How long after its end a day is closed: whatever was decided before midnight is committed by then.
pub const CLOSING: Span = Span::minutes(15);

/// What the audit trail held at the end of a UTC day. Also made of a day without records, so that none can be lost
/// unseen.
///
/// Its canonical JSON (RFC 8785) is what is hashed and signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Checkpoint {
    /// The form of this document: [`VERSION`].
    pub version: u32,
    /// The day.
    pub day: Day,
    /// When it was made.
    pub made_at: Time,
    /// The checkpoint before it; `None` for the very first.
    pub previous: Option<Previous>,
    /// How many records the day has.
    pub records: u64,
    /// The Merkle root over `heads` (RFC 6962, section 2.1): a leaf is a head's canonical JSON. Hexadecimal.
    pub root: String,
    /// The last record of the day of every trail that has one, sorted by run.
    pub heads: Vec<Head>,
}

/// How a checkpoint names the one before it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Previous {
    /// Its day.
    pub day: Day,
    /// SHA-256 over its canonical JSON, hexadecimal.
    pub hash: String,
    /// Its signature.
    pub signature: String,
}

/// The last record of a trail on a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// The run, or `FLOW#<id>`.
    pub run: String,
    /// The record's number.
    pub seq: u64,
    /// The record's hash.
    pub hash: String,
}

/// A checkpoint with its signature, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Envelope {
    /// What was signed.
    pub checkpoint: Checkpoint,
    /// The id of the key that signed it.
    pub key: String,
    /// The signature over the checkpoint's canonical JSON ([`ALGORITHM`]), hexadecimal.
    pub signature: String,
}

/// The public key that checkpoints are verified with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PublicKey {
    /// The id of the key.
    pub key: String,
    /// How it signs: [`ALGORITHM`].
    pub algorithm: String,
    /// The key, `SubjectPublicKeyInfo` as PEM.
    pub public_key_pem: String,
}

/// A day's records, counted, with the last one of each trail.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tally {
    records: u64,
    /// Sequence number and hash by run.
    heads: BTreeMap<String, (u64, String)>,
}

impl Checkpoint {
    /// The checkpoint of `day`, which has the records of `tally`.
    pub fn new(day: Day, tally: Tally, previous: Option<&Envelope>, made_at: Time) -> Self {
        let heads: Vec<Head> =
            tally.heads.into_iter().map(|(run, (seq, hash))| Head { run, seq, hash }).collect();
        Self {
            version: VERSION,
            day,
            made_at,
            previous: previous.map(|envelope| Previous {
                day: envelope.checkpoint.day,
                hash: envelope.checkpoint.hash(),
                signature: envelope.signature.clone(),
            }),
            records: tally.records,
            root: root(&heads),
            heads,
        }
    }

    /// What is signed: its canonical JSON.
    pub fn bytes(&self) -> Vec<u8> {
        // INVARIANT: it has only text keys and whole numbers, which canonical JSON can always write.
        canonical::to_vec(self).unwrap_or_default()
    }

    /// SHA-256 over [`Checkpoint::bytes`].
    pub fn digest(&self) -> [u8; 32] {
        Sha256::digest(self.bytes()).into()
    }

    /// [`Checkpoint::digest`], hexadecimal.
    pub fn hash(&self) -> String {
        hex::encode(self.digest())
    }
}

/// The Merkle root over `heads`, hexadecimal.
fn root(heads: &[Head]) -> String {
    let leaves: Vec<Vec<u8>> = heads.iter().map(|head| canonical::to_vec(head).unwrap_or_default()).collect();
    hex::encode(merkle::root(&leaves))
}

impl Envelope {
    /// A checkpoint with the signature (ASN.1 DER) that `key` made over [`Checkpoint::bytes`].
    pub fn new(checkpoint: Checkpoint, key: String, signature: &[u8]) -> Self {
        Self { checkpoint, key, signature: hex::encode(signature) }
    }

    /// The envelope as it is stored: canonical JSON.
    pub fn text(&self) -> String {
        // INVARIANT: as for `Checkpoint::bytes`; JSON is UTF-8.
        String::from_utf8(canonical::to_vec(self).unwrap_or_default()).unwrap_or_default()
    }
}

impl Tally {
    /// Counts a record, as it is stored. One that lacks what is counted here is left out, and `false`: it is for
    /// verification to say what is wrong with it.
    pub fn add(&mut self, record: &Value) -> bool {
        let text = |name: &str| record.get(name).and_then(Value::as_str);
        let (Some(run), Some(hash)) = (text("run"), text("hash")) else { return false };
        let Some(seq) = record.get("seq").and_then(Value::as_u64) else { return false };
        self.records += 1;
        let head = self.heads.entry(run.to_owned()).or_default();
        if head.0 <= seq {
            *head = (seq, hash.to_owned());
        }
        true
    }
}

/// Where the checkpoint of `day` lies: `checkpoints/2026/11/2026-11-23.json`.
pub fn path(day: Day) -> String {
    let text = day.to_string();
    let mut parts = text.split('-');
    let (year, month) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    format!("checkpoints/{year}/{month}/{text}.json")
}

/// The day of the checkpoint that lies at `path`; `None` where no checkpoint would.
pub fn day_of(path: &str) -> Option<Day> {
    let day = path.rsplit('/').next()?.strip_suffix(".json")?.parse().ok()?;
    (self::path(day) == path).then_some(day)
}

/// The last day that is closed at `now`.
pub fn last_closed(now: Time) -> Day {
    Day::of(now - CLOSING).before()
}
