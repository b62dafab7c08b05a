//! infra/schemas/config.json: an editor takes what `plan` takes, and refuses what `plan` refuses for its form; and
//! infra/openapi.json, what programs know of the HTTP API.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

use std::fs;
use std::path::{Path, PathBuf};

use jsonschema::Validator;
use meshline_core::api;
use meshline_core::config::{File, read, schema, yaml};
use serde_json::Value;

/// A folder or file of the repository.
fn repository(path: &str) -> PathBuf {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).join(path)
}

fn validator() -> Validator {
    jsonschema::validator_for(&schema::documents()).unwrap()
}

/// What the schema says against each document of a text.
fn refusals(text: &str) -> Vec<String> {
    let documents = yaml::read(text).unwrap();
    let validator = validator();
    let of = |document: &yaml::Document| -> Vec<String> {
        validator.iter_errors(&document.value).map(|error| error.to_string()).collect()
    };
    documents.iter().flat_map(of).collect()
}

/// What `plan` says against the form of the text's documents.
fn problems(text: &str) -> Vec<String> {
    let file = File { name: "x.yaml".to_owned(), text: text.to_owned() };
    let (_, problems) = read::documents(&[file]);
    problems.into_iter().map(|problem| format!("{}: {}", problem.field, problem.reason)).collect()
}

/// The YAML examples of the reference, in order.
fn examples_of_the_reference() -> Vec<String> {
    let text = fs::read_to_string(repository("docs/FLOWS.md")).unwrap();
    let blocks = text.split("\n```yaml\n").skip(1);
    blocks.map(|block| block.split("\n```").next().unwrap().to_owned()).collect()
}

#[test]
fn the_schema_that_is_checked_in_is_that_of_the_types() {
    let checked_in = fs::read_to_string(repository("infra/schemas/config.json")).unwrap();
    let of_the_types = format!("{:#}\n", schema::documents());
    assert!(
        checked_in == of_the_types,
        "make it anew: cargo run -p meshline -- schema > infra/schemas/config.json"
    );
}

#[test]
fn the_description_of_the_api_that_is_checked_in_is_that_of_its_routes_and_types() {
    let checked_in = fs::read_to_string(repository("infra/openapi.json")).unwrap();
    assert!(
        checked_in == format!("{:#}\n", api::document()),
        "make it anew: cargo run -p meshline -- schema openapi > infra/openapi.json"
    );
}

#[test]
fn every_example_and_starter_document_is_taken() {
    for folder in ["infra/examples", "infra/starter"] {
        for entry in fs::read_dir(repository(folder)).unwrap() {
            let path = entry.unwrap().path();
            let text = fs::read_to_string(&path).unwrap();
            assert_eq!(refusals(&text), Vec::<String>::new(), "{}", path.display());
            assert!(text.starts_with("# yaml-language-server: $schema=../schemas/config.json\n"));
        }
    }
}

#[test]
fn every_example_of_the_reference_is_taken() {
    let examples = examples_of_the_reference();
    let whole = yaml::read(&examples[0]).unwrap().remove(0).value;
    assert!(examples.len() > 8, "the examples are not found any more");
    for example in examples {
        let mut document = yaml::read(&example).unwrap().remove(0).value;
        if document.get("kind").is_none() {
            // A part of a flow, put into the smallest one.
            let mut flow = whole.clone();
            flow.as_object_mut().unwrap().append(document.as_object_mut().unwrap());
            document = flow;
        }
        let errors: Vec<String> = validator().iter_errors(&document).map(|error| error.to_string()).collect();
        assert_eq!(errors, Vec::<String>::new(), "{example}");
    }
}

#[test]
fn what_plan_refuses_for_its_form_the_schema_refuses_too() {
    let of = |path: &str| fs::read_to_string(repository(path)).unwrap();
    let flow = of("infra/examples/blog-launch.yaml");
    let (lead, people) = (of("infra/examples/lead-form.yaml"), of("infra/examples/directory.yaml"));
    let sources = of("infra/examples/sources.yaml");
    let calendar = examples_of_the_reference()
        .into_iter()
        .find(|example| example.starts_with("kind: Calendar"))
        .unwrap();
    for (text, old, new) in [
        (&flow, "title: Blog", "titel: Blog"),
        (&flow, "acknowledge: {within: 4h}", "acknowledge: {within: 4h, remind: 1h}"),
        (&flow, "acknowledge: {within: 4h}", "acknowledge: {}"),
        (&flow, "acknowledge: {within: 4h}", "acknowledge: 4h"),
        (&flow, "join_within: 24h", "join_within: 24"),
        (&flow, "join_within: 24h", "join_within: 1h1d"),
        (&flow, "join_within: 24h", "join_within: ''"),
        (&flow, "join_within: 24h", "join_within: 3 business days"),
        (&flow, "on_retrigger: join", "on_retrigger: ignore"),
        (&flow, "owner: role:product-marketing", "owner: product-marketing"),
        (&lead, "sla: 4h", "sla: 4 hours"),
        (&lead, "sla: 4h", "sla: 4 business weeks"),
        (&lead, "sla: 4h", "warn_at: 75%"),
        (&lead, "sla: 4h", "sla: 4h\n    warn_at: 101%"),
        (&lead, "sla: 4h", "sla: 4h\n    after: answered"),
        (&lead, "done_when: {source: [forms], type: [form.answered]}", "done_when: automatic"),
        (&lead, "outcomes:", "escalation: {breached: [{after: 0s, notify: [team]}]}\noutcomes:"),
        (&lead, "outcomes:", "escalation: {breached: [{after: 0s, reassign: owner}]}\noutcomes:"),
        (&lead, "outcomes:", "escalation: {breached: [{after: 0s, severity: loud}]}\noutcomes:"),
        (
            &lead,
            "outcomes:",
            "exceptions: {owner: role:revops, recovery_sla: 1d, playbooks: {late: {url: x}}}\noutcomes:",
        ),
        (&lead, "kind: Flow", "kind: Flows"),
        (&lead, "kind: Flow\n", ""),
        (&people, "members: [ana]", "members: ana"),
        (&people, "kind: webhook", "kind: fax"),
        (&people, "name: Ana Reyes, ", ""),
        (&sources, "provider: generic", "provider: wix"),
        (&sources, "scheme: token", "scheme: none"),
        (&calendar, "timezone: America/New_York\n", ""),
        (&calendar, "mon-thu:", "monday:"),
        (&calendar, "12:00", "25:00"),
        (&calendar, "2027-12-31", "31.12.2027"),
    ] {
        assert!(text.contains(old), "the example has no `{old}`");
        assert_eq!((problems(text), refusals(text)), (vec![], vec![]));
        let text = text.replacen(old, new, 1);
        assert!(!problems(&text).is_empty(), "`plan` takes `{new}`");
        assert!(!refusals(&text).is_empty(), "the schema takes `{new}`");
    }
}

#[test]
fn an_editor_can_explain_every_field() {
    let schema = schema::documents();
    for (name, definition) in schema["definitions"].as_object().unwrap() {
        let none = serde_json::Map::new();
        let properties = definition.get("properties").and_then(Value::as_object).unwrap_or(&none);
        for (field, of) in properties.iter().filter(|(field, _)| *name != "Pattern" && *field != "kind") {
            assert!(of.get("description").is_some(), "`{field}` of {name} says nothing about itself");
        }
    }
}
