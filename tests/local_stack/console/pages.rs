//! What each page tells, what it weighs, and what browsers are told about it.

use meshline_core::time::Span;
use meshline_tests::{Local, campaign_tag, header};
use serde_json::json;

use super::browser::Browser;
use super::late;

/// The most that a page may weigh.
const MAX_BYTES: usize = 100_000;

#[tokio::test]
async fn a_newcomer_is_told_the_three_commands() {
    let local = Local::start_with(None).await;
    let page = Browser::new(&local).get("/").await;
    for command in ["meshline init my-flows", "meshline plan my-flows", "meshline apply my-flows"] {
        assert!(page.says(command), "{}", page.text());
    }
    let local = Local::start().await;
    let page = Browser::new(&local).get("/").await;
    assert!(page.says("No run is open") && page.says("Nothing is late."), "{}", page.text());
}

#[tokio::test]
async fn today_tells_what_is_late_due_unacknowledged_and_for_a_person_to_resolve() {
    let local = Local::start().await;
    let mut reader = Browser::new(&local);
    let run = local.opened("5Ks").await;
    let page = reader.get("/").await;
    let due =
        "Due within 24 hours 1 Spring launch Blog post to product launch · Ana Reyes · 0 of 3 outcomes done";
    assert!(page.says(due), "{}", page.text());
    assert!(page.says("due in 2 h 23 Nov 11:00 UTC") && page.says("Nothing is late."), "{}", page.text());

    local.advance(Span::hours(3)).await;
    let page = reader.get("/").await;
    assert!(page.says("1 Overdue 1 Due within 24 h 1 Not acknowledged 1 Open exceptions"), "{}", page.text());
    assert!(page.says("was due 1 h ago 23 Nov 11:00 UTC"), "{}", page.text());
    assert!(page.says("to acknowledge in 1 h"), "{}", page.text());
    assert!(page.says("Deadline passed · Blog post to product launch · for Cleo Martin"), "{}", page.text());
    assert!(page.html.contains(&format!("href=\"/runs/{run}\"")));
    assert!(
        page.html.contains("<time datetime=\"2026-11-23T11:00:00.000Z\" title=\"2026-11-23 11:00 UTC\">")
    );

    assert!(reader.get("/?flow=lead-form").await.says("Nothing is late."));
    assert!(reader.get("/?owner=ben").await.says("Nothing is late."));
    assert!(reader.get("/?owner=ana").await.says("was due 1 h ago"));
    assert!(!page.says("Yours"));
    assert!(Browser::of("ana", &local).await.get("/").await.says("Yours 1 Spring launch"));
    assert!(!Browser::of("ben", &local).await.get("/").await.says("Yours"));
}

#[tokio::test]
async fn a_run_says_why_it_is_late_who_is_to_act_and_what_comes_next() {
    let local = Local::start().await;
    let run = late(&local).await;
    let page = Browser::new(&local).get(&format!("/runs/{run}")).await;
    for words in [
        "Campaign tag on the CRM record is overdue: it was due 23 Nov 11:00 UTC, 1 h ago.",
        "It counts as done when hubspot sends contact.propertyChange that matches; that has not come.",
        "crm-automation was asked for it 3 h ago.",
        "It is revops\u{2019}s to bring about.",
        "Escalation goes on 25 Nov 11:00 UTC, in 1 d 23 h: handed to the backup owner; ops-lead told.",
        "3 h used, 1 h more than there were",
        "3 h of 6 h used",
        "Starts when done: Campaign tag on the CRM record",
        "Expected \u{201c}Campaign tag on the CRM record\u{201d} by 23 Nov 11:00 UTC; seen nothing that verifies it.",
        "For Cleo Martin to resolve by 24 Nov 11:00 UTC, in 23 h",
        "Step 1 of \u{201c}deadline passed\u{201d} for \u{201c}Campaign tag on the CRM record\u{201d}, high: Dev Patel, Cleo Martin told",
        "unbroken from the first to where the run stands now",
        // The picture, for those who do not see it.
        "contentful: Entry.publish, 23 Nov 09:00 UTC",
        "Campaign tag on the CRM record: due 23 Nov 11:00 UTC",
    ] {
        assert!(page.says(words), "{words}\n\n{}", page.text());
    }
    assert!(page.html.contains("href=\"https://wiki.example.com/playbooks/late-outcome\""));
}

#[tokio::test]
async fn a_flow_shows_its_way_its_ladders_its_promises_and_its_last_triggers() {
    let local = Local::start().await;
    late(&local).await;
    local.hubspot("5Ks", &[campaign_tag()]).await;
    local.settle().await;
    let mut reader = Browser::new(&local);
    let page = reader.get("/flows/blog-launch").await;
    for words in [
        "A run opens when contentful sends Entry.publish that matches.",
        "4h to acknowledge",
        "2h Campaign tag on the CRM record",
        "Done when somebody says so here; starts after crm-tag",
        "90% of runs to be met within 60d",
        "Deadline passed 2d Handed to the backup owner; ops-lead told critical",
        "0 % of decided runs met, 90 % promised",
        "Last triggers Spring launch",
    ] {
        assert!(page.says(words), "{words}\n\n{}", page.text());
    }
    assert!(reader.get("/flows").await.says("product-marketing, then marketing-ops · 3 outcomes"));
    assert!(reader.get("/reports").await.says("Campaign tag on the CRM record 0 1 0 3 h 3 h"));
    let by_owner = reader.get("/reports?by=owner").await;
    assert!(by_owner.says("Ana Reyes 1 0 1 0 0 %"), "{}", by_owner.text());
    assert!(reader.get("/reports?by=client").await.says("No client 1 0 1 0 0 %"));
    assert_eq!(reader.get("/reports?by=colour").await.status, 400);
    let subject = reader.get("/subjects/contentful%3A5Ks").await;
    assert!(subject.says("hubspot contact.propertyChange"), "{}", subject.text());
    assert!(
        subject.says("\u{201c}Campaign tag on the CRM record\u{201d} is done, late"),
        "{}",
        subject.text()
    );
}

#[tokio::test]
async fn runs_are_listed_page_by_page() {
    let local = Local::start().await;
    for n in 0..3 {
        local.publish(&format!("asset-{n}")).await;
    }
    local.settle().await;
    let mut reader = Browser::new(&local);
    let first = reader.get("/runs?flow=blog-launch&limit=2").await;
    assert!(first.says("These are 2, newest first. Older ones"), "{}", first.text());
    let next = first.html.split("<p class=\"more\">").nth(1).unwrap().split("href=\"").nth(1).unwrap();
    let next = next.split('"').next().unwrap().replace("&amp;", "&");
    let second = reader.get(&next).await;
    assert_eq!(second.html.matches("class=\"title\"").count(), 1, "{}", second.text());
    assert!(reader.get("/runs?status=closed").await.says("No run is like that."));
}

#[tokio::test]
async fn what_is_not_there_is_said_in_words() {
    let local = Local::start().await;
    let mut reader = Browser::new(&local);
    for path in ["/runs/nobody-01M8", "/flows/none", "/subjects/none", "/runs/a/b", "/assets/other.js"] {
        let page = reader.get(path).await;
        assert_eq!(page.status, 404, "{path}");
        assert!(
            page.says("There is nothing at this address") && page.says("Back to Today"),
            "{}",
            page.text()
        );
    }
    let (status, _) = local.send("DELETE", "/runs/x", &[header("accept", "text/html")], Vec::new()).await;
    assert_eq!(status, 405);
}

#[tokio::test]
async fn every_page_is_light_guarded_and_laid_out_for_all() {
    let local = Local::start().await;
    let run = late(&local).await;
    // A trail longer than any page shows of it.
    for n in 0..100 {
        local.post(&format!("/v1/runs/{run}/note"), &json!({"text": format!("note {n}")})).await;
    }
    let mut reader = Browser::of("ana", &local).await;
    let run = format!("/runs/{run}");
    for path in [
        "/",
        "/runs",
        &run,
        "/exceptions",
        "/flows",
        "/flows/blog-launch",
        "/reports",
        "/subjects/contentful%3A5Ks",
        "/_local/sign-in",
    ] {
        let page = reader.get(path).await;
        assert!(page.html.len() < MAX_BYTES, "{path} weighs {} bytes", page.html.len());
        let policy = page.header("content-security-policy");
        for part in [
            "default-src 'none'",
            "style-src 'self'",
            "script-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        ] {
            assert!(policy.contains(part), "{path}: {policy}");
        }
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(page.header("x-content-type-options"), "nosniff");
        assert_eq!(page.header("referrer-policy"), "same-origin");
        assert_eq!(page.header("cross-origin-opener-policy"), "same-origin");
        assert_eq!(page.header("cache-control"), "no-store");
        assert!(
            !page.html.contains(" style=")
                && !page.html.contains("<style")
                && !page.html.contains(" onclick=")
        );
        assert_eq!(page.html.matches("<h1").count(), 1, "{path}");
        for landmark in [
            "<html lang=\"en\">",
            "<main id=\"main\"",
            "<header",
            "<nav aria-label=",
            "href=\"#main\"",
            "name=\"viewport\"",
        ] {
            assert!(page.html.contains(landmark), "{path} has no {landmark}");
        }
        assert_eq!(page.html.matches("<table").count(), page.html.matches("<caption>").count(), "{path}");
        assert!(!page.html.contains("<th>"), "{path}: a heading of a table says what it heads");
        let ids: Vec<&str> =
            page.html.split(" id=\"").skip(1).map(|id| id.split('"').next().unwrap()).collect();
        let once: std::collections::BTreeSet<&&str> = ids.iter().collect();
        assert_eq!(ids.len(), once.len(), "{path} has an id twice: {ids:?}");
        for label in page.html.split("<label for=\"").skip(1).map(|id| id.split('"').next().unwrap()) {
            assert!(ids.contains(&label), "{path}: the label of {label} stands for nothing");
        }
    }
    let page = reader.get(&run).await;
    assert!(page.says("The newest 100 of"), "{}", page.text());
    for asset in page.html.split("=\"/assets/").skip(1).map(|asset| asset.split('"').next().unwrap()) {
        let asset = reader.get(&format!("/assets/{asset}")).await;
        assert_eq!(
            (asset.status, asset.header("cache-control")),
            (200, "public, max-age=31536000, immutable")
        );
    }
    assert_eq!(reader.get("/assets/console.css").await.header("cache-control"), "no-store");
}

#[tokio::test]
async fn an_asset_with_a_slash_has_its_page_also_where_paths_come_decoded() {
    let local = Local::start().await;
    local.opened("5Ks/a").await;
    for path in ["/subjects/contentful%3A5Ks%2Fa", "/subjects/contentful:5Ks/a"] {
        let page = Browser::new(&local).get(path).await;
        assert!(page.status == 200 && page.says("opened the run for Ana Reyes"), "{path}: {}", page.text());
    }
}
