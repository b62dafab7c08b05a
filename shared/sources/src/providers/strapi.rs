//! Strapi: a header that the operator sets, one event per delivery and no second try.
//!
//! What is relied on (`strapi` @02d3f66d, `webhook-runner.ts`, and its documentation): nothing is signed; headers are
//! set for all webhooks in the project's configuration or for each in its settings. The secret here is the whole
//! value of `Authorization`. No id, person or address is sent; `createdAt` is when the event happened.

use serde_json::Value;

use crate::adapter::{Accepted, Adapter, Facts, Heard, Reading, no_greeting};
use crate::draft::{Draft, Unreadable, needed, parse, text_at, time};
use crate::proof::{fingerprint, token};

pub(crate) const ADAPTER: Adapter = Adapter {
    verify: |ask| token(ask.secrets, ask.delivery, "authorization", ""),
    read,
    greet: no_greeting,
    accepted: Accepted::Success,
    facts: Facts {
        title: "Strapi",
        scheme: "a header of your own (`Authorization`); nothing is signed",
        replay: "none: the same body is the same event",
        retries: "none; 10 s",
        deduplication: "the body, which has the time",
        subject: "`strapi:`, the model and the entry's id",
        setup: &[
            "Settings, Webhooks, Create: the address, and the events",
            "Headers: `Authorization` with `Bearer ` and a new random text; the whole value goes into the secret store",
        ],
        lossy: Some(
            "it does not try again: what is not taken is lost. Give the flow `expect`, so that silence is noticed",
        ),
        quirks: &["The content type User never fires"],
    },
};

fn read(heard: &Heard<'_>) -> Result<Reading, Unreadable> {
    let data = parse(heard.delivery.body)?;
    // An entry, or a file of the media library.
    let (model, item) = match data.get("media") {
        Some(media) => (Some("media".to_owned()), media),
        None => (text_at(&data, "/model"), data.get("entry").unwrap_or(&Value::Null)),
    };
    let id = text_at(item, "/documentId").or_else(|| text_at(item, "/id"));
    let subject = model.zip(id).map(|(model, id)| format!("strapi:{model}:{id}"));
    let title = text_at(item, "/title").or_else(|| text_at(item, "/name"));
    let url = text_at(item, "/url");
    Ok(Reading::one(Draft {
        id: Ok(fingerprint(&[heard.delivery.body])),
        kind: needed("type", &data, "/event"),
        subject: subject.ok_or(Unreadable::Missing { field: "subject", path: "data.entry.id".to_owned() }),
        occurred_at: text_at(&data, "/createdAt").as_deref().and_then(time),
        actor: None,
        title,
        url,
        data,
    }))
}
