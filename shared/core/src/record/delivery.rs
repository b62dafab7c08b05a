//! Details of the records about deliveries: what became of a message to people and systems.

use serde::{Deserialize, Serialize};

use crate::config::directory::ChannelKind;

/// Detail of `delivery_succeeded`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliverySucceeded {
    /// Sequence number of the record whose message it was.
    pub message: u64,
    /// Whom it reached: `person:ana`, `channel:crm-automation`.
    pub to: String,
    /// By which way.
    pub by: ChannelKind,
}

/// Detail of `delivery_failed`: it was given up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryFailed {
    /// Sequence number of the record whose message it was.
    pub message: u64,
    /// Whom it did not reach.
    pub to: String,
    /// By which way it was tried last; absent when there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<ChannelKind>,
    /// The outcome that it requested.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
    /// How often it was tried.
    pub attempts: u32,
    /// What came back, or why nothing could be sent.
    pub error: String,
}

/// Detail of `delivery_skipped`: nobody needed to know any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliverySkipped {
    /// Sequence number of the record whose message it was.
    pub message: u64,
    /// What happened meanwhile.
    pub reason: String,
}
