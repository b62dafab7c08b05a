//! A trail: all records of one run, each holding the hash of the one before.

use serde::Serialize;

use crate::id::canonical_hash;
use crate::record::Record;

/// The `prev` of a first record.
pub const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// Where a trail stops being believable, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("record {seq}: {reason}")]
pub struct Fault {
    /// The record at which it shows.
    pub seq: u64,
    /// What is wrong there.
    pub reason: String,
}

/// The hash that `record` must have.
pub fn hash(record: &Record) -> String {
    let mut value = serde_json::to_value(record).unwrap_or_default();
    if let Some(members) = value.as_object_mut() {
        members.remove("hash");
    }
    hex::encode(canonical_hash(&value))
}

/// Checks a whole trail, first record first, against the head that is stored with its run
/// (sequence number and hash of the last record), where that is known.
///
/// # Errors
/// The first record that was edited, removed, moved or forged; or the cut tail.
pub fn verify(records: &[Record], head: Option<(u64, &str)>) -> Result<(), Fault> {
    let (mut seq, mut prev) = (0, GENESIS.to_owned());
    let run = records.first().map(|record| record.run.as_str()).unwrap_or_default();
    for record in records {
        seq += 1;
        let fault = |reason: &str| Err(Fault { seq, reason: reason.to_owned() });
        if record.seq != seq {
            return fault("it is missing, or stands in another place");
        }
        if record.run != run {
            return fault("it belongs to another run");
        }
        if record.prev != prev {
            return fault("it does not follow from the record before it");
        }
        if hash(record) != record.hash {
            return fault("its content is not what was hashed");
        }
        prev.clone_from(&record.hash);
    }
    match head {
        Some((last, _)) if last != seq => {
            let reason = format!("the run has {last} records, the trail {seq}");
            Err(Fault { seq: seq.min(last) + 1, reason })
        }
        Some((_, hash)) if hash != prev => {
            Err(Fault { seq, reason: "it is not the record that the run was last changed by".to_owned() })
        }
        Some(_) | None => Ok(()),
    }
}
