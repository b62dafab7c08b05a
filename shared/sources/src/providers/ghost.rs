//! Ghost: a signed body and time, one event per delivery and one try.
//!
//! What is relied on, and where it was read:
//!
//! - User webhooks: `X-Ghost-Signature: sha256=<hex>, t=<ms>`, the HMAC-SHA256 over the body and the milliseconds right
//!   behind it (`ghost` 6.65.0 and 5.130.6, `webhook-trigger.js`). Nothing divides the two, so the time is taken from the
//!   header and nowhere else.
//! - Ghost(Pro)'s own webhooks have another scheme under the same name: `ghost_pro`. The two are never taken for each
//!   other.
//! - Ghost names no tolerance. It never tries twice, so five minutes lose nothing.
//! - Bodies before Ghost 6 do not say which event it was: such a source needs `type`, and an address for each event.

use serde_json::Value;

use crate::adapter::{Accepted, Adapter, Ask, Facts, Heard, Reading, no_greeting};
use crate::draft::{Draft, Unreadable, needed, parse, text_at, time};
use crate::proof::{Unverified, fingerprint, lower_hex, milliseconds, signed_recently};

const SIGNATURE: &str = "x-ghost-signature";
/// What an event can be about.
const KINDS: [&str; 4] = ["post", "page", "tag", "member"];

pub(crate) const ADAPTER: Adapter = Adapter {
    verify,
    read,
    greet: no_greeting,
    accepted: Accepted::Success,
    facts: Facts {
        title: "Ghost",
        scheme: "HMAC-SHA256 over body and milliseconds, hex, in `X-Ghost-Signature`",
        replay: "5 minutes (Ghost names no limit)",
        retries: "none; 2 s",
        deduplication: "the body",
        subject: "`ghost:`, what it is, and its id: `ghost:post:64f…`",
        setup: &[
            "Ghost Admin, Settings, Integrations, Add custom integration, Add webhook: an event, and the address",
            "Secret: a new random one, the same in the secret store. Without it Ghost signs nothing",
            "Ghost 5: one source for each event, with `type: post.published`, since its bodies do not say",
        ],
        lossy: Some(
            "it tries once and waits 2 s: what is not taken is lost. Give the flow `expect`, so that silence is noticed",
        ),
        quirks: &[
            "A 410 deletes the webhook",
            "What was deleted is under `previous`, and `current` is empty",
        ],
    },
};

fn verify(ask: &Ask<'_>) -> Result<(), Unverified> {
    let header = ask.delivery.only(SIGNATURE)?;
    let parts = header.strip_prefix("sha256=").and_then(|rest| rest.split_once(", t="));
    let malformed = || Unverified::malformed(SIGNATURE, "`sha256=<hex>, t=<milliseconds>` is expected");
    let (signature, timestamp) = parts.ok_or_else(malformed)?;
    let signed_at = milliseconds(SIGNATURE, timestamp)?;
    let parts = [ask.delivery.body, timestamp.as_bytes()];
    signed_recently(ask, &lower_hex::<32>(SIGNATURE, signature)?, &parts, signed_at)
}

pub(super) fn read(heard: &Heard<'_>) -> Result<Reading, Unreadable> {
    let data = parse(heard.delivery.body)?;
    let about = KINDS.into_iter().find_map(|kind| Some((kind, of(&data, kind)?)));
    let (kind, item) = about.unwrap_or(("site", &Value::Null));
    let subject = text_at(item, "/id").map(|id| format!("ghost:{kind}:{id}"));
    let subject = subject.or_else(|| (kind == "site").then(|| format!("ghost:{}", heard.source.id)));
    Ok(Reading::one(Draft {
        id: Ok(fingerprint(&[heard.delivery.body])),
        kind: needed("type", &data, "/event"),
        subject: subject
            .ok_or(Unreadable::Missing { field: "subject", path: format!("data.{kind}.current.id") }),
        occurred_at: text_at(item, "/updated_at")
            .or_else(|| text_at(item, "/published_at"))
            .as_deref()
            .and_then(time),
        actor: None,
        title: text_at(item, "/title").or_else(|| text_at(item, "/name")),
        url: text_at(item, "/url"),
        data,
    }))
}

/// The item of that kind: as it is, or, deleted, as it was.
fn of<'v>(data: &'v Value, kind: &str) -> Option<&'v Value> {
    let item = data.get(kind)?;
    let has_id = |state: &&Value| state.get("id").is_some();
    item.get("current").filter(has_id).or_else(|| item.get("previous").filter(has_id))
}
