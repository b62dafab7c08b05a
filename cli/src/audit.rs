//! `audit`: the trail of a run, shown and verified; and all trails of some days, exported and verified. Both also offline.

mod bundle;
mod days;
mod keys;

pub(crate) use days::chain;

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use meshline_core::day::Day;
use meshline_core::record::Record;
use meshline_core::trail::Walk;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::client::{Client, Pages};
use crate::failure::{Exit, Failure};
use crate::screen::Screen;
use crate::show;

/// `audit …`
#[derive(Debug, Subcommand)]
pub(crate) enum Audit {
    /// Show every record of a run
    Show {
        /// The run's id
        run: String,
        /// Print the records as they were hashed, one JSON document a line: an export for `audit verify --file`
        #[arg(long)]
        jsonl: bool,
    },
    /// Check that no record was edited, removed, moved or forged: of a run, or of all trails since a day
    Verify(Verify),
    /// Write all records and signed checkpoints of some days, for `audit verify --export`
    Export(days::Export),
    /// Print the public key of the checkpoints, as PEM: keep it, and give it to `audit verify --public-key`
    Key,
}

/// Arguments of `audit verify`.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("what").required(true), after_help = VERIFY_HELP)]
pub(crate) struct Verify {
    /// The run's id: its stack checks the trail, also against the run
    #[arg(group = "what")]
    run: Option<String>,
    /// An export of one run to check offline, or `-` for standard input
    #[arg(long, value_name = "TRAIL.jsonl", group = "what")]
    file: Option<PathBuf>,
    /// All trails since this day (UTC), against the signed checkpoints of the days
    #[arg(long, value_name = "DATE", group = "what")]
    since: Option<Day>,
    /// The last day to check (UTC) [default: today there]
    #[arg(long, value_name = "DATE", requires = "since", conflicts_with_all = ["run", "file", "export"])]
    until: Option<Day>,
    /// An export of days to check offline, or `-` for standard input
    #[arg(long, value_name = "EXPORT.jsonl", group = "what")]
    export: Option<PathBuf>,
    /// The key that checkpoints must be signed with, kept from `audit key` [default: what the stack says it is]
    #[arg(long, value_name = "KEY.pem", conflicts_with_all = ["run", "file"])]
    public_key: Option<PathBuf>,
    /// A copy of the checkpoints' bucket, to take them from instead
    #[arg(long, value_name = "DIR", conflicts_with_all = ["run", "file"])]
    checkpoints: Option<PathBuf>,
}

const VERIFY_HELP: &str = "\
A trail by itself shows an edited, removed or moved record. That its end was cut off, or that it was hashed
anew from the beginning, shows against a checkpoint: the stack signs the heads of all trails once a day.
Days without a checkpoint are checked link by link, and the answer says which these are.";

/// What the API answers, and what an offline check prints.
#[derive(Debug, PartialEq, Deserialize)]
struct Verified {
    valid: bool,
    records: usize,
    fault: Option<Fault>,
}

#[derive(Debug, PartialEq, Deserialize)]
struct Fault {
    seq: u64,
    reason: String,
}

/// Shows or verifies the trail of a run of the stack.
pub(crate) async fn run(client: &Client, audit: &Audit, screen: &Screen) -> Result<Exit, Failure> {
    match audit {
        Audit::Show { run, jsonl: true } => {
            let answer = client.get(&["v1", "runs", run, "audit"], &[("format", Some("jsonl"))]).await?;
            screen.text(&answer.text)?;
            Ok(Exit::Done)
        }
        Audit::Show { run, jsonl: false } => {
            let listed = client.list(&["v1", "runs", run, "audit"], &[], Pages::All).await?;
            if screen.is_json() {
                screen.document(&listed.page)?;
            } else {
                let records: Vec<Record> = listed.items("a record")?;
                screen.table(&show::records(&records, listed.now))?;
            }
            Ok(Exit::Done)
        }
        Audit::Export(args) => days::export(client, args, screen).await,
        Audit::Key => days::key(client, screen).await,
        Audit::Verify(args @ Verify { since: Some(since), .. }) => {
            days::verify(client, *since, args, screen).await
        }
        Audit::Verify(Verify { run, .. }) => {
            let run = run.as_deref().unwrap_or_default();
            let answer = client.get(&["v1", "runs", run, "audit", "verify"], &[]).await?;
            let verified = answer.read("the answer")?;
            conclude(&verified, run, &answer.read("the answer")?, screen)
        }
    }
}

impl Verify {
    /// Verifies an export without any stack; `None` when it is a stack that is to be asked.
    pub(crate) fn offline(&self, screen: &Screen) -> Option<Result<Exit, Failure>> {
        match (&self.file, &self.export) {
            (Some(file), _) => Some(verify_file(file, screen)),
            (None, Some(file)) => Some(days::verify_export(file, self, screen)),
            (None, None) => None,
        }
    }
}

/// The text of a file, or of standard input for `-`.
fn text_of(path: &Path) -> Result<String, Failure> {
    let text = if path == Path::new("-") {
        let mut text = String::new();
        io::stdin().read_to_string(&mut text).map(|_| text)
    } else {
        fs::read_to_string(path)
    };
    text.map_err(|error| Failure::Usage(format!("cannot read `{}`: {error}", path.display())))
}

/// Verifies an export of one run.
fn verify_file(path: &Path, screen: &Screen) -> Result<Exit, Failure> {
    let verified = verify(&text_of(path)?);
    let Verified { valid, records, fault } = &verified;
    let fault = fault.as_ref().map(|fault| json!({"seq": fault.seq, "reason": fault.reason}));
    let document = json!({"valid": valid, "records": records, "fault": fault});
    let exit = conclude(&verified, &path.display().to_string(), &document, screen)?;
    if exit == Exit::Done && !screen.is_json() {
        screen.text(
            "whether records were cut off at the end only the stack can tell: `meshline audit verify RUN`",
        )?;
    }
    Ok(exit)
}

fn conclude(verified: &Verified, name: &str, document: &Value, screen: &Screen) -> Result<Exit, Failure> {
    let exit = if verified.valid { Exit::Done } else { Exit::Refused };
    if screen.is_json() {
        screen.document(document)?;
        return Ok(exit);
    }
    let records = show::count(verified.records, "record");
    let line = match &verified.fault {
        None if verified.valid => format!("valid: {name}, {records}"),
        None => format!("BROKEN: {name}, {records}"),
        Some(Fault { seq, reason }) => format!("BROKEN at record {seq}: {name}, {records}: {reason}"),
    };
    screen.text(&show::clean(&line))?;
    Ok(exit)
}

/// Verifies the lines of an export of one run.
fn verify(text: &str) -> Verified {
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let broken = |seq: u64, reason: String| Verified {
        valid: false,
        records: lines.len(),
        fault: Some(Fault { seq, reason }),
    };
    if lines.is_empty() {
        return broken(1, "there are no records".to_owned());
    }
    let mut walk = Walk::from_the_start();
    for (line, seq) in lines.iter().zip(1_u64..) {
        let record: Value = match serde_json::from_str(line) {
            Ok(record) => record,
            Err(error) => return broken(seq, format!("the line is not JSON: {error}")),
        };
        if let Err(fault) = walk.take(&record) {
            return broken(fault.seq, fault.reason);
        }
    }
    Verified { valid: true, records: lines.len(), fault: None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use meshline_core::trail;

    fn export() -> String {
        let mut prev = trail::GENESIS.to_owned();
        let mut lines = String::new();
        for seq in 1..=3 {
            let value = json!({
                "run": "a-1", "seq": seq, "at": "2026-11-23T09:00:00.000Z", "actor": {"type": "person", "id": "ana"},
                "flow": "f", "flow_version": 1, "subject": "s", "config_hash": "c",
                "kind": "note_added", "detail": {"text": format!("note {seq}")}, "prev": prev, "hash": ""
            });
            let mut record: Record = serde_json::from_value(value).unwrap();
            record.hash = trail::hash(&record);
            prev.clone_from(&record.hash);
            lines += &format!("{}\n", json!(record));
        }
        lines
    }

    #[test]
    fn an_export_is_valid_until_somebody_touches_it() {
        let fault = |text: &str| verify(text).fault.map(|fault| (fault.seq, fault.reason));
        let text = export();
        assert_eq!(verify(&text), Verified { valid: true, records: 3, fault: None });
        assert_eq!(fault(&text.replace("note 2", "NOTE 2")).unwrap().0, 2);
        let without_the_second: String =
            text.lines().enumerate().filter(|(n, _)| *n != 1).map(|(_, line)| format!("{line}\n")).collect();
        assert_eq!(fault(&without_the_second).unwrap().0, 2);
        let with_more = text.replacen("\"detail\":{", "\"approved\":true,\"detail\":{", 1);
        assert_eq!(fault(&with_more).unwrap(), (1, "its content is not what was hashed".to_owned()));
        assert_eq!(fault("").unwrap().0, 1);
        assert!(fault("{}\n").unwrap().1.starts_with("it lacks its run, number or hash"));
    }
}
