//! What AWS would bill, counted where the SDK puts requests on the wire.

use std::sync::{Arc, Mutex, PoisonError};

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use meshline_aws::App;
use meshline_aws::clients::{Clients, Endpoints};
use meshline_tests::Local;
use serde_json::{Value, json};

/// What was used since the last look.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tally {
    /// Write units of all tables and indexes.
    pub(crate) writes: f64,
    /// Read units likewise.
    pub(crate) reads: f64,
    /// Calls of DynamoDB.
    pub(crate) calls: f64,
    /// Events that were kept: each is a batch of `route` when nothing else happens.
    pub(crate) events: f64,
    /// Messages for `notify`.
    pub(crate) notices: f64,
    /// Ticks that were sent ahead.
    pub(crate) ticks: f64,
    /// Events on the bus.
    pub(crate) bus: f64,
    /// The write units of each transaction that stored records, by their kinds.
    pub(crate) commits: Vec<(String, f64)>,
}

/// Counts what goes through the clients of an app.
#[derive(Debug, Clone)]
pub(crate) struct Meter {
    inner: SharedHttpClient,
    tally: Arc<Mutex<Tally>>,
}

impl Meter {
    /// Puts a meter into the stack's app. Streams and queues are read past it: on AWS, Lambda does that.
    pub(crate) async fn of(local: &mut Local) -> Self {
        let stack = Arc::get_mut(&mut local.stack).expect("nobody uses the stack yet");
        let plain = stack.app.clients.config().clone();
        let meter =
            Self { inner: aws_smithy_http_client::Builder::new().build_http(), tally: Arc::default() };
        let settings = stack.app.settings.clone();
        let endpoints = Endpoints {
            dynamodb: Some(stack.emulators.dynamodb_url.clone()),
            sqs: Some(stack.emulators.sqs_url.clone()),
            events: Some(stack.emulators.events_url.clone()),
            secrets: Some(stack.emulators.secrets_url.clone()),
        };
        let metered = plain.into_builder().http_client(meter.clone()).build();
        stack.app = App::new(Arc::new(Clients::new(metered, endpoints)), settings);
        meter
    }

    /// What was used since this was last asked for.
    pub(crate) fn take(&self) -> Tally {
        std::mem::take(&mut self.tally.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl HttpClient for Meter {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let inner = self.inner.http_connector(settings, components);
        SharedHttpConnector::new(Metered { inner, tally: self.tally.clone() })
    }
}

/// A connection whose requests are counted.
#[derive(Debug)]
struct Metered {
    inner: SharedHttpConnector,
    tally: Arc<Mutex<Tally>>,
}

impl HttpConnector for Metered {
    fn call(&self, mut request: HttpRequest) -> HttpConnectorFuture {
        let target = request.headers().get("x-amz-target").unwrap_or_default().to_owned();
        let (service, operation) = target.split_once('.').unwrap_or_default();
        let mut body: Value =
            request.body().bytes().and_then(|body| serde_json::from_slice(body).ok()).unwrap_or_default();
        let is_database = service.starts_with("DynamoDB");
        if is_database {
            body["ReturnConsumedCapacity"] = json!("TOTAL");
            let text = body.to_string();
            request.headers_mut().insert("content-length", text.len().to_string());
            *request.body_mut() = SdkBody::from(text);
        }
        let (operation, tally) = (operation.to_owned(), self.tally.clone());
        let call = self.inner.call(request);
        HttpConnectorFuture::new(async move {
            let mut response: HttpResponse = call.await?;
            let answer = ByteStream::new(response.take_body()).collect().await;
            let answer = answer.expect("an emulator answers whole").into_bytes();
            let said: Value = serde_json::from_slice(&answer).unwrap_or_default();
            *response.body_mut() = SdkBody::from(answer);
            let mut tally = tally.lock().unwrap_or_else(PoisonError::into_inner);
            if is_database {
                tally.database(&operation, &body, &said, response.status().is_success());
            } else {
                tally.sent(&operation, &body);
            }
            drop(tally);
            Ok(response)
        })
    }
}

impl Tally {
    fn database(&mut self, operation: &str, body: &Value, said: &Value, is_done: bool) {
        self.calls += 1.0;
        let consumed = &said["ConsumedCapacity"];
        let several = consumed.as_array().map_or(std::slice::from_ref(consumed), Vec::as_slice);
        let units: f64 = several.iter().filter_map(|table| table["CapacityUnits"].as_f64()).sum();
        match operation {
            "GetItem" | "Query" | "BatchGetItem" | "Scan" => self.reads += units,
            // A write whose condition fails is billed by the item that is there, and the answer does not say how much.
            _ if !is_done => self.writes += 1.0,
            _ => self.writes += units,
        }
        if operation == "PutItem" && is_done && body["TableName"] == "meshline-events" {
            self.events += 1.0;
        }
        let items = body["TransactItems"].as_array().into_iter().flatten();
        let kinds: Vec<&str> = items.filter_map(|item| item["Put"]["Item"]["kind"]["S"].as_str()).collect();
        if is_done && !kinds.is_empty() {
            self.commits.push((kinds.join(", "), units));
        }
    }

    fn sent(&mut self, operation: &str, body: &Value) {
        let entries = body["Entries"].as_array().map_or(0, Vec::len) as f64;
        match operation {
            "PutEvents" => self.bus += entries,
            "SendMessageBatch" if body["QueueUrl"].as_str().is_some_and(|url| url.ends_with("/ticks")) => {
                self.ticks += entries;
            }
            "SendMessageBatch" => self.notices += entries,
            _ => {}
        }
    }
}
