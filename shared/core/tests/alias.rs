//! Aliases: what names an event teaches, and which events are worth a look for an asset behind their name.

use std::collections::BTreeMap;

use meshline_core::alias::{Link, belonging_to, may_be_alias, taught};
use meshline_core::config::Versioned;
use meshline_core::config::source::Source;
use meshline_core::event::Event;
use serde_json::{Value, json};

use crate::support::{FLOW, SUBJECT, at, bundle, event, file, good};

/// The example sources, and one whose events tell of a contact and of a deal.
fn sources() -> BTreeMap<String, Versioned<Source>> {
    let crm = "
kind: Source
id: crm
provider: hubspot
secrets: [crm]
subject: \"contentful:${data.asset_id}\"
aliases: [\"crm:contact:${data.contact}\", \"crm:deal:${data.deal}\"]
";
    let mut files = bundle(FLOW);
    files.push(file("crm.yaml", crm));
    good(&files).sources
}

fn said(source: &str, data: Value) -> Event {
    event("e1", source, "contact.changed", at("23 09:00"), data)
}

fn names(event: &Event) -> Vec<String> {
    taught(&sources(), event).into_iter().map(|link| link.name).collect()
}

#[test]
fn an_event_teaches_each_alias_whose_place_it_can_fill() {
    let both = said("crm", json!({"contact": 7, "deal": "d-9"}));
    assert_eq!(names(&both), ["crm:contact:7", "crm:deal:d-9"]);
    let link = taught(&sources(), &said("crm", json!({"contact": 7})));
    let (name, subject) = ("crm:contact:7".to_owned(), SUBJECT.to_owned());
    assert_eq!(link, [Link { name, subject, at: at("23 09:00"), event: "crm#e1".to_owned() }]);
    assert!(names(&said("crm", json!({"contact": ""}))).is_empty(), "all that have none would be one");
    assert!(names(&said("hubspot", json!({"contact": 7}))).is_empty(), "its source has no aliases");
    assert!(names(&said("unknown", json!({"contact": 7}))).is_empty());
}

#[test]
fn a_name_is_as_long_as_a_subject_at_most_and_not_that_of_the_asset_itself() {
    let long = |bytes: usize| said("crm", json!({"contact": "x".repeat(bytes - "crm:contact:".len())}));
    assert_eq!(names(&long(512)).len(), 1);
    assert!(names(&long(513)).is_empty());
    let itself = Event { subject: "crm:contact:7".to_owned(), ..said("crm", json!({"contact": 7})) };
    assert!(names(&itself).is_empty());
}

#[test]
fn a_name_never_leads_to_another_name() {
    let by_name = Event { subject: "crm:deal:d-9".to_owned(), ..said("crm", json!({"contact": 7})) };
    let about_the_asset = belonging_to(&by_name, SUBJECT);
    assert_eq!(about_the_asset.subject, SUBJECT);
    assert_eq!(about_the_asset.alias.as_deref(), Some("crm:deal:d-9"));
    assert!(names(&about_the_asset).is_empty());
}

#[test]
fn only_a_subject_that_begins_as_an_alias_does_may_be_one() {
    let about = |subject: &str| Event { subject: subject.to_owned(), ..said("hubspot", json!({})) };
    let maybe = |event: &Event| may_be_alias(&sources(), event);
    assert!(maybe(&about("crm:contact:7")));
    assert!(maybe(&about("crm:deal:d-9")));
    assert!(!maybe(&about(SUBJECT)));
    assert!(!maybe(&belonging_to(&about("crm:contact:8"), "crm:contact:7")), "an alias led to it already");
}
