//! Signature vectors: requests with known answers, to judge the adapters by.

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use meshline_core::config::source::{Provider, Source};
use meshline_core::time::Time;
use serde::Deserialize;

use crate::{Delivery, Unverified, verify};

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
        let ours = verify(source, &self.secrets, delivery, Time::from_unix_ms(self.now_unix_ms));
        if ours.is_ok() == self.valid {
            Verdict::Agree
        } else {
            Verdict::Disagree { valid: self.valid, ours }
        }
    }

    /// A source of the vector's provider with nothing but defaults.
    fn adapter(&self) -> Option<Source> {
        let provider = match self.provider.as_str() {
            "contentful" => Provider::Contentful,
            "hubspot" => Provider::Hubspot,
            "standard-webhooks" => Provider::StandardWebhooks,
            _ => return None,
        };
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

fn pairs(headers: &BTreeMap<String, String>) -> Vec<(String, String)> {
    headers.iter().map(|(name, value)| (name.clone(), value.clone())).collect()
}
