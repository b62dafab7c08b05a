//! A local stack for tests: frozen clock, example flows, and the webhooks that its sources would send.

use std::path::PathBuf;
use std::sync::Arc;

use aws_sdk_dynamodb::types::AttributeValue;
use axum::body::{Body, to_bytes};
use axum::http::Request;
use meshline_aws::settings::OpenId;
use meshline_core::time::{Span, Time};
use meshline_local::{Options, Stack, gateway};
use serde_json::{Value, json};

pub mod fill;
pub mod jira;
pub mod provider;
pub mod receiver;
pub mod scenario;
pub mod senders;
pub mod simulation;

pub use senders::{Delivery, header};

/// Where the stack would listen; signatures name it.
pub(crate) const URL: &str = "http://127.0.0.1:8080";
/// The example flows, sources and people.
pub const EXAMPLES: [(&str, &str); 4] = [
    ("directory.yaml", include_str!("../../infra/examples/directory.yaml")),
    ("sources.yaml", include_str!("../../infra/examples/sources.yaml")),
    ("blog-launch.yaml", include_str!("../../infra/examples/blog-launch.yaml")),
    ("lead-form.yaml", include_str!("../../infra/examples/lead-form.yaml")),
];

/// A running stack, called without a socket.
pub struct Local {
    /// The stack itself.
    pub stack: Arc<Stack>,
}

/// Status and JSON body of an answer.
pub type Answer = (u16, Value);

/// When every test begins.
pub fn nine() -> Time {
    "2026-11-23T09:00:00Z".parse().expect("a time")
}

fn options(data: Option<PathBuf>, clock_frozen: bool) -> Options {
    Options { public_url: URL.to_owned(), data, clock: Some(nine()), clock_frozen, ..Options::default() }
}

impl Local {
    /// A stack in memory, with the example flows.
    pub async fn start() -> Self {
        let local = Self::start_with(None).await;
        assert_eq!(local.apply(&EXAMPLES).await.0, 200);
        local
    }

    /// A stack in memory, with the example flows, whose clock runs.
    pub async fn running() -> Self {
        let local = Self::new(None, false).await;
        assert_eq!(local.apply(&EXAMPLES).await.0, 200);
        local
    }

    /// A stack with or without a data folder, and without configuration.
    pub async fn start_with(data: Option<PathBuf>) -> Self {
        Self::new(data, true).await
    }

    /// A stack in memory, without configuration, whose secret store has these too.
    pub async fn with_secrets(secrets: &[(&str, &str)]) -> Self {
        Self::build(options(None, true), secrets).await
    }

    /// A stack in memory, without configuration, in which weeks pass quickly.
    pub async fn hurried() -> Self {
        Self::build(Options { due_shards: Some(1), ..options(None, true) }, &[]).await
    }

    /// A stack in memory, with the example flows, whose console at this address asks a provider who people are.
    pub async fn with_provider(public_url: &str, provider: OpenId, secrets: &[(&str, &str)]) -> Self {
        let options = options(None, true);
        let options = Options { public_url: public_url.to_owned(), provider: Some(provider), ..options };
        let local = Self::build(options, secrets).await;
        assert_eq!(local.apply(&EXAMPLES).await.0, 200);
        local
    }

    async fn new(data: Option<PathBuf>, clock_frozen: bool) -> Self {
        Self::build(options(data, clock_frozen), &[]).await
    }

    async fn build(mut options: Options, secrets: &[(&str, &str)]) -> Self {
        let more = secrets.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        options.secrets = senders::secrets().into_iter().chain(more).collect();
        Self { stack: Stack::start(options).await.expect("the stack starts") }
    }

    /// Applies files.
    pub async fn apply(&self, files: &[(&str, &str)]) -> Answer {
        let files: Vec<Value> =
            files.iter().map(|(name, text)| json!({"name": name, "text": text})).collect();
        self.put("/v1/config", &json!({"files": files})).await
    }

    /// One request.
    pub async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(String, String)],
        body: Vec<u8>,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let request = request.body(Body::from(body)).expect("a request");
        let response = gateway::call(&self.stack, request).await;
        let status = response.status().as_u16();
        let body = to_bytes(response.into_body(), usize::MAX).await.expect("a body");
        // What is no JSON is text; nothing is null.
        let text = || String::from_utf8_lossy(&body);
        let value = serde_json::from_slice(&body).unwrap_or_else(|_| match body.is_empty() {
            true => Value::Null,
            false => Value::from(text()),
        });
        (status, value)
    }

    /// `GET`, which must succeed.
    pub async fn get(&self, path: &str) -> Value {
        let (status, body) = self.send("GET", path, &[], Vec::new()).await;
        assert_eq!(status, 200, "GET {path}: {body}");
        body
    }

    /// `POST` of JSON, by the person `ana`.
    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        let headers = [header("content-type", "application/json"), header("authorization", "Local ana")];
        self.send("POST", path, &headers, body.to_string().into_bytes()).await
    }

    /// `PUT` of JSON.
    pub async fn put(&self, path: &str, body: &Value) -> Answer {
        let headers = [header("content-type", "application/json")];
        self.send("PUT", path, &headers, body.to_string().into_bytes()).await
    }

    /// A signed publish of a blog post in Contentful.
    pub async fn publish(&self, asset: &str) -> Answer {
        self.deliver(&self.signed_publish(asset)).await
    }

    /// The delivery of such a publish.
    pub fn signed_publish(&self, asset: &str) -> Delivery {
        senders::entry(URL, self.stack.clock.now(), "publish", asset, "blogPost")
    }

    /// A signed batch of HubSpot events about one asset.
    pub async fn hubspot(&self, asset: &str, events: &[Value]) -> Answer {
        self.deliver(&senders::crm(URL, self.stack.clock.now(), "hubspot", Some(asset), events)).await
    }

    /// A signed HubSpot delivery of any bytes.
    pub async fn hubspot_raw(&self, body: Vec<u8>) -> Answer {
        self.deliver(&senders::crm_raw(URL, self.stack.clock.now(), "hubspot", body)).await
    }

    /// A webhook arrives.
    pub async fn deliver(&self, delivery: &Delivery) -> Answer {
        self.send("POST", &delivery.path, &delivery.headers, delivery.body.clone()).await
    }

    /// Lets everything that is under way come to rest.
    pub async fn settle(&self) {
        self.stack.settle().await.expect("the stack settles");
    }

    /// Moves the clock through everything that falls due.
    pub async fn advance(&self, by: Span) {
        self.stack.advance_to(self.stack.clock.now() + by).await.expect("the clock moves");
    }

    /// The bodies of every message ever sent to a queue.
    pub async fn queue(&self, name: &str) -> Vec<Value> {
        let found = self.get(&format!("/_local/queues/{name}")).await;
        let messages = found["messages"].as_array().expect("messages");
        messages.iter().map(|message| message["body"].clone()).collect()
    }

    /// The runs of a flow, newest first.
    pub async fn runs(&self, flow: &str) -> Vec<Value> {
        self.get(&format!("/v1/runs?flow={flow}")).await["items"].as_array().expect("items").clone()
    }

    /// Publishes an asset, and gives the id of the run that it opens.
    pub async fn opened(&self, asset: &str) -> String {
        assert_eq!(self.publish(asset).await.0, 202);
        self.settle().await;
        self.runs("blog-launch").await[0]["run"].as_str().expect("a run id").to_owned()
    }

    /// Makes a run one that cannot be looked at: its flow has no such version.
    pub async fn damage(&self, run: &str) {
        let (hash, ulid) = run.split_once('-').expect("a run id");
        let update = self.stack.app.clients.dynamodb().update_item().table_name("meshline-state");
        let update = update
            .key("pk", AttributeValue::S(format!("S#{hash}")))
            .key("sk", AttributeValue::S(format!("RUN#{ulid}")))
            .update_expression("SET flow_version = :none")
            .expression_attribute_values(":none", AttributeValue::N("99".to_owned()));
        update.send().await.expect("the item is changed");
    }

    /// The kinds of a run's records, in order.
    pub async fn trail(&self, run: &str) -> Vec<String> {
        let trail = self.get(&format!("/v1/runs/{run}/audit")).await;
        let records = trail["items"].as_array().expect("items").iter();
        records.map(|record| record["kind"].as_str().expect("a kind").to_owned()).collect()
    }
}

/// The event by which HubSpot shows the campaign tag that `blog-launch` waits for.
pub fn campaign_tag() -> Value {
    json!({"subscriptionType": "contact.propertyChange", "propertyName": "campaign_tag", "propertyValue": "spring"})
}
