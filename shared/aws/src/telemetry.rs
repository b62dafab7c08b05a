//! Logs and metrics, both as JSON lines on standard output, where CloudWatch reads them.

use std::io::Write;
use std::sync::OnceLock;

use meshline_core::time::Time;
use serde_json::json;

/// The namespace of all metrics; the alarms of template.yaml name it.
const NAMESPACE: &str = "Meshline";

/// Starts logging for a Lambda function. The level comes from `RUST_LOG`, else it is `info`.
pub fn init() {
    DEPLOYED.get_or_init(|| ());
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .json()
        .with_env_filter(filter)
        .with_current_span(false)
        .with_target(false)
        .init();
}

/// Set by [`init`]: only a deployed function has a CloudWatch that reads its output.
static DEPLOYED: OnceLock<()> = OnceLock::new();

/// Starts logging for a person: text on standard error. The level comes from `RUST_LOG`, else it is `warn`; what
/// emulators say of a request that is refused on purpose is left out.
pub fn init_for_person() {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("error,meshline=warn"));
    tracing_subscriber::fmt().with_env_filter(filter).with_target(false).with_writer(std::io::stderr).init();
}

/// Publishes one value in CloudWatch's embedded metric format; nothing outside a deployed function.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>
pub fn metric(name: &str, unit: &str, value: f64, now: Time) {
    if DEPLOYED.get().is_none() {
        return;
    }
    let line = json!({
        "_aws": {
            "Timestamp": now.unix_ms(),
            "CloudWatchMetrics": [{"Namespace": NAMESPACE, "Dimensions": [[]], "Metrics": [{"Name": name, "Unit": unit}]}],
        },
        name: value,
    });
    // A metric that cannot be written has nobody to be reported to.
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}
