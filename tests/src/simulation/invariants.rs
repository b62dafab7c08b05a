//! What must hold of everything that is there.

use std::collections::{BTreeMap, BTreeSet};

use meshline_core::record::{Fact, Record};
use meshline_core::run::Run;
use meshline_core::time::{Span, Time};
use meshline_core::trail;

use super::acts::Actors;
use super::seen::Seen;
use super::shape::Shape;
use super::signals;

/// Two sweeps.
pub(super) const TWO_SWEEPS: Span = Span::minutes(2);
/// How far the clocks of two functions may be apart.
pub(super) const SKEW: Span = Span::from_ms(4_000);

/// What holds at any moment, whatever goes wrong.
pub(super) fn of_safety(seen: &Seen, actors: &Actors, shape: &Shape, was_troubled: bool) -> Vec<String> {
    let mut found = Vec::new();
    for key in &actors.accepted {
        if !seen.events.contains_key(key) && !was_troubled {
            found.push(format!("{key} was accepted, and is not kept"));
        }
    }
    for (run, trail) in seen.lives() {
        let about =
            |what: String| format!("run {} of {} (version {}): {what}", run.run, run.flow, run.version);
        trails(run, trail, &mut |what| found.push(about(what)));
        steps(trail, &mut |what| found.push(about(what)));
        once(trail, &mut |what| found.push(about(what)));
        openings(seen, run, trail, actors, shape, &mut |what| found.push(about(what)));
    }
    for (run, trail) in &seen.trails {
        if run.starts_with("FLOW#") {
            found.extend(trail::verify(trail, None).err().map(|fault| format!("trail of {run}: {fault}")));
        } else if !seen.runs.contains_key(run) {
            found.push(format!("run {run} has {} records and is not there", trail.len()));
        }
    }
    invented(seen, &mut found);
    signals::invented(seen, &mut found);
    notices(seen, was_troubled, &mut found);
    found
}

/// The trail is whole and unbroken, adds up to the stored run, and never goes back in time.
fn trails(run: &Run, trail: &[Record], say: &mut dyn FnMut(String)) {
    if let Err(fault) = trail::verify(trail, Some((run.version, &run.head))) {
        say(format!("trail: {fault}"));
    } else if !run.is_fold_of(trail) {
        say("the stored run is not the fold of its trail".to_owned());
    }
    if !trail.is_sorted_by_key(|record| record.at) {
        say("time runs backwards in the trail".to_owned());
    }
    if run.is_open() && run.next_due().is_none() {
        say("it is open, and nothing of it ever falls due".to_owned());
    }
    let over = trail.iter().position(|it| matches!(it.fact, Fact::RunClosed(_) | Fact::RunCancelled(_)));
    let after = over.map_or(&[] as &[Record], |over| &trail[over + 1..]);
    for record in after {
        let kind = record.fact.kind();
        if !matches!(
            kind,
            "note_added" | "delivery_succeeded" | "delivery_failed" | "delivery_skipped" | "alert_settled"
        ) {
            say(format!("{kind} after it was over"));
        }
    }
}

/// Each step of each ladder at most once, and none before the one below it.
fn steps(trail: &[Record], say: &mut dyn FnMut(String)) {
    let mut next: BTreeMap<String, usize> = BTreeMap::new();
    for record in trail {
        let (ladder, about, step) = match &record.fact {
            Fact::Escalated(it) => (it.ladder, it.outcome.as_ref().or(it.exception.as_ref()), it.step),
            Fact::StepEmpty(it) => (it.ladder, it.outcome.as_ref().or(it.exception.as_ref()), it.step),
            _ => continue,
        };
        let next = next.entry(format!("{ladder:?} {about:?}")).or_default();
        if step != *next {
            say(format!("{ladder:?} {about:?}: step {step} where {next} was due"));
        }
        *next = step + 1;
    }
}

/// Each cause acts once, and each deadline is breached once.
fn once(trail: &[Record], say: &mut dyn FnMut(String)) {
    let mut seen = BTreeSet::new();
    for record in trail {
        let what = match &record.fact {
            Fact::SlaBreached(it) => Some(format!("breach of {}", it.outcome)),
            Fact::OutcomeDone(it) => Some(format!("{} done", it.outcome)),
            Fact::RecoveryBreached(it) => Some(format!("recovery of {} breached", it.exception)),
            _ => record.cause.clone(),
        };
        if let Some(what) = what.filter(|what| !seen.insert(what.clone())) {
            say(format!("twice: {what}"));
        }
    }
}

/// A run is opened by an event that is kept, that its flow wants, at the time it was sent.
fn openings(
    seen: &Seen,
    run: &Run,
    trail: &[Record],
    actors: &Actors,
    shape: &Shape,
    say: &mut dyn FnMut(String),
) {
    let Some(first) = trail.first() else { return };
    let key = first.cause.as_deref().and_then(|cause| cause.strip_prefix("event:")).unwrap_or_default();
    let Some(event) = seen.events.get(key) else {
        return say(format!("it was opened by {key}, which is not kept"));
    };
    if !wants(&run.flow, &event.kind) || event.subject != run.subject || shape.flow(run).is_none() {
        say(format!("it was opened by {key} ({} about {})", event.kind, event.subject));
    }
    let sent = actors.attempts.get(key).map_or(&[] as &[Time], Vec::as_slice);
    if !sent.iter().any(|sent| near(*sent, run.opened_at)) {
        say(format!("its clock starts at {}, but {key} was sent at {sent:?}", run.opened_at));
    }
}

fn wants(flow: &str, kind: &str) -> bool {
    kind == "all.publish" || kind.strip_suffix(".publish") == Some(flow)
}

fn near(one: Time, other: Time) -> bool {
    (one.unix_ms() - other.unix_ms()).abs() <= SKEW.ms()
}

/// Nothing is on the bus or in a queue that no record says, and never two different things by one id.
fn invented(seen: &Seen, found: &mut Vec<String>) {
    let records = seen.record_ids();
    let queues = seen.queues.iter().map(|((_, id), bodies)| (id, bodies));
    for (id, bodies) in seen.bus.iter().chain(queues) {
        if !records.contains(id.as_str()) {
            found.push(format!("{id} was sent, and there is no such record"));
        }
        if bodies.windows(2).any(|pair| pair[0] != pair[1]) {
            found.push(format!("{id} was sent with two contents"));
        }
    }
}

/// Nobody is asked to acknowledge, or told of a miss, once an acknowledgement was visible; nor of what is over.
fn notices(seen: &Seen, was_troubled: bool, found: &mut Vec<String>) {
    let mut told = BTreeSet::new();
    for notice in &seen.inbox {
        // A person's is wrapped; the execution layer gets the message itself.
        let message = notice.body.get("message").unwrap_or(&notice.body);
        let to = notice.body["to"].as_str().unwrap_or("the execution layer");
        let id = message["id"].as_str().unwrap_or_default();
        if !told.insert((id, to)) && !was_troubled {
            found.push(format!("{id} was told twice to {to}"));
        }
        let Some((run, seq)) = id.rsplit_once(':') else { continue };
        let Some(trail) = seen.trails.get(run).filter(|_| message["type"] != "meshline.alert_settled") else {
            continue;
        };
        let seq: u64 = seq.parse().unwrap_or_default();
        let visible = trail.iter().take_while(|record| record.at + SKEW < notice.at);
        let later: Vec<&Fact> =
            visible.filter(|record| record.seq > seq).map(|record| &record.fact).collect();
        let asks = matches!(message["data"]["ladder"].as_str(), Some("not_acknowledged" | "opened"));
        if asks && later.iter().any(|fact| matches!(fact, Fact::Acknowledged(_))) {
            found.push(format!("{to} was told {id} at {}, after the acknowledgement", notice.at));
        }
        if later.iter().any(|fact| matches!(fact, Fact::RunClosed(_) | Fact::RunCancelled(_))) {
            found.push(format!("{to} was told {id} at {}, after the run was over", notice.at));
        }
    }
}

/// What must have happened by now, if nothing has been in its way for two sweeps.
pub(super) fn of_progress(seen: &Seen, actors: &Actors, shape: &Shape) -> Vec<String> {
    let mut found = Vec::new();
    for key in actors.accepted.iter().filter(|key| !seen.events.contains_key(*key)) {
        found.push(format!("{key} was accepted, and is not kept"));
    }
    for (item, at) in seen.due.iter().filter(|(_, at)| **at + TWO_SWEEPS < seen.now) {
        found.push(format!("{item} is due since {at}, and it is {}", seen.now));
    }
    let causes: BTreeSet<(&str, &str)> = seen
        .trails
        .values()
        .flatten()
        .filter_map(|record| Some((record.flow.as_str(), record.cause.as_deref()?)))
        .collect();
    for (key, event) in seen.events.iter().filter(|(_, event)| event.source == "cms") {
        for flow in shape.flows.iter().filter(|flow| wants(&flow.id, &event.kind)) {
            if !causes.contains(&(flow.id.as_str(), event.cause().as_str())) {
                found.push(format!(
                    "{key} ({} about {}) is in no run of {}",
                    event.kind, event.subject, flow.id
                ));
            }
        }
    }
    for (id, queue) in &seen.expected {
        if !seen.bus.contains_key(id) {
            found.push(format!("{id} is not on the bus"));
        }
        if let Some(queue) = queue.filter(|queue| !seen.queues.contains_key(&(*queue, id.clone()))) {
            found.push(format!("{id} is not in {}", queue.as_str()));
        }
    }
    if seen.left_behind > 0 {
        found.push(format!("{} records of streams were left behind", seen.left_behind));
    }
    found
}

/// What must be true when everything has had its time: whoever was to be told was told, or the trail says why not.
pub(super) fn of_the_end(seen: &Seen) -> Vec<String> {
    let mut found = Vec::new();
    let reported: BTreeSet<String> = seen
        .trails
        .values()
        .flatten()
        .filter_map(|record| {
            let message = match &record.fact {
                Fact::DeliverySucceeded(it) => it.message,
                Fact::DeliveryFailed(it) => it.message,
                Fact::DeliverySkipped(it) => it.message,
                _ => return None,
            };
            Some(format!("{}:{message}", record.run))
        })
        .collect();
    for (_, id) in seen.queues.keys().filter(|(_, id)| !id.starts_with("FLOW#") && !reported.contains(id)) {
        found.push(format!("nobody says what became of the message {id}"));
    }
    found
}
