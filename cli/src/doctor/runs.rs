//! Runs and their exceptions: the clock looks at them, and somebody resolves what is theirs to resolve.

use std::collections::BTreeSet;

use meshline_core::config::flow::ExceptionKind;
use meshline_core::time::{Span, Time};
use meshline_core::view::{ExceptionView, RunView};

use super::{Finding, named};
use crate::client::{Client, Pages};
use crate::failure::Failure;
use crate::{runs, show};

/// The sweep comes each minute; what is due for longer was not looked at.
const LOOKED_AT_WITHIN: Span = Span::minutes(5);

/// Whether the clock gets to each open run when something of it is due. A parked run waits for a person.
pub(super) async fn looked_at(
    client: &Client,
    exceptions: &[ExceptionView],
    now: Time,
) -> Result<Finding, Failure> {
    let parked = exceptions.iter().filter(|it| it.kind == ExceptionKind::RunParked);
    let parked: BTreeSet<&str> = parked.map(|it| it.id.as_str()).collect();
    let open = runs::open(client, Pages::All).await?;
    let due = |run: &RunView| run.next_due_at.filter(|due| *due + LOOKED_AT_WITHIN < now);
    let late = open.iter().filter(|run| !parked.contains(run.run.as_str()));
    let late: Vec<String> = late
        .filter_map(|run| Some(format!("{} of `{}` was due {}", run.run, run.flow, show::at(due(run)?, now))))
        .collect();
    if !late.is_empty() {
        let mend = "docs/RUNBOOK.md, \"The sweep does not run\" (`SweepLagAlarm`)";
        return Ok(Finding::problem("deadlines", named(&late), mend));
    }
    let runs = show::count(open.len(), "open run");
    if parked.is_empty() {
        return Ok(Finding::ok("deadlines", format!("{runs}, none overlooked")));
    }
    let told: Vec<String> = parked.iter().map(|run| (*run).to_owned()).collect();
    let mend =
        "docs/RUNBOOK.md, \"A parked run\"; `meshline resolve flow:FLOW RUN` gives it back to the clock";
    Ok(Finding::problem("deadlines", format!("{runs}; parked: {}", named(&told)), mend))
}

/// Whether open exceptions are within their recovery deadlines.
pub(super) fn recovery(exceptions: &[ExceptionView], now: Time) -> Finding {
    let late = exceptions.iter().filter(|it| it.recovery_due_at < now);
    let told: Vec<String> = late
        .map(|it| {
            let of = it.run.as_deref().unwrap_or(&it.flow);
            let (kind, due) = (show::word(&it.kind), show::at(it.recovery_due_at, now));
            format!("{} of {of} ({kind}) was due {due}, owner {}", it.id, it.owner)
        })
        .collect();
    let open = show::count(exceptions.len(), "open exception");
    if told.is_empty() {
        return Finding::ok("exceptions", format!("{open}, none past its recovery deadline"));
    }
    let seen = format!("{open}, {} past the recovery deadline: {}", told.len(), named(&told));
    Finding::problem("exceptions", seen, "`meshline resolve RUN EXCEPTION --resolution …`, or ask its owner")
}
