//! What one decision costs, with the fold and the hash of its records; and what it costs to find, among many flows,
//! those that an event of 2 KB triggers or may speak of. One thread, nothing stored.

use std::hint::black_box;

use meshline_core::command::{Action, Command};
use meshline_core::config::flow::Flow;
use meshline_core::config::{Config, File};
use meshline_core::decide::{self, Context};
use meshline_core::event::Event;
use meshline_core::record::Actor;
use meshline_core::route::Router;
use meshline_core::time::Time;
use serde_json::{Value, json};

use crate::table::{Table, ms, rank, spread, start};

/// Rounds of one figure, and how long one takes at least.
const ROUNDS: usize = 9;
const ROUND_MS: f64 = 150.0;
/// Bytes of the event that is routed.
const EVENT_BYTES: usize = 2_048;

/// Measures decisions, and routing among `flows` flows.
pub(crate) fn measure(flows: usize) -> Table {
    let columns = &["what", "µs: median (min–max)", "a second", "budget"];
    let mut table = Table::new("Core: one decision, one match", columns);
    decisions(&mut table);
    routing(&mut table, flows);
    table.note(format!("{ROUNDS} rounds of at least {ROUND_MS} ms each."));
    table
}

fn decisions(table: &mut Table) {
    let at = |clock: &str| -> Time { format!("2026-11-23T{clock}:00Z").parse().expect("a time") };
    let config = config(at("09:00"));
    let directory = config.people();
    let flow = config.flows.get("blog-launch").expect("the flow");
    let context = Context { flow, calendar: None, directory: &directory };
    let fields = json!({"sys": {"contentType": {"sys": {"id": "blogPost"}}}, "fields": {"campaign": {"en-US": "spring"}}});
    let published = event("contentful", "Entry.publish", at("09:00"), fields);
    let opened = decide::open(context, &published, at("09:00"));
    let tagged = json!({"propertyName": "campaign_tag", "propertyValue": "spring"});
    let tagged = event("hubspot", "contact.propertyChange", at("09:30"), tagged);
    let person = |action| Command { action, actor: Actor::person("ana"), if_version: None, cause: None };
    let tick = || Command { actor: Actor::system("sla-check"), ..person(Action::Tick) };
    let observe = Command {
        action: Action::Observe(Box::new(tagged)),
        actor: Actor::source("hubspot"),
        if_version: None,
        cause: Some("event:hubspot#e1".to_owned()),
    };
    let opening = || decide::open(context, &published, at("09:00")).records.len();
    row(table, &format!("an opening; records: {}", opening()), "500,000/s", opening);
    for (name, command, now) in [
        ("a tick with nothing due", tick(), at("09:30")),
        ("an acknowledgement", person(Action::Acknowledge), at("09:30")),
        ("a signal that verifies an outcome", observe, at("09:30")),
        ("a tick that finds a breach", tick(), at("11:00")),
    ] {
        let decide = || decide::decide(black_box(&opened.run), context, black_box(&command), now);
        let records = decide().expect("a decision").records.len();
        row(table, &format!("{name}; records: {records}"), "500,000/s", decide);
    }
}

/// Routes an event of 2 KB as `route` does: flows it triggers, then, because there is no run, flows that wait for it.
fn routing(table: &mut Table, flows: usize) {
    let now: Time = "2026-11-23T09:00:00Z".parse().expect("a time");
    let config = config(now);
    let first = config.flows.get("blog-launch").expect("the flow").document.as_ref();
    let many: Vec<Flow> = (0..flows).map(|n| variant(first, n)).collect();
    let router = Router::new(&many).expect("a router");
    let data = |content_type: &str| {
        json!({
            "sys": {"contentType": {"sys": {"id": content_type}}},
            "fields": {"campaign": {"en-US": "spring"}, "body": {"en-US": "x".repeat(EVENT_BYTES)}},
        })
    };
    let sized = |source: &str, kind: &str, mut data: Value| {
        let excess = event(source, kind, now, data.clone()).json().len() - EVENT_BYTES;
        data["fields"]["body"]["en-US"] = json!("x".repeat(EVENT_BYTES - excess));
        event(source, kind, now, data)
    };
    let one = sized("contentful", "Entry.publish", data("type-7"));
    let none = sized("contentful", "Entry.publish", data("page"));
    assert_eq!(router.triggered(&one).expect("a match").len(), 1, "one of the flows is triggered");
    let what = |what: &str| format!("{what} among {flows} flows, event of {EVENT_BYTES} bytes");
    row(table, &what("the one flow that is triggered"), "10 µs", || router.triggered(black_box(&one)));
    row(table, &what("no flow is triggered and none waits"), "10 µs", || {
        (router.triggered(black_box(&none)), router.awaiting(black_box(&none)))
    });
}

/// The flow with another id and another content type.
fn variant(flow: &Flow, n: usize) -> Flow {
    let mut document = serde_json::to_value(flow).expect("JSON");
    document["id"] = json!(format!("flow-{n}"));
    document["trigger"]["match"]["data"]["sys"]["contentType"]["sys"]["id"] = json!([format!("type-{n}")]);
    serde_json::from_value(document).expect("a flow")
}

/// The bundle of the core's tests: two outcomes, two ladders, a playbook.
fn config(now: Time) -> Config {
    let file = |name: &str, text: &str| File { name: name.to_owned(), text: text.to_owned() };
    let files = [
        file("flow.yaml", include_str!("../../shared/core/tests/fixtures/flow.yaml")),
        file("directory.yaml", include_str!("../../shared/core/tests/fixtures/directory.yaml")),
        file("sources.yaml", include_str!("../../shared/core/tests/fixtures/sources.yaml")),
    ];
    Config::default().plan(&files, &|_| Vec::new(), now).expect("a plan").next
}

fn event(source: &str, kind: &str, received_at: Time, data: Value) -> Event {
    serde_json::from_value(json!({
        "id": "e1", "source": source, "type": kind, "subject": "contentful:5KsDBWseXY6", "occurred_at": null,
        "received_at": received_at, "actor": null, "title": null, "url": null, "data": data,
    }))
    .expect("an event")
}

/// Measures `work` and adds its row.
fn row<T>(table: &mut Table, what: &str, budget: &str, work: impl Fn() -> T) {
    let micros: Vec<f64> = (0..ROUNDS).map(|_| round(&work)).collect();
    let a_second = 1e6 / rank(&micros, 50);
    table.row([what.to_owned(), spread(&micros), crate::table::figure(a_second), budget.to_owned()]);
}

/// Microseconds that `work` takes, on average over one round.
fn round<T>(work: &impl Fn() -> T) -> f64 {
    let (begin, mut times) = (start(), 0_u32);
    while ms(begin) < ROUND_MS {
        for _ in 0..100 {
            black_box(work());
        }
        times += 100;
    }
    ms(begin) * 1000.0 / f64::from(times)
}
