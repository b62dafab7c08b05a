//! The adapters against every signature vector, as sent and as API Gateway hands it on.

use std::collections::BTreeMap;

use meshline_sources::vectors::{self, Vector, Verdict};

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
fn every_normative_vector_agrees_as_it_was_sent_and_as_api_gateway_hands_it_on() {
    let vectors = all();
    let (differ, judged) =
        differences(&vectors, |vector| vector.normative.then(|| [vector.judge(), vector.judge_apigw()]));
    assert_eq!(differ, Vec::<String>::new());
    assert_eq!((judged.len(), judged.values().sum::<usize>()), (23, 2 * 342));
}

#[test]
fn the_grey_vectors_that_differ_are_our_choices() {
    let vectors = all();
    let (differ, _) =
        differences(&vectors, |vector| (!vector.normative).then(|| [vector.judge(), vector.judge()]));
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
