//! The Monday checklist: whether a flow keeps its promises, asked of its last triggers and answered with evidence.

mod ask;

use serde::{Deserialize, Serialize};

use crate::config::directory::Directory;
use crate::config::flow::Flow;
use crate::config::qa::CheckKind;
use crate::flow_exception::FlowException;
use crate::record::{ActorKind, Record};
use crate::report;
use crate::run::{Check, CheckStatus, Exception, Outcome, Run, Status};
use crate::time::Time;

/// Triggers that a checklist looks at, the newest ones.
pub const TRIGGERS: usize = 10;

/// What a checklist is made of.
#[derive(Debug, Clone, Copy)]
pub struct Evidence<'a> {
    /// The flow in force.
    pub flow: &'a Flow,
    /// Who there is.
    pub directory: &'a Directory,
    /// Its last triggers, newest first.
    pub triggers: &'a [Trigger<'a>],
    /// Its runs with an open exception, however old.
    pub excepted: &'a [Run],
    /// Whether there are more of those.
    pub has_more_excepted: bool,
    /// Exceptions of the flow itself.
    pub of_flow: &'a [FlowException],
}

/// A trigger: the run it opened, the flow version it was opened with, and its records.
#[derive(Debug, Clone, Copy)]
pub struct Trigger<'a> {
    /// The run.
    pub run: &'a Run,
    /// Its flow version.
    pub flow: &'a Flow,
    /// Its records, first one first.
    pub trail: &'a [Record],
}

/// The checks of a flow with their answers, and the triggers they were asked of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Checklist {
    /// The flow.
    pub flow: String,
    /// The moment of which all is said.
    pub at: Time,
    /// In the order of [`Question`].
    pub checks: Vec<Item>,
    /// Newest first.
    pub triggers: Vec<TriggerView>,
}

/// One question and its answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "ChecklistItem"))]
pub struct Item {
    /// What is asked.
    pub check: Question,
    /// What the answer is.
    pub status: Answer,
    /// The answer in words.
    pub sentence: String,
    /// How many of what was looked at are as they should be.
    pub passed: usize,
    /// How many are not.
    pub failed: usize,
    /// Of how many it cannot be said yet.
    pub undecided: usize,
    /// Some that are not; where none is, some of which it cannot be said yet.
    pub examples: Vec<Example>,
}

/// What a checklist asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Question {
    /// Are owner and backup there today, and two people?
    People,
    /// Were the outcomes of the last triggers met?
    Outcomes,
    /// Was routing QA a part of each, and reported?
    RoutingQa,
    /// Did both systems speak: the trigger's, and the one that each verified outcome names?
    BothSystems,
    /// Are exceptions resolved in time?
    Exceptions,
    /// Is there an exception for every outcome that was missed?
    MissesExplained,
}

/// What is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "ChecklistAnswer"))]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// It is as it should be.
    Pass,
    /// Something is not.
    Fail,
    /// It cannot be said, yet or at all.
    Unknown,
}

/// One case that shows an answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "ChecklistExample"))]
pub struct Example {
    /// The run; absent for the flow itself.
    pub run: Option<String>,
    /// Its asset.
    pub subject: Option<String>,
    /// When it came to be so: a deadline, an opening.
    pub at: Time,
    /// What is so, in words.
    pub what: String,
    /// Address of the records that prove it.
    pub trail: Option<String>,
}

/// A trigger as the checklist shows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TriggerView {
    /// The run it opened.
    pub run: String,
    /// The asset.
    pub subject: String,
    /// What people call it.
    pub title: String,
    /// When it took effect.
    pub opened_at: Time,
    /// How it came out.
    pub verdict: Verdict,
    /// Its outcomes, in the order of the flow.
    pub outcomes: Vec<OutcomeView>,
    /// Its routing checks.
    pub routing_qa: Vec<RoutingView>,
    /// The systems whose events stand in its records.
    pub systems: Vec<String>,
}

/// How a trigger or an outcome came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// In time.
    Met,
    /// Late, done or not.
    Missed,
    /// Not done and not due.
    Pending,
    /// Called off; nothing is asked of it.
    Cancelled,
    /// Opened while the flow was off; nothing is asked of it.
    Suppressed,
}

/// An outcome of a trigger.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "TriggerOutcome"))]
pub struct OutcomeView {
    /// Its id.
    pub id: String,
    /// How it came out.
    pub verdict: Verdict,
    /// Its deadline, once its clock started.
    pub due_at: Option<Time>,
    /// The first exception about it, open or resolved.
    pub exception: Option<String>,
}

/// A routing check of a trigger.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RoutingView {
    /// Its id.
    pub id: String,
    /// What was reported.
    pub report: Report,
    /// Its deadline, once its clock started.
    pub due_at: Option<Time>,
}

/// What was reported of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "CheckReport"))]
#[serde(rename_all = "snake_case")]
pub enum Report {
    /// It passed in time.
    Passed,
    /// It passed when it was overdue.
    PassedLate,
    /// It failed.
    Failed,
    /// Nothing, though it was due.
    NeverReported,
    /// Nothing yet.
    Pending,
}

/// The checklist as it stands at `now`.
pub fn checklist(evidence: Evidence<'_>, now: Time) -> Checklist {
    let triggers = evidence.triggers.get(..TRIGGERS).unwrap_or(evidence.triggers);
    let views: Vec<TriggerView> = triggers.iter().map(|trigger| TriggerView::of(*trigger, now)).collect();
    let asked: Vec<(Trigger<'_>, &TriggerView)> =
        triggers.iter().copied().zip(&views).filter(|(_, view)| view.verdict.counts()).collect();
    let checks = vec![
        ask::people(evidence.flow, evidence.directory, now),
        ask::outcomes(&views, &asked),
        ask::routing_qa(evidence.flow, &asked),
        ask::both_systems(&asked),
        ask::exceptions(evidence, now),
        ask::misses_explained(&asked),
    ];
    Checklist { flow: evidence.flow.id.clone(), at: now, checks, triggers: views }
}

impl Question {
    /// Its word in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::People => "people",
            Self::Outcomes => "outcomes",
            Self::RoutingQa => "routing_qa",
            Self::BothSystems => "both_systems",
            Self::Exceptions => "exceptions",
            Self::MissesExplained => "misses_explained",
        }
    }
}

impl Verdict {
    fn of(met: Option<bool>) -> Self {
        match met {
            Some(true) => Self::Met,
            Some(false) => Self::Missed,
            None => Self::Pending,
        }
    }

    /// Whether it was in time; absent where that is undecided or not asked.
    fn is_met(self) -> Option<bool> {
        match self {
            Self::Met => Some(true),
            Self::Missed => Some(false),
            Self::Pending | Self::Cancelled | Self::Suppressed => None,
        }
    }

    /// Whether anything is asked of a trigger that came out so.
    fn counts(self) -> bool {
        match self {
            Self::Met | Self::Missed | Self::Pending => true,
            Self::Cancelled | Self::Suppressed => false,
        }
    }
}

impl TriggerView {
    fn of(trigger: Trigger<'_>, now: Time) -> Self {
        let run = trigger.run;
        let verdict = if run.suppressed {
            Verdict::Suppressed
        } else if run.status == Status::Cancelled {
            Verdict::Cancelled
        } else {
            Verdict::of(report::verdict_of_run(run, now))
        };
        let routing = run.checks.iter().filter(|check| check.kind == CheckKind::Routing);
        let actors = trigger.trail.iter().map(|record| &record.actor);
        let mut systems: Vec<String> =
            actors.filter(|actor| actor.kind == ActorKind::Source).map(|actor| actor.id.clone()).collect();
        systems.sort();
        systems.dedup();
        Self {
            run: run.run.clone(),
            subject: run.subject.clone(),
            title: run.title.clone(),
            opened_at: run.opened_at,
            verdict,
            outcomes: run.outcomes.iter().map(|outcome| OutcomeView::of(run, outcome, now)).collect(),
            routing_qa: routing.map(|check| RoutingView::of(check, now)).collect(),
            systems,
        }
    }
}

impl OutcomeView {
    fn of(run: &Run, outcome: &Outcome, now: Time) -> Self {
        let is_about = |exception: &&Exception| exception.outcome.as_ref() == Some(&outcome.id);
        Self {
            id: outcome.id.clone(),
            verdict: Verdict::of(report::verdict(run, outcome, now)),
            due_at: outcome.clock.as_ref().map(|clock| clock.due_at),
            exception: run.exceptions.iter().find(is_about).map(|exception| exception.id.clone()),
        }
    }
}

impl RoutingView {
    fn of(check: &Check, now: Time) -> Self {
        let late = |at: Time| check.due_at.is_some_and(|due_at| due_at < at);
        let report = match check.status {
            CheckStatus::Passed if check.passed_at.is_some_and(late) => Report::PassedLate,
            CheckStatus::Passed => Report::Passed,
            CheckStatus::Failed => Report::Failed,
            CheckStatus::Overdue => Report::NeverReported,
            // Whether or not the clock has looked at it.
            CheckStatus::Pending if check.due_at.is_some_and(|due_at| due_at <= now) => Report::NeverReported,
            CheckStatus::Pending => Report::Pending,
        };
        Self { id: check.id.clone(), report, due_at: check.due_at }
    }
}
