//! Schemes that no vector covers: by signatures made here.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use meshline_core::time::Time;
use meshline_sources::{Delivery, Unverified, greeting, signature, verify};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::common::{URL, headers, now, source};

const SECRET: &str = "q8J2mZ0x";

fn hmac(text: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(text);
    mac.finalize().into_bytes().to_vec()
}

fn check(provider: &str, sent: &[(&str, &str)], url: &str, body: &[u8]) -> Result<(), Unverified> {
    let headers = headers(sent);
    let delivery = Delivery { method: "POST", url, headers: &headers, body };
    verify(&source(provider, json!({})), &[SECRET.to_owned()], &delivery, now())
}

#[test]
fn ghost_pro_signs_its_time_and_body_in_base64_and_is_not_ghost() {
    let (ms, body) = (now().unix_ms().to_string(), br#"{"event":"post.published"}"#);
    let signature = STANDARD.encode(hmac(&[ms.as_bytes(), b":", body].concat()));
    let sent = [("X-Ghost-Signature", signature.as_str()), ("X-Ghost-Request-Timestamp", ms.as_str())];
    assert_eq!(check("ghost-pro", &sent, URL, body), Ok(()));
    assert!(check("ghost-pro", &sent, URL, b"{}").is_err());
    assert!(check("ghost-pro", &sent[..1], URL, body).is_err());
    assert!(check("ghost", &sent, URL, body).is_err());
}

#[test]
fn drupal_signs_as_github_does_and_by_nothing_weaker() {
    let body = b"{}";
    let hex: String = hmac(body).iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(check("drupal", &[("X-Hub-Signature-256", &format!("sha256={hex}"))], URL, body), Ok(()));
    assert!(check("drupal", &[("X-Hub-Signature", &format!("sha1={hex}"))], URL, body).is_err());
}

#[test]
fn a_jira_app_proves_itself_by_a_token_that_has_not_expired() {
    let part = |json: Value| URL_SAFE_NO_PAD.encode(json.to_string());
    let token = |header: Value, exp: i64| {
        let signed = format!("{}.{}", part(header), part(json!({"iss": "jira", "exp": exp})));
        format!("Bearer {signed}.{}", URL_SAFE_NO_PAD.encode(hmac(signed.as_bytes())))
    };
    let soon = now().unix_ms() / 1_000 + 60;
    let believed = |token: &str| check("jira", &[("Authorization", token)], URL, b"{}");
    let good = token(json!({"alg": "HS256", "typ": "JWT"}), soon);
    assert_eq!(believed(&good), Ok(()));
    assert_eq!(believed(&token(json!({"alg": "HS256"}), soon - 3_600)), Err(Unverified::BadToken("expired")));
    assert_eq!(
        believed(&token(json!({"alg": "none"}), soon)),
        Err(Unverified::BadToken("not signed by HS256"))
    );
    let (signed, _) = good.rsplit_once('.').unwrap();
    for forged in
        [format!("{signed}."), format!("{signed}.AAAA"), "Bearer a.b.c".to_owned(), "Bearer ".to_owned()]
    {
        assert!(believed(&forged).is_err(), "{forged}");
    }
    // A signature that is wrong is not made good by a token beside it.
    let both = [("X-Hub-Signature", "sha256=00"), ("Authorization", good.as_str())];
    assert!(check("jira", &both, URL, b"{}").is_err());
}

#[test]
fn a_secret_in_the_address_is_whole_and_there_once() {
    for provider in ["salesforce", "mailchimp"] {
        let at =
            |query: &str| check(provider, &[], &format!("https://hooks.example.com/hooks/a{query}"), b"");
        assert_eq!(at("?secret=q8J2mZ0x"), Ok(()));
        assert_eq!(at("?a=b&secret=q8J2mZ0%78"), Ok(()));
        for bad in
            ["", "?", "?secret=", "?secret=q8J2mZ0", "?secrets=q8J2mZ0x", "?secret=q8J2mZ0x&secret=q8J2mZ0x"]
        {
            assert!(at(bad).is_err(), "{provider} {bad}");
        }
    }
}

#[test]
fn an_asana_handshake_is_taken_while_there_is_no_secret_and_never_after() {
    let secret = [("X-Hook-Secret", "b537207f20cbfa02357cf448134da559")];
    let headers = headers(&secret);
    let delivery = Delivery { method: "POST", url: URL, headers: &headers, body: b"{}" };
    let source = source("asana", json!({}));
    let reply = greeting(&source, &[], &delivery, now()).unwrap();
    assert_eq!(reply.headers, [("x-hook-secret", "b537207f20cbfa02357cf448134da559".to_owned())]);
    assert_eq!(greeting(&source, &[SECRET.to_owned()], &delivery, now()), None);
    assert_eq!(check("asana", &secret, URL, b"{}"), Err(Unverified::UnexpectedHandshake));
    let odd = crate::common::headers(&[("X-Hook-Secret", "a\r\nset-cookie: b")]);
    let odd = Delivery { headers: &odd, ..delivery };
    assert_eq!(greeting(&source, &[], &odd, now()), None);
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the library knows no clock but the system's")]
fn the_library_of_standard_webhooks_believes_us_and_we_believe_it() {
    let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let (library, id) = (standardwebhooks::Webhook::new(secret).unwrap(), "msg_p5jXN8AQM9LWM0D4loKWxJek");
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let now = Time::from_unix_ms(i64::try_from(since.as_millis()).unwrap());
    let seconds = (now.unix_ms() / 1_000).to_string();
    for body in [r#"{"type":"post.published","data":{"id":"1"}}"#, "", "é\n"] {
        let theirs = library.sign(id, now.unix_ms() / 1_000, body.as_bytes()).unwrap();
        let ours = signature(secret, id, now, body.as_bytes()).unwrap();
        assert_eq!(ours, theirs);
        let sent = [
            ("webhook-id", id),
            ("webhook-timestamp", seconds.as_str()),
            ("webhook-signature", theirs.as_str()),
        ];
        let mut map = http::HeaderMap::new();
        sent.iter().for_each(|(name, value)| drop(map.insert(*name, value.parse().unwrap())));
        library.verify(body.as_bytes(), &map).unwrap();
        let headers = headers(&sent);
        let delivery = Delivery { method: "POST", url: URL, headers: &headers, body: body.as_bytes() };
        let source = source("standard-webhooks", json!({}));
        assert_eq!(verify(&source, &[secret.to_owned()], &delivery, now), Ok(()));
    }
}
