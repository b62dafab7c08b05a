//! Much of everything: parked signals, flows, people, events of one asset, bytes of a body. It works, or the answer says
//! which limit was reached. `PRESSURE=full` takes the sizes of docs/PERFORMANCE.md instead of some that take seconds.

use std::fmt::Write;

use meshline_aws::App;
use meshline_core::config::coverage;
use meshline_core::time::Span;
use meshline_tests::fill::{Item, s};
use meshline_tests::{Local, header};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// The full size where it is asked for.
fn size(quick: usize, full: usize) -> usize {
    let is_full = std::env::var("PRESSURE").is_ok_and(|size| size == "full");
    if is_full { full } else { quick }
}

/// Flows of one application: three items each, at most a hundred at once.
const FLOWS_AT_ONCE: usize = 33;

async fn lead(local: &Local, event: &str, asset: &str, more: Value) -> u16 {
    let mut body =
        json!({"event": event, "asset": asset, "delivery": format!("{event}-{asset}"), "title": "A lead"});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let headers = [header("content-type", "application/json"), header("x-forms-token", "forms-token")];
    local.send("POST", "/hooks/forms", &headers, body.to_string().into_bytes()).await.0
}

/// The one item whose key begins so.
async fn stored(local: &Local, sk: &str) -> Item {
    let scan = local.stack.app.clients.dynamodb().scan().table_name("meshline-state");
    let items = scan.send().await.unwrap().items.unwrap();
    let begins = |item: &Item| item["sk"].as_s().is_ok_and(|key| key.starts_with(sk));
    items.into_iter().find(begins).unwrap()
}

#[tokio::test]
async fn many_parked_signals_hold_up_neither_the_clock_nor_other_subjects() {
    let local = Local::start().await;
    assert_eq!(lead(&local, "form.answered", "form:0", json!({})).await, 202);
    local.settle().await;
    let template = stored(&local, "PARKED#").await;
    let soon = local.stack.clock.now() + Span::hours(1);
    let parked = size(2_000, 1_000_000);
    local
        .fill("meshline-state", 0..parked, |n| {
            let mut item = template.clone();
            item.insert("pk".to_owned(), s(format!("S#{n:032x}")));
            item.insert("subject".to_owned(), s(format!("form:copy-{n}")));
            item.insert("due_shard".to_owned(), s(format!("DUE#{:02}", n % 16)));
            item.insert("next_due_at".to_owned(), s(soon.to_string()));
            item
        })
        .await;
    let now = local.stack.clock.now();
    // The flows themselves are looked at once they are applied; then there is nothing.
    for due in [2, 0] {
        let found = meshline_sla_check::sweep(&local.stack.app, now).await.unwrap();
        assert_eq!((found.due, found.ahead), (due, 0));
    }
    assert_eq!(lead(&local, "form.submitted", "form:1", json!({})).await, 202);
    local.settle().await;
    assert_eq!(local.runs("lead-form").await[0]["subject"], "form:1");
}

#[tokio::test]
async fn a_trigger_takes_all_the_signals_that_waited_for_it() {
    let local = Local::start().await;
    let early = size(60, 2_000);
    for n in 0..early {
        let delivery = json!({"delivery": format!("early-{n}")});
        assert_eq!(lead(&local, "form.answered", "form:1", delivery).await, 202);
    }
    local.settle().await;
    assert_eq!(lead(&local, "form.submitted", "form:1", json!({})).await, 202);
    local.settle().await;
    let run = local.runs("lead-form").await[0].clone();
    assert_eq!(run["outcomes"][0]["status"], "done", "{run}");
    // None of them comes back as nobody's signal.
    local.advance(Span::hours(1)).await;
    assert_eq!(local.get("/v1/exceptions?status=open").await["items"], json!([]));
}

#[tokio::test]
async fn an_asset_with_many_events_is_shown_page_by_page_and_still_routed() {
    let local = Local::start().await;
    assert_eq!(lead(&local, "form.submitted", "form:1", json!({})).await, 202);
    local.settle().await;
    let run = local.runs("lead-form").await[0]["run"].as_str().unwrap().to_owned();
    let (events, notes) = (size(250, 5_000), size(120, 600));
    for n in 0..events {
        let delivery = json!({"delivery": format!("viewed-{n}")});
        assert_eq!(lead(&local, "form.viewed", "form:1", delivery).await, 202);
    }
    for n in 0..notes {
        let note = json!({"text": format!("note {n}")});
        assert_eq!(local.post(&format!("/v1/runs/{run}/note"), &note).await.0, 200);
    }
    local.settle().await;
    // The record of every note is on one page or another of the timeline, once.
    let (mut path, mut seen) = (format!("/v1/runs/{run}/audit?limit=100"), 0);
    loop {
        let page = local.get(&path).await;
        let items = page["items"].as_array().unwrap();
        assert!(items.len() <= 100, "{} on a page", items.len());
        seen += items.iter().filter(|record| record["kind"] == "note_added").count();
        let Some(cursor) = page["cursor"].as_str() else { break };
        path = format!("/v1/runs/{run}/audit?limit=100&cursor={cursor}");
    }
    assert_eq!(seen, notes);
    // So is each event on one of the asset's.
    let (mut path, mut seen) = ("/v1/subjects/form:1/timeline?limit=200".to_owned(), 0);
    loop {
        let page = local.get(&path).await;
        let items = page["items"].as_array().unwrap();
        assert!(items.len() <= 200, "{} on a page", items.len());
        seen += items.iter().filter(|item| item["kind"] == "event").count();
        let Some(cursor) = page["cursor"].as_str() else { break };
        path = format!("/v1/subjects/form:1/timeline?limit=200&cursor={cursor}");
    }
    assert_eq!(seen, events + 1);
    assert_eq!(lead(&local, "form.answered", "form:1", json!({})).await, 202);
    local.settle().await;
    assert_eq!(local.get(&format!("/v1/runs/{run}")).await["status"], "closed");
}

/// Text that does not get smaller: hashes of hashes.
fn noise(seed: &[u8], bytes: usize) -> String {
    let mut text = String::new();
    let mut hash = Sha256::digest(seed);
    while text.len() < bytes {
        hash.iter().for_each(|byte| write!(text, "{byte:02x}").unwrap());
        hash = Sha256::digest(hash);
    }
    text
}

#[tokio::test]
async fn a_long_body_is_taken_in_up_to_a_limit_that_the_answer_names() {
    let local = Local::start().await;
    let sent = async |asset: &str, bytes: usize| {
        let body = json!({"event": "form.submitted", "asset": asset, "delivery": asset, "title": "A lead", "text": noise(asset.as_bytes(), bytes)});
        let headers = [header("content-type", "application/json"), header("x-forms-token", "forms-token")];
        local.send("POST", "/hooks/forms", &headers, body.to_string().into_bytes()).await
    };
    for n in 0..size(3, 1_000) {
        assert_eq!(sent(&format!("form:{n}"), 100_000).await.0, 202);
    }
    local.settle().await;
    assert_eq!(local.runs("lead-form").await.len(), size(3, 50));
    let (status, answer) = sent("form:longest", 1024 * 1024 + 1).await;
    assert_eq!(status, 413);
    assert!(answer["detail"].as_str().unwrap().contains("1048576"), "{answer}");
    let (status, answer) = sent("form:incompressible", 1_000_000).await;
    assert_eq!(status, 413, "{answer}");
}

fn flow(n: usize) -> String {
    format!(
        "kind: Flow\nid: flow-{n}\ntitle: Flow number {n}\nowner: role:ops-lead\nbackup_owner: role:revops\n\
         trigger: {{source: forms, match: {{type: [form.submitted], data: {{list: [list-{n}]}}}}}}\n\
         outcomes:\n  - {{id: done, sla: 4h, done_when: {{source: [forms], type: [form.done]}}}}\n"
    )
}

#[tokio::test]
async fn many_flows_are_applied_in_parts_and_each_event_finds_its_own() {
    let local = Local::start().await;
    let flows = size(99, 10_000);
    let texts: Vec<(String, String)> = (0..flows).map(|n| (format!("{n}.yaml"), flow(n))).collect();
    let all: Vec<(&str, &str)> = texts.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let (status, refused) = local.apply(&all).await;
    assert_eq!(status, 422);
    assert!(refused["detail"].as_str().unwrap().contains("at most 100 can"), "{refused}");
    for part in all.chunks(FLOWS_AT_ONCE) {
        let (status, answer) = local.apply(part).await;
        assert_eq!(status, 200, "{answer}");
    }
    let last = flows - 1;
    assert_eq!(lead(&local, "form.submitted", "form:1", json!({"list": format!("list-{last}")})).await, 202);
    local.settle().await;
    assert_eq!(local.runs(&format!("flow-{last}")).await[0]["subject"], "form:1");
    local.advance(Span::hours(5)).await;
    assert_eq!(local.runs(&format!("flow-{last}")).await[0]["overdue"], true);
}

fn directory(people: usize) -> String {
    let mut text = "kind: Directory\npeople:\n".to_owned();
    for n in 0..people {
        writeln!(text, "  - {{id: p{n}, name: Person Number {n}, email: person.number.{n}@example.com}}")
            .unwrap();
    }
    text.push_str("roles:\n");
    for (role, member) in [("product-marketing", 1), ("marketing-ops", 2), ("ops-lead", people - 1)] {
        writeln!(text, "  - {{id: {role}, members: [p{member}]}}").unwrap();
    }
    let all: Vec<String> = (0..people).map(|n| format!("p{n}")).collect();
    writeln!(text, "  - {{id: revops, members: [{}]}}", all.join(", ")).unwrap();
    text.push_str("channels:\n  - {id: crm-automation, kind: webhook, url: \"https://crm.example.com/hooks\", secret: crm-automation}\n");
    text
}

#[tokio::test]
async fn a_directory_of_5000_people_is_kept_and_its_last_one_found() {
    let local = Local::start().await;
    let (status, answer) = local.apply(&[("directory.yaml", &directory(5_000))]).await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!(lead(&local, "form.submitted", "form:1", json!({})).await, 202);
    local.settle().await;
    assert_eq!(local.runs("lead-form").await[0]["owner"]["id"], "p2");
    // Whoever reads it anew finds the same.
    let fresh = App::new(local.stack.app.clients.clone(), local.stack.app.settings.clone());
    let config = fresh.config.fresh().await.unwrap().config;
    assert_eq!(config.people().people.last().unwrap().id, "p4999");
    let flow = &config.flows["lead-form"].document;
    assert_eq!(coverage::gap(flow, &config.people(), local.stack.clock.now()), None);
}

#[tokio::test]
async fn a_directory_that_cannot_be_stored_is_refused_and_the_answer_says_why() {
    let local = Local::start().await;
    let mut text = "kind: Directory\npeople:\n".to_owned();
    for n in 0..9_000_usize {
        let name = noise(&n.to_be_bytes(), 64);
        writeln!(text, "  - {{id: x{n}, name: {name}, email: x{n}@example.com}}").unwrap();
    }
    text.push_str(directory(10).split_once("people:\n").unwrap().1);
    let (status, answer) = local.apply(&[("directory.yaml", &text)]).await;
    assert_eq!(status, 422, "{answer}");
    let detail = answer["detail"].as_str().unwrap();
    assert!(
        detail.contains("the directory `directory` would take") && detail.contains("at most 399360"),
        "{answer}"
    );
}
