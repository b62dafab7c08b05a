//! What the trail tells: messages that were given up, and whether each day has its signed checkpoint.

use meshline_core::checkpoint::Verdict;
use meshline_core::day::Day;
use meshline_core::record::DeliveryFailed;
use meshline_core::time::{Span, Time};
use serde::Deserialize;
use serde_json::Value;

use super::{Finding, InForce, named};
use crate::audit;
use crate::client::{Client, Listed, Pages};
use crate::failure::Failure;
use crate::show;

/// A day's checkpoint is made 20 minutes after its end; an hour after it, it is there.
const MADE_WITHIN: Span = Span::hours(1);
/// Days whose checkpoints are verified, the last one that has to have one included.
const DAYS: i64 = 3;

/// Whether every message of today found its receiver.
pub(super) async fn deliveries(client: &Client, flows: &[InForce], now: Time) -> Result<Finding, Failure> {
    let mut failed = Vec::new();
    for InForce { id, .. } in flows {
        let listed = records(client, id, Day::of(now), Pages::All).await?;
        for record in listed.items::<Value>("a record")? {
            let text = |name: &str| record.get(name).and_then(Value::as_str).unwrap_or_default();
            if text("kind") != "delivery_failed" {
                continue;
            }
            let detail = record.get("detail").map(DeliveryFailed::deserialize);
            if let Some(Ok(DeliveryFailed { to, error, .. })) = detail {
                failed.push(format!("{to} was not told of {}: {error}", text("run")));
            }
        }
    }
    if failed.is_empty() {
        return Ok(Finding::ok("deliveries", "no message of today was given up"));
    }
    let seen = format!("{} of today given up: {}", show::count(failed.len(), "message"), named(&failed));
    let mend = "mend the channel or the person's addresses in the directory, apply, and tell them (`DeliveriesFailedAlarm`)";
    Ok(Finding::problem("deliveries", seen, mend))
}

/// Whether each of the last days has a checkpoint that is signed and follows from the one before.
pub(super) async fn checkpoints(client: &Client, flows: &[InForce], now: Time) -> Result<Finding, Failure> {
    let last = Day::of(now - Span::days(1) - MADE_WITHIN);
    let first = Day::of(now - Span::days(DAYS) - MADE_WITHIN);
    let verdict = audit::chain(client, first, last).await?;
    if verdict.valid && verdict.signed_until.is_none() && is_new(client, flows, last).await? {
        return Ok(Finding::ok("checkpoints", "none yet: the first is made at 00:20 UTC"));
    }
    Ok(chained(&verdict))
}

/// What verification of the chain says of a stack that has been there for a day.
fn chained(verdict: &Verdict) -> Finding {
    let key = "checkpoints";
    let mend = "docs/RUNBOOK.md, `CheckpointAlarm`";
    let Verdict { since, until, .. } = verdict;
    if let Some(finding) = verdict.findings.first() {
        let day = finding.day.map(|day| format!("{day}: ")).unwrap_or_default();
        let mend = format!("`meshline audit verify --since {since}` has all; {mend}, \"A tampered trail\"");
        return Finding::problem(key, format!("{day}{}", finding.reason), mend);
    }
    match verdict.signed_until {
        Some(day) if day == *until => {
            let count = show::count(usize::try_from(verdict.checkpoints).unwrap_or(usize::MAX), "day");
            Finding::ok(key, format!("{count} until {until} signed and in a chain"))
        }
        Some(day) => Finding::problem(key, format!("the last one is of {day}; {until} has none"), mend),
        None => Finding::problem(key, format!("none from {since} to {until}"), mend),
    }
}

/// Whether nothing was decided on `day`, since the stack was not there.
async fn is_new(client: &Client, flows: &[InForce], day: Day) -> Result<bool, Failure> {
    for InForce { id, .. } in flows {
        if !records(client, id, day, Pages::One).await?.items::<Value>("a record")?.is_empty() {
            return Ok(false);
        }
    }
    let older = client.list(&["v1", "checkpoints"], &[("limit", Some("1"))], Pages::One).await?;
    Ok(older.items::<Value>("a checkpoint")?.is_empty())
}

async fn records(client: &Client, flow: &str, day: Day, pages: Pages) -> Result<Listed, Failure> {
    let day = day.to_string();
    let query = [("flow", Some(flow)), ("day", Some(day.as_str())), ("limit", Some("200"))];
    client.list(&["v1", "audit"], &query, pages).await
}

#[cfg(test)]
mod tests {
    use super::super::Status;
    use super::*;
    use meshline_core::checkpoint::Finding as Wrong;

    fn day(text: &str) -> Day {
        text.parse().unwrap()
    }

    /// Checkpoints until that day, of three.
    fn signed(until: Option<&str>, findings: Vec<Wrong>) -> Verdict {
        Verdict {
            valid: findings.is_empty(),
            since: day("2026-11-20"),
            until: day("2026-11-22"),
            records: 0,
            trails: 0,
            checkpoints: 2,
            begins_on: None,
            signed_since: until.map(|_| day("2026-11-20")),
            signed_until: until.map(day),
            findings,
            more_findings: 0,
        }
    }

    #[test]
    fn a_day_without_a_checkpoint_and_a_broken_chain_are_problems() {
        let said = |verdict: &Verdict| {
            let Finding { status, seen, .. } = chained(verdict);
            (status, seen)
        };
        let problem = |seen: &str| (Status::Problem, seen.to_owned());
        assert_eq!(said(&signed(Some("2026-11-22"), Vec::new())).0, Status::Ok);
        let seen = problem("the last one is of 2026-11-21; 2026-11-22 has none");
        assert_eq!(said(&signed(Some("2026-11-21"), Vec::new())), seen);
        assert_eq!(said(&signed(None, Vec::new())), problem("none from 2026-11-20 to 2026-11-22"));
        let reason = "its checkpoint is missing".to_owned();
        let missing = Wrong { day: Some(day("2026-11-21")), run: None, seq: None, reason };
        let seen = problem("2026-11-21: its checkpoint is missing");
        assert_eq!(said(&signed(Some("2026-11-22"), vec![missing])), seen);
    }
}
