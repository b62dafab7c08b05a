//! WooCommerce: a signed body without a time, one event per delivery and no second try.
//!
//! What is relied on (`woocommerce` trunk @00e1bc4d, `class-wc-webhook.php`):
//!
//! - `X-WC-Webhook-Signature` is the base64 HMAC-SHA256 over the body. Its JSON is `wp_json_encode`'s, with `\/` and
//!   `\u00e9`: only the raw bytes have the signature. Trunk decodes HTML entities of the stored secret first, so the
//!   key is what was typed.
//! - `X-WC-Webhook-Delivery-ID` is a hash of the webhook and the current second: two deliveries of a second have the
//!   same, and it is not signed. An event is told by topic and body.
//! - The ping when a webhook is saved is an unsigned form `webhook_id=…`, and must be answered with exactly 200. A
//!   form can be no event, so anybody may ping.

use crate::adapter::{Accepted, Adapter, Ask, Facts, Heard, Reading, Reply};
use crate::draft::{Draft, Unreadable, needed, parse, text_at, time};
use crate::form;
use crate::proof::{base64_sha256, fingerprint};

const SIGNATURE: &str = "x-wc-webhook-signature";
const TOPIC: &str = "x-wc-webhook-topic";

pub(crate) const ADAPTER: Adapter = Adapter {
    verify: |ask| base64_sha256(ask, SIGNATURE),
    read,
    greet,
    accepted: Accepted::Ok,
    facts: Facts {
        title: "WooCommerce",
        scheme: "HMAC-SHA256 over the body, base64, in `X-WC-Webhook-Signature`",
        replay: "no time is signed: the same topic and body are the same event",
        retries: "none; 60 s",
        deduplication: "topic and body",
        subject: "`woocommerce:`, the resource and its id",
        setup: &[
            "WooCommerce, Settings, Advanced, Webhooks, Add: status Active, a topic, the address",
            "Secret: a new random one, the same in the secret store",
            "Saving sends a ping, which is answered",
        ],
        lossy: Some(
            "it does not try again, and turns a webhook off after five failures in a row: look at its status after an outage",
        ),
        quirks: &["A deleted resource is its id and nothing else", "The delivery id is not unique"],
    },
};

fn greet(ask: &Ask<'_>) -> Option<Reply> {
    let is_unsigned = ask.delivery.header(SIGNATURE).is_none() && ask.delivery.header(TOPIC).is_none();
    let mut fields = form::pairs(ask.delivery.body);
    let is_ping = fields.next().is_some_and(|(name, _)| name == "webhook_id") && fields.next().is_none();
    (is_unsigned && is_ping).then(|| Reply::plain(200, ""))
}

fn read(heard: &Heard<'_>) -> Result<Reading, Unreadable> {
    let data = parse(heard.delivery.body)?;
    let topic = heard.delivery.header(TOPIC).filter(|topic| !topic.is_empty());
    let topic = topic.ok_or(Unreadable::MissingHeader(TOPIC));
    let resource = topic.clone().map(|topic| topic.split('.').next().unwrap_or(topic));
    // Without a zone in the text it is UTC.
    let modified = text_at(&data, "/date_modified_gmt").map(|at| format!("{at}Z"));
    Ok(Reading::one(Draft {
        id: Ok(fingerprint(&[topic.clone().unwrap_or_default().as_bytes(), b"\n", heard.delivery.body])),
        subject: resource
            .and_then(|resource| Ok(format!("woocommerce:{resource}:{}", needed("subject", &data, "/id")?))),
        kind: topic.map(str::to_owned),
        occurred_at: modified.as_deref().and_then(time),
        actor: None,
        title: text_at(&data, "/name"),
        url: text_at(&data, "/permalink"),
        data,
    }))
}
