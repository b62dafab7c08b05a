//! Ghost(Pro)'s own webhooks: Ghost's bodies under another scheme.
//!
//! What is relied on (`ghost` 6.65.0, `core/server/lib/signed-webhook.js`): `X-Ghost-Signature` is the bare base64
//! HMAC-SHA256 over `ms:body`, with the time in `X-Ghost-Request-Timestamp`. No tolerance is named; it never tries
//! twice, so five minutes lose nothing.

use super::ghost;
use crate::adapter::{Accepted, Adapter, Ask, Facts, no_greeting};
use crate::proof::{Unverified, milliseconds, padded, signed_recently};

const SIGNATURE: &str = "x-ghost-signature";
const TIMESTAMP: &str = "x-ghost-request-timestamp";

pub(crate) const ADAPTER: Adapter = Adapter {
    verify,
    read: ghost::read,
    greet: no_greeting,
    accepted: Accepted::Success,
    facts: Facts {
        title: "Ghost(Pro), its own webhooks",
        scheme: "HMAC-SHA256 over `milliseconds:body`, base64, in `X-Ghost-Signature`",
        setup: &["Ghost(Pro) sets them up: give it the address, and put its secret into the secret store"],
        ..ghost::ADAPTER.facts
    },
};

fn verify(ask: &Ask<'_>) -> Result<(), Unverified> {
    let signature = padded(SIGNATURE, ask.delivery.only(SIGNATURE)?)?;
    let timestamp = ask.delivery.only(TIMESTAMP)?;
    let signed_at = milliseconds(TIMESTAMP, timestamp)?;
    signed_recently(ask, &signature, &[timestamp.as_bytes(), b":", ask.delivery.body], signed_at)
}
