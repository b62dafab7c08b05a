//! The table of records. Nothing here changes one: they are only put, inside a run's transaction.

use std::sync::Arc;

use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem};
use meshline_core::day::Day;
use meshline_core::record::{ActorKind, Record};
use meshline_core::time::Time;
use meshline_core::trail::{self, Fault};
use serde_json::Value;

use crate::clients::Clients;
use crate::error::StoreError;
use crate::events::{Item, s};
use crate::settings::Settings;

/// Attributes that are keys or for an index, and not part of a record.
const KEYS: [&str; 5] = ["pk", "sk", "flow_day", "at_run_seq", "actor_person"];

/// The table of records.
#[derive(Debug)]
pub struct Audit {
    clients: Arc<Clients>,
    table: String,
}

/// A page of stored records.
#[derive(Debug)]
pub struct Page {
    /// The records. Whether they are what was hashed has not been looked at.
    pub records: Vec<Value>,
    /// Where the next page starts, if there is one.
    pub cursor: Option<String>,
}

impl Audit {
    pub(crate) fn new(clients: Arc<Clients>, settings: &Settings) -> Self {
        Self { clients, table: settings.audit_table.clone() }
    }

    /// The trail of a run, or of a flow (`FLOW#<id>`), after the record `after`, first record first.
    ///
    /// # Errors
    /// The table cannot be read, or holds what is no record.
    pub async fn trail(&self, run: &str, after: u64) -> Result<Vec<Record>, StoreError> {
        self.items(run, after).await?.into_iter().map(record).collect()
    }

    /// The trail of a run with every record checked to be all that its item holds: an attribute that was added by
    /// hand is not part of what is hashed, and would not be seen otherwise.
    ///
    /// # Errors
    /// The table cannot be read.
    pub async fn strict_trail(&self, run: &str) -> Result<Vec<Result<Record, Fault>>, StoreError> {
        Ok(self.items(run, 0).await?.into_iter().map(strict).collect())
    }

    async fn items(&self, run: &str, after: u64) -> Result<Vec<Item>, StoreError> {
        let pages = self
            .clients
            .dynamodb()
            .query()
            .table_name(&self.table)
            .key_condition_expression("pk = :run AND sk > :after")
            .expression_attribute_values(":run", s(run))
            .expression_attribute_values(":after", AttributeValue::N(after.to_string()))
            .consistent_read(true)
            .into_paginator()
            .items()
            .send();
        pages.collect::<Result<_, _>>().await.map_err(|e| StoreError::from_sdk("read a trail", e))
    }

    /// A page of all records of a flow on a day, as they are stored, at most `limit`. They come in the order of their
    /// time; what is of one trail and one moment comes in any.
    ///
    /// # Errors
    /// The index cannot be read. A cursor that is not one of ours starts from the beginning.
    pub async fn of_flow_day(
        &self,
        flow: &str,
        day: Day,
        limit: usize,
        cursor: Option<&str>,
    ) -> Result<Page, StoreError> {
        let doing = "list records";
        let flow_day = format!("{flow}#{day}");
        let query = self
            .clients
            .dynamodb()
            .query()
            .table_name(&self.table)
            .index_name("by_flow_day")
            .key_condition_expression("flow_day = :flow_day")
            .expression_attribute_values(":flow_day", s(&flow_day))
            .limit(i32::try_from(limit).unwrap_or(i32::MAX))
            .set_exclusive_start_key(cursor.and_then(|cursor| start_key(&flow_day, cursor)));
        let page = query.send().await.map_err(|e| StoreError::from_sdk(doing, e))?;
        let cursor = page.last_evaluated_key.as_ref();
        let cursor = cursor.and_then(|last| last.get("at_run_seq")?.as_s().ok().cloned());
        let read = |item: Item| {
            let what = format!("{:?} {:?}", item.get("pk"), item.get("sk"));
            let why = |e: serde_dynamo::Error| StoreError::Corrupt { doing, what, why: e.to_string() };
            serde_dynamo::from_item(members(item)).map_err(why)
        };
        let records = page.items.unwrap_or_default().into_iter().map(read).collect::<Result<_, _>>()?;
        Ok(Page { records, cursor })
    }

    /// The last record of a trail.
    ///
    /// # Errors
    /// The table cannot be read, or holds what is no record.
    pub async fn last(&self, run: &str) -> Result<Option<Record>, StoreError> {
        let query = self
            .clients
            .dynamodb()
            .query()
            .table_name(&self.table)
            .key_condition_expression("pk = :run")
            .expression_attribute_values(":run", s(run))
            .consistent_read(true)
            .scan_index_forward(false)
            .limit(1);
        let page = query.send().await.map_err(|e| StoreError::from_sdk("read a trail's end", e))?;
        page.items.unwrap_or_default().into_iter().next().map(record).transpose()
    }

    /// Puts one record that belongs to no run, in a transaction of its own: the table takes no other writes.
    ///
    /// # Errors
    /// [`StoreError::Moved`] when another record took its place.
    pub async fn append(&self, record: &Record) -> Result<(), StoreError> {
        let write = self.clients.dynamodb().transact_write_items().transact_items(self.put(record)?).send();
        write.await.map(|_| ()).map_err(|e| StoreError::from_transaction("append a record", e))
    }

    /// The part of a transaction that puts a record where there is none.
    ///
    /// # Errors
    /// A record that cannot be stored.
    pub fn put(&self, record: &Record) -> Result<TransactWriteItem, StoreError> {
        let put = Put::builder().table_name(&self.table).set_item(Some(item(record)?));
        let put = put.condition_expression("attribute_not_exists(pk)").build();
        let refused = |e: aws_sdk_dynamodb::error::BuildError| StoreError::Refused {
            doing: "put a record",
            why: e.to_string(),
        };
        Ok(TransactWriteItem::builder().put(put.map_err(refused)?).build())
    }
}

/// The item of a record: its fields as attributes that people can read, and the keys of the indexes.
fn item(record: &Record) -> Result<Item, StoreError> {
    let refused = |e: serde_dynamo::Error| StoreError::Refused { doing: "put a record", why: e.to_string() };
    let mut item: Item = serde_dynamo::to_item(record).map_err(refused)?;
    item.remove("run");
    item.remove("seq");
    item.insert("pk".to_owned(), s(&record.run));
    item.insert("sk".to_owned(), AttributeValue::N(record.seq.to_string()));
    item.insert("flow_day".to_owned(), s(format!("{}#{}", record.flow, record.at.day())));
    item.insert("at_run_seq".to_owned(), s(format!("{}#{}#{}", record.at, record.run, record.seq)));
    match record.actor.kind {
        ActorKind::Person => {
            item.insert("actor_person".to_owned(), s(&record.actor.id));
        }
        ActorKind::System | ActorKind::Source => {}
    }
    Ok(item)
}

/// The key after which a page starts: `<at>#<run>#<seq>`, where the run may be `FLOW#<id>`.
fn start_key(flow_day: &str, at_run_seq: &str) -> Option<Item> {
    let (at, run_seq) = at_run_seq.split_once('#')?;
    let (run, seq) = run_seq.rsplit_once('#').filter(|(run, _)| !run.is_empty())?;
    let (_, seq): (Time, u64) = (at.parse().ok()?, seq.parse().ok()?);
    Some(Item::from([
        ("pk".to_owned(), s(run)),
        ("sk".to_owned(), AttributeValue::N(seq.to_string())),
        ("flow_day".to_owned(), s(flow_day)),
        ("at_run_seq".to_owned(), s(at_run_seq)),
    ]))
}

/// The record of an item that holds nothing else.
fn strict(item: Item) -> Result<Record, Fault> {
    let seq = item.get("sk").and_then(|seq| seq.as_n().ok()?.parse().ok()).unwrap_or_default();
    let fault = |reason: String| Fault { seq, reason };
    let held = serde_dynamo::from_item::<_, Value>(members(item.clone()));
    let held = held.map_err(|error| fault(format!("it cannot be read: {error}")))?;
    let record = record(item).map_err(|error| fault(error.to_string()))?;
    if trail::hash_of(&held) == record.hash {
        Ok(record)
    } else {
        Err(fault("its content is not what was hashed".to_owned()))
    }
}

/// An item without keys that are only for indexes, and with the record's names for those of the table.
fn members(mut item: Item) -> Item {
    if let (Some(run), Some(seq)) = (item.get("pk").cloned(), item.get("sk").cloned()) {
        item.insert("run".to_owned(), run);
        item.insert("seq".to_owned(), seq);
    }
    for name in KEYS {
        item.remove(name);
    }
    item
}

/// Reads a record back from its item.
///
/// # Errors
/// The item holds none.
pub fn record(item: Item) -> Result<Record, StoreError> {
    let what = format!("{:?} {:?}", item.get("pk"), item.get("sk"));
    let read = serde_dynamo::from_item(members(item));
    read.map_err(|e| StoreError::Corrupt { doing: "read a record", what, why: e.to_string() })
}
