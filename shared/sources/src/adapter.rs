//! An adapter: all that is known of one provider, in one value that its module defines.

use meshline_core::config::source::Source;
use meshline_core::time::Time;

use crate::delivery::Delivery;
use crate::draft::{Draft, Unreadable};
use crate::limits::MAX_EVENTS;
use crate::proof::Unverified;

/// All that is known of one provider.
pub(crate) struct Adapter {
    /// Whether a delivery is the provider's.
    pub(crate) verify: fn(&Ask<'_>) -> Result<(), Unverified>,
    /// What it holds, once it is believed.
    pub(crate) read: fn(&Heard<'_>) -> Result<Reading, Unreadable>,
    /// The answer to what the provider sends before it signs anything; nothing else comes of it.
    pub(crate) greet: fn(&Ask<'_>) -> Option<Reply>,
    /// What it takes for success.
    pub(crate) accepted: Accepted,
    /// What people have to know.
    pub(crate) facts: Facts,
}

/// What a provider takes for success.
pub(crate) enum Accepted {
    /// Any 2xx: 202, with the list of events.
    Success,
    /// 200 and nothing else, with the list of events.
    Ok,
    /// This very answer.
    With(fn() -> Reply),
}

/// A delivery that is to be verified.
pub(crate) struct Ask<'a> {
    pub(crate) source: &'a Source,
    /// What the receiver holds; any may match.
    pub(crate) secrets: &'a [String],
    pub(crate) delivery: &'a Delivery<'a>,
    pub(crate) now: Time,
}

/// A delivery that was verified.
pub(crate) struct Heard<'a> {
    pub(crate) source: &'a Source,
    pub(crate) delivery: &'a Delivery<'a>,
    pub(crate) received_at: Time,
}

/// What a delivery holds.
pub(crate) enum Reading {
    /// One event.
    One(Box<Draft>),
    /// Several that have nothing to do with each other, each read or not.
    Batch(Vec<Result<Draft, Unreadable>>),
    /// No event: a test, or a sign of life.
    Nothing,
    /// No event, but a question.
    Answer(Reply),
}

/// An answer that a provider prescribes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// `content-type` and others.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: String,
}

/// What people have to know of a provider. docs/SOURCES.md and `meshline source` are made of it.
#[derive(Debug, Clone, Copy)]
pub struct Facts {
    /// Its name, as it writes itself.
    pub title: &'static str,
    /// How its deliveries are proved.
    pub scheme: &'static str,
    /// How long a signature holds, or what else keeps an overheard delivery from acting twice.
    pub replay: &'static str,
    /// How often it sends again what was not taken, and how long it waits for an answer.
    pub retries: &'static str,
    /// What makes two deliveries the same event.
    pub deduplication: &'static str,
    /// What the default subject is made of.
    pub subject: &'static str,
    /// Where in its settings to put what, in order.
    pub setup: &'static [&'static str],
    /// For a provider that loses what is not taken at once: what to do about it.
    pub lossy: Option<&'static str>,
    /// What else surprises.
    pub quirks: &'static [&'static str],
}

impl Reply {
    /// Plain text, mostly none.
    pub(crate) fn plain(status: u16, body: &str) -> Self {
        let headers = vec![("content-type", "text/plain; charset=utf-8".to_owned())];
        Self { status, headers, body: body.to_owned() }
    }

    /// A JSON text.
    pub(crate) fn json(status: u16, body: String) -> Self {
        Self { status, headers: vec![("content-type", "application/json".to_owned())], body }
    }
}

/// Copies of a body that are made for its events have so many bytes together at most.
const MAX_COPIED_BYTES: usize = 32 << 20;

impl Heard<'_> {
    /// Refuses a body of which `events` events would each carry a copy, where that is too much.
    pub(crate) fn copied_for(&self, events: usize) -> Result<(), Unreadable> {
        let copied = events.saturating_mul(self.delivery.body.len());
        if copied > MAX_COPIED_BYTES { Err(Unreadable::TooManyEvents(events)) } else { Ok(()) }
    }
}

impl Reading {
    pub(crate) fn one(draft: Draft) -> Self {
        Self::One(Box::new(draft))
    }

    /// What `draft` reads in each element. Too many are refused before any is read.
    pub(crate) fn batch<T>(
        elements: Vec<T>,
        draft: impl FnMut(T) -> Result<Draft, Unreadable>,
    ) -> Result<Self, Unreadable> {
        if elements.len() > MAX_EVENTS {
            return Err(Unreadable::TooManyEvents(elements.len()));
        }
        Ok(Self::Batch(elements.into_iter().map(draft).collect()))
    }
}

/// For providers that send nothing unsigned.
pub(crate) fn no_greeting(_: &Ask<'_>) -> Option<Reply> {
    None
}
