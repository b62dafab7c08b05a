//! Too many notices at once: the first go through, the others are told together, and none is forgotten.

use std::collections::BTreeMap;

use meshline_core::time::Span;
use meshline_tests::Local;
use meshline_tests::receiver::{Answer, Receiver};
use serde_json::{Value, json};

use super::{CRM, records, with};

/// A stack whose owner is asked by Slack to acknowledge each run.
async fn with_slack(slack: &Receiver) -> Local {
    let url = &slack.url;
    let channels = format!("{CRM}\n  - {{id: bot, kind: slack, secret: slack-bot, url: \"{url}\"}}");
    let told = "acknowledge: {within: 4h, notify: [owner]}";
    with(&channels, &[("acknowledge: {within: 4h}", told)]).await
}

async fn slack(answers: impl IntoIterator<Item = Answer>) -> Receiver {
    Receiver::start(answers).await
}

/// Publishes so many assets within a second.
async fn storm(local: &Local, assets: usize) -> Vec<String> {
    let from = local.stack.clock.now().unix_ms();
    let mut runs = Vec::new();
    for n in 0..assets {
        local.advance(Span::from_ms(10)).await;
        runs.push(local.opened(&format!("asset{n}-{from}")).await);
    }
    runs
}

/// The headlines of what was sent.
fn said(slack: &Receiver) -> Vec<String> {
    slack.calls().iter().map(|call| call.body["text"].as_str().unwrap().to_owned()).collect()
}

/// How the notice of each run was told: how many times, and with how many at once.
async fn told(local: &Local, runs: &[String]) -> BTreeMap<String, usize> {
    let mut told = BTreeMap::new();
    for run in runs {
        let is_ana = |it: &&Value| it["to"] == "person:ana";
        let all = records(local, run, "delivery_succeeded").await;
        let of_ana: Vec<&Value> = all.iter().filter(is_ana).collect();
        assert_eq!(of_ana.len(), 1, "{run}: {all:?}");
        *told.entry(of_ana[0]["together"].to_string()).or_default() += 1;
    }
    told
}

const DIGEST: &str = "15 notices about the flow `blog-launch` were held, to be told together";

#[tokio::test]
async fn what_is_too_much_for_a_person_is_told_together_and_each_trail_says_so() {
    let slack = slack([]).await;
    let local = with_slack(&slack).await;
    let runs = storm(&local, 25).await;
    assert_eq!(said(&slack).len(), 10);
    local.advance(Span::minutes(6)).await;
    assert_eq!(said(&slack).len(), 11);
    assert_eq!(said(&slack)[10], DIGEST);
    let blocks = slack.calls()[10].body["blocks"].to_string();
    assert!(blocks.matches("owns this run and is asked to acknowledge it").count() == 15, "{blocks}");
    let expected = [("null".to_owned(), 10), ("15".to_owned(), 15)];
    assert_eq!(told(&local, &runs).await, BTreeMap::from(expected));
    // Quiet again: the next one goes through by itself.
    local.advance(Span::minutes(6)).await;
    storm(&local, 1).await;
    assert_eq!(said(&slack).len(), 12);
}

#[tokio::test]
async fn as_long_as_the_storm_lasts_there_x() {
    let slack = slack([]).await;
    let local = with_slack(&slack).await;
    let mut runs = Vec::new();
    for _ in 0..4 {
        runs.extend(storm(&local, 13).await);
        local.advance(Span::minutes(4)).await;
    }
    local.advance(Span::minutes(6)).await;
    let said = said(&slack);
    let (digests, alone): (Vec<_>, Vec<_>) = said.iter().partition(|it| it.contains("to be told together"));
    assert_eq!(alone.len(), 10, "{said:?}");
    assert!((3..=4).contains(&digests.len()), "{digests:?}");
    let together: usize = told(&local, &runs).await.values().sum();
    assert_eq!(together, 52);
}

#[tokio::test]
async fn a_digest_leaves_out_what_somebody_has_meanwhile() {
    let slack = slack([]).await;
    let local = with_slack(&slack).await;
    let runs = storm(&local, 16).await;
    for run in &runs[10..14] {
        local.post(&format!("/v1/runs/{run}/acknowledge"), &json!({})).await;
    }
    local.advance(Span::minutes(6)).await;
    assert!(said(&slack)[10].starts_with("2 notices about the flow"), "{:?}", said(&slack));
    let skipped = records(&local, &runs[10], "delivery_skipped").await;
    assert!(skipped[0]["reason"].as_str().unwrap().contains("acknowledged the run"), "{skipped:?}");
}

#[tokio::test]
async fn a_digest_that_nobody_takes_at_first_is_sent_later_and_once() {
    let down = std::iter::repeat_n(Answer::With(200, r#"{"ok":true}"#), 10);
    let slack = slack(down.chain([Answer::With(503, ""), Answer::With(503, "")])).await;
    let local = with_slack(&slack).await;
    let runs = storm(&local, 25).await;
    local.advance(Span::minutes(20)).await;
    assert_eq!(said(&slack)[10..], [DIGEST, DIGEST, DIGEST], "two were not taken");
    assert_eq!(told(&local, &runs).await.get("15"), Some(&15));
}

#[tokio::test]
async fn a_function_killed_at_any_step_of_a_digest_forgets_nobody() {
    for after in (0..60).step_by(12) {
        let slack = slack([]).await;
        let local = with_slack(&slack).await;
        let runs = storm(&local, 14).await;
        local.stack.kill("notify", &[after]);
        local.advance(Span::minutes(40)).await;
        let told = told(&local, &runs).await;
        assert_eq!(told.values().sum::<usize>(), 14, "killed after {after} steps: {told:?}");
        assert!(said(&slack).len() <= 13, "killed after {after} steps: {:?}", said(&slack));
    }
}

#[tokio::test]
async fn a_pager_is_never_made_to_wait() {
    let pager = Receiver::start([]).await;
    let channels = format!(
        "{CRM}\n  - {{id: ops-pager, kind: pagerduty, secret: pager, url: \"{}/v2/enqueue\"}}",
        pager.url
    );
    let change = (
        "{after: 0m, notify: [owner, role:ops-lead], severity: high}",
        "{after: 0m, notify: [channel:ops-pager], severity: high}",
    );
    let local = with(&channels, &[change]).await;
    storm(&local, 15).await;
    local.advance(Span::minutes(121)).await;
    assert_eq!(pager.calls().len(), 15);
}
