//! What is sent to people, trackers and the execution layer, and what becomes of it when they fail, hang or refuse.

mod alerts;
mod storm;

use meshline_core::config::source::Source;
use meshline_core::time::Span;
use meshline_sources::Delivery;
use meshline_tests::receiver::{Answer, Receiver};
use meshline_tests::{EXAMPLES, Local};
use serde_json::{Value, json};

/// A receiver of requests that stands for an example: what is sent to it lies in the inbox.
const CRM: &str = "  - {id: crm-automation, kind: webhook, url: \"https://crm.example.com/\"}";
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// A stack whose directory has these channels, and whose example flow these changes.
async fn with(channels: &str, changes: &[(&str, &str)]) -> Local {
    let secrets = [
        ("crm-automation", SECRET),
        ("slack-bot", "xoxb-1"),
        ("pager", "R0UTING"),
        ("jira", "bot@example.com:token"),
    ];
    let local = Local::with_secrets(&secrets).await;
    let (people, _) = EXAMPLES[0].1.split_once("channels:").unwrap();
    let directory = format!("{people}channels:\n{channels}\n");
    let flow = changes.iter().fold(EXAMPLES[2].1.to_owned(), |text, (old, new)| {
        assert!(text.contains(old), "the example has no `{old}`");
        text.replacen(old, new, 1)
    });
    let (status, answer) =
        local.apply(&[("directory.yaml", &directory), EXAMPLES[1], ("flow.yaml", &flow)]).await;
    assert_eq!(status, 200, "{answer}");
    local
}

fn webhook(receiver: &Receiver) -> String {
    format!(
        "  - {{id: crm-automation, kind: webhook, url: \"{}/run\", secret: crm-automation}}",
        receiver.url
    )
}

/// The records of that kind in the run's trail.
async fn records(local: &Local, run: &str, kind: &str) -> Vec<Value> {
    let trail = local.get(&format!("/v1/runs/{run}/audit")).await;
    let all = trail["items"].as_array().unwrap().clone();
    all.into_iter().filter(|record| record["kind"] == kind).map(|record| record["detail"].clone()).collect()
}

#[tokio::test]
async fn a_request_is_signed_by_standard_webhooks_and_reported_once() {
    let receiver = Receiver::start([]).await;
    let local = with(&webhook(&receiver), &[]).await;
    let run = local.opened("5Ks").await;
    let [call] = &receiver.calls()[..] else { panic!("{:?}", receiver.calls()) };
    assert_eq!((call.method.as_str(), call.path.as_str()), ("POST", "/run"));
    assert_eq!(call.body["type"], "meshline.outcome_requested");
    assert_eq!(call.body["data"]["payload"], json!({"asset": "contentful:5Ks", "tag": "spring"}));
    // Whoever checks our webhooks finds that we sent them: our own adapter for that scheme is strict.
    let source: Source =
        serde_json::from_value(json!({"id": "m", "provider": "standard-webhooks", "secrets": ["s"]}))
            .unwrap();
    let headers: Vec<(String, String)> = call
        .headers
        .iter()
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
        .collect();
    let delivery = Delivery { method: "POST", url: &receiver.url, headers: &headers, body: &call.raw };
    let now = local.stack.clock.now();
    meshline_sources::verify(&source, &[SECRET.to_owned()], &delivery, now).unwrap();
    assert!(
        meshline_sources::verify(&source, &["whsec_bm90IHRoYXQgb25l".to_owned()], &delivery, now).is_err()
    );
    let reported = records(&local, &run, "delivery_succeeded").await;
    assert_eq!(reported, [json!({"message": 2, "to": "channel:crm-automation", "by": "webhook"})]);
}

#[tokio::test]
async fn a_receiver_that_fails_for_a_while_gets_it_in_the_end_and_once() {
    let receiver = Receiver::start([
        Answer::With(500, "down"),
        Answer::Header(429, "retry-after", "120"),
        Answer::Hang,
        Answer::With(503, ""),
    ])
    .await;
    let local = with(&webhook(&receiver), &[]).await;
    let run = local.opened("5Ks").await;
    assert_eq!(receiver.calls().len(), 1);
    local.advance(Span::from_ms(9_000)).await;
    assert_eq!(receiver.calls().len(), 1, "it waits ten seconds before it tries again");
    local.advance(Span::from_ms(2_000)).await;
    assert_eq!(receiver.calls().len(), 2);
    local.advance(Span::from_ms(110_000)).await;
    assert_eq!(receiver.calls().len(), 2, "it waits as long as it was asked to");
    local.advance(Span::minutes(10)).await;
    let calls = receiver.calls();
    assert_eq!(calls.len(), 5);
    let ids: Vec<_> = calls.iter().map(|call| call.headers["webhook-id"].clone()).collect();
    assert!(ids.iter().all(|id| *id == ids[0]), "the receiver can tell that it is the same: {ids:?}");
    assert_eq!(records(&local, &run, "delivery_succeeded").await.len(), 1);
    assert_eq!(records(&local, &run, "delivery_failed").await, [] as [Value; 0]);
    local.advance(Span::hours(1)).await;
    assert_eq!(receiver.calls().len(), 5);
}

#[tokio::test]
async fn while_a_receiver_hangs_other_runs_are_opened() {
    let receiver = Receiver::start([Answer::Hang]).await;
    let local = with(&webhook(&receiver), &[]).await;
    let story = async {
        assert_eq!(local.publish("first").await.0, 202);
        while receiver.hanging() == 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(local.publish("second").await.0, 202);
        // It ends when the request is given up, too.
        while receiver.hanging() == 1 && local.runs("blog-launch").await.len() < 2 {}
        receiver.hanging()
    };
    let hanging = tokio::select! {
        () = local.stack.run() => unreachable!("a stack runs on"),
        hanging = story => hanging,
    };
    assert_eq!(hanging, 1, "the second run waited until the first one's request was given up");
}

#[tokio::test]
async fn a_request_that_is_refused_is_an_exception_for_somebody_at_once() {
    for (answer, says) in [
        (Answer::With(410, "gone"), "answered 410: gone"),
        (Answer::Header(302, "location", "http://169.254.169.254/"), "answered 302: it redirects"),
    ] {
        let receiver = Receiver::start([answer]).await;
        let local = with(&webhook(&receiver), &[]).await;
        let run = local.opened("5Ks").await;
        assert_eq!(receiver.calls().len(), 1, "it is not tried again, and no redirect is followed");
        let failed = records(&local, &run, "delivery_failed").await;
        assert!(failed[0]["error"].as_str().unwrap().contains(says), "{failed:?}");
        assert_eq!((&failed[0]["outcome"], &failed[0]["attempts"]), (&json!("crm-tag"), &json!(1)));
        let exceptions = local.get(&format!("/v1/runs/{run}")).await["exceptions"].clone();
        assert_eq!(
            (&exceptions[0]["kind"], &exceptions[0]["outcome"]),
            (&json!("request_failed"), &json!("crm-tag"))
        );
        let verified = local.get(&format!("/v1/runs/{run}/audit/verify")).await;
        assert_eq!(verified["valid"], true);
    }
}

#[tokio::test]
async fn a_receiver_that_never_answers_is_given_up_after_eight_attempts() {
    let receiver = Receiver::start(std::iter::repeat_n(Answer::With(502, ""), 20)).await;
    let local = with(&webhook(&receiver), &[]).await;
    let run = local.opened("5Ks").await;
    local.advance(Span::minutes(25)).await;
    assert_eq!(receiver.calls().len(), 8);
    assert_eq!(records(&local, &run, "delivery_failed").await[0]["attempts"], 8);
    let run = local.get(&format!("/v1/runs/{run}")).await;
    assert_eq!(run["exceptions"][0]["kind"], "request_failed");
    local.advance(Span::hours(1)).await;
    assert_eq!(receiver.calls().len(), 8);
}

#[tokio::test]
async fn a_person_is_told_by_slack_and_by_mail_when_slack_will_not() {
    let slack = Receiver::start([
        Answer::With(200, r#"{"ok":true}"#),
        Answer::With(200, r#"{"ok":false,"error":"channel_not_found"}"#),
    ])
    .await;
    let channels =
        format!("{CRM}\n  - {{id: slack, kind: slack, secret: slack-bot, url: \"{}/api\"}}", slack.url);
    let local = with(&channels, &[]).await;
    let run = local.opened("5Ks").await;
    local.advance(Span::hours(4)).await;
    // Not acknowledged: owner and backup are told, both of whom have Slack.
    let calls: Vec<_> = slack.calls();
    assert_eq!(calls[0].headers["authorization"], "Bearer xoxb-1");
    assert_eq!(calls[0].body["channel"], "U01ANA");
    assert!(calls[0].body["blocks"][0]["text"]["text"].as_str().unwrap().contains("Spring launch"));
    let buttons = calls[0].body["blocks"][2]["elements"].as_array().unwrap();
    assert!(buttons[0]["url"].as_str().unwrap().contains(&run), "{buttons:?}");
    let told: Vec<(Value, Value)> = records(&local, &run, "delivery_succeeded")
        .await
        .into_iter()
        .map(|it| (it["to"].clone(), it["by"].clone()))
        .collect();
    assert!(told.contains(&(json!("person:ana"), json!("slack"))), "{told:?}");
    assert!(told.contains(&(json!("person:ben"), json!("email"))), "{told:?}");
}

#[tokio::test]
async fn what_comes_from_outside_is_only_text_in_slack() {
    let slack = Receiver::start([]).await;
    let channels =
        format!("{CRM}\n  - {{id: slack, kind: slack, secret: slack-bot, url: \"{}\"}}", slack.url);
    let title = "Blog post to <!channel> & <https://evil.example|product> launch";
    let local =
        with(&channels, &[("title: Blog post to product launch", &format!("title: \"{title}\""))]).await;
    local.opened("untitled").await;
    local.advance(Span::hours(4)).await;
    let sent: String =
        slack.calls().iter().map(|call| String::from_utf8_lossy(&call.raw).into_owned()).collect();
    assert!(!sent.is_empty() && !sent.contains("<!channel>") && !sent.contains("<https://evil"), "{sent}");
}

#[tokio::test]
async fn a_notice_is_not_sent_when_somebody_has_it_meanwhile_and_the_trail_says_so() {
    let pager = Receiver::start([Answer::With(503, "")]).await;
    let channels =
        format!("{CRM}\n  - {{id: ops-pager, kind: pagerduty, secret: pager, url: \"{}\"}}", pager.url);
    let change = (
        "{after: 0m, reassign: backup_owner, notify: [owner, backup_owner]}",
        "{after: 0m, notify: [channel:ops-pager]}",
    );
    let local = with(&channels, &[change]).await;
    let run = local.opened("5Ks").await;
    let key = json!(format!("meshline/{run}/acknowledgement"));
    let pages = || pager.calls().iter().filter(|call| call.body["dedup_key"] == key).count();
    local.advance(Span::hours(4)).await;
    assert_eq!(pages(), 1);
    assert_eq!(local.post(&format!("/v1/runs/{run}/acknowledge"), &json!({})).await.0, 200);
    local.advance(Span::minutes(30)).await;
    assert_eq!(pages(), 1);
    let skipped = records(&local, &run, "delivery_skipped").await;
    assert!(skipped[0]["reason"].as_str().unwrap().starts_with("`ana` acknowledged the run"), "{skipped:?}");
}

#[tokio::test]
async fn a_report_that_was_lost_makes_it_come_again_and_a_killed_function_loses_nothing() {
    let receiver = Receiver::start([]).await;
    let local = with(&webhook(&receiver), &[]).await;
    for after in 0..6 {
        local.advance(Span::minutes(1)).await;
        local.stack.kill("notify", &[after]);
        let run = local.opened(&format!("asset{after}")).await;
        let reported = records(&local, &run, "delivery_succeeded").await;
        assert_eq!(reported.len(), 1, "killed after {after} steps");
        let sent = receiver.calls();
        let of_run = sent.iter().filter(|call| call.body["data"]["run"] == json!(run)).count();
        assert!((1..=2).contains(&of_run), "killed after {after} steps: sent {of_run} times");
    }
}
