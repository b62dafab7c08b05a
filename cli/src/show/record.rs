//! Records as people read them: one sentence each.

use meshline_core::checklist::Answer;
use meshline_core::record::{
    Actor, ActorKind, Breached, CheckPassed, ChecklistSent, DeliverySucceeded, Done, Escalated,
    ExceptionOpened, Fact, Missed, Opened, OwnerRole, OwnerRotated, Reassigned, Recipient, Record,
};
use meshline_core::time::Time;

use super::{Table, Tone, at, count, short, word};

/// A table of records.
pub(crate) fn records(records: &[Record], now: Time) -> Table {
    let mut table = Table::new(&["SEQ", "AT", "BY", "KIND", "WHAT"]);
    for record in records {
        let cells = vec![
            record.seq.to_string(),
            at(record.at, now),
            who(&record.actor),
            record.fact.kind().to_owned(),
            sentence(&record.fact, now),
        ];
        table.row(tone(&record.fact), cells);
    }
    table
}

/// `ana`, `source hubspot`, `system sla-check`.
pub(crate) fn who(actor: &Actor) -> String {
    match actor.kind {
        ActorKind::Person => actor.id.clone(),
        ActorKind::Source | ActorKind::System => format!("{} {}", word(&actor.kind), actor.id),
    }
}

/// What a record says.
pub(crate) fn sentence(fact: &Fact, now: Time) -> String {
    match fact {
        Fact::RunOpened(it) => opened(it, now),
        Fact::Retriggered(it) => format!("{} joined this run", it.event_type),
        Fact::OutcomeRequested(it) => format!("{} asked for over {}", it.outcome, it.channel),
        Fact::OutcomeDone(it) => done(it, now),
        Fact::OutcomeFailed(it) => format!("{}: {}", it.outcome, short(&it.reason)),
        Fact::SlaWarning(it) => {
            format!("{} is due {}; {} should know", it.outcome, at(it.due_at, now), it.owner)
        }
        Fact::SlaBreached(Breached { outcome, due_at, .. }) => {
            format!("{outcome} was due {}", at(*due_at, now))
        }
        Fact::Acknowledged(it) => match it.lease_until {
            Some(until) => format!("has it, until {}", at(until, now)),
            None => "has it".to_owned(),
        },
        Fact::AcknowledgementLapsed(it) => {
            let by = at(it.acknowledge_by, now);
            format!("no progress until {}; {} to acknowledge again by {by}", at(it.due_at, now), it.owner)
        }
        Fact::AcknowledgementMissed(Missed { owner, due_at, .. }) => {
            format!("{owner} should have acknowledged by {}", at(*due_at, now))
        }
        Fact::Reassigned(it) => reassigned(it),
        Fact::Escalated(it) => escalated(it),
        Fact::StepEmpty(it) => {
            let about = about(it.outcome.as_ref().or(it.exception.as_ref()));
            format!("ladder {}{about}, step {}: {}", word(&it.ladder), it.step, short(&it.reason))
        }
        Fact::ExceptionOpened(it) => exception_opened(it, now),
        Fact::ExceptionResolved(it) => {
            let evidence = it.evidence.as_ref().map(|text| format!(", see {text}")).unwrap_or_default();
            format!("{}: {}{evidence}", it.exception, short(&it.resolution))
        }
        Fact::RecoveryBreached(it) => {
            format!("{}: {} should have resolved it by {}", it.exception, it.owner, at(it.due_at, now))
        }
        Fact::Stalled(it) => format!("nothing happened since {}", at(it.since, now)),
        Fact::CheckPassed(it) => check_passed(it, now),
        Fact::CheckFailed(it) => format!("{}: {}", it.check, short(&it.reason)),
        Fact::CheckOverdue(it) => format!("{} should have been reported by {}", it.check, at(it.due_at, now)),
        Fact::Paused(it) => format!("until {} at the latest: {}", at(it.until, now), short(&it.reason)),
        Fact::Resumed(it) => {
            let due = it
                .clocks
                .iter()
                .map(|moved| format!("; {} is due {}", moved.id, at(moved.clock.due_at, now)));
            format!("clocks run again since {}{}", at(it.resumed_at, now), due.collect::<String>())
        }
        Fact::RunVerifying(_) => "every outcome is done; checks or exceptions are open".to_owned(),
        Fact::RunClosed(it) => {
            let met = if it.met { "every promise was kept" } else { "not every promise was kept" };
            it.reason.as_ref().map_or_else(|| met.to_owned(), |reason| format!("{met}: {}", short(reason)))
        }
        Fact::RunCancelled(it) => short(&it.reason),
        Fact::NoteAdded(it) => short(&it.text),
        Fact::DeliverySucceeded(it) => reached(it),
        Fact::DeliveryFailed(it) => {
            let tries = count(it.attempts as usize, "attempt");
            format!("record {} did not reach {} in {tries}: {}", it.message, it.to, short(&it.error))
        }
        Fact::DeliverySkipped(it) => {
            let to = it.to.as_deref().unwrap_or("anybody");
            format!("record {} was not sent to {to}: {}", it.message, short(&it.reason))
        }
        Fact::AlertSettled(it) => format!("{} is told: {}, {}", it.to, word(&it.settlement), short(&it.how)),
        Fact::FlowApplied(it) => count(it.diff.len(), "change"),
        Fact::OwnerRotated(it) => rotated(it),
        Fact::HandoverAccepted(it) => {
            format!("{} has the turn of {} from {}", it.to, it.role, at(it.turn_at, now))
        }
        Fact::HandoverReminded(it) => {
            format!("{} has not accepted the turn of {} since {}", it.to, it.role, at(it.turn_at, now))
        }
        Fact::ChecklistSent(it) => checklist_sent(it),
    }
}

fn opened(it: &Opened, now: Time) -> String {
    let role = match it.role {
        OwnerRole::Owner => "",
        OwnerRole::Backup => " (backup)",
        OwnerRole::Assigned => " (nobody else was there)",
    };
    let due =
        it.acknowledge_by.map(|due| format!(", to acknowledge by {}", at(due, now))).unwrap_or_default();
    let outcomes = count(it.outcomes.len(), "outcome");
    format!("{} opened it for {}{role}{due}; {outcomes} expected", it.event_type, it.owner)
}

fn done(it: &Done, now: Time) -> String {
    let met = if it.met { "in time" } else { "late" };
    let evidence = it.evidence.as_ref().map(|text| format!(", see {text}")).unwrap_or_default();
    let starts = it.starts.iter().map(|next| format!("; {} is due {}", next.id, at(next.clock.due_at, now)));
    format!("{} {met}{evidence}{}", it.outcome, starts.collect::<String>())
}

fn check_passed(it: &CheckPassed, now: Time) -> String {
    let evidence = it.evidence.as_ref().map(|text| format!(", see {text}")).unwrap_or_default();
    let outcomes = it.starts.iter().map(|next| (&next.id, next.clock.due_at));
    let starts = outcomes.chain(it.checks.iter().map(|next| (&next.id, next.due_at)));
    let starts = starts.map(|(id, due_at)| format!("; {id} is due {}", at(due_at, now)));
    format!("{}{evidence}{}", it.check, starts.collect::<String>())
}

fn reassigned(it: &Reassigned) -> String {
    format!("{} to {}, as {}: {}", it.from, it.to, word(&it.role), short(&it.reason))
}

fn escalated(it: &Escalated) -> String {
    let about = about(it.outcome.as_ref().or(it.exception.as_ref()));
    let severity = word(&it.severity);
    format!("{}{about}, step {}, {severity}: tells {}", word(&it.ladder), it.step, names(&it.notify))
}

fn exception_opened(it: &ExceptionOpened, now: Time) -> String {
    let about = about(it.outcome.as_ref().or(it.check.as_ref()));
    let due = at(it.recovery_due_at, now);
    format!("{}, {}{about}: for {} to resolve by {due}", it.exception, word(&it.kind), it.owner)
}

fn about(what: Option<&String>) -> String {
    what.map(|what| format!(" of {what}")).unwrap_or_default()
}

fn rotated(it: &OwnerRotated) -> String {
    let covered = it.covered_by.as_ref().map(|backup| format!(", {backup} covers")).unwrap_or_default();
    let accepted = if it.accepted { "accepted".to_owned() } else { format!("not accepted{covered}") };
    format!("{}: {} to {}, {accepted}", it.role, it.from, it.to)
}

fn checklist_sent(it: &ChecklistSent) -> String {
    let wrong = it.checks.iter().filter(|check| check.status == Answer::Fail).count();
    let late = it.late.as_ref().map_or(0, |late| late.outcomes.len());
    let late = if late > 0 { format!(", {} late on average", count(late, "outcome")) } else { String::new() };
    format!(
        "{}: {wrong} of {} wrong{late}: tells {}",
        it.week,
        count(it.checks.len(), "check"),
        names(&it.notify)
    )
}

fn names(recipients: &[Recipient]) -> String {
    if recipients.is_empty() {
        return "nobody".to_owned();
    }
    recipients.iter().map(|recipient| recipient.id.as_str()).collect::<Vec<_>>().join(", ")
}

/// What went wrong stands out.
pub(crate) fn tone(fact: &Fact) -> Tone {
    match fact {
        Fact::OutcomeFailed(_)
        | Fact::SlaBreached(_)
        | Fact::AcknowledgementMissed(_)
        | Fact::AcknowledgementLapsed(_)
        | Fact::StepEmpty(_)
        | Fact::RecoveryBreached(_)
        | Fact::CheckFailed(_)
        | Fact::CheckOverdue(_)
        | Fact::HandoverReminded(_)
        | Fact::DeliveryFailed(_)
        | Fact::Stalled(_) => Tone::Alarm,
        Fact::RunOpened(_)
        | Fact::Retriggered(_)
        | Fact::OutcomeRequested(_)
        | Fact::OutcomeDone(_)
        | Fact::SlaWarning(_)
        | Fact::Acknowledged(_)
        | Fact::DeliverySucceeded(_)
        | Fact::DeliverySkipped(_)
        | Fact::AlertSettled(_)
        | Fact::Reassigned(_)
        | Fact::Escalated(_)
        | Fact::ExceptionOpened(_)
        | Fact::ExceptionResolved(_)
        | Fact::CheckPassed(_)
        | Fact::Paused(_)
        | Fact::Resumed(_)
        | Fact::RunVerifying(_)
        | Fact::RunClosed(_)
        | Fact::RunCancelled(_)
        | Fact::NoteAdded(_)
        | Fact::FlowApplied(_)
        | Fact::OwnerRotated(_)
        | Fact::HandoverAccepted(_)
        | Fact::ChecklistSent(_) => Tone::Plain,
    }
}

fn reached(it: &DeliverySucceeded) -> String {
    let with = it.together.map(|all| format!(", in one of {all}")).unwrap_or_default();
    format!("record {} reached {} by {}{with}", it.message, it.to, word(&it.by))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_trail_reads_as_a_story() {
        let at = |minute: u32| format!("2026-11-23T09:{minute:02}:00.000Z");
        let due = "2026-11-23T11:00:00.000Z";
        let facts = [
            json!({"kind": "run_opened", "detail": {"title": "Spring launch", "url": null, "client": null,
                "opened_at": at(0), "event_type": "Entry.publish", "occurred_at": null, "received_at": at(0),
                "owner": "ana", "as": "owner", "backup": "ben", "acknowledge_by": at(30),
                "outcomes": [{"id": "crm-tag", "sla_ms": 7_200_000, "started_at": at(0), "due_at": due}]}}),
            json!({"kind": "acknowledgement_missed", "detail": {"owner": "ana", "due_at": at(30),
                "detected_at": at(30), "ladder_at": at(30)}}),
            json!({"kind": "escalated", "detail": {"ladder": "not_acknowledged", "step": 0, "severity": "normal",
                "reason": "x", "owner": "ben", "notify": [{"id": "ana"}, {"id": "ben"}], "due_at": at(30),
                "detected_at": at(30), "next_at": null, "title": "Spring launch"}}),
            json!({"kind": "reassigned", "detail": {"from": "ana", "to": "ben", "as": "backup",
                "reason": "not acknowledged", "acknowledge_by": null}}),
            json!({"kind": "outcome_done", "detail": {"outcome": "crm-tag", "done_at": at(40), "met": true,
                "starts": [{"id": "sales-deck", "started_at": at(40), "due_at": due}]}}),
            json!({"kind": "run_closed", "detail": {"met": true}}),
        ];
        let records: Vec<Record> = facts
            .into_iter()
            .zip(1_u64..)
            .map(|(fact, seq)| {
                let mut record = json!({"run": "a-1", "seq": seq, "at": at(45), "flow": "f", "flow_version": 1,
                    "subject": "s", "config_hash": "c", "prev": "p", "hash": "h",
                    "actor": {"type": "system", "id": "sla-check"}});
                record.as_object_mut().unwrap().extend(fact.as_object().unwrap().clone());
                serde_json::from_value(record).unwrap()
            })
            .collect();
        let now = "2026-11-23T10:00:00Z".parse().unwrap();
        insta::assert_snapshot!(super::records(&records, now).render(false), @r#"
        SEQ  AT                           BY                KIND                    WHAT
        1    2026-11-23T09:45Z (15m ago)  system sla-check  run_opened              Entry.publish opened it for ana, to acknowledge by 2026-11-23T09:30Z (30m ago); 1 outcome expected
        2    2026-11-23T09:45Z (15m ago)  system sla-check  acknowledgement_missed  ana should have acknowledged by 2026-11-23T09:30Z (30m ago)
        3    2026-11-23T09:45Z (15m ago)  system sla-check  escalated               not_acknowledged, step 0, normal: tells ana, ben
        4    2026-11-23T09:45Z (15m ago)  system sla-check  reassigned              ana to ben, as backup: not acknowledged
        5    2026-11-23T09:45Z (15m ago)  system sla-check  outcome_done            crm-tag in time; sales-deck is due 2026-11-23T11:00Z (in 60m)
        6    2026-11-23T09:45Z (15m ago)  system sla-check  run_closed              every promise was kept
        "#);
    }
}
