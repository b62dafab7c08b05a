//! The client: calls the HTTP API, as a person of a local stack or as an AWS caller of a deployed one.

use std::collections::hash_map::RandomState;
use std::error::Error;
use std::hash::{BuildHasher, Hasher};
use std::io;
use std::time::Duration;

use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_http_client::{Connector, ConnectorBuilder};
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorSettings};
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use aws_smithy_types::date_time::{DateTime, Format};
use http::{HeaderMap, HeaderValue};
use meshline_core::time::Time;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::Options;
use crate::failure::Failure;
use crate::refusal::Refusal;
use crate::sigv4::Signer;
use crate::target::{self, Target};

/// How long a connection may take to come about.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a call may take: API Gateway gives up after 30 seconds, and its answer shall be seen.
const CALL_TIMEOUT: Duration = Duration::from_secs(35);
/// How often a call is tried whose connection broke.
const ATTEMPTS: u32 = 3;
/// The wait before the second attempt; it doubles.
const FIRST_WAIT: Duration = Duration::from_millis(200);
/// Pages of one list; a list that never ends must not be read for ever.
const MAX_PAGES: usize = 1_000;

/// Calls one Meshline. All calls of one invocation carry the same idempotency key.
#[derive(Debug)]
pub(crate) struct Client {
    target: Target,
    caller: Caller,
    connector: Connector,
    idempotency_key: String,
    now: fn() -> Time,
}

/// Who calls.
#[derive(Debug)]
enum Caller {
    /// A person of a stack on this machine; nobody is `local`.
    Local(Option<String>),
    /// An AWS caller.
    Aws(Signer),
}

/// A successful answer.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The body.
    pub(crate) text: String,
    /// The time there, which on a local stack may be any; else here.
    pub(crate) now: Time,
    /// The time of the machine that answered, to the second.
    pub(crate) date: Option<Time>,
}

/// Some or all pages of a list.
#[derive(Debug)]
pub(crate) struct Listed {
    /// As one page: `{"items", "cursor"}`.
    pub(crate) page: Value,
    /// The time there.
    pub(crate) now: Time,
}

/// How much of a list is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pages {
    /// The first page.
    One,
    /// All pages.
    All,
}

/// Why there is no answer.
enum Broken {
    /// Nobody listens.
    Refused,
    /// The connection broke, or did not come about.
    Connection(String),
    /// It took too long.
    Timeout,
}

impl Client {
    /// A client for the target, caller and region that the options say.
    pub(crate) async fn new(options: &Options, now: fn() -> Time) -> Result<Self, Failure> {
        let target = Target::parse(&options.url)?;
        let caller = if target.is_loopback() && options.region.is_none() {
            Caller::Local(options.person.clone())
        } else if options.person.is_some() {
            let reason = "`--as` (MESHLINE_AS) is for a stack on this machine";
            return Err(Failure::Usage(format!(
                "{reason}: at {} you are who your AWS credentials say",
                target.base()
            )));
        } else {
            Caller::Aws(Signer::from_env(&target, options.region.as_deref()).await?)
        };
        let connector = connector(&target);
        Ok(Self { target, caller, connector, idempotency_key: idempotency_key(now()), now })
    }

    /// The address of the Meshline that is called.
    pub(crate) fn base(&self) -> &str {
        self.target.base()
    }

    /// The time here.
    pub(crate) fn now(&self) -> Time {
        (self.now)()
    }

    /// Whether it is a stack on this machine.
    pub(crate) fn is_local(&self) -> bool {
        self.target.is_loopback()
    }

    /// `GET` of what `segments` name.
    pub(crate) async fn get(
        &self,
        segments: &[&str],
        query: &[(&str, Option<&str>)],
    ) -> Result<Answer, Failure> {
        self.call("GET", &(target::path(segments) + &target::query(query)), None).await
    }

    /// `POST` of `body` to what `segments` name.
    pub(crate) async fn post(
        &self,
        segments: &[&str],
        query: &[(&str, Option<&str>)],
        body: &Value,
    ) -> Result<Answer, Failure> {
        self.call("POST", &(target::path(segments) + &target::query(query)), Some(body)).await
    }

    /// `PUT` of `body` to what `segments` name.
    pub(crate) async fn put(
        &self,
        segments: &[&str],
        query: &[(&str, Option<&str>)],
        body: &Value,
    ) -> Result<Answer, Failure> {
        self.call("PUT", &(target::path(segments) + &target::query(query)), Some(body)).await
    }

    /// A list: its first page, or all of them put together.
    pub(crate) async fn list(
        &self,
        segments: &[&str],
        query: &[(&str, Option<&str>)],
        pages: Pages,
    ) -> Result<Listed, Failure> {
        let (mut items, mut cursor) = (Vec::new(), None::<String>);
        for _ in 0..MAX_PAGES {
            let mut query = query.to_vec();
            query.push(("cursor", cursor.as_deref()));
            let answer = self.get(segments, &query).await?;
            let mut page: Value = answer.read("the list")?;
            let Some(Value::Array(found)) = page.get_mut("items").map(Value::take) else {
                return Err(Failure::Unreadable { what: "the list", reason: "it has no `items`".to_owned() });
            };
            items.extend(found);
            let next = page.get("cursor").and_then(Value::as_str).map(str::to_owned);
            let is_over = next.is_none() || next == cursor;
            if is_over || pages == Pages::One {
                if let Some(members) = page.as_object_mut() {
                    members.insert("items".to_owned(), Value::Array(items));
                    members.insert("cursor".to_owned(), json!(next.filter(|_| !is_over)));
                }
                return Ok(Listed { page, now: answer.now });
            }
            cursor = next;
        }
        let reason = format!("it does not end within {MAX_PAGES} pages");
        Err(Failure::Unreadable { what: "the list", reason })
    }

    /// Calls, again where the connection broke: the idempotency key keeps that from acting twice.
    async fn call(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Answer, Failure> {
        let url = format!("{}{path}", self.target.base());
        let body = body.map(ToString::to_string).unwrap_or_default();
        let mut wait = FIRST_WAIT;
        for attempt in 1..=ATTEMPTS {
            let request = self.request(method, &url, &body).await?;
            let broken = match tokio::time::timeout(CALL_TIMEOUT, self.attempt(request)).await {
                Ok(Ok(answer)) => return answer,
                Ok(Err(broken)) => broken,
                Err(_) => Broken::Timeout,
            };
            if attempt == ATTEMPTS || !matches!(broken, Broken::Connection(_)) {
                return Err(self.unreachable(&broken));
            }
            tokio::time::sleep(wait).await;
            wait *= 2;
        }
        Err(self.unreachable(&Broken::Timeout)) // INVARIANT: the last attempt returns
    }

    async fn request(&self, method: &str, url: &str, body: &str) -> Result<http::Request<SdkBody>, Failure> {
        let usage = |error: &dyn Error| Failure::Usage(format!("this makes no request: {error}"));
        let mut headers = HeaderMap::new();
        let key = HeaderValue::from_str(&self.idempotency_key).map_err(|error| usage(&error))?;
        headers.insert("idempotency-key", key);
        headers.insert("accept", HeaderValue::from_static("application/json"));
        if !body.is_empty() {
            headers.insert("content-type", HeaderValue::from_static("application/json"));
        }
        match &self.caller {
            Caller::Local(None) => {}
            Caller::Local(Some(person)) => {
                let value = HeaderValue::from_str(&format!("Local {person}"));
                headers.insert("authorization", value.map_err(|error| usage(&error))?);
            }
            Caller::Aws(signer) => {
                signer.sign(method, url, &mut headers, body.as_bytes(), (self.now)()).await?;
            }
        }
        let request = http::Request::builder().method(method).uri(url).body(SdkBody::from(body));
        let mut request = request.map_err(|error| usage(&error))?;
        *request.headers_mut() = headers;
        Ok(request)
    }

    /// One attempt: the outer error may be tried again, the inner one not.
    async fn attempt(&self, request: http::Request<SdkBody>) -> Result<Result<Answer, Failure>, Broken> {
        let request = request.try_into().map_err(|error| Broken::of(&error))?;
        let mut response = self
            .connector
            .call(request)
            .await
            .map_err(|error| if error.is_timeout() { Broken::Timeout } else { Broken::of(&error) })?;
        let status = response.status().as_u16();
        let there = response.headers().get("meshline-now").and_then(|now| now.parse().ok());
        let date = response.headers().get("date").and_then(http_date);
        let body =
            ByteStream::new(response.take_body()).collect().await.map_err(|error| Broken::of(&error))?;
        let text = String::from_utf8_lossy(&body.into_bytes()).into_owned();
        if !(200..300).contains(&status) {
            return Ok(Err(Failure::Refused(Box::new(Refusal::new(status, &text).at(there)))));
        }
        Ok(Ok(Answer { text, now: there.unwrap_or_else(self.now), date }))
    }

    fn unreachable(&self, broken: &Broken) -> Failure {
        let base = self.target.base();
        Failure::Unreachable(match broken {
            Broken::Refused if self.target.is_loopback() => {
                format!("no Meshline at {base}: start one with `meshline up`")
            }
            Broken::Refused => {
                format!("no Meshline at {base}: nobody listens there, check --url (MESHLINE_URL)")
            }
            Broken::Connection(reason) => format!("cannot reach {base}: {reason}"),
            Broken::Timeout => {
                format!("{base} did not answer in time; the command may have been carried out")
            }
        })
    }
}

impl Answer {
    /// Reads the body as JSON.
    pub(crate) fn read<T: DeserializeOwned>(&self, what: &'static str) -> Result<T, Failure> {
        serde_json::from_str(&self.text)
            .map_err(|error| Failure::Unreadable { what, reason: error.to_string() })
    }
}

impl Listed {
    /// Reads each item.
    pub(crate) fn items<T: DeserializeOwned>(&self, what: &'static str) -> Result<Vec<T>, Failure> {
        let items = self.page.get("items").and_then(Value::as_array).into_iter().flatten();
        let read = |item: &Value| serde_json::from_value(item.clone());
        let items: Result<Vec<T>, serde_json::Error> = items.map(read).collect();
        items.map_err(|error| Failure::Unreadable { what, reason: error.to_string() })
    }

    /// Whether there are more pages.
    pub(crate) fn has_more(&self) -> bool {
        self.page.get("cursor").is_some_and(|cursor| !cursor.is_null())
    }
}

impl Broken {
    /// What broke the connection: the innermost cause says it best.
    fn of(error: &(dyn Error + 'static)) -> Self {
        let mut cause = error;
        loop {
            let io = cause.downcast_ref::<io::Error>();
            if io.is_some_and(|io| io.kind() == io::ErrorKind::ConnectionRefused) {
                return Self::Refused;
            }
            match cause.source() {
                Some(inner) => cause = inner,
                None => return Self::Connection(cause.to_string()),
            }
        }
    }
}

/// The time that a `Date` header tells.
fn http_date(text: &str) -> Option<Time> {
    let date = DateTime::from_str(text, Format::HttpDate).ok()?;
    date.to_millis().ok().map(Time::from_unix_ms)
}

fn connector(target: &Target) -> Connector {
    let settings = HttpConnectorSettings::builder().connect_timeout(CONNECT_TIMEOUT).build();
    let builder: ConnectorBuilder = Connector::builder().connector_settings(settings);
    if target.is_plain() {
        return builder.build_http(); // on this machine: no proxy, and no root certificates to be read
    }
    let proxy = if target.is_loopback() { ProxyConfig::disabled() } else { ProxyConfig::from_env() };
    builder.proxy_config(proxy).tls_provider(Provider::Rustls(CryptoMode::AwsLc)).build()
}

/// A key that no other invocation has: 128 bits of a hash that the system seeds at random, over time and process.
fn idempotency_key(now: Time) -> String {
    let half = || {
        let mut hasher = RandomState::new().build_hasher();
        hasher.write_i64(now.unix_ms());
        hasher.write_u32(std::process::id());
        hasher.finish()
    };
    format!("cli-{:016x}{:016x}", half(), half())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_differ_at_the_same_time() {
        let now = Time::from_unix_ms(0);
        assert_ne!(idempotency_key(now), idempotency_key(now));
        assert_eq!(idempotency_key(now).len(), 36);
    }

    #[test]
    fn a_date_header_is_read_as_the_time_it_tells() {
        let nine = "2026-11-23T09:00:00Z".parse().unwrap();
        assert_eq!(http_date("Mon, 23 Nov 2026 09:00:00 GMT"), Some(nine));
        assert_eq!(http_date("yesterday"), None);
    }

    #[test]
    fn a_refused_connection_is_found_in_the_chain() {
        #[derive(Debug, thiserror::Error)]
        #[error("the call failed")]
        struct Outer(#[source] io::Error);
        let of = |kind: io::ErrorKind| Broken::of(&Outer(kind.into()));
        assert!(matches!(of(io::ErrorKind::ConnectionRefused), Broken::Refused));
        assert!(
            matches!(of(io::ErrorKind::ConnectionReset), Broken::Connection(why) if why == "connection reset")
        );
    }
}
