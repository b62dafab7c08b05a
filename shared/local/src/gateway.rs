//! The gateway: what the HTTP API is on AWS. Requests become payload 2.0 events for the functions.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::Arc;

use aws_lambda_events::apigw::{
    ApiGatewayRequestAuthorizer, ApiGatewayRequestAuthorizerJwtDescription, ApiGatewayV2httpRequest,
    ApiGatewayV2httpResponse,
};
use aws_lambda_events::encodings::Body as LambdaBody;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use meshline_aws::http::Problem;
use meshline_core::time::{Span, Time};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::faults::Plan;
use crate::sign_in;
use crate::stack::{Stack, StackError};

/// What API Gateway takes; the functions have limits of their own.
const MAX_BODY_BYTES: usize = 10 * 1024 * 1024;
/// How far one call may move the clock.
const MAX_ADVANCE: Span = Span::days(366);

/// The local stack's HTTP routes: the API's own, and `/_local`.
pub fn router(stack: Arc<Stack>) -> Router {
    Router::new().fallback(answer).with_state(stack)
}

async fn answer(State(stack): State<Arc<Stack>>, request: Request) -> Response {
    let mut response = call(&stack, request).await;
    // A clock of its own may be anywhere: whoever shows times relative to now needs to know where.
    if let Ok(now) = HeaderValue::from_str(&stack.clock.now().to_string()) {
        response.headers_mut().insert("meshline-now", now);
    }
    response
}

/// Answers one request, without a socket.
pub async fn call(stack: &Stack, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, MAX_BODY_BYTES).await else {
        let detail = format!("a body has at most {MAX_BODY_BYTES} bytes");
        return http(Problem::new(413, "too-large", "the body is too large", detail).response());
    };
    let path = parts.uri.path().to_owned();
    if let Some(local) = path.strip_prefix("/_local/").filter(|_| path != sign_in::PATH) {
        return match own(stack, parts.method.as_str(), local, &body).await {
            Ok(value) => (StatusCode::OK, axum::Json(value)).into_response(),
            Err(problem) => http(problem.response()),
        };
    }
    let event = match event(&parts, &body) {
        Ok(event) => event,
        Err(problem) => return http(problem.response()),
    };
    let response = if path == sign_in::PATH {
        sign_in::answer(stack, &event).await.unwrap_or_else(Problem::response)
    } else {
        invoke(stack, &path, event).await
    };
    stack.wake();
    http(response)
}

/// Invokes the function that answers this path, as API Gateway does: who dies in the middle has answered 500.
async fn invoke(stack: &Stack, path: &str, event: ApiGatewayV2httpRequest) -> ApiGatewayV2httpResponse {
    let now = stack.clock.now();
    let (app, faults) = (&stack.app, &stack.faults);
    let answered = if path.starts_with("/hooks/") {
        faults.invoke("ingest", meshline_ingest::handle(app, event, faults.time("ingest", now))).await
    } else if path == "/v1/checkpoints" || path.starts_with("/v1/checkpoints/") {
        faults.invoke("report", meshline_report::handle(&stack.vault, event)).await
    } else {
        faults.invoke("ops-api", meshline_ops_api::handle(app, event, faults.time("ops-api", now))).await
    };
    answered.unwrap_or_else(|| {
        let mut died = ApiGatewayV2httpResponse::default();
        died.status_code = 500;
        died.headers.insert("content-type", HeaderValue::from_static("application/json"));
        died.body = Some(LambdaBody::Text("{\"message\":\"Internal Server Error\"}".to_owned()));
        died
    })
}

/// The request as a payload 2.0 event.
fn event(parts: &axum::http::request::Parts, body: &[u8]) -> Result<ApiGatewayV2httpRequest, Problem> {
    let mut event = ApiGatewayV2httpRequest::default();
    event.raw_path = Some(parts.uri.path().to_owned());
    event.raw_query_string = parts.uri.query().map(str::to_owned);
    event.headers = joined(&parts.headers);
    event.cookies = event.headers.remove("cookie").and_then(|cookies| {
        let pairs = cookies.to_str().ok()?.split(';').map(|pair| pair.trim().to_owned());
        Some(pairs.collect())
    });
    let text = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok());
    // API Gateway hands these over as text and everything else as base64.
    let is_text = text("content-type").is_some_and(|kind| {
        kind.starts_with("text/")
            || ["application/json", "application/xml", "application/javascript"]
                .iter()
                .any(|t| kind.starts_with(t))
    });
    match std::str::from_utf8(body) {
        Ok(utf8) if is_text => event.body = Some(utf8.to_owned()),
        Ok(_) | Err(_) => {
            event.body = Some(base64::engine::general_purpose::STANDARD.encode(body));
            event.is_base64_encoded = true;
        }
    }
    event.request_context.request_id = Some(request_id());
    event.request_context.http.method = parts.method.clone();
    event.request_context.domain_name = text("host").map(str::to_owned);
    if !parts.uri.path().starts_with("/hooks/") {
        event.request_context.authorizer = Some(authorizer(text("authorization"), sign_in::person(&event))?);
    }
    Ok(event)
}

/// An id that no other request has.
fn request_id() -> String {
    let half = || RandomState::new().build_hasher().finish();
    format!("{:016x}{:016x}", half(), half())
}

/// Header values of one name, joined by commas as API Gateway does.
fn joined(headers: &HeaderMap) -> HeaderMap {
    let mut joined = HeaderMap::new();
    for name in headers.keys() {
        let values: Vec<&[u8]> = headers.get_all(name).iter().map(HeaderValue::as_bytes).collect();
        if let Ok(value) = HeaderValue::from_bytes(&values.join(&b","[..])) {
            joined.insert(name.clone(), value);
        }
    }
    joined
}

/// `Authorization: Local <person id>`, else whom a browser signed in as, else `local`.
fn authorizer(header: Option<&str>, signed_in: Option<&str>) -> Result<ApiGatewayRequestAuthorizer, Problem> {
    let person = match header {
        None => signed_in.unwrap_or("local"),
        Some(header) => {
            header.strip_prefix("Local ").map(str::trim).filter(|person| !person.is_empty()).ok_or_else(
                || {
                    let detail = "the local stack takes `Authorization: Local <person id>`, or none at all";
                    Problem::new(401, "unauthenticated", "who is calling is not clear", detail)
                },
            )?
        }
    };
    let mut jwt = ApiGatewayRequestAuthorizerJwtDescription::default();
    jwt.claims.insert("sub".to_owned(), person.to_owned());
    let mut authorizer = ApiGatewayRequestAuthorizer::default();
    authorizer.jwt = Some(jwt);
    Ok(authorizer)
}

fn http(response: ApiGatewayV2httpResponse) -> Response {
    let body = match response.body {
        Some(LambdaBody::Text(text)) => Body::from(text),
        Some(LambdaBody::Binary(bytes)) => Body::from(bytes),
        Some(_) | None => Body::empty(),
    };
    let status = u16::try_from(response.status_code).ok().and_then(|code| StatusCode::from_u16(code).ok());
    let mut answer = Response::new(body);
    *answer.status_mut() = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    *answer.headers_mut() = response.headers;
    for cookie in response.cookies.iter().filter_map(|cookie| HeaderValue::from_str(cookie).ok()) {
        answer.headers_mut().append("set-cookie", cookie);
    }
    answer
}

/// The body of `POST /_local/clock`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "lowercase")]
enum ClockMove {
    Advance(Span),
    Set(Time),
}

/// The local stack's own routes: time, and what was sent.
async fn own(stack: &Stack, method: &str, path: &str, body: &[u8]) -> Result<Value, Problem> {
    let internal =
        |error: StackError| Problem::new(500, "internal", "the local stack failed", error.to_string());
    match (method, path.split('/').collect::<Vec<_>>().as_slice()) {
        ("GET", ["clock"]) => Ok(json!({"now": stack.clock.now(), "frozen": stack.clock.is_frozen()})),
        ("POST", ["clock"]) => {
            let wanted = serde_json::from_slice(body).map_err(|error| {
                Problem::bad_request(format!(
                    "write {{\"advance\": \"2h\"}} or {{\"set\": \"2026-11-23T09:00:00Z\"}}: {error}"
                ))
            })?;
            let now = stack.clock.now();
            let to = match wanted {
                ClockMove::Advance(span) => now + span,
                ClockMove::Set(time) if time < now => {
                    return Err(Problem::bad_request(format!(
                        "it is {now} already, and time does not go back"
                    )));
                }
                ClockMove::Set(time) => time,
            };
            if to.since(now) > MAX_ADVANCE {
                return Err(Problem::bad_request(format!(
                    "one call moves the clock by at most {MAX_ADVANCE}"
                )));
            }
            Ok(json!({"now": stack.advance_to(to).await.map_err(internal)?}))
        }
        ("POST", ["settle"]) => {
            stack.settle().await.map_err(internal)?;
            Ok(json!({"now": stack.clock.now()}))
        }
        ("GET", ["queues", queue]) => {
            stack.settle().await.map_err(internal)?;
            let messages = stack.emulators.messages(queue);
            let unknown = || Problem::not_found(format!("there is no queue `{queue}`"));
            let waiting = stack.emulators.queue_len(queue).await;
            Ok(json!({"messages": messages.ok_or_else(unknown)?, "waiting": waiting}))
        }
        ("GET", ["bus"]) => {
            stack.settle().await.map_err(internal)?;
            Ok(json!({"messages": stack.emulators.bus()}))
        }
        ("GET", ["inbox"]) => {
            stack.settle().await.map_err(internal)?;
            Ok(json!({"messages": stack.emulators.inbox()}))
        }
        ("GET", ["faults"]) => Ok(json!(stack.faults())),
        ("POST", ["faults"]) => {
            let value = serde_json::from_slice(body)
                .map_err(|error| Problem::bad_request(format!("the body is no JSON: {error}")))?;
            stack.set_faults(Plan::read(&value).map_err(Problem::bad_request)?);
            Ok(json!(stack.faults()))
        }
        ("GET", ["failed-batches"]) => {
            stack.settle().await.map_err(internal)?;
            Ok(json!({"records": stack.left_behind()}))
        }
        (_, _) => {
            Err(Problem::not_found(format!("{method} /_local/{path} is none of the local stack's addresses")))
        }
    }
}
