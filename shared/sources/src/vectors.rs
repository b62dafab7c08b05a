//! Signature vectors: requests with known answers, to judge the adapters by.

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use meshline_core::config::source::{Provider, Source};
use meshline_core::time::Time;
use serde::Deserialize;

use crate::{Delivery, Normalised, Reply, Unreadable, Unverified, accepted, greeting, normalise, verify};

/// One request, the secrets its receiver holds, and whether it is authentic.
#[derive(Debug, Clone, Deserialize)]
pub struct Vector {
    /// Names it: `public-contentful-004`.
    pub id: String,
    /// Who is said to have sent it: `contentful`.
    pub provider: String,
    /// How it is signed: `hubspot-v3`.
    pub scheme: String,
    /// What it tries, in a few words: `valid-query`.
    pub case: String,
    /// Every secret that the receiver holds, as the secret store has it; any may match.
    pub secrets: Vec<String>,
    /// The method.
    pub method: String,
    /// The full URL that the sender called.
    pub url: String,
    /// The headers as sent.
    pub headers: BTreeMap<String, String>,
    /// The raw body in base64.
    pub body_base64: String,
    /// The time at the receiver, in Unix milliseconds.
    pub now_unix_ms: i64,
    /// `handshake` where the answer is what counts.
    #[serde(default)]
    pub kind: Option<String>,
    /// The answer that a handshake must have.
    #[serde(default)]
    pub expected_response: Option<Expected>,
    /// Whether it is authentic.
    pub valid: bool,
    /// Why it is or is not, in a word: `timestamp_expired`.
    pub reason: String,
    /// Why it is or is not, in a sentence.
    pub why: String,
    /// Whether every receiver must agree; otherwise it is a boundary, a policy, or official code differs.
    pub normative: bool,
    /// The same request as API Gateway hands it on.
    pub apigw_v2: ApigwEvent,
}

/// What the answer to a handshake must be.
#[derive(Debug, Clone, Deserialize)]
pub struct Expected {
    status: Statuses,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    body_contains: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
enum Statuses {
    One(u16),
    Any(Vec<u16>),
}

/// The parts of an API Gateway HTTP API event, payload 2.0, that a delivery is made of.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ApigwEvent {
    raw_path: String,
    raw_query_string: String,
    headers: BTreeMap<String, String>,
    request_context: ApigwContext,
    #[serde(default)]
    body: Option<String>,
    is_base64_encoded: bool,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ApigwContext {
    domain_name: String,
    http: ApigwHttp,
}

#[derive(Debug, Clone, Deserialize)]
struct ApigwHttp {
    method: String,
}

/// What an adapter makes of a vector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The adapter and the vector say the same.
    Agree,
    /// They do not.
    Disagree {
        /// What the vector says.
        valid: bool,
        /// What the adapter says.
        ours: Result<(), Unverified>,
    },
    /// The answer to a handshake is another.
    Answered {
        /// What ours is.
        status: u16,
    },
    /// No adapter is for this vector's provider.
    NoAdapter(String),
    /// The vector itself cannot be read.
    Broken(&'static str),
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Agree => f.write_str("agrees"),
            Self::Disagree { valid: true, ours: Err(why) } => write!(f, "should be accepted, but {why}"),
            Self::Disagree { .. } => f.write_str("should be refused, but is accepted"),
            Self::Answered { status } => write!(f, "is answered {status}, or not with what it must hold"),
            Self::NoAdapter(provider) => write!(f, "no adapter is for `{provider}`"),
            Self::Broken(reason) => write!(f, "the vector cannot be read: {reason}"),
        }
    }
}

/// The vectors of a file in the format of tests/fixtures/vectors.json.
///
/// # Errors
/// When the text is not JSON of that shape.
pub fn read(json: &[u8]) -> Result<Vec<Vector>, serde_json::Error> {
    #[derive(Deserialize)]
    struct File {
        vectors: Vec<Vector>,
    }
    serde_json::from_slice::<File>(json).map(|file| file.vectors)
}

impl Vector {
    /// Judges the request as it was sent, by the adapter of its provider.
    pub fn judge(&self) -> Verdict {
        self.adapter().map_or_else(|| self.no_adapter(), |source| self.judge_by(&source))
    }

    /// Judges the request as API Gateway hands it on, by the adapter of its provider.
    pub fn judge_apigw(&self) -> Verdict {
        self.adapter().map_or_else(|| self.no_adapter(), |source| self.judge_apigw_by(&source))
    }

    /// Judges the request as it was sent, by `source`.
    pub fn judge_by(&self, source: &Source) -> Verdict {
        let Ok(body) = STANDARD.decode(&self.body_base64) else {
            return Verdict::Broken("its body is not base64");
        };
        let headers = pairs(&self.headers);
        self.compare(
            source,
            &Delivery { method: &self.method, url: &self.url, headers: &headers, body: &body },
        )
    }

    /// What `source` reads in the request, without asking whether it is authentic.
    ///
    /// # Errors
    /// [`Unreadable`] says why nothing can be read.
    pub fn read_by(&self, source: &Source) -> Result<Normalised, Unreadable> {
        let body =
            STANDARD.decode(&self.body_base64).map_err(|error| Unreadable::NotJson(error.to_string()))?;
        let headers = pairs(&self.headers);
        let delivery = Delivery { method: &self.method, url: &self.url, headers: &headers, body: &body };
        normalise(source, &delivery, Time::from_unix_ms(self.now_unix_ms))
    }

    /// Judges the request as API Gateway hands it on, by `source`.
    pub fn judge_apigw_by(&self, source: &Source) -> Verdict {
        let event = &self.apigw_v2;
        let body = match &event.body {
            Some(text) if event.is_base64_encoded => STANDARD.decode(text),
            Some(text) => Ok(text.clone().into_bytes()),
            None => Ok(Vec::new()),
        };
        let Ok(body) = body else {
            return Verdict::Broken("its body is not base64");
        };
        let query = if event.raw_query_string.is_empty() { "" } else { "?" };
        let host = &event.request_context.domain_name;
        let url = format!("https://{host}{}{query}{}", event.raw_path, event.raw_query_string);
        let headers = pairs(&event.headers);
        let method = &event.request_context.http.method;
        self.compare(source, &Delivery { method, url: &url, headers: &headers, body: &body })
    }

    fn compare(&self, source: &Source, delivery: &Delivery<'_>) -> Verdict {
        let now = Time::from_unix_ms(self.now_unix_ms);
        if let Some(expected) = &self.expected_response {
            let ours = answer(source, &self.secrets, delivery, now);
            let verdict = Verdict::Answered { status: ours.status };
            return if expected.is(&ours) { Verdict::Agree } else { verdict };
        }
        let ours = verify(source, &self.secrets, delivery, now);
        if ours.is_ok() == self.valid {
            Verdict::Agree
        } else {
            Verdict::Disagree { valid: self.valid, ours }
        }
    }

    /// A source of the vector's provider with nothing but defaults.
    fn adapter(&self) -> Option<Source> {
        let name = serde_json::Value::String(self.provider.clone());
        let provider = serde_json::from_value::<Provider>(name).ok()?;
        Some(Source {
            id: self.provider.clone(),
            provider,
            secrets: Vec::new(),
            verify: None,
            subject: None,
            aliases: Vec::new(),
            event_id: None,
            kind: None,
            occurred_at: None,
            title: None,
            url: None,
            actor: None,
        })
    }

    fn no_adapter(&self) -> Verdict {
        Verdict::NoAdapter(self.provider.clone())
    }
}

impl Expected {
    fn is(&self, reply: &Reply) -> bool {
        let is_status = match &self.status {
            Statuses::One(one) => *one == reply.status,
            Statuses::Any(any) => any.contains(&reply.status),
        };
        let has = |(name, value): (&String, &String)| {
            reply.headers.iter().any(|(ours, held)| ours.eq_ignore_ascii_case(name) && held == value)
        };
        is_status
            && self.headers.iter().all(has)
            && self.body_contains.as_ref().is_none_or(|text| reply.body.contains(text))
    }
}

/// What a delivery is answered where nothing is kept.
fn answer(source: &Source, secrets: &[String], delivery: &Delivery<'_>, now: Time) -> Reply {
    if let Some(reply) = greeting(source, secrets, delivery, now) {
        return reply;
    }
    if verify(source, secrets, delivery, now).is_err() {
        return Reply::plain(401, "");
    }
    match normalise(source, delivery, now) {
        Ok(read) => read.reply.unwrap_or_else(|| Reply::plain(accepted(source.provider), "")),
        Err(_) => Reply::plain(422, ""),
    }
}

fn pairs(headers: &BTreeMap<String, String>) -> Vec<(String, String)> {
    headers.iter().map(|(name, value)| (name.clone(), value.clone())).collect()
}
