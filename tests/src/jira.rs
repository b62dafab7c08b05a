//! A Jira site, as far as Meshline uses one. Its search lags behind: it does not find what was created a moment ago.

use std::sync::{Arc, Mutex, OnceLock};

use meshline_core::time::{Span, Time};
use meshline_local::clock::Clock;
use serde_json::{Value, json};

use crate::Local;
use crate::receiver::{Call, Receiver};

/// A site with issues.
pub struct Jira {
    /// It listens there.
    pub receiver: Receiver,
    issues: Arc<Mutex<Vec<Issue>>>,
    clock: Arc<OnceLock<Clock>>,
}

/// How long an issue is not found.
const LAG: Span = Span::from_ms(5_000);

/// An issue of it.
#[derive(Debug, Clone, Default)]
pub struct Issue {
    /// Its fields, as it was created.
    pub fields: Value,
    /// In order.
    pub comments: Vec<String>,
    /// Those that it was created with, and those added.
    pub labels: Vec<String>,
    /// Whether it is done.
    pub is_done: bool,
    created_at: Option<Time>,
}

impl Jira {
    /// A site without issues.
    pub async fn start() -> Self {
        let issues = Arc::new(Mutex::new(Vec::new()));
        let clock: Arc<OnceLock<Clock>> = Arc::default();
        let (known, time) = (Arc::clone(&issues), Arc::clone(&clock));
        let answer = move |call: &Call| {
            answer(&mut known.lock().expect("nobody panicked"), call, time.get().map(Clock::now))
        };
        Self { receiver: Receiver::answering(answer).await, issues, clock }
    }

    /// From now on its time is that of the stack.
    pub fn follow(&self, local: &Local) {
        assert!(self.clock.set(local.stack.clock.clone()).is_ok(), "one stack");
    }

    /// Its issues: `OPS-1` first.
    pub fn issues(&self) -> Vec<Issue> {
        self.issues.lock().expect("nobody panicked").clone()
    }

    /// Somebody sets the issue of that place to done, or throws it away.
    pub fn change(&self, n: usize, change: impl FnOnce(&mut Issue)) {
        change(&mut self.issues.lock().expect("nobody panicked")[n]);
    }
}

fn answer(issues: &mut Vec<Issue>, call: &Call, now: Option<Time>) -> (u16, String) {
    let (path, query) = call.path.split_once('?').unwrap_or((&call.path, ""));
    let path = path.trim_start_matches("/rest/api/3/");
    let parts: Vec<&str> = path.split('/').collect();
    let said = |value: Value| (200, value.to_string());
    match (call.method.as_str(), &parts[..]) {
        ("GET", ["search", "jql"]) => {
            let label = query.split("labels%3D").nth(1).and_then(|rest| rest.split('%').next());
            let label = label.expect("a search by label");
            let is_known = |it: &Issue| it.created_at.zip(now).is_some_and(|(at, now)| at + LAG <= now);
            let is_found =
                |it: &Issue| is_known(it) && !it.is_done && it.labels.iter().any(|own| own == label);
            let found: Vec<Value> = issues
                .iter()
                .enumerate()
                .filter(|(_, issue)| is_found(issue))
                .map(|(n, _)| json!({"key": format!("OPS-{}", n + 1)}))
                .collect();
            said(json!({"issues": found}))
        }
        ("POST", ["issue"]) => {
            let fields = call.body["fields"].clone();
            let labels = serde_json::from_value(fields["labels"].clone()).expect("labels");
            issues.push(Issue { fields, labels, created_at: now, ..Issue::default() });
            (201, json!({"key": format!("OPS-{}", issues.len())}).to_string())
        }
        (method, ["issue", key, rest @ ..]) => {
            let n: usize = key.trim_start_matches("OPS-").parse().expect("a key");
            match issues.get_mut(n - 1) {
                Some(issue) => of_issue(issue, method, rest, &call.body),
                None => (404, r#"{"errorMessages":["Issue does not exist"]}"#.to_owned()),
            }
        }
        (method, _) => panic!("Meshline calls {method} {path}"),
    }
}

fn of_issue(issue: &mut Issue, method: &str, rest: &[&str], body: &Value) -> (u16, String) {
    let category = |key: &str| json!({"statusCategory": {"key": key}});
    match (method, rest) {
        ("GET", []) => {
            let status = category(if issue.is_done { "done" } else { "indeterminate" });
            (200, json!({"fields": {"status": status, "labels": issue.labels}}).to_string())
        }
        ("PUT", []) => {
            let label = body["update"]["labels"][0]["add"].as_str().expect("a label");
            issue.labels.push(label.to_owned());
            (204, String::new())
        }
        ("POST", ["comment"]) => {
            issue.comments.push(body["body"].to_string());
            (201, "{}".to_owned())
        }
        ("GET", ["transitions"]) => {
            let ways = [("11", "new"), ("31", "done")].map(|(id, to)| json!({"id": id, "to": category(to)}));
            (200, json!({"transitions": ways}).to_string())
        }
        ("POST", ["transitions"]) => {
            issue.is_done = body["transition"]["id"] == "31";
            (204, String::new())
        }
        (method, rest) => panic!("Meshline calls {method} {rest:?}"),
    }
}
