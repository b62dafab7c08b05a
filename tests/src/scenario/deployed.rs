//! A deployed stack as a world: its clock is the real one, so an hour of the story lasts six seconds.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_smithy_http_client::Connector;
use aws_smithy_runtime_api::client::http::HttpConnector;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use meshline_aws::clients::Clients;
use meshline_aws::clock;
use meshline_core::time::{Span, Time};
use serde::Deserialize;
use serde_json::Value;

use super::world::{Request, World};
use crate::Answer;

mod process;
mod sign;

use sign::Keys;

/// An hour of the story lasts 6 s. Deadlines are found by a sweep that comes each minute.
const FASTER: i64 = 600;
/// One sweep, and what follows from it.
const PATIENCE: Duration = Duration::from_secs(100);
/// Between what a step says and what a clock in the deployed stack shows: a busy machine takes its steps late.
const TOLERANCE: Span = Span::from_ms(30_000);
/// The bodies of what was sent, by queue.
type Sent = Mutex<BTreeMap<String, Vec<Value>>>;

/// What tests/deployed/deploy.py says of the stack.
#[derive(Debug, Deserialize)]
pub struct Stage {
    /// Where the API is called.
    api: String,
    /// What senders sign.
    public_url: String,
    region: String,
    /// IAM users, by the person they are.
    people: BTreeMap<String, Keys>,
    /// Queue URLs by name; `bus` gets every event of the bus.
    queues: BTreeMap<String, String>,
    /// The process whose children run the functions.
    emulator: u32,
    /// Names of the functions as deployed.
    functions: BTreeMap<String, String>,
    /// What was received so far, for all scenarios.
    #[serde(skip)]
    received: Sent,
}

impl Stage {
    /// Reads the file that the deployment wrote.
    pub fn read(path: &Path) -> Arc<Self> {
        let text = std::fs::read_to_string(path).expect("the description of the stack can be read");
        Arc::new(serde_json::from_str(&text).expect("the description of the stack has its form"))
    }

    fn note(&self, queue: &str, body: Value) {
        let mut received = self.received.lock().unwrap_or_else(PoisonError::into_inner);
        received.entry(queue.to_owned()).or_default().push(body);
    }

    fn noted(&self, queue: &str) -> Vec<Value> {
        let received = self.received.lock().unwrap_or_else(PoisonError::into_inner);
        received.get(queue).cloned().unwrap_or_default()
    }
}

/// A deployed stack, as one scenario sees it.
pub struct Deployed {
    stage: Arc<Stage>,
    http: Connector,
    clients: Clients,
}

impl Deployed {
    /// A view of its own: connections belong to the runtime of one scenario.
    pub async fn on(stage: Arc<Stage>) -> Self {
        Self { stage, http: Connector::builder().build_http(), clients: Clients::from_env().await }
    }

    fn queue_url(&self, queue: &str) -> &str {
        self.stage.queues.get(queue).unwrap_or_else(|| panic!("the stack has no queue `{queue}`"))
    }

    /// Takes everything out of a queue; gives the bodies of all that was ever taken out.
    async fn receive(&self, queue: &str) -> Vec<Value> {
        let (sqs, url) = (self.clients.sqs(), self.queue_url(queue));
        loop {
            let batch = sqs.receive_message().queue_url(url).max_number_of_messages(10).send().await;
            let messages = batch.expect("the queue can be read").messages.unwrap_or_default();
            if messages.is_empty() {
                return self.stage.noted(queue);
            }
            for message in messages {
                let body = message.body().unwrap_or_default();
                self.stage.note(queue, serde_json::from_str(body).unwrap_or_else(|_| body.into()));
                let handle = message.receipt_handle.unwrap_or_default();
                let delete = sqs.delete_message().queue_url(url).receipt_handle(handle);
                delete.send().await.expect("the queue forgets it");
            }
        }
    }
}

impl World for Deployed {
    fn lasts(&self, span: Span) -> Span {
        Span::from_ms(span.ms() / FASTER)
    }

    fn now(&self) -> Time {
        clock::now()
    }

    async fn reach(&self, time: Time) {
        let left = u64::try_from(time.since(clock::now()).ms()).unwrap_or_default();
        tokio::time::sleep(Duration::from_millis(left)).await;
    }

    fn patience(&self) -> Duration {
        PATIENCE
    }

    fn tolerance(&self) -> Span {
        TOLERANCE
    }

    fn public_url(&self) -> &str {
        &self.stage.public_url
    }

    async fn call(&self, request: Request) -> Answer {
        let Request { method, path, headers, body, person } = request;
        let mut call = http::Request::builder().method(method).uri(format!("{}{path}", self.stage.api));
        for (name, value) in headers {
            call = call.header(name, value);
        }
        let mut call = call.body(SdkBody::from(body)).expect("a request");
        if let Some(person) = person {
            let keys = self.stage.people.get(&person);
            keys.expect("the person has keys").sign(&mut call, &self.stage.region, clock::now());
        }
        let answer = self.http.call(call.try_into().expect("a request")).await;
        let mut answer = answer.expect("the API answers");
        let status = answer.status().as_u16();
        let body = ByteStream::new(answer.take_body()).collect().await.expect("a body").into_bytes();
        (status, serde_json::from_slice(&body).unwrap_or_default())
    }

    async fn messages(&self, queue: &str) -> Vec<Value> {
        self.receive(queue).await
    }

    async fn bus(&self) -> Vec<Value> {
        self.receive("bus").await
    }

    async fn dead_letters(&self, queue: &str) -> Vec<Value> {
        self.receive(&format!("{queue}-dlq")).await
    }

    async fn put(&self, queue: &str, body: &str) {
        let send = self.clients.sqs().send_message().queue_url(self.queue_url(queue)).message_body(body);
        send.send().await.expect("the queue takes it");
    }

    async fn damage(&self, _: &str) -> Result<(), String> {
        Err("nobody may write to a deployed table past Meshline".to_owned())
    }

    async fn kill(&self, function: &str) {
        let name = self.stage.functions.get(function).expect("the stack has the function");
        process::kill_often(self.stage.emulator, name);
    }
}
