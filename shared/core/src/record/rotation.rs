//! The details of records about rotations.

use serde::{Deserialize, Serialize};

use super::Recipient;
use crate::time::Time;

/// Detail of `owner_rotated`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnerRotated {
    /// The role.
    pub role: String,
    /// Whose turn ended.
    pub from: String,
    /// Whose turn began.
    pub to: String,
    /// When.
    pub turn_at: Time,
    /// Whether they had accepted it.
    pub accepted: bool,
    /// Who owns new runs of the flow until they do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub covered_by: Option<String>,
    /// Who is told: nobody where it was accepted, or another flow's record tells.
    pub notify: Vec<Recipient>,
    /// Title of the flow.
    pub title: String,
}

/// Detail of `handover_accepted`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct HandoverAccepted {
    /// The role.
    pub role: String,
    /// Whose turn it is.
    pub to: String,
    /// When it begins.
    pub turn_at: Time,
}

/// Detail of `handover_reminded`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandoverReminded {
    /// The role.
    pub role: String,
    /// Whose turn it is.
    pub to: String,
    /// When it began.
    pub turn_at: Time,
    /// Who owns new runs of the flow until it is accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub covered_by: Option<String>,
    /// Who is told.
    pub notify: Vec<Recipient>,
    /// Title of the flow.
    pub title: String,
}
