//! What strangers, callers, receivers and whoever can write the tables try, each by its way in. docs/SECURITY.md says what stops
//! them, and names these tests.

mod canaries;
mod hooks;
mod people;
mod trail;

use std::sync::atomic::{AtomicU64, Ordering};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use meshline_aws::http::{Request, Response};
use serde_json::{Map, Value, json};

/// What API Gateway hands over for a request that it got under its own name: the headers are whatever the sender wrote.
fn event(method: &str, path: &str, headers: &[(String, String)], body: &[u8], authorizer: Value) -> Request {
    let headers: Map<String, Value> =
        headers.iter().map(|(name, value)| (name.to_lowercase(), json!(value))).collect();
    // The same id would be the same request.
    static REQUESTS: AtomicU64 = AtomicU64::new(0);
    let id = format!("r-{}", REQUESTS.fetch_add(1, Ordering::Relaxed));
    let event = json!({
        "version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": "", "headers": headers,
        "requestContext": {
            "http": {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "203.0.113.7"},
            "domainName": "api.example.com", "requestId": id, "authorizer": authorizer,
        },
        "body": STANDARD.encode(body), "isBase64Encoded": true,
    });
    serde_json::from_value(event).unwrap()
}

/// Status and body of an answer.
fn answered(response: Response) -> (i64, String) {
    let body = response.body.map(|body| String::from_utf8(body.to_vec()).unwrap());
    (response.status_code, body.unwrap_or_default())
}
