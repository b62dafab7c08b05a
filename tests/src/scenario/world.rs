//! The world of a scenario: a Meshline that runs somewhere, and its time.

use std::time::Duration;

use meshline_core::time::{Span, Time};
use serde_json::Value;

use crate::Answer;

/// A call of the HTTP API.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// `GET`, `POST`, `PUT`.
    pub method: &'static str,
    /// Path and query.
    pub path: String,
    /// Headers.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// The person who calls; nobody for a webhook.
    pub person: Option<String>,
}

/// A Meshline that runs somewhere. Futures need not be `Send`: a scenario is played on one thread.
#[expect(async_fn_in_trait, reason = "only this crate implements and calls it")]
pub trait World {
    /// How long a span of the story lasts here.
    fn lasts(&self, span: Span) -> Span;
    /// The time here.
    fn now(&self) -> Time;
    /// Lets time go on until `time`.
    async fn reach(&self, time: Time);
    /// How long what is expected may take to come true.
    fn patience(&self) -> Duration;
    /// How far a time may be off from what the story says.
    fn tolerance(&self) -> Span;
    /// The address that senders sign.
    fn public_url(&self) -> &str;
    /// Calls the API, and gives status and JSON body.
    async fn call(&self, request: Request) -> Answer;
    /// The bodies of every message ever sent to a queue.
    async fn messages(&self, queue: &str) -> Vec<Value>;
    /// Every event ever put on the bus.
    async fn bus(&self) -> Vec<Value>;
    /// The messages that a queue's consumer gave up.
    async fn dead_letters(&self, queue: &str) -> Vec<Value>;
    /// Sends a message past Meshline.
    async fn put(&self, queue: &str, body: &str);
    /// Makes a run one that cannot be looked at, past Meshline.
    ///
    /// # Errors
    /// Why that cannot be done here.
    async fn damage(&self, run: &str) -> Result<(), String>;
    /// Kills a function in the middle of its work: several times, from now on.
    async fn kill(&self, function: &str);
}
