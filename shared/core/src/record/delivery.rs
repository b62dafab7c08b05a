//! Details of the records about deliveries: what became of a message to people and systems.

use serde::{Deserialize, Serialize};

use crate::alert::{Matter, Settlement};
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
    /// What the receiver holds open from now on, until it hears that it is settled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raised: Option<Matter>,
    /// How many notices it was told together with, where there were too many at once to send each.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub together: Option<usize>,
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
    /// Who was not sent it; absent when nobody was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// What happened meanwhile.
    pub reason: String,
}

/// Detail of `alert_settled`: a pager or tracker is to hear what became of what it holds open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertSettled {
    /// What it holds open.
    pub matter: Matter,
    /// Who holds it: `channel:ops-pager`.
    pub to: String,
    /// What `to` is.
    pub by: ChannelKind,
    /// What became of it.
    pub settlement: Settlement,
    /// By whom or what.
    pub how: String,
    /// For an exception: what tickets of its cause have in common.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Title of the asset, else of the flow.
    pub title: String,
}
