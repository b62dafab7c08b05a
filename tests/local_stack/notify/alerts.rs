//! What pagers and trackers hold open: one alert and one issue for all that is said of a matter, until it is settled.

use meshline_core::time::Span;
use meshline_tests::Local;
use meshline_tests::jira::Jira;
use meshline_tests::receiver::Receiver;
use serde_json::{Value, json};

use super::{CRM, records, with};

/// What a pager was sent about a matter of a run: action and severity.
fn rung(pager: &Receiver, run: &str, matter: &str) -> Vec<String> {
    let key = json!(format!("meshline/{run}/{matter}"));
    let calls = pager.calls().into_iter().filter(|call| call.body["dedup_key"] == key);
    calls.map(|call| format!("{} {}", call.body["event_action"], call.body["payload"]["severity"])).collect()
}

async fn with_pager(pager: &Receiver) -> Local {
    let channels = format!(
        "{CRM}\n  - {{id: ops-pager, kind: pagerduty, secret: pager, url: \"{}/v2/enqueue\"}}",
        pager.url
    );
    let changes = [
        (
            "{after: 0m, reassign: backup_owner, notify: [owner, backup_owner]}",
            "{after: 0m, notify: [channel:ops-pager]}",
        ),
        (
            "{after: 0m, notify: [owner, role:ops-lead], severity: high}",
            "{after: 0m, notify: [channel:ops-pager], severity: high}",
        ),
        ("notify: [role:ops-lead], severity: critical}", "notify: [channel:ops-pager], severity: critical}"),
    ];
    with(&channels, &changes).await
}

#[tokio::test]
async fn a_pager_gets_one_alert_for_all_steps_about_an_outcome_until_it_is_verified() {
    let pager = Receiver::start([]).await;
    let local = with_pager(&pager).await;
    let run = local.opened("5Ks").await;
    local.advance(Span::hours(3)).await;
    assert_eq!(pager.calls()[0].body["routing_key"], "R0UTING");
    local.post(&format!("/v1/runs/{run}/acknowledge"), &json!({})).await;
    local.advance(Span::hours(48)).await;
    let about_tag = || rung(&pager, &run, "outcome/crm-tag");
    let so_far = [r#""trigger" "error""#, r#""acknowledge" "warning""#, r#""trigger" "critical""#];
    assert_eq!(about_tag(), so_far);
    let evidence = json!({"evidence": "https://crm.example.com/5Ks"});
    local.post(&format!("/v1/runs/{run}/outcomes/crm-tag/complete"), &evidence).await;
    local.settle().await;
    assert_eq!(about_tag().last().unwrap(), r#""resolve" "warning""#);
    assert_eq!(about_tag().len(), 4);
    let settled = records(&local, &run, "alert_settled").await;
    assert_eq!(settled.last().unwrap()["how"], "`crm-tag` was verified");
}

#[tokio::test]
async fn whoever_acknowledges_ends_the_alert_that_nobody_did() {
    let pager = Receiver::start([]).await;
    let local = with_pager(&pager).await;
    let run = local.opened("5Ks").await;
    local.advance(Span::hours(5)).await;
    local.post(&format!("/v1/runs/{run}/acknowledge"), &json!({})).await;
    local.settle().await;
    let rung = rung(&pager, &run, "acknowledgement");
    assert_eq!(rung, [r#""trigger" "warning""#, r#""resolve" "warning""#]);
}

#[tokio::test]
async fn an_alert_whose_matter_was_settled_on_its_way_is_settled_all_the_same() {
    let mut was_raised = 0;
    for after in 0..6 {
        let pager = Receiver::start([]).await;
        let local = with_pager(&pager).await;
        let run = local.opened("5Ks").await;
        // The function dies, perhaps when the pager has it and the trail does not say so; then the run is called off.
        local.stack.kill("notify", &[after]);
        local.advance(Span::hours(2)).await;
        local.post(&format!("/v1/runs/{run}/cancel"), &json!({"reason": "withdrawn"})).await;
        local.advance(Span::hours(1)).await;
        let rung = rung(&pager, &run, "outcome/crm-tag");
        was_raised += usize::from(!rung.is_empty());
        assert!(
            rung.last().is_none_or(|last| last.starts_with(r#""resolve""#)),
            "after {after} steps: {rung:?}"
        );
    }
    assert!(was_raised > 0);
}

async fn with_jira(jira: &Jira) -> Local {
    let url = &jira.receiver.url;
    let channels = format!("{CRM}\n  - {{id: tickets, kind: jira, secret: jira, to: OPS, url: \"{url}\"}}");
    let local = with(&channels, &[("recovery_sla: 24h", "recovery_sla: 24h\n  channel: tickets")]).await;
    jira.follow(&local);
    local
}

/// Publishes that many assets, whose tagging fails at the same moment.
async fn failing(local: &Local, assets: usize) -> Vec<String> {
    let mut runs = Vec::new();
    for n in 0..assets {
        local.advance(Span::from_ms(1_000)).await;
        runs.push(local.opened(&format!("asset{n}-{}", local.stack.clock.now().unix_ms())).await);
    }
    for run in &runs {
        let failed = json!({"reason": "no access"});
        local.post(&format!("/v1/runs/{run}/outcomes/crm-tag/fail"), &failed).await;
    }
    local.advance(Span::minutes(6)).await;
    runs
}

async fn resolve(local: &Local, run: &str) {
    let exceptions = local.get(&format!("/v1/runs/{run}")).await["exceptions"].clone();
    let id = exceptions[0]["id"].as_str().unwrap();
    let resolution = json!({"resolution": "tagged by hand"});
    let answer = local.post(&format!("/v1/runs/{run}/exceptions/{id}/resolve"), &resolution).await;
    assert_eq!(answer.0, 200, "{}", answer.1);
    local.advance(Span::minutes(2)).await;
}

#[tokio::test]
async fn exceptions_of_one_cause_at_the_same_moment_are_one_issue_that_closes_with_the_last() {
    let jira = Jira::start().await;
    let local = with_jira(&jira).await;
    let runs = failing(&local, 12).await;
    let [issue] = &jira.issues()[..] else { panic!("{:?}", jira.issues()) };
    assert_eq!(issue.fields["project"]["key"], "OPS");
    assert_eq!((issue.comments.len(), issue.labels[0].as_str()), (11, "meshline"));
    let call = &jira.receiver.calls()[0];
    assert_eq!(call.headers["authorization"], "Basic Ym90QGV4YW1wbGUuY29tOnRva2Vu");
    for (n, run) in runs.iter().enumerate() {
        assert!(!jira.issues()[0].is_done, "{n} of 12 are resolved");
        resolve(&local, run).await;
        assert!(jira.issues()[0].comments.last().unwrap().contains("tagged by hand"));
    }
    assert!(jira.issues()[0].is_done);
    assert_eq!(jira.issues()[0].comments.len(), 23);
    failing(&local, 1).await;
    assert_eq!(jira.issues().len(), 2, "what comes after is an issue of its own");
}

#[tokio::test]
async fn an_issue_that_somebody_closed_or_threw_away_is_not_written_to() {
    let jira = Jira::start().await;
    let local = with_jira(&jira).await;
    let first = failing(&local, 1).await;
    jira.change(0, |issue| issue.is_done = true);
    let second = failing(&local, 1).await;
    assert_eq!(jira.issues().len(), 2);
    resolve(&local, &first[0]).await;
    resolve(&local, &second[0]).await;
    let issues = jira.issues();
    assert_eq!(issues.iter().map(|issue| issue.comments.len()).collect::<Vec<_>>(), [0, 1]);
    assert!(issues[1].is_done);
}

#[tokio::test]
async fn a_function_killed_at_any_step_leaves_one_issue_that_closes() {
    for after in (0..14).step_by(2) {
        let jira = Jira::start().await;
        let local = with_jira(&jira).await;
        let run = local.opened("5Ks").await;
        local.stack.kill("notify", &[after]);
        let failed = json!({"reason": "no access"});
        local.post(&format!("/v1/runs/{run}/outcomes/crm-tag/fail"), &failed).await;
        local.advance(Span::minutes(10)).await;
        assert_eq!(jira.issues().len(), 1, "killed after {after} steps");
        local.stack.kill("notify", &[after]);
        resolve(&local, &run).await;
        local.advance(Span::minutes(10)).await;
        assert!(jira.issues()[0].is_done, "killed after {after} steps");
    }
}

#[tokio::test]
async fn an_exception_of_a_flow_itself_has_an_issue_that_closes_too() {
    let jira = Jira::start().await;
    let local = with_jira(&jira).await;
    let mail = [json!({"eventId": 1, "subscriptionType": "email.sent", "objectId": 1})];
    local.hubspot("never-published", &mail).await;
    local.advance(Span::minutes(25)).await;
    let open = local.get("/v1/exceptions?flow=blog-launch").await["items"].clone();
    let id = open[0]["id"].as_str().unwrap_or_else(|| panic!("{open}"));
    assert_eq!(jira.issues().len(), 1, "{open}");
    let resolution = json!({"resolution": "a test of theirs"});
    local.post(&format!("/v1/flows/blog-launch/exceptions/{id}/resolve"), &resolution).await;
    local.advance(Span::minutes(2)).await;
    assert!(jira.issues()[0].is_done);
    let told: Vec<Value> = jira.issues()[0].comments.iter().map(|text| json!(text)).collect();
    assert!(told[0].as_str().unwrap().contains("a test of theirs"), "{told:?}");
}
