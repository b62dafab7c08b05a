//! The Monday message: what is right in a flow, what is not, and where to look.

use serde_json::{Value, json};

use crate::checklist::Answer;
use crate::record::ChecklistSent;
use crate::report::Late;

/// In one line: how the checklist came out.
pub(super) fn headline(sent: &ChecklistSent) -> String {
    let count = |status| sent.checks.iter().filter(|check| check.status == status).count();
    let [right, wrong, unknown] = [Answer::Pass, Answer::Fail, Answer::Unknown].map(count);
    let late = match &sent.late {
        Some(Late { outcomes, .. }) => {
            let ids: Vec<String> = outcomes.iter().map(|outcome| format!("`{}`", outcome.id)).collect();
            format!("; {} took longer than the SLA on average", ids.join(", "))
        }
        None => String::new(),
    };
    format!("checklist of {}: {right} right, {wrong} wrong, {unknown} not known{late}", sent.week)
}

/// What it has beside what every notice has.
pub(super) fn told(flow: &str, sent: &ChecklistSent) -> Value {
    let is_wrong = sent.late.is_some() || sent.checks.iter().any(|check| check.status == Answer::Fail);
    let draft = sent.late.as_ref().map(|Late { from, to, .. }| {
        // The draft is made of the trail whenever it is asked for: these words bring the same one.
        format!("meshline postmortem {flow} --from {from} --to {to}")
    });
    json!({
        "severity": if is_wrong { "high" } else { "normal" }, "owner": sent.notify.first().map(|told| &told.id),
        "notify": sent.notify, "due_at": sent.due_at, "checks": sent.checks, "late": sent.late, "postmortem": draft,
    })
}
