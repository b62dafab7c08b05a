//! The pump: what Lambda's event source mappings are on AWS. Stream to handler, queue to handler.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use aws_lambda_events::dynamodb::Event as StreamEvent;
use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use aws_lambda_events::streams::DynamoDbEventResponse;
use aws_sdk_dynamodbstreams::types::{Record, ShardIteratorType};
use futures_util::future::try_join_all;
use meshline_aws::clients::Clients;
use meshline_aws::mail::NoMail;
use meshline_aws::{App, stream};
use meshline_core::time::Time;
use meshline_notify::Notifier;
use serde_json::json;

use crate::emulators::{Emulators, QUEUES};
use crate::faults::Faults;
use crate::progress::{self, Progress};

/// Records of a stream handed over at a time, as in template.yaml.
const STREAM_BATCH: i32 = 100;
/// SQS gives no more at a time.
const QUEUE_BATCH: i32 = 10;
/// How long a receiver has to answer here, where all of them are near.
const NOTIFY_TIMEOUT: Duration = Duration::from_secs(3);
/// How often a stream's record is handed over before it is left behind (template.yaml: `MaximumRetryAttempts`).
const MAX_ATTEMPTS: u32 = 20;

/// Moves messages between the emulators and the functions.
pub(crate) struct Pump {
    streams: aws_sdk_dynamodbstreams::Client,
    events: Stream,
    audit: Stream,
    queues: Vec<Queue>,
    data: Option<PathBuf>,
    kept: Progress,
    faults: Arc<Faults>,
    notifier: Notifier<NoMail>,
}

/// A queue.
struct Queue {
    sqs: aws_sdk_sqs::Client,
    name: &'static str,
    url: String,
}

/// A table's stream, and how far it was handled.
struct Stream {
    arn: String,
    shard: String,
    iterator: Option<String>,
    /// The last record that was handled.
    handled: Option<String>,
    /// How often the record after it has failed.
    failures: u32,
}

/// Why streams or queues cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("{doing}: {why}")]
pub struct PumpError {
    doing: &'static str,
    why: String,
}

fn failed(doing: &'static str) -> impl Fn(String) -> PumpError {
    move |why| PumpError { doing, why }
}

impl Pump {
    pub(crate) async fn new(
        clients: &Clients,
        emulators: &Emulators,
        data: Option<PathBuf>,
        kept: Progress,
        faults: Arc<Faults>,
    ) -> Result<Self, PumpError> {
        let config = aws_sdk_dynamodbstreams::config::Builder::from(clients.config());
        let streams =
            aws_sdk_dynamodbstreams::Client::from_conf(config.endpoint_url(&emulators.dynamodb_url).build());
        let events = Stream::of(&streams, "meshline-events", kept.events.clone()).await?;
        let audit = Stream::of(&streams, "meshline-audit", kept.audit.clone()).await?;
        let queue =
            |name: &&'static str| Queue { sqs: clients.sqs().clone(), name, url: emulators.queue_url(name) };
        let queues = QUEUES.iter().map(queue).collect();
        let notifier = Notifier::new(NoMail, NOTIFY_TIMEOUT, true, Some(emulators.inbox_url.clone()));
        Ok(Self { streams, events, audit, queues, data, kept, faults, notifier })
    }

    /// Hands over one batch of every stream and queue, all at once; gives how much there was.
    pub(crate) async fn once(&mut self, app: &App, now: Time) -> Result<usize, PumpError> {
        let (faults, notifier) = (&self.faults, &self.notifier);
        let route = async |batch| faults.invoke("route", meshline_route::handle(app, batch, now)).await;
        let relay = async |batch| faults.invoke("relay", meshline_relay::handle(app, batch, now)).await;
        let queues = self.queues.iter().map(|queue| queue.hand_over(app, notifier, faults, now));
        let (routed, relayed, received) = tokio::try_join!(
            self.events.hand_over(&self.streams, route),
            self.audit.hand_over(&self.streams, relay),
            try_join_all(queues),
        )?;
        Ok(routed + relayed + received.into_iter().sum::<usize>())
    }

    /// Notes how far the streams were handled, if nothing made from them still lies in a queue.
    pub(crate) async fn keep_progress(&mut self, emulators: &Emulators, now: Time) -> std::io::Result<()> {
        let Some(folder) = self.data.as_deref() else { return Ok(()) };
        for queue in &self.queues {
            // Ticks are hints: the sweep finds again what a lost one was about.
            if queue.name != "ticks" && emulators.queue_len(queue.name).await != Some(0) {
                return Ok(());
            }
        }
        let reached = Progress {
            now: Some(now),
            events: self.events.handled.clone(),
            audit: self.audit.handled.clone(),
        };
        if reached.events != self.kept.events || reached.audit != self.kept.audit {
            progress::write(folder, &reached)?;
            self.kept = reached;
        }
        Ok(())
    }
}

impl Queue {
    /// Hands one batch over; what fails is seen again at once.
    async fn hand_over(
        &self,
        app: &App,
        notifier: &Notifier<NoMail>,
        faults: &Faults,
        now: Time,
    ) -> Result<usize, PumpError> {
        let doing = failed("read a queue");
        let receive = self.sqs.receive_message().queue_url(&self.url).max_number_of_messages(QUEUE_BATCH);
        let received = receive.send().await.map_err(|error| doing(format!("{error:?}")))?;
        let messages = received.messages.unwrap_or_default();
        if messages.is_empty() {
            return Ok(0);
        }
        let mut batch = SqsEvent::default();
        batch.records = messages.iter().map(lambda_message).collect();
        let answer = match self.name {
            "ticks" => faults.invoke("sla-check", meshline_sla_check::ticks(app, batch, now)).await,
            "ingest-spill" => faults.invoke("ingest", meshline_ingest::drain(app, batch, now)).await,
            _ => faults.invoke("notify", notifier.handle(app, batch, now)).await,
        };
        let has_failed = |id: &str| {
            let named = |answer: &SqsBatchResponse| {
                answer.batch_item_failures.iter().any(|failure| failure.item_identifier == id)
            };
            answer.as_ref().is_none_or(named)
        };
        for message in &messages {
            let (id, handle) = (message.message_id().unwrap_or_default(), message.receipt_handle());
            let done = if has_failed(id) {
                // Lambda lets it reappear when the visibility timeout is over; here nobody waits for that.
                let again = self
                    .sqs
                    .change_message_visibility()
                    .queue_url(&self.url)
                    .set_receipt_handle(handle.map(str::to_owned));
                again.visibility_timeout(0).send().await.map(|_| ()).map_err(|error| format!("{error:?}"))
            } else {
                let delete = self
                    .sqs
                    .delete_message()
                    .queue_url(&self.url)
                    .set_receipt_handle(handle.map(str::to_owned));
                delete.send().await.map(|_| ()).map_err(|error| format!("{error:?}"))
            };
            done.map_err(&doing)?;
        }
        Ok(messages.len())
    }
}

impl Stream {
    /// The stream of a table. It has one shard, which never closes.
    async fn of(
        streams: &aws_sdk_dynamodbstreams::Client,
        table: &str,
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
        Ok(Self { arn, shard, iterator: None, handled, failures: 0 })
    }

    /// Hands one batch over. What fails is handed over again, from the first failure on, until it is left behind.
    async fn hand_over(
        &mut self,
        streams: &aws_sdk_dynamodbstreams::Client,
        handler: impl AsyncFnOnce(StreamEvent) -> Option<DynamoDbEventResponse>,
    ) -> Result<usize, PumpError> {
        let records = self.read(streams).await?;
        let Some(last) = records.last().map(sequence_number) else { return Ok(0) };
        // Who does not answer has failed as a whole, from the first record on.
        let all_failed = || stream::failures(records.iter().map(sequence_number));
        let answer = handler(lambda_event(&records)?).await.unwrap_or_else(all_failed);
        let failures =
            answer.batch_item_failures.iter().filter_map(|failure| failure.item_identifier.clone());
        // Sequence numbers have the same length: their text sorts as they do.
        let Some(first_failed) = failures.min() else {
            self.handled = Some(last);
            self.failures = 0;
            return Ok(records.len());
        };
        let before = records.iter().map(sequence_number).take_while(|number| *number < first_failed).last();
        self.failures = if before.is_some() { 1 } else { self.failures + 1 };
        self.handled = before.or(self.handled.take());
        if self.failures >= MAX_ATTEMPTS {
            tracing::error!(
                sequence_number = first_failed,
                "a stream's record failed too often and is left behind"
            );
            self.handled = Some(first_failed);
            self.failures = 0;
        }
        self.iterator = None;
        Ok(records.len())
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
        let read = streams.get_records().shard_iterator(iterator).limit(STREAM_BATCH).send().await;
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
    let records = records.iter().map(|record| {
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
    });
    let batch = json!({"Records": records.collect::<Vec<_>>()});
    serde_json::from_value(batch)
        .map_err(|error| PumpError { doing: "read a stream", why: error.to_string() })
}

fn lambda_message(message: &aws_sdk_sqs::types::Message) -> SqsMessage {
    let mut record = SqsMessage::default();
    record.message_id = message.message_id().map(str::to_owned);
    record.receipt_handle = message.receipt_handle().map(str::to_owned);
    record.body = message.body().map(str::to_owned);
    let attributes = message.attributes().into_iter().flatten();
    record.attributes = attributes.map(|(name, value)| (name.as_str().to_owned(), value.clone())).collect();
    record
}
