//! Report: closes each day with a signed checkpoint of the audit trail, and shows the checkpoints.

mod queries;

use meshline_aws::vault::Vault;
use meshline_aws::{App, StoreError, telemetry};
use meshline_core::checkpoint::{self, Checkpoint, Envelope, Tally};
use meshline_core::day::Day;
use meshline_core::time::Time;

pub use queries::handle;

/// Days that one firing closes; what is left after a long absence is for the next ones.
const MAX_DAYS: usize = 31;
/// Records read from the index at a time.
const PAGE: usize = 1_000;

/// Makes the checkpoint of every day that is over and has none, the oldest first, and says how many it made.
///
/// It goes on after the last checkpoint there is. Where there is none at all it begins with the last day that is over:
/// what was before that day is vouched for by the trails' own chains only. Firing twice makes nothing twice.
///
/// # Errors
/// Tables, bucket or key are not available. What was made by then stays.
pub async fn close_days(app: &App, vault: &impl Vault, now: Time) -> Result<usize, StoreError> {
    let closed = checkpoint::last_closed(now);
    let last = vault.days().await?.into_iter().rfind(|day| *day <= closed);
    let mut previous = match last {
        Some(day) => Some(stored(vault, day).await?),
        None => None,
    };
    let first = last.map_or(closed, Day::next);
    let mut made = 0;
    for day in first.through(closed).take(MAX_DAYS) {
        let checkpoint = Checkpoint::new(day, tally(app, day).await?, previous.as_ref(), now);
        let signed = vault.sign(&checkpoint).await?;
        let envelope = Envelope::new(checkpoint, signed.key, &signed.signature);
        previous = if vault.keep(&envelope).await? {
            made += 1;
            Some(envelope)
        } else {
            Some(stored(vault, day).await?) // another firing was here first
        };
    }
    telemetry::metric("CheckpointsWritten", "Count", made as f64, now);
    Ok(made)
}

/// The records of a day, of all flows. A flow is never taken out of the configuration.
async fn tally(app: &App, day: Day) -> Result<Tally, StoreError> {
    let config = app.config.fresh().await?.config;
    let mut tally = Tally::default();
    for flow in config.flows.keys() {
        let mut cursor = None;
        loop {
            let page = app.audit.of_flow_day(flow, day, PAGE, cursor.as_deref()).await?;
            for record in &page.records {
                if !tally.add(record) {
                    tracing::error!(flow, day = %day, "a stored record lacks its run, number or hash");
                }
            }
            cursor = page.cursor;
            if cursor.is_none() {
                break;
            }
        }
    }
    Ok(tally)
}

/// The envelope that is stored for a day.
async fn stored(vault: &impl Vault, day: Day) -> Result<Envelope, StoreError> {
    let corrupt =
        |why: String| StoreError::Corrupt { doing: "read a checkpoint", what: checkpoint::path(day), why };
    let text = vault.read(day).await?.ok_or_else(|| corrupt("it is gone".to_owned()))?;
    serde_json::from_str(&text).map_err(|error| corrupt(error.to_string()))
}
