//! What must hold for any request.

use crate::common::{URL, now, source};
use meshline_core::config::source::{Provider, Source};
use meshline_core::time::Time;
use meshline_sources::{Delivery, Unreadable, contentful, greeting, hubspot, normalise, verify};
use proptest::prelude::*;
use serde_json::json;

const SECRET: &str = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ+/";

fn sources() -> Vec<Source> {
    let generic = |verify| {
        source("generic", json!({"verify": verify, "subject": "x:${data.id}", "occurred_at": "${data.at}"}))
    };
    let built_in = Provider::ALL.map(source_of);
    let described = vec![
        generic(json!({"scheme": "hmac-sha256", "header": "x-sig", "prefix": "sha256="})),
        generic(json!({"scheme": "hmac-sha1", "header": "x-sig", "encoding": "base64"})),
        generic(json!({"scheme": "token"})),
        generic(json!({"scheme": "basic"})),
        generic(json!({"scheme": "standard-webhooks"})),
    ];
    built_in.into_iter().chain(described).collect()
}

fn source_of(provider: Provider) -> Source {
    source(serde_json::to_value(provider).unwrap().as_str().unwrap(), json!({}))
}

/// Header names that some adapter reads, and any other.
fn header_name() -> impl Strategy<Value = String> {
    let known = prop::sample::select(vec![
        "x-contentful-signature",
        "x-contentful-signed-headers",
        "x-contentful-timestamp",
        "x-contentful-topic",
        "X-HubSpot-Signature-v3",
        "X-HubSpot-Request-Timestamp",
        "webhook-id",
        "webhook-timestamp",
        "webhook-signature",
        "authorization",
        "x-sig",
        "sanity-webhook-signature",
        "x-ghost-signature",
        "x-ghost-request-timestamp",
        "x-wc-webhook-signature",
        "x-webflow-signature",
        "x-webflow-timestamp",
        "gcms-signature",
        "x-slack-signature",
        "x-slack-request-timestamp",
        "x-hub-signature",
        "x-hub-signature-256",
        "x-hook-signature",
        "x-hook-secret",
    ]);
    prop_oneof![4 => known.prop_map(str::to_owned), 1 => any::<String>()]
}

fn header_value() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[0-9]{1,20}",
        "(v1,)?[A-Za-z0-9+/]{43}=",
        "(sha256=|v0=)?[0-9a-f]{64}(, t=[0-9]{13})?",
        "t=[0-9]{13},v1=[A-Za-z0-9_-]{43}",
        "sign=[A-Za-z0-9+/]{43}=, env=[a-z]{0,6}, t=[0-9]{13}",
        "Bearer [A-Za-z0-9_-]{0,20}\\.[A-Za-z0-9_-]{0,20}\\.[A-Za-z0-9_-]{0,20}",
        "(x-contentful-topic|webhook-id|,|\u{e9}){1,6}",
        "(Basic|sha256=) ?[A-Za-z0-9+/=]{0,40}",
    ]
}

fn json_body() -> impl Strategy<Value = Vec<u8>> {
    let leaf = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(|b| json!(b)),
        any::<i64>().prop_map(|n| json!(n)),
        any::<f64>().prop_map(|n| json!(n)),
        any::<String>().prop_map(|s| json!(s)),
    ];
    let key = prop_oneof![
        "(sys|id|fields|title|data|type|objectId|subscriptionType|occurredAt|timestamp|at)",
        any::<String>()
    ];
    let value = leaf.prop_recursive(4, 24, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(|list| json!(list)),
            prop::collection::btree_map(key.clone(), inner, 0..5).prop_map(|map| json!(map)),
        ]
    });
    value.prop_map(|value| value.to_string().into_bytes())
}

/// Form fields and XML, well formed and not.
fn other_body() -> impl Strategy<Value = Vec<u8>> {
    let form = "([a-z]{0,4}(\\[[a-z]{0,3}\\]){0,3}=[ -~]{0,6}&){0,6}";
    let xml = "(<[a-zN]{1,4}( [a-z:]{1,4}=\"[a-z&;]{0,4}\")?/?>|</[a-zN]{1,4}>|[a-z &;#0-9]{0,5}|<!--|-->|<!\\[CDATA\\[|\\]\\]>){0,12}";
    prop_oneof![form.prop_map(String::into_bytes), xml.prop_map(String::into_bytes)]
}

proptest! {
    #[test]
    fn nothing_panics_and_nothing_unsigned_is_believed(
        headers in prop::collection::vec((header_name(), header_value()), 0..8),
        body in prop_oneof![1 => any::<Vec<u8>>(), 3 => json_body(), 2 => other_body()],
        url in any::<String>(),
        method in any::<String>(),
        secrets in prop::collection::vec(any::<String>(), 0..3),
        now_ms in any::<i64>(),
    ) {
        let now = Time::from_unix_ms(now_ms);
        let delivery = Delivery { method: &method, url: &url, headers: &headers, body: &body };
        for source in sources() {
            prop_assert!(verify(&source, &secrets, &delivery, now).is_err());
            greeting(&source, &secrets, &delivery, now);
            if let Ok(read) = normalise(&source, &delivery, now) {
                for event in read.events {
                    prop_assert!(!event.subject.is_empty() && event.subject.len() <= 512);
                    prop_assert!(!event.id.is_empty() && event.id.len() <= 256);
                    prop_assert_eq!(event.source, &*source.id);
                }
            }
        }
    }

    #[test]
    fn a_signed_request_is_believed_and_with_one_bit_flipped_it_is_not(
        body in prop::collection::vec(any::<u8>(), 1..200),
        query in "[ -~é]{0,20}",
        at in any::<prop::sample::Index>(),
        bit in 0..8_u8,
    ) {
        let url = format!("{URL}{query}");
        let mut flipped = body.clone();
        flipped[at.index(body.len())] ^= 1 << bit;
        let topic = crate::common::headers(&[("X-Contentful-Topic", "ContentManagement.Entry.publish")]);
        for (source, headers) in [
            (source("contentful", json!({})), contentful::sign(SECRET, "POST", &url, &topic, &body, now())),
            (source("hubspot", json!({})), hubspot::sign(SECRET, "POST", &url, &body, now())),
        ] {
            let check = |body, secret: &str| {
                verify(&source, &[secret.to_owned()], &Delivery { method: "POST", url: &url, headers: &headers, body }, now())
            };
            prop_assert_eq!(check(&body, SECRET), Ok(()));
            prop_assert!(check(&flipped, SECRET).is_err());
            prop_assert!(check(&body, &SECRET.to_uppercase()).is_err());
        }
    }

    #[test]
    fn a_signed_request_with_another_header_is_not_believed(
        at in any::<prop::sample::Index>(),
        value in "[!-~]{1,70}",
    ) {
        let topic = crate::common::headers(&[("X-Contentful-Topic", "ContentManagement.Entry.publish")]);
        for (source, headers) in [
            (source("contentful", json!({})), contentful::sign(SECRET, "POST", URL, &topic, b"{}", now())),
            (source("hubspot", json!({})), hubspot::sign(SECRET, "POST", URL, b"{}", now())),
        ] {
            let mut changed = headers.clone();
            changed[at.index(headers.len())].1.clone_from(&value);
            prop_assume!(changed != headers);
            let delivery = Delivery { method: "POST", url: URL, headers: &changed, body: b"{}" };
            prop_assert!(verify(&source, &[SECRET.to_owned()], &delivery, now()).is_err());
        }
    }
}

#[test]
#[expect(clippy::disallowed_methods, reason = "it is measured how long it takes")]
fn a_signed_body_that_is_deep_or_huge_is_refused_at_once() {
    let deep = "[".repeat(500_000) + &"]".repeat(500_000);
    let deep_xml = "<a>".repeat(300_000);
    let wide = format!("[{}1]", "1,".repeat(500_000));
    let fields = "a[b]=1&".repeat(140_000);
    let huge = format!("\"{}\"", "a".repeat(1 << 20));
    for provider in Provider::ALL {
        for body in [&deep, &deep_xml, &wide, &fields, &huge] {
            let delivery = Delivery { method: "POST", url: URL, headers: &[], body: body.as_bytes() };
            let begun = std::time::Instant::now();
            assert!(normalise(&source_of(provider), &delivery, now()).is_err(), "{provider:?}");
            // The budget is 50 ms of an optimised build; this one is not, and other tests run beside it.
            let took = begun.elapsed();
            assert!(took < std::time::Duration::from_secs(2), "{provider:?} {:.20}: {took:?}", body);
        }
    }
}

#[test]
fn a_long_body_is_not_copied_for_very_many_events() {
    let filling = "a".repeat(900_000);
    let nine_hundred = vec!["1"; 900].join(",");
    for (provider, list) in [(Provider::Prismic, "documents"), (Provider::Directus, "keys")] {
        let body = format!(
            r#"{{"type":"api-update","event":"e","collection":"c","filling":"{filling}","{list}":[{nine_hundred}]}}"#
        );
        let delivery = Delivery { method: "POST", url: URL, headers: &[], body: body.as_bytes() };
        let read = normalise(&source_of(provider), &delivery, now());
        assert_eq!(read, Err(Unreadable::TooManyEvents(900)), "{provider:?}");
    }
}
