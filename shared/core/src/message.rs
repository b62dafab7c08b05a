//! Messages: what a record tells the queues and the bus. One CloudEvent each, schemas under infra/schemas/.

mod monday;

use serde_json::{Value, json};

use crate::record::{AlertSettled, Escalated, ExceptionOpened, Fact, Opened, Recipient, Record, Requested};
use crate::time::Time;
use crate::trace::TraceParent;

/// A queue that people or the execution layer are reached through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Queue {
    /// To be told to people.
    Escalations,
    /// To become tickets.
    Exceptions,
    /// To be asked of the execution layer.
    Requests,
}

/// What one record sends.
#[derive(Debug, Clone, PartialEq)]
pub struct Outgoing {
    /// `meshline.<record kind>`.
    pub kind: String,
    /// The step of the run's trace that it is.
    pub trace: Option<TraceParent>,
    /// For the bus: the record.
    pub bus: Value,
    /// For a queue: all that its consumer needs. A record of a flow that is off has none.
    pub queue: Option<(Queue, Value)>,
}

impl Queue {
    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Escalations => "escalations",
            Self::Exceptions => "exceptions",
            Self::Requests => "requests",
        }
    }
}

/// What `record` sends. `public_url` is the address of the HTTP API, `console_url` that of the console where there is
/// one: for links.
pub fn outgoing(record: &Record, public_url: &str, console_url: Option<&str>) -> Outgoing {
    let data = match &record.fact {
        Fact::Escalated(escalated) => Some((Queue::Escalations, escalation(record, escalated))),
        Fact::RunOpened(opened) if !opened.notify.is_empty() => {
            Some((Queue::Escalations, opening(record, opened)))
        }
        Fact::Stalled(stalled) => {
            let notice =
                notice(record, "stalled", "nothing is due and nothing happened for a week", &stalled.title);
            Some((
                Queue::Escalations,
                with(notice, json!({"notify": stalled.notify, "due_at": stalled.since})),
            ))
        }
        Fact::OwnerRotated(it) if !it.notify.is_empty() => {
            let text = format!("the turn of `{}` as `{}` began and is not accepted", it.to, it.role);
            let told = handover(record, &text, &it.title, (&it.to, &it.notify, it.turn_at));
            Some((Queue::Escalations, told))
        }
        Fact::HandoverReminded(it) if !it.notify.is_empty() => {
            let text = format!("the turn of `{}` as `{}` is still not accepted", it.to, it.role);
            let told = handover(record, &text, &it.title, (&it.to, &it.notify, it.turn_at));
            Some((Queue::Escalations, told))
        }
        Fact::ChecklistSent(sent) if !sent.notify.is_empty() => {
            let notice = notice(record, "monday", &monday::headline(sent), &sent.title);
            Some((Queue::Escalations, with(notice, monday::told(&record.flow, sent))))
        }
        Fact::ExceptionOpened(opened) => Some((Queue::Exceptions, ticket(record, opened))),
        Fact::OutcomeRequested(requested) => Some((Queue::Requests, request(record, requested))),
        Fact::AlertSettled(settled) => Some((Queue::Escalations, settlement(record, settled))),
        Fact::RunOpened(_)
        | Fact::Retriggered(_)
        | Fact::OutcomeDone(_)
        | Fact::OutcomeFailed(_)
        | Fact::SlaWarning(_)
        | Fact::SlaBreached(_)
        | Fact::Acknowledged(_)
        | Fact::AcknowledgementMissed(_)
        | Fact::AcknowledgementLapsed(_)
        | Fact::Reassigned(_)
        | Fact::StepEmpty(_)
        | Fact::RecoveryBreached(_)
        | Fact::ExceptionResolved(_)
        | Fact::CheckPassed(_)
        | Fact::CheckFailed(_)
        | Fact::CheckOverdue(_)
        | Fact::Paused(_)
        | Fact::Resumed(_)
        | Fact::RunVerifying(_)
        | Fact::RunClosed(_)
        | Fact::RunCancelled(_)
        | Fact::NoteAdded(_)
        | Fact::DeliverySucceeded(_)
        | Fact::DeliveryFailed(_)
        | Fact::DeliverySkipped(_)
        | Fact::FlowApplied(_)
        | Fact::OwnerRotated(_)
        | Fact::HandoverAccepted(_)
        | Fact::HandoverReminded(_)
        | Fact::ChecklistSent(_) => None,
    };
    let told = data.filter(|_| !record.suppressed);
    let queue = told.map(|(queue, mut data)| {
        let exception = data.get("exception").and_then(Value::as_str);
        let page = console_url.map(|url| format!("{url}{}", page(record, exception)));
        if let Some(members) = data.as_object_mut() {
            members.insert("links".to_owned(), links(record, public_url, page));
        }
        let schema = match queue {
            Queue::Escalations if matches!(record.fact, Fact::AlertSettled(_)) => "settlement",
            Queue::Escalations => "escalation",
            Queue::Exceptions => "exception",
            Queue::Requests => "request",
        };
        (queue, cloud_event(record, schema, data))
    });
    let bus = cloud_event(record, "record", serde_json::to_value(record).unwrap_or_default());
    Outgoing { kind: kind(record), trace: record.trace_parent(), bus, queue }
}

fn kind(record: &Record) -> String {
    format!("meshline.{}", record.fact.kind())
}

/// <https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md>, with the extension
/// <https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/extensions/distributed-tracing.md>
fn cloud_event(record: &Record, schema: &str, data: Value) -> Value {
    let mut event = json!({
        "specversion": "1.0",
        "type": kind(record),
        "source": format!("meshline/{}", record.flow),
        "subject": record.subject,
        "id": record.id(),
        "time": record.at,
        "datacontenttype": "application/json",
        "dataschema": format!("urn:meshline:schema:{schema}:1"),
        "data": data,
    });
    if let (Some(attributes), Some(trace)) = (event.as_object_mut(), record.trace_parent()) {
        attributes.insert("traceparent".to_owned(), json!(trace.to_string()));
    }
    event
}

/// `console` is the page for people, where there is one.
fn links(record: &Record, public_url: &str, console: Option<String>) -> Value {
    let links = if record.run.starts_with("FLOW#") {
        let flow = format!("{public_url}/v1/flows/{}", record.flow);
        let links = json!({"run": null, "trail": null, "timeline": null, "flow": flow});
        if matches!(record.fact, Fact::ChecklistSent(_)) {
            let checklist = format!("{public_url}/v1/reports/checklist?flow={}", record.flow);
            with(links, json!({"checklist": checklist}))
        } else {
            links
        }
    } else {
        let run = format!("{public_url}/v1/runs/{}", record.run);
        let timeline = format!("{public_url}/v1/subjects/{}/timeline", segment(&record.subject));
        json!({"run": run, "trail": format!("{run}/audit"), "timeline": timeline})
    };
    match console {
        Some(page) => with(links, json!({"console": page})),
        None => links,
    }
}

/// The console's page of what a record is about, at the exception if it is about one. A flow's own are in the queue.
fn page(record: &Record, exception: Option<&str>) -> String {
    match (record.run.starts_with("FLOW#"), exception) {
        (false, None) => format!("/runs/{}", record.run),
        (false, Some(exception)) => format!("/runs/{}#{exception}", record.run),
        (true, None) => format!("/flows/{}", record.flow),
        (true, Some(_)) => "/exceptions".to_owned(),
    }
}

/// A text as one segment of a URL's path (RFC 3986, section 3.3): all but unreserved characters and `:` escaped.
fn segment(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:".contains(&byte);
    let escape = |byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    text.bytes().map(escape).collect()
}

fn with(mut value: Value, more: Value) -> Value {
    if let (Some(members), Value::Object(more)) = (value.as_object_mut(), more) {
        members.extend(more);
    }
    value
}

/// What every escalation message has; absent facts are `null`.
fn notice(record: &Record, reason: &str, text: &str, title: &str) -> Value {
    let at: Time = record.at;
    json!({
        "run": record.run, "flow": record.flow, "subject": record.subject, "title": title, "url": null,
        "ladder": reason, "step": 0, "severity": "high", "reason": text, "outcome": null, "exception": null, "owner": null,
        "notify": [], "due_at": null, "breached_at": null, "detected_at": at,
    })
}

fn escalation(record: &Record, escalated: &Escalated) -> Value {
    let notice = notice(record, "", &escalated.reason, &escalated.title);
    let about = escalated.outcome.as_ref().or(escalated.exception.as_ref());
    let breached_at = about.map(|_| escalated.due_at);
    with(
        notice,
        json!({
            "url": escalated.url, "ladder": escalated.ladder, "step": escalated.step, "severity": escalated.severity,
            "outcome": escalated.outcome, "exception": escalated.exception, "owner": escalated.owner, "notify": escalated.notify,
            "due_at": escalated.due_at, "breached_at": breached_at, "detected_at": escalated.detected_at,
        }),
    )
}

fn opening(record: &Record, opened: &Opened) -> Value {
    let text = format!("`{}` owns this run and is asked to acknowledge it", opened.owner);
    let notice = notice(record, "opened", &text, &opened.title);
    let more = json!({
        "url": opened.url, "severity": "normal", "owner": opened.owner, "notify": opened.notify,
        "due_at": opened.acknowledge_by,
    });
    with(notice, more)
}

fn handover(
    record: &Record,
    text: &str,
    title: &str,
    (owner, notify, due_at): (&str, &[Recipient], Time),
) -> Value {
    let notice = notice(record, "rotation", text, title);
    with(notice, json!({"severity": "normal", "owner": owner, "notify": notify, "due_at": due_at}))
}

fn ticket(record: &Record, opened: &ExceptionOpened) -> Value {
    json!({
        "exception": opened.exception, "run": record.run, "flow": record.flow, "subject": record.subject,
        "title": opened.title, "url": opened.url, "kind": opened.kind, "outcome": opened.outcome,
        "check": opened.check, "expected": opened.expected, "seen": opened.seen, "owner": opened.owner, "custody": opened.custody,
        "opened_at": record.at, "recovery_due_at": opened.recovery_due_at, "playbook": opened.playbook,
        "group": opened.group,
    })
}

fn settlement(record: &Record, settled: &AlertSettled) -> Value {
    json!({
        "run": record.run, "flow": record.flow, "subject": record.subject, "title": settled.title,
        "matter": settled.matter, "to": settled.to, "settlement": settled.settlement, "how": settled.how,
        "group": settled.group,
    })
}

fn request(record: &Record, requested: &Requested) -> Value {
    json!({
        "run": record.run, "flow": record.flow, "subject": record.subject, "outcome": requested.outcome,
        "channel": requested.channel, "payload": requested.payload,
    })
}
