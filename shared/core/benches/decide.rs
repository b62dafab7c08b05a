//! What one decision costs, with the fold and the hash of its records: `make bench-core`.

#![expect(clippy::unwrap_used, reason = "a fixture that is wrong must stop the measurement")]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use meshline_core::command::{Action, Command};
use meshline_core::config::{Config, File};
use meshline_core::decide::{self, Context};
use meshline_core::event::Event;
use meshline_core::record::Actor;
use meshline_core::time::Time;
use serde_json::{Value, json};

/// The example bundle, as it is in the tests: two outcomes, two ladders, a playbook.
fn config(now: Time) -> Config {
    let file = |name: &str, text: &str| File { name: name.to_owned(), text: text.to_owned() };
    let files = [
        file("flow.yaml", include_str!("../tests/fixtures/flow.yaml")),
        file("directory.yaml", include_str!("../tests/fixtures/directory.yaml")),
        file("sources.yaml", include_str!("../tests/fixtures/sources.yaml")),
    ];
    Config::default().plan(&files, &|_| Vec::new(), now).unwrap().next
}

fn event(source: &str, kind: &str, received_at: Time, data: Value) -> Event {
    serde_json::from_value(json!({
        "id": "e1", "source": source, "type": kind, "subject": "contentful:5KsDBWseXY6", "occurred_at": null,
        "received_at": received_at, "actor": null, "title": null, "url": null, "data": data,
    }))
    .unwrap()
}

fn decisions(criterion: &mut Criterion) {
    let at = |clock: &str| -> Time { format!("2026-11-23T{clock}:00Z").parse().unwrap() };
    let config = config(at("09:00"));
    let directory = config.people();
    let context =
        Context { flow: config.flows.get("blog-launch").unwrap(), calendar: None, directory: &directory };
    let fields = json!({"sys": {"contentType": {"sys": {"id": "blogPost"}}}, "fields": {"campaign": {"en-US": "spring"}}});
    let opened =
        decide::open(context, &event("contentful", "Entry.publish", at("09:00"), fields), at("09:00"));
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
    let mut group = criterion.benchmark_group("decide");
    group.throughput(Throughput::Elements(1));
    for (name, command, now) in [
        ("a tick with nothing due", tick(), at("09:30")),
        ("an acknowledgement", person(Action::Acknowledge), at("09:30")),
        ("a signal that verifies an outcome", observe, at("09:30")),
        ("a tick that finds a breach", tick(), at("11:00")),
    ] {
        let decision = decide::decide(&opened.run, context, &command, now).unwrap();
        group.bench_function(format!("{name}: {} records", decision.records.len()), |bench| {
            bench.iter(|| decide::decide(black_box(&opened.run), context, black_box(&command), now));
        });
    }
    group.finish();
}

criterion_group!(benches, decisions);
criterion_main!(benches);
