//! What the tests share: the example bundle, events, and a run that is told as a story.

pub(crate) mod chance;
pub(crate) mod lines;
pub(crate) mod story;

use std::sync::Arc;

use meshline_core::config::flow::Flow;
use meshline_core::config::{Config, File, Problem, Versioned};
use meshline_core::event::Event;
use meshline_core::id::content_hash;
use meshline_core::time::Time;
use serde_json::{Value, json};

pub(crate) const FLOW: &str = include_str!("../fixtures/flow.yaml");
pub(crate) const DIRECTORY: &str = include_str!("../fixtures/directory.yaml");
pub(crate) const SOURCES: &str = include_str!("../fixtures/sources.yaml");

/// The asset that every story is about.
pub(crate) const SUBJECT: &str = "contentful:5KsDBWseXY6";

/// `23 09:00` or `23 09:00:05.250`: a day of November 2026 (the 23rd is a Monday) and a time, UTC.
pub(crate) fn at(text: &str) -> Time {
    let (day, clock) = text.split_once(' ').unwrap();
    let seconds = if clock.len() == 5 { ":00" } else { "" };
    format!("2026-11-{day}T{clock}{seconds}Z").parse().unwrap()
}

pub(crate) fn file(name: &str, text: &str) -> File {
    File { name: name.to_owned(), text: text.to_owned() }
}

/// The example bundle with another flow file.
pub(crate) fn bundle(flow: &str) -> Vec<File> {
    vec![file("flow.yaml", flow), file("directory.yaml", DIRECTORY), file("sources.yaml", SOURCES)]
}

/// What applying `files` to `config` on 23 November 2026 would make of it.
pub(crate) fn plan(config: &Config, files: &[File]) -> Result<Config, Vec<Problem>> {
    config.plan(files, &|_| Vec::new(), at("23 09:00")).map(|plan| plan.next)
}

/// A configuration that must be good.
pub(crate) fn good(files: &[File]) -> Config {
    plan(&Config::default(), files).unwrap_or_else(|problems| panic!("{problems:#?}"))
}

/// A flow that was applied once, from its JSON.
pub(crate) fn applied(flow: Value) -> Versioned<Flow> {
    let hash = content_hash(&flow);
    Versioned { version: 1, hash, document: Arc::new(serde_json::from_value(flow).unwrap()) }
}

/// A normalised event about [`SUBJECT`], taken in at `received`.
pub(crate) fn event(id: &str, source: &str, kind: &str, received: Time, data: Value) -> Event {
    Event {
        id: id.to_owned(),
        source: source.to_owned(),
        kind: kind.to_owned(),
        subject: SUBJECT.to_owned(),
        occurred_at: None,
        received_at: received,
        actor: None,
        title: None,
        url: None,
        data,
        alias: None,
        trace: None,
    }
}

/// The publish of a blog post of the campaign `spring`.
pub(crate) fn publish(id: &str, received: Time) -> Event {
    let data = json!({
        "sys": {"contentType": {"sys": {"id": "blogPost"}}},
        "fields": {"campaign": {"en-US": "spring"}},
    });
    let event = event(id, "contentful", "Entry.publish", received, data);
    Event {
        title: Some("Spring launch".to_owned()),
        url: Some("https://app.example.com/5Ks".to_owned()),
        ..event
    }
}

/// HubSpot says that a contact's property changed.
pub(crate) fn property(id: &str, name: &str, value: &str, received: Time) -> Event {
    let data = json!({"propertyName": name, "propertyValue": value});
    event(id, "hubspot", "contact.propertyChange", received, data)
}
