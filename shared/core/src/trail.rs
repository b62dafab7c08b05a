//! A trail: all records of one run, each holding the hash of the one before.

use serde::{Deserialize, Serialize};
use serde_json::Value;

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

/// Reads a record from JSON that holds a record and nothing else: what was added to it is not part of what is
/// hashed, and would not be seen otherwise.
///
/// # Errors
/// It is no record, or more than that.
pub fn read(value: &Value) -> Result<Record, String> {
    let record = Record::deserialize(value).map_err(|error| format!("it cannot be read: {error}"))?;
    // As canonical JSON, in which 1 and 1.0 are one number, as they are to DynamoDB.
    if canonical_hash(value) == canonical_hash(&record) {
        Ok(record)
    } else {
        Err("it holds what was not hashed".to_owned())
    }
}

/// A walk along a trail, record by record, that says where a record does not fit to the one before it.
#[derive(Debug, Clone)]
pub struct Walk {
    /// The run of the records so far.
    run: Option<String>,
    /// The sequence number that comes next, where that is known.
    next: Option<u64>,
    /// The hash that the next record must follow from, where that is known.
    prev: Option<String>,
}

impl Walk {
    /// A walk from the very first record.
    pub fn from_the_start() -> Self {
        Self { run: None, next: Some(1), prev: Some(GENESIS.to_owned()) }
    }

    /// A walk from somewhere in a trail.
    pub fn from_anywhere() -> Self {
        Self { run: None, next: None, prev: None }
    }

    /// Takes the next record. The walk goes on from it, whatever is wrong with it.
    ///
    /// # Errors
    /// It was edited, moved or forged, or one before it was removed.
    pub fn take(&mut self, record: &Record) -> Result<(), Fault> {
        let seq = self.next.unwrap_or(record.seq.max(1));
        let prev = self.prev.take().or_else(|| (record.seq == 1).then(|| GENESIS.to_owned()));
        let run = self.run.get_or_insert_with(|| record.run.clone());
        let reason = if record.seq != seq {
            Some("it is missing, or stands in another place")
        } else if record.run != *run {
            Some("it belongs to another run")
        } else if prev.is_some_and(|prev| prev != record.prev) {
            Some("it does not follow from the record before it")
        } else if hash(record) != record.hash {
            Some("its content is not what was hashed")
        } else {
            None
        };
        self.next = Some(record.seq.saturating_add(1));
        self.prev = Some(record.hash.clone());
        reason.map_or(Ok(()), |reason| Err(Fault { seq, reason: reason.to_owned() }))
    }

    /// Steps over a record that cannot be read; what follows from it is not known.
    pub fn step_over(&mut self, seq: Option<u64>) {
        (self.next, self.prev) = (seq.map(|seq| seq.saturating_add(1)), None);
    }
}

/// Checks a whole trail, first record first, against the head that is stored with its run
/// (sequence number and hash of the last record), where that is known.
///
/// # Errors
/// The first record that was edited, removed, moved or forged; or the cut tail.
pub fn verify(records: &[Record], head: Option<(u64, &str)>) -> Result<(), Fault> {
    let mut walk = Walk::from_the_start();
    records.iter().try_for_each(|record| walk.take(record))?;
    let seq = records.len() as u64;
    let last = records.last().map_or(GENESIS, |record| record.hash.as_str());
    match head {
        Some((wanted, _)) if wanted != seq => {
            let reason = format!("the run has {wanted} records, the trail {seq}");
            Err(Fault { seq: seq.min(wanted) + 1, reason })
        }
        Some((_, hash)) if hash != last => {
            Err(Fault { seq, reason: "it is not the record that the run was last changed by".to_owned() })
        }
        Some(_) | None => Ok(()),
    }
}
