//! `meshline up --data` killed in the middle of its work: no accepted webhook and no deadline is lost.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "helpers of a test fail it")]

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

/// How often it is killed, where `MESHLINE_KILLS` does not say.
const KILLS: u64 = 5;
/// Most webhooks that are accepted before a kill.
const MAX_ACCEPTED: u64 = 12;
/// Most requests that are answered between the last of them and the kill: how far its work has come by then.
const MAX_LATER: u64 = 40;

/// A running stack, killed when dropped.
struct Up {
    process: Child,
    address: String,
}

impl Up {
    fn start(data: &Path) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_meshline"))
            .args(["up", "--port", "0", "--clock-frozen", "--clock", "2026-11-23T09:00:00Z", "--data"])
            .arg(data)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let mut lines = lines.map_while(Result::ok);
        let ready = lines.find(|line| line.starts_with("meshline is up at http://")).expect("it comes up");
        let address = ready.trim_start_matches("meshline is up at http://").to_owned();
        Self { process, address }
    }

    fn call(&self, method: &str, path: &str, body: &str) -> (u16, Value) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let host = &self.address;
        let length = body.len();
        let headers =
            "content-type: application/json\r\nx-forms-token: local-forms-token\r\nconnection: close";
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nhost: {host}\r\n{headers}\r\ncontent-length: {length}\r\n\r\n{body}"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
        let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
        (status, serde_json::from_str(body).unwrap_or_default())
    }

    /// All runs of the flow.
    fn runs(&self) -> Vec<Value> {
        let (mut runs, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = self.call("GET", &format!("/v1/runs?flow=lead-form&limit=200{cursor}"), "").1;
            runs.extend(page.get("items").and_then(Value::as_array).unwrap().iter().cloned());
            let Some(next) = page.get("cursor").and_then(Value::as_str) else { return runs };
            cursor = format!("&cursor={next}");
        }
    }

    fn submit(&self, form: &str) {
        let body =
            json!({"event": "form.submitted", "delivery": form, "asset": form, "title": "Demo request"});
        assert_eq!(self.call("POST", "/hooks/forms", &body.to_string()).0, 202);
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        let _ = self.process.kill(); // SIGKILL: nothing is told to it
        let _ = self.process.wait();
    }
}

/// The same numbers in every run of the test: splitmix64.
fn chance(n: u64) -> u64 {
    let mut x = n.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// A new folder, removed at the end.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn a_kill_in_the_middle_loses_no_accepted_webhook_and_no_deadline() {
    let folder = Folder(std::env::temp_dir().join(format!("meshline-crash-{}", std::process::id())));
    let mut accepted = BTreeSet::new();
    let kills = std::env::var("MESHLINE_KILLS").map_or(KILLS, |kills| kills.parse().unwrap());
    for round in 0..kills {
        let up = Up::start(&folder.0);
        for n in 0..=chance(round) % MAX_ACCEPTED {
            let form = format!("form:{round}-{n}");
            up.submit(&form);
            accepted.insert(form);
        }
        for _ in 0..chance(round + 1_000) % MAX_LATER {
            assert_eq!(up.call("GET", "/healthz", "").0, 200);
        }
        drop(up); // runs of the last ones may not be open yet, messages not sent
    }

    let up = Up::start(&folder.0);
    assert_eq!(up.call("POST", "/_local/settle", "").0, 200);
    let runs = up.runs();
    let subjects: Vec<String> = runs.iter().map(|run| run["subject"].as_str().unwrap().to_owned()).collect();
    assert_eq!(subjects.len(), accepted.len(), "a run for each, and only one");
    assert_eq!(subjects.into_iter().collect::<BTreeSet<_>>(), accepted);

    assert_eq!(up.call("POST", "/_local/clock", "{\"advance\": \"30m\"}").0, 200);
    for run in &runs {
        let id = run["run"].as_str().unwrap();
        let trail = up.call("GET", &format!("/v1/runs/{id}/audit"), "").1;
        let missed = trail["items"].as_array().unwrap().iter();
        assert_eq!(missed.filter(|record| record["kind"] == "acknowledgement_missed").count(), 1);
        assert_eq!(up.call("GET", &format!("/v1/runs/{id}/audit/verify"), "").1["valid"], true);
    }
}
