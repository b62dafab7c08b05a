//! Verification: a run against its trail, as both are stored.

use meshline_core::record::Record;
use meshline_core::run::Run;
use meshline_core::trail::{self, Fault};

use crate::app::App;
use crate::error::StoreError;

/// What verifying a trail found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verification {
    /// How many records there are.
    pub records: usize,
    /// Where it breaks, if it does.
    pub fault: Option<Fault>,
}

/// Verifies the trail of a run: each record holds what was hashed and nothing else, follows from the one before,
/// and all of them add up to the stored run.
///
/// # Errors
/// A table cannot be read.
pub async fn verify(app: &App, run: &str) -> Result<Verification, StoreError> {
    let mut stored = load(app, run).await?;
    let records = loop {
        let records = app.audit.strict_trail(run).await?;
        let again = load(app, run).await?;
        if again == stored {
            break records;
        }
        stored = again; // a commit came in between: read both once more
    };
    let count = records.len();
    let fault = match records.into_iter().collect::<Result<Vec<Record>, Fault>>() {
        Ok(records) => fault(run, &records, &stored),
        Err(fault) => Some(fault),
    };
    Ok(Verification { records: count, fault })
}

/// The stored run; `Err` when its item cannot be read as one.
type Stored = Result<Option<Run>, String>;

async fn load(app: &App, run: &str) -> Result<Stored, StoreError> {
    match app.runs.load(run).await {
        Ok(run) => Ok(Ok(run)),
        Err(StoreError::Corrupt { why, .. }) => Ok(Err(why)),
        Err(error) => Err(error),
    }
}

fn fault(id: &str, records: &[Record], stored: &Stored) -> Option<Fault> {
    let last = |reason: String| Some(Fault { seq: records.len() as u64, reason });
    let run = match stored {
        Ok(run) => run.as_ref(),
        Err(why) => return last(format!("the run that it leads to cannot be read: {why}")),
    };
    if run.is_none() && !records.is_empty() && !id.starts_with("FLOW#") {
        return last("the run that it leads to is gone".to_owned());
    }
    let head = run.map(|run| (run.version, run.head.as_str()));
    match trail::verify(records, head) {
        Err(fault) => Some(fault),
        Ok(()) if run.is_some_and(|run| !run.is_fold_of(records)) => {
            last("the stored run is not what its records add up to".to_owned())
        }
        Ok(()) => None,
    }
}
