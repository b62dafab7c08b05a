//! The silences of flows that expect triggers: one item of the state table each, which the clock looks at.

use std::sync::Arc;

use aws_sdk_dynamodb::types::builders::PutBuilder;
use aws_sdk_dynamodb::types::{Put, ReturnConsumedCapacity, ReturnValue, TransactWriteItem};
use meshline_core::config::Versioned;
use meshline_core::config::calendar::Calendar;
use meshline_core::config::flow::Flow;
use meshline_core::decide;
use meshline_core::measure::Measures;
use meshline_core::record::{Actor, ExceptionResolved};
use meshline_core::silence::{Silence, Verdict};
use meshline_core::time::Time;

use crate::app::App;
use crate::clients::Clients;
use crate::due;
use crate::error::StoreError;
use crate::events::{Item, s};
use crate::execute::{again, flow_record};
use crate::settings::Settings;
use crate::telemetry;

/// The silences of the state table.
#[derive(Debug)]
pub struct Silences {
    clients: Arc<Clients>,
    table: String,
    due_shards: u16,
}

impl Silences {
    pub(crate) fn new(clients: Arc<Clients>, settings: &Settings) -> Self {
        Self { clients, table: settings.state_table.clone(), due_shards: settings.due_shards }
    }

    /// The silence of a flow, as it is now.
    ///
    /// # Errors
    /// The table cannot be read.
    pub async fn load(&self, flow: &str) -> Result<Option<Silence>, StoreError> {
        let get = self.clients.dynamodb().get_item().table_name(&self.table).set_key(Some(key(flow)));
        let found = get.consistent_read(true).send().await;
        let found = found.map_err(|e| StoreError::from_sdk("read a silence", e))?;
        found.item.map(|item| read(flow, item)).transpose()
    }

    /// Notes a trigger of a flow, if it is the latest so far; gives the silence with it, `None` where nobody listens.
    async fn heard(&self, flow: &str, at: Time) -> Result<Option<Silence>, StoreError> {
        let update = self.clients.dynamodb().update_item().table_name(&self.table).set_key(Some(key(flow)));
        let update = update
            .update_expression("SET since = :at")
            .condition_expression("since < :at")
            .expression_attribute_values(":at", s(at.to_string()))
            .return_values(ReturnValue::AllNew)
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        match update.send().await {
            Ok(done) => {
                self.clients.consumed(done.consumed_capacity());
                done.attributes.map(|item| read(flow, item)).transpose()
            }
            Err(e) if e.as_service_error().is_some_and(|e| e.is_conditional_check_failed_exception()) => {
                self.load(flow).await
            }
            Err(error) => Err(StoreError::from_sdk("note a trigger", error)),
        }
    }

    /// The part of a transaction that stores a silence where there is still what was `seen`.
    ///
    /// # Errors
    /// A silence that cannot be stored.
    pub fn put(
        &self,
        flow: &str,
        seen: Option<&Silence>,
        silence: &Silence,
    ) -> Result<TransactWriteItem, StoreError> {
        let doing = "store a silence";
        let refused = |why: String| StoreError::Refused { doing, why };
        let mut item: Item = serde_dynamo::to_item(silence).map_err(|e| refused(e.to_string()))?;
        item.extend(key(flow));
        if silence.next_due_at.is_some() {
            item.insert("due_shard".to_owned(), s(due::shard(flow, self.due_shards)));
        }
        let put = Put::builder().table_name(&self.table).set_item(Some(item));
        let put = match seen {
            None => put.condition_expression("attribute_not_exists(pk)"),
            Some(seen) => unchanged(put, seen),
        };
        let put = put.build().map_err(|e| refused(e.to_string()))?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    async fn commit(&self, items: Vec<TransactWriteItem>) -> Result<(), StoreError> {
        let write = self.clients.dynamodb().transact_write_items().set_transact_items(Some(items)).send();
        write.await.map(|_| ()).map_err(|e| StoreError::from_transaction("store a silence", e))
    }
}

/// Puts only where the silence is still the one that was seen.
fn unchanged(put: PutBuilder, seen: &Silence) -> PutBuilder {
    let put = put.expression_attribute_values(":since", s(seen.since.to_string()));
    match seen.told {
        None => put.condition_expression("since = :since AND attribute_not_exists(told)"),
        Some(told) => put
            .condition_expression("since = :since AND told = :told")
            .expression_attribute_values(":told", s(told.to_string())),
    }
}

/// The name under which the index `due` gives a flow's silence back.
pub(crate) fn flow_of(pk: &str, sk: &str) -> Option<String> {
    pk.strip_prefix("FLOW#").filter(|_| sk == "SILENCE").map(str::to_owned)
}

fn key(flow: &str) -> Item {
    Item::from([("pk".to_owned(), s(format!("FLOW#{flow}"))), ("sk".to_owned(), s("SILENCE"))])
}

fn read(flow: &str, item: Item) -> Result<Silence, StoreError> {
    let corrupt = |e: serde_dynamo::Error| StoreError::Corrupt {
        doing: "read a silence",
        what: flow.to_owned(),
        why: e.to_string(),
    };
    serde_dynamo::from_item(item).map_err(corrupt)
}

/// A trigger of a flow came: its silence ends, and with it the exception about it.
///
/// # Errors
/// The tables are not available.
pub async fn heard(
    app: &App,
    flow: &Versioned<Flow>,
    calendar: Option<&Calendar>,
    at: Time,
    now: Time,
) -> Result<(), StoreError> {
    let Some(expect) = &flow.document.expect else { return Ok(()) };
    let id = &flow.document.id;
    let mut attempt = 0;
    loop {
        let Some(silence) = app.silences.heard(id, at).await? else { return Ok(()) };
        let Some(ended) = silence.ended(at, expect, calendar) else { return Ok(()) };
        let mut items = vec![app.silences.put(id, Some(&silence), &ended)?];
        items.extend(resolution(app, flow, &silence, "route", "a trigger came", now).await?);
        match app.silences.commit(items).await {
            Ok(()) => return Ok(()),
            Err(error) => again(error, &mut attempt).await?,
        }
    }
}

/// The clock looks at the silence of a flow: one that has lasted too long is told, once.
///
/// # Errors
/// The tables are not available.
pub async fn look_at(app: &App, flow: &str, now: Time) -> Result<(), StoreError> {
    let mut attempt = 0;
    loop {
        let in_force = app.config.fresh(now).await?;
        let (Some(silence), Some(flow)) = (app.silences.load(flow).await?, in_force.config.flows.get(flow))
        else {
            return Ok(());
        };
        let expect = flow.document.expect.as_ref();
        let calendar = in_force.config.calendar_of(&flow.document).map(|it| it.document.as_ref());
        let (next, record) = match silence.at(now, expect, calendar) {
            Verdict::Listen(next) => (next, None),
            Verdict::Forget => {
                let why = "the flow expects no triggers any more";
                let record = resolution(app, flow, &silence, "sla-check", why, now).await?;
                (Silence { told: None, next_due_at: None, ..silence.clone() }, record)
            }
            Verdict::Tell(next) => {
                let Some(expect) = expect else { return Ok(()) };
                let fact =
                    silence.exception(&flow.document, expect, calendar, &in_force.config.people(), now);
                let record = flow_record(app, flow, Actor::system("sla-check"), fact, now).await?;
                (next, Some(app.audit.put(&record)?))
            }
        };
        let tells = silence.told.is_none() && next.told.is_some();
        let items = [Some(app.silences.put(&flow.document.id, Some(&silence), &next)?), record];
        match app.silences.commit(items.into_iter().flatten().collect()).await {
            Ok(()) => {
                if tells && flow.document.enabled {
                    let measures = Measures { exceptions_opened: 1, ..Measures::default() };
                    telemetry::decided(&flow.document.id, &measures, now);
                }
                return Ok(());
            }
            Err(error) => again(error, &mut attempt).await?,
        }
    }
}

/// The record that resolves the exception about a silence; `None` when there is none, or a person did.
async fn resolution(
    app: &App,
    flow: &Versioned<Flow>,
    silence: &Silence,
    function: &str,
    why: &str,
    now: Time,
) -> Result<Option<TransactWriteItem>, StoreError> {
    let Some(ExceptionResolved { exception, resolution, .. }) = silence.resolved(why) else {
        return Ok(None);
    };
    let trail = app.audit.trail(&format!("FLOW#{}", flow.document.id), 0).await?;
    let Ok(fact) = decide::resolve_of_flow(&trail, &exception, &resolution, None) else { return Ok(None) };
    let record = flow_record(app, flow, Actor::system(function), fact, now).await?;
    app.audit.put(&record).map(Some)
}
