//! An exception of a flow itself: it belongs to no run, stands in the flow's trail, and has a clock of its own.

use serde::{Deserialize, Serialize};

use crate::alert::{self, Alert, Settlement};
use crate::command::Rejection;
use crate::config::flow::ExceptionKind;
use crate::decide::given;
use crate::record::{AlertSettled, ExceptionOpened, ExceptionResolved, Fact};
use crate::time::Time;

/// An exception of a flow itself, as it stands: silence, a signal without a trigger, a run that cannot be processed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FlowException {
    /// Unique among the open exceptions of the flow.
    pub id: String,
    /// Why it is one.
    pub kind: ExceptionKind,
    /// Who must resolve it.
    pub owner: String,
    /// What tickets of the same cause have in common.
    pub group: String,
    /// When it was opened.
    pub opened_at: Time,
    /// Until when it must be resolved.
    pub recovery_due_at: Time,
    /// Whether that passed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub recovery_breached: bool,
    /// The next step of the ladder `recovery`, from 0.
    #[serde(default)]
    pub ladder: usize,
    /// When it was resolved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved_at: Option<Time>,
    /// How, in short; early versions did not keep it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolution: Option<String>,
    /// The proof of it, in short.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<String>,
    /// What pagers and trackers hold open about it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub alerts: Vec<Alert>,
    /// When the clock must look at it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_due_at: Option<Time>,
}

impl FlowException {
    /// The exception that was opened `at`.
    pub fn opened(at: Time, opened: &ExceptionOpened) -> Self {
        Self {
            id: opened.exception.clone(),
            kind: opened.kind,
            owner: opened.owner.clone(),
            group: opened.group.clone(),
            opened_at: at,
            recovery_due_at: opened.recovery_due_at,
            recovery_breached: false,
            ladder: 0,
            resolved_at: None,
            resolution: None,
            evidence: None,
            alerts: Vec::new(),
            next_due_at: Some(opened.recovery_due_at),
        }
    }

    /// Whether somebody has to resolve it.
    pub fn is_open(&self) -> bool {
        self.resolved_at.is_none()
    }

    /// The resolution of it.
    ///
    /// # Errors
    /// It is resolved already, or a text is missing or too long.
    pub fn resolve(&self, resolved: &ExceptionResolved) -> Result<Fact, Rejection> {
        if let Some(at) = self.resolved_at {
            return Err(Rejection::WrongState(format!("exception `{}` was resolved at {at}", self.id)));
        }
        let resolution = given("resolution", &resolved.resolution)?;
        let evidence = resolved.evidence.as_deref().map(|text| given("evidence", text)).transpose()?;
        Ok(Fact::ExceptionResolved(ExceptionResolved { exception: self.id.clone(), resolution, evidence }))
    }

    /// Takes in a record about it, which was made `at`.
    pub fn apply(&mut self, at: Time, fact: &Fact) {
        if let Fact::ExceptionResolved(resolved) = fact {
            self.resolved_at = Some(at);
            (self.resolution, self.evidence) = resolved.in_short();
            self.next_due_at = None;
        }
        if let Fact::DeliverySucceeded(delivered) = fact {
            alert::raised(&mut self.alerts, delivered);
        }
        if let Fact::AlertSettled(settled) = fact {
            alert::settled(&mut self.alerts, settled);
        }
        if let Fact::RecoveryBreached(breached) = fact {
            self.recovery_breached = true;
            self.next_due_at = breached.ladder_at;
        }
        if let Fact::Escalated(escalated) = fact {
            self.owner.clone_from(&escalated.owner);
            self.climbed(escalated.step, escalated.next_at);
        }
        if let Fact::StepEmpty(empty) = fact {
            self.climbed(empty.step, empty.next_at);
        }
    }

    /// What the holders of its alerts are to be told: nothing while it is open. `title` is the flow's.
    pub fn settlements(&self, title: &str) -> Vec<Fact> {
        let how = self.resolution.clone().unwrap_or_default();
        let settled = |alert: &Alert| AlertSettled {
            matter: alert.matter.clone(),
            to: alert.to.clone(),
            by: alert.by,
            settlement: Settlement::Resolved,
            how: how.clone(),
            group: Some(self.group.clone()),
            title: title.to_owned(),
        };
        let alerts = self.alerts.iter().filter(|_| !self.is_open());
        alerts.map(|alert| Fact::AlertSettled(Box::new(settled(alert)))).collect()
    }

    fn climbed(&mut self, step: usize, next_at: Option<Time>) {
        self.ladder = step + 1;
        self.next_due_at = next_at;
    }
}
