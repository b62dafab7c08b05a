//! Deliveries: where a message comes from, whether it is still wanted, and what became of it.

use std::sync::Arc;

use aws_sdk_dynamodb::types::TransactWriteItem;
use meshline_core::alert::Matter;
use meshline_core::command::{Action, Command};
use meshline_core::config::Versioned;
use meshline_core::config::directory::Directory;
use meshline_core::config::flow::Flow;
use meshline_core::delivery::{self, About, Delivery, DeliveryResult};
use meshline_core::measure::Measures;
use meshline_core::record::{Actor, Fact, Record};
use meshline_core::run::Run;
use meshline_core::time::Time;

use crate::app::App;
use crate::error::StoreError;
use crate::exception;
use crate::execute::{self, ExecuteError, again, flow_record};
use crate::telemetry;

/// Who reports.
const ACTOR: &str = "notify";

/// The run or the flow that a message comes from, as it is now.
#[derive(Debug)]
pub enum Origin {
    /// A run, with the version of the flow that it was opened with.
    Run(Box<Run>, Arc<Versioned<Flow>>),
    /// A flow itself, with what was recorded since the message.
    Flow(Vec<Record>, Arc<Versioned<Flow>>),
}

impl Origin {
    /// What `run`, or `FLOW#<id>`, is now, for a message of its record `seq`.
    ///
    /// # Errors
    /// There is no such thing, or the tables are not available.
    pub async fn load(app: &App, run: &str, seq: u64) -> Result<Self, ExecuteError> {
        if run.starts_with("FLOW#") {
            let since = app.audit.trail(run, seq).await?;
            return Ok(Self::Flow(since, flow_of(app, run).await?));
        }
        let loaded = app.runs.load(run).await?.ok_or_else(|| ExecuteError::NoRun(run.to_owned()))?;
        let flow = app.config.flow(&loaded.flow, loaded.flow_version).await?;
        Ok(Self::Run(Box::new(loaded), flow))
    }

    /// Whether that was reported already.
    pub fn is_reported(&self, cause: &str) -> bool {
        match self {
            Self::Run(run, _) => run.has_seen(cause),
            Self::Flow(since, _) => since.iter().any(|record| record.cause.as_deref() == Some(cause)),
        }
    }

    /// Why a message about it need not be sent any more, if so.
    pub fn moot(&self, about: About<'_>) -> Option<String> {
        match (self, about) {
            (Self::Run(run, _), about) => delivery::moot(run, about),
            (Self::Flow(since, _), About::Exception(id) | About::Step(_, Some(id), _)) => {
                let is_over = |record: &&Record| matches!(&record.fact, Fact::ExceptionResolved(resolved) if resolved.exception == id);
                since
                    .iter()
                    .find(is_over)
                    .map(|record| format!("the exception was resolved at {}", record.at))
            }
            (
                Self::Flow(..),
                About::Step(_, None, _) | About::Request(_) | About::Whole | About::Settlement,
            ) => None,
        }
    }

    /// The directory's channel that gets its tickets.
    pub fn ticket_channel(&self) -> Option<&str> {
        let (Self::Run(_, flow) | Self::Flow(_, flow)) = self;
        flow.document.exceptions.as_ref()?.channel.as_deref()
    }
}

async fn flow_of(app: &App, run: &str) -> Result<Arc<Versioned<Flow>>, ExecuteError> {
    let in_force = app.config.fresh().await?;
    let flow = run.strip_prefix("FLOW#").and_then(|id| in_force.config.flows.get(id).cloned());
    flow.map(Arc::new).ok_or_else(|| ExecuteError::NoRun(run.to_owned()))
}

/// Writes down, once, what became of a message about `run` or `FLOW#<id>`.
///
/// # Errors
/// The tables are not available.
pub async fn report(
    app: &App,
    run: &str,
    delivery: Delivery,
    directory: &Directory,
    now: Time,
) -> Result<(), ExecuteError> {
    if run.starts_with("FLOW#") {
        return report_of_flow(app, run, &delivery, now).await;
    }
    let cause = Some(delivery.cause());
    let action = Action::ReportDelivery(Box::new(delivery));
    let command = Command { action, actor: Actor::system(ACTOR), if_version: None, cause };
    execute::execute(app, run, &command, directory, now).await.map(drop)
}

async fn report_of_flow(app: &App, run: &str, delivery: &Delivery, now: Time) -> Result<(), ExecuteError> {
    let flow = flow_of(app, run).await?;
    let cause = delivery.cause();
    let mut attempt = 0;
    loop {
        let since = app.audit.trail(run, delivery.message).await?;
        if since.iter().any(|record| record.cause.as_ref() == Some(&cause)) {
            return Ok(());
        }
        match app.watches.commit(written(app, &flow, delivery, &cause, now).await?).await {
            Ok(()) => {
                let failed = i64::from(matches!(delivery.result, DeliveryResult::Failed { .. }));
                let measures = Measures { deliveries_failed: failed, ..Measures::default() };
                telemetry::decided(&flow.document.id, &measures, now);
                return Ok(());
            }
            Err(error) => again(error, &mut attempt).await?,
        }
    }
}

/// What writes the report of a flow: with the exception that it raised an alert about, where it did.
async fn written(
    app: &App,
    flow: &Versioned<Flow>,
    delivery: &Delivery,
    cause: &str,
    now: Time,
) -> Result<Vec<TransactWriteItem>, StoreError> {
    let (actor, fact, cause) = (Actor::system(ACTOR), delivery.fact(), Some(cause.to_owned()));
    if let DeliveryResult::Succeeded { raised: Some(Matter::Exception(id)), .. } = &delivery.result {
        let with = exception::delivered(app, flow, id, (actor.clone(), fact.clone(), cause.clone()), now);
        if let Some(items) = with.await? {
            return Ok(items);
        }
    }
    let record = flow_record(app, flow, actor, fact, cause, now).await?;
    Ok(vec![app.audit.put(&record)?])
}
