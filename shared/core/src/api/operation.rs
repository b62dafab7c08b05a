//! What a route takes and answers, in OpenAPI's words.

use schemars::JsonSchema;
use serde_json::{Value, json};

use super::document::Schemas;
use super::{
    Applied, CheckpointItem, CommandFields, Delivered, Files, FlowItem, FlowVersion, Function, Health,
    HeardDelivery, Listening, Page, Rejected, ReplayFields, Replayed, Route, Timeline, Verified, WhatIf,
};
use crate::calendar::DeadlineView;
use crate::checklist::Checklist;
use crate::checkpoint::{Envelope, PublicKey};
use crate::record::{HandoverAccepted, Record};
use crate::report::{GroupedReport, SlaReport};
use crate::rotation::RotationView;
use crate::view::{ExceptionView, RunView};

/// A media type and its schema.
type Content = (&'static str, Value);

const JSON: &str = "application/json";
/// What an address takes in its query: name, what it is, and its schema.
type Query = (&'static str, &'static str, Value);

/// What is particular to a route.
#[derive(Default)]
struct Operation {
    query: Vec<Query>,
    /// Those parameters of the query that must be there.
    asked_for: Vec<&'static str>,
    body: Vec<Content>,
    answers: Vec<(u16, Vec<Content>)>,
    problems: Vec<u16>,
}

impl Operation {
    /// It answers 200 with this.
    fn answers<T: JsonSchema>(schemas: &mut Schemas) -> Self {
        Self { answers: vec![(200, vec![(JSON, schemas.written::<T>())])], ..Self::default() }
    }

    /// It answers a page of a list.
    fn lists<T: JsonSchema>(schemas: &mut Schemas) -> Self {
        let limit = json!({"type": "integer", "minimum": 1, "maximum": 200, "default": 50});
        Self::answers::<Page<T>>(schemas)
            .query("limit", "how many at most", limit)
            .query("cursor", "where the page before left off", text())
            .refuses([400])
    }

    /// A history answers all of it, up to 1,000 entries.
    fn in_parts(self) -> Self {
        let limit = json!({"type": "integer", "minimum": 1, "maximum": 200});
        let cursor = json!({"type": "string", "pattern": "^[0-9]+$"});
        self.query("limit", "how many at most; left out, 1,000", limit).query(
            "cursor",
            "where the page before left off",
            cursor,
        )
    }

    /// A command to a run: it answers the run afterwards.
    fn command(schemas: &mut Schemas) -> Self {
        Self::answers::<RunView>(schemas).takes::<CommandFields>(schemas).refuses([409, 422])
    }

    fn query(mut self, name: &'static str, what: &'static str, schema: Value) -> Self {
        self.query.push((name, what, schema));
        self
    }

    fn takes<T: JsonSchema>(mut self, schemas: &mut Schemas) -> Self {
        self.body.push((JSON, schemas.read::<T>()));
        self
    }

    /// Takes the documents of a configuration.
    fn takes_documents(self, schemas: &mut Schemas) -> Self {
        let mut operation = self.takes::<Files>(schemas);
        operation.body.push(("application/yaml", text()));
        operation.refuses([400, 422])
    }

    /// These parameters of the query must be there.
    fn asks(mut self, names: impl IntoIterator<Item = &'static str>) -> Self {
        self.asked_for.extend(names);
        self
    }

    fn refuses(mut self, statuses: impl IntoIterator<Item = u16>) -> Self {
        self.problems.extend(statuses);
        self
    }
}

/// The operation of a route.
pub(super) fn operation(route: Route, schemas: &mut Schemas) -> Value {
    let Operation { query, asked_for, body, answers, mut problems } = particular(route, schemas);
    let is_open = matches!(route, Route::Health | Route::Deliver | Route::Probe);
    let is_command = body.iter().any(|(_, schema)| is_command(schema));
    for (status, is_answered) in [
        (400, !is_open && route.function() == Function::OpsApi),
        (401, !is_open),
        (404, route.address().contains('{')),
        (413, !body.is_empty()),
        (500, route != Route::Health),
        (503, route != Route::Health),
    ] {
        problems.extend(is_answered.then_some(status));
    }
    let mut parameters = places(route);
    parameters.extend(query.into_iter().map(|(name, what, schema)| {
        let is_required = asked_for.contains(&name);
        json!({"name": name, "in": "query", "description": what, "required": is_required, "schema": schema})
    }));
    if is_command {
        let what = "what this caller has done with the same key is not done twice";
        parameters
            .push(json!({"name": "Idempotency-Key", "in": "header", "description": what, "schema": text()}));
    }
    let members = [
        ("operationId", Some(json!(route.name()))),
        ("summary", Some(json!(route.summary().trim()))),
        ("tags", Some(json!([tag(route.function())]))),
        ("parameters", Some(json!(parameters))),
        ("requestBody", (!body.is_empty()).then(|| json!({"required": !is_command, "content": media(body)}))),
        ("responses", Some(responses(answers, problems))),
        ("security", is_open.then(|| json!([]))),
    ];
    members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

/// What is answered, by status.
fn responses(answers: Vec<(u16, Vec<Content>)>, problems: Vec<u16>) -> Value {
    let answer = |(status, content): (u16, Vec<Content>)| {
        (status.to_string(), json!({"description": said(status), "content": media(content)}))
    };
    let problem = |status: u16| {
        let content = vec![("application/problem+json", json!({"$ref": "#/components/schemas/Problem"}))];
        let headers = match status {
            503 => json!({"Retry-After": {"description": "seconds", "schema": {"type": "integer"}}}),
            _ => json!({}),
        };
        let response = json!({"description": said(status), "headers": headers, "content": media(content)});
        (status.to_string(), response)
    };
    answers.into_iter().map(answer).chain(problems.into_iter().map(problem)).collect()
}

fn is_command(schema: &Value) -> bool {
    schema.get("$ref").and_then(Value::as_str).is_some_and(|to| to.ends_with("/CommandFields"))
}

fn tag(function: Function) -> &'static str {
    match function {
        Function::Ingest => "deliveries",
        Function::OpsApi => "operations",
        Function::Report => "checkpoints",
    }
}

/// The places of the address.
fn places(route: Route) -> Vec<Value> {
    let names = route.address().split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let what = |name: &str| match name {
        "subject" => "the asset, percent-encoded: `contentful%3A5KsD`".to_owned(),
        "day" => "a UTC day: `2026-11-23`".to_owned(),
        name => format!("the id of a {name}"),
    };
    let place = |name: &str| json!({"name": name, "in": "path", "required": true, "description": what(name), "schema": {"type": "string", "minLength": 1}});
    names.map(place).collect()
}

fn media(content: Vec<Content>) -> Value {
    content.into_iter().map(|(kind, schema)| (kind.to_owned(), json!({"schema": schema}))).collect()
}

fn text() -> Value {
    json!({"type": "string"})
}

fn either() -> Value {
    json!({"type": "boolean"})
}

fn time() -> Value {
    json!({"type": "string", "description": "RFC 3339, or a day, which is its start"})
}

fn day() -> Value {
    json!({"type": "string", "format": "date"})
}

fn whole(from: u16, to: u16, default: u16) -> Value {
    json!({"type": "integer", "minimum": from, "maximum": to, "default": default})
}

/// What a status says.
fn said(status: u16) -> &'static str {
    match status {
        200 => "it is so",
        202 => "it is kept",
        400 => "the request cannot be understood",
        401 => "who is calling is not clear, or not to be believed",
        404 => "there is nothing at this address",
        405 => "this address takes another method",
        409 => "not in this state, or changed since it was seen",
        413 => "the body is too large",
        422 => "a field is missing or wrong",
        500 => "Meshline could not do it; its log says why",
        503 => "a table or a queue is busy: try again",
        _ => "as its provider wants it",
    }
}

fn particular(route: Route, schemas: &mut Schemas) -> Operation {
    match route {
        Route::Health => Operation::answers::<Health>(schemas),
        Route::Deliver | Route::Probe => hook(route, schemas),
        Route::Acknowledge
        | Route::Reassign
        | Route::Pause
        | Route::Resume
        | Route::Note
        | Route::Cancel
        | Route::Close
        | Route::CompleteOutcome
        | Route::FailOutcome
        | Route::PassCheck
        | Route::FailCheck
        | Route::OpenException
        | Route::ResolveException => Operation::command(schemas),
        Route::ResolveOfFlow => {
            Operation::answers::<ExceptionView>(schemas).takes::<CommandFields>(schemas).refuses([409, 422])
        }
        Route::Configure => Operation::answers::<Applied>(schemas).takes_documents(schemas).query(
            "dry_run",
            "only says what would be applied",
            either(),
        ),
        Route::WhatIf => Operation::answers::<WhatIf>(schemas)
            .takes_documents(schemas)
            .query("last", "how many runs", whole(1, 50, 10))
            .query("flow", "which flow, where several differ", text()),
        Route::Replay => {
            Operation::answers::<Replayed>(schemas).takes::<ReplayFields>(schemas).refuses([400, 422])
        }
        Route::Listen => Operation::answers::<Listening>(schemas).refuses([404]),
        Route::Heard => Operation::answers::<Page<HeardDelivery>>(schemas)
            .query("from", "since when", time())
            .refuses([404]),
        Route::AcceptTurn => Operation::answers::<HandoverAccepted>(schemas).refuses([409]),
        Route::Checkpoints => Operation::lists::<CheckpointItem>(schemas)
            .query("since", "the first day", day())
            .query("until", "the last day", day()),
        Route::CheckpointKey => Operation::answers::<PublicKey>(schemas),
        Route::Checkpoint => Operation::answers::<Envelope>(schemas).refuses([422]),
        Route::Flows => Operation::answers::<Page<FlowItem>>(schemas),
        Route::Flow => Operation::answers::<FlowVersion<'static>>(schemas)
            .query(
                "version",
                "the one in force where it is left out",
                json!({"type": "integer", "minimum": 1}),
            )
            .refuses([404]),
        Route::Deadline => Operation::answers::<DeadlineView>(schemas)
            .query("sla", "an outcome of the flow, or a duration", text())
            .asks(["sla"])
            .query("from", "when it starts; now, where it is left out", time())
            .refuses([404]),
        Route::Runs => runs(schemas),
        Route::Run => Operation::answers::<RunView>(schemas).refuses([404]),
        Route::Trail => trail(schemas),
        Route::Verify => Operation::answers::<Verified>(schemas).refuses([404]),
        Route::Records => Operation::lists::<Record>(schemas)
            .query("flow", "of which flow", text())
            .query("day", "a UTC day", day())
            .asks(["flow", "day"]),
        Route::Timeline => Operation::answers::<Timeline>(schemas).in_parts().refuses([400]),
        Route::Exceptions => Operation::lists::<ExceptionView>(schemas)
            .query("status", "open or resolved", json!({"enum": ["open", "resolved"]}))
            .query("flow", "of which flow", text())
            .query("group", "of which cause", text()),
        Route::Rejections => Operation::lists::<Rejected>(schemas),
        Route::Rotations => Operation::answers::<Page<RotationView>>(schemas)
            .query("turns", "how many turns ahead", whole(0, 53, 4))
            .refuses([400]),
        Route::SlaReport => sla_report(schemas),
        Route::Checklist => Operation::answers::<Checklist>(schemas)
            .query("flow", "of which flow", text())
            .asks(["flow"])
            .refuses([404]),
    }
}

/// A webhook, or a probe before it. Whatever a provider sends is taken; some want answers of their own.
fn hook(route: Route, schemas: &mut Schemas) -> Operation {
    let plain = ("text/plain; charset=utf-8", text());
    let delivered = (JSON, schemas.written::<Delivered>());
    let taken = vec![delivered, plain.clone()];
    let is_probe = route == Route::Probe;
    Operation {
        answers: if is_probe { vec![(200, vec![plain])] } else { vec![(200, taken.clone()), (202, taken)] },
        body: if is_probe { Vec::new() } else { vec![("*/*", json!({}))] },
        problems: vec![400, 401, 404, 405, 413, 422],
        ..Operation::default()
    }
}

fn runs(schemas: &mut Schemas) -> Operation {
    Operation::lists::<RunView>(schemas)
        .query("flow", "of which flow", text())
        .query("status", "where they are in their lives", text())
        .query("owner", "whose", text())
        .query("client", "with which label", text())
        .query("overdue", "past a deadline, or not", either())
        .query("suppressed", "opened while their flow was off, or not", either())
}

fn trail(schemas: &mut Schemas) -> Operation {
    let mut trail = Operation::answers::<Page<Record>>(schemas)
        .in_parts()
        .query("format", "`jsonl`: a record a line", json!({"enum": ["json", "jsonl"]}))
        .refuses([404]);
    trail.answers.iter_mut().for_each(|(_, content)| content.push(("application/jsonl", text())));
    trail
}

fn sla_report(schemas: &mut Schemas) -> Operation {
    let either = json!({"anyOf": [schemas.written::<SlaReport>(), schemas.written::<GroupedReport>()]});
    Operation { answers: vec![(200, vec![(JSON, either)])], ..Operation::default() }
        .query("flow", "of which flow; without `by` it must be there", text())
        .query("by", "of all flows together, by client or by owner", json!({"enum": ["client", "owner"]}))
        .query("from", "since when", time())
        .query("to", "until when", time())
        .refuses([404])
}
