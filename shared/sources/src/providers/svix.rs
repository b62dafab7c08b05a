//! Svix: Standard Webhooks under Svix's own header names.
//!
//! What is relied on (`svix/svix-webhooks` @4fc0cfb8, npm `svix` 1.99.1): `svix-id`, `svix-timestamp` and
//! `svix-signature` carry what `webhook-…` carries there; a sender that has moved to the standard's names is read
//! too. Which of the two is looked at is decided once, by `svix-signature`: the two are never mixed.

use super::standard_webhooks::{self, Names};
use crate::adapter::{Accepted, Adapter, Facts, no_greeting};

const NAMES: Names = Names { id: "svix-id", timestamp: "svix-timestamp", signature: "svix-signature" };

pub(crate) const ADAPTER: Adapter = Adapter {
    verify: |ask| standard_webhooks::verify(ask.secrets, ask.delivery, names(ask.delivery), ask.now),
    read: |heard| standard_webhooks::read(heard, names(heard.delivery)),
    greet: no_greeting,
    accepted: Accepted::Success,
    facts: Facts {
        title: "Svix",
        scheme: "HMAC-SHA256 over `id.timestamp.body`, base64, in `svix-signature`",
        replay: "5 minutes",
        retries: "7 in 28 hours; 30 s",
        deduplication: "`svix-id`",
        subject: "`<source>:` and `data.id`",
        setup: &[
            "Add an endpoint in the application portal, with the address",
            "Copy the signing secret (`whsec_…`) into the secret store",
        ],
        lossy: None,
        quirks: &["An endpoint that fails for five days is turned off"],
    },
};

fn names(delivery: &crate::Delivery<'_>) -> Names {
    if delivery.header(NAMES.signature).is_some() { NAMES } else { standard_webhooks::NAMES }
}
