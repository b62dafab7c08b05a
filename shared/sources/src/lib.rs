//! Provider adapters: is a delivery authentic, and what events does it hold?
//!
//! Pure: the clock, the secrets and the request are arguments. One module per provider has how its
//! deliveries are verified, how events are made of them, and the quirks of both with their sources.

pub mod contentful;
mod delivery;
mod draft;
mod generic;
pub mod hubspot;
mod limits;
mod problems;
mod proof;
mod standard_webhooks;
pub mod vectors;

use meshline_core::config::source::{Provider, Source};
use meshline_core::event::Event;
use meshline_core::time::Time;

pub use delivery::Delivery;
pub use draft::Unreadable;
pub use limits::{
    MAX_ACTOR_BYTES, MAX_BODY_BYTES, MAX_EVENTS, MAX_ID_BYTES, MAX_JSON_DEPTH, MAX_SUBJECT_BYTES,
    MAX_TITLE_BYTES, MAX_TYPE_BYTES, MAX_URL_BYTES,
};
pub use problems::{SourceProblem, problems};
pub use proof::Unverified;
pub use standard_webhooks::signature;

/// What one authentic delivery holds: its events, and what of it could not be read.
#[derive(Debug, Clone, PartialEq)]
pub struct Normalised {
    /// The events, in the order of the body.
    pub events: Vec<Event>,
    /// The elements of a batch that are no event, each an [`Unreadable::Element`]. Always empty for a
    /// provider that sends one event at a time: there the whole delivery is unreadable.
    pub unreadable: Vec<Unreadable>,
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
    match source.provider {
        Provider::Contentful => contentful::verify(secrets, delivery, now),
        Provider::Hubspot => hubspot::verify(secrets, delivery, now),
        Provider::StandardWebhooks => standard_webhooks::verify(secrets, delivery, now),
        Provider::Generic => generic::verify(source, secrets, delivery, now),
    }
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
    let body = draft::parse(delivery.body)?;
    let one = match source.provider {
        Provider::Hubspot => return hubspot::normalise(source, body, received_at),
        Provider::Contentful => contentful::draft(delivery, body)?,
        Provider::StandardWebhooks => standard_webhooks::draft(source, delivery, body),
        Provider::Generic => generic::draft(source, delivery, body),
    };
    Ok(Normalised { events: vec![one.finish(source, received_at)?], unreadable: Vec::new() })
}
