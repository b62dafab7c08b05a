//! SLA check: due runs are ticked. A tick is a hint; the core looks at the stored clocks.

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use futures_util::StreamExt;
use meshline_aws::due::{Due, Subject};
use meshline_aws::execute::{self, ExecuteError};
use meshline_aws::watch::Watch;
use meshline_aws::{App, StoreError, duties, exception, parked, rotation, silence, telemetry};
use meshline_core::command::{Action, Command};
use meshline_core::config::directory::Directory;
use meshline_core::record::Actor;
use meshline_core::time::{Span, Time};
use serde::{Deserialize, Serialize};
use tokio::sync::OnceCell;
use tracing::Instrument;

/// Two firings of `rate(1 minute)` can be 119 s apart; what falls due until after the next one is sent ahead.
const LOOKAHEAD: Span = Span::from_ms(150_000);
/// Runs read from one partition of the index at a time.
const PAGE: i32 = 100;
/// Pages of one partition in one sweep: with 16 partitions 80,000 runs, far more than a minute's work.
const MAX_PAGES: usize = 50;
/// Runs of one partition that are ticked at the same time.
const AT_ONCE: usize = 8;
/// Failures in a row after which a run is parked, so that it holds up nothing.
const MAX_FAILURES: u32 = 5;

/// The body of a message in the queue `ticks`.
#[derive(Debug, Serialize, Deserialize)]
struct TickMessage {
    run: String,
}

/// What a sweep found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sweep {
    /// Runs that were due.
    pub due: usize,
    /// Runs that fall due before the next sweep, sent ahead.
    pub ahead: usize,
    /// How long the longest due run had been.
    pub lag: Span,
}

/// Ticks every run that is due, the longest due first, and sends ahead what falls due soon.
///
/// # Errors
/// The index cannot be read; the next firing does it again.
pub async fn sweep(app: &App, now: Time) -> Result<Sweep, StoreError> {
    let people = People::default();
    let shards = app.due.shards();
    let swept = shards.iter().map(|shard| partition(app, shard, &people, now));
    let swept = futures_util::future::join_all(swept).await;
    let mut total = Sweep::default();
    for found in swept {
        let found = found?;
        total.due += found.due;
        total.ahead += found.ahead;
        total.lag = total.lag.max(found.lag);
    }
    telemetry::metric("SweepLagSeconds", "Seconds", total.lag.ms() as f64 / 1000.0, now);
    telemetry::metric("DueRuns", "Count", total.due as f64, now);
    Ok(total)
}

/// The directory of one invocation, read by the first run that needs it: most sweeps find none due. `None` where it could
/// not be read: then the other runs of the invocation do not wait for a table that is not there.
#[derive(Default)]
struct People(OnceCell<Option<Arc<Directory>>>);

impl People {
    async fn get(&self, app: &App) -> Option<&Directory> {
        let read = async {
            // Boxed, as it is large, and deep: the compiler follows futures within futures only so far.
            let read = Box::pin(app.config.fresh()).await;
            let failed = |error: &StoreError| tracing::error!(error = %error, "runs could not be looked at");
            read.inspect_err(failed).ok().map(|in_force| in_force.config.people())
        };
        self.0.get_or_init(|| read).await.as_deref()
    }
}

async fn partition(app: &App, shard: &str, people: &People, now: Time) -> Result<Sweep, StoreError> {
    let mut found = Sweep::default();
    for _ in 0..MAX_PAGES {
        let page = app.due.until(shard, now + LOOKAHEAD, PAGE).await?;
        let full = page.len() == PAGE as usize;
        let (due, ahead): (Vec<Due>, Vec<Due>) = page.into_iter().partition(|due| due.at <= now);
        found.lag = found.lag.max(due.first().map(|due| now.since(due.at)).unwrap_or_default());
        let ticks: Vec<_> = due.iter().map(|due| look_at(app, due, people, now)).collect();
        let ticked: Vec<bool> = futures_util::stream::iter(ticks).buffer_unordered(AT_ONCE).collect().await;
        found.due += due.len();
        found.ahead += ahead.len();
        send_ahead(app, &ahead, now).await;
        // Another page only if this one was all due and some of it is done: what failed comes back next time.
        if !full || !ahead.is_empty() || !ticked.contains(&true) {
            break;
        }
    }
    Ok(found)
}

/// Lets whatever is due catch up; false when that failed.
async fn look_at(app: &App, due: &Due, people: &People, now: Time) -> bool {
    let seen = match &due.what {
        Subject::Run(run) => return tick(app, run, people, now).await,
        Subject::Watch(Watch::Silence(flow)) => silence::look_at(app, flow, now).await,
        Subject::Watch(Watch::Duties(flow)) => duties::look_at(app, flow, now).await,
        Subject::Watch(Watch::Turn(role)) => rotation::look_at(app, role, now).await,
        Subject::Watch(Watch::Exception { flow, exception }) => {
            exception::look_at(app, flow, exception, now).await
        }
        // Nothing of it falls due.
        Subject::Watch(Watch::Issue { .. }) => Ok(()),
        Subject::Parked(place) => parked::orphaned(app, place, now).await,
    };
    if let Err(error) = &seen {
        tracing::error!(error = %error, what = ?due.what, "what is due could not be looked at");
    }
    seen.is_ok()
}

/// Sends runs ahead to their second. For what else falls due the next sweep is soon enough.
async fn send_ahead(app: &App, ahead: &[Due], now: Time) {
    let ticks: Vec<_> = ahead
        .iter()
        .filter_map(|due| {
            let Subject::Run(run) = &due.what else { return None };
            let body = serde_json::json!(TickMessage { run: run.clone() });
            Some((body, (due.at.since(now).ms() + 999) / 1000))
        })
        .collect();
    if let Err(error) = app.outbox.send_ticks(&ticks).await {
        tracing::warn!(error = %error, "ticks could not be sent ahead; the next sweep finds them");
    }
}

/// Ticks the runs of a batch of the queue `ticks`, each once: every sweep that saw it coming has sent it.
pub async fn ticks(app: &App, batch: SqsEvent, now: Time) -> SqsBatchResponse {
    let people = People::default();
    let mut answer = SqsBatchResponse::default();
    let mut ticked = BTreeMap::new();
    for message in batch.records {
        let body = message.body.as_deref().unwrap_or_default();
        let done = match serde_json::from_str::<TickMessage>(body) {
            Ok(TickMessage { run }) => match ticked.get(&run) {
                Some(done) => *done,
                None => {
                    let done = tick(app, &run, &people, now).await;
                    ticked.insert(run, done);
                    done
                }
            },
            Err(error) => {
                tracing::error!(error = %error, message = message.message_id, "not a tick");
                false
            }
        };
        if !done {
            answer.add_failure(message.message_id.unwrap_or_default());
        }
    }
    answer
}

/// Lets a run's clock catch up; false when that failed.
async fn tick(app: &App, run: &str, people: &People, now: Time) -> bool {
    let Some(directory) = people.get(app).await else { return false };
    catch_up(app, run, directory, now).instrument(telemetry::run_span(run)).await
}

async fn catch_up(app: &App, run: &str, directory: &Directory, now: Time) -> bool {
    let actor = Actor::system("sla-check");
    let command = Command { action: Action::Tick, actor, if_version: None, cause: None };
    match execute::execute(app, run, &command, directory, now).await {
        Ok(_) | Err(ExecuteError::NoRun(_)) => true,
        Err(error) => {
            tracing::error!(error = %error, "a run could not be ticked");
            let passing = matches!(&error, ExecuteError::Store(error) if error.is_passing());
            !passing && park_if_hopeless(app, run, directory, &error.to_string(), now).await
        }
    }
}

/// Parks a run that failed too often; whether it is parked, by whomever, and need not be ticked again.
async fn park_if_hopeless(app: &App, run: &str, directory: &Directory, why: &str, now: Time) -> bool {
    let parked = async {
        let failures = app.runs.count_failure(run).await?;
        if failures.parked || failures.count < MAX_FAILURES {
            return Ok(failures.parked);
        }
        let in_force = app.config.fresh().await?;
        match failures.flow.and_then(|flow| in_force.config.flows.get(&flow).cloned()) {
            Some(flow) => {
                let calendar = in_force.config.hours_of(&flow.document);
                exception::park(app, run, &flow, calendar, directory, why, now).await?;
            }
            None => app.runs.park(run, Vec::new()).await?,
        }
        Ok(true)
    };
    parked.await.unwrap_or_else(|error: StoreError| {
        tracing::error!(error = %error, "a run that cannot be ticked could not be parked");
        false
    })
}
