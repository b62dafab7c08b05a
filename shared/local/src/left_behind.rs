//! What a stream's consumer failed on too often: on AWS the bucket of failed batches.

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use meshline_core::time::Time;
use serde_json::{Value, json};

use crate::lock;

/// Records of streams that were left behind, whole, in order.
pub(crate) struct LeftBehind {
    /// Keeps each in a file of its own, where there is a data folder.
    folder: Option<PathBuf>,
    records: Mutex<Vec<Value>>,
}

impl LeftBehind {
    pub(crate) fn in_folder(data: Option<&Path>) -> Self {
        let folder = data.map(|data| data.join("failed-batches"));
        Self { folder, records: Mutex::default() }
    }

    /// Those of this process.
    pub(crate) fn records(&self) -> Vec<Value> {
        lock(&self.records).clone()
    }

    /// Keeps a record of a table's stream.
    pub(crate) fn keep(&self, table: &str, sequence_number: &str, record: Value, now: Time) {
        let kept = json!({"table": table, "at": now, "sequence_number": sequence_number, "record": record});
        if let Some(folder) = &self.folder {
            let file = folder.join(format!("{table}-{sequence_number}.json"));
            let written =
                std::fs::create_dir_all(folder).and_then(|()| std::fs::write(&file, kept.to_string()));
            if let Err(error) = written {
                tracing::error!(error = %error, file = %file.display(), "what was left behind could not be kept");
            }
        }
        lock(&self.records).push(kept);
    }
}
