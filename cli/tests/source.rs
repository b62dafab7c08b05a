//! `source`: what is written for a provider is what Meshline takes, and docs/SOURCES.md is what the adapters say.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use meshline_core::config::File;
#[expect(dead_code, reason = "other tests use the rest of it")]
mod local;
#[expect(dead_code, reason = "other tests use the rest of it")]
mod tool;

use meshline_core::config::read;
use meshline_core::config::source::Provider;
use serde_json::{Value, json};

use local::Local;

fn meshline(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_meshline")).args(arguments).current_dir(folder).output().unwrap()
}

fn text(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn the_page_about_sources_is_what_the_adapters_say() {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    let written = text(&meshline(root, &["source", "providers", "--markdown"]));
    let checked_in = fs::read_to_string(root.join("docs/SOURCES.md")).unwrap();
    assert!(
        written == checked_in,
        "make it anew: cargo run -p meshline -- source providers --markdown > docs/SOURCES.md"
    );
}

#[test]
fn a_document_is_written_for_each_provider_and_can_be_used_as_it_is() {
    let folder = std::env::temp_dir().join(format!("meshline-source-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    for provider in Provider::ALL {
        let name = json!(provider).as_str().unwrap().to_owned();
        let said =
            text(&meshline(&folder, &["source", "add", &name, "--url", "https://meshline.example.com/"]));
        assert!(said.contains(&format!("address: https://meshline.example.com/hooks/{name}\n")), "{said}");
        let text = fs::read_to_string(folder.join(format!("{name}.yaml"))).unwrap();
        let (documents, problems) = read::documents(&[File { name: name.clone(), text: text.clone() }]);
        assert!(problems.is_empty() && documents.len() == 1, "{name}: {text}");
        let kept = Value::from(text);
        assert!(!meshline(&folder, &["source", "add", &name]).status.success(), "{name} was replaced");
        assert_eq!(Value::from(fs::read_to_string(folder.join(format!("{name}.yaml"))).unwrap()), kept);
    }
    let unknown = meshline(&folder, &["source", "add", "wix"]);
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("there is no such provider"));
    fs::remove_dir_all(&folder).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_waits_for_a_real_delivery_and_explains_it() {
    let local = Local::start("source-test", "2026-11-23T09:00:00Z").await;
    let listening = Command::new(env!("CARGO_BIN_EXE_meshline"))
        .args(["source", "test", "forms", "--wait", "60", "--url", &local.url])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    // It says so on standard error when it has begun to listen.
    let mut listening = listening.unwrap();
    let mut said = String::new();
    BufReader::new(listening.stderr.as_mut().unwrap()).read_line(&mut said).unwrap();
    assert!(said.starts_with("listening to `forms`"), "{said}");
    local.submit("form:7").await;
    let output = listening.wait_with_output().unwrap();
    let explained = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{explained}");
    assert!(explained.contains("believed, answered 202"), "{explained}");
    assert!(explained.contains("event form.submitted about form:7"), "{explained}");
    assert!(explained.contains("triggers lead-form"), "{explained}");
}
