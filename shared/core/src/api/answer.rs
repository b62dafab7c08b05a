//! What answers hold, where it is not a thing of the core itself.

use serde::{Deserialize, Serialize};

use crate::config::flow::{Flow, Party};
use crate::config::{Change, Kind};
use crate::day::Day;
use crate::event::Event;
use crate::record::Record;
use crate::time::Time;
use crate::trail::Fault;
use crate::whatif::{Comparison, Summary};

/// A page of a list.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(inline))]
pub struct Page<T> {
    /// What is in it.
    pub items: Vec<T>,
    /// Where the next page begins, `&cursor=`; `null` where this is the last one.
    pub cursor: Option<String>,
}

impl<T> Page<T> {
    /// A list that is one page.
    pub fn whole(items: Vec<T>) -> Self {
        Self { items, cursor: None }
    }
}

/// It is there.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Health {
    /// `ok`.
    pub status: &'static str,
    /// Of Meshline.
    pub version: &'static str,
}

/// An event that was taken in.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Taken {
    /// Its id within the source.
    pub id: String,
    /// The asset.
    pub subject: String,
    /// What happened, in the provider's word.
    #[serde(rename = "type")]
    pub kind: String,
    /// Whether it had been taken in before.
    pub duplicate: bool,
}

/// The events of a delivery.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Delivered {
    /// In the order of the delivery.
    pub events: Vec<Taken>,
}

/// An authentic delivery, or a part of one, that could not be understood.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Rejected {
    /// Id of the source.
    pub source: String,
    /// When it came.
    pub received_at: Time,
    /// What is wrong with it.
    pub reason: String,
    /// Its body, as far as it is text; cut where it is long.
    pub body: String,
}

/// What was applied, or would be.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Applied {
    /// Whether it was.
    pub applied: bool,
    /// Counts the applications so far.
    pub generation: u64,
    /// One for each document.
    pub changes: Vec<Change>,
    /// What is to be known of it.
    pub notes: Vec<Note>,
}

/// Something to be known of a document.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Note {
    /// The kind of document.
    pub kind: Kind,
    /// Its id.
    pub id: String,
    /// What.
    pub text: &'static str,
}

/// A flow, as it is listed.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FlowItem {
    /// Its id.
    pub id: String,
    /// What people call it.
    pub title: String,
    /// Its client label.
    pub client: Option<String>,
    /// The version in force.
    pub version: u32,
    /// The hash of that version.
    pub hash: String,
    /// `role:ID` or `person:ID`.
    pub owner: Party,
    /// Likewise.
    pub backup_owner: Party,
    /// Ids, in order.
    pub outcomes: Vec<String>,
}

/// A version of a flow.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FlowVersion<'a> {
    /// The flow.
    pub id: String,
    /// The version.
    pub version: u32,
    /// Its hash.
    pub hash: String,
    /// The document.
    pub definition: &'a Flow,
}

/// Whether a trail can be believed.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Verified {
    /// Whether it can.
    pub valid: bool,
    /// How many records it has.
    pub records: usize,
    /// Where it breaks, if it does.
    pub fault: Option<Fault>,
}

/// Something that happened about an asset.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
#[expect(missing_docs, reason = "the fields are named as what they hold")]
pub enum Moment {
    /// A system said so.
    Event { at: Time, event: Event },
    /// It was decided, of one of the asset's runs.
    Record { at: Time, record: Record },
}

impl Moment {
    /// That of an event.
    pub fn of_event(event: Event) -> Self {
        Self::Event { at: event.effective_at(), event }
    }

    /// That of a record.
    pub fn of_record(record: Record) -> Self {
        Self::Record { at: record.at, record }
    }

    /// When it happened.
    pub fn at(&self) -> Time {
        match self {
            Self::Event { at, .. } | Self::Record { at, .. } => *at,
        }
    }
}

/// What happened about an asset, in order.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Timeline {
    /// The asset.
    pub subject: String,
    /// First one first.
    pub items: Vec<Moment>,
    /// Where the next page begins; `null` where this is the last one.
    pub cursor: Option<String>,
}

/// A source is listened to.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Listening {
    /// Which.
    pub source: String,
    /// From when.
    pub from: Time,
    /// Until when.
    pub until: Time,
}

/// A delivery that was heard, and how it was judged.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct HeardDelivery {
    /// When.
    pub at: Time,
    /// `POST`.
    pub method: String,
    /// The names of its headers.
    pub headers: Vec<String>,
    /// How long its body is.
    pub bytes: usize,
    /// What it was answered.
    pub status: u16,
    /// Why it was not believed or not understood, or what else it was than an event.
    pub why: Option<String>,
    /// The events in it.
    pub events: Vec<HeardEvent>,
}

/// An event that was heard.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct HeardEvent {
    /// The event.
    pub event: Event,
    /// The flows that it opens a run of.
    pub triggers: Vec<String>,
    /// The flows of which something waits for it.
    pub awaited_by: Vec<String>,
}

/// What was replayed.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Replayed {
    /// How many events.
    pub replayed: usize,
    /// Where the next call goes on.
    pub cursor: Option<String>,
}

/// Runs that were decided again.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct WhatIf {
    /// The flow.
    pub flow: String,
    /// What the runs come to together.
    pub summary: Summary,
    /// Newest first.
    pub runs: Vec<Comparison>,
}

/// A checkpoint, as it is listed.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CheckpointItem {
    /// The day.
    pub day: Day,
    /// How many records the day has.
    pub records: u64,
    /// The Merkle root over the heads of its trails.
    pub root: String,
    /// SHA-256 over its canonical JSON.
    pub hash: String,
    /// Its signature.
    pub signature: String,
    /// The id of the key that signed it.
    pub key: String,
}
