//! Route: an event was kept; runs are opened, joined and cancelled, and open runs look at it.

mod alias;

use std::collections::BTreeMap;

use aws_lambda_events::dynamodb::{Event as StreamEvent, EventRecord};
use aws_lambda_events::streams::DynamoDbEventResponse;
use futures_util::StreamExt;
use meshline_aws::config::InForce;
use meshline_aws::execute::{self, ExecuteError};
use meshline_aws::{App, StoreError, events, parked, silence, stream, telemetry};
use meshline_core::event::Event;
use meshline_core::id;
use meshline_core::route::{self, Candidate, Step};
use meshline_core::time::Time;
use tracing::{Instrument, Span};

/// Subjects that are routed at the same time; events of one subject are routed one after the other.
const AT_ONCE: usize = 8;

/// Routes a batch of the events table's stream. What fails is named, so that the stream comes back to it.
pub async fn handle(app: &App, batch: StreamEvent, now: Time) -> DynamoDbEventResponse {
    let mut subjects: BTreeMap<String, Vec<EventRecord>> = BTreeMap::new();
    for record in batch.records.into_iter().filter(is_to_be_routed) {
        let key = stream::partition_key(&record);
        // Rejected deliveries are kept in the same table; there is nothing to route.
        if key.starts_with("S#") {
            subjects.entry(key).or_default().push(record);
        }
    }
    if subjects.is_empty() {
        return stream::failures([]);
    }
    // Once for all of them: they were kept before, and so meet whatever was in force when they came in, or later.
    let in_force = match app.config.fresh().await {
        Ok(in_force) => in_force,
        Err(error) => {
            tracing::error!(%error, "events could not be looked at");
            return stream::failures(subjects.values().flatten().map(sequence_number));
        }
    };
    let work = Work { app, in_force: &in_force, now };
    let routed: Vec<_> = subjects.into_values().map(|records| subject(work, records)).collect();
    let failed: Vec<Option<String>> =
        futures_util::stream::iter(routed).buffer_unordered(AT_ONCE).collect().await;
    stream::failures(failed.into_iter().flatten())
}

/// What a batch is worked at with.
#[derive(Debug, Clone, Copy)]
struct Work<'a> {
    app: &'a App,
    in_force: &'a InForce,
    now: Time,
}

/// Whether it is an event that came in, or one that is replayed; one that expires is not.
fn is_to_be_routed(record: &EventRecord) -> bool {
    match record.event_name.as_str() {
        "INSERT" => true,
        "MODIFY" => record.change.new_image.get("replayed_at").is_some(),
        _ => false,
    }
}

fn sequence_number(record: &EventRecord) -> String {
    record.change.sequence_number.clone().unwrap_or_default()
}

/// Routes the events of one subject in order; gives the sequence number of the first that failed.
async fn subject(work: Work<'_>, records: Vec<EventRecord>) -> Option<String> {
    for record in records {
        let sequence_number = sequence_number(&record);
        let event = events::event(&record.change.new_image.into());
        let span = event.as_ref().map_or(Span::none(), telemetry::event_span);
        let routed = match &event {
            Ok(event) => one(work, event).instrument(span.clone()).await.map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        if let Err(error) = routed {
            let _in_event = span.entered();
            tracing::error!(error, sequence_number, "an event could not be routed");
            return Some(sequence_number);
        }
    }
    None
}

async fn one(work: Work<'_>, event: &Event) -> Result<(), StoreError> {
    let Work { app, in_force, now } = work;
    let config = &in_force.config;
    if alias::passed_on(app, config, event).await? {
        return Ok(());
    }
    alias::learn(app, config, event).await?;
    let corrupt = |why: String| StoreError::Corrupt { doing: "route an event", what: event.key(), why };
    let triggered = in_force.router.triggered(event).map_err(|error| corrupt(error.to_string()))?;
    let runs = app.runs.of_subject(&event.subject).await?;
    let mut flows = Vec::new();
    for run in &runs {
        flows.push(app.config.flow(&run.flow, run.flow_version).await?);
    }
    let candidates: Vec<Candidate<'_>> =
        runs.iter().zip(&flows).map(|(run, flow)| Candidate { run, flow: &flow.document }).collect();
    let triggered: Vec<_> =
        triggered.iter().filter_map(|id| config.flows.get(id)).map(|flow| flow.document.as_ref()).collect();
    let steps = route::steps(event, &triggered, &candidates);
    // Also when this is a retry after a crash: the run is there, and may not have looked at early signals yet.
    let opened = route::opened(event, &triggered, &candidates, &steps);
    for step in steps {
        take(work, event, step).await?;
    }
    for flow in triggered.iter().filter_map(|flow| config.flows.get(&flow.id)) {
        let calendar = config.hours_of(&flow.document);
        silence::heard(app, flow, calendar, event.received_at, now).await?;
    }
    if opened.is_empty() {
        let awaiting = in_force.router.awaiting(event).map_err(|error| corrupt(error.to_string()))?;
        if triggered.is_empty() && route::finds_no_run(&awaiting, &candidates) {
            app.parked.park(event, awaiting, now).await?;
        }
        return Ok(());
    }
    let kept = app.events.of_subject(&event.subject).await?;
    let parked = app.parked.of_subject(&event.subject).await?;
    let others: Vec<Candidate<'_>> =
        candidates.into_iter().filter(|candidate| !opened.contains(&candidate.run.run)).collect();
    for step in route::early(event, &opened, &kept, &parked, &others) {
        take(work, event, step).await?;
    }
    for flow in triggered {
        let run = id::run_id(event, &flow.id);
        for signal in parked.iter().filter(|signal| opened.contains(&run) && signal.is_for(&flow.id)) {
            parked::taken(app, signal, &run, now).await?;
        }
    }
    Ok(())
}

async fn take(work: Work<'_>, event: &Event, step: Step) -> Result<(), StoreError> {
    let Work { app, in_force: InForce { config, .. }, now } = work;
    let directory = config.people();
    match step {
        Step::Open { flow } => {
            let Some(flow) = config.flows.get(&flow) else { return Ok(()) };
            let span = telemetry::run_span(&id::run_id(event, &flow.document.id));
            execute::open(app, flow, config.calendar_of(&flow.document), &directory, event, now)
                .instrument(span)
                .await
                .map(|_| ())
        }
        Step::Command { run, command } => {
            let span = telemetry::run_span(&run);
            let executed = execute::execute(app, &run, &command, &directory, now);
            match executed.instrument(span.clone()).await {
                Ok(_) => Ok(()),
                Err(ExecuteError::Store(error)) => Err(error),
                // Somebody closed or cancelled the run meanwhile: then the event has nothing to say to it.
                Err(error @ (ExecuteError::Rejected(_) | ExecuteError::NoRun(_))) => {
                    span.in_scope(|| tracing::info!(reason = %error, "an event came too late for a run"));
                    Ok(())
                }
            }
        }
    }
}
