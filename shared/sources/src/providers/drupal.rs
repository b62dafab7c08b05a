//! Drupal, by the module Webhooks: a signed body without a time.
//!
//! What is relied on (the module's documentation at project.pages.drupalcode.org/webhooks): the signature is
//! GitHub's, `X-Hub-Signature-256: sha256=<hex>` over the body. The page describes the module's incoming side; that
//! it sends so itself was not seen: try one delivery with `meshline source test`. SHA-1, which it can send too, is
//! refused.

use crate::adapter::{Accepted, Adapter, Facts, Heard, Reading, no_greeting};
use crate::draft::{Draft, Unreadable, needed, parse, text_at, time};
use crate::proof::{fingerprint, hub_sha256};

const SIGNATURE: &str = "x-hub-signature-256";

pub(crate) const ADAPTER: Adapter = Adapter {
    verify: |ask| hub_sha256(ask, SIGNATURE),
    read,
    greet: no_greeting,
    accepted: Accepted::Success,
    facts: Facts {
        title: "Drupal (Webhooks)",
        scheme: "HMAC-SHA256 over the body, `sha256=` and hex, in `X-Hub-Signature-256`",
        replay: "no time is signed: the same body is the same event",
        retries: "none, unless its queue is used",
        deduplication: "the body",
        subject: "`drupal:` and the entity's uuid",
        setup: &[
            "Configuration, Web services, Webhooks, Add: the address, content type JSON, the events",
            "Secret: a new random one, the same in the secret store",
        ],
        lossy: Some("use the module's queue: without it what is not taken is lost"),
        quirks: &["Another layout of the body needs `type` and `subject` in the source"],
    },
};

fn read(heard: &Heard<'_>) -> Result<Reading, Unreadable> {
    let data = parse(heard.delivery.body)?;
    let uuid = ["/entity/uuid/0/value", "/entity/uuid", "/uuid/0/value", "/uuid"];
    let uuid = uuid.into_iter().find_map(|pointer| text_at(&data, pointer));
    let title = ["/entity/title/0/value", "/entity/title", "/title/0/value", "/title"];
    Ok(Reading::one(Draft {
        id: Ok(fingerprint(&[heard.delivery.body])),
        kind: needed("type", &data, "/event"),
        subject: uuid
            .map(|uuid| format!("drupal:{uuid}"))
            .ok_or(Unreadable::Missing { field: "subject", path: "data.entity.uuid".to_owned() }),
        occurred_at: text_at(&data, "/entity/changed/0/value").as_deref().and_then(time),
        actor: text_at(&data, "/user/name"),
        title: title.into_iter().find_map(|pointer| text_at(&data, pointer)),
        url: None,
        data,
    }))
}
