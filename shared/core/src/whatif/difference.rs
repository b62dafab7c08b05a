//! Differences between a run as it was and as it would have been, in words.

use serde::Serialize;
use serde_json::Value;

use super::{Standing, Told};
use crate::time::Time;
use crate::view::OutcomeView;

/// Every difference that somebody could have noticed, a sentence each. That the clock is looked at some seconds after
/// something falls due is none.
pub(super) fn sentences(was: &Standing, would_be: &Standing) -> Vec<String> {
    let mut said = Vec::new();
    if was.met != would_be.met {
        let word = |met: Option<bool>| match met {
            Some(true) => "met",
            Some(false) => "missed",
            None => "undecided",
        };
        said.push(format!("the run: {} -> {}", word(was.met), word(would_be.met)));
    }
    if was.status != would_be.status {
        said.push(format!("status: {} -> {}", word(&was.status), word(&would_be.status)));
    }
    outcomes(was, would_be, &mut said);
    escalations(was, would_be, &mut said);
    let holders = |standing: &Standing| {
        let owners: Vec<&str> = standing.custody.iter().map(|held| held.owner.as_str()).collect();
        owners.join(", ")
    };
    let (held, would_hold) = (holders(was), holders(would_be));
    if held != would_hold {
        said.push(format!("owned by: {held} -> {would_hold}"));
    }
    let mut kinds: Vec<_> = was.exceptions.keys().chain(would_be.exceptions.keys()).collect();
    kinds.sort();
    kinds.dedup();
    for kind in kinds {
        let count = |of: &Standing| of.exceptions.get(kind).copied().unwrap_or_default();
        if count(was) != count(would_be) {
            said.push(format!("exceptions `{}`: {} -> {}", word(kind), count(was), count(would_be)));
        }
    }
    said
}

fn outcomes(was: &Standing, would_be: &Standing, said: &mut Vec<String>) {
    let of = |standing: &Standing, id: &str| standing.outcomes.iter().find(|it| it.id == id).cloned();
    for outcome in &would_be.outcomes {
        match of(was, &outcome.id) {
            None => said.push(format!("`{}` would have been expected", outcome.id)),
            Some(before) => {
                outcome_sentences(&before, outcome, said);
                // Those that are the run owner's change hands with the run.
                let is_runs = before.owner == was.owner && outcome.owner == would_be.owner;
                if before.owner != outcome.owner && !is_runs {
                    said.push(format!("`{}` owned by: {} -> {}", outcome.id, before.owner, outcome.owner));
                }
            }
        }
    }
    for outcome in was.outcomes.iter().filter(|outcome| of(would_be, &outcome.id).is_none()) {
        said.push(format!("`{}` would not have been expected", outcome.id));
    }
}

fn outcome_sentences(was: &OutcomeView, would_be: &OutcomeView, said: &mut Vec<String>) {
    let id = &was.id;
    let or_never = |at: Option<Time>| at.map_or_else(|| "never".to_owned(), |at| at.to_string());
    if was.status != would_be.status {
        said.push(format!("`{id}`: {} -> {}", word(&was.status), word(&would_be.status)));
    }
    if was.due_at != would_be.due_at {
        said.push(format!("`{id}` due: {} -> {}", or_never(was.due_at), or_never(would_be.due_at)));
    }
    if was.done_at != would_be.done_at {
        said.push(format!("`{id}` done: {} -> {}", or_never(was.done_at), or_never(would_be.done_at)));
    }
    match (was.breached_at, would_be.breached_at) {
        (None, Some(at)) => said.push(format!("`{id}` would have breached at {at}")),
        (Some(at), None) => said.push(format!("`{id}` would not have breached at {at}")),
        (None, None) | (Some(_), Some(_)) => {}
    }
}

fn escalations(was: &Standing, would_be: &Standing, said: &mut Vec<String>) {
    let step = |it: &Told| {
        let of = |about: String| format!(" of `{about}`");
        let exception = it.exception.as_ref().map(word).map_or_else(String::new, of);
        let outcome = it.outcome.clone().map_or_else(String::new, of);
        format!("step {} of the ladder `{}`{exception}{outcome}", it.step, word(&it.ladder))
    };
    let who = |it: &Told| if it.told.is_empty() { "nobody".to_owned() } else { it.told.join(", ") };
    let about = |it: &Told| (it.ladder, it.step, it.exception, it.outcome.clone());
    // Two cases of one kind can climb the same ladder: each step is compared with one other.
    let mut before: Vec<&Told> = was.escalations.iter().collect();
    for fired in &would_be.escalations {
        match before.iter().position(|before| about(before) == about(fired)).map(|n| before.remove(n)) {
            None => said.push(format!("{} would have told {} at {}", step(fired), who(fired), fired.at)),
            Some(before) if before.told != fired.told => {
                said.push(format!("{} told: {} -> {}", step(fired), who(before), who(fired)));
            }
            Some(_) => {}
        }
    }
    said.extend(before.iter().map(|fired| format!("{} would not have told {}", step(fired), who(fired))));
}

/// The word that stands for a value in JSON.
pub(super) fn word(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(Value::String(word)) => word,
        Ok(other) => other.to_string(),
        Err(_) => String::new(),
    }
}
