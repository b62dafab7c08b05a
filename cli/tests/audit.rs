//! `audit verify --since` and `--export` against a stack, or an export of it, that somebody tampered with.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a helper that fails is a test that fails")]

mod local;
mod tool;

use std::path::Path;
use std::process::Output;

use aws_sdk_dynamodb::types::AttributeValue;
use meshline_core::record::Record;
use meshline_core::trail::{GENESIS, hash};
use serde_json::{Value, json};

use local::Local;
use tool::{meshline, text};

/// A served stack after three days: a run of the first, breached on it; a day without records; and one of the third.
struct Served {
    local: Local,
    /// The run of the first day.
    run: String,
}

impl Served {
    async fn start(name: &str) -> Self {
        let local = Local::start(&format!("audit-{name}"), "2026-11-20T09:00:00Z").await;
        let run = local.submit("form:1").await;
        local.until("2026-11-22T09:00:00Z").await;
        local.submit("form:2").await;
        local.until("2026-11-23T09:00:00Z").await;
        Self { local, run }
    }

    /// The export of all days, which is valid.
    fn export(&self) -> Vec<Value> {
        let output = self.local.meshline(&["audit", "export", "--since", "2026-11-20"]);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        text(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// What verifying a file with these lines says.
    fn verify(&self, lines: &[Value]) -> Output {
        let file = self.local.file("tampered.jsonl");
        let lines: String = lines.iter().map(|line| format!("{line}\n")).collect();
        std::fs::write(&file, lines).unwrap();
        // Nobody listens there: it needs no stack.
        meshline("http://127.0.0.1:1", &["audit", "verify", "--export", &file])
    }

    fn trail(&self) -> Vec<Value> {
        of_run(&self.export(), &self.run)
    }

    async fn put(&self, seq: u64, record: &Value) {
        let mut item: std::collections::HashMap<String, AttributeValue> =
            serde_dynamo::to_item(record).unwrap();
        let stored = self.table().get_item().set_key(Some(self.key(seq))).table_name("meshline-audit");
        let stored = stored.send().await.unwrap().item.unwrap();
        for name in ["pk", "sk", "flow_day", "at_run_seq"] {
            item.insert(name.to_owned(), stored[name].clone());
        }
        item.remove("run");
        item.remove("seq");
        self.table().put_item().table_name("meshline-audit").set_item(Some(item)).send().await.unwrap();
    }

    async fn remove(&self, seq: u64) {
        let delete = self.table().delete_item().table_name("meshline-audit").set_key(Some(self.key(seq)));
        delete.send().await.unwrap();
    }

    fn key(&self, seq: u64) -> std::collections::HashMap<String, AttributeValue> {
        let (pk, sk) = (AttributeValue::S(self.run.clone()), AttributeValue::N(seq.to_string()));
        [("pk".to_owned(), pk), ("sk".to_owned(), sk)].into()
    }

    fn table(&self) -> &aws_sdk_dynamodb::Client {
        self.local.stack.app.clients.dynamodb()
    }

    /// `audit verify --since` must name this record of the run.
    fn must_find(&self, seq: u64, reason: &str) {
        must_name(
            &self.local.meshline(&["audit", "verify", "--since", "2026-11-20"]),
            &self.run,
            seq,
            reason,
        );
    }
}

fn must_name(output: &Output, run: &str, seq: u64, reason: &str) {
    let told = text(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{told}{}", text(&output.stderr));
    assert!(told.starts_with("BROKEN: 2026-11-20 to 2026-11-23, "), "{told}");
    let named = |line: &&str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        words.len() > 3 && words[1] == run && words[2] == seq.to_string() && line.contains(reason)
    };
    assert!(told.lines().any(|line| named(&line)), "{told}");
}

fn of_run(lines: &[Value], run: &str) -> Vec<Value> {
    lines.iter().filter(|line| line["run"] == run).cloned().collect()
}

/// The trail with the texts of its first record changed and all hashed anew, as somebody would who can write the table.
fn hashed_anew(trail: &[Value]) -> Vec<Value> {
    let mut prev = GENESIS.to_owned();
    let records = trail.iter().map(|record| {
        let mut record: Record = serde_json::from_value(record.clone()).unwrap();
        if record.seq == 1 {
            record.actor.id = "eve".to_owned();
        }
        record.prev.clone_from(&prev);
        record.hash = hash(&record);
        prev.clone_from(&record.hash);
        json!(record)
    });
    records.collect()
}

/// The lines with those of a run replaced, and the counts at the end made to fit.
fn with_trail(lines: &[Value], run: &str, trail: &[Value]) -> Vec<Value> {
    let mut changed: Vec<Value> = lines.iter().filter(|line| line["run"] != run).cloned().collect();
    let mut end = changed.pop().unwrap();
    changed.extend(trail.iter().cloned());
    end["records"] = json!(changed.iter().filter(|line| line.get("run").is_some()).count());
    changed.push(end);
    changed
}

/// The last record of a trail on the first day.
fn last_of_first_day(trail: &[Value]) -> u64 {
    let of_day = trail.iter().filter(|record| record["at"].as_str().unwrap() < "2026-11-21");
    of_day.filter_map(|record| record["seq"].as_u64()).max().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_honest_stack_and_its_export_are_valid() {
    let served = Served::start("honest").await;
    let verified = served.local.meshline(&["audit", "verify", "--since", "2026-11-20"]);
    let told = text(&verified.stdout);
    assert_eq!(verified.status.code(), Some(0), "{told}{}", text(&verified.stderr));
    let lines: Vec<&str> = told.lines().collect();
    assert!(lines[0].starts_with("valid: 2026-11-20 to 2026-11-23, "), "{told}");
    assert!(lines[0].ends_with(", 3 good checkpoints"), "{told}");
    let after = "after 2026-11-22 there is no good checkpoint: only the links are checked, and a cut tail would not show";
    assert_eq!(lines[1..3], [after, "the chain of checkpoints begins on 2026-11-20"]);
    assert!(lines[3].starts_with("key SHA-256 ") && lines[3].contains("the stack's own word"), "{told}");

    let file = served.local.file("days.jsonl");
    let exported = served.local.meshline(&["audit", "export", "--since", "2026-11-20", "--out", &file]);
    assert_eq!((exported.status.code(), text(&exported.stdout)), (Some(0), String::new()));
    let nowhere = "http://127.0.0.1:1";
    let offline = meshline(nowhere, &["audit", "verify", "--export", &file]);
    assert_eq!((offline.status.code(), text(&offline.stdout)), (Some(0), told));

    let pem = served.local.meshline(&["audit", "key"]).stdout;
    let key = served.local.file("key.pem");
    std::fs::write(&key, pem).unwrap();
    let pinned = meshline(nowhere, &["--json", "audit", "verify", "--export", &file, "--public-key", &key]);
    let document: Value = serde_json::from_slice(&pinned.stdout).unwrap();
    assert_eq!((&document["valid"], &document["key"]["pinned"]), (&json!(true), &json!(true)));
    assert_eq!((&document["checkpoints"], &document["findings"]), (&json!(3), &json!([])));
    assert_eq!(document["signed_until"], "2026-11-22");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_of_days_is_verified_by_itself() {
    let served = Served::start("window").await;
    let args = ["--json", "audit", "verify", "--since", "2026-11-21", "--until", "2026-11-22"];
    let verified = served.local.meshline(&args);
    let document: Value = serde_json::from_slice(&verified.stdout).unwrap();
    assert_eq!((verified.status.code(), &document["valid"]), (Some(0), &json!(true)), "{document:#}");
    assert_eq!(document["checkpoints"], 2);
    for args in [["2026-11-22", "2026-11-21"], ["2000-01-01", "2026-11-21"]] {
        let output = served.local.meshline(&["audit", "verify", "--since", args[0], "--until", args[1]]);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edited_record_is_found() {
    let served = Served::start("edited").await;
    let (lines, mut trail) = (served.export(), served.trail());
    trail[1]["actor"]["id"] = json!("eve");
    let tampered = with_trail(&lines, &served.run, &trail);
    must_name(&served.verify(&tampered), &served.run, 2, "its content is not what was hashed");
    served.put(2, &trail[1]).await;
    served.must_find(2, "its content is not what was hashed");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attribute_that_was_added_to_a_record_is_found() {
    let served = Served::start("added").await;
    let mut trail = served.trail();
    trail[1]["approved"] = json!(true);
    served.put(2, &trail[1]).await;
    served.must_find(2, "its content is not what was hashed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removed_record_is_found() {
    let served = Served::start("removed").await;
    let (lines, mut trail) = (served.export(), served.trail());
    trail.remove(1);
    let tampered = with_trail(&lines, &served.run, &trail);
    must_name(&served.verify(&tampered), &served.run, 2, "it is missing");
    served.remove(2).await;
    served.must_find(2, "it is missing");
}

#[tokio::test(flavor = "multi_thread")]
async fn records_in_another_order_are_found() {
    let served = Served::start("order").await;
    let (lines, mut trail) = (served.export(), served.trail());
    trail.swap(1, 2);
    let tampered = with_trail(&lines, &served.run, &trail);
    must_name(&served.verify(&tampered), &served.run, 2, "stands in another place");
    // In the table the number is part of the key: each takes the other's place.
    served.put(2, &trail[1]).await;
    served.put(3, &trail[2]).await;
    served.must_find(2, "it does not follow from the record before it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_tail_is_found() {
    let served = Served::start("cut").await;
    let (lines, trail) = (served.export(), served.trail());
    let last = last_of_first_day(&trail);
    let cut: Vec<Value> = trail[..last as usize - 1].to_vec();
    let tampered = with_trail(&lines, &served.run, &cut);
    must_name(&served.verify(&tampered), &served.run, last, "it is gone");
    for seq in last..=trail.len() as u64 {
        served.remove(seq).await;
    }
    served.must_find(last, "it is gone");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trail_that_was_hashed_anew_is_found() {
    let served = Served::start("anew").await;
    let (lines, trail) = (served.export(), served.trail());
    let (anew, last) = (hashed_anew(&trail), last_of_first_day(&trail));
    let tampered = with_trail(&lines, &served.run, &anew);
    must_name(&served.verify(&tampered), &served.run, last, "it is not the one that was signed");
    for (record, seq) in anew.iter().zip(1..) {
        served.put(seq, record).await;
    }
    served.must_find(last, "it is not the one that was signed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_checkpoint_that_was_edited_removed_or_signed_by_another_key_is_found() {
    let served = Served::start("checkpoint").await;
    let lines = served.export();
    let found = |lines: &[Value], reason: &str| {
        let output = served.verify(lines);
        let told = text(&output.stdout);
        assert!(output.status.code() == Some(1) && told.contains(reason), "{told}");
    };
    let mut edited = lines.clone();
    edited[2]["envelope"]["checkpoint"]["records"] = json!(7);
    found(&edited, "2026-11-21  -      -       the signature of its checkpoint does not fit");
    let mut removed = lines.clone();
    removed.remove(2);
    let end = removed.len() - 1;
    removed[end]["checkpoints"] = json!(2);
    found(&removed, "2026-11-21  -      -       its checkpoint is missing");

    let other =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/openssl.pem").display().to_string();
    let pinned = served.local.meshline(&["audit", "verify", "--since", "2026-11-20", "--public-key", &other]);
    let told = text(&pinned.stdout);
    assert_eq!(pinned.status.code(), Some(1), "{told}");
    assert_eq!(told.matches("or another key signed it").count(), 3, "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_was_cut_or_is_no_export_is_told_apart() {
    let served = Served::start("file").await;
    let lines = served.export();
    let cut = served.verify(&lines[..lines.len() - 1]);
    assert_eq!(cut.status.code(), Some(1));
    assert!(
        text(&cut.stdout).contains("the file was cut: its last line is missing"),
        "{}",
        text(&cut.stdout)
    );
    let mut fewer = lines.clone();
    fewer.remove(lines.len() - 2);
    let fewer = served.verify(&fewer);
    assert!(text(&fewer.stdout).contains("records; its last line says 3 and"), "{}", text(&fewer.stdout));
    assert_eq!(served.verify(&lines[1..]).status.code(), Some(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn checkpoints_are_taken_from_a_copy_of_their_bucket() {
    let served = Served::start("bucket").await;
    let copy = served.local.file("copy");
    let args = ["audit", "verify", "--since", "2026-11-20", "--checkpoints", &copy];
    assert_eq!(served.local.meshline(&args).status.code(), Some(2), "an empty copy says nothing");
    for line in served.export().iter().filter(|line| line.get("envelope").is_some()) {
        let day = line["day"].as_str().unwrap();
        let file = Path::new(&copy).join(format!("checkpoints/2026/11/{day}.json"));
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, line["envelope"].to_string()).unwrap();
    }
    let output = served.local.meshline(&args);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stdout));
    std::fs::remove_file(Path::new(&copy).join("checkpoints/2026/11/2026-11-21.json")).unwrap();
    let output = served.local.meshline(&args);
    assert!(text(&output.stdout).contains("its checkpoint is missing"), "{}", text(&output.stdout));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_replayed_decision_by_decision() {
    let served = Served::start("replay").await;
    let output = served.local.meshline(&["replay", &served.run]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let said = text(&output.stdout);
    let line = |kind: &str| said.lines().find(|line| line.contains(kind)).unwrap().to_owned();
    assert!(line("run_opened").contains("event forms#form:1"), "{said}");
    assert!(line("acknowledgement_missed").contains("the clock"), "{said}");
    assert!(
        line("reassigned").contains("follows from 2") && line("reassigned").contains("active, dev"),
        "{said}"
    );
    assert!(said.ends_with("which is what is stored\n"), "{said}");
    let neither = served.local.meshline(&["replay"]);
    assert_eq!(neither.status.code(), Some(2), "{}", text(&neither.stdout));
}
