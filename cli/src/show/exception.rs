//! Exceptions as people read them: each by itself, or those of one cause together.

use std::collections::BTreeSet;

use meshline_core::time::Time;
use meshline_core::view::{ExceptionStatus, ExceptionView};

use super::{Table, Tone, at, at_or_dash, or_dash, short, word};

const COLUMNS: [&str; 8] =
    ["EXCEPTION", "KIND", "STATUS", "ABOUT", "OWNER", "OPENED", "RECOVERY DUE", "RESOLVED"];

/// The exceptions of one run.
pub(crate) fn exceptions_of_run(exceptions: &[ExceptionView], now: Time) -> Table {
    let mut table = Table::new(&[&COLUMNS[..], &["RESOLUTION", "EVIDENCE"]].concat());
    for exception in exceptions {
        table.row(tone(exception, now), [cells(exception, now), how(exception)].concat());
    }
    table
}

/// Exceptions of several runs and flows, each by itself.
pub(crate) fn exceptions(exceptions: &[ExceptionView], now: Time) -> Table {
    let mut table = Table::new(&[&COLUMNS[..], &["FLOW", "RUN", "RESOLUTION", "EVIDENCE"]].concat());
    for exception in exceptions {
        let cells = [cells(exception, now), whose(exception), how(exception)].concat();
        table.row(tone(exception, now), cells);
    }
    table
}

/// Exceptions of several runs and flows; those of one cause are one line.
pub(crate) fn exceptions_by_group(exceptions: &[ExceptionView], now: Time) -> Table {
    let mut groups: Vec<Vec<&ExceptionView>> = Vec::new();
    for exception in exceptions {
        // A server of an early version names no group.
        let is_its = |group: &&mut Vec<&ExceptionView>| {
            !exception.group.is_empty() && group.iter().all(|member| member.group == exception.group)
        };
        match groups.iter_mut().find(is_its) {
            Some(group) => group.push(exception),
            None => groups.push(vec![exception]),
        }
    }
    let mut table = Table::new(&[&COLUMNS[..], &["FLOW", "RUN OR GROUP"]].concat());
    for mut group in groups {
        // What must be resolved next says how urgent it is.
        group.sort_by_key(|member| (member.status == ExceptionStatus::Resolved, member.recovery_due_at));
        match group[..] {
            [] => {}
            [exception] => {
                table.row(tone(exception, now), [cells(exception, now), whose(exception)].concat());
            }
            [next, ..] => table.row(tone(next, now), group_cells(next, &group, now)),
        }
    }
    table
}

fn group_cells(next: &ExceptionView, group: &[&ExceptionView], now: Time) -> Vec<String> {
    let open = group.iter().filter(|member| member.status == ExceptionStatus::Open).count();
    let status = match (open, group.len() - open) {
        (0, _) | (_, 0) => word(&next.status),
        (open, resolved) => format!("{open} open, {resolved} resolved"),
    };
    let owners: BTreeSet<&str> = group.iter().map(|member| member.owner.as_str()).collect();
    let opened = group.iter().map(|member| member.opened_at).min();
    let resolved = group.iter().map(|member| member.resolved_at).max().flatten();
    vec![
        format!("{} together", group.len()),
        word(&next.kind),
        status,
        about(next),
        owners.into_iter().collect::<Vec<_>>().join(", "),
        at_or_dash(opened, now),
        at(next.recovery_due_at, now),
        at_or_dash(resolved.filter(|_| open == 0), now),
        next.flow.clone(),
        next.group.clone(),
    ]
}

fn cells(exception: &ExceptionView, now: Time) -> Vec<String> {
    vec![
        exception.id.clone(),
        word(&exception.kind),
        word(&exception.status),
        about(exception),
        exception.owner.clone(),
        at(exception.opened_at, now),
        at(exception.recovery_due_at, now),
        at_or_dash(exception.resolved_at, now),
    ]
}

fn about(exception: &ExceptionView) -> String {
    or_dash(exception.outcome.as_deref().or(exception.check.as_deref()))
}

fn whose(exception: &ExceptionView) -> Vec<String> {
    vec![exception.flow.clone(), or_dash(exception.run.as_deref())]
}

fn how(exception: &ExceptionView) -> Vec<String> {
    let resolution = or_dash(exception.resolution.as_deref());
    vec![short(&resolution), or_dash(exception.evidence.as_deref())]
}

fn tone(exception: &ExceptionView, now: Time) -> Tone {
    match exception.status {
        ExceptionStatus::Resolved => Tone::Faint,
        ExceptionStatus::Open if exception.recovery_due_at <= now => Tone::Alarm,
        ExceptionStatus::Open => Tone::Plain,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const NOON: &str = "2026-11-23T12:00:00Z";

    fn view(id: &str, run: &str, owner: &str, recovery_due_at: &str) -> ExceptionView {
        let exception = json!({
            "id": id, "kind": "sla_breached", "status": "open", "run": run, "flow": "blog-launch",
            "subject": "contentful:5Ks", "outcome": "crm-tag", "check": null, "owner": owner,
            "opened_at": "2026-11-23T11:00:00.000Z", "recovery_due_at": recovery_due_at, "resolved_at": null,
            "resolution": null, "evidence": null, "group": "blog-launch/crm-tag/sla_breached/2026-11-23T11",
        });
        serde_json::from_value(exception).unwrap()
    }

    /// Three of one cause, of which one is resolved, and one of another hour.
    fn several() -> Vec<ExceptionView> {
        let resolved = ExceptionView {
            status: ExceptionStatus::Resolved,
            resolved_at: Some("2026-11-23T11:30:00Z".parse().unwrap()),
            resolution: Some("tagged by hand".to_owned()),
            evidence: Some("https://crm.example.com/7".to_owned()),
            ..view("x5", "run-1", "cleo", "2026-11-23T11:15:00.000Z")
        };
        let another = ExceptionView {
            group: "blog-launch/crm-tag/sla_breached/2026-11-23T09".to_owned(),
            ..view("x7", "run-4", "cleo", "2026-11-24T09:00:00.000Z")
        };
        let late = view("x6", "run-3", "ben", "2026-11-23T11:30:00.000Z");
        vec![resolved, view("x5", "run-2", "cleo", "2026-11-24T11:00:00.000Z"), another, late]
    }

    #[test]
    fn those_of_one_cause_are_one_line_with_what_is_due_next() {
        insta::assert_snapshot!(exceptions_by_group(&several(), NOON.parse().unwrap()).render(false), @"
        EXCEPTION   KIND          STATUS              ABOUT    OWNER      OPENED                       RECOVERY DUE                 RESOLVED  FLOW         RUN OR GROUP
        3 together  sla_breached  2 open, 1 resolved  crm-tag  ben, cleo  2026-11-23T11:00Z (60m ago)  2026-11-23T11:30Z (30m ago)  -         blog-launch  blog-launch/crm-tag/sla_breached/2026-11-23T11
        x7          sla_breached  open                crm-tag  cleo       2026-11-23T11:00Z (60m ago)  2026-11-24T09:00Z (in 21h)   -         blog-launch  run-4
        ");
    }

    #[test]
    fn each_by_itself_shows_how_it_was_resolved() {
        insta::assert_snapshot!(exceptions(&several(), NOON.parse().unwrap()).render(false), @"
        EXCEPTION  KIND          STATUS    ABOUT    OWNER  OPENED                       RECOVERY DUE                 RESOLVED                     FLOW         RUN    RESOLUTION      EVIDENCE
        x5         sla_breached  resolved  crm-tag  cleo   2026-11-23T11:00Z (60m ago)  2026-11-23T11:15Z (45m ago)  2026-11-23T11:30Z (30m ago)  blog-launch  run-1  tagged by hand  https://crm.example.com/7
        x5         sla_breached  open      crm-tag  cleo   2026-11-23T11:00Z (60m ago)  2026-11-24T11:00Z (in 23h)   -                            blog-launch  run-2  -               -
        x7         sla_breached  open      crm-tag  cleo   2026-11-23T11:00Z (60m ago)  2026-11-24T09:00Z (in 21h)   -                            blog-launch  run-4  -               -
        x6         sla_breached  open      crm-tag  ben    2026-11-23T11:00Z (60m ago)  2026-11-23T11:30Z (30m ago)  -                            blog-launch  run-3  -               -
        ");
    }
}
