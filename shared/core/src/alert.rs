//! Alerts: what a pager or a tracker holds open because of a message, until it hears that the matter is settled.

use serde::{Deserialize, Serialize};

use crate::config::directory::ChannelKind;
use crate::record::{AlertSettled, DeliverySucceeded};
use crate::run::{OutcomeStatus, Run, Status};

/// What a pager's alert or a tracker's issue is about. There is one for all messages of a run about the same.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Matter {
    /// That outcome of the run is late.
    Outcome(String),
    /// That exception, of the run or of the flow, is open.
    Exception(String),
    /// Nobody acknowledged the run.
    Acknowledgement,
    /// The run, or the flow, as such.
    Whole,
}

/// An alert that was raised and is not resolved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    /// What it is about.
    pub matter: Matter,
    /// Who holds it: `channel:ops-pager`.
    pub to: String,
    /// What `to` is.
    pub by: ChannelKind,
    /// Whether it was told that somebody has it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub acknowledged: bool,
}

/// What became of the matter of an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Settlement {
    /// Somebody has it.
    Acknowledged,
    /// It is over.
    Resolved,
}

impl Matter {
    /// A short text that no other matter of the run has: `outcome/crm-tag`.
    pub fn key(&self) -> String {
        match self {
            Self::Outcome(id) => format!("outcome/{id}"),
            Self::Exception(id) => format!("exception/{id}"),
            Self::Acknowledgement => "acknowledgement".to_owned(),
            Self::Whole => "whole".to_owned(),
        }
    }
}

impl Alert {
    fn is(&self, matter: &Matter, to: &str) -> bool {
        self.matter == *matter && self.to == to
    }
}

impl Settlement {
    /// Its name, as messages and records have it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Acknowledged => "acknowledged",
            Self::Resolved => "resolved",
        }
    }
}

/// Whether something of that kind holds an alert open until it is told more. What was said in Slack, by mail or to a
/// webhook was only said.
pub fn is_held_by(kind: ChannelKind) -> bool {
    match kind {
        ChannelKind::Pagerduty | ChannelKind::Jira => true,
        ChannelKind::Slack | ChannelKind::Email | ChannelKind::Webhook => false,
    }
}

/// Takes in that a message was delivered: one about a matter that its receiver has an alert for already raises it anew.
pub(crate) fn raised(alerts: &mut Vec<Alert>, delivered: &DeliverySucceeded) {
    let Some(matter) = delivered.raised.clone() else { return };
    alerts.retain(|alert| !alert.is(&matter, &delivered.to));
    alerts.push(Alert { matter, to: delivered.to.clone(), by: delivered.by, acknowledged: false });
}

/// Takes in that an alert was settled.
pub(crate) fn settled(alerts: &mut Vec<Alert>, settled: &AlertSettled) {
    match settled.settlement {
        Settlement::Resolved => alerts.retain(|alert| !alert.is(&settled.matter, &settled.to)),
        Settlement::Acknowledged => {
            let alerts = alerts.iter_mut().filter(|alert| alert.is(&settled.matter, &settled.to));
            alerts.for_each(|alert| alert.acknowledged = true);
        }
    }
}

/// What became of an alert's matter, and how, if that is news to its holder.
pub(crate) fn news(run: &Run, alert: &Alert) -> Option<(Settlement, String)> {
    if !run.is_open() {
        let how = if run.status == Status::Cancelled { "the run is cancelled" } else { "the run is closed" };
        return Some((Settlement::Resolved, how.to_owned()));
    }
    let acknowledged = run.ack.as_ref().and_then(|ack| {
        let by = ack.by.as_deref().unwrap_or(&run.owner.id);
        Some((ack.at?, format!("`{by}` acknowledged the run")))
    });
    match &alert.matter {
        Matter::Outcome(id) => {
            let outcome = run.outcomes.iter().find(|it| it.id == *id)?;
            if outcome.status == OutcomeStatus::Done {
                return Some((Settlement::Resolved, format!("`{id}` was verified")));
            }
            let steps = run.escalations.iter().filter(|step| step.outcome.as_ref() == Some(id));
            let last = steps.map(|step| step.at).max();
            // What was said before a step fired is no answer to it.
            let (_, how) =
                acknowledged.filter(|(at, _)| !alert.acknowledged && last.is_none_or(|last| last < *at))?;
            Some((Settlement::Acknowledged, how))
        }
        Matter::Exception(id) => {
            let exception = run.exceptions.iter().find(|it| it.id == *id)?;
            let how = exception.resolution.clone().unwrap_or_default();
            exception.resolved_at.map(|_| (Settlement::Resolved, how))
        }
        Matter::Acknowledgement => acknowledged.map(|(_, how)| (Settlement::Resolved, how)),
        Matter::Whole => None,
    }
}
