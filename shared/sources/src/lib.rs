//! Provider adapters: is a delivery authentic, and what events does it hold?
//!
//! Pure: the clock, the secrets and the request are arguments. One module of `providers` for each has how its
//! deliveries are verified, how events are made of them, what it wants to hear, and its quirks with their sources.

mod adapter;
mod delivery;
mod draft;
mod form;
mod limits;
mod problems;
mod proof;
mod providers;
pub mod vectors;
mod xml;

use meshline_core::config::source::{Provider, Source};
use meshline_core::event::Event;
use meshline_core::time::Time;

use adapter::{Accepted, Ask, Heard, Reading};
use draft::Draft;
use providers::adapter;

pub use adapter::{Facts, Reply};
pub use delivery::Delivery;
pub use draft::Unreadable;
pub use limits::{
    MAX_ACTOR_BYTES, MAX_BODY_BYTES, MAX_EVENTS, MAX_ID_BYTES, MAX_JSON_DEPTH, MAX_SUBJECT_BYTES,
    MAX_TITLE_BYTES, MAX_TYPE_BYTES, MAX_URL_BYTES,
};
pub use problems::{SourceProblem, problems};
pub use proof::Unverified;
pub use providers::standard_webhooks::signature;
pub use providers::{contentful, hubspot};

/// What one authentic delivery holds: its events, and what of it could not be read.
#[derive(Debug, Clone, PartialEq)]
pub struct Normalised {
    /// The events, in the order of the body.
    pub events: Vec<Event>,
    /// The elements of a batch that are no event, each an [`Unreadable::Element`]. Always empty for a
    /// provider that sends one event at a time: there the whole delivery is unreadable.
    pub unreadable: Vec<Unreadable>,
    /// What the provider is to be answered once the events are kept; `None` for their list.
    pub reply: Option<Reply>,
}

/// What people have to know of a provider.
pub fn facts(provider: Provider) -> &'static Facts {
    &adapter(provider).facts
}

/// The status of an answer that lists the events.
pub fn accepted(provider: Provider) -> u16 {
    match adapter(provider).accepted {
        Accepted::Success => 202,
        Accepted::Ok | Accepted::With(_) => 200,
    }
}

/// The answer to what a provider sends before it signs anything: a probe, a ping, a handshake. Nothing else comes of it.
pub fn greeting(source: &Source, secrets: &[String], delivery: &Delivery<'_>, now: Time) -> Option<Reply> {
    (adapter(source.provider).greet)(&Ask { source, secrets, delivery, now })
}

/// Checks that `delivery` was made by someone who holds one of `secrets`, and recently where the scheme
/// signs a time.
///
/// # Errors
/// [`Unverified`] says why it is not believed; the sender is told no more than 401.
pub fn verify(
    source: &Source,
    secrets: &[String],
    delivery: &Delivery<'_>,
    now: Time,
) -> Result<(), Unverified> {
    (adapter(source.provider).verify)(&Ask { source, secrets, delivery, now })
}

/// Reads the events of a delivery that [`verify`] believed.
///
/// # Errors
/// [`Unreadable`] when nothing of the body can be read. A batch with good and bad elements is
/// [`Normalised`], with both.
pub fn normalise(
    source: &Source,
    delivery: &Delivery<'_>,
    received_at: Time,
) -> Result<Normalised, Unreadable> {
    let heard = Heard { source, delivery, received_at };
    let adapter = adapter(source.provider);
    let reply = match adapter.accepted {
        Accepted::Success | Accepted::Ok => None,
        Accepted::With(reply) => Some(reply()),
    };
    let mut read = Normalised { events: Vec::new(), unreadable: Vec::new(), reply };
    match (adapter.read)(&heard)? {
        Reading::One(draft) => read.events.push(draft.finish(source, received_at)?),
        Reading::Batch(drafts) => batch(drafts, source, received_at, &mut read),
        Reading::Nothing => {}
        Reading::Answer(reply) => read.reply = Some(reply),
    }
    Ok(read)
}

/// The events of a batch. An element that is no event leaves the others alone: they come from other objects.
fn batch(drafts: Vec<Result<Draft, Unreadable>>, source: &Source, received_at: Time, read: &mut Normalised) {
    for (index, draft) in drafts.into_iter().enumerate() {
        match draft.and_then(|draft| draft.finish(source, received_at)) {
            Ok(event) => read.events.push(event),
            Err(reason) => read.unreadable.push(Unreadable::Element { index, reason: Box::new(reason) }),
        }
    }
}
