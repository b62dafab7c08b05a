//! Parties: people and roles, as flows name them.

use std::fmt;
use std::str::FromStr;

use crate::time::text_serde;

/// A person or a role: `person:ana`, `role:marketing-ops`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Party {
    /// One person, by id.
    Person(String),
    /// Whoever of a role is on duty, by id.
    Role(String),
}

/// Whom a ladder step tells: `owner`, `backup_owner`, `person:ID`, `role:ID` or `channel:ID`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// The owner of the run; of the outcome where it has its own; of the exception, on its ladder.
    Owner,
    /// The flow's backup owner.
    BackupOwner,
    /// A person, or a role's member on duty.
    Party(Party),
    /// A channel of the directory.
    Channel(String),
}

/// Who takes the run, or the exception, over at a ladder step: `backup_owner`, `person:ID` or `role:ID`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Assignee {
    /// The flow's backup owner.
    BackupOwner,
    /// A person, or a role's member on duty.
    Party(Party),
}

/// Why a short text form cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{given}` is not {what}")]
pub struct NotA {
    given: String,
    what: &'static str,
}

impl NotA {
    /// `given` is not `what`, which goes on after a colon with what to write.
    pub(crate) fn new(given: &str, what: &'static str) -> Self {
        Self { given: given.to_owned(), what }
    }

    pub(super) fn err<T>(given: &str, what: &'static str) -> Result<T, Self> {
        Err(Self::new(given, what))
    }
}

impl FromStr for Party {
    type Err = NotA;
    fn from_str(text: &str) -> Result<Self, NotA> {
        match text.split_once(':') {
            Some(("person", id)) if !id.is_empty() => Ok(Self::Person(id.to_owned())),
            Some(("role", id)) if !id.is_empty() => Ok(Self::Role(id.to_owned())),
            Some(_) | None => NotA::err(text, "a person or role: write `role:ID` or `person:ID`"),
        }
    }
}

impl FromStr for Target {
    type Err = NotA;
    fn from_str(text: &str) -> Result<Self, NotA> {
        match (text, text.split_once(':')) {
            ("owner", _) => Ok(Self::Owner),
            ("backup_owner", _) => Ok(Self::BackupOwner),
            (_, Some(("channel", id))) if !id.is_empty() => Ok(Self::Channel(id.to_owned())),
            (_, Some(_) | None) => text.parse().map(Self::Party).or_else(|_| {
                NotA::err(
                    text,
                    "somebody to tell: write `owner`, `backup_owner`, `role:ID`, `person:ID` or `channel:ID`",
                )
            }),
        }
    }
}

impl FromStr for Assignee {
    type Err = NotA;
    fn from_str(text: &str) -> Result<Self, NotA> {
        if text == "backup_owner" {
            return Ok(Self::BackupOwner);
        }
        text.parse().map(Self::Party).or_else(|_| {
            NotA::err(text, "somebody to hand over to: write `backup_owner`, `role:ID` or `person:ID`")
        })
    }
}

impl fmt::Display for Party {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Person(id) => write!(f, "person:{id}"),
            Self::Role(id) => write!(f, "role:{id}"),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Owner => f.write_str("owner"),
            Self::BackupOwner => f.write_str("backup_owner"),
            Self::Party(party) => party.fmt(f),
            Self::Channel(id) => write!(f, "channel:{id}"),
        }
    }
}

impl fmt::Display for Assignee {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BackupOwner => f.write_str("backup_owner"),
            Self::Party(party) => party.fmt(f),
        }
    }
}

text_serde!(Party, "`role:ID` or `person:ID`", "^(role|person):.", ["role:marketing-ops", "person:ana"]);
text_serde!(
    Target,
    "`owner`, `backup_owner`, `role:ID`, `person:ID` or `channel:ID`",
    "^(owner$|backup_owner$|(role|person|channel):.)",
    ["owner", "backup_owner", "role:ops-lead", "person:ana", "channel:on-call"]
);
text_serde!(
    Assignee,
    "`backup_owner`, `role:ID` or `person:ID`",
    "^(backup_owner$|(role|person):.)",
    ["backup_owner", "role:ops-lead", "person:ana"]
);
