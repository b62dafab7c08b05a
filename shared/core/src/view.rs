//! Views: what the API shows of a run. Fields may be added, none renamed; absent facts are `null`.

use serde::{Deserialize, Serialize};

use crate::config::flow::{ExceptionKind, Ladder};
use crate::config::qa::CheckKind;
use crate::run::{Check, CheckStatus, Escalation, Exception, Outcome, OutcomeStatus, Owner, Run, Status};
use crate::time::Time;

/// A run, as `GET /v1/runs/{run}` shows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the fields are those of the run; docs/ARCHITECTURE.md has the shape")]
pub struct RunView {
    pub run: String,
    pub flow: String,
    pub flow_version: u32,
    pub client: Option<String>,
    pub subject: String,
    pub title: String,
    pub url: Option<String>,
    pub status: Status,
    pub overdue: bool,
    pub paused: bool,
    pub paused_until: Option<Time>,
    pub suppressed: bool,
    pub met: Option<bool>,
    pub version: u64,
    pub opened_at: Time,
    pub closed_at: Option<Time>,
    pub next_due_at: Option<Time>,
    pub owner: Owner,
    pub acknowledgement: Option<AcknowledgementView>,
    pub outcomes: Vec<OutcomeView>,
    pub checks: Vec<CheckView>,
    pub exceptions: Vec<ExceptionView>,
    pub escalations: Vec<EscalationView>,
}

/// A ladder step that fired.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the fields are those of the escalation")]
pub struct EscalationView {
    pub ladder: Ladder,
    pub outcome: Option<String>,
    pub exception: Option<String>,
    pub step: usize,
    pub at: Time,
}

/// The owner's word that they have it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the fields are those of the acknowledgement")]
pub struct AcknowledgementView {
    pub due_at: Time,
    pub acknowledged_at: Option<Time>,
    pub by: Option<String>,
    pub lease_until: Option<Time>,
}

/// One expected result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the fields are those of the outcome")]
pub struct OutcomeView {
    pub id: String,
    pub status: OutcomeStatus,
    pub met: Option<bool>,
    pub started_at: Option<Time>,
    pub due_at: Option<Time>,
    pub done_at: Option<Time>,
    pub breached_at: Option<Time>,
    pub owner: String,
    pub evidence: Option<String>,
}

/// One QA check.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the fields are those of the check")]
pub struct CheckView {
    pub id: String,
    pub kind: CheckKind,
    pub status: CheckStatus,
    pub due_at: Option<Time>,
    pub passed_at: Option<Time>,
}

/// A case automation could not resolve, also as `GET /v1/exceptions` lists it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the fields are those of the exception")]
pub struct ExceptionView {
    pub id: String,
    pub kind: ExceptionKind,
    pub status: ExceptionStatus,
    pub run: Option<String>,
    pub flow: String,
    pub subject: Option<String>,
    pub outcome: Option<String>,
    pub check: Option<String>,
    pub owner: String,
    pub opened_at: Time,
    pub recovery_due_at: Time,
    pub resolved_at: Option<Time>,
}

/// Whether a case is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExceptionStatus {
    /// Somebody has to resolve it.
    Open,
    /// It is over.
    Resolved,
}

impl RunView {
    /// The run as the API shows it.
    pub fn of(run: &Run) -> Self {
        Self {
            run: run.run.clone(),
            flow: run.flow.clone(),
            flow_version: run.flow_version,
            client: run.client.clone(),
            subject: run.subject.clone(),
            title: run.title.clone(),
            url: run.url.clone(),
            status: run.status,
            overdue: run.is_overdue(),
            paused: run.pause().is_some(),
            paused_until: run.pause().map(|pause| pause.to),
            suppressed: run.suppressed,
            met: run.met(),
            version: run.version,
            opened_at: run.opened_at,
            closed_at: run.closed_at,
            next_due_at: run.next_due().map(|(at, _)| at),
            owner: run.owner.clone(),
            acknowledgement: run.ack.as_ref().map(|ack| AcknowledgementView {
                due_at: ack.due_at,
                acknowledged_at: ack.at,
                by: ack.by.clone(),
                lease_until: ack.lease.as_ref().map(|lease| lease.until),
            }),
            outcomes: run.outcomes.iter().map(|outcome| outcome_view(run, outcome)).collect(),
            checks: run.checks.iter().map(CheckView::of).collect(),
            exceptions: run.exceptions.iter().map(|exception| ExceptionView::of(run, exception)).collect(),
            escalations: run.escalations.iter().map(EscalationView::of).collect(),
        }
    }
}

fn outcome_view(run: &Run, outcome: &Outcome) -> OutcomeView {
    OutcomeView {
        id: outcome.id.clone(),
        status: outcome.status,
        met: outcome.met,
        started_at: outcome.clock.as_ref().map(|clock| clock.started_at),
        due_at: outcome.clock.as_ref().map(|clock| clock.due_at),
        done_at: outcome.done_at,
        breached_at: outcome.breached_at,
        owner: outcome.owner.clone().unwrap_or_else(|| run.owner.id.clone()),
        evidence: outcome.evidence.clone(),
    }
}

impl EscalationView {
    fn of(escalation: &Escalation) -> Self {
        let Escalation { ladder, outcome, exception, step, at } = escalation.clone();
        Self { ladder, outcome, exception, step, at }
    }
}

impl CheckView {
    fn of(check: &Check) -> Self {
        let Check { id, kind, status, due_at, passed_at } = check.clone();
        Self { id, kind, status, due_at, passed_at }
    }
}

impl ExceptionView {
    /// The exception as the API shows it.
    pub fn of(run: &Run, exception: &Exception) -> Self {
        Self {
            id: exception.id.clone(),
            kind: exception.kind,
            status: if exception.resolved_at.is_some() {
                ExceptionStatus::Resolved
            } else {
                ExceptionStatus::Open
            },
            run: Some(run.run.clone()),
            flow: run.flow.clone(),
            subject: Some(run.subject.clone()),
            outcome: exception.outcome.clone(),
            check: exception.check.clone(),
            owner: exception.owner.clone(),
            opened_at: exception.opened_at,
            recovery_due_at: exception.recovery_due_at,
            resolved_at: exception.resolved_at,
        }
    }
}
