//! Listening to a source: while somebody tries out how it is set up, each delivery is kept with how it was judged, believed
//! or not.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_dynamodb::types::AttributeValue;
use meshline_core::event::Event;
use meshline_core::time::{Span, Time};
use serde::{Deserialize, Serialize};

use crate::clients::Clients;
use crate::error::StoreError;
use crate::events::{Item, s};
use crate::settings::Settings;

/// How long somebody listens.
pub const LISTENS: Span = Span::minutes(15);
/// How long a delivery is kept.
const KEEP: Span = Span::days(1);
/// How long what is known of listeners is believed: each delivery of a busy source must not ask.
const LOOK_AGAIN: Span = Span::from_ms(5_000);
/// More bytes than this of events are not kept.
const MAX_EVENTS_BYTES: usize = 100 * 1024;

/// A delivery, and how it was judged. What its headers and its body say stays out but for its events.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Heard {
    /// When.
    pub at: Time,
    /// `POST`.
    pub method: String,
    /// The names of its headers.
    pub headers: Vec<String>,
    /// How long its body is, in bytes.
    pub bytes: usize,
    /// What it was answered.
    pub status: u16,
    /// Why it was not believed or not understood, or what else it was than an event.
    pub why: Option<String>,
    /// The events in it.
    pub events: Vec<Event>,
}

/// Who listens, and what they hear.
#[derive(Debug)]
pub struct Listening {
    clients: Arc<Clients>,
    state_table: String,
    events_table: String,
    known: Mutex<BTreeMap<String, (Time, bool)>>,
}

impl Listening {
    pub(crate) fn new(clients: Arc<Clients>, settings: &Settings) -> Self {
        let (state_table, events_table) = (settings.state_table.clone(), settings.events_table.clone());
        Self { clients, state_table, events_table, known: Mutex::default() }
    }

    /// From now on the source is listened to; gives until when.
    ///
    /// # Errors
    /// The table cannot take it now.
    pub async fn begin(&self, source: &str, now: Time) -> Result<Time, StoreError> {
        let until = now + LISTENS;
        let item = key(source).into_iter().chain([("until".to_owned(), s(until.to_string()))]).collect();
        let put = self.clients.dynamodb().put_item().table_name(&self.state_table).set_item(Some(item));
        put.send().await.map_err(|e| StoreError::from_sdk("listen to a source", e))?;
        Ok(until)
    }

    /// Keeps what was heard of a source, if somebody listens.
    ///
    /// # Errors
    /// The tables are not available.
    pub async fn hear(&self, source: &str, heard: &Heard) -> Result<(), StoreError> {
        if !self.is_listened_to(source, heard.at).await? {
            return Ok(());
        }
        let mut text = serde_json::to_string(heard).unwrap_or_default();
        if text.len() > MAX_EVENTS_BYTES {
            let why = heard.why.clone().or_else(|| Some("its events are too long to be shown".to_owned()));
            let short = Heard { events: Vec::new(), why, ..heard.clone() };
            text = serde_json::to_string(&short).unwrap_or_default();
        }
        let expires_at = (heard.at + KEEP).unix_ms() / 1000;
        let sk = format!("{}#{}", heard.at, meshline_core::id::mark(&text));
        let item = Item::from([
            ("pk".to_owned(), s(format!("HEARD#{source}"))),
            ("sk".to_owned(), s(sk)),
            ("heard".to_owned(), s(text)),
            ("expires_at".to_owned(), AttributeValue::N(expires_at.to_string())),
        ]);
        let put = self.clients.dynamodb().put_item().table_name(&self.events_table).set_item(Some(item));
        put.send().await.map(drop).map_err(|e| StoreError::from_sdk("keep what was heard", e))
    }

    /// What was heard of a source since `from`, in order; at most a page.
    ///
    /// # Errors
    /// The table cannot be read.
    pub async fn heard(&self, source: &str, from: Time) -> Result<Vec<Heard>, StoreError> {
        let query = self.clients.dynamodb().query().table_name(&self.events_table);
        let query = query
            .key_condition_expression("pk = :pk AND sk >= :from")
            .expression_attribute_values(":pk", s(format!("HEARD#{source}")))
            .expression_attribute_values(":from", s(from.to_string()))
            .consistent_read(true);
        let page = query.send().await.map_err(|e| StoreError::from_sdk("read what was heard", e))?;
        let texts = page.items().iter().filter_map(|item| item.get("heard")?.as_s().ok());
        Ok(texts.filter_map(|text| serde_json::from_str(text).ok()).collect())
    }

    async fn is_listened_to(&self, source: &str, now: Time) -> Result<bool, StoreError> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(source).copied();
        if let Some((_, is_on)) = known.filter(|(at, _)| now.since(*at) < LOOK_AGAIN) {
            return Ok(is_on);
        }
        let get = self.clients.dynamodb().get_item().table_name(&self.state_table).set_key(Some(key(source)));
        let found = get.send().await.map_err(|e| StoreError::from_sdk("see whether somebody listens", e))?;
        let until = found.item.and_then(|item| item.get("until")?.as_s().ok()?.parse::<Time>().ok());
        let is_on = until.is_some_and(|until| now < until);
        self.known.lock().unwrap_or_else(PoisonError::into_inner).insert(source.to_owned(), (now, is_on));
        Ok(is_on)
    }
}

fn key(source: &str) -> Item {
    Item::from([("pk".to_owned(), s(format!("LISTEN#{source}"))), ("sk".to_owned(), s("UNTIL"))])
}
