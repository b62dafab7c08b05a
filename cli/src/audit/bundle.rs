//! A bundle: all records and checkpoints of some days, from a stack or from an export of it.
//!
//! An export is JSON, one document a line: what it is of, the checkpoints, the records trail by trail, and at the end how
//! many of each there are, so that a file which was cut is noticed.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use meshline_core::checkpoint::{Evidence, PublicKey, path};
use meshline_core::day::Day;
use meshline_core::time::{Span, Time};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::client::{Answer, Client, Pages};
use crate::failure::Failure;
use crate::progress::Progress;

/// The form of exports described here.
const VERSION: u32 = 1;
/// An index of DynamoDB is behind its table for a moment, and one record may come before another: what is younger than this
/// is not looked at.
const SETTLING: Span = Span::from_ms(10_000);
/// Days of one bundle: ten years.
const MAX_DAYS: usize = 3_660;

/// All records and checkpoints of some days, and what the stack says its key is.
#[derive(Debug)]
pub(crate) struct Bundle {
    url: String,
    pub(crate) key: PublicKey,
    pub(crate) evidence: Evidence,
}

/// The first line of an export.
#[derive(Debug, Serialize, Deserialize)]
struct Header {
    export: u32,
    since: Day,
    until: Day,
    url: String,
    key: PublicKey,
}

/// The line of a checkpoint: what lies in the place of the day's.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    day: Day,
    envelope: Value,
}

/// The last line of an export.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct End {
    checkpoints: usize,
    records: usize,
}

impl Bundle {
    /// Reads everything from a stack. `until` is today there, if it is not said.
    pub(crate) async fn gather(
        client: &Client,
        since: Day,
        until: Option<Day>,
        checkpoints: Option<&Path>,
    ) -> Result<Self, Failure> {
        let (mut bundle, now) = Self::empty(client, since, until).await?;
        if let Some(folder) = checkpoints {
            bundle.read_checkpoints(folder)?;
        } else {
            let reading = Progress::of("reading checkpoints");
            reading.during(bundle.gather_checkpoints(client, &reading)).await?;
        }
        let settled = if client.is_local() { now } else { now - SETTLING };
        let reading = Progress::of("reading the records of each flow's days");
        reading.during(bundle.gather_records(client, settled, &reading)).await?;
        Ok(bundle)
    }

    /// Reads the checkpoints of a stack, and no records.
    pub(super) async fn of_checkpoints(client: &Client, since: Day, until: Day) -> Result<Self, Failure> {
        let (mut bundle, _) = Self::empty(client, since, Some(until)).await?;
        bundle.gather_checkpoints(client, &Progress::of("reading checkpoints")).await?;
        Ok(bundle)
    }

    /// A bundle of these days with nothing but the key in it, and the time there.
    async fn empty(client: &Client, since: Day, until: Option<Day>) -> Result<(Self, Time), Failure> {
        let answer = client.get(&["v1", "checkpoints", "key"], &[]).await?;
        let (key, now) = (answer.read("the public key")?, answer.now);
        let until = until.unwrap_or_else(|| Day::of(now));
        if until < since {
            return Err(Failure::Usage(format!("{until} is before {since}")));
        }
        if since.through(until).nth(MAX_DAYS).is_some() {
            return Err(Failure::Usage(format!("from {since} to {until} are more than {MAX_DAYS} days")));
        }
        let bundle = Self {
            url: client.base().to_owned(),
            key,
            evidence: Evidence { since, until, checkpoints: BTreeMap::new(), trails: BTreeMap::new() },
        };
        Ok((bundle, now))
    }

    async fn gather_checkpoints(&mut self, client: &Client, progress: &Progress) -> Result<(), Failure> {
        let Evidence { since, until, .. } = self.evidence;
        progress.expect(since.through(until).count());
        for day in since.through(until) {
            progress.step(1);
            match client.get(&["v1", "checkpoints", &day.to_string()], &[]).await {
                Ok(Answer { text, .. }) => {
                    // What is no JSON is for the verdict to speak of.
                    let envelope = serde_json::from_str(&text).unwrap_or(Value::String(text));
                    self.evidence.checkpoints.insert(day, envelope);
                }
                Err(Failure::Refused(refusal)) if refusal.is_not_found() => {}
                Err(failure) => return Err(failure),
            }
        }
        Ok(())
    }

    async fn gather_records(
        &mut self,
        client: &Client,
        settled: Time,
        progress: &Progress,
    ) -> Result<(), Failure> {
        let Evidence { since, until, .. } = self.evidence;
        let flows = client.list(&["v1", "flows"], &[], Pages::All).await?;
        let flows: Vec<FlowId> = flows.items("a flow")?;
        progress.expect(flows.len() * since.through(until).count());
        for flow in &flows {
            for day in since.through(until) {
                progress.step(1);
                let day = day.to_string();
                let query = [("flow", Some(flow.id.as_str())), ("day", Some(&day)), ("limit", Some("200"))];
                let listed = client.list(&["v1", "audit"], &query, Pages::All).await?;
                for record in listed.items::<Value>("a record")? {
                    let at = record.get("at").and_then(|at| Time::deserialize(at).ok());
                    if at.is_none_or(|at| at <= settled) {
                        self.add(record);
                    }
                }
            }
        }
        for trail in self.evidence.trails.values_mut() {
            trail.sort_by_key(|record| record.get("seq").and_then(Value::as_u64));
        }
        Ok(())
    }

    fn add(&mut self, record: Value) {
        let run = record.get("run").and_then(Value::as_str).unwrap_or_default().to_owned();
        self.evidence.trails.entry(run).or_default().push(record);
    }

    /// Takes the checkpoints from a copy of their bucket instead.
    pub(crate) fn read_checkpoints(&mut self, folder: &Path) -> Result<(), Failure> {
        let Evidence { since, until, .. } = self.evidence;
        self.evidence.checkpoints.clear();
        for day in since.through(until) {
            let file = folder.join(path(day));
            match fs::read_to_string(&file) {
                Ok(text) => {
                    let envelope = serde_json::from_str(&text).unwrap_or(Value::String(text));
                    self.evidence.checkpoints.insert(day, envelope);
                }
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => {
                    return Err(Failure::Usage(format!("cannot read `{}`: {error}", file.display())));
                }
            }
        }
        if self.evidence.checkpoints.is_empty() {
            let expected = path(since);
            return Err(Failure::Usage(format!(
                "`{}` has no checkpoint of these days: they lie like `{expected}`",
                folder.display()
            )));
        }
        Ok(())
    }

    /// The lines of an export.
    pub(crate) fn export(&self) -> String {
        let Evidence { since, until, checkpoints, trails } = &self.evidence;
        let header = Header {
            export: VERSION,
            since: *since,
            until: *until,
            url: self.url.clone(),
            key: self.key.clone(),
        };
        let kept = checkpoints.iter().map(|(day, envelope)| Kept { day: *day, envelope: envelope.clone() });
        let records = trails.values().flatten();
        let end = End { checkpoints: checkpoints.len(), records: records.clone().count() };
        let mut lines = vec![json!(header).to_string()];
        lines.extend(kept.map(|kept| json!(kept).to_string()));
        lines.extend(records.map(Value::to_string));
        lines.push(json!(end).to_string() + "\n");
        lines.join("\n")
    }

    /// Reads an export, and what is wrong with it as a file.
    ///
    /// # Errors
    /// It does not begin as an export does.
    pub(crate) fn import(text: &str) -> Result<(Self, Vec<String>), Failure> {
        let mut lines = text.lines().zip(1_usize..).filter(|(line, _)| !line.trim().is_empty());
        let header = lines.next().map(|(line, _)| serde_json::from_str::<Header>(line));
        let Some(Ok(Header { export: VERSION, since, until, url, key })) = header else {
            let reason = format!("its first line is not that of `meshline audit export`, form {VERSION}");
            return Err(Failure::Usage(format!("this is no export of days: {reason}")));
        };
        let evidence = Evidence { since, until, checkpoints: BTreeMap::new(), trails: BTreeMap::new() };
        let mut bundle = Self { url, key, evidence };
        let (mut faults, mut end) = (Vec::new(), None);
        let (mut checkpoints, mut records) = (0, 0);
        for (line, n) in lines {
            if end.is_some() {
                faults.push(format!("line {n} comes after the last line"));
            }
            let Ok(value) = serde_json::from_str::<Value>(line) else {
                faults.push(format!("line {n} is not JSON"));
                continue;
            };
            if let Ok(last) = End::deserialize(&value) {
                end = Some(last);
            } else if let Ok(Kept { day, envelope }) = Kept::deserialize(&value) {
                checkpoints += 1;
                if bundle.evidence.checkpoints.insert(day, envelope).is_some() {
                    faults.push(format!("line {n} is another checkpoint of {day}"));
                }
            } else {
                records += 1;
                bundle.add(value);
            }
        }
        match end {
            None => faults.push("the file was cut: its last line is missing".to_owned()),
            Some(end) if end != (End { checkpoints, records }) => faults.push(format!(
                "the file has {checkpoints} checkpoints and {records} records; its last line says {} and {}",
                end.checkpoints, end.records
            )),
            Some(_) => {}
        }
        Ok((bundle, faults))
    }
}

#[derive(Debug, Deserialize)]
struct FlowId {
    id: String,
}
