//! WP Webhooks, the WordPress plugin: a signed body without a time, if a key is set at all.
//!
//! What is relied on (`Ironikus/wp-webhooks` 3.3.1 @b140d0f2): `X-WP-Webhook-Signature` is the base64 HMAC-SHA256
//! over the body, and is there only when the (deprecated) option, or a filter, sets a key. The event is only in
//! `X-WP-Webhook-Name`, unsigned.

use crate::adapter::{Accepted, Adapter, Facts, Heard, Reading, no_greeting};
use crate::draft::{Draft, Unreadable, needed, parse, text_at, time};
use crate::proof::{base64_sha256, fingerprint};

const SIGNATURE: &str = "x-wp-webhook-signature";
const NAME: &str = "x-wp-webhook-name";

pub(crate) const ADAPTER: Adapter = Adapter {
    verify: |ask| base64_sha256(ask, SIGNATURE),
    read,
    greet: no_greeting,
    accepted: Accepted::Success,
    facts: Facts {
        title: "WP Webhooks (WordPress)",
        scheme: "HMAC-SHA256 over the body, base64, in `X-WP-Webhook-Signature`",
        replay: "no time is signed: the same body is the same event",
        retries: "none: it does not wait for an answer",
        deduplication: "the body",
        subject: "`wordpress:` and the post's id",
        setup: &[
            "WP Webhooks, Send data, the trigger, Add webhook URL: the address",
            "Set the signature's key by the option or the filter `wpwh/admin/webhooks/webhook_secret`; the same in the secret store",
            "A plugin version without it: write `provider: generic` with `scheme: token`, and a header of your own",
        ],
        lossy: Some(
            "it sends and forgets: what is not taken is lost. Give the flow `expect`, so that silence is noticed",
        ),
        quirks: &["Choose JSON as the content type: forms and XML are not read"],
    },
};

fn read(heard: &Heard<'_>) -> Result<Reading, Unreadable> {
    let data = parse(heard.delivery.body)?;
    let name = heard.delivery.header(NAME).filter(|name| !name.is_empty());
    let modified = text_at(&data, "/post/post_modified_gmt").map(|at| format!("{}Z", at.replace(' ', "T")));
    Ok(Reading::one(Draft {
        id: Ok(fingerprint(&[heard.delivery.body])),
        kind: name.map(str::to_owned).ok_or(Unreadable::MissingHeader(NAME)),
        subject: needed("subject", &data, "/post_id").map(|id| format!("wordpress:{id}")),
        occurred_at: modified.as_deref().and_then(time),
        actor: text_at(&data, "/post/post_author"),
        title: text_at(&data, "/post/post_title"),
        url: text_at(&data, "/post_permalink"),
        data,
    }))
}
