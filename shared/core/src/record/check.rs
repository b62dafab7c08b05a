//! The details of records about QA checks.

use serde::{Deserialize, Serialize};

use super::StartedOutcome;
use crate::config::qa::CheckKind;
use crate::time::Time;

/// A check at the opening. Without `due_at` it waits for the content checks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExpectedCheck {
    /// Its id.
    pub id: String,
    /// What it holds up.
    pub kind: CheckKind,
    /// Its deadline, if its clock runs from the opening.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<Time>,
}

/// A check whose clock starts because all content checks have passed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StartedCheck {
    /// Its id.
    pub id: String,
    /// Its deadline.
    pub due_at: Time,
}

/// Detail of `check_passed`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CheckPassed {
    /// The check.
    pub check: String,
    /// When it passed.
    pub passed_at: Time,
    /// What a person gave as proof.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<String>,
    /// Clocks that this starts, by outcome.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub starts: Vec<StartedOutcome>,
    /// Clocks that this starts, by check.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<StartedCheck>,
}

/// Detail of `check_failed`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckFailed {
    /// The check.
    pub check: String,
    /// What is wrong.
    pub reason: String,
}

/// Detail of `check_overdue`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckOverdue {
    /// The check.
    pub check: String,
    /// The deadline that passed in silence.
    pub due_at: Time,
    /// When that was seen.
    pub detected_at: Time,
}
