//! Pipedrive: HTTP Basic, one event per delivery.
//!
//! What is relied on (a public guide to Pipedrive's webhooks, version 2): user and password come as HTTP Basic;
//! nothing of the body is signed. `meta.id` is the delivery's, the same on each attempt. What our own automation
//! changed has `meta.change_source: api`: a flow's pattern can leave it out. A header `x-pipedrive-signature` that
//! one guide mentions is known to no other source, and is not looked at.

use crate::adapter::{Accepted, Adapter, Facts, Heard, Reading, no_greeting};
use crate::draft::{Draft, Unreadable, needed, parse, text_at, time};
use crate::proof::{basic, fingerprint};

pub(crate) const ADAPTER: Adapter = Adapter {
    verify: |ask| basic(ask.secrets, ask.delivery, "authorization"),
    read,
    greet: no_greeting,
    accepted: Accepted::Success,
    facts: Facts {
        title: "Pipedrive",
        scheme: "HTTP Basic; nothing is signed",
        replay: "none: the same `meta.id` is the same event",
        retries: "3, after 3 s, 30 s and 150 s; 10 s",
        deduplication: "`meta.id`",
        subject: "`pipedrive:`, what it is, and its id",
        setup: &[
            "Tools and apps, Webhooks, Create: version 2, the address, an action and an object",
            "HTTP Auth user and password: both new; `user:password` goes into the secret store",
        ],
        lossy: None,
        quirks: &[
            "Ten failures turn it off for half an hour, three days of them for good",
            "What our own automation wrote has `meta.change_source: api`",
        ],
    },
};

fn read(heard: &Heard<'_>) -> Result<Reading, Unreadable> {
    let data = parse(heard.delivery.body)?;
    let entity = needed("type", &data, "/meta/entity");
    let of_entity = |entity: String| {
        let id =
            text_at(&data, "/meta/entity_id").map_or_else(|| needed("subject", &data, "/data/id"), Ok)?;
        Ok(format!("pipedrive:{entity}:{id}"))
    };
    Ok(Reading::one(Draft {
        id: Ok(text_at(&data, "/meta/id").unwrap_or_else(|| fingerprint(&[heard.delivery.body]))),
        subject: entity.clone().and_then(of_entity),
        kind: entity.and_then(|entity| Ok(format!("{entity}.{}", needed("type", &data, "/meta/action")?))),
        occurred_at: text_at(&data, "/meta/timestamp").as_deref().and_then(time),
        actor: text_at(&data, "/meta/user_id"),
        title: text_at(&data, "/data/title"),
        url: None,
        data,
    }))
}
