//! What event each provider's delivery becomes: of the vectors' bodies, and of every real payload that was collected.

use meshline_core::event::Event;
use meshline_sources::vectors::{self, Vector};
use meshline_sources::{Delivery, Normalised, Unreadable, normalise};
use serde_json::json;

use crate::common::{URL, headers, now, source};

/// Each event in a line, without its data.
fn line(event: &Event) -> String {
    let or = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
    let at = event.occurred_at.map_or_else(|| "-".to_owned(), |at| at.to_string());
    let Event { kind, subject, actor, title, url, .. } = event;
    format!("{kind} | {subject} | {at} | {} | {} | {}", or(actor), or(title), or(url))
}

fn lines(read: &Result<Normalised, Unreadable>) -> Vec<String> {
    match read {
        Ok(read) => {
            let bad = read.unreadable.iter().map(|why| format!("unreadable: {why}"));
            read.events.iter().map(line).chain(bad).collect()
        }
        Err(why) => vec![format!("unreadable: {why}")],
    }
}

fn vectors() -> Vec<Vector> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/vectors.json");
    vectors::read(&std::fs::read(path).unwrap()).unwrap()
}

#[test]
fn a_believed_delivery_of_each_provider_becomes_its_events() {
    let mut told = Vec::new();
    for vector in vectors().iter().filter(|vector| vector.valid && vector.expected_response.is_none()) {
        let is_shown = ["valid-basic", "valid-static-header", "valid-body-secret", "valid-url-secret"]
            .contains(&vector.case.as_str());
        let is_shown =
            is_shown || vector.case.starts_with("valid-basic") || vector.case == "valid-post-deleted";
        if !is_shown || ["contentful", "hubspot", "standard-webhooks"].contains(&vector.provider.as_str()) {
            continue;
        }
        let source = source(&vector.provider, json!({}));
        told.push(format!("{} {}", vector.provider, vector.case));
        told.extend(lines(&vector.read_by(&source)).into_iter().map(|line| format!("  {line}")));
    }
    insta::assert_snapshot!("events-of-vectors", told.join("\n"));
}

/// The event's type that the collected payloads' files need from a header, or from the source.
fn sent_with(name: &str) -> Vec<(String, String)> {
    headers(match name {
        _ if name.starts_with("github-ping") => &[("x-github-event", "ping")],
        _ if name.starts_with("github-pull_request") => &[("x-github-event", "pull_request")],
        _ if name.starts_with("github-release") => &[("x-github-event", "release")],
        _ if name.starts_with("woocommerce-deleted") => &[("x-wc-webhook-topic", "product.deleted")],
        _ if name.starts_with("woocommerce-") => &[("x-wc-webhook-topic", "product.updated")],
        _ if name.starts_with("wp-webhooks-") => &[("x-wp-webhook-name", "post_update")],
        _ if name.starts_with("sanity-") => &[("sanity-operation", "create")],
        _ if name.starts_with("contentful-") => &[
            ("x-contentful-topic", "ContentManagement.Entry.publish"),
            ("x-contentful-signed-headers", "x-contentful-topic,x-contentful-timestamp"),
        ],
        _ if name.starts_with("standard-webhooks-") => &[("webhook-id", "msg_1")],
        _ => &[],
    })
}

/// The types of the events that one would expect of each collected file; the shapes have no values to read.
const EXPECTED: [(&str, &[&str]); 36] = [
    ("asana-events.json", &["task.changed"]),
    ("asana-heartbeat.json", &[]),
    ("contentful-entry-publish-2020.json", &["Entry.publish"]),
    ("contentful-entry-publish.json", &["Entry.publish"]),
    ("customerio-email-sent.json", &["email.sent"]),
    ("datocms-item-update.json", &["item.update"]),
    ("directus-flow-trigger.shape.json", &["articles.items.update"]),
    ("ghost-post-published.shape.json", &["post.published"]),
    ("github-ping.json", &[]),
    ("github-pull_request-closed.json", &["pull_request.closed"]),
    ("github-release-published.json", &["release.published"]),
    ("hubspot-batch-propertychange-and-creation.json", &["contact.propertyChange", "contact.creation"]),
    ("hubspot-contact-creation.json", &["contact.creation"]),
    ("hygraph-update-anonymised.json", &["update"]),
    ("jira-issue-updated.json", &["jira:issue_updated"]),
    ("kontent-ai-item-published.json", &["content_item.published"]),
    ("kontent-ai-item-workflow-changed.json", &["content_item.workflow_step_changed.preview"]),
    ("mailchimp-subscribe.form", &["subscribe"]),
    ("pipedrive-deal-change.json", &["deal.change"]),
    ("prismic-api-update.json", &["api-update"]),
    ("salesforce-outbound-message.xml", &["Opportunity"]),
    ("sanity-document.json", &["create"]),
    ("slack-app-mention-schema.json", &["unreadable"]),
    ("slack-app-mention.json", &["app_mention"]),
    ("slack-url-verification.json", &[]),
    ("standard-webhooks-contact-created.json", &["contact.created"]),
    ("storyblok-published.json", &["published"]),
    ("storyblok-workflow-stage-changed.json", &["workflow_stage_changed"]),
    ("strapi-entry-publish.json", &["entry.publish"]),
    ("strapi-media-create.json", &["media.create"]),
    ("webflow-collection-item-unpublished.shape.json", &["unreadable"]),
    ("webflow-form-submission.json", &["form_submission"]),
    ("webflow-site-publish.shape.json", &["unreadable"]),
    ("woocommerce-deleted.json", &["product.deleted"]),
    ("woocommerce-product.json", &["product.updated"]),
    ("wp-webhooks-post-update.json", &["post_update"]),
];

#[test]
fn every_collected_real_payload_becomes_the_events_that_one_would_expect() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/webhooks/payloads");
    if !std::fs::exists(folder).unwrap() {
        return; // the collection is not part of this repository
    }
    let known = meshline_core::config::source::Provider::ALL
        .map(|provider| serde_json::to_value(provider).unwrap().as_str().unwrap().to_owned());
    for (name, expected) in EXPECTED {
        let provider = known.iter().find(|known| name.starts_with(known.as_str())).expect("a provider");
        let body = std::fs::read(format!("{folder}/{name}")).unwrap();
        let headers = sent_with(name);
        let delivery = Delivery { method: "POST", url: URL, headers: &headers, body: &body };
        let told = lines(&normalise(&source(provider, json!({})), &delivery, now()));
        let types: Vec<&str> = told.iter().map(|line| line.split([' ', ':']).next().unwrap()).collect();
        let expected: Vec<&str> = expected.iter().map(|kind| kind.split(':').next().unwrap()).collect();
        assert_eq!(types, expected, "{name}: {told:?}");
    }
}

#[test]
fn a_salesforce_message_is_many_notifications_and_is_acknowledged_in_soap() {
    let notification = |n: usize| {
        format!(
            "<Notification><Id>04l{n}</Id><sObject xsi:type=\"sf:Opportunity\" xmlns:sf=\"urn:sobject\"><sf:Id>006{n}</sf:Id>\
             <sf:Name>A &amp; B &#233; {n}</sf:Name><sf:LastModifiedDate>2026-11-23T08:59:00.000Z</sf:LastModifiedDate></sObject></Notification>"
        )
    };
    let body = |notifications: &str| {
        format!(
            "<?xml version=\"1.0\"?><soapenv:Envelope xmlns:soapenv=\"s\"><soapenv:Body><notifications>\
             <OrganizationId>00D1</OrganizationId>{notifications}</notifications></soapenv:Body></soapenv:Envelope>"
        )
    };
    let source = source("salesforce", json!({}));
    let read = |body: &str| {
        let delivery = Delivery { method: "POST", url: URL, headers: &[], body: body.as_bytes() };
        normalise(&source, &delivery, now())
    };
    let both = read(&body(&(notification(1) + &notification(2)))).unwrap();
    assert_eq!(
        both.events.iter().map(line).collect::<Vec<_>>(),
        [
            "Opportunity | salesforce:Opportunity:0061 | 2026-11-23T08:59:00.000Z | - | A & B é 1 | -",
            "Opportunity | salesforce:Opportunity:0062 | 2026-11-23T08:59:00.000Z | - | A & B é 2 | -",
        ]
    );
    assert_eq!(both.events[1].id, "04l2");
    assert!(both.reply.unwrap().body.contains("<Ack>true</Ack>"));
    let deep = "<a>".repeat(200);
    let wide: String = (0..90_000).map(|n| format!(" a{n}=''")).collect();
    let wide = format!("<a{wide}/>");
    for bad in ["", "<a>", "{}", "<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>", "<a>&b;</a>", &deep, &wide] {
        assert!(read(bad).is_err(), "{bad}");
    }
}

#[test]
fn what_providers_hide_in_their_bodies_is_not_kept() {
    let prismic = br#"{"type":"api-update","documents":["d1","d2"],"secret":"s3cr3t"}"#;
    let slack = br#"{"type":"event_callback","token":"s3cr3t","event":{"type":"message","channel":"C1"},"event_id":"E1"}"#;
    for (provider, body, events) in [("prismic", &prismic[..], 2), ("slack", &slack[..], 1)] {
        let delivery = Delivery { method: "POST", url: URL, headers: &[], body };
        let read = normalise(&source(provider, json!({})), &delivery, now()).unwrap();
        assert_eq!(read.events.len(), events);
        assert!(!serde_json::to_string(&read.events).unwrap().contains("s3cr3t"), "{provider}");
    }
}

#[test]
fn a_slack_button_and_a_command_are_read() {
    let payload =
        r#"{"type":"block_actions","trigger_id":"T1","token":"t","user":{"id":"U1"},"channel":{"id":"C1"}}"#;
    let encoded: String = payload.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let command = "command=%2Flaunch&text=now&user_id=U1&channel_id=C1&trigger_id=T2";
    let read = |body: &str| {
        let delivery = Delivery { method: "POST", url: URL, headers: &[], body: body.as_bytes() };
        lines(&normalise(&source("slack", json!({})), &delivery, now()))
    };
    assert_eq!(read(&format!("payload={encoded}")), ["block_actions | slack:C1 | - | U1 | - | -"]);
    assert_eq!(read(command), ["command/launch | slack:C1 | - | U1 | - | -"]);
}
