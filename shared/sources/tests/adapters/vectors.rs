//! The adapters against every signature vector, as sent and as API Gateway hands it on.

use std::collections::BTreeMap;

use crate::common::source;
use meshline_core::config::source::Source;
use meshline_sources::vectors::{self, Vector, Verdict};
use serde_json::json;

fn all() -> Vec<Vector> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/vectors.json");
    vectors::read(&std::fs::read(path).unwrap()).unwrap()
}

/// The vectors whose two verdicts are not `Agree`, and how many were judged for each provider.
fn differences(
    vectors: &[Vector],
    judge: impl Fn(&Vector) -> Option<[Verdict; 2]>,
) -> (Vec<String>, BTreeMap<String, usize>) {
    let (mut differ, mut judged) = (Vec::new(), BTreeMap::new());
    for vector in vectors {
        for verdict in judge(vector).into_iter().flatten() {
            *judged.entry(vector.provider.clone()).or_default() += 1;
            if verdict != Verdict::Agree {
                differ.push(format!("{} {}: {verdict}", vector.id, vector.case));
            }
        }
    }
    (differ, judged)
}

#[test]
fn every_normative_vector_of_the_built_in_providers_agrees() {
    let vectors = all();
    let (differ, judged) = differences(&vectors, |vector| {
        let verdicts = [vector.judge(), vector.judge_apigw()];
        (vector.normative && !matches!(verdicts[0], Verdict::NoAdapter(_))).then_some(verdicts)
    });
    assert_eq!(differ, Vec::<String>::new());
    let counts: Vec<(&str, usize)> = judged.iter().map(|(provider, n)| (provider.as_str(), n / 2)).collect();
    assert_eq!(counts, [("contentful", 30), ("hubspot", 23), ("standard-webhooks", 31)]);
}

#[test]
fn the_grey_vectors_that_differ_are_the_schemes_left_out() {
    let vectors = all();
    let (differ, _) = differences(&vectors, |vector| {
        let verdicts = [vector.judge(), vector.judge()];
        (!vector.normative && !matches!(verdicts[0], Verdict::NoAdapter(_))).then_some(verdicts)
    });
    let mut ids: Vec<&str> = differ.iter().filter_map(|line| line.split([':']).next()).collect();
    ids.dedup();
    assert_eq!(
        ids,
        [
            "public-standard-webhooks-032 v1a-valid",
            "public-hubspot-025 legacy-v1-valid",
            "public-hubspot-026 legacy-v2-valid",
            "public-standard-webhooks-035 kat-svix-server-ed25519",
            "public-hubspot-028 kat-sdk-test-v1",
            "public-hubspot-029 kat-sdk-test-v2-get",
        ]
    );
}

#[test]
fn other_providers_have_no_adapter_and_it_says_so() {
    let svix = all().into_iter().find(|vector| vector.provider == "svix").unwrap();
    assert_eq!(svix.judge().to_string(), "no adapter is for `svix`");
}

/// How the plain schemes of providers without an adapter are written as generic sources.
fn as_generic(provider: &str) -> Option<Source> {
    let hmac = |scheme, header, encoding, prefix| json!({"scheme": scheme, "header": header, "encoding": encoding, "prefix": prefix});
    let verify = match provider {
        "github" => hmac("hmac-sha256", "x-hub-signature-256", "hex", "sha256="),
        "jira" => hmac("hmac-sha256", "x-hub-signature", "hex", "sha256="),
        "asana" => hmac("hmac-sha256", "x-hook-signature", "hex", ""),
        "woocommerce" => hmac("hmac-sha256", "x-wc-webhook-signature", "base64", ""),
        "wp-webhooks" => hmac("hmac-sha256", "x-wp-webhook-signature", "base64", ""),
        "kontent-ai" => hmac("hmac-sha256", "x-kontent-ai-signature", "base64", ""),
        "storyblok" => hmac("hmac-sha1", "webhook-signature", "hex", ""),
        "pipedrive" | "datocms" => json!({"scheme": "basic"}),
        "strapi" => json!({"scheme": "token"}),
        "directus" => json!({"scheme": "token", "header": "x-meshline-token"}),
        _ => return None,
    };
    Some(source("generic", json!({"verify": verify, "subject": "x:${data.id}"})))
}

#[test]
fn generic_sources_agree_with_the_vectors_of_providers_that_they_can_describe() {
    // Out of reach of a generic source: a second header, and handshakes that are not signed. Upper-case
    // hexadecimal is accepted on purpose: it is the same signature.
    let beyond =
        ["valid-legacy-header", "handshake-x-hook-secret", "handshake-ping-unsigned", "uppercase-hex"];
    let vectors: Vec<Vector> =
        all().into_iter().filter(|vector| !beyond.contains(&vector.case.as_str())).collect();
    let (differ, judged) = differences(&vectors, |vector| {
        let source = as_generic(&vector.provider).filter(|_| vector.normative)?;
        Some([vector.judge_by(&source), vector.judge_apigw_by(&source)])
    });
    assert_eq!(differ, Vec::<String>::new());
    assert_eq!(judged.len(), 11);
}
