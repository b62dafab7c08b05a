//! What of a flow itself, or of a role, the clock must look at: one item of the state table for each.

use std::sync::Arc;

use aws_sdk_dynamodb::types::{AttributeValue, Delete, Put, TransactWriteItem};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::clients::Clients;
use crate::due;
use crate::error::StoreError;
use crate::events::{Item, s};
use crate::settings::Settings;

/// What is watched, and by that where its item is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Watch {
    /// The silence of the flow of that id.
    Silence(String),
    /// The duties of the flow of that id.
    Duties(String),
    /// How far the turns of the role of that id have been told.
    Turn(String),
    /// An exception of a flow itself.
    Exception {
        /// Id of the flow.
        flow: String,
        /// Id of the exception.
        exception: String,
    },
    /// The issue for the exceptions of one cause. No clock looks at it.
    Issue {
        /// The channel of the tracker.
        channel: String,
        /// What the exceptions have in common.
        group: String,
    },
}

/// What is stored about a [`Watch`], as it was when it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen<T> {
    /// What is stored.
    pub value: T,
    /// Counts its changes.
    version: u64,
}

/// The watched items of the state table. An item with `next_due_at` is in the index `due`.
#[derive(Debug)]
pub struct Watches {
    clients: Arc<Clients>,
    table: String,
    due_shards: u16,
}

impl Watch {
    /// What the item of that key is about.
    pub(crate) fn of(pk: &str, sk: &str) -> Option<Self> {
        if let Some(role) = pk.strip_prefix("ROTATION#") {
            return (sk == "TURN").then(|| Self::Turn(role.to_owned()));
        }
        let flow = pk.strip_prefix("FLOW#")?.to_owned();
        match (sk, sk.strip_prefix("EXCEPTION#")) {
            ("SILENCE", _) => Some(Self::Silence(flow)),
            ("DUTIES", _) => Some(Self::Duties(flow)),
            (_, Some(exception)) => Some(Self::Exception { flow, exception: exception.to_owned() }),
            (_, None) => None,
        }
    }

    pub(crate) fn key(&self) -> Item {
        let (pk, sk) = match self {
            Self::Silence(flow) => (format!("FLOW#{flow}"), "SILENCE".to_owned()),
            Self::Duties(flow) => (format!("FLOW#{flow}"), "DUTIES".to_owned()),
            Self::Turn(role) => (format!("ROTATION#{role}"), "TURN".to_owned()),
            Self::Exception { flow, exception } => (format!("FLOW#{flow}"), format!("EXCEPTION#{exception}")),
            Self::Issue { channel, group } => (format!("ISSUE#{channel}"), group.clone()),
        };
        Item::from([("pk".to_owned(), s(pk)), ("sk".to_owned(), s(sk))])
    }

    /// What spreads the items over the partitions of the index `due`.
    fn name(&self) -> &str {
        match self {
            Self::Silence(name) | Self::Duties(name) | Self::Turn(name) => name,
            Self::Exception { exception, .. } => exception,
            Self::Issue { group, .. } => group,
        }
    }
}

impl Watches {
    pub(crate) fn new(clients: Arc<Clients>, settings: &Settings) -> Self {
        Self { clients, table: settings.state_table.clone(), due_shards: settings.due_shards }
    }

    pub(crate) fn table(&self) -> &str {
        &self.table
    }

    /// What is stored about `watch` now.
    ///
    /// # Errors
    /// The table cannot be read, or holds what is none.
    pub async fn load<T: DeserializeOwned>(&self, watch: &Watch) -> Result<Option<Seen<T>>, StoreError> {
        let get = self.clients.dynamodb().get_item().table_name(&self.table).set_key(Some(watch.key()));
        let found = get.consistent_read(true).send().await;
        let found = found.map_err(|e| StoreError::from_sdk("read what is watched", e))?;
        found.item.map(read).transpose()
    }

    /// The exceptions of a flow itself, open ones and others.
    ///
    /// # Errors
    /// The table cannot be read, or holds what is none.
    pub async fn exceptions_of<T: DeserializeOwned>(&self, flow: &str) -> Result<Vec<T>, StoreError> {
        let query = self.clients.dynamodb().query().table_name(&self.table);
        let mut pages = query
            .key_condition_expression("pk = :pk AND begins_with(sk, :exception)")
            .expression_attribute_values(":pk", s(format!("FLOW#{flow}")))
            .expression_attribute_values(":exception", s("EXCEPTION#"))
            .consistent_read(true)
            .into_paginator()
            .items()
            .send();
        let mut found = Vec::new();
        while let Some(item) = pages.next().await {
            let item = item.map_err(|e| StoreError::from_sdk("read the exceptions of a flow", e))?;
            found.push(read(item)?.value);
        }
        Ok(found)
    }

    /// The part of a transaction that stores `value` where there is still what was `seen`.
    ///
    /// # Errors
    /// A value that cannot be stored.
    pub fn put<T: Serialize>(
        &self,
        watch: &Watch,
        seen: Option<&Seen<T>>,
        value: &T,
    ) -> Result<TransactWriteItem, StoreError> {
        let refused = |why: String| StoreError::Refused { doing: "store what is watched", why };
        let mut item: Item = serde_dynamo::to_item(value).map_err(|e| refused(e.to_string()))?;
        item.extend(watch.key());
        let version = |version: u64| AttributeValue::N(version.to_string());
        item.insert("version".to_owned(), version(seen.map_or(1, |seen| seen.version + 1)));
        if item.contains_key("next_due_at") {
            item.insert("due_shard".to_owned(), s(due::shard(watch.name(), self.due_shards)));
        }
        let put = Put::builder().table_name(&self.table).set_item(Some(item));
        let put = match seen {
            None => put.condition_expression("attribute_not_exists(pk)"),
            Some(seen) => put
                .condition_expression("version = :version")
                .expression_attribute_values(":version", version(seen.version)),
        };
        let put = put.build().map_err(|e| refused(e.to_string()))?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    /// The part of a transaction that removes what was `seen`, where it is still that.
    ///
    /// # Errors
    /// None that can be expected.
    pub fn delete<T>(&self, watch: &Watch, seen: &Seen<T>) -> Result<TransactWriteItem, StoreError> {
        let delete = Delete::builder().table_name(&self.table).set_key(Some(watch.key()));
        let delete = delete
            .condition_expression("version = :version")
            .expression_attribute_values(":version", AttributeValue::N(seen.version.to_string()));
        let refused = |why: String| StoreError::Refused { doing: "forget what was watched", why };
        let delete = delete.build().map_err(|e| refused(e.to_string()))?;
        Ok(TransactWriteItem::builder().delete(delete).build())
    }

    /// Stores watched items and records, all or none.
    ///
    /// # Errors
    /// [`StoreError::Moved`] when one of them is not any more what was seen.
    pub async fn commit(&self, items: Vec<TransactWriteItem>) -> Result<(), StoreError> {
        let write = self.clients.dynamodb().transact_write_items().set_transact_items(Some(items)).send();
        write.await.map(|_| ()).map_err(|e| StoreError::from_transaction("store what is watched", e))
    }
}

pub(crate) fn read<T: DeserializeOwned>(mut item: Item) -> Result<Seen<T>, StoreError> {
    let what = format!("{:?} {:?}", item.get("pk"), item.get("sk"));
    let version = item.get("version").and_then(|n| n.as_n().ok()?.parse().ok()).unwrap_or_default();
    for key in ["pk", "sk", "due_shard", "version"] {
        item.remove(key);
    }
    let value = serde_dynamo::from_item(item);
    let corrupt = |why: String| StoreError::Corrupt { doing: "read what is watched", what, why };
    Ok(Seen { value: value.map_err(|e| corrupt(e.to_string()))?, version })
}
