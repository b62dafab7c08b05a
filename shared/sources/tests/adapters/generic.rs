//! Each scheme of a generic source, signed here and then spoilt in every way.

use crate::common::{URL, headers, now, source};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use meshline_core::config::source::Source;
use meshline_sources::{Delivery, Unverified, normalise, verify};
use serde_json::{Value, json};
use sha1::Sha1;
use sha2::Sha256;

const SECRET: &str = "lantern-secret";
const BODY: &[u8] = br#"{"id": 7, "event": "post.published", "at": 1795424398}"#;

fn generic(verify: Value) -> Source {
    source("generic", json!({"verify": verify, "subject": "cms:${data.id}"}))
}

fn check(source: &Source, secrets: &[&str], sent: &[(&str, &str)]) -> Result<(), Unverified> {
    let secrets: Vec<String> = secrets.iter().map(|secret| (*secret).to_owned()).collect();
    verify(
        source,
        &secrets,
        &Delivery { method: "POST", url: URL, headers: &headers(sent), body: BODY },
        now(),
    )
}

fn sha256(key: &str, text: &[u8]) -> Vec<u8> {
    Hmac::<Sha256>::new_from_slice(key.as_bytes())
        .unwrap()
        .chain_update(text)
        .finalize()
        .into_bytes()
        .to_vec()
}

fn sha1(key: &str, text: &[u8]) -> Vec<u8> {
    Hmac::<Sha1>::new_from_slice(key.as_bytes()).unwrap().chain_update(text).finalize().into_bytes().to_vec()
}

#[test]
fn an_hmac_is_accepted_in_its_encoding_and_with_its_prefix_only() {
    for (scheme, digest) in [("hmac-sha256", sha256(SECRET, BODY)), ("hmac-sha1", sha1(SECRET, BODY))] {
        for (encoding, text, other) in [
            ("hex", hex::encode(&digest), STANDARD.encode(&digest)),
            ("base64", STANDARD.encode(&digest), hex::encode(&digest)),
        ] {
            let source =
                generic(json!({"scheme": scheme, "header": "X-Sig", "encoding": encoding, "prefix": "v0="}));
            let sent = |value: &str, secrets: &[&str]| check(&source, secrets, &[("x-sig", value)]);
            let good = format!("v0={text}");
            assert_eq!(sent(&good, &[SECRET]), Ok(()), "{scheme} {encoding}");
            assert_eq!(sent(&good, &["older", SECRET]), Ok(()), "any secret may match");
            assert_eq!(sent(&good, &["older"]), Err(Unverified::Mismatch));
            assert_eq!(sent(&good, &[]), Err(Unverified::NoSecret));
            assert!(matches!(sent(&good, &[""]), Err(Unverified::UnusableSecret(_))));
            assert!(matches!(sent(&text, &[SECRET]), Err(Unverified::MalformedHeader { .. })), "no prefix");
            assert!(matches!(
                sent(&format!("v1={text}"), &[SECRET]),
                Err(Unverified::MalformedHeader { .. })
            ));
            assert!(sent(&format!("v0={other}"), &[SECRET]).is_err(), "the other encoding");
            assert!(sent(&format!("{good},{good}"), &[SECRET]).is_err(), "joined by a gateway");
            assert!(sent("v0=", &[SECRET]).is_err());
            assert_eq!(sent("", &[SECRET]), Err(Unverified::MissingHeader("X-Sig".to_owned())));
            assert_eq!(
                check(&source, &[SECRET], &[("x-sig", &good), ("X-SIG", &good)]),
                Err(Unverified::RepeatedHeader("X-Sig".to_owned()))
            );
        }
    }
}

#[test]
fn hexadecimal_without_prefix_is_the_default() {
    let source = generic(json!({"scheme": "hmac-sha256", "header": "x-sig"}));
    let digest = sha256(SECRET, BODY);
    assert_eq!(check(&source, &[SECRET], &[("X-Sig", &hex::encode(&digest))]), Ok(()));
    assert_eq!(check(&source, &[SECRET], &[("X-Sig", &hex::encode_upper(&digest))]), Ok(()));
    assert_eq!(
        check(&source, &[SECRET], &[("X-Sig", &hex::encode(&digest[..31]))]),
        Err(Unverified::Mismatch)
    );
}

#[test]
fn basic_compares_user_and_password() {
    let source = generic(json!({"scheme": "basic"}));
    let value = |text: &str| format!("Basic {}", STANDARD.encode(text));
    let sent = |value: &str| check(&source, &["ana:wonder:land"], &[("Authorization", value)]);
    assert_eq!(sent(&value("ana:wonder:land")), Ok(()));
    assert_eq!(sent(&value("ana:wonder:land").replace("Basic", "basic")), Ok(()));
    for wrong in ["ana:wonder", "ana:wonder:landx", "ben:wonder:land", ""] {
        assert!(sent(&value(wrong)).is_err(), "{wrong}");
    }
    for malformed in ["Bearer eDp5", "Basic", "Basic %%%"] {
        assert!(matches!(sent(malformed), Err(Unverified::MalformedHeader { .. })), "{malformed}");
    }
    assert_eq!(check(&source, &["a:b"], &[]), Err(Unverified::MissingHeader("authorization".to_owned())));
}

#[test]
fn a_token_is_the_whole_header_with_its_prefix() {
    let bearer = generic(json!({"scheme": "token", "prefix": "Bearer "}));
    assert_eq!(check(&bearer, &[SECRET], &[("authorization", "Bearer lantern-secret")]), Ok(()));
    let plain = generic(json!({"scheme": "token", "header": "x-token"}));
    assert_eq!(check(&plain, &["old", SECRET], &[("X-Token", SECRET)]), Ok(()));
    for wrong in ["lantern-secre", "lantern-secret2", "Lantern-secret", "lantern-secret,lantern-secret"] {
        assert_eq!(check(&plain, &[SECRET], &[("x-token", wrong)]), Err(Unverified::Mismatch), "{wrong}");
    }
    assert_eq!(check(&bearer, &[SECRET], &[("authorization", SECRET)]), Err(Unverified::Mismatch));
    assert!(matches!(check(&plain, &[""], &[("x-token", "x")]), Err(Unverified::UnusableSecret(_))));
}

#[test]
fn standard_webhooks_under_a_generic_source_gives_the_id_as_well() {
    let source = generic(json!({"scheme": "standard-webhooks"}));
    let seconds = (now().unix_ms() / 1_000).to_string();
    let text = [b"msg_7.", seconds.as_bytes(), b".", BODY].concat();
    let signature = format!("v1,{}", STANDARD.encode(sha256(SECRET, &text)));
    let secret = format!("whsec_{}", STANDARD.encode(SECRET));
    let sent = [("webhook-id", "msg_7"), ("webhook-timestamp", &seconds), ("webhook-signature", &signature)];
    assert_eq!(check(&source, &[&secret], &sent), Ok(()));
    let twice = format!("{signature},{signature}");
    let joined = [sent[0], sent[1], ("webhook-signature", &twice)];
    assert!(check(&source, &[&secret], &joined).is_err(), "joined by a gateway");
    let dotted = [("webhook-id", "msg.7"), sent[1], sent[2]];
    assert!(matches!(check(&source, &[&secret], &dotted), Err(Unverified::MalformedHeader { .. })));
    let headers = headers(&sent);
    let delivery = Delivery { method: "POST", url: URL, headers: &headers, body: BODY };
    assert_eq!(normalise(&source, &delivery, now()).unwrap().events[0].id, "msg_7");
}

#[test]
fn without_templates_the_body_hash_is_the_id_and_event_the_type() {
    let source = generic(json!({"scheme": "token"}));
    let delivery = Delivery { method: "POST", url: URL, headers: &[], body: BODY };
    let event = normalise(&source, &delivery, now()).unwrap().events.remove(0);
    assert_eq!((event.kind.as_str(), event.subject.as_str()), ("event", "cms:7"));
    assert_eq!(event.id, hex::encode(sha256_of(BODY))[..32]);
    assert_eq!(event.data["event"], "post.published");
}

fn sha256_of(bytes: &[u8]) -> Vec<u8> {
    use sha2::Digest;
    Sha256::digest(bytes).to_vec()
}
