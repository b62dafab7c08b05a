//! Routing: from an event and the runs of its subject to what is to be done.

use quamina::Quamina;

use crate::command::{Action, Command};
use crate::config::flow::{Flow, OnRetrigger};
use crate::event::Event;
use crate::id;
use crate::pattern::{PatternError, Values};
use crate::record::Actor;
use crate::run::Run;

/// Finds the flows whose trigger an event is, at about the cost of one for thousands.
#[derive(Clone)]
pub struct Router {
    triggers: Quamina<String>,
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
    /// A trigger that cannot be matched; `plan` lets none through.
    pub fn new<'f>(flows: impl IntoIterator<Item = &'f Flow>) -> Result<Self, PatternError> {
        let mut triggers = Quamina::new();
        for flow in flows {
            flow.trigger.matches.add_to(&mut triggers, &flow.trigger.source, &flow.id)?;
        }
        Ok(Self { triggers })
    }

    /// The ids of the flows that `event` triggers, in order.
    ///
    /// # Errors
    /// An event that cannot be matched against.
    pub fn triggered(&self, event: &Event) -> Result<Vec<String>, PatternError> {
        let malformed = |e: String| PatternError::Malformed(e);
        let bytes = serde_json::to_vec(event).map_err(|e| malformed(e.to_string()))?;
        let mut flows = self.triggers.matches_for_event(&bytes).map_err(|e| malformed(e.to_string()))?;
        flows.sort();
        flows.dedup();
        Ok(flows)
    }
}

/// What `event` makes necessary: runs to open, to join, to cancel, and open runs that look at it.
///
/// `triggered` are the flows it triggers, `runs` all runs of its subject, whatever their state. Steps are to
/// be done in order, each at most once successfully; a retry after a crash in between does the rest.
pub fn steps(event: &Event, triggered: &[&Flow], runs: &[Candidate<'_>]) -> Vec<Step> {
    let mut steps = Vec::new();
    for candidate in runs.iter().filter(|candidate| candidate.run.is_open()) {
        let action = if cancels(event, *candidate) {
            Action::Cancel(format!("{} from {}", event.kind, event.source))
        } else {
            Action::Observe(Box::new(event.clone()))
        };
        steps.push(command(candidate.run, event, action));
    }
    for flow in triggered {
        steps.extend(trigger(event, flow, runs));
    }
    steps
}

/// Whether the event calls the run off. One from before its opening does not.
fn cancels(event: &Event, candidate: Candidate<'_>) -> bool {
    let trigger = &candidate.flow.trigger;
    let Some(pattern) = &trigger.cancel_on else { return false };
    event.source == trigger.source
        && event.effective_at() >= candidate.run.opened_at
        && pattern.matches(&Values::new(), event) == Ok(true)
}

fn trigger(event: &Event, flow: &Flow, runs: &[Candidate<'_>]) -> Vec<Step> {
    let own = || runs.iter().map(|candidate| candidate.run).filter(|run| run.flow == flow.id);
    let open = || own().filter(|run| run.is_open());
    let opened = id::run_id(event, &flow.id);
    if own().any(|run| run.run == opened) {
        return Vec::new();
    }
    let open_new = Step::Open { flow: flow.id.clone() };
    match flow.trigger.on_retrigger {
        OnRetrigger::New => vec![open_new],
        OnRetrigger::Restart => {
            let reason = format!("restarted by {} from {}", event.kind, event.source);
            let cancel = open().map(|run| command(run, event, Action::Cancel(reason.clone())));
            cancel.chain(std::iter::once(open_new)).collect()
        }
        OnRetrigger::Join => {
            if own().any(|run| run.has_seen(&event.cause())) {
                return Vec::new();
            }
            let within = |run: &&Run| {
                let age = event.effective_at().since(run.opened_at);
                flow.trigger.join_within.is_none_or(|limit| age <= limit)
            };
            match open().filter(within).max_by_key(|run| run.opened_at) {
                Some(run) => vec![command(run, event, Action::Retrigger(Box::new(event.clone())))],
                None => vec![open_new],
            }
        }
    }
}

fn command(run: &Run, event: &Event, action: Action) -> Step {
    let command =
        Command { action, actor: Actor::source(&event.source), if_version: None, cause: Some(event.cause()) };
    Step::Command { run: run.run.clone(), command }
}
