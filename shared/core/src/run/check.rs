//! A check of a run, and the fold of checks.

use serde::{Deserialize, Serialize};

use super::{FoldError, Run, Status};
use crate::config::qa::CheckKind;
use crate::record::{CheckPassed, ExpectedCheck};
use crate::time::Time;

/// One QA check of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// Its id.
    pub id: String,
    /// What it holds up until it passes.
    pub kind: CheckKind,
    /// Where it stands.
    pub status: CheckStatus,
    /// Its deadline, once its clock started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<Time>,
    /// When it passed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passed_at: Option<Time>,
}

/// Where a check stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum CheckStatus {
    /// Nobody has said how it came out.
    Pending,
    /// All is well.
    Passed,
    /// Something is wrong; it can still pass.
    Failed,
    /// Nobody had said how it came out by its deadline; it can still pass.
    Overdue,
}

impl Check {
    pub(super) fn new(expected: &ExpectedCheck) -> Self {
        let ExpectedCheck { id, kind, due_at } = expected.clone();
        Self { id, kind, status: CheckStatus::Pending, due_at, passed_at: None }
    }

    /// Its deadline, while silence is what it is about.
    pub(super) fn silent_until(&self) -> Option<Time> {
        self.due_at.filter(|_| self.status == CheckStatus::Pending)
    }
}

impl Run {
    /// Whether every check of this kind has passed. One that is not done never counts as passed.
    pub fn has_passed(&self, kind: CheckKind) -> bool {
        self.checks.iter().all(|check| check.kind != kind || check.status == CheckStatus::Passed)
    }

    pub(super) fn check_passed(&mut self, seq: u64, passed: &CheckPassed) -> Result<(), FoldError> {
        let check = self.check_mut(seq, &passed.check)?;
        check.status = CheckStatus::Passed;
        check.passed_at = Some(passed.passed_at);
        for started in &passed.checks {
            self.check_mut(seq, &started.id)?.due_at = Some(started.due_at);
        }
        self.start(seq, &passed.starts)?;
        if self.status == Status::AwaitingQa && self.has_passed(CheckKind::Content) {
            self.status = Status::Active;
        }
        Ok(())
    }

    pub(super) fn check_mut(&mut self, seq: u64, id: &str) -> Result<&mut Check, FoldError> {
        let found = self.checks.iter_mut().find(|check| check.id == id);
        found.ok_or_else(|| FoldError::Unknown { seq, name: id.to_owned() })
    }
}
