//! `doctor`: looks a Meshline over end to end through its API, one finding for each thing looked at. It changes nothing.

mod flows;
mod runs;
mod stack;
mod trail;

use meshline_core::config::flow::Flow;
use meshline_core::time::Time;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::client::{Client, Pages};
use crate::failure::{Exit, Failure};
use crate::lists;
use crate::progress::Progress;
use crate::screen::Screen;
use crate::show::{Table, Tone};

/// Names of one kind that a finding tells one by one; the rest is counted.
const MAX_NAMED: usize = 3;

/// What a deployed stack does not tell by its API, and the alarms of docs/RUNBOOK.md that watch it.
const UNSEEN: [(&str, &[&str]); 5] = [
    (
        "dead-letter queues",
        &[
            "EscalationsDlqAlarm",
            "ExceptionsDlqAlarm",
            "RequestsDlqAlarm",
            "TicksDlqAlarm",
            "IngestSpillDlqAlarm",
            "SweepDlqAlarm",
            "ReportDlqAlarm",
        ],
    ),
    ("schedules", &["SweepLagAlarm", "CheckpointAlarm"]),
    ("streams", &["RouteIteratorAgeAlarm", "RelayIteratorAgeAlarm"]),
    ("deliveries whose signature nobody believed", &["UnverifiedWebhooksAlarm"]),
    ("changed or removed records", &["TamperAlarm"]),
];

/// How a thing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Status {
    /// As it should be.
    Ok,
    /// Somebody should know.
    Warning,
    /// Somebody must act.
    Problem,
}

/// What was seen of one thing, and how to mend it.
#[derive(Debug, Serialize)]
struct Finding {
    check: &'static str,
    status: Status,
    seen: String,
    mend: Option<String>,
}

/// A flow in force.
struct InForce {
    id: String,
    document: Flow,
}

impl Finding {
    fn ok(check: &'static str, seen: impl Into<String>) -> Self {
        Self { check, status: Status::Ok, seen: seen.into(), mend: None }
    }

    fn warning(check: &'static str, seen: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { check, status: Status::Warning, seen: seen.into(), mend: Some(mend.into()) }
    }

    fn problem(check: &'static str, seen: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { check, status: Status::Problem, seen: seen.into(), mend: Some(mend.into()) }
    }

    /// The finding, or that nothing could be seen.
    fn or_unseen(check: &'static str, looked: Result<Self, Failure>) -> Self {
        looked.unwrap_or_else(|failure| {
            let mend =
                "this call must succeed for the rest to be seen: docs/RUNBOOK.md, `ApiServerErrorAlarm`";
            Self::problem(check, format!("could not be looked at: {failure}"), mend)
        })
    }
}

/// Looks at everything and tells it.
pub(crate) async fn run(client: &Client, screen: &Screen) -> Result<Exit, Failure> {
    let (findings, is_reached) = Progress::of("looking").during(look(client)).await;
    let unseen = if client.is_local() { &[][..] } else { &UNSEEN[..] };
    if screen.is_json() {
        let unseen = unseen.iter().map(|(what, alarms)| json!({"what": what, "alarms": alarms}));
        let unseen: Vec<_> = unseen.collect();
        screen.document(&json!({"url": client.base(), "checks": findings, "unseen": unseen}))?;
    } else {
        screen.table(&table(&findings))?;
        for (what, alarms) in unseen {
            screen
                .text(&format!("not told by the API: {what}; see {} (docs/RUNBOOK.md)", alarms.join(", ")))?;
        }
    }
    Ok(if !is_reached {
        Exit::Unreachable
    } else if findings.iter().any(|finding| finding.status == Status::Problem) {
        Exit::Refused
    } else {
        Exit::Done
    })
}

/// All findings, and whether there is a Meshline at all.
async fn look(client: &Client) -> (Vec<Finding>, bool) {
    let health = match client.get(&["healthz"], &[]).await {
        Ok(health) => health,
        Err(failure) => {
            let mend = "see --url (MESHLINE_URL); a stack on this machine starts with `meshline up`";
            return (vec![Finding::problem("reachable", failure.to_string(), mend)], false);
        }
    };
    let mut findings = vec![Finding::or_unseen("reachable", stack::version(client, &health))];
    findings.extend(stack::clock(client, &health));
    match known(client, health.now).await {
        Ok(more) => findings.extend(more),
        Err(failure) => findings.push(Finding::or_unseen("flows and runs", Err(failure))),
    }
    findings.push(Finding::or_unseen("rejections", stack::rejections(client).await));
    if client.is_local() {
        findings.push(Finding::or_unseen("queues", stack::queues(client).await));
    }
    (findings, true)
}

/// What the flows in force, the open runs and their exceptions lead to.
async fn known(client: &Client, now: Time) -> Result<Vec<Finding>, Failure> {
    let flows = in_force(client).await?;
    let (exceptions, _) = lists::open_exceptions(client, Pages::All).await?;
    let open = crate::runs::open(client, Pages::All).await?;
    let seen = Finding::or_unseen;
    Ok(vec![
        flows::enabled(&flows),
        seen("people", flows::people(client, &flows).await),
        seen("triggers", flows::triggers(client, &flows, &exceptions).await),
        runs::looked_at(&open, &exceptions, now),
        runs::recovery(&exceptions, now),
        seen("deliveries", trail::deliveries(client, &flows, now).await),
        seen("checkpoints", trail::checkpoints(client, &flows, now).await),
    ])
}

async fn in_force(client: &Client) -> Result<Vec<InForce>, Failure> {
    #[derive(Deserialize)]
    struct Named {
        id: String,
    }
    #[derive(Deserialize)]
    struct Defined {
        definition: Flow,
    }
    let listed = client.list(&["v1", "flows"], &[], Pages::All).await?;
    let mut flows = Vec::new();
    for Named { id } in listed.items("a flow")? {
        let Defined { definition } = client.get(&["v1", "flows", &id], &[]).await?.read("a flow")?;
        flows.push(InForce { id, document: definition });
    }
    Ok(flows)
}

/// The first of some names, and how many more there are.
fn named(names: &[String]) -> String {
    let told: Vec<&str> = names.iter().take(MAX_NAMED).map(String::as_str).collect();
    match names.len().saturating_sub(told.len()) {
        0 => told.join("; "),
        more => format!("{}; and {more} more", told.join("; ")),
    }
}

/// A line for each finding.
fn table(findings: &[Finding]) -> Table {
    let mut table = Table::headless();
    for Finding { check, status, seen, mend } in findings {
        let (word, tone) = match status {
            Status::Ok => ("ok", Tone::Plain),
            Status::Warning => ("warning", Tone::Plain),
            Status::Problem => ("problem", Tone::Alarm),
        };
        let mend = mend.as_ref().map(|mend| format!(" -> {mend}")).unwrap_or_default();
        table.row(tone, vec![word.to_owned(), (*check).to_owned(), format!("{seen}{mend}")]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_runbook_has_a_row_for_each_alarm_that_is_named() {
        let runbook = include_str!("../../docs/RUNBOOK.md");
        for alarm in UNSEEN.iter().flat_map(|(_, alarms)| *alarms) {
            let is_in =
                |row: &str| row.split('|').nth(1).is_some_and(|it| it.contains(&format!("`{alarm}`")));
            assert!(runbook.lines().any(is_in), "{alarm}");
        }
    }
}
