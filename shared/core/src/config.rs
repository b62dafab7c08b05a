//! Configuration: the documents a team writes in YAML, and how a set of them is checked and planned.

pub mod calendar;
pub mod check;
pub mod coverage;
pub mod directory;
pub mod flow;
pub mod party;
pub mod qa;
pub mod read;
pub mod rotation;
#[cfg(feature = "schema")]
pub mod schema;
pub mod source;
pub mod yaml;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::config::calendar::Calendar;
use crate::config::directory::Directory;
use crate::config::flow::Flow;
use crate::config::source::Source;
use crate::id::content_hash;
use crate::time::Time;

/// A text file with YAML documents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct File {
    /// What problems call it.
    pub name: String,
    /// Its text.
    pub text: String,
}

/// One thing that is wrong with a configuration, and how to mend it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "ConfigProblem"))]
pub struct Problem {
    /// Name of the file.
    pub file: String,
    /// Line in it, from 1.
    pub line: usize,
    /// Where in the document: `outcomes[0].sla`; empty for the document.
    pub field: String,
    /// What is wrong.
    pub reason: String,
    /// What to do about it.
    pub mend: String,
}

/// Which kind of document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "DocumentKind"))]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// An outcome contract.
    Flow,
    /// A system that sends webhooks.
    Source,
    /// When business time passes.
    Calendar,
    /// People, roles and channels.
    Directory,
}

impl Kind {
    /// The word in stored keys and in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Flow => "flow",
            Self::Source => "source",
            Self::Calendar => "calendar",
            Self::Directory => "directory",
        }
    }
}

/// The id of the one directory.
pub const DIRECTORY_ID: &str = "directory";

/// A document in one of its versions.
#[derive(Debug, Clone, PartialEq)]
pub struct Versioned<T> {
    /// From 1, without gaps.
    pub version: u32,
    /// SHA-256 over the document's canonical JSON, its first 16 bytes in hexadecimal.
    pub hash: String,
    /// The document.
    pub document: Arc<T>,
}

/// The current version of every document.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Config {
    /// Counts the applications so far.
    pub generation: u64,
    /// Flows by id.
    pub flows: BTreeMap<String, Versioned<Flow>>,
    /// Sources by id.
    pub sources: BTreeMap<String, Versioned<Source>>,
    /// Calendars by id.
    pub calendars: BTreeMap<String, Versioned<Calendar>>,
    /// The directory, once there is one.
    pub directory: Option<Versioned<Directory>>,
}

/// What applying a set of files would do.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// One entry for each document in the files, in their order.
    pub changes: Vec<Change>,
    /// The configuration afterwards.
    pub next: Config,
}

/// What applying does to one document.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "ConfigChange"))]
pub struct Change {
    /// Its kind.
    pub kind: Kind,
    /// Its id.
    pub id: String,
    /// Added, updated or left as it is.
    pub action: Action,
    /// The version it has afterwards.
    pub version: u32,
    /// The hash it has afterwards.
    pub hash: String,
    /// One line for each value that differs: `outcomes[0].sla: "2h" -> "4h"`.
    pub diff: Vec<String>,
    /// The document in JSON.
    #[serde(skip)]
    pub document: Value,
}

/// Added, updated or left as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "ChangeAction"))]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// There was none of that id.
    Add,
    /// A new version.
    Update,
    /// The same as the current version.
    Unchanged,
}

/// Checks that only the adapter of a source's provider can make: field, reason, mend.
pub type SourceCheck<'a> = &'a dyn Fn(&Source) -> Vec<(String, String, String)>;

impl Config {
    /// The directory; empty while there is none.
    pub fn people(&self) -> Arc<Directory> {
        self.directory.as_ref().map(|directory| directory.document.clone()).unwrap_or_default()
    }

    /// The calendar that counts the flow's business time.
    pub fn calendar_of(&self, flow: &Flow) -> Option<&Versioned<Calendar>> {
        self.calendars.get(flow.calendar.as_ref()?)
    }

    /// The business time of the flow, as it is counted now.
    pub fn hours_of(&self, flow: &Flow) -> Option<&Calendar> {
        self.calendar_of(flow).map(|calendar| calendar.document.as_ref())
    }

    /// What applying `files` would do. What is not in them stays.
    ///
    /// # Errors
    /// Every problem of every file.
    pub fn plan(
        &self,
        files: &[File],
        check_source: SourceCheck<'_>,
        now: Time,
    ) -> Result<Plan, Vec<Problem>> {
        let (documents, mut problems) = read::documents(files);
        let mut next = self.clone();
        let mut changes = Vec::new();
        for document in &documents {
            changes.push(next.put(document, now));
        }
        let unread = problems.iter().any(|problem| problem.field.is_empty() || problem.field == "kind");
        problems.extend(check::problems(&next, &documents, unread, check_source, now));
        problems.sort();
        problems.dedup();
        if problems.is_empty() { Ok(Plan { changes, next }) } else { Err(problems) }
    }

    /// Puts a document in as the current one of its id.
    fn put(&mut self, read: &read::Read, now: Time) -> Change {
        match &read.document {
            read::Document::Flow(flow) => {
                let (slot, change) = place(Kind::Flow, &flow.id, flow, self.flows.get(&flow.id));
                self.flows.insert(flow.id.clone(), slot);
                change
            }
            read::Document::Source(source) => {
                let (slot, change) = place(Kind::Source, &source.id, source, self.sources.get(&source.id));
                self.sources.insert(source.id.clone(), slot);
                change
            }
            read::Document::Calendar(calendar) => {
                let id = &calendar.id;
                let (slot, change) = place(Kind::Calendar, id, calendar, self.calendars.get(id));
                self.calendars.insert(id.clone(), slot);
                change
            }
            read::Document::Directory(directory) => {
                let before = self.directory.as_ref();
                let directory = directory.settled(before.map(|before| before.document.as_ref()), now).into();
                let (slot, change) = place(Kind::Directory, DIRECTORY_ID, &directory, before);
                self.directory = Some(slot);
                change
            }
        }
    }
}

/// The version that `document` becomes after `current`, and the change that is.
fn place<T>(kind: Kind, id: &str, document: &Arc<T>, current: Option<&Versioned<T>>) -> (Versioned<T>, Change)
where
    T: Serialize,
{
    let new = serde_json::to_value(document.as_ref()).unwrap_or_default();
    let hash = content_hash(&new);
    let (action, version, diff) = match current {
        None => (Action::Add, 1, Vec::new()),
        Some(current) if current.hash == hash => (Action::Unchanged, current.version, Vec::new()),
        Some(current) => {
            let mut lines = Vec::new();
            diff("", &serde_json::to_value(current.document.as_ref()).unwrap_or_default(), &new, &mut lines);
            (Action::Update, current.version + 1, lines)
        }
    };
    let slot = Versioned { version, hash: hash.clone(), document: document.clone() };
    (slot, Change { kind, id: id.to_owned(), action, version, hash, diff, document: new })
}

/// Appends a line for each leaf that differs.
fn diff(path: &str, old: &Value, new: &Value, lines: &mut Vec<String>) {
    match (old, new) {
        (Value::Object(old), Value::Object(new)) => {
            let names: std::collections::BTreeSet<&String> = old.keys().chain(new.keys()).collect();
            for name in names {
                let at = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                let side =
                    |side: &serde_json::Map<String, Value>| side.get(name).cloned().unwrap_or_default();
                diff(&at, &side(old), &side(new), lines);
            }
        }
        (Value::Array(old), Value::Array(new)) if old.len() == new.len() => {
            for (n, (old, new)) in old.iter().zip(new).enumerate() {
                diff(&format!("{path}[{n}]"), old, new, lines);
            }
        }
        (old, new) if old == new => {}
        (Value::Null, new) => lines.push(format!("{path}: added {new}")),
        (old, Value::Null) => lines.push(format!("{path}: removed {old}")),
        (old, new) => lines.push(format!("{path}: {old} -> {new}")),
    }
}
