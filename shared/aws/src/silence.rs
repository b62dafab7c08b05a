//! The silences of flows that expect triggers, as the clock and each trigger move them on.

use aws_sdk_dynamodb::types::{AttributeValue, ReturnConsumedCapacity, ReturnValue, TransactWriteItem};
use meshline_core::config::Versioned;
use meshline_core::config::calendar::Calendar;
use meshline_core::config::flow::Flow;
use meshline_core::silence::{Silence, Verdict};
use meshline_core::time::Time;

use crate::app::App;
use crate::error::StoreError;
use crate::events::s;
use crate::exception;
use crate::execute::again;
use crate::watch::{self, Seen, Watch};

/// Notes a trigger of a flow, if it is the latest so far; gives the silence with it, `None` where nobody listens.
async fn note(app: &App, flow: &str, at: Time) -> Result<Option<Seen<Silence>>, StoreError> {
    let watch = Watch::Silence(flow.to_owned());
    let update = app.clients.dynamodb().update_item().table_name(app.watches.table());
    let update = update
        .set_key(Some(watch.key()))
        .update_expression("SET since = :at ADD version :one")
        .condition_expression("since < :at")
        .expression_attribute_values(":at", s(at.to_string()))
        .expression_attribute_values(":one", AttributeValue::N("1".to_owned()))
        .return_values(ReturnValue::AllNew)
        .return_consumed_capacity(ReturnConsumedCapacity::Total);
    match update.send().await {
        Ok(done) => {
            app.clients.consumed(done.consumed_capacity());
            done.attributes.map(watch::read).transpose()
        }
        Err(e) if e.as_service_error().is_some_and(|e| e.is_conditional_check_failed_exception()) => {
            app.watches.load(&watch).await
        }
        Err(error) => Err(StoreError::from_sdk("note a trigger", error)),
    }
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
    let watch = Watch::Silence(flow.document.id.clone());
    let mut attempt = 0;
    loop {
        let Some(silence) = note(app, &flow.document.id, at).await? else { return Ok(()) };
        let Some(ended) = silence.value.ended(at, expect, calendar) else { return Ok(()) };
        let mut items = vec![app.watches.put(&watch, Some(&silence), &ended)?];
        items.extend(resolution(app, flow, &silence.value, "route", "a trigger came", now).await?);
        match app.watches.commit(items).await {
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
    let watch = Watch::Silence(flow.to_owned());
    let mut attempt = 0;
    loop {
        let in_force = app.config.fresh().await?;
        let (Some(silence), Some(flow)) =
            (app.watches.load::<Silence>(&watch).await?, in_force.config.flows.get(flow))
        else {
            return Ok(());
        };
        let expect = flow.document.expect.as_ref();
        let calendar = in_force.config.hours_of(&flow.document);
        let mut opening = None;
        let mut items = Vec::new();
        let next = match silence.value.at(now, expect, calendar) {
            Verdict::Listen(next) => next,
            Verdict::Forget => {
                let why = "the flow expects no triggers any more";
                items.extend(resolution(app, flow, &silence.value, "sla-check", why, now).await?);
                Silence { told: None, next_due_at: None, ..silence.value.clone() }
            }
            Verdict::Tell(next) => {
                let Some(expect) = expect else { return Ok(()) };
                let people = in_force.config.people();
                let fact = silence.value.exception(&flow.document, expect, calendar, &people, now);
                opening = exception::opening(app, flow, "sla-check", fact, now).await?;
                items.extend(opening.iter().flat_map(|opening| opening.items.clone()));
                next
            }
        };
        items.push(app.watches.put(&watch, Some(&silence), &next)?);
        match app.watches.commit(items).await {
            Ok(()) => {
                opening.iter().for_each(|opening| opening.measure(now));
                return Ok(());
            }
            Err(error) => again(error, &mut attempt).await?,
        }
    }
}

/// What resolves the exception about a silence; nothing when there is none, or a person did.
async fn resolution(
    app: &App,
    flow: &Versioned<Flow>,
    silence: &Silence,
    function: &str,
    why: &str,
    now: Time,
) -> Result<Vec<TransactWriteItem>, StoreError> {
    match silence.resolved(why) {
        Some(resolved) => exception::resolution(app, flow, function, &resolved, now).await,
        None => Ok(Vec::new()),
    }
}
