//! Posting: one HTTP call to a receiver, and what its answer means for the message.

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};
use meshline_aws::outbound::{Answer, Outbound, Unanswered};
use meshline_aws::secrets;
use meshline_core::time::Span;

/// As much of an answer as a record shows.
const MAX_SHOWN: usize = 200;
/// A receiver that asks for more patience than this is asked again earlier.
const MAX_RETRY_AFTER: Span = Span::minutes(15);

/// Sends requests out.
#[derive(Debug)]
pub(crate) struct Poster {
    outbound: Outbound,
}

/// A request to be sent. Its headers or its body may hold a secret, so it is nothing to be printed.
pub(crate) struct Call {
    /// `POST` or `GET`.
    pub(crate) method: http::Method,
    /// Where to.
    pub(crate) url: String,
    /// With these headers; JSON is declared by itself.
    pub(crate) headers: Vec<(&'static str, String)>,
    /// What.
    pub(crate) body: String,
}

/// Why something was not delivered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Trouble {
    /// It may work later: at once on the next attempt, or after the time that the receiver asked for.
    #[error("{why}")]
    Later {
        /// What happened.
        why: String,
        /// How long the receiver asked to wait.
        after: Option<Span>,
    },
    /// It will not work, however often it is tried.
    #[error("{why}")]
    Refused {
        /// What happened.
        why: String,
        /// The status of the answer, if there was one.
        status: Option<u16>,
    },
}

impl Trouble {
    pub(crate) fn later(why: impl Into<String>) -> Self {
        Self::Later { why: why.into(), after: None }
    }

    pub(crate) fn refused(why: impl Into<String>) -> Self {
        Self::Refused { why: why.into(), status: None }
    }
}

impl Call {
    /// A `POST` of JSON.
    pub(crate) fn post(url: impl Into<String>, headers: Vec<(&'static str, String)>, body: String) -> Self {
        Self { method: http::Method::POST, url: url.into(), headers, body }
    }
}

impl Poster {
    /// A poster that gives each call so much time, and reaches machines of its own network only if that is allowed.
    pub(crate) fn new(timeout: Duration, allow_private: bool) -> Self {
        Self { outbound: Outbound::new(timeout, allow_private) }
    }

    /// Makes the call; gives the body of a 2xx answer. `secret` is what the call proves itself with: whoever repeats it in the
    /// answer must not bring it into a record.
    pub(crate) async fn send(&self, call: Call, secret: Option<&str>) -> Result<String, Trouble> {
        let headers = headers(&call)?;
        let answer = self.outbound.exchange(call.method, &call.url, headers, call.body).await;
        let answer = answer.map(|answer| Answer { body: secrets::hide(&answer.body, secret), ..answer });
        judge(answer.map_err(|unanswered| match unanswered {
            Unanswered::Forbidden(why) => {
                Trouble::refused(format!("the channel's address cannot be called: {why}"))
            }
            Unanswered::Unreachable { .. } | Unanswered::Late { .. } => {
                Trouble::later(unanswered.to_string())
            }
        })?)
    }
}

fn headers(call: &Call) -> Result<HeaderMap, Trouble> {
    let mut headers = HeaderMap::new();
    if !call.body.is_empty() {
        headers.insert("content-type", HeaderValue::from_static("application/json"));
    }
    for (name, value) in &call.headers {
        let unusable =
            |_| Trouble::refused(format!("the value of `{name}` has a character that no header may have"));
        headers.insert(HeaderName::from_static(name), HeaderValue::from_str(value).map_err(unusable)?);
    }
    Ok(headers)
}

/// `Retry-After` in seconds; a date is what nobody asks of a machine.
fn seconds(value: &str) -> Option<Span> {
    let seconds: i64 = value.trim().parse().ok()?;
    Some(Span::from_ms(seconds.clamp(0, MAX_RETRY_AFTER.ms() / 1_000) * 1_000))
}

/// As much of somebody else's text as is shown.
pub(crate) fn shown(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(MAX_SHOWN).collect()
}

/// What an answer means, by RFC 9110 section 15.
fn judge(answer: Answer) -> Result<String, Trouble> {
    let Answer { host, status, headers, body } = answer;
    let retry_after = headers.get("retry-after").and_then(|value| seconds(value.to_str().ok()?));
    let shown = shown(&body);
    match status {
        200..=299 => Ok(body),
        300..=399 => {
            Err(Trouble::refused(format!("{host} answered {status}: it redirects, write the final address")))
        }
        408 | 425 | 429 | 500..=599 => {
            Err(Trouble::Later { why: format!("{host} answered {status}: {shown}"), after: retry_after })
        }
        _ => {
            Err(Trouble::Refused { why: format!("{host} answered {status}: {shown}"), status: Some(status) })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receiver_is_given_as_long_as_it_asks_but_not_for_ever() {
        assert_eq!(seconds("120"), Some(Span::minutes(2)));
        assert_eq!(seconds("86400"), Some(MAX_RETRY_AFTER));
        assert_eq!(seconds("-1"), Some(Span::from_ms(0)));
        assert_eq!(seconds("Wed, 21 Oct 2026 07:28:00 GMT"), None);
    }
}
