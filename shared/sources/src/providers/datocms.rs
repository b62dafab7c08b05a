//! DatoCMS: HTTP Basic, one event per delivery.
//!
//! What is relied on (DatoCMS documentation, `general-concepts/webhooks`): user and password of the webhook's
//! settings come as HTTP Basic; nothing of the body is signed. `webhook_call_id` is the same on every retry. Without
//! draft/publish one save sends `update` and `publish`.

use crate::adapter::{Accepted, Adapter, Facts, Heard, Reading, no_greeting};
use crate::draft::{Draft, Unreadable, needed, parse, text_at, time};
use crate::proof::{basic, fingerprint};

pub(crate) const ADAPTER: Adapter = Adapter {
    verify: |ask| basic(ask.secrets, ask.delivery, "authorization"),
    read,
    greet: no_greeting,
    accepted: Accepted::Success,
    facts: Facts {
        title: "DatoCMS",
        scheme: "HTTP Basic; nothing is signed",
        replay: "none: the same `webhook_call_id` is the same event",
        retries: "if turned on 7 in 4 days; 2 s to connect, 8 s in all",
        deduplication: "`webhook_call_id`",
        subject: "`datocms:` and the record's id",
        setup: &[
            "Project settings, Webhooks, New: the address, the triggers; turn on automatic retries",
            "HTTP Basic user and password: both new; `user:password` goes into the secret store",
        ],
        lossy: None,
        quirks: &[
            "Without draft/publish one save sends both `update` and `publish`: let the flow match one of them",
        ],
    },
};

fn read(heard: &Heard<'_>) -> Result<Reading, Unreadable> {
    let data = parse(heard.delivery.body)?;
    let kind = needed("type", &data, "/entity_type")
        .and_then(|entity| Ok(format!("{entity}.{}", needed("type", &data, "/event_type")?)));
    let id = text_at(&data, "/webhook_call_id").unwrap_or_else(|| fingerprint(&[heard.delivery.body]));
    let title =
        text_at(&data, "/entity/attributes/title").or_else(|| text_at(&data, "/entity/attributes/name"));
    Ok(Reading::one(Draft {
        id: Ok(id),
        kind,
        subject: needed("subject", &data, "/entity/id").map(|id| format!("datocms:{id}")),
        occurred_at: text_at(&data, "/event_triggered_at").as_deref().and_then(time),
        actor: None,
        title,
        url: None,
        data,
    }))
}
