//! A refusal: an answer of the API that is not a success, RFC 9457 or whatever stood in its way.

use std::fmt;

use meshline_core::config::Problem;
use meshline_core::record::Record;
use meshline_core::time::Time;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// How much of an answer that is no JSON is shown, in characters.
const MAX_SHOWN: usize = 200;

/// An answer of the API that is not a success.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Refusal {
    status: u16,
    /// The body: a problem of RFC 9457, API Gateway's `{"message"}`, or text.
    body: Value,
    /// The time there, where the answer says it.
    now: Option<Time>,
}

impl Refusal {
    /// The refusal that `body` explains.
    pub(crate) fn new(status: u16, body: &str) -> Self {
        let body = serde_json::from_str(body).unwrap_or_else(|_| Value::String(body.to_owned()));
        Self { status, body, now: None }
    }

    /// The same, with the time there.
    pub(crate) fn at(self, now: Option<Time>) -> Self {
        Self { now, ..self }
    }

    /// The time there, where the answer says it.
    pub(crate) fn now(&self) -> Option<Time> {
        self.now
    }

    /// Whether the same request may succeed later, unchanged.
    pub(crate) fn is_of_the_server(&self) -> bool {
        self.status >= 500 || self.status == 429
    }

    /// Whether there is nothing at the address.
    pub(crate) fn is_not_found(&self) -> bool {
        self.status == 404
    }

    /// The body as it came.
    pub(crate) fn body(&self) -> &Value {
        &self.body
    }

    /// What is wrong with the configuration that was sent.
    pub(crate) fn problems(&self) -> Vec<Problem> {
        self.member("problems")
    }

    /// The records since the version that the person saw.
    pub(crate) fn changes(&self) -> Vec<Record> {
        self.member("changes")
    }

    fn member<T: DeserializeOwned>(&self, name: &str) -> Vec<T> {
        let items = self.body.get(name).and_then(Value::as_array).into_iter().flatten();
        items.filter_map(|item| serde_json::from_value(item.clone()).ok()).collect()
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.body.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = self.text("type").and_then(|kind| kind.rsplit(':').next());
        match kind {
            Some(kind) => write!(f, "{} {kind}", self.status)?,
            None => write!(f, "{}", self.status)?,
        }
        // `message` is how API Gateway says it.
        let said: Vec<&str> =
            ["title", "detail", "message", "Message"].iter().filter_map(|name| self.text(name)).collect();
        let text = self.body.as_str().map(str::trim).filter(|text| !text.is_empty());
        match text {
            Some(text) => write!(f, ": {}", text.chars().take(MAX_SHOWN).collect::<String>())?,
            None if said.is_empty() => write!(f, ": {}", reason_phrase(self.status))?,
            None => write!(f, ": {}", said.join(": "))?,
        }
        if self.status == 403 && kind.is_none() {
            f.write_str("; do your AWS credentials allow execute-api:Invoke there?")?;
        }
        Ok(())
    }
}

fn reason_phrase(status: u16) -> &'static str {
    http::StatusCode::from_u16(status)
        .ok()
        .and_then(|status| status.canonical_reason())
        .unwrap_or("no explanation")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_answer_is_put_in_a_line() {
        let problem = r#"{"type":"urn:meshline:problem:not-found","title":"nothing","detail":"no run `x`"}"#;
        assert_eq!(Refusal::new(404, problem).to_string(), "404 not-found: nothing: no run `x`");
        let gateway = r#"{"message":"Forbidden"}"#;
        assert_eq!(
            Refusal::new(403, gateway).to_string(),
            "403: Forbidden; do your AWS credentials allow execute-api:Invoke there?"
        );
        assert_eq!(Refusal::new(502, "").to_string(), "502: Bad Gateway");
        assert_eq!(Refusal::new(500, "<h1>oh</h1>\n").to_string(), "500: <h1>oh</h1>");
    }
}
