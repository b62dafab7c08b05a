//! The inbox: takes what would go to people and systems that have no real address.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;

use serde_json::Value;

use super::{Message, json_or_text};
use crate::clock::Clock;
use crate::faults::{Fault, Faults, Place};
use crate::lock;

/// Everything that was sent, in order.
pub(super) struct Inbox {
    clock: Clock,
    faults: Arc<Faults>,
    messages: Mutex<Vec<Message>>,
}

impl Inbox {
    pub(super) fn new(clock: Clock, faults: Arc<Faults>) -> Self {
        Self { clock, faults, messages: Mutex::default() }
    }

    pub(super) fn messages(&self) -> Vec<Message> {
        lock(&self.messages).clone()
    }
}

/// `POST /` takes a message.
pub(super) fn router(inbox: Arc<Inbox>) -> Router {
    Router::new().route("/", post(take)).with_state(inbox)
}

async fn take(State(inbox): State<Arc<Inbox>>, body: Bytes) -> StatusCode {
    let fault = inbox.faults.strikes(Place::Receivers, "inbox", &[Fault::Fail, Fault::LostAck]);
    if fault == Some(Fault::Fail) {
        return StatusCode::SERVICE_UNAVAILABLE;
    }
    let body = json_or_text(&String::from_utf8_lossy(&body));
    let id = body.pointer("/message/id").and_then(Value::as_str).unwrap_or_default().to_owned();
    lock(&inbox.messages).push(Message { id, at: inbox.clock.now(), body });
    if fault == Some(Fault::LostAck) { StatusCode::GATEWAY_TIMEOUT } else { StatusCode::ACCEPTED }
}
