//! The JSON Schema of the documents: what an editor completes and checks them by. Made from their types; what only
//! `plan` can know (that a name stands for something, that somebody is there) is not in it.

use std::borrow::Cow;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};

use crate::config::calendar::Calendar;
use crate::config::directory::Directory;
use crate::config::flow::{DoneWhen, ExceptionKind, Flow, Playbook};
use crate::config::source::Source;
use crate::pattern::{ATTRIBUTES, Pattern};
use crate::template::Template;

/// The schema of one document, of whichever `kind`, in draft 7: the one that editors of YAML know best.
pub fn documents() -> Value {
    let mut generator = SchemaSettings::draft07().into_generator();
    let kinds = [
        ("Flow", generator.subschema_for::<Flow>()),
        ("Source", generator.subschema_for::<Source>()),
        ("Calendar", generator.subschema_for::<Calendar>()),
        ("Directory", generator.subschema_for::<Directory>()),
    ];
    let mut definitions = generator.take_definitions(true);
    for (kind, _) in &kinds {
        // `kind` is taken off before a document is read as its type.
        let definition = definitions.get_mut(*kind).and_then(Value::as_object_mut);
        let properties = definition.and_then(|type_| type_.get_mut("properties")?.as_object_mut());
        if let Some(properties) = properties {
            properties.insert("kind".to_owned(), json!({"const": kind}));
        }
    }
    let then = |(kind, definition): &(&str, Schema)| json!({"if": {"properties": {"kind": {"const": kind}}, "required": ["kind"]}, "then": definition});
    json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "$id": "urn:meshline:schema:config:1",
        "title": "Meshline configuration",
        "description": "A document of `meshline apply`; docs/FLOWS.md is the reference.",
        "type": "object",
        "required": ["kind"],
        "properties": {"kind": {
            "description": "Which kind of document.", "enum": kinds.each_ref().map(|(kind, _)| *kind),
        }},
        "allOf": kinds.each_ref().map(then),
        "definitions": definitions,
    })
}

/// The playbooks of a flow: a member for each kind of exception, which says when it opens.
pub(crate) fn playbooks(generator: &mut SchemaGenerator) -> Schema {
    let playbook = generator.subschema_for::<Playbook>();
    let kinds = ExceptionKind::json_schema(generator);
    let kinds = kinds.get("oneOf").and_then(Value::as_array).into_iter().flatten();
    let member = |kind: &Value| {
        let name = kind.get("const").and_then(Value::as_str)?;
        Some((name.to_owned(), json!({"allOf": [playbook], "description": kind.get("description")})))
    };
    let properties: serde_json::Map<String, Value> = kinds.filter_map(member).collect();
    json_schema!({"type": "object", "properties": properties, "additionalProperties": false})
}

/// An id: `[a-z0-9][a-z0-9-]{0,62}`.
pub(crate) struct Id;

impl JsonSchema for Id {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Id".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": "^[a-z0-9][a-z0-9-]{0,62}$",
            "patternErrorMessage": "write 1 to 63 lower-case letters, digits and hyphens, a letter or digit first",
        })
    }
}

impl JsonSchema for Template {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Template".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "text with `${path}` places, filled from the event",
            "examples": ["${data.id}", "contentful:${data.asset_id}"],
        })
    }
}

impl JsonSchema for Pattern {
    fn schema_name() -> Cow<'static, str> {
        "Pattern".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let attributes = ATTRIBUTES.map(|name| (name.to_owned(), json!({"type": ["array", "object"]})));
        let one = json!({
            "type": "object",
            "minProperties": 1,
            "properties": serde_json::Map::from_iter(attributes),
            "additionalProperties": false,
        });
        json_schema!({
            "description": "an EventBridge event pattern over the event, or a list of them of which any may match",
            "anyOf": [one, {"type": "array", "minItems": 1, "items": one}],
        })
    }
}

impl JsonSchema for DoneWhen {
    fn schema_name() -> Cow<'static, str> {
        "DoneWhen".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({"anyOf": [
            {"const": "manual", "description": "a person, who gives evidence"},
            generator.subschema_for::<Pattern>(),
        ]})
    }
}
