//! EventBridge: `rustack` in memory, behind a layer of ours that keeps a log of what was put on the bus. A rule's
//! target may be a queue of the local stack.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::post;
use meshline_core::time::Time;
use rustack_events_core::config::EventsConfig;
use rustack_events_core::delivery::{DeliveryError, Target, TargetDelivery};
use rustack_events_core::handler::RustackEventsHandler;
use rustack_events_core::provider::RustackEvents;
use rustack_events_http::body::EventsResponseBody;
use rustack_events_http::dispatch::EventsHandler;
use rustack_events_http::response::{error_to_response, json_response};
use rustack_events_http::router::resolve_operation;
use rustack_events_model::error::EventsError;
use rustack_events_model::input::{CreateEventBusInput, PutEventsInput};
use rustack_events_model::operations::EventsOperation;
use rustack_sqs_model::input::SendMessageInput;
use serde_json::{Value, json};

use super::sqs::Queues;
use super::{ACCOUNT, Message, REGION, StartError, json_or_text};
use crate::clock::Clock;
use crate::lock;

/// The bus that Meshline puts its events on.
const BUS: &str = "meshline";
/// The id that every answer of ours carries.
const REQUEST_ID: &str = "00000000-0000-4000-8000-000000000000";

/// The bus, and what was ever put on it.
pub(super) struct Bus {
    rustack: Arc<RustackEvents>,
    handler: RustackEventsHandler,
    clock: Clock,
    events: Mutex<Vec<Message>>,
}

impl Bus {
    /// Creates the bus; rules on it deliver to `queues`.
    pub(super) fn create(clock: Clock, queues: Arc<Queues>) -> Result<Self, StartError> {
        let config = EventsConfig {
            skip_signature_validation: true,
            default_region: REGION.into(),
            account_id: ACCOUNT.into(),
            ..Default::default()
        };
        let rustack = Arc::new(RustackEvents::new(config, Arc::new(ToQueues(queues))));
        let input = CreateEventBusInput { name: BUS.into(), ..Default::default() };
        rustack.handle_create_event_bus(&input).map_err(|e| StartError::Bus(Box::new(e)))?;
        let handler = RustackEventsHandler::new(Arc::clone(&rustack));
        Ok(Self { rustack, handler, clock, events: Mutex::default() })
    }

    pub(super) fn events(&self) -> Vec<Message> {
        lock(&self.events).clone()
    }

    async fn handle(
        &self,
        operation: EventsOperation,
        body: Bytes,
    ) -> Result<axum::http::Response<EventsResponseBody>, EventsError> {
        if operation == EventsOperation::PutEvents {
            let json = self.put(&body)?;
            Ok(json_response(json, REQUEST_ID))
        } else {
            self.handler.handle_operation(operation, body).await
        }
    }

    /// Puts the entries of a request on their buses, and logs those that were accepted on ours.
    fn put(&self, body: &[u8]) -> Result<Vec<u8>, EventsError> {
        let bad = |e: serde_json::Error| EventsError::validation(format!("bad request: {e}"));
        let at = self.clock.now();
        let mut request: Value = serde_json::from_slice(body).map_err(bad)?;
        for entry in request.pointer_mut("/Entries").and_then(Value::as_array_mut).into_iter().flatten() {
            // The protocol has a time as a number of seconds, the crate wants text. Unset, it is the time of receipt.
            let time = entry.get("Time").and_then(Value::as_f64).map_or(at, from_seconds);
            if let Some(entry) = entry.as_object_mut() {
                entry.insert("Time".into(), json!(time));
            }
        }
        let input: PutEventsInput = serde_json::from_value(request).map_err(bad)?;
        let output = self.rustack.handle_put_events(&input)?;
        for (entry, result) in input.entries.iter().zip(&output.entries) {
            let bus = entry.event_bus_name.as_deref().unwrap_or_default();
            let Some(id) = result.event_id.clone().filter(|_| bus.rsplit('/').next() == Some(BUS)) else {
                continue;
            };
            let body = json!({
                "source": entry.source,
                "detail-type": entry.detail_type,
                "detail": json_or_text(entry.detail.as_deref().unwrap_or("{}")),
                "time": entry.time,
                "resources": entry.resources,
            });
            lock(&self.events).push(Message { id, at, body });
        }
        serde_json::to_vec(&output).map_err(|e| EventsError::internal_error(e.to_string()))
    }
}

/// EventBridge as AWS serves it: `POST /`, the operation in `X-Amz-Target`.
pub(super) fn router(bus: Arc<Bus>) -> Router {
    Router::new().route("/", post(serve)).with_state(bus)
}

async fn serve(State(bus): State<Arc<Bus>>, headers: HeaderMap, body: Bytes) -> Response {
    let answer = match resolve_operation(&headers) {
        Ok(operation) => bus.handle(operation, body).await,
        Err(e) => Err(e),
    };
    answer.unwrap_or_else(|e| error_to_response(&e, REQUEST_ID)).map(Body::new)
}

#[expect(clippy::cast_possible_truncation, reason = "a Time is clamped to the years it can show")]
fn from_seconds(seconds: f64) -> Time {
    Time::from_unix_ms((seconds * 1000.0).round() as i64)
}

/// Delivers what a rule matches to the queues of the local stack.
struct ToQueues(Arc<Queues>);

impl std::fmt::Debug for ToQueues {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ToQueues")
    }
}

impl TargetDelivery for ToQueues {
    fn validate(&self, target: &Target) -> Result<(), DeliveryError> {
        queue_of(target).map(|_| ())
    }

    // What `async_trait` makes of `async fn deliver(&self, target: &Target, event: &str)`.
    fn deliver<'a, 'b, 'c, 'f>(
        &'a self,
        target: &'b Target,
        event: &'c str,
    ) -> Pin<Box<dyn Future<Output = Result<(), DeliveryError>> + Send + 'f>>
    where
        'a: 'f,
        'b: 'f,
        'c: 'f,
        Self: 'f,
    {
        Box::pin(async move {
            let queue_url = self.0.url(queue_of(target)?);
            let input = SendMessageInput { queue_url, message_body: event.to_owned(), ..Default::default() };
            self.0.send(input).await.map(|_| ()).map_err(|e| DeliveryError::TargetError(e.to_string()))
        })
    }
}

/// The queue whose ARN the target is.
fn queue_of(target: &Target) -> Result<&str, DeliveryError> {
    let own = format!("arn:aws:sqs:{REGION}:{ACCOUNT}:");
    target.arn.strip_prefix(&own).ok_or_else(|| {
        DeliveryError::Unsupported(format!("`{}`: the local stack delivers to queues only", target.arn))
    })
}
