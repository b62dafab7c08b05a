//! Faults between the AWS SDK and the services: each strikes one attempt, and the SDK does with it what it does.

use std::sync::Arc;

use aws_smithy_http_client::Builder;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use axum::http::StatusCode;
use serde_json::{Value, json};

use super::{Fault, Faults, Place};

/// A client whose calls meet the faults of the plan.
pub(super) fn client(faults: Arc<Faults>) -> SharedHttpClient {
    SharedHttpClient::new(Client { faults, inner: Builder::new().build_http() })
}

struct Client {
    faults: Arc<Faults>,
    inner: SharedHttpClient,
}

impl HttpClient for Client {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let inner = self.inner.http_connector(settings, components);
        SharedHttpConnector::new(Wire { faults: Arc::clone(&self.faults), inner })
    }
}

/// The wire to one service.
struct Wire {
    faults: Arc<Faults>,
    inner: SharedHttpConnector,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Client")
    }
}

impl std::fmt::Debug for Wire {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Wire")
    }
}

impl HttpConnector for Wire {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let Some(call) = Call::of(&request) else { return self.inner.call(request) };
        let Some(fault) = self.faults.strikes(call.place, &call.operation, call.faults()) else {
            return self.inner.call(request);
        };
        match fault {
            Fault::Throttle | Fault::Fail | Fault::Conflict => {
                HttpConnectorFuture::ready(Ok(call.refusal(fault, &request)))
            }
            Fault::LostAck => {
                let sent = self.inner.call(request);
                HttpConnectorFuture::new(async move {
                    let _answer = sent.await?;
                    Err(no_answer())
                })
            }
            Fault::Partial => match call.cut(request, self.faults.below(&call.operation, 1 << 10)) {
                Cut::All(answer) => HttpConnectorFuture::ready(Ok(answer)),
                Cut::Rest { request, refused } => {
                    let sent = self.inner.call(request);
                    HttpConnectorFuture::new(async move { put_back(sent.await?, &refused).await })
                }
                Cut::Whole(request) => self.inner.call(request),
            },
            Fault::Timeout
            | Fault::Duplicate
            | Fault::Reorder
            | Fault::Delay
            | Fault::Stale
            | Fault::Split
            | Fault::Kill => HttpConnectorFuture::ready(Err(no_answer())),
        }
    }
}

fn no_answer() -> ConnectorError {
    ConnectorError::timeout("a fault on demand: no answer came".into())
}

/// A call, as its header names it: `DynamoDB_20120810.PutItem`.
struct Call {
    place: Place,
    operation: String,
}

impl Call {
    fn of(request: &HttpRequest) -> Option<Self> {
        let (service, operation) = request.headers().get("x-amz-target")?.split_once('.')?;
        let place = match service {
            "DynamoDB_20120810" => Place::Dynamodb,
            "AmazonSQS" => Place::Sqs,
            "AWSEvents" => Place::Events,
            "secretsmanager" => Place::Secrets,
            _ => return None,
        };
        Some(Self { place, operation: operation.to_owned() })
    }

    /// What can happen to it.
    fn faults(&self) -> &'static [Fault] {
        const CALL: &[Fault] = &[Fault::Throttle, Fault::Fail, Fault::Timeout, Fault::LostAck];
        const WRITE: &[Fault] =
            &[Fault::Throttle, Fault::Fail, Fault::Timeout, Fault::LostAck, Fault::Conflict];
        const BATCH: &[Fault] =
            &[Fault::Throttle, Fault::Fail, Fault::Timeout, Fault::LostAck, Fault::Partial];
        match self.operation.as_str() {
            "TransactWriteItems" | "PutItem" | "UpdateItem" | "DeleteItem" => WRITE,
            "SendMessageBatch" | "PutEvents" | "BatchGetItem" | "Query" => BATCH,
            _ => CALL,
        }
    }

    fn refusal(&self, fault: Fault, request: &HttpRequest) -> HttpResponse {
        if self.operation == "TransactWriteItems" && fault != Fault::Fail {
            let code = if fault == Fault::Conflict { "TransactionConflict" } else { "ThrottlingError" };
            return cancelled(code, request);
        }
        let (status, code) = match (fault, self.place) {
            (Fault::Throttle, Place::Sqs) => (StatusCode::BAD_REQUEST, "RequestThrottled"),
            (Fault::Throttle, _) => (StatusCode::BAD_REQUEST, "ThrottlingException"),
            (Fault::Conflict, _) => (StatusCode::BAD_REQUEST, "TransactionConflictException"),
            (_, Place::Dynamodb) => (StatusCode::INTERNAL_SERVER_ERROR, "InternalServerError"),
            (_, Place::Events) => (StatusCode::INTERNAL_SERVER_ERROR, "InternalException"),
            (_, Place::Secrets) => (StatusCode::INTERNAL_SERVER_ERROR, "InternalServiceError"),
            (_, _) => (StatusCode::INTERNAL_SERVER_ERROR, "InternalFailure"),
        };
        answer(status, &json!({"__type": code, "message": "a fault on demand"}))
    }

    /// Takes some entries out of a batch, or lets a page end early; `mask` says where.
    fn cut(&self, mut request: HttpRequest, mask: u64) -> Cut {
        let body = request.body().bytes().and_then(|body| serde_json::from_slice::<Value>(body).ok());
        let Some(mut body) = body else { return Cut::Whole(request) };
        if self.operation == "Query" {
            // A page ends at 1 MB, which one that is limited to so many items does not reach.
            if let Some(members) = body.as_object_mut().filter(|members| !members.contains_key("Limit")) {
                members.insert("Limit".to_owned(), json!(1 + mask % 3));
                replace_body(&mut request, &body);
            }
            return Cut::Whole(request);
        }
        if self.operation == "BatchGetItem" {
            let Some(refused) = cut_keys(&mut body, mask) else { return Cut::Whole(request) };
            replace_body(&mut request, &body);
            return Cut::Rest { request, refused };
        }
        let Some(entries) = body.get_mut("Entries").and_then(Value::as_array_mut) else {
            return Cut::Whole(request);
        };
        let mut places = Vec::new();
        let all = std::mem::take(entries);
        for (place, entry) in all.into_iter().enumerate() {
            if mask >> (place % 10) & 1 == 1 {
                places.push((place, entry.get("Id").cloned()));
            } else {
                entries.push(entry);
            }
        }
        let refused =
            if self.place == Place::Events { Refused::Events(places) } else { Refused::Messages(places) };
        if entries.is_empty() {
            let mut body = json!({});
            refused.add_to(&mut body);
            return Cut::All(answer(StatusCode::OK, &body));
        }
        replace_body(&mut request, &body);
        Cut::Rest { request, refused }
    }
}

/// What is left of a batch.
enum Cut {
    /// Nothing: this is the answer.
    All(HttpResponse),
    /// A smaller batch, and what is to be added to its answer.
    Rest { request: HttpRequest, refused: Refused },
    /// Nothing is to be added to the answer of this.
    Whole(HttpRequest),
}

/// Entries that were taken out of a batch.
enum Refused {
    /// By place and id.
    Messages(Vec<(usize, Option<Value>)>),
    /// By place.
    Events(Vec<(usize, Option<Value>)>),
    /// `UnprocessedKeys`.
    Keys(Value),
}

impl Refused {
    /// Puts them into the answer, as the service would.
    fn add_to(&self, body: &mut Value) {
        let Some(members) = body.as_object_mut() else { return };
        match self {
            Self::Keys(keys) => {
                members.insert("UnprocessedKeys".to_owned(), keys.clone());
            }
            Self::Messages(places) => {
                let failed = members.entry("Failed").or_insert_with(|| json!([]));
                let added = places.iter().map(|(_, id)| {
                    json!({"Id": id, "SenderFault": false, "Code": "InternalError", "Message": "a fault on demand"})
                });
                if let Some(failed) = failed.as_array_mut() {
                    failed.extend(added);
                }
                members.entry("Successful").or_insert_with(|| json!([]));
            }
            Self::Events(places) => {
                let entries = members.entry("Entries").or_insert_with(|| json!([]));
                for (place, _) in places {
                    let failed = json!({"ErrorCode": "InternalFailure", "ErrorMessage": "a fault on demand"});
                    if let Some(entries) = entries.as_array_mut() {
                        entries.insert((*place).min(entries.len()), failed);
                    }
                }
                let count = members.get("FailedEntryCount").and_then(Value::as_u64).unwrap_or_default();
                members.insert("FailedEntryCount".to_owned(), json!(count + places.len() as u64));
            }
        }
    }
}

/// Takes every second key or so out of a `BatchGetItem` of one table.
fn cut_keys(body: &mut Value, mask: u64) -> Option<Refused> {
    let (table, wanted) = body.get_mut("RequestItems")?.as_object_mut()?.iter_mut().next()?;
    let keys = wanted.get_mut("Keys")?.as_array_mut()?;
    let mut place = 0;
    let mut cut = Vec::new();
    keys.retain(|key| {
        place += 1;
        // One stays: a request for nothing is not valid.
        let stays = place == 1 || mask >> (place % 10) & 1 == 0;
        if !stays {
            cut.push(key.clone());
        }
        stays
    });
    let mut rest = wanted.clone();
    *rest.get_mut("Keys")? = Value::from(cut);
    Some(Refused::Keys(json!({table.clone(): rest})))
}

fn replace_body(request: &mut HttpRequest, body: &Value) {
    let body = body.to_string();
    request.headers_mut().insert("content-length", body.len().to_string());
    *request.body_mut() = SdkBody::from(body);
}

/// Adds what was taken out of a batch to the answer.
async fn put_back(response: HttpResponse, refused: &Refused) -> Result<HttpResponse, ConnectorError> {
    if !response.status().is_success() {
        return Ok(response);
    }
    let body = ByteStream::new(response.into_body()).collect().await;
    let body = body.map_err(|error| ConnectorError::io(error.into()))?.into_bytes();
    let mut body = serde_json::from_slice(&body).map_err(|error| ConnectorError::io(error.into()))?;
    refused.add_to(&mut body);
    Ok(answer(StatusCode::OK, &body))
}

/// A transaction that did not happen, because of its first item.
fn cancelled(code: &str, request: &HttpRequest) -> HttpResponse {
    let body = request.body().bytes().and_then(|body| serde_json::from_slice::<Value>(body).ok());
    let items = body.and_then(|body| body.get("TransactItems")?.as_array().map(Vec::len)).unwrap_or(1);
    let reasons = (0..items).map(|item| json!({"Code": if item == 0 { code } else { "None" }}));
    answer(
        StatusCode::BAD_REQUEST,
        &json!({
            "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
            "Message": "a fault on demand",
            "CancellationReasons": reasons.collect::<Vec<_>>(),
        }),
    )
}

fn answer(status: StatusCode, body: &Value) -> HttpResponse {
    let mut response = HttpResponse::new(status.into(), SdkBody::from(body.to_string()));
    response.headers_mut().insert("content-type", "application/x-amz-json-1.0");
    response
}
