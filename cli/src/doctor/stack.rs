//! The stack itself: its version, its time, what it refused, and on this machine its queues.

use meshline_core::time::{Span, Time};
use serde::Deserialize;

use super::{Finding, named};
use crate::client::{Answer, Client, Pages};
use crate::failure::Failure;
use crate::show;

/// What AWS takes a signed request to be too old or too new by.
const MAX_SKEW: Span = Span::minutes(5);
/// A clock that is off by more should be set; less may be the way of the answer.
const WORTH_TELLING: Span = Span::from_ms(10_000);
/// How far back rejections are looked at.
const REJECTED_WITHIN: Span = Span::days(1);
/// The queues of a stack on this machine that are empty once everything has settled. Ticks wait for their time.
const QUEUES: [&str; 4] = ["escalations", "exceptions", "requests", "ingest-spill"];
/// All that have dead letters.
const WITH_DEAD_LETTERS: [&str; 5] = ["escalations", "exceptions", "requests", "ticks", "ingest-spill"];

/// Which version answers, and whether this tool is of the same one.
pub(super) fn version(client: &Client, health: &Answer) -> Result<Finding, Failure> {
    #[derive(Deserialize)]
    struct Health {
        version: String,
    }
    let (ours, Health { version }) = (env!("CARGO_PKG_VERSION"), health.read("the answer of /healthz")?);
    let seen = format!("{}, version {version}", client.base());
    Ok(if version == ours {
        Finding::ok("reachable", seen)
    } else {
        let mend = "use the tool of the commit that is deployed: `cargo install --path cli`";
        Finding::warning("reachable", format!("{seen}; this tool is {ours}"), mend)
    })
}

/// How far the clock of this machine is from the one there; a stack on this machine may have any time.
pub(super) fn clock(client: &Client, health: &Answer) -> Option<Finding> {
    let there = health.date.filter(|_| !client.is_local())?;
    Some(skew(there, client.now()))
}

fn skew(there: Time, here: Time) -> Finding {
    let off = there.max(here).since(there.min(here));
    let seen = format!("{off} between this machine and AWS");
    let mend = "set the clock of this machine (NTP)";
    if off > MAX_SKEW {
        Finding::problem("clock", format!("{seen}: signed requests are refused from {MAX_SKEW} on"), mend)
    } else if off > WORTH_TELLING {
        Finding::warning("clock", seen, mend)
    } else {
        Finding::ok("clock", seen)
    }
}

/// Deliveries of the last day that were authentic and could not be understood.
pub(super) async fn rejections(client: &Client) -> Result<Finding, Failure> {
    #[derive(Deserialize)]
    struct Rejection {
        source: String,
        received_at: Time,
        reason: String,
    }
    let listed = client.list(&["v1", "rejections"], &[("limit", Some("200"))], Pages::One).await?;
    let items: Vec<Rejection> = listed.items("a rejection")?;
    let lately = items.iter().filter(|it| it.received_at > listed.now - REJECTED_WITHIN);
    let told: Vec<String> = lately.map(|it| format!("`{}`: {}", it.source, it.reason)).collect();
    if told.is_empty() {
        return Ok(Finding::ok("rejections", "none within a day"));
    }
    let seen = format!("{} within a day not understood: {}", told.len(), named(&told));
    let mend = "`meshline rejections` shows them; mend the source or its provider, and let it send again";
    Ok(Finding::problem("rejections", seen, mend))
}

/// Whether the queues of a stack on this machine are drained, and nothing was given up.
pub(super) async fn queues(client: &Client) -> Result<Finding, Failure> {
    let dead: Vec<String> = WITH_DEAD_LETTERS.iter().map(|queue| format!("{queue}-dlq")).collect();
    let dead = filled(client, dead.iter().map(String::as_str)).await?;
    if !dead.is_empty() {
        let mend = "what `meshline up` logged says why a consumer failed five times";
        return Ok(Finding::problem("queues", named(&dead), mend));
    }
    let waiting = filled(client, QUEUES.into_iter()).await?;
    Ok(if waiting.is_empty() {
        Finding::ok("queues", "drained, and no dead letters")
    } else {
        let mend =
            "a receiver that does not answer is tried again; what was given up is told under deliveries";
        Finding::warning("queues", named(&waiting), mend)
    })
}

/// Those of the queues that have messages, with how many.
async fn filled(client: &Client, queues: impl Iterator<Item = &str>) -> Result<Vec<String>, Failure> {
    #[derive(Deserialize)]
    struct Queue {
        waiting: usize,
    }
    let mut filled = Vec::new();
    for queue in queues {
        let Queue { waiting } = client.get(&["_local", "queues", queue], &[]).await?.read("a queue")?;
        if waiting > 0 {
            filled.push(format!("`{queue}` has {}", show::count(waiting, "message")));
        }
    }
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::super::Status;
    use super::*;

    #[test]
    fn a_clock_that_is_off_is_told_and_beyond_what_aws_takes_a_problem() {
        let here: Time = "2026-11-23T09:00:00Z".parse().unwrap();
        let status = |there: &str| skew(there.parse().unwrap(), here).status;
        assert_eq!(status("2026-11-23T09:00:01Z"), Status::Ok);
        assert_eq!(status("2026-11-23T08:59:00Z"), Status::Warning);
        assert_eq!(status("2026-11-23T09:05:01Z"), Status::Problem);
        assert_eq!(status("2026-11-23T08:54:59Z"), Status::Problem);
    }
}
