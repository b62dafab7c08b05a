//! `meshline webhook check` over the vectors that the adapters are judged by.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

use std::process::{Command, Output};

const VECTORS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/vectors.json");

fn check(args: &[&str]) -> (Output, String) {
    let output =
        Command::new(env!("CARGO_BIN_EXE_meshline")).args(["webhook", "check"]).args(args).output().unwrap();
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    (output, text)
}

#[test]
fn every_normative_vector_agrees() {
    let (output, text) = check(&[VECTORS]);
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(!text.contains("DIFFERS"), "{text}");
    assert!(text.contains("left out: 27 that are not normative"), "{text}");
    assert!(text.ends_with("342 of 342 agree\n"), "{text}");
    assert_eq!(text.lines().filter(|line| line.starts_with("ok ")).count(), 342);
}

#[test]
fn a_provider_without_an_adapter_does_not_agree() {
    let file = std::env::temp_dir().join(format!("meshline-vectors-{}.json", std::process::id()));
    let vectors = std::fs::read_to_string(VECTORS).unwrap();
    std::fs::write(&file, vectors.replace("\"provider\": \"github\"", "\"provider\": \"wix\"")).unwrap();
    let (output, text) = check(&[file.to_str().unwrap(), "--provider", "wix"]);
    std::fs::remove_file(&file).unwrap();
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.ends_with("0 of 19 agree\n"), "{text}");
    assert!(text.starts_with("DIFFERS wix "), "{text}");
}

#[test]
fn all_shows_our_choice_where_nobody_has_to_agree() {
    let (output, text) = check(&[VECTORS, "--provider", "hubspot", "--all"]);
    assert_eq!(output.status.code(), Some(0), "a choice that differs is no fault: {text}");
    assert_eq!(text.lines().filter(|line| line.contains("not normative; ")).count(), 6, "{text}");
    assert!(text.ends_with(" of 29 agree\n"), "{text}");
}

#[test]
fn what_is_no_file_of_vectors_is_wrong_usage() {
    let (output, _) = check(&["no-such-file.json"]);
    assert_eq!(output.status.code(), Some(2));
    let (output, _) = check(&[concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")]);
    assert_eq!(output.status.code(), Some(2));
    let (output, _) = check(&[VECTORS, "--provider", "nobody"]);
    assert_eq!(output.status.code(), Some(2));
}
