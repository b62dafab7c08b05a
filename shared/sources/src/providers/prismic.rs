//! Prismic: the secret is in the body, and nothing is signed.
//!
//! What is relied on (prismic.io/docs/webhooks; `@prismicio/client`, `types/webhook`):
//!
//! - `secret` of the body is the secret, or `null` where none was set: only a text is compared. It is taken out
//!   before anything is kept. A body with two of them is refused: readers differ in which one counts.
//! - Whoever reads one delivery can make others. Use an address that nobody else knows, and TLS.
//! - `documents` are ids only. Each is an event; `masterRef` changes with each publication.
//! - `test-trigger` starts nothing. Anything but 200 is tried again.

use serde::Deserialize;
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde_json::{Value, json};

use crate::adapter::{Accepted, Adapter, Ask, Facts, Heard, Reading, no_greeting};
use crate::draft::{Draft, Unreadable, needed, parse, text_at};
use crate::proof::{Unverified, any_secret, fingerprint, same_text};

pub(crate) const ADAPTER: Adapter = Adapter {
    verify,
    read,
    greet: no_greeting,
    accepted: Accepted::Ok,
    facts: Facts {
        title: "Prismic",
        scheme: "a secret in the body; nothing is signed",
        replay: "none: the same body is the same event",
        retries: "5, ten minutes apart, after anything but 200",
        deduplication: "the body, and the document",
        subject: "`prismic:` and the document's id",
        setup: &[
            "The repository, Settings, Webhooks, Create: the address",
            "Secret: a new random one, the same in the secret store",
            "`Trigger it` sends a test, which opens nothing",
        ],
        lossy: None,
        quirks: &["A publication of several documents is as many events", "No title, person or time is sent"],
    },
};

/// How often `secret` is in a body, and its last value if that is a text.
#[derive(Default)]
struct Secret {
    times: usize,
    text: Option<String>,
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Secret;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Secret, A::Error> {
                let mut found = Secret::default();
                while let Some(name) = members.next_key::<String>()? {
                    if name == "secret" {
                        found.times += 1;
                        found.text = members.next_value::<Value>()?.as_str().map(str::to_owned);
                    } else {
                        members.next_value::<IgnoredAny>()?;
                    }
                }
                Ok(found)
            }
        }
        deserializer.deserialize_map(Members)
    }
}

fn verify(ask: &Ask<'_>) -> Result<(), Unverified> {
    let found: Secret = serde_json::from_slice(ask.delivery.body).unwrap_or_default();
    match (found.times, found.text) {
        (1, Some(text)) => any_secret(ask.secrets, |secret| same_text(secret, &text)),
        (0 | 1, _) => Err(Unverified::NoSecretInBody("secret")),
        (_, _) => Err(Unverified::RepeatedSecret),
    }
}

fn read(heard: &Heard<'_>) -> Result<Reading, Unreadable> {
    let mut body = parse(heard.delivery.body)?;
    if let Some(members) = body.as_object_mut() {
        members.remove("secret");
    }
    let kind = needed("type", &body, "/type")?;
    if kind == "test-trigger" {
        return Ok(Reading::Nothing);
    }
    let documents = body.get_mut("documents").map(Value::take);
    let documents = documents.as_ref().and_then(Value::as_array).cloned().unwrap_or_default();
    heard.copied_for(documents.len())?;
    let publication = fingerprint(&[heard.delivery.body]);
    let about = |document: &Value| {
        let id = document.as_str().map(str::to_owned).or_else(|| text_at(document, "/id"));
        let mut data = body.clone();
        if let Some(members) = data.as_object_mut() {
            members.insert("document".to_owned(), json!(id));
            members.remove("documents");
        }
        Draft {
            id: Ok(fingerprint(&[publication.as_bytes(), document.to_string().as_bytes()])),
            kind: Ok(kind.clone()),
            subject: id
                .map(|id| format!("prismic:{id}"))
                .ok_or(Unreadable::Missing { field: "subject", path: "data.document".to_owned() }),
            occurred_at: None,
            actor: None,
            title: None,
            url: None,
            data,
        }
    };
    if documents.is_empty() {
        // A release was changed, or a tag: about the repository.
        let subject = needed("subject", &body, "/domain").map(|domain| format!("prismic:{domain}"));
        return Ok(Reading::one(Draft { subject, ..about(&Value::Null) }));
    }
    Reading::batch(documents, |document| Ok(about(&document)))
}
