//! The table of inbound events, and of deliveries that could not be understood.

mod window;

use std::collections::HashMap;
use std::sync::Arc;

use aws_sdk_dynamodb::types::{AttributeValue, ReturnConsumedCapacity};
use meshline_core::api::Rejected;
use meshline_core::event::Event;
use meshline_core::id::subject_hash;
use meshline_core::time::{Span, Time};

pub use window::{Position, Window};

use crate::clients::Clients;
use crate::error::StoreError;
use crate::packed;
use crate::settings::Settings;

/// How long events are kept.
const KEEP: Span = Span::days(90);
/// A write is billed per KB: above this, an event is stored compressed.
const PLAIN_BYTES: usize = 900;
/// More than any event we took in can have been before it was compressed: a batch's element is at most the batch.
const MAX_EVENT_BYTES: u64 = 4 * 1024 * 1024;
/// Months of rejections looked through for one list: [`KEEP`], rounded up.
const REJECTION_MONTHS: usize = 4;

/// A DynamoDB item.
pub type Item = HashMap<String, AttributeValue>;

/// The table of inbound events.
#[derive(Debug)]
pub struct Events {
    clients: Arc<Clients>,
    table: String,
}

/// What became of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Put {
    /// It is kept now.
    New,
    /// It was kept before.
    Duplicate,
    /// It does not fit one item, even compressed.
    TooLarge,
}

/// A string attribute.
pub(crate) fn s(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}

impl Events {
    pub(crate) fn new(clients: Arc<Clients>, settings: &Settings) -> Self {
        Self { clients, table: settings.events_table.clone() }
    }

    /// Keeps an event, once: one write.
    ///
    /// # Errors
    /// The table cannot take it now.
    pub async fn put(&self, event: &Event) -> Result<Put, StoreError> {
        let Some(mut item) = item(event)? else { return Ok(Put::TooLarge) };
        let expires_at = (event.received_at + KEEP).unix_ms() / 1000;
        item.insert("pk".to_owned(), s(format!("S#{}", subject_hash(&event.subject))));
        item.insert("sk".to_owned(), s(event.key()));
        item.insert("source_day".to_owned(), s(format!("{}#{}", event.source, event.received_at.day())));
        item.insert("received_at".to_owned(), s(event.received_at.to_string()));
        item.insert("expires_at".to_owned(), AttributeValue::N(expires_at.to_string()));
        self.put_once(item).await
    }

    async fn put_once(&self, item: Item) -> Result<Put, StoreError> {
        let put = self.clients.dynamodb().put_item().table_name(&self.table).set_item(Some(item));
        let put = put.return_consumed_capacity(ReturnConsumedCapacity::Total);
        match put.condition_expression("attribute_not_exists(pk)").send().await {
            Ok(done) => {
                self.clients.consumed(done.consumed_capacity());
                Ok(Put::New)
            }
            Err(e) if e.as_service_error().is_some_and(|e| e.is_conditional_check_failed_exception()) => {
                Ok(Put::Duplicate)
            }
            Err(error) => Err(StoreError::from_sdk("keep an event", error)),
        }
    }

    /// The events about a subject, oldest first.
    ///
    /// # Errors
    /// The table cannot be read.
    pub async fn of_subject(&self, subject: &str) -> Result<Vec<Event>, StoreError> {
        let mut pages = self
            .clients
            .dynamodb()
            .query()
            .table_name(&self.table)
            .key_condition_expression("pk = :pk")
            .expression_attribute_values(":pk", s(format!("S#{}", subject_hash(subject))))
            .consistent_read(true)
            .into_paginator()
            .items()
            .send();
        let mut events = Vec::new();
        while let Some(item) = pages.next().await {
            let event = event(&item.map_err(|e| StoreError::from_sdk("read the events of a subject", e))?)?;
            events.extend(Some(event).filter(|event| event.subject == subject));
        }
        events.sort_by(|a, b| (a.received_at, &a.id).cmp(&(b.received_at, &b.id)));
        Ok(events)
    }

    /// Keeps a delivery that could not be understood. The sender's retries of it are kept once a day.
    ///
    /// # Errors
    /// The table cannot take it now.
    pub async fn reject(&self, rejected: &Rejected) -> Result<(), StoreError> {
        let day = rejected.received_at.day();
        let mark = meshline_core::id::mark(&format!("{}\n{}", rejected.reason, rejected.body));
        let text = serde_json::to_string(rejected).unwrap_or_default();
        let expires_at = (rejected.received_at + KEEP).unix_ms() / 1000;
        let item = Item::from([
            ("pk".to_owned(), s(format!("REJECTED#{}", month(&day)))),
            ("sk".to_owned(), s(format!("{day}#{}#{mark}", rejected.source))),
            ("rejected".to_owned(), s(text)),
            ("expires_at".to_owned(), AttributeValue::N(expires_at.to_string())),
        ]);
        self.put_once(item).await.map(|_| ())
    }

    /// The latest rejected deliveries, newest first, at most `limit`.
    ///
    /// # Errors
    /// The table cannot be read.
    pub async fn rejections(&self, limit: usize, now: Time) -> Result<Vec<Rejected>, StoreError> {
        let mut months: Vec<String> = (0..=KEEP.ms() / Span::days(1).ms())
            .map(|n| month(&(now - Span::days(n)).day()).to_owned())
            .collect();
        months.dedup();
        let mut found: Vec<Rejected> = Vec::new();
        for month in months.into_iter().take(REJECTION_MONTHS) {
            let query = self
                .clients
                .dynamodb()
                .query()
                .table_name(&self.table)
                .key_condition_expression("pk = :pk")
                .expression_attribute_values(":pk", s(format!("REJECTED#{month}")))
                .scan_index_forward(false)
                .limit(i32::try_from(limit).unwrap_or(i32::MAX));
            let page = query.send().await.map_err(|e| StoreError::from_sdk("list rejections", e))?;
            let texts = page.items().iter().filter_map(|item| item.get("rejected")?.as_s().ok());
            found.extend(texts.filter_map(|text| serde_json::from_str::<Rejected>(text).ok()));
            if found.len() >= limit {
                break;
            }
        }
        found.sort_by_key(|rejected| std::cmp::Reverse(rejected.received_at));
        found.truncate(limit);
        Ok(found)
    }
}

/// The month of a day: `2026-11` of `2026-11-23`.
fn month(day: &str) -> &str {
    day.get(..7).unwrap_or(day)
}

/// The attribute that holds an event; `None` when it does not fit.
fn item(event: &Event) -> Result<Option<Item>, StoreError> {
    let doing = "keep an event";
    let refused = |why: String| StoreError::Refused { doing, why };
    let text = serde_json::to_string(event).map_err(|e| refused(e.to_string()))?;
    let packed = packed::pack("event", &text, PLAIN_BYTES).map_err(|e| refused(e.to_string()))?;
    let fits = packed::bytes(&packed) <= packed::MAX_STORED_BYTES;
    Ok(fits.then(|| Item::from([packed])))
}

/// Reads an event back from its item.
///
/// # Errors
/// The item holds none.
pub fn event(item: &Item) -> Result<Event, StoreError> {
    let corrupt = |why: String| {
        let key = item.get("sk").and_then(|key| key.as_s().ok()).cloned().unwrap_or_default();
        StoreError::Corrupt { doing: "read an event", what: key, why }
    };
    let text = packed::unpack(item, "event", MAX_EVENT_BYTES).map_err(|e| corrupt(e.to_string()))?;
    let text = text.ok_or_else(|| corrupt("it has no `event`".to_owned()))?;
    serde_json::from_str(&text).map_err(|e| corrupt(e.to_string()))
}
