//! What is there to be seen: tables, queues, bus and inbox, read without any fault in the way.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use aws_sdk_dynamodb::types::AttributeValue;
use meshline_aws::{audit, events, runs};
use meshline_core::event::Event;
use meshline_core::message::{self, Queue};
use meshline_core::record::Record;
use meshline_core::run::Run;
use meshline_core::time::Time;
use meshline_local::emulators::Message;

use crate::{Local, URL};

type Item = HashMap<String, AttributeValue>;

/// Everything, at one moment.
pub(super) struct Seen {
    pub(super) now: Time,
    /// Events that are kept, as they came, by key: `cms#17`.
    pub(super) events: BTreeMap<String, Event>,
    /// Events that came about a contact, once more about each asset that it stood for.
    pub(super) passed_on: Vec<Event>,
    pub(super) runs: BTreeMap<String, Run>,
    /// Records by run, in order.
    pub(super) trails: BTreeMap<String, Vec<Record>>,
    /// When each item falls due that is in the index, by its keys.
    pub(super) due: BTreeMap<String, Time>,
    /// Bodies by id of what is on the bus, once per time that it was put there.
    pub(super) bus: BTreeMap<String, Vec<serde_json::Value>>,
    /// The same of what was sent to the queues of messages, by queue and id.
    pub(super) queues: BTreeMap<(Queue, String), Vec<serde_json::Value>>,
    /// What every record should have sent: to the queues, if anything.
    pub(super) expected: BTreeMap<String, Option<Queue>>,
    pub(super) inbox: Vec<Message>,
    /// How many records of streams their consumers have left behind.
    pub(super) left_behind: usize,
}

impl Seen {
    pub(super) async fn of(local: &Local) -> Self {
        let stack = &local.stack;
        let events = scan(local, "meshline-events").await;
        let events = events.iter().filter(|item| text(item, "pk").starts_with("S#"));
        let events = events.map(|item| events::event(item).expect("an event"));
        let (came, passed_on): (Vec<Event>, _) = events.partition(|event| event.alias.is_none());
        let mut trails: BTreeMap<String, Vec<Record>> = BTreeMap::new();
        for item in scan(local, "meshline-audit").await {
            let record = audit::record(item).expect("a record");
            trails.entry(record.run.clone()).or_default().push(record);
        }
        trails.values_mut().for_each(|trail| trail.sort_by_key(|record| record.seq));
        let state = scan(local, "meshline-state").await;
        let due = state.iter().filter(|item| item.contains_key("due_shard"));
        let due = due.map(|item| {
            let at = text(item, "next_due_at").parse().expect("a time");
            (format!("{} {}", text(item, "pk"), text(item, "sk")), at)
        });
        let records = trails.values().flatten();
        let expected = records.map(|record| {
            let outgoing = message::outgoing(record, URL, None);
            (record.id(), outgoing.queue.map(|(queue, _)| queue))
        });
        Self {
            now: stack.clock.now(),
            events: came.into_iter().map(|event| (event.key(), event)).collect(),
            passed_on,
            due: due.collect(),
            expected: expected.collect(),
            runs: runs(&state),
            trails,
            bus: bus(local),
            queues: queues(local),
            inbox: stack.emulators.inbox(),
            left_behind: stack.left_behind().len(),
        }
    }

    /// The runs, with their trails.
    pub(super) fn lives(&self) -> impl Iterator<Item = (&Run, &[Record])> {
        let trail = |run: &str| self.trails.get(run).map_or(&[] as &[Record], Vec::as_slice);
        self.runs.values().map(move |run| (run, trail(&run.run)))
    }

    /// Prints all trails, a line for each record.
    pub(super) fn tell_trails(&self) {
        for (run, trail) in &self.trails {
            println!("run {run}");
            for record in trail {
                let fact = serde_json::to_value(&record.fact).unwrap_or_default();
                let by = record.cause.as_deref().unwrap_or(&record.actor.id);
                println!("  {:>3} {} {by}: {fact}", record.seq, record.at);
            }
        }
    }

    /// The ids of all records.
    pub(super) fn record_ids(&self) -> BTreeSet<&str> {
        self.expected.keys().map(String::as_str).collect()
    }
}

fn text(item: &Item, name: &str) -> String {
    item.get(name).and_then(|value| value.as_s().ok()).cloned().unwrap_or_default()
}

/// The runs of the state table, by id.
pub(super) async fn stored_runs(local: &Local) -> BTreeMap<String, Run> {
    runs(&scan(local, "meshline-state").await)
}

fn runs(state: &[Item]) -> BTreeMap<String, Run> {
    let runs = state.iter().filter(|item| text(item, "sk").starts_with("RUN#"));
    let runs = runs.map(|item| runs::from_item(item.clone()).expect("a run"));
    runs.map(|run| (run.run.clone(), run)).collect()
}

async fn scan(local: &Local, table: &str) -> Vec<Item> {
    let scan = local.stack.own.clients.dynamodb().scan().table_name(table).consistent_read(true);
    let mut pages = scan.into_paginator().items().send();
    let mut items = Vec::new();
    while let Some(item) = pages.next().await {
        items.push(item.expect("the table answers"));
    }
    items
}

fn bus(local: &Local) -> BTreeMap<String, Vec<serde_json::Value>> {
    let mut bus: BTreeMap<String, Vec<serde_json::Value>> = BTreeMap::new();
    for event in local.stack.emulators.bus() {
        let detail = event.body["detail"].clone();
        bus.entry(detail["id"].as_str().unwrap_or_default().to_owned()).or_default().push(detail);
    }
    bus
}

fn queues(local: &Local) -> BTreeMap<(Queue, String), Vec<serde_json::Value>> {
    let mut queues: BTreeMap<_, Vec<serde_json::Value>> = BTreeMap::new();
    for queue in [Queue::Escalations, Queue::Exceptions, Queue::Requests] {
        for message in local.stack.emulators.messages(queue.as_str()).expect("a queue") {
            let id = message.body["id"].as_str().unwrap_or_default().to_owned();
            queues.entry((queue, id)).or_default().push(message.body);
        }
    }
    queues
}
