//! Days are believed as their checkpoints say, and in no other form.

use std::collections::BTreeMap;

use meshline_core::checkpoint::{
    Checkpoint, Envelope, Evidence, Finding, MAX_FINDINGS, Tally, Verdict, day_of, last_closed, path, verify,
};
use meshline_core::day::Day;
use meshline_core::record::Record;
use meshline_core::trail::{GENESIS, hash, hash_of};
use proptest::prelude::*;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::support::at;

/// Days of November 2026 with their records; the 22nd has none, and the 24th no checkpoint.
const DAYS: [(u8, &[&str]); 5] = [
    (20, &["a", "a", "b", "FLOW#f"]),
    (21, &["a", "b", "a", "b", "b"]),
    (22, &[]),
    (23, &["a", "c", "c"]),
    (24, &["a", "c"]),
];

fn day(n: u8) -> Day {
    format!("2026-11-{n}").parse().unwrap()
}

fn record(run: &str, seq: u64, day: u8, text: &str, prev: &str) -> Value {
    let value = json!({
        "run": run, "seq": seq, "at": format!("2026-11-{day}T09:00:00.000Z"), "actor": {"type": "person", "id": "ana"},
        "flow": "f", "flow_version": 1, "subject": "s", "config_hash": "c",
        "kind": "note_added", "detail": {"text": text}, "prev": prev,
    });
    let mut record: Record = serde_json::from_value(value).unwrap();
    record.hash = hash(&record);
    json!(record)
}

/// Stands in for ECDSA: whoever knows the word can sign.
fn sign(word: &str, checkpoint: &Checkpoint) -> String {
    hex::encode(Sha256::new().chain_update(word).chain_update(checkpoint.bytes()).finalize())
}

fn judge(evidence: &Evidence) -> Verdict {
    verify(evidence, &|bytes, signature| {
        Sha256::new().chain_update("key").chain_update(bytes).finalize().as_slice() == signature
    })
}

/// The checkpoints of the days up to the 23rd over what `evidence` holds, signed with `word`, after `previous`.
fn close(evidence: &mut Evidence, from: u8, word: &str, mut previous: Option<Envelope>) {
    for n in from..=23 {
        let mut tally = Tally::default();
        let of_day = |record: &&Value| record["at"].as_str().unwrap().starts_with(&day(n).to_string());
        evidence.trails.values().flatten().filter(of_day).for_each(|record| assert!(tally.add(record)));
        let made_at = day(n).next().start();
        let checkpoint = Checkpoint::new(day(n), tally, previous.as_ref(), made_at);
        let signature = sign(word, &checkpoint);
        let envelope = Envelope { checkpoint, key: "k".to_owned(), signature };
        evidence.checkpoints.insert(day(n), json!(envelope));
        previous = Some(envelope);
    }
}

fn honest() -> Evidence {
    let mut trails: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for (n, runs) in DAYS {
        for run in runs {
            let trail = trails.entry((*run).to_owned()).or_default();
            let prev = trail.last().map_or(GENESIS, |last| last["hash"].as_str().unwrap());
            let next = record(run, trail.len() as u64 + 1, n, "as it was", prev);
            trail.push(next);
        }
    }
    let mut evidence = Evidence { since: day(20), until: day(24), checkpoints: BTreeMap::new(), trails };
    close(&mut evidence, 20, "key", None);
    evidence
}

fn envelope(evidence: &Evidence, n: u8) -> Envelope {
    serde_json::from_value(evidence.checkpoints[&day(n)].clone()).unwrap()
}

/// Hashes a trail anew from its record `from`, as somebody would who can write the table.
fn rehash(trail: &mut [Value], from: usize) {
    for n in from..trail.len() {
        let prev =
            n.checked_sub(1).map_or(GENESIS.to_owned(), |n| trail[n]["hash"].as_str().unwrap().to_owned());
        trail[n]["prev"] = json!(prev);
        let record: Record = serde_json::from_value(trail[n].clone()).unwrap();
        trail[n]["hash"] = json!(hash(&record));
    }
}

/// The findings, a line each.
fn told(evidence: &Evidence) -> String {
    let verdict = judge(evidence);
    assert_eq!(verdict.valid, verdict.findings.is_empty());
    let line = |finding: &Finding| {
        let day = finding.day.map(|day| day.to_string()).unwrap_or_default();
        let record = match (&finding.run, finding.seq) {
            (Some(run), Some(seq)) => format!(" {run} {seq}"),
            (Some(run), None) => format!(" {run}"),
            (None, _) => String::new(),
        };
        format!("{day}{record}: {}", finding.reason)
    };
    verdict.findings.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn tampered(tamper: impl FnOnce(&mut Evidence)) -> String {
    let mut evidence = honest();
    tamper(&mut evidence);
    told(&evidence)
}

#[test]
fn honest_days_are_believed() {
    let verdict = judge(&honest());
    assert_eq!((verdict.valid, &verdict.findings), (true, &Vec::new()));
    assert_eq!((verdict.records, verdict.trails, verdict.checkpoints), (14, 4, 4));
    assert_eq!((verdict.signed_since, verdict.signed_until), (Some(day(20)), Some(day(23))));
}

#[test]
fn a_window_in_the_middle_of_trails_is_believed() {
    let mut evidence = honest();
    evidence.since = day(21);
    evidence.checkpoints.remove(&day(20));
    for trail in evidence.trails.values_mut() {
        trail.retain(|record| record["at"].as_str().unwrap() > "2026-11-21");
    }
    assert_eq!(told(&evidence), "");
    assert_eq!(judge(&evidence).begins_on, None);
    // The first record of the window has none before it to be missed by; the day's count misses it.
    evidence.trails.get_mut("b").unwrap().remove(0);
    assert_eq!(told(&evidence), "2026-11-21: its records number 4, in its checkpoint 5");
}

#[test]
fn days_before_the_first_checkpoint_are_checked_link_by_link() {
    let mut evidence = honest();
    evidence.checkpoints.clear();
    close(&mut evidence, 21, "key", None);
    let verdict = judge(&evidence);
    assert!(verdict.valid, "{:?}", verdict.findings);
    assert_eq!((verdict.begins_on, verdict.signed_since), (Some(day(21)), Some(day(21))));
    evidence.trails.get_mut("a").unwrap()[0]["subject"] = json!("other");
    assert_eq!(told(&evidence), "2026-11-20 a 1: its content is not what was hashed");
}

#[test]
fn an_edited_record_is_found() {
    let edit = |e: &mut Evidence| e.trails.get_mut("a").unwrap()[2]["detail"]["text"] = json!("other");
    insta::assert_snapshot!(tampered(edit), @"2026-11-21 a 3: its content is not what was hashed");
    let add = |e: &mut Evidence| e.trails.get_mut("a").unwrap()[2]["approved"] = json!(true);
    insta::assert_snapshot!(tampered(add), @"2026-11-21 a 3: its content is not what was hashed");
    let spoil = |e: &mut Evidence| e.trails.get_mut("a").unwrap()[2]["hash"] = json!(null);
    assert!(tampered(spoil).starts_with("2026-11-21 a 3: it lacks its run, number or hash"));
}

/// Who keeps an old tool for an audit years later must not be told that new kinds of records are forged.
#[test]
fn a_record_of_a_later_version_is_believed() {
    let mut evidence = honest();
    let last = evidence.trails.get_mut("c").unwrap().last_mut().unwrap();
    (last["kind"], last["trace"]) = (json!("never_heard_of"), json!("4bf92f3577b34da6a3ce929d0e0e4736"));
    last["hash"] = json!(hash_of(last));
    assert_eq!(told(&evidence), "");
}

#[test]
fn a_removed_record_is_found() {
    let remove = |e: &mut Evidence| _ = e.trails.get_mut("a").unwrap().remove(2);
    insta::assert_snapshot!(tampered(remove), @r"
    2026-11-21 a 3: it is missing, or stands in another place
    2026-11-21: its records number 4, in its checkpoint 5
    ");
}

#[test]
fn records_in_another_order_are_found() {
    let swap = |e: &mut Evidence| e.trails.get_mut("b").unwrap().swap(1, 2);
    insta::assert_snapshot!(tampered(swap), @r"
    2026-11-21 b 2: it is missing, or stands in another place
    2026-11-21 b 4: it is missing, or stands in another place
    2026-11-21 b 3: it is missing, or stands in another place
    ");
}

#[test]
fn a_cut_tail_is_found() {
    let cut = |e: &mut Evidence| _ = e.trails.get_mut("b").unwrap().pop();
    insta::assert_snapshot!(tampered(cut), @r"
    2026-11-21 b 4: it is gone: the day's checkpoint has records up to 4
    2026-11-21: its records number 4, in its checkpoint 5
    ");
    let remove = |e: &mut Evidence| _ = e.trails.remove("FLOW#f");
    insta::assert_snapshot!(tampered(remove), @r"
    2026-11-20 FLOW#f 1: it is gone, and with it all that the trail had on this day
    2026-11-20: its records number 3, in its checkpoint 4
    ");
}

#[test]
fn a_trail_that_was_hashed_anew_is_found() {
    let restart = |e: &mut Evidence| {
        let trail = e.trails.get_mut("a").unwrap();
        trail[0]["detail"]["text"] = json!("other");
        rehash(trail, 0);
    };
    insta::assert_snapshot!(tampered(restart), @r"
    2026-11-20 a 2: it is not the one that was signed: the trail was hashed anew
    2026-11-21 a 4: it is not the one that was signed: the trail was hashed anew
    2026-11-23 a 5: it is not the one that was signed: the trail was hashed anew
    ");
}

#[test]
fn a_back_dated_record_is_found() {
    let append = |e: &mut Evidence| {
        let trail = e.trails.get_mut("b").unwrap();
        let prev = trail[3]["hash"].as_str().unwrap().to_owned();
        trail.push(record("b", 5, 21, "back-dated", &prev));
    };
    insta::assert_snapshot!(tampered(append), @r"
    2026-11-21 b 5: it was added later: the day's checkpoint ends with 4
    2026-11-21: its records number 6, in its checkpoint 5
    ");
    let open = |e: &mut Evidence| {
        let trail = vec![record("d", 1, 22, "a trail that never was", GENESIS)];
        e.trails.insert("d".to_owned(), trail);
    };
    insta::assert_snapshot!(tampered(open), @r"
    2026-11-22 d 1: it was added later: the day's checkpoint has nothing of this trail
    2026-11-22: its records number 1, in its checkpoint 0
    ");
}

#[test]
fn an_edited_or_moved_checkpoint_is_found() {
    let edit =
        |e: &mut Evidence| e.checkpoints.get_mut(&day(21)).unwrap()["checkpoint"]["records"] = json!(4);
    insta::assert_snapshot!(tampered(edit), @r"
    2026-11-21: the signature of its checkpoint does not fit: it was edited, or another key signed it
    2026-11-22: its checkpoint does not follow from the one of the day before
    ");
    let add = |e: &mut Evidence| e.checkpoints.get_mut(&day(21)).unwrap()["note"] = json!("fine");
    assert!(tampered(add).starts_with("2026-11-21: its checkpoint cannot be read: unknown field `note`"));
    let shift = |e: &mut Evidence| {
        let moved = e.checkpoints[&day(21)].clone();
        e.checkpoints.insert(day(22), moved);
    };
    insta::assert_snapshot!(tampered(shift), @"2026-11-22: what lies in the place of its checkpoint is that of 2026-11-21");
}

#[test]
fn a_missing_day_is_found_also_at_the_beginning() {
    let middle = |e: &mut Evidence| _ = e.checkpoints.remove(&day(22));
    insta::assert_snapshot!(tampered(middle), @"2026-11-22: its checkpoint is missing");
    let first = |e: &mut Evidence| _ = e.checkpoints.remove(&day(20));
    insta::assert_snapshot!(tampered(first), @"2026-11-20: its checkpoint is missing");
}

#[test]
fn a_chain_of_checkpoints_that_was_started_anew_is_found_even_if_signed() {
    let restart = |e: &mut Evidence| close(e, 22, "key", None);
    insta::assert_snapshot!(tampered(restart), @"2026-11-22: the chain of checkpoints was started anew here: this one names none before it");
    let skip = |e: &mut Evidence| {
        let first = envelope(e, 20);
        close(e, 22, "key", Some(first));
    };
    insta::assert_snapshot!(tampered(skip), @"2026-11-22: its checkpoint names that of 2026-11-20 as the one before it");
    // Edited, signed by whoever holds the key, and not signed through to the end.
    let again = |e: &mut Evidence| {
        let mut forged = envelope(e, 21);
        forged.checkpoint.records = 4;
        forged.signature = sign("key", &forged.checkpoint);
        e.checkpoints.insert(day(21), json!(forged));
    };
    assert!(
        tampered(again).contains("2026-11-22: its checkpoint does not follow from the one of the day before")
    );
}

#[test]
fn a_signature_by_another_key_is_found() {
    let forge = |e: &mut Evidence| {
        let before = envelope(e, 22);
        close(e, 23, "another key", Some(before));
    };
    insta::assert_snapshot!(tampered(forge), @"2026-11-23: the signature of its checkpoint does not fit: it was edited, or another key signed it");
    let unsigned = |e: &mut Evidence| e.checkpoints.get_mut(&day(23)).unwrap()["signature"] = json!("no hex");
    assert!(tampered(unsigned).starts_with("2026-11-23: the signature of its checkpoint does not fit"));
}

#[test]
fn after_the_last_checkpoint_a_cut_tail_does_not_show_and_the_verdict_says_how_far_it_would() {
    let mut evidence = honest();
    evidence.trails.get_mut("c").unwrap().pop();
    let verdict = judge(&evidence);
    assert!(verdict.valid && verdict.signed_until == Some(day(23)) && verdict.until == day(24));
}

#[test]
fn findings_are_counted_beyond_what_is_told() {
    let mut evidence = honest();
    let wrong = vec![json!({}); MAX_FINDINGS + 5];
    evidence.trails.insert("d".to_owned(), wrong);
    let verdict = judge(&evidence);
    assert_eq!((verdict.valid, verdict.findings.len(), verdict.more_findings), (false, MAX_FINDINGS, 5));
}

#[test]
fn a_checkpoint_lies_where_its_day_says() {
    assert_eq!(path(day(20)), "checkpoints/2026/11/2026-11-20.json");
    assert_eq!(day_of("checkpoints/2026/11/2026-11-20.json"), Some(day(20)));
    for other in ["checkpoints/2026/12/2026-11-20.json", "2026-11-20.json", "checkpoints/2026/11/x.json", ""]
    {
        assert_eq!(day_of(other), None, "{other}");
    }
}

#[test]
fn a_day_is_closed_a_quarter_of_an_hour_after_its_end() {
    assert_eq!(last_closed(at("24 00:14:59.999")), day(22));
    assert_eq!(last_closed(at("24 00:15")), day(23));
}

proptest! {
    /// Whatever is done to one value of one signed day, be it hashed anew or not, is found.
    #[test]
    fn no_change_of_a_signed_day_goes_unseen(n in any::<usize>(), how in 0..4_u8, anew in any::<bool>()) {
        let mut evidence = honest();
        // The last record of `a` and `c` is of the day that has no checkpoint.
        let places: Vec<(String, usize)> = evidence.trails.iter()
            .flat_map(|(run, trail)| (0..trail.len()).map(|n| (run.clone(), n)))
            .filter(|(run, n)| !evidence.trails[run][*n]["at"].as_str().unwrap().starts_with("2026-11-24"))
            .collect();
        let (run, n) = &places[n % places.len()];
        let trail = evidence.trails.get_mut(run).unwrap();
        match how {
            0 => trail[*n]["actor"]["id"] = json!("eve"),
            1 => trail[*n]["at"] = json!("2026-11-22T09:00:00.000Z"),
            2 => _ = trail.remove(*n),
            _ => trail.insert(*n, record(run, *n as u64 + 1, 21, "never was", GENESIS)),
        }
        if anew {
            for (n, record) in trail.iter_mut().enumerate() {
                record["seq"] = json!(n + 1);
            }
            rehash(trail, 0);
        }
        prop_assert!(!judge(&evidence).valid);
    }
}
