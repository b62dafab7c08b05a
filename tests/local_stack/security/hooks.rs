//! Strangers at the hooks: forged, old, early, cut and doubled deliveries, claims in headers, compressed bodies, odd paths.

use std::io::Write;
use std::sync::Arc;

use flate2::Compression;
use flate2::write::GzEncoder;
use meshline_aws::clients::{Clients, Endpoints};
use meshline_aws::secrets::Secrets;
use meshline_core::time::Span;
use meshline_sources::hubspot;
use meshline_tests::receiver::Receiver;
use meshline_tests::senders::{self, HUBSPOT_SECRET};
use meshline_tests::{Delivery, Local, campaign_tag, header, nine};
use serde_json::{Value, json};

use super::{answered, event};

const PUBLIC: &str = "http://127.0.0.1:8080";

/// Nothing of Contentful's and HubSpot's was stored.
async fn assert_untouched(local: &Local, why: &str) {
    local.settle().await;
    let timeline = local.get("/v1/subjects/contentful%3A5Ks/timeline").await;
    assert_eq!(timeline["items"], json!([]), "{why}");
    assert_eq!(local.get("/v1/rejections").await["items"], json!([]), "{why}");
}

#[tokio::test]
async fn what_is_forged_old_early_or_cut_is_refused_and_leaves_nothing() {
    let local = Local::start().await;
    let publish = |at| senders::entry(PUBLIC, at, "publish", "5Ks", "blogPost");
    let tag = |at| senders::crm(PUBLIC, at, "hubspot", Some("5Ks"), &[campaign_tag()]);
    let cut =
        |delivery: Delivery| Delivery { body: delivery.body[..delivery.body.len() - 1].to_vec(), ..delivery };
    let longer = |mut delivery: Delivery| {
        delivery.body.push(b' ');
        delivery
    };
    let elsewhere = |delivery: Delivery, path: &str| Delivery { path: path.to_owned(), ..delivery };
    let body = tag(nine()).body;
    let forged = |secret: &str| Delivery {
        path: "/hooks/hubspot".to_owned(),
        headers: hubspot::sign(secret, "POST", &format!("{PUBLIC}/hooks/hubspot"), &body, nine()),
        body: body.clone(),
    };
    let early = nine() + Span::minutes(6);
    let late = nine() - Span::minutes(6);
    for (why, delivery) in [
        ("another secret", forged("somebody-elses-secret")),
        ("an empty secret", forged("")),
        ("an old publish", publish(late)),
        ("an old event", tag(late)),
        ("a publish of the future", publish(early)),
        ("an event of the future", tag(early)),
        ("a cut publish", cut(publish(nine()))),
        ("a cut event", cut(tag(nine()))),
        ("a longer publish", longer(publish(nine()))),
        ("nothing at all", Delivery { headers: Vec::new(), ..tag(nine()) }),
        ("one for another source", elsewhere(tag(nine()), "/hooks/contentful")),
        ("one with a query that was not signed", elsewhere(tag(nine()), "/hooks/hubspot?subject=other")),
    ] {
        assert_eq!(local.deliver(&delivery).await.0, 401, "{why}");
    }
    assert_untouched(&local, "of all of them").await;
    assert_eq!(local.deliver(&forged(HUBSPOT_SECRET)).await.0, 202, "and the secret is all that was missing");
}

#[tokio::test]
async fn an_overheard_delivery_acts_once_and_is_worth_nothing_later() {
    let local = Local::start().await;
    let publish = local.signed_publish("5Ks");
    for duplicate in [false, true, true] {
        let (status, answer) = local.deliver(&publish).await;
        assert_eq!((status, &answer["events"][0]["duplicate"]), (202, &json!(duplicate)), "{answer}");
    }
    local.settle().await;
    let run = local.runs("blog-launch").await[0]["run"].as_str().unwrap().to_owned();
    let before = local.trail(&run).await;
    local.advance(Span::from_ms(30_000)).await;
    assert_eq!(local.deliver(&publish).await.0, 401);
    assert_eq!(local.runs("blog-launch").await.len(), 1);
    assert_eq!(local.trail(&run).await, before);
}

#[tokio::test]
async fn a_signature_that_is_there_twice_proves_nothing() {
    let local = Local::start().await;
    let right = local.signed_publish("5Ks");
    let signature = |delivery: &Delivery| {
        let found =
            delivery.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("x-contentful-signature"));
        found.unwrap().1.clone()
    };
    let (good, bad) = (signature(&right), "0".repeat(64));
    for (name, value) in [
        ("x-contentful-signature", good.clone()),
        ("X-CONTENTFUL-SIGNATURE", bad.clone()),
        ("x-Contentful-Signature", format!("{bad},{good}")),
        ("x-contentful-timestamp", nine().unix_ms().to_string()),
        ("x-contentful-topic", "ContentManagement.Entry.unpublish".to_owned()),
    ] {
        let mut delivery = right.clone();
        delivery.headers.push(header(name, &value));
        assert_eq!(local.deliver(&delivery).await.0, 401, "{name}: {value} beside it");
        delivery.headers.rotate_right(1);
        assert_eq!(local.deliver(&delivery).await.0, 401, "{name}: {value} before it");
    }
    assert_untouched(&local, "whichever came first").await;
    assert_eq!(local.deliver(&right).await.0, 202);
}

#[tokio::test]
async fn neither_host_nor_forwarding_headers_say_which_address_was_signed() {
    let local = Local::start().await;
    let claims = [
        header("host", "evil.example"),
        header("x-forwarded-host", "evil.example"),
        header("x-forwarded-proto", "https"),
        header("x-forwarded-port", "443"),
        header("x-forwarded-for", "127.0.0.1"),
        header("forwarded", "host=evil.example;proto=https"),
        header("x-original-url", "/v1/config"),
        header("x-rewrite-url", "/v1/config"),
        header("x-http-method-override", "GET"),
    ];
    let body = senders::crm(PUBLIC, nine(), "hubspot", Some("5Ks"), &[campaign_tag()]).body;
    let signed_for = |url: &str| {
        let mut headers =
            hubspot::sign(HUBSPOT_SECRET, "POST", &format!("{url}/hooks/hubspot"), &body, nine());
        headers.extend(claims.clone());
        event("POST", "/hooks/hubspot", &headers, &body, Value::Null)
    };
    let hook = async |url: &str| {
        answered(meshline_ingest::handle(&local.stack.app, signed_for(url), nine()).await).0
    };
    assert_eq!(hook("https://evil.example").await, 401, "an address that only a header names");
    assert_untouched(&local, "another system's delivery with the same secret").await;
    assert_eq!(hook(PUBLIC).await, 202, "the public address");
    assert_eq!(hook("https://api.example.com").await, 202, "the address that API Gateway was called by");
}

#[tokio::test]
async fn lengths_and_encodings_that_headers_claim_are_not_believed() {
    let local = Local::start().await;
    let delivery = senders::crm(PUBLIC, nine(), "hubspot", Some("5Ks"), &[campaign_tag()]);
    let mut headers = delivery.headers.clone();
    headers.extend([
        header("content-length", "2"),
        header("transfer-encoding", "chunked"),
        header("content-encoding", "gzip"),
        header("expect", "100-continue"),
    ]);
    let request = event("POST", &delivery.path, &headers, &delivery.body, Value::Null);
    assert_eq!(answered(meshline_ingest::handle(&local.stack.app, request.clone(), nine()).await).0, 202);
    let mut not_base64 = request;
    not_base64.body = Some("{not base64}".to_owned());
    assert_eq!(answered(meshline_ingest::handle(&local.stack.app, not_base64, nine()).await).0, 400);
}

#[tokio::test]
async fn a_compressed_body_is_bytes_and_is_never_inflated() {
    let local = Local::start().await;
    let mut bomb = GzEncoder::new(Vec::new(), Compression::best());
    let zeros = vec![b' '; 1 << 20];
    for _ in 0..64 {
        bomb.write_all(&zeros).unwrap();
    }
    let bomb = bomb.finish().unwrap();
    assert!(bomb.len() < 1 << 17, "{}", bomb.len());
    let claims = [header("content-encoding", "gzip"), header("content-type", "application/json")];
    assert_eq!(local.send("POST", "/hooks/hubspot", &claims, bomb.clone()).await.0, 401);
    let mut signed = senders::crm_raw(PUBLIC, nine(), "hubspot", bomb);
    signed.headers.extend(claims);
    assert_eq!(local.deliver(&signed).await.0, 422, "authentic, and no JSON");
    let kept = local.get("/v1/rejections").await["items"][0]["body"].as_str().unwrap().len();
    assert!(kept <= 8 * 1024, "{kept} bytes are kept");
}

#[tokio::test]
async fn paths_that_climb_hide_or_never_end_lead_nowhere() {
    let local = Local::start().await;
    let long = "a".repeat(5_000);
    let nobody = async |path: &str| {
        let request = event("POST", path, &[], b"{}", Value::Null);
        answered(meshline_ingest::handle(&local.stack.app, request, nine()).await).0
    };
    for path in [
        "/hooks/..",
        "/hooks/../v1/config",
        "/hooks/..%2fv1%2fconfig",
        "/hooks/%2e%2e/v1/config",
        "/hooks/contentful%00",
        "/hooks/contentful\0",
        "/hooks/contentful%2f..%2fforms",
        "/hooks/CONTENTFUL",
        "/hooks/contentful%0d%0aset-cookie:x=y",
        "/hooks/CONFIG%23INDEX",
        "/hooks/",
        "/hooks",
        "//",
        "",
        "/%",
        "/hooks/%",
        "/hooks/\u{202e}",
        &format!("/hooks/{long}"),
        &format!("/hooks/{}", "%2e".repeat(5_000)),
        &format!("/{}", "/".repeat(5_000)),
    ] {
        assert_eq!(nobody(path).await, 404, "{path}");
    }
    assert_eq!(nobody("//hooks//contentful/").await, 401, "the same source, and still unsigned");
}

#[tokio::test]
async fn a_hook_never_reaches_the_api_and_the_api_no_hook() {
    let local = Local::start().await;
    let iam = json!({"iam": {"userArn": "arn:aws:iam::123456789012:user/ana"}});
    for path in ["/v1/runs", "/v1/config", "/runs", "/", "/healthz"] {
        let request = event("POST", path, &[], b"{}", iam.clone());
        assert_eq!(
            answered(meshline_ingest::handle(&local.stack.app, request, nine()).await).0,
            404,
            "{path}"
        );
    }
    let delivery = local.signed_publish("5Ks");
    let request = event("POST", &delivery.path, &delivery.headers, &delivery.body, iam);
    assert_eq!(answered(meshline_ops_api::handle(&local.stack.app, request, nine()).await).0, 404);
    assert_untouched(&local, "a delivery at the API").await;
}

#[tokio::test]
async fn a_stranger_cannot_have_secrets_asked_for_again_and_again() {
    let secret = json!({"Name": "hubspot-current", "SecretString": HUBSPOT_SECRET}).to_string();
    let store = Receiver::answering(move |_| (200, secret.clone())).await;
    let endpoints = Endpoints { secrets: Some(store.url.clone()), ..Endpoints::default() };
    let http = aws_smithy_http_client::Builder::new().build_http();
    let secrets = Secrets::new(Arc::new(Clients::local(endpoints, http).await), String::new());
    let names = ["hubspot-current".to_owned()];
    for (after_s, after_miss, asked) in [
        (0, false, 1),
        (1, true, 1),
        (29, true, 1),
        (29, false, 1),
        (30, true, 2),
        (31, true, 2),
        (330, false, 3),
    ] {
        for _ in 0..10 {
            let now = nine() + Span::from_ms(after_s * 1_000);
            assert_eq!(secrets.read(&names, now, after_miss).await.unwrap(), [HUBSPOT_SECRET]);
        }
        assert_eq!(store.calls().len(), asked, "after {after_s} s");
    }
}
