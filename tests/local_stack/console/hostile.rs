//! What others write and send: it is shown as text, and changes nothing.

use aws_sdk_dynamodb::types::AttributeValue;
use meshline_tests::senders::FORMS_TOKEN;
use meshline_tests::{EXAMPLES, Local, header};
use serde_json::{Value, json};

use super::browser::Browser;
use super::late;

/// A form that was filled in with this title, and the id of the run that it opened.
async fn filled_in(local: &Local, asset: &str, title: &str) -> String {
    let headers = [header("content-type", "application/json"), header("x-forms-token", FORMS_TOKEN)];
    let body = json!({"delivery": asset, "event": "form.submitted", "asset": asset, "title": title});
    let answer = local.send("POST", "/hooks/forms", &headers, body.to_string().into_bytes()).await;
    assert_eq!(answer.0, 202, "{}", answer.1);
    local.settle().await;
    local.runs("lead-form").await[0]["run"].as_str().unwrap().to_owned()
}

async fn version(local: &Local, run: &str) -> Value {
    local.get(&format!("/v1/runs/{run}")).await["version"].clone()
}

#[tokio::test]
async fn a_form_of_another_site_changes_nothing() {
    let local = Local::start().await;
    let run = late(&local).await;
    let before = version(&local, &run).await;
    let path = format!("/runs/{run}/acknowledge");
    let mut ana = Browser::of("ana", &local).await;
    let page = ana.get(&format!("/runs/{run}")).await;
    let token = page.html.split("name=\"token\" value=\"").nth(1).unwrap()[..32].to_owned();
    let own = ("origin", "http://127.0.0.1:8080");
    let right = ("token", token.as_str());
    let wrong = ("token", "00000000000000000000000000000000");
    for (why, fields, headers) in [
        ("no token", vec![], vec![own]),
        ("an empty token", vec![("token", "")], vec![own]),
        ("a guessed token", vec![wrong], vec![own]),
        ("another site's page", vec![right], vec![("sec-fetch-site", "cross-site")]),
        ("a neighbour's page", vec![right], vec![("sec-fetch-site", "same-site")]),
        ("another origin", vec![right], vec![("origin", "https://evil.example")]),
        ("a sandboxed page", vec![right], vec![("origin", "null")]),
    ] {
        let refused = ana.post(&path, &fields, &headers).await;
        assert_eq!(refused.status, 403, "{why}");
        assert!(refused.says("This form was not sent from a page of the console"), "{}", refused.text());
    }
    let stranger = Browser::new(&local).post(&path, &[right], &[own]).await;
    assert_eq!(stranger.status, 403, "the token of another browser");
    assert_eq!(version(&local, &run).await, before);
    assert_eq!(ana.post(&path, &[right], &[own]).await.status, 303, "and what was missing is all that was");
}

#[tokio::test]
async fn nothing_is_changed_by_following_links() {
    let local = Local::start().await;
    let run = late(&local).await;
    let before = version(&local, &run).await;
    let mut ana = Browser::of("ana", &local).await;
    let page = ana.get(&format!("/runs/{run}")).await;
    assert!(page.actions().len() > 5, "{:?}", page.actions());
    for path in page.actions() {
        let answer = ana.get(&format!("{path}?reason=x&evidence=x&confirm=cancel")).await;
        assert_eq!(answer.status, 404, "{path}");
    }
    assert_eq!(ana.get("/_local/sign-in?person=ben").await.status, 200);
    assert!(ana.get("/").await.says("You are Ana Reyes"));
    assert_eq!(version(&local, &run).await, before);
}

#[tokio::test]
async fn a_trail_that_was_changed_by_hand_is_shown_as_broken() {
    let local = Local::start().await;
    let run = late(&local).await;
    let mut reader = Browser::new(&local);
    assert!(reader.get(&format!("/runs/{run}")).await.says("verified"));
    let edit = local.stack.app.clients.dynamodb().update_item().table_name("meshline-audit");
    let edit = edit
        .key("pk", AttributeValue::S(run.clone()))
        .key("sk", AttributeValue::N("2".to_owned()))
        .update_expression("SET actor = :nobody")
        .expression_attribute_values(":nobody", AttributeValue::S("nobody".to_owned()));
    edit.send().await.unwrap();
    let page = reader.get(&format!("/runs/{run}")).await;
    assert_eq!(page.status, 200);
    assert!(page.says("broken at record 2") && !page.says("verified"), "{}", page.text());
    assert!(page.says("Campaign tag on the CRM record is overdue"), "what is to be done is still told");
}

#[tokio::test]
async fn titles_notes_and_evidence_are_shown_as_the_text_they_are() {
    let local = Local::start().await;
    let title = "<script>alert(1)</script> \"><img src=x onerror=alert(2)> ' & \u{202e}gpj.exe\u{2066}";
    let run = filled_in(&local, "form:<b>\"7\"", title).await;
    let mut ben = Browser::of("ben", &local).await;
    let page = ben.get(&format!("/runs/{run}")).await;
    let note = "</textarea><script>alert(3)</script> javascript:alert(4)";
    assert_eq!(ben.send(&page, &format!("/runs/{run}/note"), &[("text", note)]).await.status, 303);
    let page = ben.get(&format!("/runs/{run}")).await;
    let evidence = [("evidence", "javascript:alert(document.cookie)")];
    let complete = format!("/runs/{run}/outcomes/answered/complete");
    assert_eq!(ben.send(&page, &complete, &evidence).await.status, 303);

    let subject = "/subjects/form%3A%3Cb%3E%227%22";
    for path in ["/", "/runs", &format!("/runs/{run}"), "/flows/lead-form", "/exceptions", subject] {
        let page = ben.get(path).await;
        assert_eq!(page.status, 200, "{path}");
        for hostile in
            ["<script>", "<img", "<b>", "href=\"javascript:", "\u{202e}", "\u{2066}", "</textarea><s"]
        {
            assert!(!page.html.contains(hostile), "{path} has {hostile}");
        }
    }
    let page = ben.get(&format!("/runs/{run}")).await;
    assert!(
        page.says("<script>alert(1)</script> \"><img src=x onerror=alert(2)> ' & gpj.exe"),
        "{}",
        page.text()
    );
    assert!(page.says(note) && page.says("Evidence: javascript:alert(document.cookie)"), "{}", page.text());
}

#[tokio::test]
async fn names_of_the_directory_and_of_flows_are_text_too() {
    let local = Local::start_with(None).await;
    let [(name, directory), sources, _, (flow_name, flow)] = EXAMPLES;
    let directory = directory.replace("name: Ben Okafor", "name: '\"Ben\" <i>O''kafor</i>'");
    let flow = flow.replace("title: Lead form answered", "title: '<u>Leads</u>'\nclient: 'A&B \"<s>\"'");
    assert_eq!(local.apply(&[(name, &directory), sources, (flow_name, &flow)]).await.0, 200);
    let run = filled_in(&local, "form:1", "Hello").await;
    let mut ben = Browser::of("ben", &local).await;
    for path in [
        "/",
        "/runs",
        &format!("/runs/{run}"),
        "/flows",
        "/flows/lead-form",
        "/reports",
        "/reports?by=client",
        "/reports?by=owner",
        "/_local/sign-in",
    ] {
        let page = ben.get(path).await;
        assert!(
            !page.html.contains("<i>") && !page.html.contains("<u>") && !page.html.contains("<s>"),
            "{path}"
        );
    }
    assert!(ben.get("/").await.says("You are \"Ben\" <i>O'kafor</i>"), "{}", ben.get("/").await.text());
    let narrowed = ben.get("/?client=A%26B%20%22%3Cs%3E%22&flow=lead-form&owner=ben").await;
    assert!(narrowed.says("Hello"), "{}", narrowed.text());
    assert!(!ben.get("/?client=other").await.says("Hello"));
}

#[tokio::test]
async fn a_browser_signs_in_only_as_somebody_of_the_directory() {
    let local = Local::start().await;
    let mut browser = Browser::new(&local);
    assert!(browser.get("/").await.says("You are local"));
    assert_eq!(browser.post("/_local/sign-in", &[("person", "mallory")], &[]).await.status, 400);
    let foreign = [("sec-fetch-site", "cross-site")];
    assert_eq!(browser.post("/_local/sign-in", &[("person", "ana")], &foreign).await.status, 400);
    assert!(browser.get("/").await.says("You are local"));
    assert!(browser.get("/_local/sign-in").await.says("Act as Ana Reyes"));
    assert_eq!(browser.post("/_local/sign-in", &[("person", "ana")], &[]).await.status, 303);
    assert!(browser.get("/").await.says("You are Ana Reyes"));
    assert_eq!(browser.post("/_local/sign-in", &[("person", "")], &[]).await.status, 303);
    assert!(browser.get("/").await.says("You are local"));
}
