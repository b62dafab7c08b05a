//! A table's stream, and how its records come to the function that consumes them.

use aws_lambda_events::dynamodb::Event as StreamEvent;
use aws_lambda_events::streams::DynamoDbEventResponse;
use aws_sdk_dynamodbstreams::types::{Record, ShardIteratorType};
use meshline_aws::stream;
use meshline_core::time::Time;
use serde_json::{Value, json};

use super::{PumpError, failed};
use crate::faults::{Fault, Faults, Place};
use crate::left_behind::LeftBehind;

/// Records handed over at a time, as in template.yaml.
const BATCH: i32 = 100;
/// How often a record is handed over before it is left behind (template.yaml: `MaximumRetryAttempts`).
const MAX_ATTEMPTS: u32 = 20;

/// A table's stream, and how far it was handled.
pub(super) struct Stream {
    table: &'static str,
    arn: String,
    shard: String,
    iterator: Option<String>,
    /// The last record that was handled.
    pub(super) handled: Option<String>,
    /// What was, before the last batch.
    before: Option<String>,
    /// How often the record after it has failed.
    failures: u32,
}

impl Stream {
    /// The stream of a table. It has one shard, which never closes.
    pub(super) async fn of(
        streams: &aws_sdk_dynamodbstreams::Client,
        table: &'static str,
        handled: Option<String>,
    ) -> Result<Self, PumpError> {
        let doing = failed("find a table's stream");
        let found =
            streams.list_streams().table_name(table).send().await.map_err(|e| doing(format!("{e:?}")))?;
        let arn = found.streams().first().and_then(|stream| stream.stream_arn()).map(str::to_owned);
        let arn = arn.ok_or_else(|| doing(format!("`{table}` has none")))?;
        let described =
            streams.describe_stream().stream_arn(&arn).send().await.map_err(|e| doing(format!("{e:?}")))?;
        let shards = described.stream_description().map(|stream| stream.shards()).unwrap_or_default();
        let shard = shards.first().and_then(|shard| shard.shard_id()).map(str::to_owned);
        let shard = shard.ok_or_else(|| doing(format!("the stream of `{table}` has no shard")))?;
        let before = handled.clone();
        Ok(Self { table, arn, shard, iterator: None, handled, before, failures: 0 })
    }

    /// Hands one batch over. What fails is handed over again, from the first failure on, until it is left behind.
    pub(super) async fn hand_over(
        &mut self,
        streams: &aws_sdk_dynamodbstreams::Client,
        faults: &Faults,
        left_behind: &LeftBehind,
        now: Time,
        handler: impl AsyncFnOnce(StreamEvent) -> Option<DynamoDbEventResponse>,
    ) -> Result<usize, PumpError> {
        let fault = faults.strikes(Place::Streams, self.table, &[Fault::Delay, Fault::Split, Fault::Stale]);
        if fault == Some(Fault::Delay) {
            return Ok(1);
        }
        let mut records = self.read(streams).await?;
        if fault == Some(Fault::Split) && records.len() > 1 {
            records.truncate(1 + faults.below("split", records.len() as u64 - 1) as usize);
            self.iterator = None;
        }
        let Some(last) = records.last().map(sequence_number) else { return Ok(0) };
        // Who does not answer has failed as a whole, from the first record on.
        let all_failed = || stream::failures(records.iter().map(sequence_number));
        let answer = handler(lambda_event(&records)?).await.unwrap_or_else(all_failed);
        let failures =
            answer.batch_item_failures.iter().filter_map(|failure| failure.item_identifier.clone());
        // Sequence numbers have the same length: their text sorts as they do.
        match failures.min() {
            Some(first_failed) => self.retry_from(&first_failed, &records, left_behind, now),
            None if fault == Some(Fault::Stale) => {
                self.handled = self.before.clone();
                self.iterator = None;
            }
            None => {
                self.before = self.handled.replace(last);
                self.failures = 0;
            }
        }
        Ok(records.len())
    }

    /// Goes back to the first record that failed, or leaves it behind when it has failed too often.
    fn retry_from(&mut self, first_failed: &str, records: &[Record], left_behind: &LeftBehind, now: Time) {
        let number = |record: &&Record| sequence_number(record);
        let before = records.iter().take_while(|record| number(record).as_str() < first_failed).last();
        self.failures = if before.is_some() { 1 } else { self.failures + 1 };
        if let Some(before) = before {
            self.handled = Some(sequence_number(before));
        }
        if self.failures >= MAX_ATTEMPTS {
            tracing::error!(
                sequence_number = first_failed,
                "a stream's record failed too often and is left behind"
            );
            if let Some(record) = records.iter().find(|record| number(record) == first_failed) {
                left_behind.keep(self.table, first_failed, lambda_record(record), now);
            }
            self.handled = Some(first_failed.to_owned());
            self.failures = 0;
        }
        self.iterator = None;
    }

    async fn read(&mut self, streams: &aws_sdk_dynamodbstreams::Client) -> Result<Vec<Record>, PumpError> {
        let doing = failed("read a stream");
        let iterator = match self.iterator.take() {
            Some(iterator) => iterator,
            None => {
                let kind = match self.handled {
                    Some(_) => ShardIteratorType::AfterSequenceNumber,
                    None => ShardIteratorType::TrimHorizon,
                };
                let start = streams.get_shard_iterator().stream_arn(&self.arn).shard_id(&self.shard);
                let start = start.shard_iterator_type(kind).set_sequence_number(self.handled.clone());
                let found = start.send().await.map_err(|e| doing(format!("{e:?}")))?;
                found.shard_iterator.ok_or_else(|| doing("no iterator".to_owned()))?
            }
        };
        let read = streams.get_records().shard_iterator(iterator).limit(BATCH).send().await;
        let read = read.map_err(|e| doing(format!("{e:?}")))?;
        self.iterator = read.next_shard_iterator;
        Ok(read.records.unwrap_or_default())
    }
}

fn sequence_number(record: &Record) -> String {
    let change = record.dynamodb();
    change.and_then(|change| change.sequence_number()).unwrap_or_default().to_owned()
}

/// The batch as Lambda hands it over: through its JSON, so that what is parsed there is parsed here.
fn lambda_event(records: &[Record]) -> Result<StreamEvent, PumpError> {
    let batch = json!({"Records": records.iter().map(lambda_record).collect::<Vec<_>>()});
    serde_json::from_value(batch)
        .map_err(|error| PumpError { doing: "read a stream", why: error.to_string() })
}

fn lambda_record(record: &Record) -> Value {
    let change = record.dynamodb();
    let item = |image: Option<&std::collections::HashMap<_, _>>| {
        serde_dynamo::Item::from(image.cloned().unwrap_or_default())
    };
    json!({
        "awsRegion": "us-east-1",
        "eventID": record.event_id().unwrap_or_default(),
        "eventName": record.event_name().map(|name| name.as_str()).unwrap_or_default(),
        "eventSource": "aws:dynamodb",
        "dynamodb": {
            "Keys": item(change.and_then(|change| change.keys())),
            "NewImage": item(change.and_then(|change| change.new_image())),
            "OldImage": item(change.and_then(|change| change.old_image())),
            "SequenceNumber": sequence_number(record),
            "SizeBytes": 0,
        },
    })
}
