//! Webflow: a signed body and time; one publication may be of many items.
//!
//! What is relied on, and where it was read:
//!
//! - `x-webflow-signature` is the hex HMAC-SHA256 over `ms:body`, with the time in `x-webflow-timestamp`
//!   (`webflow-api` 3.3.4).
//! - The documentation says to refuse after five minutes, the SDK does not look. We do, either way.
//! - Webhooks made in the dashboard are not signed (developers.webflow.com): those cannot be used.
//! - `collection_item_published` has a list of items: each is an event.

use serde_json::{Value, json};

use crate::adapter::{Accepted, Adapter, Ask, Facts, Heard, Reading, no_greeting};
use crate::draft::{Draft, Unreadable, needed, parse, text_at, time};
use crate::proof::{Unverified, fingerprint, lower_hex, milliseconds, signed_recently};

const SIGNATURE: &str = "x-webflow-signature";
const TIMESTAMP: &str = "x-webflow-timestamp";

pub(crate) const ADAPTER: Adapter = Adapter {
    verify,
    read,
    greet: no_greeting,
    accepted: Accepted::Success,
    facts: Facts {
        title: "Webflow",
        scheme: "HMAC-SHA256 over `milliseconds:body`, hex, in `x-webflow-signature`",
        replay: "5 minutes, as documented (its SDK does not look)",
        retries: "3, ten minutes apart; 30 s",
        deduplication: "the body, and the item's place in it",
        subject: "`webflow:` and the item's id; a site's is `webflow:site:`, a form's `webflow:form:`",
        setup: &[
            "Make the webhook by the API (`POST /v2/sites/{site}/webhooks`), with the address: those of the dashboard are not signed",
            "The `secretKey` of the answer, or the client secret of the app, goes into the secret store",
        ],
        lossy: None,
        quirks: &["A publication of many items is as many events"],
    },
};

fn verify(ask: &Ask<'_>) -> Result<(), Unverified> {
    let signature = lower_hex::<32>(SIGNATURE, ask.delivery.only(SIGNATURE)?)?;
    let timestamp = ask.delivery.only(TIMESTAMP)?;
    let signed_at = milliseconds(TIMESTAMP, timestamp)?;
    signed_recently(ask, &signature, &[timestamp.as_bytes(), b":", ask.delivery.body], signed_at)
}

fn read(heard: &Heard<'_>) -> Result<Reading, Unreadable> {
    let data = parse(heard.delivery.body)?;
    let body = fingerprint(&[heard.delivery.body]);
    let Some(items) = data.pointer("/payload/items").and_then(Value::as_array) else {
        return Ok(Reading::one(draft(data, body)));
    };
    let numbered: Vec<(usize, &Value)> = items.iter().enumerate().collect();
    Reading::batch(numbered, |(n, item)| {
        let alone = json!({"triggerType": data.get("triggerType"), "payload": item});
        Ok(draft(alone, format!("{body}-{n}")))
    })
}

/// The event of one item, or of what has none.
fn draft(data: Value, id: String) -> Draft {
    let kind = needed("type", &data, "/triggerType");
    let of = |pointer: &str| needed("subject", &data, pointer);
    let subject = match kind.as_deref() {
        Ok("form_submission") => of("/payload/name").map(|name| format!("webflow:form:{name}")),
        Ok("site_publish") => of("/payload/siteId").map(|id| format!("webflow:site:{id}")),
        Ok(_) | Err(_) => of("/payload/id").map(|id| format!("webflow:{id}")),
    };
    let at =
        ["/payload/lastPublished", "/payload/publishedOn", "/payload/submittedAt", "/payload/lastUpdated"];
    Draft {
        id: Ok(id),
        kind,
        subject,
        occurred_at: at.into_iter().find_map(|pointer| time(&text_at(&data, pointer)?)),
        actor: text_at(&data, "/payload/publishedBy/displayName"),
        title: text_at(&data, "/payload/fieldData/name"),
        url: None,
        data,
    }
}
