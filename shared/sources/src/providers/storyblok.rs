//! Storyblok: a signed body without a time or an id.
//!
//! What is relied on (storyblok.com, "Webhook secret", and its guide to webhooks):
//!
//! - `webhook-signature` is the bare hex HMAC-SHA1 over the body: the header's name is that of Standard Webhooks, its
//!   value is not.
//! - A story that is published twice sends the same bytes twice. What comes again within ten minutes is taken for a
//!   repetition, later for another publication: no better is known.
//! - The answer must have `Content-Type: application/json`, as ours has.

use hmac::{Hmac, Mac};
use meshline_core::time::Span;
use sha1::Sha1;

use crate::adapter::{Accepted, Adapter, Facts, Heard, Reading, no_greeting};
use crate::draft::{Draft, Unreadable, needed, parse, text_at};
use crate::proof::{any_secret, in_span, lower_hex, mac};

const SIGNATURE: &str = "webhook-signature";
/// As long as the same body is taken for the same event.
const SAME_WITHIN: Span = Span::minutes(10);

pub(crate) const ADAPTER: Adapter = Adapter {
    verify: |ask| {
        let signature = lower_hex::<20>(SIGNATURE, ask.delivery.only(SIGNATURE)?)?;
        any_secret(ask.secrets, |secret| {
            let signed: Hmac<Sha1> = mac(secret.as_bytes(), &[ask.delivery.body])?;
            Ok(signed.verify_slice(&signature).is_ok())
        })
    },
    read,
    greet: no_greeting,
    accepted: Accepted::Success,
    facts: Facts {
        title: "Storyblok",
        scheme: "HMAC-SHA1 over the body, hex, in `webhook-signature`",
        replay: "no time is signed: the same body within ten minutes is the same event",
        retries: "none; 120 s, and an e-mail to the owner",
        deduplication: "the body, within ten minutes",
        subject: "`storyblok:` and the story's id",
        setup: &[
            "The space, Settings, Webhooks, New: the address and the triggers",
            "Webhook secret: a new random one, the same in the secret store (some plans have none)",
        ],
        lossy: Some("it does not try again: after its e-mail, publish the story once more"),
        quirks: &["No time and no id are sent", "Who did it is only in the text"],
    },
};

fn read(heard: &Heard<'_>) -> Result<Reading, Unreadable> {
    let data = parse(heard.delivery.body)?;
    Ok(Reading::one(Draft {
        id: Ok(in_span(heard, SAME_WITHIN)),
        kind: needed("type", &data, "/action"),
        subject: needed("subject", &data, "/story_id").map(|id| format!("storyblok:{id}")),
        occurred_at: None,
        actor: None,
        title: text_at(&data, "/full_slug"),
        url: None,
        data,
    }))
}
