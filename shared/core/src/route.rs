//! Routing: from an event and the runs of its subject to what is to be done.

use quamina::Quamina;

use crate::command::{Action, Command};
use crate::config::flow::{DoneWhen, Flow, OnRetrigger, OutcomeSpec};
use crate::decide::EARLIEST_SIGNAL;
use crate::event::Event;
use crate::id;
use crate::parked::Parked;
use crate::pattern::{Pattern, PatternError, Values};
use crate::record::Actor;
use crate::run::Run;

/// Finds the flows whose trigger an event is, or whose outcome it may speak of, at about the cost of one for thousands.
#[derive(Clone)]
pub struct Router {
    triggers: Quamina<String>,
    outcomes: Quamina<String>,
}

/// One thing to do because of an event. Doing it again changes nothing.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// Open the run of this flow for the event.
    Open {
        /// Id of the flow.
        flow: String,
    },
    /// Give this command to a run.
    Command {
        /// Id of the run.
        run: String,
        /// What to do.
        command: Command,
    },
}

/// A run of the event's subject, with the flow version that it was opened with.
#[derive(Debug, Clone, Copy)]
pub struct Candidate<'a> {
    /// The run.
    pub run: &'a Run,
    /// Its flow version.
    pub flow: &'a Flow,
}

impl Router {
    /// A router over the flows in force.
    ///
    /// # Errors
    /// A pattern that cannot be matched; `plan` lets none through.
    pub fn new<'f>(flows: impl IntoIterator<Item = &'f Flow>) -> Result<Self, PatternError> {
        let (mut triggers, mut outcomes) = (Quamina::new(), Quamina::new());
        for flow in flows {
            flow.trigger.matches.add_to(&mut triggers, &flow.trigger.source, &flow.id)?;
            for pattern in flow.outcomes.iter().flat_map(patterns) {
                pattern.add_loosely_to(&mut outcomes, &flow.id)?;
            }
        }
        Ok(Self { triggers, outcomes })
    }

    /// The ids of the flows that `event` triggers, in order.
    ///
    /// # Errors
    /// An event that cannot be matched against.
    pub fn triggered(&self, event: &Event) -> Result<Vec<String>, PatternError> {
        matching(&self.triggers, event)
    }

    /// The ids of the flows that have an outcome which `event` may verify or fail, whatever their trigger says, in order.
    ///
    /// # Errors
    /// An event that cannot be matched against.
    pub fn awaiting(&self, event: &Event) -> Result<Vec<String>, PatternError> {
        matching(&self.outcomes, event)
    }
}

fn matching(flows: &Quamina<String>, event: &Event) -> Result<Vec<String>, PatternError> {
    let malformed = |e: String| PatternError::Malformed(e);
    let mut found = flows.matches_for_event(&event.json()).map_err(|e| malformed(e.to_string()))?;
    found.sort();
    found.dedup();
    Ok(found)
}

/// What verifies an outcome, and what fails it.
fn patterns(outcome: &OutcomeSpec) -> impl Iterator<Item = &Pattern> {
    let done = match &outcome.done_when {
        DoneWhen::Manual => None,
        DoneWhen::Event(pattern) => Some(pattern),
    };
    done.into_iter().chain(&outcome.failed_when)
}

/// Whether a signal of these flows finds no run: there is none of any of them, open or over.
pub fn finds_no_run(awaiting: &[String], runs: &[Candidate<'_>]) -> bool {
    !awaiting.is_empty() && !runs.iter().any(|candidate| awaiting.contains(&candidate.run.flow))
}

/// What `event` makes necessary: runs to open, to join, to cancel, and open runs that look at it.
///
/// `triggered` are the flows it triggers, `runs` all runs of its subject, whatever their state. Steps are to
/// be done in order, each at most once successfully; a retry after a crash in between does the rest. A run
/// gets one command at most: it remembers the event by its cause, so a second one would do nothing.
pub fn steps(event: &Event, triggered: &[&Flow], runs: &[Candidate<'_>]) -> Vec<Step> {
    let triggers: Vec<Trigger<'_>> =
        triggered.iter().filter_map(|flow| Trigger::new(event, flow, runs)).collect();
    let open = runs.iter().filter(|candidate| candidate.run.is_open());
    let commands = open.map(|candidate| {
        let trigger = triggers.iter().find(|trigger| trigger.flow.id == candidate.run.flow);
        let action = match trigger.map(|trigger| trigger.on(candidate.run)) {
            _ if cancels(event, *candidate) => {
                Action::Cancel(format!("{} from {}", event.kind, event.source))
            }
            Some(Some(action)) => action,
            Some(None) | None => Action::Observe(Box::new(event.clone())),
        };
        command(candidate.run, event, action)
    });
    let new = triggers.iter().filter(|trigger| trigger.opens());
    commands.chain(new.map(|trigger| Step::Open { flow: trigger.flow.id.clone() })).collect()
}

/// The ids of the runs that `event` opens by these steps, or has opened when it was looked at before.
pub fn opened(event: &Event, triggered: &[&Flow], runs: &[Candidate<'_>], steps: &[Step]) -> Vec<String> {
    let is_new = |flow: &Flow| steps.contains(&Step::Open { flow: flow.id.clone() });
    let is_there = |run: &String| runs.iter().any(|candidate| candidate.run.run == *run);
    let opened = triggered.iter().map(|flow| (flow, id::run_id(event, &flow.id)));
    opened.filter(|(flow, run)| is_new(flow) || is_there(run)).map(|(_, run)| run).collect()
}

/// The commands by which runs that `event` opens look at signals that came before it: those of `events`, all of
/// one subject, that are recent enough or parked, and that no other run of the subject has taken.
pub fn early(
    event: &Event,
    opened: &[String],
    events: &[Event],
    parked: &[Parked],
    runs: &[Candidate<'_>],
) -> Vec<Step> {
    let is_parked = |early: &Event| parked.iter().any(|parked| parked.event == early.key());
    let counts = |early: &&Event| {
        let is_recent = event.effective_at() <= early.effective_at() + EARLIEST_SIGNAL;
        early.key() != event.key() && (is_recent || is_parked(early))
    };
    let is_free = |early: &&Event| !runs.iter().any(|candidate| candidate.run.has_seen(&early.cause()));
    let early: Vec<&Event> = events.iter().filter(counts).filter(is_free).collect();
    let observe = |run: &String, early: &Event| {
        let signal = Box::new(early.clone());
        let action = if is_parked(early) { Action::TakeParked(signal) } else { Action::Observe(signal) };
        Step::Command { run: run.clone(), command: event_command(early, action) }
    };
    opened.iter().flat_map(|run| early.iter().map(|early| observe(run, early))).collect()
}

/// Whether the event calls the run off. One from before its opening does not.
fn cancels(event: &Event, candidate: Candidate<'_>) -> bool {
    let trigger = &candidate.flow.trigger;
    let Some(pattern) = &trigger.cancel_on else { return false };
    event.source == trigger.source
        && event.effective_at() >= candidate.run.opened_at
        && pattern.matches(&Values::new(), &event.json()) == Ok(true)
}

/// An event that triggers a flow, among the flow's runs of the same subject.
struct Trigger<'a> {
    event: &'a Event,
    flow: &'a Flow,
    /// The flow's runs that the event does not call off.
    own: Vec<&'a Run>,
}

impl<'a> Trigger<'a> {
    /// `None` when the event has opened its run already.
    fn new(event: &'a Event, flow: &'a Flow, runs: &[Candidate<'a>]) -> Option<Self> {
        let opened = id::run_id(event, &flow.id);
        let own = runs.iter().filter(|candidate| candidate.run.flow == flow.id);
        if own.clone().any(|candidate| candidate.run.run == opened) {
            return None;
        }
        let kept = own.filter(|candidate| !cancels(event, **candidate)).map(|candidate| candidate.run);
        Some(Self { event, flow, own: kept.collect() })
    }

    /// What it does to an open run of the flow; `None` when that run only looks at the event.
    fn on(&self, run: &Run) -> Option<Action> {
        match self.flow.trigger.on_retrigger {
            OnRetrigger::New => None,
            OnRetrigger::Restart => {
                let (kind, source) = (&self.event.kind, &self.event.source);
                Some(Action::Cancel(format!("restarted by {kind} from {source}")))
            }
            OnRetrigger::Join => {
                let joined = self.joined().is_some_and(|joined| joined.run == run.run);
                joined.then(|| Action::Retrigger(Box::new(self.event.clone())))
            }
        }
    }

    fn opens(&self) -> bool {
        match self.flow.trigger.on_retrigger {
            OnRetrigger::New | OnRetrigger::Restart => true,
            OnRetrigger::Join => self.joined().is_none() && !self.has_joined_before(),
        }
    }

    /// The open run that the event belongs to: the newest that is young enough, rather one from before the event.
    fn joined(&self) -> Option<&'a Run> {
        if self.has_joined_before() {
            return None;
        }
        let open = self.own.iter().copied().filter(|run| run.is_open() && self.is_within(run));
        open.max_by_key(|run| (run.opened_at <= self.event.effective_at(), run.opened_at))
    }

    /// Whether the event is looked at again, and the run that it joined is over by now.
    fn has_joined_before(&self) -> bool {
        let seen = |run: &&Run| !run.is_open() && run.has_seen(&self.event.cause());
        self.own.iter().any(|run| self.is_within(run) && seen(run))
    }

    fn is_within(&self, run: &Run) -> bool {
        let age = self.event.effective_at().since(run.opened_at);
        self.flow.trigger.join_within.is_none_or(|limit| age <= limit)
    }
}

fn command(run: &Run, event: &Event, action: Action) -> Step {
    Step::Command { run: run.run.clone(), command: event_command(event, action) }
}

fn event_command(event: &Event, action: Action) -> Command {
    Command { action, actor: Actor::source(&event.source), if_version: None, cause: Some(event.cause()) }
}
