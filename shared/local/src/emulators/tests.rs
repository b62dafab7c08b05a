//! The emulators as the real SDK clients see them.

use std::collections::HashMap;
use std::path::Path;

use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_dynamodb::types::{
    AttributeValue, ConsumedCapacity, Put, ReturnConsumedCapacity, TransactWriteItem,
};
use dynoxide::actions::get_records::GetRecordsRequest;
use dynoxide::actions::get_shard_iterator::GetShardIteratorRequest;
use dynoxide::actions::list_streams::ListStreamsRequest;
use meshline_core::time::{Span, Time};

use super::*;

const START: &str = "2026-11-23T09:00:00Z";

async fn start(data: Option<&Path>) -> (Emulators, Clock) {
    let clock = Clock::starting_at(Some(START.parse().unwrap()), true);
    let options = Options {
        data: data.map(Path::to_path_buf),
        clock: clock.clone(),
        secrets: BTreeMap::from([("contentful".to_owned(), "s3cret".to_owned())]),
        faults: Arc::default(),
        prefix_secret: "meshline/".to_owned(),
    };
    (Emulators::start(options).await.unwrap(), clock)
}

/// A client of the SDK crate `$sdk` at `$url`.
macro_rules! client {
    ($sdk:ident, $url:expr) => {
        $sdk::Client::from_conf(
            $sdk::Config::builder()
                .behavior_version(BehaviorVersion::latest())
                .region(Region::new(REGION))
                .credentials_provider(Credentials::new("any", "any", None, None, "test"))
                .endpoint_url($url)
                .build(),
        )
    };
}

fn s(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}

fn record(run: &str, seq: u32) -> HashMap<String, AttributeValue> {
    HashMap::from([
        ("pk".to_owned(), s(run)),
        ("sk".to_owned(), AttributeValue::N(seq.to_string())),
        ("flow_day".to_owned(), s("publish#2026-11-23")),
        ("at_run_seq".to_owned(), s(format!("{START}#{run}#{seq}"))),
    ])
}

fn put(table: &str, item: HashMap<String, AttributeValue>) -> TransactWriteItem {
    let put = Put::builder().table_name(table).set_item(Some(item));
    let put = put.condition_expression("attribute_not_exists(pk)").build().unwrap();
    TransactWriteItem::builder().put(put).build()
}

fn units(consumed: &[ConsumedCapacity]) -> Vec<(String, f64, HashMap<String, f64>)> {
    let indexes = |c: &ConsumedCapacity| {
        let of = c.global_secondary_indexes().into_iter().flatten();
        of.map(|(name, units)| (name.clone(), units.capacity_units().unwrap_or_default())).collect()
    };
    let table = |c: &ConsumedCapacity| c.table().and_then(|t| t.capacity_units()).unwrap_or_default();
    consumed.iter().map(|c| (c.table_name().unwrap().to_owned(), table(c), indexes(c))).collect()
}

/// The shard of a table's stream, and its records after `after` (all of them when `None`).
fn stream(emulators: &Emulators, table: &str, after: Option<&str>) -> (String, Vec<serde_json::Value>) {
    let tables = &emulators.tables;
    let wanted = ListStreamsRequest { table_name: Some(table.to_owned()), ..Default::default() };
    let stream_arn = tables.list_streams(wanted).unwrap().streams[0].stream_arn.clone();
    let shard_id = dynoxide::streams::shard_id(table);
    let shard = format!("{stream_arn} {shard_id}");
    let shard_iterator_type = after.map_or("TRIM_HORIZON", |_| "AFTER_SEQUENCE_NUMBER").to_owned();
    let sequence_number = after.map(str::to_owned);
    let from = GetShardIteratorRequest { stream_arn, shard_id, shard_iterator_type, sequence_number };
    let shard_iterator = tables.get_shard_iterator(from).unwrap().shard_iterator.unwrap();
    let read = tables.get_records(GetRecordsRequest { shard_iterator, limit: None }).unwrap();
    assert!(read.next_shard_iterator.is_some());
    (shard, read.records.iter().map(|record| serde_json::json!(record)).collect())
}

fn sequence(record: &serde_json::Value) -> &str {
    record["dynamodb"]["SequenceNumber"].as_str().unwrap()
}

#[tokio::test]
async fn a_transaction_is_all_or_nothing_and_says_what_it_cost() {
    let (emulators, _) = start(None).await;
    let client = client!(aws_sdk_dynamodb, &emulators.dynamodb_url);
    let run = HashMap::from([
        ("pk".to_owned(), s("S#1")),
        ("sk".to_owned(), s("RUN#1")),
        ("due_shard".to_owned(), s("DUE#00")),
        ("next_due_at".to_owned(), s(START)),
    ]);
    let commit = || {
        client
            .transact_write_items()
            .transact_items(put("meshline-state", run.clone()))
            .transact_items(put("meshline-audit", record("1", 1)))
            .return_consumed_capacity(ReturnConsumedCapacity::Indexes)
    };

    let committed = commit().send().await.unwrap();
    let index = |name: &str, units: f64| HashMap::from([(name.to_owned(), units)]);
    let mut consumed = units(committed.consumed_capacity());
    consumed.sort_by(|a, b| a.0.cmp(&b.0));
    assert_eq!(
        consumed,
        [
            ("meshline-audit".to_owned(), 2.0, index("by_flow_day", 1.0)),
            ("meshline-state".to_owned(), 2.0, index("due", 1.0)),
        ]
    );

    let refused = commit().send().await.unwrap_err().into_service_error();
    assert!(refused.is_transaction_canceled_exception(), "{refused:?}");

    let request = client.put_item().table_name("meshline-audit").set_item(Some(record("1", 2)));
    let put = request.return_consumed_capacity(ReturnConsumedCapacity::Indexes).send().await.unwrap();
    let audit = ("meshline-audit".to_owned(), 1.0, index("by_flow_day", 1.0));
    assert_eq!(units(&[put.consumed_capacity.unwrap()]), [audit]);

    let due = client.query().table_name("meshline-state").index_name("due");
    let due = due.key_condition_expression("due_shard = :d AND next_due_at <= :now");
    let due =
        due.expression_attribute_values(":d", s("DUE#00")).expression_attribute_values(":now", s(START));
    assert_eq!(due.send().await.unwrap().items()[0]["sk"], s("RUN#1"));
}

#[tokio::test]
async fn the_audit_stream_shows_each_record_once_in_order() {
    let (emulators, clock) = start(None).await;
    let client = client!(aws_sdk_dynamodb, &emulators.dynamodb_url);
    for seq in 1..=3 {
        clock.advance(Span::minutes(1));
        let put = client.put_item().table_name("meshline-audit").set_item(Some(record("1", seq)));
        put.send().await.unwrap();
    }
    let (_, records) = stream(&emulators, "meshline-audit", None);
    let last = &records[2]["dynamodb"];
    assert_eq!(records.len(), 3);
    assert_eq!(last["NewImage"]["at_run_seq"]["S"], format!("{START}#1#3"));
    let created: Time = "2026-11-23T09:03:00Z".parse().unwrap();
    assert_eq!(last["ApproximateCreationDateTime"], created.unix_ms() as f64 / 1000.0);

    let (_, rest) = stream(&emulators, "meshline-audit", Some(sequence(&records[0])));
    assert_eq!(rest, records[1..]);
}

#[tokio::test]
async fn a_file_keeps_tables_and_streams_over_a_restart() {
    let folder = std::env::temp_dir().join(format!("meshline-local-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    let write = async |emulators: &Emulators, seq| {
        let client = client!(aws_sdk_dynamodb, &emulators.dynamodb_url);
        let put = client.put_item().table_name("meshline-audit").set_item(Some(record("1", seq)));
        put.send().await.unwrap();
    };

    let (emulators, _) = start(Some(&folder)).await;
    write(&emulators, 1).await;
    let (shard, before) = stream(&emulators, "meshline-audit", None);
    emulators.stop().await;

    let (emulators, _) = start(Some(&folder)).await;
    let (same_shard, after) = stream(&emulators, "meshline-audit", None);
    assert_eq!((&same_shard, &after), (&shard, &before));
    write(&emulators, 2).await;
    let (_, new) = stream(&emulators, "meshline-audit", Some(sequence(&before[0])));
    assert_eq!(new.len(), 1);
    assert!(sequence(&new[0]) > sequence(&before[0]));
    emulators.stop().await;
    std::fs::remove_dir_all(&folder).unwrap();
}

#[tokio::test]
async fn a_delayed_message_is_held_until_the_clock_says_so() {
    let (emulators, clock) = start(None).await;
    let client = client!(aws_sdk_sqs, &emulators.sqs_url);
    let ticks = emulators.queue_url("ticks");
    let receive = || client.receive_message().queue_url(&ticks).max_number_of_messages(10);
    let send = |body: &str, delay| {
        client.send_message().queue_url(&ticks).message_body(body).delay_seconds(delay).send()
    };

    let late = send(r#"{"run":"late"}"#, 90).await.unwrap();
    let soon = send(r#"{"run":"soon"}"#, 60).await.unwrap();
    send("now", 0).await.unwrap();
    assert_eq!(late.md5_of_message_body().unwrap(), "84e6d48eb3a9f5a2d5b3f27e370c5302");
    assert!(send("x", 901).await.is_err(), "SQS takes 900 seconds at most");
    assert_eq!(emulators.queue_len("ticks").await, Some(3));
    assert_eq!(emulators.next_held(), Some(clock.now() + Span::minutes(1)));

    clock.advance(Span::from_ms(59_999));
    emulators.release_due().await;
    let received = receive().send().await.unwrap();
    assert_eq!(received.messages()[0].body().unwrap(), "now");
    assert_eq!(received.messages().len(), 1);

    clock.advance(Span::from_ms(1));
    emulators.release_due().await;
    let received = receive().send().await.unwrap();
    assert_eq!(received.messages()[0].message_id(), soon.message_id(), "the id the sender was told");
    assert_eq!(received.messages().len(), 1);
    assert_eq!(emulators.next_held(), Some(clock.now() + Span::from_ms(30_000)));
    let receipt = received.messages()[0].receipt_handle().unwrap();
    client.delete_message().queue_url(&ticks).receipt_handle(receipt).send().await.unwrap();
    assert_eq!(emulators.queue_len("ticks").await, Some(2), "one in flight, one held");

    let sent = emulators.messages("ticks").unwrap();
    assert_eq!(sent[0].id, late.message_id().unwrap());
    assert_eq!(sent[0].body, serde_json::json!({"run": "late"}));
    assert_eq!(sent[0].at, START.parse().unwrap());
    assert_eq!(sent[2].body, "now");
    assert_eq!(emulators.messages("nothing"), None);
    assert_eq!(emulators.queue_len("nothing").await, None);
}

#[tokio::test]
async fn a_batch_is_answered_entry_by_entry() {
    use aws_sdk_sqs::types::SendMessageBatchRequestEntry as Entry;
    let (emulators, _) = start(None).await;
    let client = client!(aws_sdk_sqs, &emulators.sqs_url);
    let entry = |id: &str, body: &str, delay| {
        Entry::builder().id(id).message_body(body).delay_seconds(delay).build().unwrap()
    };
    let batch = client.send_message_batch().queue_url(emulators.queue_url("escalations"));
    let batch = batch.entries(entry("a", "1", 0)).entries(entry("b", "2", 1000)).entries(entry("c", "3", 10));
    let answer = batch.send().await.unwrap();
    let sent: Vec<&str> = answer.successful().iter().map(|e| e.id()).collect();
    assert_eq!(sent, ["a", "c"]);
    assert_eq!(answer.failed()[0].id(), "b");
    assert_eq!(emulators.messages("escalations").unwrap().len(), 2);

    let nowhere = client.send_message().queue_url(emulators.queue_url("nowhere")).message_body("x");
    let refused = nowhere.delay_seconds(1).send().await.unwrap_err().into_service_error();
    assert!(refused.is_queue_does_not_exist(), "{refused:?}");
}

#[tokio::test]
async fn a_message_that_is_never_deleted_ends_in_the_dead_letter_queue() {
    let (emulators, clock) = start(None).await;
    let client = client!(aws_sdk_sqs, &emulators.sqs_url);
    let requests = emulators.queue_url("requests");
    let sent =
        client.send_message().queue_url(&requests).message_body("x").delay_seconds(1).send().await.unwrap();
    clock.advance(Span::minutes(1));
    emulators.release_due().await;
    for _ in 0..5 {
        let receive = client.receive_message().queue_url(&requests).visibility_timeout(0);
        assert_eq!(receive.send().await.unwrap().messages().len(), 1);
    }
    let receive = client.receive_message().queue_url(&requests).send().await.unwrap();
    assert!(receive.messages().is_empty());
    let dead = client.receive_message().queue_url(emulators.queue_url("requests-dlq")).wait_time_seconds(5);
    let dead = dead.send().await.unwrap();
    assert_eq!(dead.messages()[0].message_id(), sent.message_id());
    assert_eq!(emulators.queue_len("requests").await, Some(0));
    assert_eq!(emulators.queue_len("requests-dlq").await, Some(1));
}

#[tokio::test]
async fn events_on_the_bus_are_logged_and_reach_a_queue_through_a_rule() {
    use aws_sdk_eventbridge::primitives::DateTime;
    use aws_sdk_eventbridge::types::{PutEventsRequestEntry, Target};
    let (emulators, _) = start(None).await;
    let client = client!(aws_sdk_eventbridge, &emulators.events_url);
    let rule = client.put_rule().name("breaches").event_bus_name("meshline");
    rule.event_pattern(r#"{"detail-type":["breached"]}"#).send().await.unwrap();
    let target =
        Target::builder().id("q").arn("arn:aws:sqs:us-east-1:000000000000:requests").build().unwrap();
    client.put_targets().rule("breaches").event_bus_name("meshline").targets(target).send().await.unwrap();

    let entry = |kind: &str, bus: &str| {
        let entry = PutEventsRequestEntry::builder().source("meshline").detail_type(kind);
        entry.event_bus_name(bus).detail(r#"{"seq":1}"#)
    };
    let put = client
        .put_events()
        .entries(entry("breached", "meshline").time(DateTime::from_secs(1_795_424_400)).build())
        .entries(entry("opened", "meshline").detail("not json").build())
        .entries(entry("opened", "default").build())
        .entries(entry("closed", "meshline").build());
    let answer = put.send().await.unwrap();
    assert_eq!(answer.failed_entry_count(), 1);

    let events = emulators.bus();
    assert_eq!(events.len(), 2);
    assert_eq!(events[0].id, answer.entries()[0].event_id().unwrap());
    assert_eq!(events[0].body["detail"], serde_json::json!({"seq": 1}));
    assert_eq!(events[0].body["time"], "2026-11-23T09:00:00.000Z");
    assert_eq!((&events[1].body["detail-type"], events[1].at), (&"closed".into(), START.parse().unwrap()));

    let sqs = client!(aws_sdk_sqs, &emulators.sqs_url);
    let requests = sqs.receive_message().queue_url(emulators.queue_url("requests")).wait_time_seconds(5);
    let received = requests.send().await.unwrap();
    let event: serde_json::Value = serde_json::from_str(received.messages()[0].body().unwrap()).unwrap();
    assert_eq!(event["detail-type"], "breached");
}

#[tokio::test]
async fn a_secret_is_found_by_its_full_name_only() {
    let (emulators, _) = start(None).await;
    let client = client!(aws_sdk_secretsmanager, &emulators.secrets_url);
    let found = client.get_secret_value().secret_id("meshline/contentful").send().await.unwrap();
    assert_eq!(found.secret_string().unwrap(), "s3cret");
    let again = client.get_secret_value().secret_id(found.arn().unwrap()).send().await.unwrap();
    assert_eq!(again.name().unwrap(), "meshline/contentful");
    let missing = client.get_secret_value().secret_id("contentful").send().await.unwrap_err();
    assert!(missing.into_service_error().is_resource_not_found_exception());
}
