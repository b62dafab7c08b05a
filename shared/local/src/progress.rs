//! The progress of a stack with a data folder: up to where the streams were handled to the end.
//!
//! The queues are in memory. So it only moves on when they are empty too: after a crash everything
//! since is handled again, and consumers deduplicate, as they do on AWS.

use std::io;
use std::path::{Path, PathBuf};

use meshline_core::time::Time;
use serde::{Deserialize, Serialize};

/// Up to where the streams were handled to the end.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Progress {
    /// The clock's time then.
    pub(crate) now: Option<Time>,
    /// Sequence number of the last handled record of the events table's stream.
    pub(crate) events: Option<String>,
    /// Sequence number of the last handled record of the audit table's stream.
    pub(crate) audit: Option<String>,
}

fn path(folder: &Path) -> PathBuf {
    folder.join("progress.json")
}

/// Reads the folder's progress; the start of everything where there is none.
pub(crate) fn read(folder: &Path) -> io::Result<Progress> {
    match std::fs::read(path(folder)) {
        Ok(bytes) => Ok(serde_json::from_slice(&bytes)?),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Progress::default()),
        Err(error) => Err(error),
    }
}

/// Replaces the folder's progress, whole or not at all.
pub(crate) fn write(folder: &Path, progress: &Progress) -> io::Result<()> {
    let new = path(folder).with_extension("new");
    std::fs::write(&new, serde_json::to_vec(progress)?)?;
    std::fs::rename(new, path(folder))
}
