//! Runs as people read them.

use meshline_core::run::{CheckStatus, OutcomeStatus, Status};
use meshline_core::time::Time;
use meshline_core::view::{OutcomeView, RunView};

use super::{Table, Tone, at, at_or_dash, or_dash, short, word};

/// A table of runs.
pub(crate) fn runs(runs: &[RunView], now: Time) -> Table {
    let mut table =
        Table::new(&["RUN", "FLOW", "STATUS", "OWNER", "ACK", "OUTCOMES", "OPENED", "NEXT DUE", "TITLE"]);
    for run in runs {
        let done = run.outcomes.iter().filter(|outcome| outcome.status == OutcomeStatus::Done).count();
        let cells = vec![
            run.run.clone(),
            run.flow.clone(),
            status(run),
            run.owner.id.clone(),
            acknowledged(run).to_owned(),
            format!("{done}/{}", run.outcomes.len()),
            at(run.opened_at, now),
            at_or_dash(run.next_due_at, now),
            short(&run.title),
        ];
        table.row(tone(run), cells);
    }
    table
}

/// A run on one line: what it is after a command.
pub(crate) fn run_line(run: &RunView, now: Time) -> String {
    let next = run.next_due_at.map(|due| format!(", next due {}", at(due, now))).unwrap_or_default();
    format!(
        "{} ({}): {}, owner {}, version {}{next}",
        run.run,
        run.flow,
        status(run),
        run.owner.id,
        run.version
    )
}

/// A run in full: its facts, its outcomes, who held it if it changed hands, its checks, its exceptions, its escalations. Empty tables are left out.
pub(crate) fn run(run: &RunView, now: Time) -> Vec<Table> {
    let mut tables = vec![facts(run, now)];
    if !run.outcomes.is_empty() {
        let mut table =
            Table::new(&["OUTCOME", "STATUS", "MET", "OWNER", "STARTED", "DUE", "DONE", "EVIDENCE"]);
        for outcome in &run.outcomes {
            table.row(outcome_tone(outcome), outcome_row(outcome, now));
        }
        tables.push(table);
    }
    if run.custody.len() > 1 {
        let mut table = Table::new(&["HELD BY", "AS", "FROM", "TO"]);
        for held in &run.custody {
            let role = or_dash(held.role.as_ref().map(word).as_deref());
            let cells = vec![held.owner.clone(), role, at(held.from, now), at_or_dash(held.to, now)];
            table.row(Tone::Plain, cells);
        }
        tables.push(table);
    }
    if !run.checks.is_empty() {
        let mut table = Table::new(&["CHECK", "KIND", "STATUS", "DUE", "PASSED"]);
        for check in &run.checks {
            let tone = match check.status {
                CheckStatus::Pending | CheckStatus::Passed => Tone::Plain,
                CheckStatus::Failed | CheckStatus::Overdue => Tone::Alarm,
            };
            let (due, passed) = (at_or_dash(check.due_at, now), at_or_dash(check.passed_at, now));
            let cells = vec![check.id.clone(), word(&check.kind), word(&check.status), due, passed];
            table.row(tone, cells);
        }
        tables.push(table);
    }
    if !run.exceptions.is_empty() {
        tables.push(super::exceptions_of_run(&run.exceptions, now));
    }
    if !run.escalations.is_empty() {
        let mut table = Table::new(&["ESCALATED", "LADDER", "STEP", "ABOUT"]);
        for step in &run.escalations {
            let about = or_dash(step.outcome.as_deref().or(step.exception.as_deref()));
            let cells = vec![at(step.at, now), word(&step.ladder), step.step.to_string(), about];
            table.row(Tone::Plain, cells);
        }
        tables.push(table);
    }
    tables
}

fn facts(run: &RunView, now: Time) -> Table {
    let mut table = Table::headless();
    table.pair("run", &run.run);
    table.pair("title", &run.title);
    table.pair("flow", format!("{} version {}", run.flow, run.flow_version));
    if let Some(client) = &run.client {
        table.pair("client", client);
    }
    table.pair("subject", &run.subject);
    if let Some(url) = &run.url {
        table.pair("url", url);
    }
    let tone = tone(run);
    table.row(tone, vec!["status".to_owned(), status(run)]);
    if let Some(met) = run.met {
        table.pair("met", yes_or_no(Some(met)));
    }
    let owner = format!("{}, as {}, since {}", run.owner.id, word(&run.owner.role), at(run.owner.since, now));
    table.pair("owner", owner);
    if let Some(ack) = &run.acknowledgement {
        let text = match (&ack.acknowledged_at, &ack.by) {
            (Some(time), Some(by)) => format!("{} by {by}", at(*time, now)),
            (Some(time), None) => at(*time, now),
            (None, _) => format!("no, due {}", at(ack.due_at, now)),
        };
        let lease = ack.lease_until.map(|until| format!(", until {}", at(until, now))).unwrap_or_default();
        let text = text + &lease;
        table.pair("acknowledged", text);
    }
    table.pair("opened", at(run.opened_at, now));
    match run.closed_at {
        Some(closed) => table.pair("closed", at(closed, now)),
        None => table.pair("next due", at_or_dash(run.next_due_at, now)),
    }
    table.pair("version", run.version.to_string());
    table
}

fn outcome_row(outcome: &OutcomeView, now: Time) -> Vec<String> {
    vec![
        outcome.id.clone(),
        word(&outcome.status),
        yes_or_no(outcome.met).to_owned(),
        outcome.owner.clone(),
        at_or_dash(outcome.started_at, now),
        at_or_dash(outcome.due_at, now),
        at_or_dash(outcome.done_at, now),
        or_dash(outcome.evidence.as_deref()),
    ]
}

/// `active, overdue`.
fn status(run: &RunView) -> String {
    let marks = [("overdue", run.overdue), ("paused", run.paused), ("suppressed", run.suppressed)];
    let marks = marks.iter().filter(|(_, is_set)| *is_set).map(|(mark, _)| (*mark).to_owned());
    std::iter::once(word(&run.status)).chain(marks).collect::<Vec<_>>().join(", ")
}

fn tone(run: &RunView) -> Tone {
    match run.status {
        Status::Closed | Status::Cancelled => Tone::Faint,
        Status::AwaitingQa | Status::Active | Status::Verifying if run.overdue => Tone::Alarm,
        Status::AwaitingQa | Status::Active | Status::Verifying => Tone::Plain,
    }
}

fn outcome_tone(outcome: &OutcomeView) -> Tone {
    match outcome.status {
        OutcomeStatus::Done | OutcomeStatus::Waiting => Tone::Plain,
        OutcomeStatus::Failed => Tone::Alarm,
        OutcomeStatus::Open if outcome.breached_at.is_some() => Tone::Alarm,
        OutcomeStatus::Open => Tone::Plain,
    }
}

fn acknowledged(run: &RunView) -> &'static str {
    match &run.acknowledgement {
        None => "-",
        Some(ack) if ack.acknowledged_at.is_some() => "yes",
        Some(_) => "no",
    }
}

fn yes_or_no(answer: Option<bool>) -> &'static str {
    match answer {
        Some(true) => "yes",
        Some(false) => "no",
        None => "-",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn view() -> RunView {
        let run = json!({
            "run": "mzxw6ytboi2a-01K00000000000000000000000", "flow": "blog-launch", "flow_version": 3,
            "client": "acme", "subject": "contentful:5KsDBWseXY6", "title": "Spring launch", "url": null,
            "status": "active", "overdue": true, "paused": false, "suppressed": false, "met": null, "version": 7,
            "opened_at": "2026-11-23T09:00:00.000Z", "closed_at": null, "next_due_at": "2026-11-23T13:00:00.000Z",
            "owner": {"id": "ana", "since": "2026-11-23T09:00:00.000Z", "as": "owner"},
            "custody": [
                {"owner": "ben", "as": "backup", "from": "2026-11-23T08:00:00.000Z", "to": "2026-11-23T09:00:00.000Z", "seconds": 3600},
                {"owner": "ana", "as": "owner", "from": "2026-11-23T09:00:00.000Z", "to": null, "seconds": 10800}],
            "acknowledgement": {"due_at": "2026-11-23T13:00:00.000Z", "acknowledged_at": "2026-11-23T10:00:00.000Z",
                "by": "ana", "lease_until": "2026-11-24T10:00:00.000Z"},
            "outcomes": [
                {"id": "crm-tag", "status": "open", "met": false, "started_at": "2026-11-23T09:00:00.000Z",
                 "due_at": "2026-11-23T11:00:00.000Z", "done_at": null, "breached_at": "2026-11-23T11:00:00.000Z",
                 "owner": "rio", "evidence": null},
                {"id": "sales-deck", "status": "waiting", "met": null, "started_at": null, "due_at": null,
                 "done_at": null, "breached_at": null, "owner": "ana", "evidence": null}],
            "checks": [
                {"id": "editorial", "kind": "content", "status": "passed", "due_at": "2026-11-23T13:00:00.000Z",
                 "passed_at": "2026-11-23T09:00:00.000Z"},
                {"id": "attribution", "kind": "routing", "status": "pending", "due_at": null, "passed_at": null}],
            "exceptions": [{"id": "x5", "kind": "sla_breached", "status": "open", "run": "mzxw6ytboi2a-01K00000000000000000000000",
                "flow": "blog-launch", "subject": "contentful:5KsDBWseXY6", "outcome": "crm-tag", "owner": "lea",
                "opened_at": "2026-11-23T11:00:00.000Z", "recovery_due_at": "2026-11-24T11:00:00.000Z", "resolved_at": null}],
            "escalations": [{"ladder": "breached", "outcome": "crm-tag", "step": 0, "at": "2026-11-23T11:00:00.000Z"}],
            "a_field_of_a_newer_version": 1
        });
        serde_json::from_value(run).unwrap()
    }

    const NOON: &str = "2026-11-23T12:00:00Z";

    #[test]
    fn a_list_of_runs_is_a_line_each() {
        insta::assert_snapshot!(runs(&[view()], NOON.parse().unwrap()).render(false), @"
        RUN                                      FLOW         STATUS           OWNER  ACK  OUTCOMES  OPENED                      NEXT DUE                    TITLE
        mzxw6ytboi2a-01K00000000000000000000000  blog-launch  active, overdue  ana    yes  0/2       2026-11-23T09:00Z (3h ago)  2026-11-23T13:00Z (in 60m)  Spring launch
        ");
    }

    #[test]
    fn a_run_shows_who_has_it_what_is_due_and_what_went_wrong() {
        let tables = run(&view(), NOON.parse().unwrap());
        let text: Vec<String> = tables.iter().map(|table| table.render(false)).collect();
        insta::assert_snapshot!(text.join("\n"), @"
        run           mzxw6ytboi2a-01K00000000000000000000000
        title         Spring launch
        flow          blog-launch version 3
        client        acme
        subject       contentful:5KsDBWseXY6
        status        active, overdue
        owner         ana, as owner, since 2026-11-23T09:00Z (3h ago)
        acknowledged  2026-11-23T10:00Z (2h ago) by ana, until 2026-11-24T10:00Z (in 22h)
        opened        2026-11-23T09:00Z (3h ago)
        next due      2026-11-23T13:00Z (in 60m)
        version       7

        OUTCOME     STATUS   MET  OWNER  STARTED                     DUE                          DONE  EVIDENCE
        crm-tag     open     no   rio    2026-11-23T09:00Z (3h ago)  2026-11-23T11:00Z (60m ago)  -     -
        sales-deck  waiting  -    ana    -                           -                            -     -

        HELD BY  AS      FROM                        TO
        ben      backup  2026-11-23T08:00Z (4h ago)  2026-11-23T09:00Z (3h ago)
        ana      owner   2026-11-23T09:00Z (3h ago)  -

        CHECK        KIND     STATUS   DUE                         PASSED
        editorial    content  passed   2026-11-23T13:00Z (in 60m)  2026-11-23T09:00Z (3h ago)
        attribution  routing  pending  -                           -

        EXCEPTION  KIND          STATUS  ABOUT    OWNER  OPENED                       RECOVERY DUE                RESOLVED  RESOLUTION  EVIDENCE
        x5         sla_breached  open    crm-tag  lea    2026-11-23T11:00Z (60m ago)  2026-11-24T11:00Z (in 23h)  -         -           -

        ESCALATED                    LADDER    STEP  ABOUT
        2026-11-23T11:00Z (60m ago)  breached  0     crm-tag
        ");
        insta::assert_snapshot!(run_line(&view(), NOON.parse().unwrap()), @"mzxw6ytboi2a-01K00000000000000000000000 (blog-launch): active, overdue, owner ana, version 7, next due 2026-11-23T13:00Z (in 60m)");
    }
}
