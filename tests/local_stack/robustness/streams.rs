//! Batches of the streams: images of any kind, keys that are missing, attributes of other types. What fails is named,
//! and nothing else is.

use aws_lambda_events::dynamodb::Event as StreamEvent;
use aws_lambda_events::streams::DynamoDbEventResponse;
use meshline_core::id::subject_hash;
use meshline_tests::Local;
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use super::{Chance, cases, in_time, mutated, wild, wild_json};

/// A JSON value as DynamoDB writes it.
fn attribute(value: &Value) -> Value {
    match value {
        Value::Null => json!({"NULL": true}),
        Value::Bool(it) => json!({"BOOL": it}),
        Value::Number(it) => json!({"N": it.to_string()}),
        Value::String(it) => json!({"S": it}),
        Value::Array(items) => json!({"L": items.iter().map(attribute).collect::<Vec<_>>()}),
        Value::Object(_) => json!({"M": image(value)}),
    }
}

/// The image of an item that holds these members.
fn image(members: &Value) -> Value {
    let members = members.as_object().into_iter().flatten();
    members.map(|(name, value)| (name.clone(), attribute(value))).collect()
}

/// The same item with one member more.
fn with(mut members: Value, name: &str, value: Value) -> Value {
    members.as_object_mut().unwrap().insert(name.to_owned(), value);
    members
}

/// A record of a stream, of an item that was put.
fn record(number: usize, keys: &Value, image: &Value) -> Value {
    changed("INSERT", number, keys, image)
}

fn changed(what: &str, number: usize, keys: &Value, image: &Value) -> Value {
    json!({
        "awsRegion": "us-east-1", "eventID": number.to_string(), "eventName": what, "eventSource": "aws:dynamodb",
        "dynamodb": {"Keys": keys, "NewImage": image, "SequenceNumber": sequence_number(number), "SizeBytes": 0},
    })
}

fn sequence_number(number: usize) -> String {
    format!("{number:021}")
}

/// Images that nobody wrote: one of these with other parts, or anything at all.
fn bad_image(real: Vec<Value>) -> BoxedStrategy<Value> {
    let anything = btree_map(wild(), wild_json(), 0..5).prop_map(|members| image(&json!(members)));
    let other = mutated(real).prop_map(|members| image(&members));
    // What is text may be bytes, or a set.
    let bytes = vec(any::<u8>(), 0..50).prop_map(|bytes| {
        use base64::Engine;
        let text = base64::engine::general_purpose::STANDARD.encode(bytes);
        json!({"event_deflated": {"B": text}, "kind": {"SS": ["a", "b"]}})
    });
    prop_oneof![4 => other, 1 => anything, 1 => bytes].boxed()
}

/// The records of a batch that one of the given place joins, which is good.
fn batch(
    chance: &mut Chance,
    images: &BoxedStrategy<Value>,
    keys: &[Value],
    good: usize,
    it: Value,
) -> StreamEvent {
    let changes = select(vec!["INSERT", "INSERT", "INSERT", "MODIFY", "REMOVE", "UNHEARD OF"]);
    let mut records = Vec::new();
    for number in 0..6 {
        if number == good {
            records.push(it.clone());
            continue;
        }
        let (what, image) = (chance.draw(&changes), chance.draw(images));
        records.push(changed(what, number, &chance.draw(&select(keys.to_vec())), &image));
    }
    let batch = json!({"Records": records});
    println!("{batch}");
    serde_json::from_value(batch).unwrap()
}

fn failed(answer: &DynamoDbEventResponse) -> Vec<&str> {
    answer.batch_item_failures.iter().map(|failure| failure.item_identifier.as_deref().unwrap()).collect()
}

#[tokio::test]
async fn bad_events_hold_up_no_event_of_another_subject() {
    let local = Local::start().await;
    local.opened("5Ks").await;
    let timeline = local.get("/v1/subjects/contentful%3A5Ks/timeline").await;
    let real = timeline["items"][0]["event"].clone();
    let item = |event: &Value| json!({"event": event.to_string(), "received_at": event["received_at"]});
    let mut chance = Chance::new();
    let inner = mutated(vec![real.clone()]).prop_map(move |event| image(&item(&event)));
    let images = prop_oneof![3 => inner, 1 => bad_image(vec![item(&real)])].boxed();
    let keys = [
        json!({"pk": {"S": "S#aaaaaaaaaaaa"}, "sk": {"S": "contentful#x"}}),
        json!({"pk": {"S": "S#"}}),
        json!({"pk": {"N": "1"}}),
        json!({"pk": {"S": "REJECTED#2026-11"}, "sk": {"S": "x"}}),
        json!({}),
    ];
    for n in 0..cases(25) {
        let (subject, good) = (format!("contentful:good-{n}"), n % 6);
        let event = with(with(real.clone(), "subject", json!(subject)), "id", json!(format!("delivery {n}")));
        let key = json!({"pk": {"S": format!("S#{}", subject_hash(&subject))}, "sk": {"S": format!("contentful#{n}")}});
        let it = record(good, &key, &image(&item(&event)));
        let batch = batch(&mut chance, &images, &keys, good, it);
        let answer = in_time(meshline_route::handle(&local.stack.app, batch, local.stack.clock.now())).await;
        assert!(!failed(&answer).contains(&sequence_number(good).as_str()), "{answer:?}");
        let timeline = local.get(&format!("/v1/subjects/contentful%3Agood-{n}/timeline")).await;
        let opened =
            timeline["items"].as_array().unwrap().iter().any(|it| it["record"]["kind"] == "run_opened");
        assert!(opened, "{timeline}");
    }
}

#[tokio::test]
async fn bad_records_hold_up_no_record() {
    let local = Local::start().await;
    let run = local.opened("5Ks").await;
    let trail = local.get(&format!("/v1/runs/{run}/audit")).await;
    let item = |record: &Value| {
        let (pk, sk) = (record["run"].clone(), record["seq"].clone());
        let mut members = record.clone();
        members.as_object_mut().unwrap().retain(|name, _| name != "run" && name != "seq");
        with(with(members, "pk", pk), "sk", sk)
    };
    let real: Vec<Value> = trail["items"].as_array().unwrap().iter().map(item).collect();
    let first = trail["items"][0].clone();
    assert_eq!(first["kind"], "run_opened");
    let mut chance = Chance::new();
    let images = bad_image(real);
    let keys = [json!({"pk": {"S": run}, "sk": {"N": "1"}}), json!({})];
    for n in 0..cases(25) {
        let good = n % 6;
        let record = with(first.clone(), "seq", json!(1_000_000 + n));
        let it = self::record(good, &keys[0], &image(&item(&record)));
        let batch = batch(&mut chance, &images, &keys, good, it);
        let answer = in_time(meshline_relay::handle(&local.stack.app, batch, local.stack.clock.now())).await;
        assert!(!failed(&answer).contains(&sequence_number(good).as_str()), "{answer:?}");
        let id = format!("{run}:{}", 1_000_000 + n);
        let bus = local.stack.emulators.bus();
        assert!(bus.iter().any(|message| message.body["detail"]["id"] == id.as_str()), "the bus has no {id}");
    }
}
