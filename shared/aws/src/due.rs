//! The index `due`: what in the state table the clock must look at next, whatever it is.

use std::sync::Arc;

use meshline_core::time::Time;

use crate::clients::Clients;
use crate::error::StoreError;
use crate::events::{Item, s};
use crate::parked::Place;
use crate::runs::run_of_key;
use crate::settings::Settings;
use crate::watch::Watch;

/// The index of what is due.
#[derive(Debug)]
pub struct DueIndex {
    clients: Arc<Clients>,
    table: String,
    shards: u16,
}

/// Something that the clock must look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// When.
    pub at: Time,
    /// What.
    pub what: Subject,
}

/// What the clock must look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// The run of that id.
    Run(String),
    /// A parked signal, by its place.
    Parked(Place),
    /// Something of a flow itself.
    Watch(Watch),
}

impl DueIndex {
    pub(crate) fn new(clients: Arc<Clients>, settings: &Settings) -> Self {
        Self { clients, table: settings.state_table.clone(), shards: settings.due_shards }
    }

    /// Names of the partitions.
    pub fn shards(&self) -> Vec<String> {
        (0..self.shards).map(|n| format!("DUE#{n:02}")).collect()
    }

    /// What is due in a partition by `until`, the longest due first, at most `limit`.
    ///
    /// # Errors
    /// The index cannot be read.
    pub async fn until(&self, shard: &str, until: Time, limit: i32) -> Result<Vec<Due>, StoreError> {
        let query = self
            .clients
            .dynamodb()
            .query()
            .table_name(&self.table)
            .index_name("due")
            .key_condition_expression("due_shard = :shard AND next_due_at <= :until")
            .expression_attribute_values(":shard", s(shard))
            .expression_attribute_values(":until", s(until.to_string()))
            .limit(limit);
        let page = query.send().await.map_err(|e| StoreError::from_sdk("find what is due", e))?;
        Ok(page.items().iter().filter_map(read).collect())
    }
}

fn read(item: &Item) -> Option<Due> {
    let text = |name: &str| item.get(name)?.as_s().ok();
    let (pk, sk) = (text("pk")?, text("sk")?);
    let run = run_of_key(item).map(Subject::Run);
    let what = run
        .or_else(|| Place::of(pk, sk).map(Subject::Parked))
        .or_else(|| Watch::of(pk, sk).map(Subject::Watch))?;
    Some(Due { at: text("next_due_at")?.parse().ok()?, what })
}

/// The partition of what has that name.
pub(crate) fn shard(name: &str, shards: u16) -> String {
    // Any spread will do: the last five characters of a run's id are a hash already.
    let n = name.bytes().rev().take(5).fold(0_u64, |n, byte| n.wrapping_mul(31) + u64::from(byte));
    format!("DUE#{:02}", n % u64::from(shards))
}
