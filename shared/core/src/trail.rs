//! A trail: all records of one run, each holding the hash of the one before.

use serde::Serialize;
use serde_json::Value;

use crate::id::canonical_hash;
use crate::record::Record;

/// The `prev` of a first record.
pub const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// Where a trail stops being believable, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[error("record {seq}: {reason}")]
pub struct Fault {
    /// The record at which it shows.
    pub seq: u64,
    /// What is wrong there.
    pub reason: String,
}

/// The hash that `record` must have.
pub fn hash(record: &Record) -> String {
    if record.hash.is_empty() {
        return hex::encode(canonical_hash(record));
    }
    hash(&Record { hash: String::new(), ..record.clone() })
}

/// The hash that a record must have which is this JSON. Whatever it holds is hashed: a member that was added shows, and a
/// record of a later version, with members that this one does not know, is good.
pub fn hash_of(record: &Value) -> String {
    let mut value = record.clone();
    if let Some(members) = value.as_object_mut() {
        members.remove("hash");
    }
    hex::encode(canonical_hash(&value))
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

    /// Takes the next record, as JSON. The walk goes on from it, whatever is wrong with it.
    ///
    /// # Errors
    /// It was edited, moved or forged, or one before it was removed.
    pub fn take(&mut self, record: &Value) -> Result<(), Fault> {
        let text = |name: &str| record.get(name).and_then(Value::as_str);
        let number = record.get("seq").and_then(Value::as_u64);
        let seq = self.next.or(number).unwrap_or_default().max(1);
        let fault = |reason: &str| Err(Fault { seq, reason: reason.to_owned() });
        self.next = Some(number.unwrap_or(seq).saturating_add(1));
        let before = self.prev.take().or_else(|| (number == Some(1)).then(|| GENESIS.to_owned()));
        let (Some(run), Some(number), Some(prev), Some(hash)) =
            (text("run"), number, text("prev"), text("hash"))
        else {
            return fault("it lacks its run, number or hash");
        };
        self.prev = Some(hash.to_owned());
        let is_of_this_run = self.run.get_or_insert_with(|| run.to_owned()) == run;
        if number != seq {
            fault("it is missing, or stands in another place")
        } else if !is_of_this_run {
            fault("it belongs to another run")
        } else if before.is_some_and(|before| before != prev) {
            fault("it does not follow from the record before it")
        } else if hash_of(record) != hash {
            fault("its content is not what was hashed")
        } else {
            Ok(())
        }
    }
}

/// Checks a whole trail, first record first, against the head that is stored with its run
/// (sequence number and hash of the last record), where that is known.
///
/// # Errors
/// The first record that was edited, removed, moved or forged; or the cut tail.
pub fn verify(records: &[Record], head: Option<(u64, &str)>) -> Result<(), Fault> {
    let mut walk = Walk::from_the_start();
    records.iter().try_for_each(|record| walk.take(&serde_json::to_value(record).unwrap_or_default()))?;
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
