//! `audit export`, `audit verify --since`, `audit verify --export` and `audit key`: days of all trails, and their checkpoints.

use std::fs;
use std::path::PathBuf;

use clap::Args;
use meshline_core::checkpoint::{self, Finding, PublicKey, Verdict};
use meshline_core::day::Day;
use serde_json::json;

use super::bundle::Bundle;
use super::keys::Keys;
use super::{Verify, text_of};
use crate::client::Client;
use crate::failure::{Exit, Failure};
use crate::screen::Screen;
use crate::show::{self, Table, Tone};

/// Arguments of `audit export`.
#[derive(Debug, Args)]
pub(crate) struct Export {
    /// The first day (UTC)
    #[arg(long, value_name = "DATE")]
    since: Day,
    /// The last day (UTC) [default: today there]
    #[arg(long, value_name = "DATE")]
    until: Option<Day>,
    /// The file to write [default: standard output]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Writes the records and checkpoints of some days.
pub(super) async fn export(client: &Client, args: &Export, screen: &Screen) -> Result<Exit, Failure> {
    let lines = Bundle::gather(client, args.since, args.until, None).await?.export();
    match &args.out {
        Some(file) => fs::write(file, lines)
            .map_err(|error| Failure::Usage(format!("cannot write `{}`: {error}", file.display())))?,
        None => screen.text(&lines)?,
    }
    Ok(Exit::Done)
}

/// Prints the public key of the stack.
pub(super) async fn key(client: &Client, screen: &Screen) -> Result<Exit, Failure> {
    let answer = client.get(&["v1", "checkpoints", "key"], &[]).await?;
    if screen.is_json() {
        screen.document(&answer.read("the public key")?)?;
    } else {
        screen.text(&answer.read::<PublicKey>("the public key")?.public_key_pem)?;
    }
    Ok(Exit::Done)
}

/// Verifies the checkpoints of some days of a stack by themselves.
pub(crate) async fn chain(client: &Client, since: Day, until: Day) -> Result<Verdict, Failure> {
    let bundle = Bundle::of_checkpoints(client, since, until).await?;
    let keys = Keys::claimed(&bundle.key.public_key_pem)?;
    Ok(checkpoint::verify_chain(&bundle.evidence, &|bytes, signature| keys.signed(bytes, signature)))
}

/// Verifies days of a stack.
pub(super) async fn verify(
    client: &Client,
    since: Day,
    args: &Verify,
    screen: &Screen,
) -> Result<Exit, Failure> {
    let pinned = args.public_key.as_deref().map(Keys::pinned).transpose()?;
    let bundle = Bundle::gather(client, since, args.until, args.checkpoints.as_deref()).await?;
    conclude(&bundle, pinned, Vec::new(), screen)
}

/// Verifies an export of days, without any stack.
pub(super) fn verify_export(file: &std::path::Path, args: &Verify, screen: &Screen) -> Result<Exit, Failure> {
    let pinned = args.public_key.as_deref().map(Keys::pinned).transpose()?;
    let (mut bundle, faults) = Bundle::import(&text_of(file)?)?;
    if let Some(folder) = &args.checkpoints {
        bundle.read_checkpoints(folder)?;
    }
    conclude(&bundle, pinned, faults, screen)
}

fn conclude(
    bundle: &Bundle,
    pinned: Option<Keys>,
    faults: Vec<String>,
    screen: &Screen,
) -> Result<Exit, Failure> {
    let keys = pinned.map_or_else(|| Keys::claimed(&bundle.key.public_key_pem), Ok)?;
    let mut verdict = checkpoint::verify(&bundle.evidence, &|bytes, signature| keys.signed(bytes, signature));
    verdict.valid &= faults.is_empty();
    let of_the_file = faults.into_iter().map(|reason| Finding { day: None, run: None, seq: None, reason });
    verdict.findings.splice(0..0, of_the_file);
    let exit = if verdict.valid { Exit::Done } else { Exit::Refused };
    if screen.is_json() {
        let mut document = json!(verdict);
        if let Some(members) = document.as_object_mut() {
            let key = json!({"sha256": keys.fingerprints, "pinned": keys.are_pinned});
            members.insert("key".to_owned(), key);
        }
        screen.document(&document)?;
        return Ok(exit);
    }
    screen.text(&summary(&verdict))?;
    if !verdict.findings.is_empty() {
        screen.table(&findings(&verdict))?;
    }
    screen.text(&reach(&verdict, &keys))?;
    Ok(exit)
}

fn summary(verdict: &Verdict) -> String {
    let count = |n: u64, noun: &str| show::count(usize::try_from(n).unwrap_or(usize::MAX), noun);
    let Verdict { since, until, .. } = verdict;
    let found = verdict.findings.len() as u64 + verdict.more_findings;
    let of = format!(
        "{since} to {until}, {} in {}, {}",
        count(verdict.records, "record"),
        count(verdict.trails, "trail"),
        count(verdict.checkpoints, "good checkpoint")
    );
    if verdict.valid { format!("valid: {of}") } else { format!("BROKEN: {of}: {}", count(found, "finding")) }
}

fn findings(verdict: &Verdict) -> Table {
    let mut table = Table::new(&["DAY", "TRAIL", "RECORD", "FINDING"]);
    for finding in &verdict.findings {
        let cells = [
            finding.day.map(|day| day.to_string()),
            finding.run.clone(),
            finding.seq.map(|seq| seq.to_string()),
            Some(finding.reason.clone()),
        ];
        table.row(Tone::Alarm, cells.map(|cell| show::or_dash(cell.as_deref())).to_vec());
    }
    table
}

/// What was not looked at, and whose word the key is.
fn reach(verdict: &Verdict, keys: &Keys) -> String {
    let mut lines = Vec::new();
    if verdict.more_findings > 0 {
        lines.push(format!("and {} more findings", verdict.more_findings));
    }
    let unsigned = "only the links are checked, and a cut tail would not show";
    match (verdict.signed_since, verdict.signed_until) {
        (Some(first), Some(last)) => {
            if first > verdict.since {
                lines.push(format!("before {first} there is no good checkpoint: {unsigned}"));
            }
            if last < verdict.until {
                lines.push(format!("after {last} there is no good checkpoint: {unsigned}"));
            }
        }
        (_, _) => lines.push(format!("no day has a good checkpoint: {unsigned}")),
    }
    if let Some(day) = verdict.begins_on {
        lines.push(format!("the chain of checkpoints begins on {day}"));
    }
    let fingerprints = keys.fingerprints.join(", ");
    let word = if keys.are_pinned {
        ""
    } else {
        ": the stack's own word; keep it with `meshline audit key`, and give it with --public-key"
    };
    lines.push(format!("key SHA-256 {fingerprints}{word}"));
    lines.join("\n")
}
