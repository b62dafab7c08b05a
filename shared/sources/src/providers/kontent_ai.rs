//! Kontent.ai: a signed body without a time; a list of notifications.
//!
//! What is relied on (`@kontent-ai/webhook-helper` 3.0.3, and 4.0.0 in its repository @7a7a3163):
//!
//! - `X-Kontent-ai-Signature`, of older webhooks `X-KC-Signature`, is the base64 HMAC-SHA256 over the body, byte for
//!   byte: it comes indented, with CRLF at line ends. Helper 4 makes CRLF of any line end first, and so takes bodies
//!   that were changed; we do not.
//! - The secret looks like base64 and is used as text.

use serde_json::Value;

use crate::adapter::{Accepted, Adapter, Ask, Facts, Heard, Reading, no_greeting};
use crate::draft::{Draft, Unreadable, needed, parse, text_at, time};
use crate::proof::{Unverified, base64_sha256, fingerprint};

const SIGNATURE: &str = "x-kontent-ai-signature";
const LEGACY_SIGNATURE: &str = "x-kc-signature";

pub(crate) const ADAPTER: Adapter = Adapter {
    verify,
    read,
    greet: no_greeting,
    accepted: Accepted::Success,
    facts: Facts {
        title: "Kontent.ai",
        scheme: "HMAC-SHA256 over the body, base64, in `X-Kontent-ai-Signature`",
        replay: "no time is signed: the same notification is the same event",
        retries: "some; how many is not published",
        deduplication: "the notification",
        subject: "`kontent:` and the item's id",
        setup: &[
            "Environment settings, Webhooks, Create: the address, the data to watch",
            "Copy the webhook's secret into the secret store, as it is",
        ],
        lossy: None,
        quirks: &[
            "A delivery is a list of notifications",
            "The signature is over CRLF line ends: nothing on the way may change them",
        ],
    },
};

fn verify(ask: &Ask<'_>) -> Result<(), Unverified> {
    let name = match ask.delivery.header(SIGNATURE) {
        None if ask.delivery.header(LEGACY_SIGNATURE).is_some() => LEGACY_SIGNATURE,
        None | Some(_) => SIGNATURE,
    };
    base64_sha256(ask, name)
}

fn read(heard: &Heard<'_>) -> Result<Reading, Unreadable> {
    let mut body = parse(heard.delivery.body)?;
    match body.get_mut("notifications").map(Value::take) {
        Some(Value::Array(all)) => Reading::batch(all, draft),
        Some(_) | None => Err(Unreadable::Missing { field: "type", path: "notifications".to_owned() }),
    }
}

/// `content_item.published`; of the preview API `content_item.changed.preview`.
fn draft(data: Value) -> Result<Draft, Unreadable> {
    let object = needed("type", &data, "/message/object_type");
    let slot = text_at(&data, "/message/delivery_slot").filter(|slot| slot == "preview");
    let kind = object.and_then(|object| {
        let action = needed("type", &data, "/message/action")?;
        Ok([Some(object), Some(action), slot].into_iter().flatten().collect::<Vec<_>>().join("."))
    });
    Ok(Draft {
        id: Ok(fingerprint(&[data.to_string().as_bytes()])),
        kind,
        subject: needed("subject", &data, "/data/system/id").map(|id| format!("kontent:{id}")),
        occurred_at: text_at(&data, "/data/system/last_modified").as_deref().and_then(time),
        actor: None,
        title: text_at(&data, "/data/system/name"),
        url: None,
        data,
    })
}
