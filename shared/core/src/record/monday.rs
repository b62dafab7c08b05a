//! The detail of the record about a Monday.

use serde::{Deserialize, Serialize};

use super::Recipient;
use crate::checklist::{Answer, Question};
use crate::report::Late;
use crate::time::Time;
use crate::week::Week;

/// Detail of `checklist_sent`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChecklistSent {
    /// The week that begins; a flow has one record for each.
    pub week: Week,
    /// When it was due: Monday at 08:00 in the flow's zone.
    pub due_at: Time,
    /// What was asked, and what was answered at that moment.
    pub checks: Vec<Checked>,
    /// What took longer than its SLA on average in the week before; absent when nothing did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub late: Option<Late>,
    /// Who is told; nobody where neither owner nor backup is there.
    pub notify: Vec<Recipient>,
    /// Title of the flow.
    pub title: String,
}

/// One question of the checklist and its answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checked {
    /// What was asked.
    pub check: Question,
    /// What the answer was.
    pub status: Answer,
    /// The answer in words.
    pub sentence: String,
}
