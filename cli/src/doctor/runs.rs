//! Runs and their exceptions: the clock looks at them, and somebody resolves what is theirs to resolve.

use std::collections::BTreeSet;

use meshline_core::config::flow::ExceptionKind;
use meshline_core::time::{Span, Time};
use meshline_core::view::{ExceptionView, RunView};

use super::{Finding, named};
use crate::show;

/// The sweep comes each minute; what is due for longer was not looked at.
const LOOKED_AT_WITHIN: Span = Span::minutes(5);

/// Whether the clock gets to each open run when something of it is due. A parked run waits for a person.
pub(super) fn looked_at(open: &[RunView], exceptions: &[ExceptionView], now: Time) -> Finding {
    let parked = exceptions.iter().filter(|it| it.kind == ExceptionKind::RunParked);
    let parked: BTreeSet<&str> = parked.map(|it| it.id.as_str()).collect();
    let due = |run: &RunView| run.next_due_at.filter(|due| *due + LOOKED_AT_WITHIN < now);
    let late = open.iter().filter(|run| !parked.contains(run.run.as_str()));
    let late: Vec<String> = late
        .filter_map(|run| Some(format!("{} of `{}` was due {}", run.run, run.flow, show::at(due(run)?, now))))
        .collect();
    if !late.is_empty() {
        let mend = "docs/RUNBOOK.md, \"The sweep does not run\" (`SweepLagAlarm`)";
        return Finding::problem("deadlines", named(&late), mend);
    }
    let runs = show::count(open.len(), "open run");
    if parked.is_empty() {
        return Finding::ok("deadlines", format!("{runs}, none overlooked"));
    }
    let told: Vec<String> = parked.iter().map(|run| (*run).to_owned()).collect();
    let mend =
        "docs/RUNBOOK.md, \"A parked run\"; `meshline resolve flow:FLOW RUN` gives it back to the clock";
    Finding::problem("deadlines", format!("{runs}; parked: {}", named(&told)), mend)
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

#[cfg(test)]
mod tests {
    use super::super::Status;
    use super::*;
    use serde_json::json;

    fn run(id: &str, next_due_at: &str) -> RunView {
        serde_json::from_value(json!({
            "run": id, "flow": "lead-form", "flow_version": 1, "client": null, "subject": "form:7", "title": "Demo",
            "url": null, "status": "active", "overdue": false, "paused": false, "paused_until": null,
            "suppressed": false, "met": null, "version": 1, "opened_at": "2026-11-23T09:00:00.000Z",
            "closed_at": null, "next_due_at": next_due_at, "acknowledgement": null, "outcomes": [], "checks": [],
            "exceptions": [], "escalations": [],
            "owner": {"id": "ben", "since": "2026-11-23T09:00:00.000Z", "as": "owner"}
        }))
        .unwrap()
    }

    fn parked(id: &str) -> ExceptionView {
        serde_json::from_value(json!({
            "id": id, "kind": "run_parked", "status": "open", "run": null, "flow": "lead-form", "subject": null,
            "outcome": null, "check": null, "owner": "dev", "opened_at": "2026-11-23T10:00:00.000Z",
            "recovery_due_at": "2026-11-24T10:00:00.000Z", "resolved_at": null, "resolution": null, "evidence": null
        }))
        .unwrap()
    }

    #[test]
    fn a_run_that_the_clock_left_lying_is_told_and_a_parked_one_as_such() {
        let now = "2026-11-23T12:00:00Z".parse().unwrap();
        let in_time = run("a-1", "2026-11-23T11:56:00Z");
        let late = run("b-2", "2026-11-23T11:00:00Z");
        let finding = looked_at(&[in_time.clone(), late.clone()], &[], now);
        assert_eq!(finding.status, Status::Problem);
        assert_eq!(finding.seen, "b-2 of `lead-form` was due 2026-11-23T11:00Z (60m ago)");
        let finding = looked_at(&[in_time.clone(), late], &[parked("b-2")], now);
        assert_eq!((finding.status, finding.seen.as_str()), (Status::Problem, "2 open runs; parked: b-2"));
        assert_eq!(looked_at(&[in_time], &[], now).status, Status::Ok);
    }
}
