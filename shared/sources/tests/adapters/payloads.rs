//! Events made of bodies in the shape of each provider's real payloads.

use crate::common::{URL, headers, now, source};
use meshline_core::event::Event;
use meshline_sources::{Delivery, Normalised, Unreadable, contentful, hubspot, normalise, verify};
use serde_json::json;

const CONTENTFUL_SECRET: &str = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ+/";

fn publish_headers() -> Vec<(String, String)> {
    headers(&[
        ("X-Contentful-Topic", "ContentManagement.Entry.publish"),
        ("X-Contentful-Idempotency-Key", "5d1fb7c0a9"),
        ("X-Contentful-Event-Datetime", "2026-11-23T08:59:58.587Z"),
        ("Content-Type", "application/vnd.contentful.management.v1+json"),
    ])
}

fn read(
    provider: &str,
    fields: serde_json::Value,
    headers: &[(String, String)],
    body: &[u8],
) -> Result<Normalised, Unreadable> {
    normalise(&source(provider, fields), &Delivery { method: "POST", url: URL, headers, body }, now())
}

fn one(normalised: Result<Normalised, Unreadable>) -> Event {
    let Normalised { mut events, unreadable, .. } = normalised.unwrap();
    assert_eq!((events.len(), unreadable), (1, vec![]));
    events.remove(0)
}

const PUBLISH: &[u8] = include_bytes!("../fixtures/contentful-entry-publish.json");
const UNPUBLISH: &[u8] = include_bytes!("../fixtures/contentful-entry-unpublish.json");
const BATCH: &[u8] = include_bytes!("../fixtures/hubspot-batch.json");
const CREATION: &[u8] = include_bytes!("../fixtures/hubspot-creation.json");
const STANDARD: &[u8] = include_bytes!("../fixtures/standard-webhooks.json");

#[test]
fn a_contentful_publish_is_believed_and_read() {
    let source = source("contentful", json!({}));
    let headers = contentful::sign(CONTENTFUL_SECRET, "POST", URL, &publish_headers(), PUBLISH, now());
    let delivery = Delivery { method: "POST", url: URL, headers: &headers, body: PUBLISH };
    assert_eq!(verify(&source, &[CONTENTFUL_SECRET.to_owned()], &delivery, now()), Ok(()));
    insta::assert_json_snapshot!("contentful-entry-publish", one(normalise(&source, &delivery, now())));
}

#[test]
fn contentful_facts_come_from_signed_headers_only() {
    let signed = |list: &str| {
        let mut all = publish_headers();
        all.push(("X-Contentful-Signed-Headers".to_owned(), list.to_owned()));
        read("contentful", json!({}), &all, PUBLISH)
    };
    let event = one(signed("content-type,x-contentful-topic"));
    assert_eq!(event.id.len(), 32, "a hash stands in for the unsigned idempotency key");
    assert_eq!(event.occurred_at.unwrap().to_string(), "2026-11-23T08:59:58.354Z", "updatedAt of the body");
    assert_eq!(one(signed("x-contentful-topic")).id, event.id, "a retry has the same id");
    assert_eq!(signed("content-type"), Err(Unreadable::UnsignedHeader("x-contentful-topic")));
    assert_eq!(
        read("contentful", json!({}), &[], PUBLISH),
        Err(Unreadable::MissingHeader("x-contentful-topic"))
    );
}

#[test]
fn a_contentful_unpublish_has_no_fields_and_names_who_deleted() {
    let topic = headers(&[("X-Contentful-Topic", "ContentManagement.Entry.unpublish")]);
    let headers = contentful::sign(CONTENTFUL_SECRET, "POST", URL, &topic, UNPUBLISH, now());
    let event = one(read("contentful", json!({}), &headers, UNPUBLISH));
    assert_eq!(
        (event.kind.as_str(), event.subject.as_str()),
        ("Entry.unpublish", "contentful:3tVbKq09XfGmZpL2yRwNs8")
    );
    assert_eq!(event.actor.as_deref(), Some("6uHcM3bJf7Gi2XoTq9WySr"));
    assert_eq!(event.occurred_at.unwrap().to_string(), "2026-11-23T08:59:31.007Z");
    assert_eq!(event.title, None);
}

#[test]
fn a_hubspot_batch_gives_its_good_events_and_names_the_bad() {
    let secret = "7c2f5d1e-app-secret";
    let source = source("hubspot", json!({}));
    let headers = hubspot::sign(secret, "POST", URL, BATCH, now());
    let delivery = Delivery { method: "POST", url: URL, headers: &headers, body: BATCH };
    assert_eq!(verify(&source, &[secret.to_owned()], &delivery, now()), Ok(()));
    let Normalised { events, unreadable, .. } = normalise(&source, &delivery, now()).unwrap();
    insta::assert_json_snapshot!("hubspot-batch", events);
    let texts: Vec<String> = unreadable.iter().map(ToString::to_string).collect();
    assert_eq!(
        texts,
        ["event 2 of the batch: the event's subject is missing: there is no value at `data.objectId`"]
    );
}

#[test]
fn a_hubspot_subject_template_finds_the_asset_in_each_element() {
    let fields = json!({"subject": "contentful:${data.asset_id}"});
    let Normalised { events, unreadable, .. } = read("hubspot", fields, &[], BATCH).unwrap();
    let subjects: Vec<&str> = events.iter().map(|event| event.subject.as_str()).collect();
    assert_eq!(subjects, ["contentful:3tVbKq09XfGmZpL2yRwNs8"]);
    assert_eq!(unreadable.len(), 2);
}

#[test]
fn a_hubspot_creation_is_read_as_a_list_and_as_an_object() {
    let in_list = one(read("hubspot", json!({}), &[], CREATION));
    let text = std::str::from_utf8(CREATION).unwrap().trim();
    let alone = text.strip_prefix('[').unwrap().strip_suffix(']').unwrap();
    assert_eq!(one(read("hubspot", json!({}), &[], alone.as_bytes())), in_list);
    assert_eq!((in_list.kind.as_str(), in_list.subject.as_str()), ("deal.creation", "hubspot:deal:55012"));
    let numbered = br#"{"subscriptionType":"object.creation","objectTypeId":"0-1","objectId":5}"#;
    assert_eq!(one(read("hubspot", json!({}), &[], numbered)).subject, "hubspot:0-1:5");
}

#[test]
fn a_batch_has_at_most_a_thousand_events() {
    let batch = |n: usize| {
        let elements: Vec<_> =
            (0..n).map(|n| json!({"subscriptionType": "contact.creation", "objectId": n})).collect();
        read("hubspot", json!({}), &[], json!(elements).to_string().as_bytes())
    };
    assert_eq!(batch(1_000).unwrap().events.len(), 1_000);
    assert_eq!(batch(1_001), Err(Unreadable::TooManyEvents(1_001)));
    assert_eq!(batch(0).unwrap().events, vec![]);
    assert_eq!(read("hubspot", json!({}), &[], b"7"), Err(Unreadable::NotAnObject));
}

#[test]
fn a_standard_webhook_is_read() {
    let id = headers(&[("Webhook-Id", "msg_2Lantern")]);
    insta::assert_json_snapshot!(
        "standard-webhooks",
        one(read("standard-webhooks", json!({}), &id, STANDARD))
    );
}

#[test]
fn templates_override_what_the_provider_says_and_see_it() {
    let fields = json!({
        "event_id": "${source}-${id}", "type": "cms.${type}", "occurred_at": "${data.sys.createdAt}",
        "actor": "user:${actor}", "title": "${data.fields.title.de-DE}", "url": "https://cms.example.com/${data.sys.id}",
        "subject": "${data.sys.contentType.sys.id}:${data.sys.id}:${type}"
    });
    let headers = contentful::sign(CONTENTFUL_SECRET, "POST", URL, &publish_headers(), PUBLISH, now());
    let event = one(read("contentful", fields, &headers, PUBLISH));
    assert_eq!(event.id, "contentful-5d1fb7c0a9");
    assert_eq!(event.kind, "cms.Entry.publish");
    assert_eq!(event.occurred_at.unwrap().to_string(), "2026-10-02T08:11:09.120Z");
    assert_eq!(event.actor.as_deref(), Some("user:6uHcM3bJf7Gi2XoTq9WySr"));
    assert_eq!(event.title.as_deref(), Some("Laternen im Frühling"));
    assert_eq!(event.url.as_deref(), Some("https://cms.example.com/3tVbKq09XfGmZpL2yRwNs8"));
    assert_eq!(event.subject, "blogPost:3tVbKq09XfGmZpL2yRwNs8:cms.Entry.publish");
}

#[test]
fn what_is_too_long_is_refused_cut_or_dropped() {
    let generic = |body: serde_json::Value| {
        let fields = json!({"subject": "${data.s}", "event_id": "${data.i}", "title": "${data.t}", "url": "${data.u}", "occurred_at": "${data.at}"});
        read("generic", fields, &[], body.to_string().as_bytes())
    };
    let long = "é".repeat(2_000);
    let event =
        one(generic(json!({"s": "x", "i": 1, "t": long, "u": format!("https://{long}"), "at": "soon"})));
    assert_eq!((event.title.map(|title| title.len()), event.url, event.occurred_at), (Some(512), None, None));
    let refused = |s: &str, i: &str| generic(json!({"s": s, "i": i})).unwrap_err();
    assert_eq!(refused(&long, "1"), Unreadable::TooLong { field: "subject", bytes: 4_000, limit: 512 });
    assert_eq!(refused("x", &long), Unreadable::TooLong { field: "id", bytes: 4_000, limit: 256 });
    assert_eq!(refused("a\nb", "1"), Unreadable::Control("subject"));
    assert_eq!(refused("", "1"), Unreadable::Missing { field: "subject", path: "data.s".to_owned() });
}
