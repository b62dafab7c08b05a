//! The OpenAPI 3.1 document of the API, made from its routes and types.

use std::borrow::Cow;

use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

use super::Route;
use super::operation::operation;
use crate::record::Record;

/// Where schemas are found.
const SCHEMAS: &str = "#/components/schemas/";
/// What the bus carries: the schema of a record is a part of it.
const MESSAGE: &str = include_str!("../../../../infra/schemas/record.json");

/// What makes schemas: of what is read, and of what is written.
pub(super) struct Schemas {
    read: SchemaGenerator,
    written: SchemaGenerator,
}

impl Schemas {
    fn new() -> Self {
        let settings = || {
            SchemaSettings::draft2020_12().with(|settings| {
                settings.definitions_path = SCHEMAS.trim_start_matches('#').trim_end_matches('/').into();
                settings.meta_schema = None;
                settings.transforms.push(Box::new(RecursiveTransform(without_hints)));
            })
        };
        let read = settings().for_deserialize().into_generator();
        Self { read, written: settings().for_serialize().into_generator() }
    }

    /// Of what a request holds.
    pub(super) fn read<T: JsonSchema>(&mut self) -> Value {
        self.read.subschema_for::<T>().to_value()
    }

    /// Of what an answer holds.
    pub(super) fn written<T: JsonSchema>(&mut self) -> Value {
        self.written.subschema_for::<T>().to_value()
    }
}

/// Takes off what only editors of YAML understand, and the names of Rust's numbers.
fn without_hints(schema: &mut Schema) {
    schema.remove("patternErrorMessage");
    if schema.get("format").is_some_and(|format| format != "date-time") {
        schema.remove("format");
    }
}

/// The document.
pub fn document() -> Value {
    let mut schemas = Schemas::new();
    let mut paths = Map::new();
    for route in Route::ALL {
        let path = paths.entry(route.address()).or_insert_with(|| json!({}));
        if let Some(path) = path.as_object_mut() {
            path.insert(route.method().to_lowercase(), operation(*route, &mut schemas));
        }
    }
    let mut definitions = schemas.read.take_definitions(true);
    definitions.extend(schemas.written.take_definitions(true));
    definitions.insert("Problem".to_owned(), problem());
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Meshline",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "The HTTP API; docs/ARCHITECTURE.md explains it. Fields may be added to answers, none is renamed.",
            "license": {"name": "Apache 2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "http://127.0.0.1:8080", "description": "`meshline up`"}],
        "security": [{"iam": []}, {"jwt": []}],
        "paths": paths,
        "components": {
            "schemas": definitions,
            "securitySchemes": {
                "iam": {
                    "type": "apiKey", "in": "header", "name": "Authorization",
                    "description": "AWS Signature Version 4, service `execute-api`: what a deployed stack asks for by default",
                    "x-amazon-apigateway-authtype": "awsSigv4",
                },
                "jwt": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
            },
        },
    })
}

/// Why a request was refused (RFC 9457).
fn problem() -> Value {
    json!({
        "description": "Why a request was refused (RFC 9457), with further members for some types.",
        "type": "object",
        "required": ["type", "title", "status", "detail"],
        "properties": {
            "type": {"type": "string", "pattern": "^urn:meshline:problem:[a-z-]+$", "description": "Stable for a kind of problem."},
            "title": {"type": "string", "description": "Always the same for the type."},
            "status": {"type": "integer", "minimum": 400, "maximum": 599},
            "detail": {"type": "string", "description": "What happened here, and the mend."},
        },
    })
}

impl JsonSchema for Record {
    fn schema_name() -> Cow<'static, str> {
        "Record".into()
    }
    /// That of the message which carries it: there every kind has its detail.
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let message = MESSAGE.replace("\"#/$defs/", &format!("\"{SCHEMAS}Record/$defs/"));
        let message: Value = serde_json::from_str(&message).unwrap_or_default();
        let mut record = message.pointer("/properties/data").cloned().unwrap_or_default();
        if let (Some(members), Some(definitions)) = (record.as_object_mut(), message.get("$defs")) {
            members.insert("$defs".to_owned(), definitions.clone());
        }
        Schema::try_from(record).unwrap_or_default()
    }
}
