//! Load, decide, commit: the one way a run comes to be or changes.

use std::hash::{BuildHasher, Hasher};
use std::time::Duration;

use meshline_core::command::{Command, Decision, Rejection};
use meshline_core::config::Versioned;
use meshline_core::config::calendar::Calendar;
use meshline_core::config::directory::Directory;
use meshline_core::config::flow::Flow;
use meshline_core::decide::{self, Context};
use meshline_core::event::Event;
use meshline_core::measure::Measures;
use meshline_core::record::{Actor, Fact, Record};
use meshline_core::run::Run;
use meshline_core::time::Time;
use meshline_core::trail;

use crate::app::App;
use crate::error::StoreError;
use crate::telemetry;

/// How often a decision is made again because somebody else was faster, or the table was busy.
const ATTEMPTS: u32 = 8;

/// Why a command was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum ExecuteError {
    /// There is no such run.
    #[error("there is no run `{0}`")]
    NoRun(String),
    /// The core refuses it.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// It could not be stored.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Gives `command` to a run.
///
/// # Errors
/// The run does not exist, the command is refused, or the table is not available.
pub async fn execute(
    app: &App,
    run: &str,
    command: &Command,
    directory: &Directory,
    now: Time,
) -> Result<Decision, ExecuteError> {
    let mut attempt = 0;
    loop {
        let loaded = app.runs.load(run).await?.ok_or_else(|| ExecuteError::NoRun(run.to_owned()))?;
        telemetry::known(&loaded);
        let flow = app.config.flow(&loaded.flow, loaded.flow_version).await?;
        let calendar = app.config.calendar(&flow.document, loaded.calendar_version).await?;
        let context = Context { flow: &flow, calendar: calendar.as_deref(), directory };
        let decision = decide::decide(&loaded, context, command, now)?;
        if decision.records.is_empty() {
            return Ok(decision);
        }
        match commit(app, Some(loaded.version), &decision).await {
            Ok(()) => {
                committed(Some(&loaded), &decision, now);
                return Ok(decision);
            }
            Err(error) => again(error, &mut attempt).await?,
        }
    }
}

/// Opens the run of `flow`, which counts by `calendar`, for `event`; a run that is open already is left as it is.
///
/// # Errors
/// The table is not available.
pub async fn open(
    app: &App,
    flow: &Versioned<Flow>,
    calendar: Option<&Versioned<Calendar>>,
    directory: &Directory,
    event: &Event,
    now: Time,
) -> Result<Decision, StoreError> {
    let mut attempt = 0;
    loop {
        let decision = decide::open(Context { flow, calendar, directory }, event, now);
        telemetry::known(&decision.run);
        match commit(app, None, &decision).await {
            Ok(()) => {
                committed(None, &decision, now);
                return Ok(decision);
            }
            Err(StoreError::Moved { .. }) => match app.runs.load(&decision.run.run).await? {
                Some(run) => {
                    return Ok(Decision { records: Vec::new(), run });
                }
                None => again(StoreError::Moved { doing: "open a run" }, &mut attempt).await?,
            },
            Err(error) => again(error, &mut attempt).await?,
        }
    }
}

async fn commit(app: &App, version: Option<u64>, decision: &Decision) -> Result<(), StoreError> {
    let records = decision.records.iter().map(|record| app.audit.put(record)).collect::<Result<_, _>>()?;
    app.runs.commit(version, decision, records).await
}

/// Logs what was committed, and adds it to the metrics.
fn committed(before: Option<&Run>, decision: &Decision, now: Time) {
    let kinds: Vec<&str> = decision.records.iter().map(|record| record.fact.kind()).collect();
    tracing::info!(version = decision.run.version, records = kinds.join(" "), "decided");
    telemetry::decided(&decision.run.flow, &Measures::of(before, decision), now);
}

/// Waits a moment before the next attempt, or gives the error back.
pub(crate) async fn again(error: StoreError, attempt: &mut u32) -> Result<(), StoreError> {
    *attempt += 1;
    if !error.is_passing() || *attempt >= ATTEMPTS {
        return Err(error);
    }
    // Full jitter, so that those who met do not meet again: 0 to 20 ms at first, 0 to 640 ms at last.
    let ceiling = 10_u64 << (*attempt).min(6);
    let chance = std::hash::RandomState::new().build_hasher().finish();
    tokio::time::sleep(Duration::from_millis(chance % ceiling)).await;
    Ok(())
}

/// A record about a flow, which follows the last one of the flow's trail.
///
/// # Errors
/// The trail cannot be read.
pub async fn flow_record(
    app: &App,
    flow: &Versioned<Flow>,
    actor: Actor,
    fact: Fact,
    cause: Option<String>,
    now: Time,
) -> Result<Record, StoreError> {
    let id = &flow.document.id;
    let run = format!("FLOW#{id}");
    let last = app.audit.last(&run).await?;
    let mut record = Record {
        run,
        seq: last.as_ref().map_or(1, |last| last.seq + 1),
        at: last.as_ref().map_or(now, |last| last.at.max(now)),
        actor,
        flow: id.clone(),
        flow_version: flow.version,
        subject: format!("flow:{id}"),
        config_hash: flow.hash.clone(),
        cause,
        trace: None,
        suppressed: !flow.document.enabled,
        fact,
        prev: last.map_or_else(|| trail::GENESIS.to_owned(), |last| last.hash),
        hash: String::new(),
    };
    record.hash = trail::hash(&record);
    Ok(record)
}
