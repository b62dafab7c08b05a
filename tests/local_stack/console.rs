//! What a person sees and does in a browser: the pages of the console and their forms.

pub(crate) mod browser;
mod hostile;
mod pages;
mod sign_in;

use meshline_core::time::Span;
use meshline_tests::{Local, campaign_tag};
use serde_json::json;

use browser::Browser;

/// A blog post whose run nobody acknowledged, and whose campaign tag is late.
async fn late(local: &Local) -> String {
    let run = local.opened("5Ks").await;
    local.advance(Span::hours(3)).await;
    run
}

#[tokio::test]
async fn whoever_has_the_run_says_so_on_its_page_and_the_trail_names_them() {
    let local = Local::start().await;
    let run = late(&local).await;
    let mut ana = Browser::of("ana", &local).await;
    let page = ana.get(&format!("/runs/{run}")).await;
    assert!(page.says("Ana Reyes has not said that they have it"), "{}", page.text());

    let done = ana.send(&page, &format!("/runs/{run}/acknowledge"), &[]).await;
    assert_eq!(
        (done.status, done.header("location")),
        (303, format!("/runs/{run}?done=acknowledge").as_str())
    );
    let page = ana.get(done.header("location")).await;
    assert!(page.says("Acknowledged. The deadlines run on"), "{}", page.text());
    assert!(page.says("Acknowledged by Ana Reyes"), "{}", page.text());
    assert!(!page.says("has not said that they have it"));
    let trail = local.get(&format!("/v1/runs/{run}/audit")).await;
    let last = trail["items"].as_array().unwrap().last().unwrap().clone();
    assert_eq!((&last["kind"], &last["actor"]["id"]), (&json!("acknowledged"), &json!("ana")));
}

/// What people were sent, as text, and where it says to open.
async fn sent(local: &Local) -> (Vec<String>, Vec<String>) {
    let inbox = local.get("/_local/inbox").await;
    let messages = inbox["messages"].as_array().unwrap().iter();
    let texts: Vec<String> =
        messages.filter_map(|sent| sent["body"]["text"].as_str().map(str::to_owned)).collect();
    let lines = texts.iter().flat_map(|text| text.lines());
    let links = lines.filter_map(|line| line.strip_prefix("Open: ").map(str::to_owned)).collect();
    (texts, links)
}

#[tokio::test]
async fn a_notice_leads_to_the_page_of_its_case() {
    let local = Local::start().await;
    let run = late(&local).await;
    let (texts, links) = sent(&local).await;
    let page = format!("http://127.0.0.1:8080/runs/{run}");
    let case = links.iter().find_map(|link| link.strip_prefix(&format!("{page}#"))).expect("a ticket");
    let shown = Browser::new(&local).get(&format!("/runs/{run}")).await;
    assert!(shown.html.contains(&format!("id=\"{case}\"")));
    assert!(links.contains(&page), "{links:?}");
    let asks_for_signatures = |text: &String| text.contains("/v1/");
    assert!(!texts.iter().any(asks_for_signatures), "no browser opens that: {texts:?}");
}

#[tokio::test]
async fn an_outcome_is_completed_with_evidence_and_not_without() {
    let local = Local::start().await;
    let run = late(&local).await;
    let mut ana = Browser::of("ana", &local).await;
    let page = ana.get(&format!("/runs/{run}")).await;
    let path = format!("/runs/{run}/outcomes/crm-tag/complete");
    let refused = ana.send(&page, &path, &[("evidence", "  ")]).await;
    assert_eq!(refused.status, 422);
    assert!(refused.says("Nothing was changed"), "{}", refused.text());

    let evidence = "https://crm.example.com/records/7?a=1&b=\"2\"";
    let done = ana.send(&page, &path, &[("evidence", evidence)]).await;
    assert_eq!(done.status, 303);
    let page = ana.get(done.header("location")).await;
    assert!(page.says(&format!("Evidence: {evidence}")), "{}", page.text());
    assert!(page.html.contains("href=\"https://crm.example.com/records/7?a=1&amp;b=&quot;2&quot;\""));
    assert!(page.says("done late"), "it came after its deadline");
    let run = local.get(&format!("/v1/runs/{run}")).await;
    assert_eq!(
        (&run["outcomes"][0]["status"], &run["outcomes"][0]["evidence"]),
        (&json!("done"), &json!(evidence))
    );
}

#[tokio::test]
async fn a_form_of_an_old_page_is_refused_with_what_changed_since_and_keeps_what_was_written() {
    let local = Local::start().await;
    let run = local.opened("5Ks").await;
    let mut ana = Browser::of("ana", &local).await;
    let old = ana.get(&format!("/runs/{run}")).await;
    local.hubspot("5Ks", &[campaign_tag()]).await;
    local.settle().await;

    let fail = format!("/runs/{run}/outcomes/crm-tag/fail");
    let refused = ana.send(&old, &fail, &[("reason", "the CRM lost <it>")]).await;
    assert_eq!(refused.status, 409);
    assert!(refused.says("Nothing was changed: the run has changed since you saw it"), "{}", refused.text());
    assert!(
        refused.says("hubspot: \u{201c}Campaign tag on the CRM record\u{201d} is done, in time"),
        "{}",
        refused.text()
    );
    assert!(refused.says("You had written as reason: the CRM lost <it>"), "{}", refused.text());
    assert!(!local.trail(&run).await.contains(&"outcome_failed".to_owned()));

    // The refusal is a page of the run as it is now: the next try is about that.
    let done = ana.send(&refused, &format!("/runs/{run}/note"), &[("text", "seen")]).await;
    assert_eq!(done.status, 303);
}

#[tokio::test]
async fn an_exception_is_resolved_where_its_playbook_is() {
    let local = Local::start().await;
    let run = late(&local).await;
    let mut cleo = Browser::of("cleo", &local).await;
    let queue = cleo.get("/exceptions").await;
    assert!(queue.says("Deadline passed 1"), "{}", queue.text());
    assert!(queue.html.contains("href=\"https://wiki.example.com/playbooks/late-outcome\""));
    assert!(queue.says("for Cleo Martin"), "{}", queue.text());
    let page = cleo.get(&format!("/runs/{run}")).await;
    let id = local.get("/v1/exceptions").await["items"][0]["id"].as_str().unwrap().to_owned();
    let fields = [("resolution", "told the CRM team"), ("evidence", "")];
    let done = cleo.send(&page, &format!("/runs/{run}/exceptions/{id}/resolve"), &fields).await;
    assert_eq!(done.status, 303);
    assert!(cleo.get("/exceptions").await.says("Nothing waits for a person"));
    assert!(cleo.get("/exceptions?status=resolved").await.says("Deadline passed 1"));
}

#[tokio::test]
async fn a_silent_flow_is_an_exception_that_is_resolved_in_the_queue() {
    let local = Local::start_with(None).await;
    let [directory, sources, _, (name, flow)] = meshline_tests::EXAMPLES;
    let flow = format!("{flow}\nexpect: {{at_least_every: 1d}}\n");
    assert_eq!(local.apply(&[directory, sources, (name, &flow)]).await.0, 200);
    local.advance(Span::hours(25)).await;

    let (_, links) = sent(&local).await;
    assert!(links.contains(&"http://127.0.0.1:8080/exceptions".to_owned()), "{links:?}");
    let mut dev = Browser::of("dev", &local).await;
    assert!(dev.get("/").await.says("No trigger came · Lead form answered · for Dev Patel"));
    let queue = dev.get("/exceptions").await;
    let path =
        queue.actions().into_iter().find(|path| path.ends_with("/resolve")).expect("a form to resolve it");
    let done = dev.send(&queue, &path, &[("resolution", "the form was taken off")]).await;
    assert_eq!((done.status, done.header("location")), (303, "/exceptions?done=resolve"));
    assert!(dev.get("/exceptions").await.says("Nothing waits for a person"));
}

#[tokio::test]
async fn a_run_is_cancelled_only_with_the_typed_word() {
    let local = Local::start().await;
    let run = local.opened("5Ks").await;
    let mut ana = Browser::of("ana", &local).await;
    let page = ana.get(&format!("/runs/{run}")).await;
    let path = format!("/runs/{run}/cancel");
    for typed in ["", "yes"] {
        let refused = ana.send(&page, &path, &[("reason", "a mistake"), ("confirm", typed)]).await;
        assert_eq!(refused.status, 422, "typed `{typed}`");
        assert!(refused.says("Type `cancel` to confirm"), "{}", refused.text());
    }
    let done = ana.send(&page, &path, &[("reason", "a mistake"), ("confirm", "Cancel")]).await;
    assert_eq!(done.status, 303);
    let page = ana.get(done.header("location")).await;
    assert!(page.says("Cancelled: a mistake."), "{}", page.text());
    assert_eq!(page.actions(), Vec::<String>::new(), "a run that is over offers no action");
}

#[tokio::test]
async fn a_run_is_handed_over_and_its_checks_and_clocks_are_worked_on_the_page() {
    let local = Local::start().await;
    let [_, _, (name, flow), _] = meshline_tests::EXAMPLES;
    let more = "qa: {routing: [{id: links, title: Links work, pass_when: manual, within: 1d}]}\npause: {budget: 1d}\n";
    assert_eq!(local.apply(&[(name, &format!("{flow}\n{more}"))]).await.0, 200);
    let run = local.opened("5Ks").await;
    let mut ana = Browser::of("ana", &local).await;
    for (path, fields, says) in [
        ("reassign", vec![("to", "role:revops"), ("reason", "knows the CRM")], "handed over to Dev Patel"),
        (
            "checks/links/fail",
            vec![("reason", "two are dead")],
            "Check \u{201c}Links work\u{201d} failed: two are dead",
        ),
        ("checks/links/pass", vec![("evidence", "")], "Check \u{201c}Links work\u{201d} passed"),
        ("pause", vec![("reason", "legal hold")], "clocks stand still until"),
        ("resume", vec![], "Resumed. The clocks run again."),
        ("exceptions", vec![("reason", "the deck is wrong"), ("outcome", "")], "Raised by a person"),
    ] {
        let page = ana.get(&format!("/runs/{run}")).await;
        let action = format!("/runs/{run}/{path}");
        assert!(page.actions().contains(&action), "no form for {path}");
        let done = ana.send(&page, &action, &fields).await;
        assert_eq!(done.status, 303, "{path}: {}", done.text());
        let page = ana.get(done.header("location")).await;
        assert!(page.says(says), "{path}: {}", page.text());
    }
}
