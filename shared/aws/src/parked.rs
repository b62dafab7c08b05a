//! Parked signals of the state table: what matches a flow's outcome and finds no run, until a trigger takes it.

use std::sync::Arc;

use aws_sdk_dynamodb::error::BuildError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnConsumedCapacity, TransactWriteItem, Update};
use meshline_core::event::Event;
use meshline_core::id::{mark, subject_hash};
use meshline_core::parked::{Parked, Status, WAIT};
use meshline_core::time::Time;

use crate::app::App;
use crate::clients::Clients;
use crate::due;
use crate::error::StoreError;
use crate::events::{Item, s};
use crate::exception;
use crate::execute::again;
use crate::settings::Settings;

/// The parked signals of the state table.
#[derive(Debug)]
pub struct ParkedSignals {
    clients: Arc<Clients>,
    table: String,
    due_shards: u16,
}

/// Where a parked signal is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pk: String,
    sk: String,
}

impl Place {
    pub(crate) fn of(pk: &str, sk: &str) -> Option<Self> {
        let is_one = pk.starts_with("S#") && sk.starts_with("PARKED#");
        is_one.then(|| Self { pk: pk.to_owned(), sk: sk.to_owned() })
    }

    fn of_signal(signal: &Parked) -> Self {
        let pk = format!("S#{}", subject_hash(&signal.subject));
        Self { pk, sk: format!("PARKED#{}", signal.event) }
    }

    fn key(&self) -> Item {
        Item::from([("pk".to_owned(), s(&self.pk)), ("sk".to_owned(), s(&self.sk))])
    }
}

impl ParkedSignals {
    pub(crate) fn new(clients: Arc<Clients>, settings: &Settings) -> Self {
        Self { clients, table: settings.state_table.clone(), due_shards: settings.due_shards }
    }

    /// Parks `event` for the flows whose outcome it matches, once.
    ///
    /// # Errors
    /// The table cannot take it now.
    pub async fn park(&self, event: &Event, flows: Vec<String>, now: Time) -> Result<(), StoreError> {
        let doing = "park a signal";
        let signal = Parked::new(event, flows);
        let refused = |e: serde_dynamo::Error| StoreError::Refused { doing, why: e.to_string() };
        let mut item: Item = serde_dynamo::to_item(&signal).map_err(refused)?;
        item.extend(Place::of_signal(&signal).key());
        item.insert("due_shard".to_owned(), s(due::shard(&signal.event, self.due_shards)));
        item.insert("next_due_at".to_owned(), s((now + WAIT).to_string()));
        let put = self.clients.dynamodb().put_item().table_name(&self.table).set_item(Some(item));
        let put = put.return_consumed_capacity(ReturnConsumedCapacity::Total);
        match put.condition_expression("attribute_not_exists(pk)").send().await {
            Ok(done) => {
                self.clients.consumed(done.consumed_capacity());
                Ok(())
            }
            Err(e) if e.as_service_error().is_some_and(|e| e.is_conditional_check_failed_exception()) => {
                Ok(())
            }
            Err(error) => Err(StoreError::from_sdk(doing, error)),
        }
    }

    /// The parked signals about a subject that no trigger has taken.
    ///
    /// # Errors
    /// The table cannot be read.
    pub async fn of_subject(&self, subject: &str) -> Result<Vec<Parked>, StoreError> {
        let mut pages = self
            .clients
            .dynamodb()
            .query()
            .table_name(&self.table)
            .key_condition_expression("pk = :pk AND begins_with(sk, :parked)")
            .expression_attribute_values(":pk", s(format!("S#{}", subject_hash(subject))))
            .expression_attribute_values(":parked", s("PARKED#"))
            .consistent_read(true)
            .into_paginator()
            .items()
            .send();
        let mut signals = Vec::new();
        while let Some(item) = pages.next().await {
            let signal = read(item.map_err(|e| StoreError::from_sdk("read parked signals", e))?)?;
            signals.extend(
                Some(signal).filter(|signal| signal.subject == subject && signal.status != Status::Taken),
            );
        }
        Ok(signals)
    }

    async fn load(&self, place: &Place) -> Result<Option<Parked>, StoreError> {
        let get = self.clients.dynamodb().get_item().table_name(&self.table).set_key(Some(place.key()));
        let found = get.consistent_read(true).send().await;
        let found = found.map_err(|e| StoreError::from_sdk("read a parked signal", e))?;
        found.item.map(read).transpose()
    }

    /// Moves a signal on, if it is still as it was seen, together with the record about that.
    async fn move_on(
        &self,
        signal: &Parked,
        to: Status,
        records: Vec<TransactWriteItem>,
    ) -> Result<(), StoreError> {
        let doing = "move a parked signal on";
        let refused = |e: BuildError| StoreError::Refused { doing, why: e.to_string() };
        let word = |status: Status| AttributeValue::S(status.as_str().to_owned());
        let update = Update::builder()
            .table_name(&self.table)
            .set_key(Some(Place::of_signal(signal).key()))
            .update_expression("SET #status = :to REMOVE due_shard, next_due_at")
            .condition_expression("#status = :seen")
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":to", word(to))
            .expression_attribute_values(":seen", word(signal.status));
        let update = TransactWriteItem::builder().update(update.build().map_err(refused)?).build();
        let items = std::iter::once(update).chain(records).collect();
        let write = self.clients.dynamodb().transact_write_items().set_transact_items(Some(items)).send();
        write.await.map(|_| ()).map_err(|e| StoreError::from_transaction(doing, e))
    }
}

fn read(item: Item) -> Result<Parked, StoreError> {
    let what = format!("{:?} {:?}", item.get("pk"), item.get("sk"));
    let read = serde_dynamo::from_item(item);
    read.map_err(|e| StoreError::Corrupt { doing: "read a parked signal", what, why: e.to_string() })
}

/// A trigger opened a run that has looked at the signal: it is parked no more, and its exception, if it came to that,
/// is resolved.
///
/// # Errors
/// The tables are not available.
pub async fn taken(app: &App, signal: &Parked, run: &str, now: Time) -> Result<(), StoreError> {
    let place = Place::of_signal(signal);
    let mut attempt = 0;
    loop {
        let Some(signal) = app.parked.load(&place).await? else { return Ok(()) };
        let records = match signal.status {
            Status::Taken => return Ok(()),
            Status::Waiting => Vec::new(),
            Status::Orphaned => resolution(app, &signal, run, now).await?,
        };
        match app.parked.move_on(&signal, Status::Taken, records).await {
            Ok(()) => return Ok(()),
            Err(error) => again(error, &mut attempt).await?,
        }
    }
}

/// What resolves a signal's exception; nothing when a person did.
async fn resolution(
    app: &App,
    signal: &Parked,
    run: &str,
    now: Time,
) -> Result<Vec<TransactWriteItem>, StoreError> {
    let in_force = app.config.fresh().await?;
    match signal.flows.first().and_then(|flow| in_force.config.flows.get(flow)) {
        Some(flow) => exception::resolution(app, flow, "route", &signal.resolved_by(run), now).await,
        None => Ok(Vec::new()),
    }
}

/// The wait of a parked signal is over: nobody's signal becomes an exception of the first flow that waits for such.
///
/// # Errors
/// The tables are not available.
pub async fn orphaned(app: &App, place: &Place, now: Time) -> Result<(), StoreError> {
    let mut attempt = 0;
    loop {
        let Some(signal) = app.parked.load(place).await? else { return Ok(()) };
        if signal.status != Status::Waiting {
            return Ok(());
        }
        let in_force = app.config.fresh().await?;
        let flow = signal.flows.first().and_then(|flow| in_force.config.flows.get(flow));
        let opening = match flow {
            Some(flow) => {
                let calendar = in_force.config.hours_of(&flow.document);
                let people = in_force.config.people();
                let opened = signal.exception(&flow.document, calendar, &people, now);
                exception::opening(app, flow, "sla-check", opened, now).await?
            }
            None => None,
        };
        let records = opening.iter().flat_map(|opening| opening.items.clone()).collect();
        match app.parked.move_on(&signal, Status::Orphaned, records).await {
            Ok(()) => {
                opening.iter().for_each(|opening| opening.measure(now));
                tracing::info!(signal = mark(&signal.event), "a signal found no run");
                return Ok(());
            }
            Err(error) => again(error, &mut attempt).await?,
        }
    }
}
