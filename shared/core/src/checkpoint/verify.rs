//! Verification of many trails over days, against the checkpoints of these days.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Checkpoint, Envelope, Tally, VERSION, root};
use crate::day::Day;
use crate::time::Time;
use crate::trail::Walk;

/// Findings that are told one by one; who reads more has stopped reading. The rest is counted.
pub const MAX_FINDINGS: usize = 1_000;

/// What is verified: all records and all checkpoints of some days, as they are stored.
#[derive(Debug, Clone)]
pub struct Evidence {
    /// The first day.
    pub since: Day,
    /// The last day.
    pub until: Day,
    /// What lies at the place of each day's checkpoint.
    pub checkpoints: BTreeMap<Day, Value>,
    /// The records of each trail in its order. A trail may have begun before the first day.
    pub trails: BTreeMap<String, Vec<Value>>,
}

/// What verification found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// Whether nothing is wrong.
    pub valid: bool,
    /// The first day looked at.
    pub since: Day,
    /// The last day looked at.
    pub until: Day,
    /// How many records were looked at.
    pub records: u64,
    /// In how many trails.
    pub trails: u64,
    /// How many checkpoints are believed.
    pub checkpoints: u64,
    /// The day of the very first checkpoint, if it is among them: whoever knows that there were earlier ones knows that
    /// the chain of checkpoints was started anew.
    pub begins_on: Option<Day>,
    /// The first day that a believed checkpoint stands for. Days before it are only checked link by link.
    pub signed_since: Option<Day>,
    /// The last such day. Days after it are only checked link by link: a cut tail would not show.
    pub signed_until: Option<Day>,
    /// What is wrong.
    pub findings: Vec<Finding>,
    /// How much more is wrong, beyond [`MAX_FINDINGS`].
    pub more_findings: u64,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// On which day, where that is known.
    pub day: Option<Day>,
    /// In which trail; `None` when it is about the day or its checkpoint.
    pub run: Option<String>,
    /// At which record.
    pub seq: Option<u64>,
    /// What it is.
    pub reason: String,
}

/// Whether a signature (ASN.1 DER) over these bytes is by the key that is trusted.
pub type IsSigned<'a> = dyn Fn(&[u8], &[u8]) -> bool + 'a;

/// Verifies every record and every checkpoint of `evidence`.
///
/// A record that was edited, removed, moved or added, a cut tail, a trail or the checkpoints' own chain that was started
/// anew, a checkpoint that was edited, moved or removed, and a signature by another key are found, each by itself.
pub fn verify(evidence: &Evidence, is_signed: &IsSigned<'_>) -> Verdict {
    let mut findings = Findings::default();
    let believed = checkpoints(evidence, is_signed, &mut findings);
    let days = trails(evidence, &mut findings);
    for checkpoint in believed.values() {
        compare(checkpoint, days.get(&checkpoint.day).unwrap_or(&Tally::default()), &mut findings);
    }
    verdict(evidence, &believed, findings)
}

/// Verifies the checkpoints of `evidence` by themselves: each is signed and follows from the one before. Records are not
/// asked for.
pub fn verify_chain(evidence: &Evidence, is_signed: &IsSigned<'_>) -> Verdict {
    let mut findings = Findings::default();
    let believed = checkpoints(evidence, is_signed, &mut findings);
    verdict(evidence, &believed, findings)
}

fn verdict(evidence: &Evidence, believed: &BTreeMap<Day, Checkpoint>, findings: Findings) -> Verdict {
    let Findings { told, more } = findings;
    Verdict {
        valid: told.is_empty(),
        since: evidence.since,
        until: evidence.until,
        records: evidence.trails.values().map(|records| records.len() as u64).sum(),
        trails: evidence.trails.len() as u64,
        checkpoints: believed.len() as u64,
        begins_on: believed.values().find(|it| it.previous.is_none()).map(|it| it.day),
        signed_since: believed.keys().next().copied(),
        signed_until: believed.keys().next_back().copied(),
        findings: told,
        more_findings: more,
    }
}

#[derive(Default)]
struct Findings {
    told: Vec<Finding>,
    more: u64,
}

impl Findings {
    fn push(&mut self, finding: Finding) {
        if self.told.len() < MAX_FINDINGS {
            self.told.push(finding);
        } else {
            self.more += 1;
        }
    }

    fn about_day(&mut self, day: Day, reason: impl Into<String>) {
        self.push(Finding { day: Some(day), run: None, seq: None, reason: reason.into() });
    }

    fn about_record(&mut self, day: Option<Day>, run: &str, seq: u64, reason: impl Into<String>) {
        self.push(Finding { day, run: Some(run.to_owned()), seq: Some(seq), reason: reason.into() });
    }
}

/// The checkpoints that can be believed: well formed and signed.
fn checkpoints(
    evidence: &Evidence,
    is_signed: &IsSigned<'_>,
    findings: &mut Findings,
) -> BTreeMap<Day, Checkpoint> {
    let mut believed = BTreeMap::new();
    let found = || evidence.checkpoints.range(evidence.since..=evidence.until).map(|(day, _)| *day);
    let (Some(first), Some(last)) = (found().next(), found().next_back()) else { return believed };
    let mut before: Option<Envelope> = None;
    for day in first.through(last) {
        let read = evidence.checkpoints.get(&day).map(|value| read(day, value));
        let envelope = match read.unwrap_or_else(|| Err("its checkpoint is missing".to_owned())) {
            Ok(envelope) => envelope,
            Err(reason) => {
                findings.about_day(day, reason);
                before = None;
                continue;
            }
        };
        let checkpoint = &envelope.checkpoint;
        if day == first && checkpoint.previous.is_some() {
            let days = evidence.since.through(day.before());
            days.for_each(|day| findings.about_day(day, "its checkpoint is missing"));
        }
        if let Some(reason) = broken_link(checkpoint, before.as_ref(), day == first) {
            findings.about_day(day, reason);
        }
        match disbelief(&envelope, is_signed) {
            Some(reason) => findings.about_day(day, reason),
            None => _ = believed.insert(day, checkpoint.clone()),
        }
        before = Some(envelope);
    }
    believed
}

fn read(day: Day, value: &Value) -> Result<Envelope, String> {
    let envelope = Envelope::deserialize(value);
    let envelope = envelope.map_err(|error| format!("its checkpoint cannot be read: {error}"))?;
    let Checkpoint { version, day: written, .. } = envelope.checkpoint;
    if version != VERSION {
        return Err(format!("its checkpoint has the form {version}; this program knows {VERSION}"));
    }
    if written != day {
        return Err(format!("what lies in the place of its checkpoint is that of {written}"));
    }
    Ok(envelope)
}

/// Why a checkpoint is not to be believed.
fn disbelief(envelope: &Envelope, is_signed: &IsSigned<'_>) -> Option<&'static str> {
    let signature = hex::decode(&envelope.signature).unwrap_or_default();
    if !is_signed(&envelope.checkpoint.bytes(), &signature) {
        return Some("the signature of its checkpoint does not fit: it was edited, or another key signed it");
    }
    let is_root = root(&envelope.checkpoint.heads) == envelope.checkpoint.root;
    (!is_root).then_some("the root of its checkpoint is not that of its heads")
}

/// Why a checkpoint does not stand in a chain with the one of the day before, where that is there.
fn broken_link(checkpoint: &Checkpoint, before: Option<&Envelope>, is_first: bool) -> Option<String> {
    let Some(previous) = &checkpoint.previous else {
        let reason = "the chain of checkpoints was started anew here: this one names none before it";
        return (!is_first).then(|| reason.to_owned());
    };
    if previous.day != checkpoint.day.before() {
        return Some(format!("its checkpoint names that of {} as the one before it", previous.day));
    }
    let is_it = |before: &Envelope| {
        previous.hash == before.checkpoint.hash() && previous.signature == before.signature
    };
    let reason = "its checkpoint does not follow from the one of the day before";
    before.is_some_and(|before| !is_it(before)).then(|| reason.to_owned())
}

/// Checks each trail link by link, and counts the records of each day.
fn trails(evidence: &Evidence, findings: &mut Findings) -> BTreeMap<Day, Tally> {
    let mut days: BTreeMap<Day, Tally> = BTreeMap::new();
    for (run, records) in &evidence.trails {
        let mut walk = Walk::from_anywhere();
        for value in records {
            let at = value.get("at").and_then(|at| Time::deserialize(at).ok());
            let day = at.map(Day::of);
            if let Some(day) = day {
                days.entry(day).or_default().add(value);
            }
            if let Err(fault) = walk.take(value) {
                findings.about_record(day, run, fault.seq, fault.reason);
            }
        }
    }
    days
}

/// Compares what a day has with what its checkpoint says it had.
fn compare(checkpoint: &Checkpoint, tally: &Tally, findings: &mut Findings) {
    let day = checkpoint.day;
    let mut unsigned = tally.heads.clone();
    for head in &checkpoint.heads {
        let Some((seq, hash)) = unsigned.remove(&head.run) else {
            let reason = "it is gone, and with it all that the trail had on this day";
            findings.about_record(Some(day), &head.run, head.seq, reason);
            continue;
        };
        let (at, reason) = match seq.cmp(&head.seq) {
            std::cmp::Ordering::Less => {
                (seq + 1, format!("it is gone: the day's checkpoint has records up to {}", head.seq))
            }
            std::cmp::Ordering::Greater => {
                (head.seq + 1, format!("it was added later: the day's checkpoint ends with {}", head.seq))
            }
            std::cmp::Ordering::Equal if hash != head.hash => {
                (seq, "it is not the one that was signed: the trail was hashed anew".to_owned())
            }
            std::cmp::Ordering::Equal => continue,
        };
        findings.about_record(Some(day), &head.run, at, reason);
    }
    for (run, (seq, _)) in unsigned {
        let reason = "it was added later: the day's checkpoint has nothing of this trail";
        findings.about_record(Some(day), &run, seq, reason);
    }
    if tally.records != checkpoint.records {
        let reason =
            format!("its records number {}, in its checkpoint {}", tally.records, checkpoint.records);
        findings.about_day(day, reason);
    }
}
