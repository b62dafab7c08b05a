//! Customer.io: a signed body and time, one event per delivery.
//!
//! What is relied on (docs.customer.io, reporting webhooks; four public implementations that agree):
//! `X-CIO-Signature` is the bare hex HMAC-SHA256 over `v0:<seconds>:<body>`, with the seconds in `X-CIO-Timestamp`.
//! No tolerance is published: we allow five minutes.

use crate::adapter::{Accepted, Adapter, Ask, Facts, Heard, Reading, no_greeting};
use crate::draft::{Draft, Unreadable, needed, parse, text_at, time};
use crate::proof::{Unverified, lower_hex, seconds, signed_recently};

const SIGNATURE: &str = "x-cio-signature";
const TIMESTAMP: &str = "x-cio-timestamp";

pub(crate) const ADAPTER: Adapter = Adapter {
    verify,
    read,
    greet: no_greeting,
    accepted: Accepted::Success,
    facts: Facts {
        title: "Customer.io",
        scheme: "HMAC-SHA256 over `v0:seconds:body`, hex, in `X-CIO-Signature`",
        replay: "5 minutes (none is published)",
        retries: "some; 4 s",
        deduplication: "`event_id`",
        subject: "`customerio:` and the delivery's id",
        setup: &[
            "Data & Integrations, Reporting Webhooks, Create: the address, and the metrics",
            "Copy the webhook's signing key into the secret store",
        ],
        lossy: None,
        quirks: &[
            "To match an asset, send its id as an attribute and write `subject: \"…${data.data.identifiers.id}\"`",
        ],
    },
};

fn verify(ask: &Ask<'_>) -> Result<(), Unverified> {
    let signature = lower_hex::<32>(SIGNATURE, ask.delivery.only(SIGNATURE)?)?;
    let timestamp = ask.delivery.only(TIMESTAMP)?;
    let signed_at = seconds(TIMESTAMP, timestamp)?;
    let parts = [b"v0:", timestamp.as_bytes(), b":", ask.delivery.body];
    signed_recently(ask, &signature, &parts, signed_at)
}

fn read(heard: &Heard<'_>) -> Result<Reading, Unreadable> {
    let data = parse(heard.delivery.body)?;
    let kind = needed("type", &data, "/object_type")
        .and_then(|object| Ok(format!("{object}.{}", needed("type", &data, "/metric")?)));
    Ok(Reading::one(Draft {
        id: needed("id", &data, "/event_id"),
        kind,
        subject: needed("subject", &data, "/data/delivery_id").map(|id| format!("customerio:{id}")),
        occurred_at: text_at(&data, "/timestamp").as_deref().and_then(time),
        actor: None,
        title: text_at(&data, "/data/subject"),
        url: None,
        data,
    }))
}
