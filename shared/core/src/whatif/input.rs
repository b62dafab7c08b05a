//! What a run was decided from, in the order in which it was decided.

use super::Life;
use crate::command::{Action, Command};
use crate::config::flow::Party;
use crate::delivery;
use crate::event::Event;
use crate::record::{Actor, ActorKind, Fact, Record};
use crate::route::{self, Candidate, Step};
use crate::time::Time;

/// One thing that happened to a run.
pub(super) enum Input<'a> {
    /// An event about its subject came after its opening.
    Event(&'a Event),
    /// The clock was looked at, or a signal from before its opening.
    Command(Command),
    /// A person did something, which made this record.
    Person(Command, &'a Record),
}

/// The event that opened the run.
pub(super) fn trigger<'a>(life: Life<'a>) -> Option<&'a Event> {
    let cause = life.trail.first()?.cause.as_deref()?;
    life.events.iter().find(|event| event.cause() == cause)
}

/// A look at the clock.
pub(super) fn tick() -> Command {
    Command { action: Action::Tick, actor: Actor::system(SWEEP), if_version: None, cause: None }
}

/// The function that looks at the clock.
const SWEEP: &str = "sla-check";

/// All that happened, in order. What made a record stands where the record does. An event that made none has its place
/// where it came in, after all else of that moment: what it has nothing to say to then, it has nothing to say to
/// later, so that its place matters only if the new life differs.
pub(super) fn inputs<'a>(life: Life<'a>, trigger: &Event) -> Vec<(Time, Input<'a>)> {
    let place = |cause: &str, otherwise: Time| {
        let record = life.trail.iter().find(|record| record.cause.as_deref() == Some(cause));
        record.map_or((otherwise, u64::MAX), |record| (record.at, record.seq))
    };
    let opened_at = life.trail.first().map_or(trigger.received_at, |record| record.at);
    let (before, after): (Vec<&Event>, Vec<&Event>) =
        life.events.iter().partition(|event| event.received_at < trigger.received_at);
    let mut inputs: Vec<((Time, u64), Input<'a>)> = Vec::new();
    for command in early(life, trigger, &before) {
        let cause = command.cause.as_deref().unwrap_or_default();
        inputs.push((place(cause, opened_at), Input::Command(command)));
    }
    for event in after.into_iter().filter(|event| event.key() != trigger.key()) {
        inputs.push((place(&event.cause(), event.received_at), Input::Event(event)));
    }
    for record in life.trail {
        let done = match record.actor.kind {
            ActorKind::Person => action(&record.fact).map(|action| {
                let (actor, cause) = (record.actor.clone(), record.cause.clone());
                Input::Person(Command { action, actor, if_version: None, cause }, record)
            }),
            // What is due at the moment of something else was seen before that, or after.
            ActorKind::System if record.actor.id == SWEEP => Some(Input::Command(tick())),
            ActorKind::System => delivery::of_fact(&record.fact).map(|delivery| {
                let (actor, cause) = (record.actor.clone(), record.cause.clone());
                let action = Action::ReportDelivery(Box::new(delivery));
                Input::Command(Command { action, actor, if_version: None, cause })
            }),
            ActorKind::Source => None,
        };
        inputs.extend(done.map(|done| ((record.at, record.seq), done)));
    }
    inputs.sort_by_key(|(place, _)| *place);
    inputs.into_iter().map(|((at, _), input)| (at, input)).collect()
}

/// The signals from before the opening that the run takes, as `route` finds them then.
fn early(life: Life<'_>, trigger: &Event, before: &[&Event]) -> Vec<Command> {
    let before: Vec<Event> = before.iter().map(|event| (*event).clone()).collect();
    let is_older = |other: &&Candidate<'_>| other.run.opened_at < life.run.opened_at;
    let others: Vec<Candidate<'_>> = life.runs.iter().filter(is_older).copied().collect();
    let steps = route::early(trigger, std::slice::from_ref(&life.run.run), &before, life.parked, &others);
    let command = |step| match step {
        Step::Command { command, .. } => Some(command),
        Step::Open { .. } => None,
    };
    steps.into_iter().filter_map(command).collect()
}

/// What a person wanted, by the record that it made.
fn action(fact: &Fact) -> Option<Action> {
    Some(match fact.clone() {
        Fact::Acknowledged(_) => Action::Acknowledge,
        Fact::Reassigned(it) => Action::Reassign { to: Party::Person(it.to), reason: it.reason },
        Fact::OutcomeDone(it) => {
            Action::CompleteOutcome { outcome: it.outcome, evidence: it.evidence.unwrap_or_default() }
        }
        Fact::OutcomeFailed(it) => Action::FailOutcome { outcome: it.outcome, reason: it.reason },
        Fact::CheckPassed(it) => Action::PassCheck { check: it.check, evidence: it.evidence },
        Fact::CheckFailed(it) => Action::FailCheck { check: it.check, reason: it.reason },
        Fact::ExceptionOpened(it) => {
            Action::OpenException { kind: it.kind, outcome: it.outcome, reason: it.seen }
        }
        Fact::ExceptionResolved(it) => Action::ResolveException {
            exception: it.exception,
            resolution: it.resolution,
            evidence: it.evidence,
        },
        Fact::Paused(it) => Action::Pause(it.reason),
        Fact::Resumed(_) => Action::Resume,
        Fact::NoteAdded(it) => Action::Note(it.text),
        Fact::RunCancelled(it) => Action::Cancel(it.reason),
        Fact::RunClosed(it) => Action::Close(it.reason?),
        // Nobody wants these: they follow.
        Fact::RunOpened(_)
        | Fact::Retriggered(_)
        | Fact::OutcomeRequested(_)
        | Fact::SlaWarning(_)
        | Fact::SlaBreached(_)
        | Fact::AcknowledgementMissed(_)
        | Fact::AcknowledgementLapsed(_)
        | Fact::Escalated(_)
        | Fact::StepEmpty(_)
        | Fact::RecoveryBreached(_)
        | Fact::Stalled(_)
        | Fact::CheckOverdue(_)
        | Fact::RunVerifying(_)
        | Fact::DeliverySucceeded(_)
        | Fact::DeliveryFailed(_)
        | Fact::DeliverySkipped(_)
        | Fact::AlertSettled(_)
        | Fact::FlowApplied(_)
        | Fact::OwnerRotated(_)
        | Fact::HandoverAccepted(_)
        | Fact::HandoverReminded(_)
        | Fact::ChecklistSent(_) => return None,
    })
}
