//! What requests hold.

use serde::Deserialize;

use crate::config::File;
use crate::config::flow::ExceptionKind;

/// The fields of a command. Each command looks at its own.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct CommandFields {
    /// The version of the run that the caller saw: refused with 409 if it has changed since.
    pub if_version: Option<u64>,
    /// Who gets it: `person:ID` or `role:ID`.
    pub to: Option<String>,
    /// Why.
    pub reason: Option<String>,
    /// What is written down.
    pub text: Option<String>,
    /// The proof: an address, or text.
    pub evidence: Option<String>,
    /// How an exception was resolved.
    pub resolution: Option<String>,
    /// Which kind of exception; `manual` where it is left out.
    pub kind: Option<ExceptionKind>,
    /// The outcome that an exception is about.
    pub outcome: Option<String>,
}

/// Several files of YAML documents in one body.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Files {
    /// The files.
    pub files: Vec<File>,
}

/// Which events are to be replayed.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct ReplayFields {
    /// The source they came from.
    pub source: String,
    /// From when, included: a time, or a day, which is its start.
    pub from: String,
    /// Until when, likewise.
    pub to: String,
    /// How many at most: 1 to 500, 200 where it is left out.
    pub limit: Option<i64>,
    /// Where the call before left off.
    pub cursor: Option<String>,
    /// Only says how many there are.
    pub dry_run: bool,
}
