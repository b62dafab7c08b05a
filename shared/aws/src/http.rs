//! HTTP as API Gateway speaks it (payload 2.0): what requests hold, and how answers are made.

use aws_lambda_events::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse};
use aws_lambda_events::encodings::Body;
use aws_lambda_events::http::{HeaderMap, HeaderName, HeaderValue};
use base64::Engine;
use serde_json::{Value, json};

/// A request of the HTTP API.
pub type Request = ApiGatewayV2httpRequest;
/// Its answer.
pub type Response = ApiGatewayV2httpResponse;

/// Items of a list, where the caller does not say.
const DEFAULT_LIMIT: usize = 50;
/// Items of a list at most.
pub const MAX_LIMIT: usize = 200;
/// Bytes of a name in an address at most: names become keys of tables, and a sort key holds 1,024 with what stands beside
/// the name. No id, subject or cursor of ours is as long.
const MAX_NAME_BYTES: usize = 800;

/// The body as bytes.
///
/// # Errors
/// It is said to be base64 and is not.
pub fn body(request: &Request) -> Result<Vec<u8>, base64::DecodeError> {
    let text = request.body.as_deref().unwrap_or_default();
    if request.is_base64_encoded {
        return base64::engine::general_purpose::STANDARD.decode(text);
    }
    Ok(text.as_bytes().to_vec())
}

/// The path's segments, percent-decoded: `/v1/runs/x` → `v1`, `runs`, `x`.
pub fn segments(request: &Request) -> Vec<String> {
    let path = request.raw_path.as_deref().unwrap_or_default();
    path.split('/').filter(|segment| !segment.is_empty()).map(decode).collect()
}

/// A query parameter; an empty one counts as absent.
pub fn query(request: &Request, name: &str) -> Option<String> {
    let pairs = request.raw_query_string.as_deref().unwrap_or_default().split('&');
    let found = pairs.filter_map(|pair| pair.split_once('=')).find(|(key, _)| decode(key) == name)?;
    Some(decode(&found.1.replace('+', " "))).filter(|value| !value.is_empty())
}

/// Refuses an address in which a name stands that nothing can have: DynamoDB takes no such key.
///
/// # Errors
/// A segment of the path, or a value of the query, is too long.
pub fn check_names(request: &Request) -> Result<(), Problem> {
    if segments(request).iter().any(|segment| segment.len() > MAX_NAME_BYTES) {
        return Err(Problem::not_found(format!("no name has more than {MAX_NAME_BYTES} bytes")));
    }
    let pairs = request.raw_query_string.as_deref().unwrap_or_default().split('&');
    match pairs
        .filter_map(|pair| pair.split_once('='))
        .find(|(_, value)| decode(value).len() > MAX_NAME_BYTES)
    {
        Some((name, _)) => {
            Err(Problem::bad_request(format!("`{}` has more than {MAX_NAME_BYTES} bytes", decode(name))))
        }
        None => Ok(()),
    }
}

/// A header that is text.
pub fn header<'r>(request: &'r Request, name: &str) -> Option<&'r str> {
    request.headers.get(name).and_then(|value| value.to_str().ok())
}

/// Refuses a call of `/v1` for which no authorizer speaks: a route without one must not open the API.
///
/// # Errors
/// 401.
pub fn vouched_for(request: &Request) -> Result<(), Problem> {
    let authorizer = request.request_context.authorizer.as_ref();
    if authorizer.is_some_and(|authorizer| authorizer.iam.is_some() || authorizer.jwt.is_some()) {
        return Ok(());
    }
    let detail = "sign the call, as `meshline` does";
    Err(Problem::new(401, "unauthenticated", "who is calling is not clear", detail))
}

/// How many items of a list are wanted: `limit`, where the caller says.
///
/// # Errors
/// It is no number, or too large.
pub fn limit(request: &Request) -> Result<usize, Problem> {
    match query(request, "limit").map(|text| text.parse()) {
        None => Ok(DEFAULT_LIMIT),
        Some(Ok(n @ 1..=MAX_LIMIT)) => Ok(n),
        Some(_) => Err(Problem::bad_request(format!("`limit` is a whole number from 1 to {MAX_LIMIT}"))),
    }
}

/// Percent-encoded as one segment of a path, or one value of a query or a form.
pub fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

/// Percent-decodes; what is no escape stays as it is.
pub(crate) fn decode(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let escape = after.get(..2).filter(|_| *first == b'%').and_then(|hex| {
            let hex = std::str::from_utf8(hex).ok()?;
            u8::from_str_radix(hex, 16).ok()
        });
        match escape {
            Some(byte) => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// An answer with a JSON body.
pub fn json(status: u16, value: &Value) -> Response {
    text(status, "application/json", value.to_string())
}

/// An answer with a text body.
pub fn text(status: u16, content_type: &'static str, body: String) -> Response {
    let mut headers = HeaderMap::new();
    headers.insert(HeaderName::from_static("content-type"), HeaderValue::from_static(content_type));
    headers.insert(HeaderName::from_static("cache-control"), HeaderValue::from_static("no-store"));
    // A problem repeats what was asked for: no browser may take it for a page.
    headers.insert(HeaderName::from_static("x-content-type-options"), HeaderValue::from_static("nosniff"));
    let mut response = Response::default();
    response.status_code = i64::from(status);
    response.headers = headers;
    response.body = Some(Body::Text(body));
    response
}

/// What went wrong, for an answer of RFC 9457.
#[derive(Debug, Clone)]
pub struct Problem {
    /// The HTTP status.
    pub status: u16,
    /// The last part of the stable `type`, `urn:meshline:problem:<kind>`.
    pub kind: &'static str,
    /// One sentence that is always the same for the kind.
    pub title: &'static str,
    /// What happened here, and the mend.
    pub detail: String,
    /// More members.
    pub more: Value,
    /// The methods that the address takes, where it was another one.
    pub allowed: Vec<&'static str>,
}

impl Problem {
    /// A problem without more members.
    pub fn new(status: u16, kind: &'static str, title: &'static str, detail: impl Into<String>) -> Self {
        Self { status, kind, title, detail: detail.into(), more: Value::Null, allowed: Vec::new() }
    }

    /// The same with more members.
    pub fn with(self, more: Value) -> Self {
        Self { more, ..self }
    }

    /// Nothing is there.
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(404, "not-found", "there is nothing at this address", detail)
    }

    /// The request is not as it should be.
    pub fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(400, "bad-request", "the request cannot be understood", detail)
    }

    /// The address takes other methods, these: `Allow` names them, as RFC 9110 wants it.
    pub fn other_method(methods: &[&'static str], detail: impl Into<String>) -> Self {
        let problem = Self::new(405, "method-not-allowed", "this address takes another method", detail);
        Self { allowed: methods.to_vec(), ..problem }
    }

    /// A table or queue is not available; the same request may succeed in a moment.
    pub fn unavailable(detail: impl Into<String>) -> Self {
        Self::new(503, "unavailable", "not available at the moment: try again", detail)
    }

    /// The answer: `application/problem+json`, with `Retry-After` where trying again helps.
    pub fn response(self) -> Response {
        let mut body = json!({
            "type": format!("urn:meshline:problem:{}", self.kind),
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
        });
        if let (Some(members), Value::Object(more)) = (body.as_object_mut(), self.more) {
            members.extend(more);
        }
        let mut response = text(self.status, "application/problem+json", body.to_string());
        if self.status == 503 {
            response.headers.insert(HeaderName::from_static("retry-after"), HeaderValue::from_static("5"));
        }
        if let Ok(methods) = HeaderValue::from_str(&self.allowed.join(", "))
            && self.status == 405
        {
            response.headers.insert(HeaderName::from_static("allow"), methods);
        }
        response
    }
}

impl From<crate::error::StoreError> for Problem {
    fn from(error: crate::error::StoreError) -> Self {
        // The hooks answer strangers: what AWS said stays in the log.
        if error.is_passing() {
            tracing::warn!(error = %error, "a request has to wait");
            return Self::unavailable("a table or a queue is busy");
        }
        tracing::error!(error = %error, "a request failed");
        Self::new(500, "internal", "Meshline could not do this", "its log says why")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_queries_are_decoded() {
        let mut request = Request::default();
        request.raw_path = Some("/v1/subjects/contentful%3A5K%2F%C3%A9%zz/timeline".to_owned());
        request.raw_query_string = Some("flow=&limit=5&from=2026-11-23T09%3A00%3A00Z".to_owned());
        assert_eq!(segments(&request), ["v1", "subjects", "contentful:5K/é%zz", "timeline"]);
        assert_eq!(query(&request, "flow"), None);
        assert_eq!(query(&request, "limit").as_deref(), Some("5"));
        assert_eq!(query(&request, "from").as_deref(), Some("2026-11-23T09:00:00Z"));
    }
}
