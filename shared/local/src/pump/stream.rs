//! A table's stream, and how its records come to the function that consumes them.

use aws_lambda_events::dynamodb::Event as StreamEvent;
use aws_lambda_events::streams::DynamoDbEventResponse;
use dynoxide::Database;
use dynoxide::actions::get_records::{GetRecordsRequest, Record};
use dynoxide::actions::get_shard_iterator::GetShardIteratorRequest;
use dynoxide::actions::list_streams::ListStreamsRequest;
use meshline_aws::stream;
use meshline_core::time::Time;
use serde_json::json;

use super::{PumpError, failed};
use crate::faults::{Fault, Faults, Place};
use crate::left_behind::LeftBehind;

/// Records handed over at a time, as in template.yaml.
const BATCH: usize = 100;
/// How often a record is handed over before it is left behind (template.yaml: `MaximumRetryAttempts`).
const MAX_ATTEMPTS: u32 = 20;

/// A table's stream, and how far it was handled.
pub(super) struct Stream {
    table: &'static str,
    arn: String,
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
    pub(super) fn of(
        tables: &Database,
        table: &'static str,
        handled: Option<String>,
    ) -> Result<Self, PumpError> {
        let doing = failed("find a table's stream");
        let wanted = ListStreamsRequest { table_name: Some(table.to_owned()), ..Default::default() };
        let found = tables.list_streams(wanted).map_err(|e| doing(e.to_string()))?;
        let arn = found.streams.into_iter().next().map(|stream| stream.stream_arn);
        let arn = arn.ok_or_else(|| doing(format!("`{table}` has none")))?;
        let before = handled.clone();
        Ok(Self { table, arn, iterator: None, handled, before, failures: 0 })
    }

    /// Hands one batch over. What fails is handed over again, from the first failure on, until it is left behind.
    pub(super) async fn hand_over(
        &mut self,
        tables: &Database,
        faults: &Faults,
        left_behind: &LeftBehind,
        now: Time,
        handler: impl AsyncFnOnce(StreamEvent) -> Option<DynamoDbEventResponse>,
    ) -> Result<usize, PumpError> {
        let fault = faults.strikes(Place::Streams, self.table, &[Fault::Delay, Fault::Split, Fault::Stale]);
        if fault == Some(Fault::Delay) {
            return Ok(1);
        }
        let mut records = self.read(tables)?;
        if fault == Some(Fault::Split) && records.len() > 1 {
            records.truncate(1 + faults.below("split", records.len() as u64 - 1) as usize);
            self.iterator = None;
        }
        let Some(last) = records.last().map(|record| sequence_number(record).to_owned()) else {
            return Ok(0);
        };
        // Who does not answer has failed as a whole, from the first record on.
        let all_failed = || stream::failures(records.iter().map(|record| sequence_number(record).to_owned()));
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
        let before = records.iter().take_while(|record| sequence_number(record) < first_failed).last();
        self.failures = if before.is_some() { 1 } else { self.failures + 1 };
        if let Some(before) = before {
            self.handled = Some(sequence_number(before).to_owned());
        }
        if self.failures >= MAX_ATTEMPTS {
            tracing::error!(
                sequence_number = first_failed,
                "a stream's record failed too often and is left behind"
            );
            if let Some(record) = records.iter().find(|record| sequence_number(record) == first_failed) {
                left_behind.keep(self.table, first_failed, json!(record), now);
            }
            self.handled = Some(first_failed.to_owned());
            self.failures = 0;
        }
        self.iterator = None;
    }

    fn read(&mut self, tables: &Database) -> Result<Vec<Record>, PumpError> {
        let doing = failed("read a stream");
        let iterator = match self.iterator.take() {
            Some(iterator) => iterator,
            None => {
                let kind = if self.handled.is_some() { "AFTER_SEQUENCE_NUMBER" } else { "TRIM_HORIZON" };
                let start = GetShardIteratorRequest {
                    stream_arn: self.arn.clone(),
                    shard_id: dynoxide::streams::shard_id(self.table),
                    shard_iterator_type: kind.to_owned(),
                    sequence_number: self.handled.clone(),
                };
                let found = tables.get_shard_iterator(start).map_err(|e| doing(e.to_string()))?;
                found.shard_iterator.ok_or_else(|| doing("no iterator".to_owned()))?
            }
        };
        let read = GetRecordsRequest { shard_iterator: iterator, limit: Some(BATCH) };
        let read = tables.get_records(read).map_err(|e| doing(e.to_string()))?;
        self.iterator = read.next_shard_iterator;
        Ok(read.records)
    }
}

fn sequence_number(record: &Record) -> &str {
    &record.dynamodb.sequence_number
}

/// The batch as Lambda hands it over: through its JSON, so that what is parsed there is parsed here.
fn lambda_event(records: &[Record]) -> Result<StreamEvent, PumpError> {
    serde_json::from_value(json!({"Records": records}))
        .map_err(|error| PumpError { doing: "read a stream", why: error.to_string() })
}
