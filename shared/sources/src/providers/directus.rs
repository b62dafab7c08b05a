//! Directus: a request of a Flow that the operator writes.
//!
//! What is relied on (`directus/docs` @acb59c8d): a Flow's operation *Webhook / Request URL* has whatever headers and
//! body its author gives it. The template below sends the trigger as it is, with a header that is the secret. Several
//! keys of one change are as many events. No time is sent: the same body within ten minutes is taken for a
//! repetition.

use meshline_core::time::Span;
use serde_json::{Value, json};

use crate::adapter::{Accepted, Adapter, Facts, Heard, Reading, no_greeting};
use crate::draft::{Draft, Unreadable, needed, parse, text_at, time};
use crate::proof::{in_span, token};

/// As long as the same body is taken for the same event.
const SAME_WITHIN: Span = Span::minutes(10);

pub(crate) const ADAPTER: Adapter = Adapter {
    verify: |ask| token(ask.secrets, ask.delivery, "x-meshline-token", ""),
    read,
    greet: no_greeting,
    accepted: Accepted::Success,
    facts: Facts {
        title: "Directus",
        scheme: "a header of your own (`X-Meshline-Token`); nothing is signed",
        replay: "none: the same body within ten minutes is the same event",
        retries: "none",
        deduplication: "the body, within ten minutes, and the item",
        subject: "`directus:`, the collection and the item's key",
        setup: &[
            "Settings, Flows, Create: trigger Event Hook, Action (Non-Blocking), the scopes and collections",
            "Add the operation Webhook / Request URL: POST, the address",
            "Headers: `X-Meshline-Token` with a new random text, the same in the secret store; `Content-Type` `application/json`",
            "Request body: `{{ $trigger }}`",
        ],
        lossy: Some(
            "it does not try again: what is not taken is lost. Give the flow `expect`, so that silence is noticed",
        ),
        quirks: &[
            "The body is what the Flow's author writes: keep `event`, `collection`, `keys` or `key`, and `payload`",
        ],
    },
};

fn read(heard: &Heard<'_>) -> Result<Reading, Unreadable> {
    let data = parse(heard.delivery.body)?;
    let keys = match data.get("keys") {
        Some(Value::Array(keys)) => keys.clone(),
        Some(_) | None => data.get("key").cloned().into_iter().collect(),
    };
    heard.copied_for(keys.len())?;
    let same = in_span(heard, SAME_WITHIN);
    let about = |key: Option<String>, n: usize| {
        let mut data = data.clone();
        if let (Some(members), Some(key)) = (data.as_object_mut(), &key) {
            members.insert("key".to_owned(), json!(key));
        }
        let collection = needed("subject", &data, "/collection");
        let missing = || Unreadable::Missing { field: "subject", path: "data.keys".to_owned() };
        Draft {
            id: Ok(format!("{same}-{n}")),
            kind: needed("type", &data, "/event"),
            subject: collection.and_then(|of| Ok(format!("directus:{of}:{}", key.ok_or_else(missing)?))),
            occurred_at: text_at(&data, "/payload/date_updated").as_deref().and_then(time),
            actor: text_at(&data, "/accountability/user"),
            title: text_at(&data, "/payload/title"),
            url: None,
            data,
        }
    };
    if keys.is_empty() {
        return Ok(Reading::one(about(None, 0)));
    }
    let text = |key: Value| key.as_str().map_or_else(|| key.to_string(), str::to_owned);
    Reading::batch(keys.into_iter().enumerate().collect(), |(n, key)| Ok(about(Some(text(key)), n)))
}
