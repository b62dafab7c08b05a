//! The runs of the state table, and the one way they change: a run and its records, together or not at all.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use aws_sdk_dynamodb::error::BuildError;
use aws_sdk_dynamodb::types::{AttributeValue, Put, ReturnConsumedCapacity, TransactWriteItem, Update};
use meshline_core::command::Decision;
use meshline_core::id::{parse_run_id, subject_hash};
use meshline_core::run::Run;
use meshline_core::time::Time;

use crate::batch;
use crate::clients::Clients;
use crate::due;
use crate::error::StoreError;
use crate::events::{Item, s};
use crate::http::MAX_LIMIT;
use crate::settings::Settings;

/// Attributes that are keys or for an index, and not part of the fold.
const KEYS: [&str; 6] = ["pk", "sk", "due_shard", "next_due_at", "open_owner", "exception_flow"];

/// The runs of the state table.
#[derive(Debug)]
pub struct Runs {
    clients: Arc<Clients>,
    table: String,
    due_shards: u16,
}

/// A page of a list, and where the next one starts.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// The runs.
    pub runs: Vec<Run>,
    /// To be handed in for the next page.
    pub cursor: Option<String>,
}

/// How often in a row a run could not be ticked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failures {
    /// The number.
    pub count: u32,
    /// Whether it is out of the index of due runs.
    pub parked: bool,
    /// The run's flow, as far as the item says it.
    pub flow: Option<String>,
}

/// An index of runs, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum List<'a> {
    /// All runs of a flow.
    Flow(&'a str),
    /// The open runs of a person.
    Owner(&'a str),
    /// The overdue runs of a flow.
    Overdue(&'a str),
    /// Its runs that are in time, with an open exception.
    Exceptions(&'a str),
}

impl<'a> List<'a> {
    /// The lists that have every run of a flow with an open exception.
    pub fn excepted(flow: &'a str) -> [Self; 2] {
        [Self::Overdue(flow), Self::Exceptions(flow)]
    }
}

impl Runs {
    pub(crate) fn new(clients: Arc<Clients>, settings: &Settings) -> Self {
        Self { clients, table: settings.state_table.clone(), due_shards: settings.due_shards }
    }

    /// A run, as it is now.
    ///
    /// # Errors
    /// The table cannot be read, or holds what is no run.
    pub async fn load(&self, run: &str) -> Result<Option<Run>, StoreError> {
        let Some(key) = key(run) else { return Ok(None) };
        let get = self
            .clients
            .dynamodb()
            .get_item()
            .table_name(&self.table)
            .set_key(Some(key))
            .consistent_read(true);
        let found = get.send().await.map_err(|e| StoreError::from_sdk("load a run", e))?;
        found.item.map(from_item).transpose()
    }

    /// All runs of a subject, as they are now, oldest first.
    ///
    /// # Errors
    /// The table cannot be read, or holds what is no run.
    pub async fn of_subject(&self, subject: &str) -> Result<Vec<Run>, StoreError> {
        let mut pages = self
            .clients
            .dynamodb()
            .query()
            .table_name(&self.table)
            .key_condition_expression("pk = :pk AND begins_with(sk, :run)")
            .expression_attribute_values(":pk", s(format!("S#{}", subject_hash(subject))))
            .expression_attribute_values(":run", s("RUN#"))
            .consistent_read(true)
            .into_paginator()
            .items()
            .send();
        let mut runs = Vec::new();
        while let Some(item) = pages.next().await {
            let run = from_item(item.map_err(|e| StoreError::from_sdk("load the runs of a subject", e))?)?;
            runs.extend(Some(run).filter(|run| run.subject == subject));
        }
        Ok(runs)
    }

    /// Stores what was decided: the run if it is still at the version it was decided on (none for a new one),
    /// and its records, in one transaction.
    ///
    /// # Errors
    /// [`StoreError::Moved`] when somebody else was faster.
    pub async fn commit(
        &self,
        version: Option<u64>,
        decision: &Decision,
        records: Vec<TransactWriteItem>,
    ) -> Result<(), StoreError> {
        let doing = "commit a run";
        let put = Put::builder().table_name(&self.table).set_item(Some(self.item(&decision.run)?));
        let put = match version {
            None => put.condition_expression("attribute_not_exists(pk)"),
            Some(version) => put
                .condition_expression("version = :version")
                .expression_attribute_values(":version", AttributeValue::N(version.to_string())),
        };
        let put = put.build().map_err(|e| StoreError::Refused { doing, why: e.to_string() })?;
        let write = self
            .clients
            .dynamodb()
            .transact_write_items()
            .transact_items(TransactWriteItem::builder().put(put).build())
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        let write = records.into_iter().fold(write, |write, record| write.transact_items(record));
        match write.send().await {
            Ok(done) => {
                self.clients.consumed(done.consumed_capacity());
                Ok(())
            }
            Err(error) => Err(StoreError::from_transaction(doing, error)),
        }
    }

    /// The item of a run: the fold's fields as attributes that people can read, and the keys of the indexes.
    fn item(&self, run: &Run) -> Result<Item, StoreError> {
        let refused =
            |e: serde_dynamo::Error| StoreError::Refused { doing: "commit a run", why: e.to_string() };
        let mut item: Item = serde_dynamo::to_item(run).map_err(refused)?;
        item.remove("run"); // the key says it, and a write is billed per KB
        item.extend(key(&run.run).unwrap_or_default());
        if let Some((at, _)) = run.next_due() {
            item.insert("due_shard".to_owned(), s(due::shard(&run.run, self.due_shards)));
            item.insert("next_due_at".to_owned(), s(at.to_string()));
            item.insert("open_owner".to_owned(), s(&run.owner.id));
        }
        if run.is_overdue() {
            item.insert("exception_flow".to_owned(), s(overdue(&run.flow)));
        } else if run.open_exceptions().next().is_some() {
            item.insert("exception_flow".to_owned(), s(&run.flow));
        }
        Ok(item)
    }

    /// A page of runs, newest first, at most `limit`.
    ///
    /// # Errors
    /// The index cannot be read. A cursor that is not one of ours starts from the beginning.
    pub async fn list(&self, list: &List<'_>, limit: i32, cursor: Option<&str>) -> Result<Page, StoreError> {
        let (index, attribute, value) = match list {
            List::Flow(flow) => ("by_flow", "flow", (*flow).to_owned()),
            List::Owner(owner) => ("by_owner", "open_owner", (*owner).to_owned()),
            List::Overdue(flow) => ("by_exception", "exception_flow", overdue(flow)),
            List::Exceptions(flow) => ("by_exception", "exception_flow", (*flow).to_owned()),
        };
        let query = self
            .clients
            .dynamodb()
            .query()
            .table_name(&self.table)
            .index_name(index)
            .key_condition_expression("#attribute = :value")
            .expression_attribute_names("#attribute", attribute)
            .expression_attribute_values(":value", s(&value))
            .scan_index_forward(false)
            .limit(limit)
            .set_exclusive_start_key(cursor.and_then(|cursor| start_key(cursor, attribute, &value)));
        let page = query.send().await.map_err(|e| StoreError::from_sdk("list runs", e))?;
        let cursor = page
            .last_evaluated_key
            .as_ref()
            .and_then(|last| Some(format!("{}_{}", last.get("opened_at")?.as_s().ok()?, run_of_key(last)?)));
        let ids: Vec<String> = page.items().iter().filter_map(run_of_key).collect();
        Ok(Page { runs: self.load_all(&ids).await?, cursor })
    }

    /// Hands the runs of a flow that were opened since `from` to `take`, the newest first, at most about `most`.
    ///
    /// # Errors
    /// The index cannot be read.
    pub async fn opened_since(
        &self,
        flow: &str,
        from: Time,
        most: usize,
        mut take: impl FnMut(Run),
    ) -> Result<(), StoreError> {
        let (mut cursor, mut taken) = (None, 0);
        loop {
            let size = most.min(MAX_LIMIT) as i32;
            let page = self.list(&List::Flow(flow), size, cursor.as_deref()).await?;
            taken += page.runs.len();
            let is_enough = page.runs.last().is_none_or(|oldest| oldest.opened_at < from) || taken >= most;
            page.runs.into_iter().filter(|run| from <= run.opened_at).for_each(&mut take);
            cursor = page.cursor;
            if cursor.is_none() || is_enough {
                return Ok(());
            }
        }
    }

    /// The runs of these ids, in this order; those that are gone are left out. They may be a moment behind.
    ///
    /// # Errors
    /// The table cannot be read, or holds what is no run.
    pub async fn load_all(&self, ids: &[String]) -> Result<Vec<Run>, StoreError> {
        // DynamoDB refuses a batch that has a key twice.
        let distinct = ids.iter().collect::<BTreeSet<_>>();
        let keys = distinct.into_iter().filter_map(|id| key(id)).collect();
        let items = batch::get(&self.clients, &self.table, keys, false, "list runs").await?;
        let mut found: HashMap<String, Run> = HashMap::with_capacity(items.len());
        for item in items {
            let run = from_item(item)?;
            found.insert(run.run.clone(), run);
        }
        Ok(ids.iter().filter_map(|id| found.remove(id)).collect())
    }

    /// Counts a failure of a run that could not be ticked. The next change of the run sets the count back.
    ///
    /// # Errors
    /// The table cannot be written.
    pub async fn count_failure(&self, run: &str) -> Result<Failures, StoreError> {
        let update = self
            .clients
            .dynamodb()
            .update_item()
            .table_name(&self.table)
            .set_key(key(run))
            .condition_expression("attribute_exists(pk)")
            .update_expression("ADD failures :one")
            .expression_attribute_values(":one", AttributeValue::N("1".to_owned()))
            .return_values(aws_sdk_dynamodb::types::ReturnValue::AllNew);
        let updated = update.send().await.map_err(|e| StoreError::from_sdk("count a failure", e))?;
        let attribute = |name: &str| updated.attributes().and_then(|attributes| attributes.get(name));
        Ok(Failures {
            parked: attribute("due_shard").is_none(),
            count: attribute("failures").and_then(|n| n.as_n().ok()?.parse().ok()).unwrap_or(1),
            flow: attribute("flow").and_then(|flow| flow.as_s().ok().cloned()),
        })
    }

    /// Takes a run out of the index of due runs, so that it holds up nothing, until its next change; together with
    /// the records about it, or not at all.
    ///
    /// # Errors
    /// [`StoreError::Moved`] when it is not in there, or when another record took that one's place.
    pub async fn park(&self, run: &str, records: Vec<TransactWriteItem>) -> Result<(), StoreError> {
        let doing = "park a run";
        let refused = |e: BuildError| StoreError::Refused { doing, why: e.to_string() };
        let update = Update::builder()
            .table_name(&self.table)
            .set_key(key(run))
            .update_expression("REMOVE due_shard, next_due_at")
            .condition_expression("attribute_exists(due_shard)");
        let update = TransactWriteItem::builder().update(update.build().map_err(refused)?).build();
        let items = std::iter::once(update).chain(records).collect();
        let write = self.clients.dynamodb().transact_write_items().set_transact_items(Some(items)).send();
        write.await.map(|_| ()).map_err(|e| StoreError::from_transaction(doing, e))
    }

    /// The part of a transaction that puts a parked run back into the index of due runs, to be looked at from `now`;
    /// `None` when the id has not the form of one.
    ///
    /// # Errors
    /// An update that cannot be made.
    pub fn unpark(&self, run: &str, now: Time) -> Result<Option<TransactWriteItem>, StoreError> {
        let refused = |e: BuildError| StoreError::Refused { doing: "unpark a run", why: e.to_string() };
        let Some(key) = key(run) else { return Ok(None) };
        let update = Update::builder()
            .table_name(&self.table)
            .set_key(Some(key))
            .update_expression("SET due_shard = :shard, next_due_at = :now REMOVE failures")
            .condition_expression("attribute_exists(pk)")
            .expression_attribute_values(":shard", s(due::shard(run, self.due_shards)))
            .expression_attribute_values(":now", s(now.to_string()));
        Ok(Some(TransactWriteItem::builder().update(update.build().map_err(refused)?).build()))
    }
}

/// The key of a run; `None` when the id has not the form of one.
fn key(run: &str) -> Option<Item> {
    let (hash, ulid) = parse_run_id(run)?;
    Some(Item::from([("pk".to_owned(), s(format!("S#{hash}"))), ("sk".to_owned(), s(format!("RUN#{ulid}")))]))
}

pub(crate) fn run_of_key(item: &Item) -> Option<String> {
    let part = |name: &str, start: &str| Some(item.get(name)?.as_s().ok()?.strip_prefix(start)?.to_owned());
    Some(format!("{}-{}", part("pk", "S#")?, part("sk", "RUN#")?))
}

/// The partition of a flow's overdue runs. No flow is called so: an id has no `#`.
fn overdue(flow: &str) -> String {
    format!("{flow}#overdue")
}

fn start_key(cursor: &str, attribute: &str, value: &str) -> Option<Item> {
    let (opened_at, run) = cursor.split_once('_')?;
    let mut start = key(run)?;
    start.insert("opened_at".to_owned(), s(opened_at.parse::<Time>().ok()?.to_string()));
    start.insert(attribute.to_owned(), s(value));
    Some(start)
}

/// Reads a run back from its item.
///
/// # Errors
/// The item is no run.
pub fn from_item(mut item: Item) -> Result<Run, StoreError> {
    let what = run_of_key(&item).unwrap_or_default();
    item.insert("run".to_owned(), s(&what));
    for name in KEYS {
        item.remove(name);
    }
    serde_dynamo::from_item(item).map_err(|e| StoreError::Corrupt {
        doing: "load a run",
        what,
        why: e.to_string(),
    })
}
