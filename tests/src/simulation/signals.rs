//! The oracle of signals: what must have verified an outcome, and what it must have been about.

use meshline_core::event::Event;
use meshline_core::record::{Fact, Record};
use meshline_core::run::Run;

use super::invariants::SKEW;
use super::seen::Seen;
use super::shape::{FlowShape, OutcomeShape, Shape};

/// What is wrong at any moment: an outcome that no event of its kind about its asset verified, and an event that was
/// passed on to an asset that its contact did not stand for.
pub(super) fn invented(seen: &Seen, found: &mut Vec<String>) {
    for (run, outcome, key) in verified(seen) {
        let kind = format!("{}.{outcome}.done", run.flow);
        let is_it = |event: &Event| event.key() == key && event.kind == kind && event.subject == run.subject;
        if !all(seen).any(is_it) {
            found.push(format!("run {}: {outcome} was verified by {key}, which is no {kind}", run.run));
        }
    }
    for event in &seen.passed_on {
        if !links(seen, event).any(|link| link.subject == event.subject) {
            found.push(format!("{} was passed on to {}", event.key(), event.subject));
        }
    }
}

/// What must have come of the events by now, if nothing was in their way.
pub(super) fn missing(seen: &Seen, shape: &Shape) -> Vec<String> {
    let mut found = Vec::new();
    for (run, trail) in seen.lives().filter(|(run, _)| run.is_open()) {
        let Some(flow) = shape.flow(run) else { continue };
        for outcome in flow.outcomes.iter().filter(|outcome| !outcome.manual && !is_done(trail, outcome)) {
            if let Some(event) = all(seen).find(|event| concerns(seen, run, flow, outcome, event)) {
                let (key, at) = (event.key(), event.received_at);
                found.push(format!("run {}: {} is not done, but {key} came at {at}", run.run, outcome.id));
            }
        }
    }
    for event in seen.events.values() {
        let Some(link) = links(seen, event).max_by_key(|link| (link.received_at, link.key())) else {
            continue;
        };
        if !seen.passed_on.iter().any(|it| it.key() == event.key() && it.subject == link.subject) {
            found.push(format!("{} about {} is not about {}", event.key(), event.subject, link.subject));
        }
    }
    found
}

/// Every event, those that were passed on too.
fn all(seen: &Seen) -> impl Iterator<Item = &Event> {
    seen.events.values().chain(&seen.passed_on)
}

/// The webhooks by which the contact that an event came about had been linked to an asset.
fn links<'a>(seen: &'a Seen, event: &'a Event) -> impl Iterator<Item = &'a Event> {
    let name = event.alias.as_ref().unwrap_or(&event.subject);
    seen.events.values().filter(move |link| {
        let contact = link.data["contact"].as_str();
        contact.is_some_and(|contact| *name == format!("contact:{contact}"))
            && link.received_at <= event.received_at
    })
}

/// Whether an event must verify the outcome of an open run: it came while the run was open, or before there was any
/// run that it could have been about.
fn concerns(seen: &Seen, run: &Run, flow: &FlowShape, outcome: &OutcomeShape, event: &Event) -> bool {
    let is_it = event.subject == run.subject && event.kind == format!("{}.{}.done", flow.id, outcome.id);
    let alone =
        || seen.runs.values().filter(|it| it.flow == run.flow && it.subject == run.subject).count() == 1;
    // In a flow that was changed, it may have been no outcome when it came.
    let early = || run.flow_version == 1 && alone();
    is_it && (run.opened_at + SKEW <= event.received_at || early())
}

fn is_done(trail: &[Record], outcome: &OutcomeShape) -> bool {
    trail.iter().any(|record| matches!(&record.fact, Fact::OutcomeDone(done) if done.outcome == outcome.id))
}

/// Each outcome that an event verified: its run, its id, and the event's key.
pub(super) fn verified(seen: &Seen) -> impl Iterator<Item = (&Run, &str, &str)> {
    seen.lives().flat_map(|(run, trail)| {
        trail.iter().filter_map(move |record| {
            let Fact::OutcomeDone(done) = &record.fact else { return None };
            Some((run, done.outcome.as_str(), record.cause.as_deref()?.strip_prefix("event:")?))
        })
    })
}
