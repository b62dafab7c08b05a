//! The faults of a world, and what an operator does after them.

use meshline_local::Stack;
use meshline_local::emulators::QUEUES;
use meshline_local::faults::Plan;
use serde_json::{Map, Value, json};

use super::chance::Chance;
use crate::Local;

/// Rates that hurt and let live: what fails is tried again four times by the SDK.
const RATES: [f64; 4] = [0.01, 0.03, 0.1, 0.2];
/// What may go wrong with calls, streams and receivers; kills and clocks are drawn apart.
const FAULTS: [(&str, &[&str]); 6] = [
    ("dynamodb", &["throttle", "fail", "timeout", "lost_ack", "conflict", "partial"]),
    ("sqs", &["throttle", "fail", "timeout", "lost_ack", "partial", "duplicate", "reorder", "delay"]),
    ("events", &["throttle", "fail", "timeout", "lost_ack", "partial"]),
    ("secrets", &["throttle", "fail", "timeout"]),
    ("streams", &["stale", "split", "delay"]),
    ("receivers", &["fail", "lost_ack"]),
];

/// A plan in which some of it goes wrong at a time.
pub(super) fn draw(chance: &mut Chance) -> Plan {
    let mut plan = Map::from_iter([("seed".to_owned(), json!(chance.below(1 << 40)))]);
    for (place, faults) in FAULTS {
        let mut rates = Map::new();
        for fault in faults {
            if chance.one_in(3) {
                rates.insert((*fault).to_owned(), json!(chance.one_of(RATES)));
            }
        }
        // All in all no more than half of the calls.
        let sum: f64 = rates.values().filter_map(Value::as_f64).sum();
        if sum > 0.5 {
            rates.values_mut().for_each(|rate| *rate = json!(rate.as_f64().unwrap_or_default() * 0.5 / sum));
        }
        plan.insert(place.to_owned(), Value::Object(rates));
    }
    if chance.one_in(2) {
        plan.insert("functions".to_owned(), json!({"kill": chance.one_of([0.01, 0.05, 0.15])}));
    }
    if chance.one_in(3) {
        plan.insert("skew".to_owned(), json!(chance.one_of(["1s", "2s"])));
    }
    Plan::read(&Value::Object(plan)).expect("a plan")
}

/// How many faults have struck since the plan was made.
pub(super) fn struck(local: &Local) -> u64 {
    local.stack.faults().struck.values().flat_map(|faults| faults.values()).sum()
}

/// Moves what lies in the dead-letter queues back, as the runbook says.
pub(super) async fn redrive(local: &Local) {
    let stack: &Stack = &local.stack;
    let sqs = stack.own.clients.sqs();
    for queue in QUEUES {
        let dead = stack.emulators.queue_url(&format!("{queue}-dlq"));
        loop {
            let received = sqs.receive_message().queue_url(&dead).max_number_of_messages(10).send().await;
            let messages = received.expect("the queue answers").messages.unwrap_or_default();
            if messages.is_empty() {
                break;
            }
            for message in messages {
                let again = sqs.send_message().queue_url(stack.emulators.queue_url(queue));
                again.set_message_body(message.body).send().await.expect("the queue answers");
                let gone = sqs.delete_message().queue_url(&dead).set_receipt_handle(message.receipt_handle);
                gone.send().await.expect("the queue answers");
            }
        }
    }
}
