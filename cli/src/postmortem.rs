//! `postmortem`: what went wrong in a flow in a period, as the draft of a document. All of it is what the API tells.

mod draft;
mod markdown;

use std::collections::BTreeSet;

use clap::Args;
use meshline_core::record::{Fact, Record};
use meshline_core::time::{Span, Time};
use meshline_core::view::{ExceptionView, RunView};
use serde::Serialize;
use serde_json::{Value, json};

use crate::client::{Client, Pages};
use crate::failure::{Exit, Failure};
use crate::progress::Progress;
use crate::report::time;
use crate::screen::Screen;
use crate::show::{self, Tone};

/// What a draft covers where the caller does not say.
const DEFAULT_PERIOD: Span = Span::days(7);
/// Each day is a call, and a longer period no longer one story.
const MAX_PERIOD: Span = Span::days(92);
/// Runs that a draft is about, the first to go wrong: each is a call.
const MAX_RUNS: usize = 100;

/// Arguments of `postmortem`.
#[derive(Debug, Args)]
pub(crate) struct Postmortem {
    /// The flow
    flow: String,
    /// What happened at or after this time or day (UTC) [default: a week before `to`]
    #[arg(long, value_name = "TIME", value_parser = time)]
    from: Option<Time>,
    /// What happened before this time or day (UTC) [default: now]
    #[arg(long, value_name = "TIME", value_parser = time)]
    to: Option<Time>,
}

/// What a draft is made of.
#[derive(Debug, Serialize)]
struct Facts {
    flow: String,
    from: Time,
    to: Time,
    /// The moment that they are of.
    at: Time,
    /// Runs in which something went wrong in the period, the first one first.
    runs: Vec<RunView>,
    /// Runs in which something did and that are left out.
    left_out: usize,
    /// Their records of the period, and those of the flow itself, in order.
    records: Vec<Record>,
    /// All exceptions of the flow, of any time.
    exceptions: Vec<ExceptionView>,
}

/// Prints the draft.
pub(crate) async fn run(client: &Client, args: &Postmortem, screen: &Screen) -> Result<Exit, Failure> {
    let facts = Progress::of("reading what happened").during(facts(client, args)).await?;
    if screen.is_json() {
        screen.document(&json!(facts))?;
    } else {
        screen.text(&draft::document(&facts))?;
    }
    Ok(Exit::Done)
}

async fn facts(client: &Client, args: &Postmortem) -> Result<Facts, Failure> {
    let flow = args.flow.as_str();
    let known = client.get(&["v1", "flows", flow], &[]).await?;
    let at = known.now;
    known.read::<Value>("the flow")?;
    // What happened at this very moment belongs to it.
    let to = args.to.unwrap_or(at + Span::from_ms(1));
    let from = args.from.unwrap_or(to - DEFAULT_PERIOD);
    if from >= to || to.since(from) > MAX_PERIOD {
        let reason = format!("a post-mortem is of a period of up to {MAX_PERIOD}, not from {from} to {to}");
        return Err(Failure::Usage(reason));
    }
    let mut records = records(client, flow, from, to).await?;
    let wrong = went_wrong(&records);
    let mut runs = Vec::new();
    for run in wrong.iter().take(MAX_RUNS) {
        runs.push(client.get(&["v1", "runs", run], &[]).await?.read::<RunView>("the run")?);
    }
    let told: BTreeSet<&str> = runs.iter().map(|run| run.run.as_str()).collect();
    records.retain(|record| told.contains(record.run.as_str()) || record.run.starts_with("FLOW#"));
    let listed = client.list(&["v1", "exceptions"], &[("flow", Some(flow))], Pages::All).await?;
    let exceptions = listed.items("an exception")?;
    let left_out = wrong.len() - runs.len();
    Ok(Facts { flow: flow.to_owned(), from, to, at, runs, left_out, records, exceptions })
}

/// Every record of the flow in the period, in order.
async fn records(client: &Client, flow: &str, from: Time, to: Time) -> Result<Vec<Record>, Failure> {
    let mut records: Vec<Record> = Vec::new();
    let mut day = from;
    // `from` and then each midnight after it.
    while day < to {
        let query = [("flow", Some(flow)), ("day", Some(&*day.day())), ("limit", Some("200"))];
        records.extend(client.list(&["v1", "audit"], &query, Pages::All).await?.items("the trail")?);
        let next = (day + Span::days(1)).day();
        day = time(&next).map_err(|reason| Failure::Unreadable { what: "the day", reason })?;
    }
    records.retain(|record| from <= record.at && record.at < to);
    records.sort_by_cached_key(|record| (record.at, record.run.clone(), record.seq));
    Ok(records)
}

/// The runs in which something went wrong, the first one first.
fn went_wrong(records: &[Record]) -> Vec<String> {
    let is_wrong = |fact: &Fact| show::tone(fact) == Tone::Alarm || matches!(fact, Fact::ExceptionOpened(_));
    let mut runs: Vec<String> = Vec::new();
    for record in records.iter().filter(|it| is_wrong(&it.fact) && !it.run.starts_with("FLOW#")) {
        if !runs.contains(&record.run) {
            runs.push(record.run.clone());
        }
    }
    runs
}
