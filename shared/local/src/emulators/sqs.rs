//! SQS: `rustack` in memory, behind a layer of ours that keeps a log of what was sent and holds delayed messages
//! until the stack's clock, not the wall clock, says that they are due.

mod flight;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::any;
use meshline_core::time::{Span, Time};
use rustack_sqs_core::config::SqsConfig;
use rustack_sqs_core::handler::RustackSqsHandler;
use rustack_sqs_core::message::{md5_of_body, md5_of_message_attributes};
use rustack_sqs_core::provider::RustackSqs;
use rustack_sqs_core::queue::{extract_queue_name, queue_arn};
use rustack_sqs_http::body::SqsResponseBody;
use rustack_sqs_http::dispatch::SqsHandler;
use rustack_sqs_http::response::{error_to_response, json_response};
use rustack_sqs_http::router::resolve_operation;
use rustack_sqs_model::error::{SqsError, SqsErrorCode};
use rustack_sqs_model::input::{
    ChangeMessageVisibilityInput, CreateQueueInput, DeleteMessageInput, GetQueueAttributesInput,
    ReceiveMessageInput, SendMessageBatchInput, SendMessageInput,
};
use rustack_sqs_model::operations::SqsOperation;
use rustack_sqs_model::output::{
    ChangeMessageVisibilityOutput, DeleteMessageOutput, ReceiveMessageOutput, SendMessageBatchOutput,
    SendMessageOutput,
};
use rustack_sqs_model::types::{BatchResultErrorEntry, SendMessageBatchResultEntry};
use serde::Serialize;
use serde::de::DeserializeOwned;

use self::flight::Flight;
use super::{ACCOUNT, Message, REGION, StartError, json_or_text};
use crate::clock::Clock;
use crate::lock;

/// The queues of Meshline. Each has a dead-letter queue of its name and `-dlq`.
pub const QUEUES: [&str; 5] = ["escalations", "exceptions", "requests", "ticks", "ingest-spill"];

/// A message that was received this often and never deleted goes to the dead-letter queue.
const MAX_RECEIVES: u32 = 5;
/// How long a received message stays invisible, in seconds of the wall clock.
const VISIBILITY_TIMEOUT_S: u32 = 30;
/// The longest delay that SQS takes, in seconds.
const MAX_DELAY_S: i32 = 900;
/// The largest body the queue crate takes, in bytes.
const MAX_BODY: usize = 262_144;

/// The queues, what was ever sent to them, and what is held.
pub(crate) struct Queues {
    rustack: Arc<RustackSqs>,
    handler: RustackSqsHandler,
    clock: Clock,
    url: String,
    sent: Mutex<BTreeMap<String, Vec<Message>>>,
    held: Mutex<Held>,
    flight: Mutex<Flight>,
    /// The id that a released message was held under, by the id it then got from the queue crate. Locked while
    /// messages are released, so that no receiver sees the second id.
    released: tokio::sync::Mutex<HashMap<String, String>>,
}

/// The held messages, soonest first and then in the order they were sent.
#[derive(Default)]
struct Held {
    messages: BTreeMap<(Time, u64), (String, SendMessageInput)>,
    count: u64,
}

impl Queues {
    /// Creates the queues and their dead-letter queues; `url` is where SQS will listen.
    pub(super) async fn create(url: &str, clock: Clock) -> Result<Self, StartError> {
        let (host, port) = url.trim_start_matches("http://").rsplit_once(':').unwrap_or_default();
        let config = SqsConfig {
            skip_signature_validation: true,
            default_region: REGION.into(),
            account_id: ACCOUNT.into(),
            host: host.into(),
            port: port.parse().unwrap_or_default(),
        };
        let rustack = Arc::new(RustackSqs::new(config));
        let mut sent = BTreeMap::new();
        for queue in QUEUES {
            let dead = format!("{queue}-dlq");
            let arn = queue_arn(REGION, ACCOUNT, &dead);
            // A number: the queue crate refuses the text that AWS accepts too.
            let redrive = serde_json::json!({"deadLetterTargetArn": arn, "maxReceiveCount": MAX_RECEIVES});
            let attributes = HashMap::from([
                ("VisibilityTimeout".to_owned(), VISIBILITY_TIMEOUT_S.to_string()),
                ("RedrivePolicy".to_owned(), redrive.to_string()),
            ]);
            for (name, attributes) in [(dead, HashMap::new()), (queue.to_owned(), attributes)] {
                let input = CreateQueueInput { queue_name: name.clone(), attributes, ..Default::default() };
                rustack.create_queue(input).await.map_err(|e| StartError::Queue(name.clone(), e))?;
                sent.insert(name, Vec::new());
            }
        }
        Ok(Self {
            handler: RustackSqsHandler::new(Arc::clone(&rustack)),
            rustack,
            clock,
            url: url.to_owned(),
            sent: Mutex::new(sent),
            held: Mutex::default(),
            flight: Mutex::default(),
            released: tokio::sync::Mutex::default(),
        })
    }

    pub(super) fn url(&self, queue: &str) -> String {
        format!("{}/{ACCOUNT}/{queue}", self.url)
    }

    pub(super) fn messages(&self, queue: &str) -> Option<Vec<Message>> {
        lock(&self.sent).get(queue).cloned()
    }

    /// Counts the held messages before the queue crate's: one that is released meanwhile counts twice rather
    /// than never.
    pub(super) async fn len(&self, queue: &str) -> Option<usize> {
        let held = self.held_in(queue);
        let input =
            GetQueueAttributesInput { queue_url: self.url(queue), attribute_names: vec!["All".into()] };
        let attributes = self.rustack.get_queue_attributes(input).await.ok()?.attributes;
        let counts = ["", "NotVisible", "Delayed"].map(|kind| {
            let count = attributes.get(&format!("ApproximateNumberOfMessages{kind}"));
            count.and_then(|n| n.parse::<usize>().ok()).unwrap_or_default()
        });
        Some(held + counts.iter().sum::<usize>())
    }

    fn held_in(&self, queue: &str) -> usize {
        let held = lock(&self.held);
        held.messages.values().filter(|(_, m)| extract_queue_name(&m.queue_url) == Some(queue)).count()
    }

    pub(super) fn next_held(&self) -> Option<Time> {
        lock(&self.held).messages.keys().next().map(|(due, _)| *due)
    }

    pub(super) async fn release_due(&self) {
        let mut released = self.released.lock().await;
        let now = self.clock.now();
        loop {
            let next = lock(&self.held).messages.first_key_value().map(|(key, held)| (*key, held.clone()));
            let Some((key, (id, input))) = next.filter(|((due, _), _)| *due <= now) else { return };
            match self.rustack.send_message(input).await {
                Ok(output) => {
                    released.insert(output.message_id.unwrap_or_default(), id);
                }
                Err(e) => {
                    tracing::error!(error = %e, message = id, "a held message was lost: its queue is gone")
                }
            }
            lock(&self.held).messages.remove(&key);
        }
    }

    /// Sends a message, or holds it, and logs it.
    pub(crate) async fn send(&self, mut input: SendMessageInput) -> Result<SendMessageOutput, SqsError> {
        let at = self.clock.now();
        let queue = extract_queue_name(&input.queue_url).unwrap_or_default().to_owned();
        let body = json_or_text(&input.message_body);
        let delay = input.delay_seconds.unwrap_or_default();
        if !(0..=MAX_DELAY_S).contains(&delay) {
            return Err(SqsError::invalid_parameter_value(format!(
                "Value {delay} for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= {MAX_DELAY_S}."
            )));
        }
        let output = if delay == 0 {
            self.rustack.send_message(input).await?
        } else {
            input.delay_seconds = None;
            self.hold(input, at + Span::from_ms(i64::from(delay) * 1000)).await?
        };
        let id = output.message_id.clone().unwrap_or_default();
        lock(&self.sent).entry(queue).or_default().push(Message { id, at, body });
        Ok(output)
    }

    /// Holds a message until `due`, after the checks the queue crate would have made.
    async fn hold(&self, input: SendMessageInput, due: Time) -> Result<SendMessageOutput, SqsError> {
        let exists =
            GetQueueAttributesInput { queue_url: input.queue_url.clone(), attribute_names: Vec::new() };
        self.rustack.get_queue_attributes(exists).await?;
        if input.message_body.is_empty() || input.message_body.len() > MAX_BODY {
            return Err(SqsError::invalid_parameter_value(format!(
                "One or more parameters are invalid. Reason: Message must be between 1 and {MAX_BODY} bytes."
            )));
        }
        let mut held = lock(&self.held);
        held.count += 1;
        let count = held.count;
        let id = format!("00000000-0000-4000-8000-{count:012x}");
        let output = SendMessageOutput {
            message_id: Some(id.clone()),
            md5_of_message_body: Some(md5_of_body(&input.message_body)),
            md5_of_message_attributes: md5_of_message_attributes(&input.message_attributes),
            ..Default::default()
        };
        held.messages.insert((due, count), (id, input));
        Ok(output)
    }

    /// Receives messages, each with how often it was received, and under the id that its sender was told.
    pub(crate) async fn receive(&self, input: ReceiveMessageInput) -> Result<ReceiveMessageOutput, SqsError> {
        let url = input.queue_url.clone();
        let mut output = self.rustack.receive_message(input).await?;
        let released = self.released.lock().await;
        for message in &mut output.messages {
            if let Some(id) = message.message_id.as_ref().and_then(|id| released.get(id)) {
                message.message_id = Some(id.clone());
            }
            lock(&self.flight).received(&url, message);
        }
        Ok(output)
    }

    /// Lets a message in flight be seen again: at once, or when the clock says that so many seconds have passed.
    pub(crate) async fn change_visibility(
        &self,
        input: ChangeMessageVisibilityInput,
    ) -> Result<ChangeMessageVisibilityOutput, SqsError> {
        if input.visibility_timeout == 0 {
            // A receipt of a message that is held says nothing any more.
            if lock(&self.flight).was_put_off(&input.receipt_handle) {
                return Ok(ChangeMessageVisibilityOutput {});
            }
            return self.rustack.change_message_visibility(input).await;
        }
        let Some(message) = lock(&self.flight).put_off(&input.receipt_handle) else {
            return self.rustack.change_message_visibility(input).await;
        };
        let due = self.clock.now() + Span::from_ms(i64::from(input.visibility_timeout) * 1000);
        {
            let mut held = lock(&self.held);
            held.count += 1;
            let count = held.count;
            held.messages.insert((due, count), message);
        }
        let ChangeMessageVisibilityInput { queue_url, receipt_handle, .. } = input;
        self.rustack.delete_message(DeleteMessageInput { queue_url, receipt_handle }).await?;
        Ok(ChangeMessageVisibilityOutput {})
    }

    /// Deletes a message in flight.
    pub(crate) async fn delete(&self, input: DeleteMessageInput) -> Result<DeleteMessageOutput, SqsError> {
        lock(&self.flight).deleted(&input.receipt_handle);
        self.rustack.delete_message(input).await
    }

    /// Sends each entry on its own; the queue crate's batch rules are checked by `check_batch`.
    async fn send_batch(&self, batch: SendMessageBatchInput) -> Result<SendMessageBatchOutput, SqsError> {
        check_batch(&batch)?;
        let mut answer = SendMessageBatchOutput::default();
        for entry in batch.entries {
            let input = SendMessageInput {
                queue_url: batch.queue_url.clone(),
                message_body: entry.message_body,
                delay_seconds: entry.delay_seconds,
                message_deduplication_id: entry.message_deduplication_id,
                message_group_id: entry.message_group_id,
                message_attributes: entry.message_attributes,
                message_system_attributes: entry.message_system_attributes,
            };
            match self.send(input).await {
                Ok(output) => answer.successful.push(SendMessageBatchResultEntry {
                    id: entry.id,
                    message_id: output.message_id.unwrap_or_default(),
                    md5_of_message_body: output.md5_of_message_body.unwrap_or_default(),
                    md5_of_message_attributes: output.md5_of_message_attributes,
                    sequence_number: output.sequence_number,
                }),
                Err(e) if e.code == SqsErrorCode::NonExistentQueue => return Err(e),
                Err(e) => answer.failed.push(BatchResultErrorEntry {
                    id: entry.id,
                    sender_fault: e.code.is_sender_fault(),
                    code: e.code.error_type().to_owned(),
                    message: Some(e.message),
                }),
            }
        }
        Ok(answer)
    }

    async fn handle(
        &self,
        operation: SqsOperation,
        body: Bytes,
    ) -> Result<axum::http::Response<SqsResponseBody>, SqsError> {
        if operation == SqsOperation::SendMessage {
            answer(&self.send(parse(&body)?).await?)
        } else if operation == SqsOperation::SendMessageBatch {
            answer(&self.send_batch(parse(&body)?).await?)
        } else if operation == SqsOperation::ReceiveMessage {
            answer(&self.receive(parse(&body)?).await?)
        } else if operation == SqsOperation::ChangeMessageVisibility {
            answer(&self.change_visibility(parse(&body)?).await?)
        } else if operation == SqsOperation::DeleteMessage {
            answer(&self.delete(parse(&body)?).await?)
        } else {
            self.handler.handle_operation(operation, body).await
        }
    }
}

/// SQS as AWS serves it: `POST /`, the operation in `X-Amz-Target`. A queue's URL is accepted as an address too.
pub(super) fn router(queues: Arc<Queues>) -> Router {
    Router::new().fallback(any(serve)).with_state(queues)
}

async fn serve(State(queues): State<Arc<Queues>>, headers: HeaderMap, body: Bytes) -> Response {
    let answer = match resolve_operation(&headers) {
        Ok(operation) => queues.handle(operation, body).await,
        Err(e) => Err(e),
    };
    answer.unwrap_or_else(|e| error_to_response(&e, REQUEST_ID)).map(Body::new)
}

/// The id that every answer of ours carries.
const REQUEST_ID: &str = "00000000-0000-4000-8000-000000000000";

fn check_batch(batch: &SendMessageBatchInput) -> Result<(), SqsError> {
    /// SQS's own limit.
    const MAX_ENTRIES: usize = 10;
    let mut ids: Vec<&str> = batch.entries.iter().map(|entry| entry.id.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    match (batch.entries.len(), ids.len()) {
        (0, _) => Err(SqsError::empty_batch_request()),
        (n, _) if n > MAX_ENTRIES => Err(SqsError::too_many_entries_in_batch()),
        (n, distinct) if distinct < n => Err(SqsError::batch_entry_ids_not_distinct()),
        _ => Ok(()),
    }
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, SqsError> {
    serde_json::from_slice(body).map_err(|e| SqsError::invalid_parameter_value(format!("bad request: {e}")))
}

fn answer<T: Serialize>(output: &T) -> Result<axum::http::Response<SqsResponseBody>, SqsError> {
    let json = serde_json::to_vec(output).map_err(|e| SqsError::internal_error(e.to_string()))?;
    Ok(json_response(json, REQUEST_ID))
}
