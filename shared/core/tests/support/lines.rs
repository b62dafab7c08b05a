//! Records and runs as short lines for snapshots: the facts a user would ask for, no hashes.

use meshline_core::record::{ActorKind, Fact, Recipient, Record, Started};
use meshline_core::run::Run;
use meshline_core::time::Time;
use serde::Serialize;

/// `23 09:00`: the day of the month and the time, with seconds only where there are some.
pub(crate) fn time(at: Time) -> String {
    let text = at.to_string();
    let short = format!("{} {}", &text[8..10], &text[11..]);
    let short = short.trim_end_matches('Z').trim_end_matches(".000");
    short.strip_suffix(":00").filter(|rest| rest.len() == 8).unwrap_or(short).to_owned()
}

fn word(value: impl Serialize) -> String {
    serde_json::to_value(value).unwrap().as_str().unwrap().to_owned()
}

fn when(at: Option<Time>) -> String {
    at.map_or("never".to_owned(), time)
}

fn who(notify: &[Recipient]) -> String {
    let names: Vec<&str> = notify.iter().map(|recipient| recipient.id.as_str()).collect();
    if names.is_empty() { "nobody".to_owned() } else { names.join("+") }
}

fn about(what: Option<&String>) -> String {
    what.map(|what| format!(" {what}")).unwrap_or_default()
}

fn clock(id: &str, clock: Option<&Started>) -> String {
    clock.map_or(format!("{id} waits"), |clock| {
        format!("{id} {}..{}", time(clock.started_at), time(clock.due_at))
    })
}

/// `4 23 11:00 sla_breached crm-tag due 23 11:00`, with the actor where it is not the system.
pub(crate) fn record(record: &Record) -> String {
    let by = match record.actor.kind {
        ActorKind::System => String::new(),
        ActorKind::Person | ActorKind::Source => format!(" by {}", record.actor.id),
    };
    let head = format!("{} {} {}{by}", record.seq, time(record.at), record.fact.kind());
    format!("{head} {}", facts(&record.fact)).trim_end().to_owned()
}

/// What a record says, without who said it and when.
pub(crate) fn facts(fact: &Fact) -> String {
    match fact {
        Fact::RunOpened(opened) => {
            let clocks: Vec<String> =
                opened.outcomes.iter().map(|o| clock(&o.id, o.clock.as_ref())).collect();
            let role = word(opened.role);
            format!(
                "{} as {role}, ack by {}; {}",
                opened.owner,
                when(opened.acknowledge_by),
                clocks.join(", ")
            )
        }
        Fact::Retriggered(again) => again.event_type.clone(),
        Fact::OutcomeRequested(asked) => format!("{} of {}: {}", asked.outcome, asked.channel, asked.payload),
        Fact::OutcomeDone(done) => {
            let starts: Vec<String> =
                done.starts.iter().map(|s| format!("; {}", clock(&s.id, Some(&s.clock)))).collect();
            format!("{} at {}, met {}{}", done.outcome, time(done.done_at), done.met, starts.concat())
        }
        Fact::OutcomeFailed(failed) => format!("{}: {}", failed.outcome, failed.reason),
        Fact::SlaWarning(warning) => {
            format!("{} due {}, {}", warning.outcome, time(warning.due_at), warning.owner)
        }
        Fact::SlaBreached(breach) => {
            format!("{} due {}, ladder {}", breach.outcome, time(breach.due_at), when(breach.ladder_at))
        }
        Fact::CheckPassed(passed) => {
            let outcomes = passed.starts.iter().map(|s| format!("; {}", clock(&s.id, Some(&s.clock))));
            let checks = passed.checks.iter().map(|s| format!("; {} due {}", s.id, time(s.due_at)));
            let starts: String = outcomes.chain(checks).collect();
            format!("{} at {}{starts}", passed.check, time(passed.passed_at))
        }
        Fact::CheckFailed(failed) => format!("{}: {}", failed.check, failed.reason),
        Fact::CheckOverdue(overdue) => format!("{} due {}", overdue.check, time(overdue.due_at)),
        Fact::Acknowledged(ack) => {
            ack.lease_until.map(|until| format!("until {}", time(until))).unwrap_or_default()
        }
        Fact::AcknowledgementLapsed(lapsed) => {
            format!("{} at {}, ack by {}", lapsed.owner, time(lapsed.due_at), time(lapsed.acknowledge_by))
        }
        Fact::Paused(paused) => format!("until {}: {}", time(paused.until), paused.reason),
        Fact::Resumed(resumed) => {
            let clocks: Vec<String> =
                resumed.clocks.iter().map(|s| format!("; {}", clock(&s.id, Some(&s.clock)))).collect();
            format!("at {}{}", time(resumed.resumed_at), clocks.concat())
        }
        Fact::RunVerifying(_) => String::new(),
        Fact::AcknowledgementMissed(missed) => {
            format!("{} by {}, ladder {}", missed.owner, time(missed.due_at), when(missed.ladder_at))
        }
        Fact::Reassigned(new) => {
            let role = word(new.role);
            format!("{} -> {} as {role}, ack by {}", new.from, new.to, when(new.acknowledge_by))
        }
        Fact::Escalated(step) => format!(
            "{}{} step {} {} to {}, next {}",
            word(step.ladder),
            about(step.outcome.as_ref().or(step.exception.as_ref())),
            step.step,
            word(step.severity),
            who(&step.notify),
            when(step.next_at),
        ),
        Fact::StepEmpty(step) => {
            let ladder = format!("{}{}", word(step.ladder), about(step.exception.as_ref()));
            format!("{ladder} step {}: {}, next {}", step.step, step.reason, when(step.next_at))
        }
        Fact::ExceptionOpened(x) => format!(
            "{} {}{} for {} by {}: {}",
            x.exception,
            word(x.kind),
            about(x.outcome.as_ref().or(x.check.as_ref())),
            x.owner,
            time(x.recovery_due_at),
            x.seen,
        ),
        Fact::ExceptionResolved(x) => format!("{}: {}", x.exception, x.resolution),
        Fact::RecoveryBreached(x) => {
            format!("{} due {}, ladder {}", x.exception, time(x.due_at), when(x.ladder_at))
        }
        Fact::Stalled(stalled) => format!("since {} to {}", time(stalled.since), who(&stalled.notify)),
        Fact::RunClosed(closed) => format!("met {}", closed.met),
        Fact::RunCancelled(cancelled) => cancelled.reason.clone(),
        Fact::NoteAdded(note) => note.text.clone(),
        Fact::DeliverySucceeded(it) => format!("{} to {}", it.message, it.to),
        Fact::DeliveryFailed(it) => format!("{} to {}: {}", it.message, it.to, it.error),
        Fact::DeliverySkipped(it) => format!("{}: {}", it.message, it.reason),
        Fact::AlertSettled(it) => {
            format!("{} at {}: {}", it.matter.key(), it.to, it.settlement.as_str())
        }
        Fact::FlowApplied(applied) => applied.diff.join(", "),
        Fact::OwnerRotated(it) => {
            format!("{} from {} to {}, accepted {}", it.role, it.from, it.to, it.accepted)
        }
        Fact::HandoverAccepted(it) => format!("{} by {}", it.role, it.to),
        Fact::HandoverReminded(it) => format!("{} of {} to {}", it.role, it.to, who(&it.notify)),
        Fact::ChecklistSent(it) => format!("{} to {}", it.week, who(&it.notify)),
    }
}

/// Status, owner, then a line for each outcome and each exception.
pub(crate) fn run(run: &Run) -> String {
    let mut lines = vec![format!(
        "{} v{} {} as {}{}, next {}",
        word(run.status),
        run.version,
        run.owner.id,
        word(run.owner.role),
        if run.is_overdue() { ", overdue" } else { "" },
        when(run.next_due().map(|(at, _)| at)),
    )];
    for outcome in &run.outcomes {
        let met = outcome.met.map_or("undecided".to_owned(), |met| format!("met {met}"));
        let clock = clock(&outcome.id, outcome.clock.as_ref());
        let (done, breached) = (when(outcome.done_at), when(outcome.breached_at));
        lines.push(format!("{clock} {} {met}, done {done}, breached {breached}", word(outcome.status)));
    }
    for check in &run.checks {
        let (kind, status) = (word(check.kind), word(check.status));
        lines.push(format!("{} {kind} {status}, due {}", check.id, when(check.due_at)));
    }
    for x in &run.exceptions {
        lines.push(format!("{} {} resolved {}", x.id, word(x.kind), when(x.resolved_at)));
    }
    lines.join("\n")
}
