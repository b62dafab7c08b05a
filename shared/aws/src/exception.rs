//! Exceptions of flows themselves: opened, watched by the clock, and resolved.

use aws_sdk_dynamodb::types::TransactWriteItem;
use meshline_core::command::Rejection;
use meshline_core::config::Versioned;
use meshline_core::config::calendar::Calendar;
use meshline_core::config::directory::Directory;
use meshline_core::config::flow::{ExceptionKind, Flow};
use meshline_core::decide;
use meshline_core::flow_exception::FlowException;
use meshline_core::measure::Measures;
use meshline_core::record::{Actor, ExceptionOpened, ExceptionResolved, Fact};
use meshline_core::time::Time;

use crate::app::App;
use crate::error::StoreError;
use crate::execute::{ExecuteError, again, flow_record};
use crate::telemetry;
use crate::watch::{Seen, Watch};

/// An exception about to be opened: its record and its item, to be stored together with what it is about.
#[derive(Debug, Clone)]
pub struct Opening {
    /// Parts of a transaction.
    pub items: Vec<TransactWriteItem>,
    flow: String,
    suppressed: bool,
}

impl Opening {
    /// Counts it, once it is stored.
    pub fn measure(&self, now: Time) {
        if !self.suppressed {
            let measures = Measures { exceptions_opened: 1, ..Measures::default() };
            telemetry::decided(&self.flow, &measures, now);
        }
    }
}

fn watch(flow: &Versioned<Flow>, exception: &str) -> Watch {
    Watch::Exception { flow: flow.document.id.clone(), exception: exception.to_owned() }
}

/// Opens an exception of `flow` on behalf of `function`; `None` when one of its id is open.
///
/// # Errors
/// The tables cannot be read.
pub async fn opening(
    app: &App,
    flow: &Versioned<Flow>,
    function: &str,
    opened: ExceptionOpened,
    now: Time,
) -> Result<Option<Opening>, StoreError> {
    let watch = watch(flow, &opened.exception);
    let seen: Option<Seen<FlowException>> = app.watches.load(&watch).await?;
    if seen.as_ref().is_some_and(|seen| seen.value.is_open()) {
        return Ok(None);
    }
    let fact = Fact::ExceptionOpened(Box::new(opened.clone()));
    let record = flow_record(app, flow, Actor::system(function), fact, None, now).await?;
    let exception = FlowException::opened(record.at, &opened);
    let items = vec![app.audit.put(&record)?, app.watches.put(&watch, seen.as_ref(), &exception)?];
    Ok(Some(Opening { items, flow: record.flow, suppressed: record.suppressed }))
}

/// What resolves an exception of `flow`, to be stored together with why; nothing when there is none open.
///
/// # Errors
/// The tables cannot be read.
pub async fn resolution(
    app: &App,
    flow: &Versioned<Flow>,
    function: &str,
    resolved: &ExceptionResolved,
    now: Time,
) -> Result<Vec<TransactWriteItem>, StoreError> {
    match resolving(app, flow, &Actor::system(function), resolved, now).await {
        Ok((_, items)) => Ok(items),
        Err(ExecuteError::Store(error)) => Err(error),
        Err(ExecuteError::Rejected(_) | ExecuteError::NoRun(_)) => Ok(Vec::new()),
    }
}

/// Resolves an exception of a flow itself, and gives it as it is then.
///
/// # Errors
/// There is nothing to resolve, or the tables are not available.
pub async fn resolve(
    app: &App,
    flow: &Versioned<Flow>,
    actor: &Actor,
    resolved: &ExceptionResolved,
    now: Time,
) -> Result<FlowException, ExecuteError> {
    let mut attempt = 0;
    loop {
        let (exception, mut items) = resolving(app, flow, actor, resolved, now).await?;
        if exception.kind == ExceptionKind::RunParked {
            items.extend(app.runs.unpark(&exception.id, now)?);
        }
        match app.watches.commit(items).await {
            Ok(()) => return Ok(exception),
            Err(error) => again(error, &mut attempt).await?,
        }
    }
}

async fn resolving(
    app: &App,
    flow: &Versioned<Flow>,
    actor: &Actor,
    resolved: &ExceptionResolved,
    now: Time,
) -> Result<(FlowException, Vec<TransactWriteItem>), ExecuteError> {
    let watch = watch(flow, &resolved.exception);
    let seen: Option<Seen<FlowException>> = app.watches.load(&watch).await?;
    let unknown = || Rejection::Unknown { what: "exception", id: resolved.exception.clone() };
    let seen = seen.ok_or_else(unknown)?;
    let fact = seen.value.resolve(resolved)?;
    moved_on(app, flow, actor.clone(), (&watch, &seen), (fact, None), now).await.map_err(ExecuteError::from)
}

/// An exception with `fact` taken in, and what stores both.
async fn moved_on(
    app: &App,
    flow: &Versioned<Flow>,
    actor: Actor,
    (watch, seen): (&Watch, &Seen<FlowException>),
    (fact, cause): (Fact, Option<String>),
    now: Time,
) -> Result<(FlowException, Vec<TransactWriteItem>), StoreError> {
    let record = flow_record(app, flow, actor, fact, cause, now).await?;
    let mut exception = seen.value.clone();
    exception.apply(record.at, &record.fact);
    let mut records = vec![record];
    for settled in exception.settlements(&flow.document.title) {
        exception.apply(now, &settled);
        let next = records.last().map(|last| last.followed_by(settled));
        records.extend(next);
    }
    let mut items = records.iter().map(|record| app.audit.put(record)).collect::<Result<Vec<_>, _>>()?;
    items.push(app.watches.put(watch, Some(seen), &exception)?);
    Ok((exception, items))
}

/// What writes down `fact`, of a delivery, with the exception of a flow that it is about; `None` when there is none.
///
/// # Errors
/// The tables cannot be read.
pub(crate) async fn delivered(
    app: &App,
    flow: &Versioned<Flow>,
    exception: &str,
    (actor, fact, cause): (Actor, Fact, Option<String>),
    now: Time,
) -> Result<Option<Vec<TransactWriteItem>>, StoreError> {
    let watch = watch(flow, exception);
    let Some(seen) = app.watches.load::<FlowException>(&watch).await? else { return Ok(None) };
    let (_, items) = moved_on(app, flow, actor, (&watch, &seen), (fact, cause), now).await?;
    Ok(Some(items))
}

/// The clock looks at an exception of a flow: one that was not resolved in time climbs its ladder.
///
/// # Errors
/// The tables are not available.
pub async fn look_at(app: &App, flow: &str, exception: &str, now: Time) -> Result<(), StoreError> {
    let mut attempt = 0;
    loop {
        let in_force = app.config.fresh().await?;
        let Some(flow) = in_force.config.flows.get(flow) else { return Ok(()) };
        let watch = watch(flow, exception);
        let Some(seen) = app.watches.load::<FlowException>(&watch).await? else { return Ok(()) };
        let calendar = in_force.config.hours_of(&flow.document);
        let people = in_force.config.people();
        let fact = decide::recovery_of_flow(&seen.value, &flow.document, calendar, &people, now);
        let Some(fact) = fact else { return Ok(()) };
        let actor = Actor::system("sla-check");
        let (_, items) = moved_on(app, flow, actor, (&watch, &seen), (fact, None), now).await?;
        match app.watches.commit(items).await {
            // The ladder's first step may be due at once.
            Ok(()) => attempt = 0,
            Err(error) => again(error, &mut attempt).await?,
        }
    }
}

/// Parks a run that fails again and again, and opens an exception about it in its flow's trail.
///
/// # Errors
/// The tables are not available.
pub async fn park(
    app: &App,
    run: &str,
    flow: &Versioned<Flow>,
    calendar: Option<&Calendar>,
    directory: &Directory,
    why: &str,
    now: Time,
) -> Result<(), StoreError> {
    let mut attempt = 0;
    loop {
        let about = ("the run's clock to be looked at".to_owned(), why.to_owned());
        let (kind, id) = (ExceptionKind::RunParked, run.to_owned());
        let opened = decide::exception_of_flow(&flow.document, calendar, directory, kind, id, about, now);
        let opening = opening(app, flow, "sla-check", opened, now).await?;
        let items = opening.iter().flat_map(|opening| opening.items.clone()).collect();
        match app.runs.park(run, items).await {
            Ok(()) => {
                opening.iter().for_each(|opening| opening.measure(now));
                return Ok(());
            }
            Err(error) => again(error, &mut attempt).await?,
        }
    }
}
