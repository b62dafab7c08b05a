//! `checklist`: what is asked of a flow on a Monday, answered with evidence.

use clap::Args;
use meshline_core::checklist::{Answer, Checklist, Item, TriggerView, Verdict};
use meshline_core::time::Time;

use crate::client::Client;
use crate::failure::{Exit, Failure};
use crate::screen::Screen;
use crate::show::{self, Table, Tone};

/// Arguments of `checklist`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The flow
    flow: String,
}

/// Shows the checklist of a flow.
pub(crate) async fn run(client: &Client, args: &Arguments, screen: &Screen) -> Result<Exit, Failure> {
    let answer = client.get(&["v1", "reports", "checklist"], &[("flow", Some(&args.flow))]).await?;
    if screen.is_json() {
        screen.document(&answer.read("the checklist")?)?;
        return Ok(Exit::Done);
    }
    let list: Checklist = answer.read("the checklist")?;
    screen.table(&checks(&list.checks, answer.now))?;
    if !list.triggers.is_empty() {
        screen.text("")?;
        screen.table(&triggers(&list.triggers, answer.now))?;
    }
    Ok(Exit::Done)
}

/// A row for each check, and one below it for each example.
fn checks(items: &[Item], now: Time) -> Table {
    let mut table = Table::new(&["CHECK", "STATUS", "EVIDENCE", "RUN"]);
    for item in items {
        let tone = match item.status {
            Answer::Pass => Tone::Plain,
            Answer::Fail => Tone::Alarm,
            Answer::Unknown => Tone::Faint,
        };
        let name = show::word(&item.check).replace('_', " ");
        table.row(tone, vec![name, show::word(&item.status), item.sentence.clone(), String::new()]);
        // An example that no records prove, that nobody is there, is in the sentence already.
        for it in item.examples.iter().filter(|it| it.trail.is_some()) {
            let what = format!("{}: {}", show::at(it.at, now), it.what);
            let run = it.run.clone().unwrap_or_else(|| "the flow itself".to_owned());
            table.row(tone, vec![String::new(), String::new(), what, run]);
        }
    }
    table
}

fn triggers(views: &[TriggerView], now: Time) -> Table {
    let mut table = Table::new(&["RUN", "OPENED", "TITLE", "VERDICT", "OUTCOMES", "ROUTING QA", "SYSTEMS"]);
    for view in views {
        let tone = match view.verdict {
            Verdict::Met | Verdict::Pending => Tone::Plain,
            Verdict::Missed => Tone::Alarm,
            Verdict::Cancelled | Verdict::Suppressed => Tone::Faint,
        };
        let outcomes = view.outcomes.iter().map(|it| format!("{} {}", it.id, show::word(&it.verdict)));
        let routing = view.routing_qa.iter().map(|it| {
            let report = show::word(&it.report).replace('_', " ");
            format!("{} {report}", it.id)
        });
        let list = |parts: Vec<String>| show::or_dash(Some(&parts.join(", ")));
        let cells = vec![
            view.run.clone(),
            show::at(view.opened_at, now),
            show::short(&view.title),
            show::word(&view.verdict),
            list(outcomes.collect()),
            list(routing.collect()),
            list(view.systems.clone()),
        ];
        table.row(tone, cells);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_checklist_names_what_fails_below_each_check() {
        let list: Checklist = serde_json::from_value(json!({
            "flow": "lead-form", "at": "2026-11-23T15:00:00.000Z",
            "checks": [
                {"check": "people", "status": "pass", "sentence": "`ben` is there for `role:a`, `dev` for `role:b`",
                 "passed": 2, "failed": 0, "undecided": 0, "examples": []},
                {"check": "outcomes", "status": "fail", "sentence": "of the last trigger: 1 missed",
                 "passed": 0, "failed": 1, "undecided": 0, "examples": [
                    {"run": "uqy-01", "subject": "form:7", "at": "2026-11-23T13:00:00.000Z", "what": "`answered` was due",
                     "trail": "/v1/runs/uqy-01/audit"}]},
                {"check": "routing_qa", "status": "unknown", "sentence": "the flow asks for no routing QA",
                 "passed": 0, "failed": 0, "undecided": 0, "examples": []}
            ],
            "triggers": [{"run": "uqy-01", "subject": "form:7", "title": "Demo request", "opened_at": "2026-11-23T09:00:00.000Z",
                "verdict": "missed", "systems": ["forms"], "routing_qa": [],
                "outcomes": [{"id": "answered", "verdict": "missed", "due_at": "2026-11-23T13:00:00.000Z", "exception": "x4"}]}]
        }))
        .unwrap();
        insta::assert_snapshot!(checks(&list.checks, list.at).render(false), @"
        CHECK       STATUS   EVIDENCE                                         RUN
        people      pass     `ben` is there for `role:a`, `dev` for `role:b`
        outcomes    fail     of the last trigger: 1 missed
                             2026-11-23T13:00Z (2h ago): `answered` was due   uqy-01
        routing qa  unknown  the flow asks for no routing QA
        ");
        insta::assert_snapshot!(triggers(&list.triggers, list.at).render(false), @"
        RUN     OPENED                      TITLE         VERDICT  OUTCOMES         ROUTING QA  SYSTEMS
        uqy-01  2026-11-23T09:00Z (6h ago)  Demo request  missed   answered missed  -           forms
        ");
    }
}
