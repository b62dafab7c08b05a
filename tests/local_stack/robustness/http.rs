//! Requests: any method, address, query, header and body.

use axum::body::{Body, to_bytes};
use axum::http::{HeaderName, HeaderValue, Method, Request, Uri};
use meshline_aws::http::encoded;
use meshline_core::api::Route;
use meshline_local::gateway;
use meshline_tests::{EXAMPLES, Local};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use super::{Chance, cases, in_time, mutated, wild, wild_json};

/// Addresses beside the API's: pages of the console, and the local stack's own. `faults` makes failures when asked to.
const OTHERS: [&str; 18] = [
    "/",
    "/runs",
    "/runs/{run}",
    "/runs/{run}/acknowledge",
    "/exceptions",
    "/flows",
    "/flows/{flow}",
    "/flows/{flow}/exceptions/{x}/resolve",
    "/subjects/{subject}",
    "/reports",
    "/assets/{x}",
    "/sign-in",
    "/sign-in/callback",
    "/_local/clock",
    "/_local/queues/{x}",
    "/_local/bus",
    "/_local/inbox",
    "/_local/{x}/{y}",
];
const METHODS: [&str; 8] = ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "BREW"];
const QUERY: [&str; 21] = [
    "limit",
    "cursor",
    "flow",
    "status",
    "owner",
    "client",
    "overdue",
    "suppressed",
    "version",
    "sla",
    "from",
    "to",
    "dry_run",
    "day",
    "format",
    "by",
    "turns",
    "last",
    "group",
    "since",
    "until",
];
const HEADERS: [&str; 12] = [
    "content-type",
    "authorization",
    "idempotency-key",
    "traceparent",
    "x-amzn-trace-id",
    "cookie",
    "host",
    "date",
    "x-hubspot-signature-v3",
    "x-hubspot-request-timestamp",
    "x-contentful-signature",
    "x-contentful-topic",
];

/// A request.
#[derive(Debug, Clone)]
pub(super) struct Call {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) query: String,
    pub(super) headers: Vec<(&'static str, Vec<u8>)>,
    pub(super) body: Vec<u8>,
}

/// What a place of an address may hold: something that there is, or anything.
fn place(known: &[String]) -> BoxedStrategy<String> {
    prop_oneof![3 => select(known.to_vec()), 2 => wild()].boxed()
}

/// An address with its places filled.
fn path(known: &[String]) -> BoxedStrategy<(String, &'static str)> {
    let all = Route::ALL.iter().map(|route| (route.address(), route.method()));
    let all: Vec<_> = all.chain(OTHERS.map(|address| (address, "POST"))).collect();
    let filled = |((address, method), places): ((&str, &'static str), Vec<String>)| {
        let mut places = places.iter();
        let mut part = |part: &str| match part.starts_with('{') {
            true => encoded(places.next().unwrap()),
            false => part.to_owned(),
        };
        (address.split('/').map(&mut part).collect::<Vec<_>>().join("/"), method)
    };
    let anything = "(/[a-zA-Z0-9%.~_:-]{0,12}){1,6}".prop_map(|path| (path, "GET"));
    prop_oneof![9 => (select(all), vec(place(known), 2)).prop_map(filled), 1 => anything].boxed()
}

fn query(known: &[String]) -> BoxedStrategy<String> {
    let pair = (select(QUERY.to_vec()), place(known))
        .prop_map(|(name, value)| format!("{name}={}", encoded(&value)));
    let pairs = vec(pair, 0..4).prop_map(|pairs| pairs.join("&"));
    prop_oneof![4 => pairs, 1 => "[a-z0-9%&=+.]{0,30}"].boxed()
}

fn header() -> BoxedStrategy<(&'static str, Vec<u8>)> {
    let usual =
        ["application/json", "text/plain", "application/x-www-form-urlencoded", "Local ana", "Bearer x", "1"];
    let bytes = vec(any::<u8>().prop_filter("not in a header", |byte| *byte >= 32 && *byte != 127), 0..20);
    let value = prop_oneof![select(usual.to_vec()).prop_map(|text| text.as_bytes().to_vec()), bytes];
    (select(HEADERS.to_vec()), value).boxed()
}

/// Bodies that mean something.
fn real() -> Vec<Value> {
    let files: Vec<Value> = EXAMPLES.iter().map(|(name, text)| json!({"name": name, "text": text})).collect();
    vec![
        json!({"if_version": 1, "to": "person:ben", "reason": "x", "text": "x", "evidence": "x", "resolution": "x",
            "kind": "manual", "outcome": "crm-tag"}),
        json!({"files": files}),
        json!({"source": "contentful", "from": "2026-11-01", "to": "2026-12-01", "limit": 10, "cursor": null, "dry_run": false}),
        json!({"advance": "1m"}),
        json!([{"subscriptionType": "contact.propertyChange", "asset_id": "5Ks", "occurredAt": 1, "objectId": 1}]),
    ]
}

fn body() -> BoxedStrategy<Vec<u8>> {
    prop_oneof![
        3 => mutated(real()).prop_map(|value| value.to_string().into_bytes()),
        1 => wild_json().prop_map(|value| value.to_string().into_bytes()),
        1 => vec(any::<u8>(), 0..200),
        1 => Just(Vec::new()),
        1 => (select(EXAMPLES.to_vec()), any::<prop::sample::Index>(), wild()).prop_map(|((_, text), at, with)| {
            // YAML with something in the middle of it.
            let at = text.char_indices().map(|(at, _)| at).nth(at.index(text.chars().count())).unwrap();
            format!("{}{with}{}", &text[..at], &text[at..]).into_bytes()
        }),
    ]
    .boxed()
}

/// A request.
pub(super) fn call(known: &[String]) -> BoxedStrategy<Call> {
    let method = proptest::option::weighted(0.2, select(METHODS.to_vec()));
    (path(known), method, query(known), vec(header(), 0..4), body())
        .prop_map(|((path, usual), method, query, headers, body)| {
            let method = method.unwrap_or(usual).to_owned();
            Call { method, path, query, headers, body }
        })
        .boxed()
}

impl Call {
    /// As a server reads it off the wire; `None` where it would not get past HTTP.
    fn request(&self) -> Option<Request<Body>> {
        let uri = format!("{}?{}", self.path, self.query).parse::<Uri>().ok()?;
        let mut request = Request::new(Body::from(self.body.clone()));
        *request.method_mut() = Method::from_bytes(self.method.as_bytes()).ok()?;
        *request.uri_mut() = uri;
        for (name, value) in &self.headers {
            request.headers_mut().append(HeaderName::from_static(name), HeaderValue::from_bytes(value).ok()?);
        }
        Some(request)
    }
}

/// Ids of things that there are, once a post was published and its first outcome is late.
pub(super) async fn known(local: &Local) -> Vec<String> {
    let run = local.opened("5Ks").await;
    let words = [
        "blog-launch",
        "contentful",
        "hubspot",
        "forms",
        "crm-tag",
        "x5",
        "ana",
        "product-marketing",
        "open",
        "2026-11-23",
        "contentful:5Ks",
        "true",
        "client",
        "2h",
    ];
    words.iter().map(|word| (*word).to_owned()).chain([run]).collect()
}

#[tokio::test]
async fn no_request_gets_a_5xx() {
    let local = Local::start().await;
    let known = known(&local).await;
    let mut chance = Chance::new();
    let strategy = call(&known);
    let mut statuses = std::collections::BTreeMap::<u16, usize>::new();
    for _ in 0..cases(250) {
        let call = chance.draw(&strategy);
        let Some(request) = call.request() else { continue };
        println!("{call:?}");
        let response = in_time(gateway::call(&local.stack, request)).await;
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap();
        let status = parts.status.as_u16();
        *statuses.entry(status).or_default() += 1;
        assert!(status < 500, "{status}: {}", String::from_utf8_lossy(&body));
        if status >= 400 && call.path.starts_with("/v1/") {
            assert_eq!(parts.headers["content-type"], "application/problem+json");
            let problem: Value = serde_json::from_slice(&body).unwrap();
            assert_eq!(problem["status"], status, "{problem}");
        }
    }
    for reached in [200, 400, 401, 404, 405, 422] {
        assert!(statuses.contains_key(&reached), "nothing was answered {reached}: {statuses:?}");
    }
    in_time(local.settle()).await;
    assert_eq!(local.apply(&EXAMPLES).await.0, 200);
    assert!(!local.opened("afterwards").await.is_empty());
}

#[tokio::test]
async fn whatever_an_authentic_sender_sends_is_taken_or_refused() {
    let local = Local::start().await;
    let mut chance = Chance::new();
    let contact = json!([{"subscriptionType": "contact.propertyChange", "asset_id": "5Ks", "occurredAt": 1,
        "objectId": 1, "eventId": 7, "propertyName": "campaign_tag", "propertyValue": "spring"}]);
    let strategy = prop_oneof![
        3 => mutated(vec![contact]).prop_map(|value| value.to_string().into_bytes()),
        1 => wild_json().prop_map(|value| value.to_string().into_bytes()),
        1 => vec(any::<u8>(), 0..200),
    ];
    let mut statuses = std::collections::BTreeMap::<u16, usize>::new();
    for _ in 0..cases(100) {
        let body = chance.draw(&strategy);
        println!("{}", String::from_utf8_lossy(&body));
        let (status, answer) = in_time(local.hubspot_raw(body)).await;
        *statuses.entry(status).or_default() += 1;
        assert!(status < 500, "{status}: {answer}");
    }
    for reached in [202, 422] {
        assert!(statuses.contains_key(&reached), "nothing was answered {reached}: {statuses:?}");
    }
    in_time(local.settle()).await;
    assert!(!local.opened("afterwards").await.is_empty());
}
