//! Views: what the API shows of a run. Fields may be added, none renamed; absent facts are `null`.

use serde::{Deserialize, Serialize};

use crate::config::flow::{ExceptionKind, Ladder};
use crate::config::qa::CheckKind;
use crate::decide::group;
use crate::flow_exception::FlowException;
use crate::record::{Custody, OwnerRole, Started};
use crate::run::{
    Check, CheckStatus, Escalation, Exception, Outcome, OutcomeStatus, Owner, Pause, Run, Status,
};
use crate::time::{Span, Time};

/// A run, as `GET /v1/runs/{run}` shows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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
    /// Oldest first; the last one is the owner.
    #[serde(default)]
    pub custody: Vec<CustodyView>,
    pub acknowledgement: Option<AcknowledgementView>,
    pub outcomes: Vec<OutcomeView>,
    pub checks: Vec<CheckView>,
    pub exceptions: Vec<ExceptionView>,
    pub escalations: Vec<EscalationView>,
}

/// A ladder step that fired.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[expect(missing_docs, reason = "the fields are those of the acknowledgement")]
pub struct AcknowledgementView {
    pub due_at: Time,
    pub acknowledged_at: Option<Time>,
    pub by: Option<String>,
    pub lease_until: Option<Time>,
}

/// How long somebody held the run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[expect(missing_docs, reason = "the fields are those of the custody")]
pub struct CustodyView {
    pub owner: String,
    #[serde(rename = "as")]
    pub role: Option<OwnerRole>,
    pub from: Time,
    pub to: Option<Time>,
    /// Whole seconds so far.
    pub seconds: i64,
}

/// The clock of an outcome, in whole seconds of elapsed time. The deadline is what is left of the budget after
/// `running_since`; business time is shown as the elapsed time that its deadline came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ClockView {
    /// From the start to the deadline, without the pauses that are over.
    pub budget_s: i64,
    /// From the start until the outcome was verified, the run ended, or now; without pauses. More than the budget when
    /// it is late.
    pub consumed_s: i64,
    /// Since when it runs without a pause; `null` while it stands still, and once it has stopped.
    pub running_since: Option<Time>,
}

/// One expected result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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
    #[serde(default)]
    pub clock: Option<ClockView>,
}

/// One QA check.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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
    /// How: the beginning, all of it is in the record.
    pub resolution: Option<String>,
    /// The proof of it: as for `resolution`.
    pub evidence: Option<String>,
    /// What exceptions of one cause have in common: flow, outcome or check, kind, hour.
    #[serde(default)]
    pub group: String,
}

/// Whether a case is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ExceptionStatus {
    /// Somebody has to resolve it.
    Open,
    /// It is over.
    Resolved,
}

impl RunView {
    /// The run as the API shows it at `now`.
    pub fn of(run: &Run, now: Time) -> Self {
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
            custody: run.custody().into_iter().map(|custody| CustodyView::of(custody, run, now)).collect(),
            acknowledgement: run.ack.as_ref().map(|ack| AcknowledgementView {
                due_at: ack.due_at,
                acknowledged_at: ack.at,
                by: ack.by.clone(),
                lease_until: ack.lease.as_ref().map(|lease| lease.until),
            }),
            outcomes: run.outcomes.iter().map(|outcome| outcome_view(run, outcome, now)).collect(),
            checks: run.checks.iter().map(CheckView::of).collect(),
            exceptions: run.exceptions.iter().map(|exception| ExceptionView::of(run, exception)).collect(),
            escalations: run.escalations.iter().map(EscalationView::of).collect(),
        }
    }

    /// The same without what every second changes, to be compared.
    pub fn without_clocks(mut self) -> Self {
        self.custody.clear();
        self.outcomes.iter_mut().for_each(|outcome| outcome.clock = None);
        self
    }
}

fn outcome_view(run: &Run, outcome: &Outcome, now: Time) -> OutcomeView {
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
        clock: outcome.clock.as_ref().map(|clock| ClockView::of(clock, outcome, run, now)),
    }
}

fn seconds(span: Span) -> i64 {
    span.ms() / 1000
}

impl CustodyView {
    fn of(custody: Custody, run: &Run, now: Time) -> Self {
        let Custody { owner, role, from, to } = custody;
        let until = to.or(run.closed_at).unwrap_or(now);
        Self { owner, role, from, to, seconds: seconds(until.since(from)) }
    }
}

impl ClockView {
    pub(crate) fn of(clock: &Started, outcome: &Outcome, run: &Run, now: Time) -> Self {
        let Started { started_at, due_at, .. } = *clock;
        let stopped_at = outcome.done_at.or(run.closed_at);
        let until = stopped_at.unwrap_or(now);
        // A deadline that has passed is not paused.
        let pauses = run.pauses.iter().filter(|pause| pause.from < due_at && pause.to > started_at);
        let over = pauses.clone().filter(|pause| !pause.lasts);
        let paused = |pause: &Pause, until: Time| pause.to.min(until).since(pause.from.max(started_at)).ms();
        let stood_still = Span::from_ms(pauses.clone().map(|pause| paused(pause, until)).sum());
        let moved = Span::from_ms(over.clone().map(|pause| paused(pause, due_at)).sum());
        let runs = stopped_at.is_none() && !run.stands_still(due_at);
        Self {
            budget_s: seconds(due_at.since(started_at) - moved),
            consumed_s: seconds(until.since(started_at) - stood_still),
            running_since: runs.then(|| over.map(|pause| pause.to).fold(started_at, Time::max)),
        }
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
        let about = exception.outcome.as_deref().or(exception.check.as_deref());
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
            resolution: exception.resolution.clone(),
            evidence: exception.evidence.clone(),
            group: group(&run.flow, about, exception.kind, exception.opened_at),
        }
    }

    /// The exception of a flow itself as the API shows it.
    pub fn of_flow(flow: &str, exception: &FlowException) -> Self {
        Self {
            id: exception.id.clone(),
            kind: exception.kind,
            status: if exception.is_open() { ExceptionStatus::Open } else { ExceptionStatus::Resolved },
            run: None,
            flow: flow.to_owned(),
            subject: None,
            outcome: None,
            check: None,
            owner: exception.owner.clone(),
            opened_at: exception.opened_at,
            recovery_due_at: exception.recovery_due_at,
            resolved_at: exception.resolved_at,
            resolution: exception.resolution.clone(),
            evidence: exception.evidence.clone(),
            group: exception.group.clone(),
        }
    }
}
