//! Relay: a record was committed; queues and bus are told. Nothing else sends to them.

use aws_lambda_events::dynamodb::Event as StreamEvent;
use aws_lambda_events::streams::DynamoDbEventResponse;
use meshline_aws::{App, audit, stream, telemetry};
use meshline_core::message::{self, Outgoing};
use meshline_core::time::Time;
use tracing::Span;

/// Relays a batch of the audit table's stream. What fails is named, so that the stream comes back to it.
/// A record that was changed or removed is no news to relay, but an alarm.
pub async fn handle(app: &App, batch: StreamEvent, now: Time) -> DynamoDbEventResponse {
    let console = app.settings.console_url.as_deref();
    let mut failed = Vec::new();
    let (mut outgoing, mut positions): (Vec<Outgoing>, Vec<(String, Span)>) = (Vec::new(), Vec::new());
    for record in batch.records {
        let sequence_number = record.change.sequence_number.unwrap_or_default();
        if record.event_name != "INSERT" {
            telemetry::metric("AuditTampered", "Count", 1.0, now);
            tracing::error!(event = record.event_name, keys = ?record.change.keys, "the audit table was tampered with");
            continue;
        }
        match audit::record(record.change.new_image.into()) {
            Ok(record) => {
                outgoing.push(message::outgoing(&record, &app.settings.public_url, console));
                positions.push((sequence_number, telemetry::record_span(&record)));
            }
            Err(error) => {
                tracing::error!(error = %error, sequence_number, "a record could not be read");
                failed.push(sequence_number);
            }
        }
    }
    for (position, error) in app.outbox.relay(&outgoing).await {
        if let Some((sequence_number, span)) = positions.get(position) {
            span.in_scope(
                || tracing::error!(error = %error, sequence_number, "a record could not be relayed"),
            );
            failed.push(sequence_number.clone());
        }
    }
    stream::failures(failed)
}
