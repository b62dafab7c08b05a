//! What the trail tells: messages that were given up, and whether each day has its signed checkpoint.

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
    let key = "checkpoints";
    let mend = "docs/RUNBOOK.md, `CheckpointAlarm`";
    let last = Day::of(now - Span::days(1) - MADE_WITHIN);
    let first = Day::of(now - Span::days(DAYS) - MADE_WITHIN);
    let verdict = audit::chain(client, first, last).await?;
    if let Some(finding) = verdict.findings.first() {
        let day = finding.day.map(|day| format!("{day}: ")).unwrap_or_default();
        let mend = format!("`meshline audit verify --since {first}` has all; {mend}, \"A tampered trail\"");
        return Ok(Finding::problem(key, format!("{day}{}", finding.reason), mend));
    }
    match verdict.signed_until {
        Some(day) if day == last => {
            let count = show::count(usize::try_from(verdict.checkpoints).unwrap_or(usize::MAX), "day");
            Ok(Finding::ok(key, format!("{count} until {last} signed and in a chain")))
        }
        Some(day) => Ok(Finding::problem(key, format!("the last one is of {day}; {last} has none"), mend)),
        None if is_new(client, flows, last).await? => {
            Ok(Finding::ok(key, "none yet: the first is made at 00:20 UTC"))
        }
        None => Ok(Finding::problem(key, format!("none from {first} to {last}"), mend)),
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
