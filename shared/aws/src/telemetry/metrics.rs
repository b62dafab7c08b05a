//! Metrics in CloudWatch's embedded metric format.
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>

use std::sync::LazyLock;

use meshline_core::measure::Measures;
use meshline_core::time::{Span, Time};
use serde_json::{Map, Value, json};
use tracing::Level;

/// The target under which metrics go through `tracing`: the level of logs does not concern them, and no person wants
/// to see them.
pub(super) const TARGET: &str = "metrics";
/// The namespace of all metrics; the alarms of template.yaml name it.
const NAMESPACE: &str = "Meshline";

/// The value of the dimension `stack`. `MESHLINE_STACK`
static STACK: LazyLock<String> =
    LazyLock::new(|| std::env::var("MESHLINE_STACK").unwrap_or_else(|_| "local".to_owned()));

/// Publishes one value of the stack.
pub fn metric(name: &str, unit: &str, value: f64, now: Time) {
    publish(None, &[(name, unit, vec![value])], now);
}

/// Publishes one value of the stack and of a source.
pub fn metric_of_source(source: &str, name: &str, unit: &str, value: f64, now: Time) {
    publish(Some(("source", source)), &[(name, unit, vec![value])], now);
}

/// Publishes what a decision adds to the metrics of the stack and of its flow, in one line.
pub fn decided(flow: &str, measures: &Measures, now: Time) {
    let count = |name, n: i64| (name, "Count", if n == 0 { Vec::new() } else { vec![n as f64] });
    let seconds = |name, spans: &[Span]| {
        (name, "Seconds", spans.iter().map(|span| span.ms() as f64 / 1000.0).collect())
    };
    let metrics = [
        count("Triggers", measures.triggers),
        count("OutcomesMet", measures.outcomes_met),
        count("OutcomesBreached", measures.outcomes_breached),
        count("ExceptionsOpened", measures.exceptions_opened),
        count("DeliveriesFailed", measures.deliveries_failed),
        seconds("OutcomeLatencySeconds", &measures.outcome_latency),
        seconds("RemediationSeconds", &measures.remediation),
        seconds("AcknowledgeSeconds", &measures.acknowledge),
    ];
    publish(Some(("flow", flow)), &metrics, now);
}

/// A metric's name, unit and values.
type Metric<'a> = (&'a str, &'a str, Vec<f64>);

/// Publishes metrics of the stack, and by `of` too; those without values are left out.
fn publish(of: Option<(&str, &str)>, metrics: &[Metric<'_>], now: Time) {
    let metrics: Vec<_> = metrics.iter().filter(|(_, _, values)| !values.is_empty()).collect();
    if metrics.is_empty() || !tracing::enabled!(target: TARGET, Level::INFO) {
        return;
    }
    let mut dimensions = vec![vec!["stack"]];
    let mut line = Map::from_iter([("stack".to_owned(), json!(*STACK))]);
    if let Some((dimension, value)) = of {
        dimensions.push(vec!["stack", dimension]);
        line.insert(dimension.to_owned(), json!(value));
    }
    line.extend(metrics.iter().map(|(name, _, values)| ((*name).to_owned(), json!(values))));
    let definitions: Vec<Value> =
        metrics.iter().map(|(name, unit, _)| json!({"Name": name, "Unit": unit})).collect();
    let directive = json!({"Namespace": NAMESPACE, "Dimensions": dimensions, "Metrics": definitions});
    line.insert("_aws".to_owned(), json!({"Timestamp": now.unix_ms(), "CloudWatchMetrics": [directive]}));
    let line = Value::Object(line);
    tracing::info!(target: TARGET, "{line}");
}
