//! Sanity: a signed body and time, one event per delivery, whose body is whatever the projection makes.
//!
//! What is relied on, and where it was read:
//!
//! - `sanity-webhook-signature: t=<ms>,v1=<base64url>` is the HMAC-SHA256 over `ms.body` (`@sanity/webhook` 4.0.4). The
//!   toolkit compares the whole header: one signature, nothing between, no leading zero. An empty body is refused.
//! - The toolkit has no limit of age. A replay would be a new run: we allow five minutes either way.
//! - Operation and document are only in headers that the signature does not cover: whoever overhears a delivery could
//!   change them within the five minutes. The body's own `_id` goes before, where the projection has it.
//! - There is no event for publishing: an id that begins `drafts.` is a draft, any other is public.

use serde_json::Value;

use crate::adapter::{Accepted, Adapter, Ask, Facts, Heard, Reading, no_greeting};
use crate::draft::{Draft, Unreadable, parse, text_at, time};
use crate::proof::{Unverified, fingerprint, milliseconds, signed_recently};

const SIGNATURE: &str = "sanity-webhook-signature";
const FORM: &str = "`t=<milliseconds>,v1=<unpadded base64url>` is expected";

pub(crate) const ADAPTER: Adapter = Adapter {
    verify,
    read,
    greet: no_greeting,
    accepted: Accepted::Success,
    facts: Facts {
        title: "Sanity",
        scheme: "HMAC-SHA256 over `milliseconds.body`, base64url, in `sanity-webhook-signature`",
        replay: "5 minutes (its toolkit has no limit)",
        retries: "2, 30 s apart, only after 429 or 5xx",
        deduplication: "`idempotency-key`, else the body",
        subject: "`sanity:` and the document's id without `drafts.`",
        setup: &[
            "manage.sanity.io, the project, API, Webhooks, Create: the address, method POST",
            "Filter: the documents that count; projection: `{_id, _type, title, \"slug\": slug.current}` or more",
            "Secret: a new random one, the same in the secret store",
        ],
        lossy: Some(
            "an outage of more than a minute loses its events: check from time to time for what was published in between",
        ),
        quirks: &[
            "Deliveries may come out of order",
            "There is no publish event: leave drafts out by the filter",
        ],
    },
};

fn verify(ask: &Ask<'_>) -> Result<(), Unverified> {
    let header = ask.delivery.only(SIGNATURE)?;
    let malformed = || Unverified::malformed(SIGNATURE, FORM);
    let (timestamp, signature) =
        header.strip_prefix("t=").and_then(|rest| rest.split_once(",v1=")).ok_or_else(malformed)?;
    let signed_at = milliseconds(SIGNATURE, timestamp)?;
    let signature = base64_url(signature).ok_or_else(malformed)?;
    if ask.delivery.body.is_empty() {
        return Err(Unverified::EmptyBody);
    }
    signed_recently(ask, &signature, &[timestamp.as_bytes(), b".", ask.delivery.body], signed_at)
}

fn base64_url(text: &str) -> Option<Vec<u8>> {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(text).ok()
}

fn read(heard: &Heard<'_>) -> Result<Reading, Unreadable> {
    let data = parse(heard.delivery.body)?;
    let header = |name: &str| heard.delivery.header(name).filter(|text| !text.is_empty()).map(str::to_owned);
    let id = text_at(&data, "/_id").or_else(|| header("sanity-document-id"));
    let is_object = matches!(data, Value::Object(_));
    Ok(Reading::one(Draft {
        id: Ok(header("idempotency-key").unwrap_or_else(|| fingerprint(&[heard.delivery.body]))),
        kind: header("sanity-operation").ok_or(Unreadable::MissingHeader("sanity-operation")),
        subject: id
            .map(|id| format!("sanity:{}", id.strip_prefix("drafts.").unwrap_or(&id)))
            .ok_or(Unreadable::MissingHeader("sanity-document-id")),
        occurred_at: header("sanity-transaction-time")
            .or_else(|| text_at(&data, "/_updatedAt"))
            .as_deref()
            .and_then(time),
        actor: None,
        title: text_at(&data, "/title"),
        url: text_at(&data, "/url"),
        data: if is_object { data } else { serde_json::json!({"value": data}) },
    }))
}
