//! Mailchimp: forms, and a secret in the address.
//!
//! What is relied on (a public guide to Mailchimp's webhooks): nothing is signed, so the address carries the secret
//! (`?secret=…`). When a webhook is saved the address is probed by GET. Times have no zone; they are taken for UTC.

use crate::adapter::{Accepted, Adapter, Ask, Facts, Heard, Reading, Reply};
use crate::draft::{Draft, Unreadable, needed, text_at, time};
use crate::form;
use crate::proof::{fingerprint, in_address};

pub(crate) const ADAPTER: Adapter = Adapter {
    verify: |ask| in_address(ask.secrets, ask.delivery),
    read,
    greet,
    accepted: Accepted::Ok,
    facts: Facts {
        title: "Mailchimp",
        scheme: "a secret in the address; nothing is signed",
        replay: "none: the same form is the same event",
        retries: "not published; 10 s",
        deduplication: "the form, which has the time",
        subject: "`mailchimp:` and `data[id]`",
        setup: &[
            "The audience, Settings, Webhooks, Create: the address with `?secret=` and a new random text, the same in the secret store",
            "Saving probes the address, which is answered",
        ],
        lossy: None,
        quirks: &[
            "Times have no zone and are taken for UTC",
            "A secret in an address can stand in logs on the way: use one for this source alone",
        ],
    },
};

/// The probe says nothing and is told nothing: whoever asks may know that something is there.
fn greet(ask: &Ask<'_>) -> Option<Reply> {
    (ask.delivery.method == "GET").then(|| Reply::plain(200, ""))
}

fn read(heard: &Heard<'_>) -> Result<Reading, Unreadable> {
    let data = form::parse(heard.delivery.body)?;
    let fired = text_at(&data, "/fired_at").map(|at| format!("{}Z", at.replace(' ', "T")));
    Ok(Reading::one(Draft {
        id: Ok(fingerprint(&[heard.delivery.body])),
        kind: needed("type", &data, "/type"),
        subject: needed("subject", &data, "/data/id").map(|id| format!("mailchimp:{id}")),
        occurred_at: fired.as_deref().and_then(time),
        actor: None,
        title: text_at(&data, "/data/subject").or_else(|| text_at(&data, "/data/email")),
        url: None,
        data,
    }))
}
