//! Logs and metrics, both as JSON lines on standard output, where CloudWatch reads them.

mod lines;
mod metrics;

use meshline_core::event::Event;
use meshline_core::record::Record;
use meshline_core::run::Run;
use tracing::field::Empty;
use tracing::{Span, Subscriber, error_span};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use lines::Lines;
pub use metrics::{decided, metric, metric_of_source};

/// Starts logging for a Lambda function. The level comes from `RUST_LOG`, else it is `info`.
pub fn init() {
    json_lines(&level("info"), std::io::stdout).init();
}

/// What `RUST_LOG` says, else `default`.
fn level(default: &str) -> String {
    let level = std::env::var("RUST_LOG").ok().filter(|level| !level.is_empty());
    level.unwrap_or_else(|| default.to_owned())
}

/// What takes log lines and metrics and writes each as one line of JSON. A log line has the fields of all spans that
/// it is in, and `timestamp`, `level` and `message`. Metrics are written whatever the level.
pub fn json_lines<W>(level: &str, writer: W) -> impl Subscriber + Send + Sync
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    // The runtime's span has the id of the invocation.
    let always = format!("{}=info,lambda_runtime::layers::trace=info", metrics::TARGET);
    let filter = EnvFilter::new(format!("{level},{always}"));
    tracing_subscriber::registry().with(filter).with(Lines::new(writer))
}

/// Starts logging for a person: text on standard error. The level comes from `RUST_LOG`, else it is `warn`; what
/// emulators say of a request that is refused on purpose is left out, and so are metrics.
pub fn init_for_person() {
    let filter = EnvFilter::new(format!("{},{}=off", level("error,meshline=warn"), metrics::TARGET));
    tracing_subscriber::fmt().with_env_filter(filter).with_target(false).with_writer(std::io::stderr).init();
}

/// The span of what is done because of an event: its log lines have `event`, `subject` and `trace_id`.
pub fn event_span(event: &Event) -> Span {
    // A span of this level is there at every level: its fields must not be missing from an error.
    error_span!("event", event = event.key(), subject = event.subject, trace_id = %event.trace_id())
}

/// The span of what is done to a run: its log lines have `run`, and `flow`, `subject` and `trace_id` once the run is
/// [`known`].
pub fn run_span(run: &str) -> Span {
    error_span!("run", run, flow = Empty, subject = Empty, trace_id = Empty)
}

/// The span of what is done because of a record: its log lines have what those of its run have, and `seq`.
pub fn record_span(record: &Record) -> Span {
    let span = error_span!(
        "record",
        run = record.run,
        seq = record.seq,
        flow = record.flow,
        subject = record.subject,
        trace_id = Empty
    );
    if let Some(trace) = record.trace {
        span.record("trace_id", tracing::field::display(trace));
    }
    span
}

/// Says in the [`run_span`] that we are in which run it is about.
pub fn known(run: &Run) {
    let span = Span::current();
    span.record("flow", run.flow.as_str()).record("subject", run.subject.as_str());
    if let Some(trace) = run.trace {
        span.record("trace_id", tracing::field::display(trace));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;
    use std::sync::Arc;

    #[test]
    fn at_any_level_an_error_has_the_fields_of_its_spans_and_metrics_are_written() {
        let (mut output, writer) = std::io::pipe().unwrap();
        tracing::subscriber::with_default(json_lines("error", Arc::new(writer)), || {
            tracing::info!("left out");
            run_span("r-1").in_scope(|| tracing::error!(n = 7, "failed"));
            metric("DueRuns", "Count", 3.0, crate::clock::now());
        });
        let mut text = String::new();
        output.read_to_string(&mut text).unwrap();
        let lines: Vec<serde_json::Value> =
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), 2, "{text}");
        let line = &lines[0];
        assert_eq!(
            (&line["run"], &line["n"], &line["message"]),
            (&"r-1".into(), &7.into(), &"failed".into())
        );
        assert_eq!(lines[1]["DueRuns"], serde_json::json!([3.0]));
    }
}
