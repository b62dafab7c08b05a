//! An event: one webhook delivery, verified and normalised.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::time::{Span, Time};
use crate::trace::TraceId;

/// One verified, normalised webhook delivery. Attribute names follow CloudEvents 1.0; patterns and
/// `${…}` templates see exactly this shape.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Event {
    /// Deduplication key, unique within the source. Two deliveries of one thing have the same id.
    pub id: String,
    /// Id of the source document that the event came through.
    pub source: String,
    /// What happened, in the provider's own word: `Entry.publish`, `contact.propertyChange`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The content asset it is about, the same text in every system: `contentful:5KsDBWseXY6`.
    pub subject: String,
    /// When it happened, by the provider's clock.
    pub occurred_at: Option<Time>,
    /// When Meshline took it in, by Meshline's clock.
    pub received_at: Time,
    /// Who did it, in the provider's terms.
    pub actor: Option<String>,
    /// The asset's title.
    pub title: Option<String>,
    /// Where the asset can be seen.
    pub url: Option<String>,
    /// The whole parsed body.
    pub data: Value,
    /// The name that it was about when it came, where an alias led to the asset; see [`crate::alias`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alias: Option<String>,
    /// The trace that the delivery named; see [`Event::trace_id`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<TraceId>,
}

/// How far the provider's clock may be off before ours is used.
const CLOCK_TOLERANCE: Span = Span::minutes(15);

impl Event {
    /// The instant that clocks start and stop at: `occurred_at`, or `received_at` when the provider's
    /// time is missing, in the future or more than 15 minutes off.
    pub fn effective_at(&self) -> Time {
        match self.occurred_at {
            Some(at) if at <= self.received_at && self.received_at.since(at) <= CLOCK_TOLERANCE => at,
            Some(_) | None => self.received_at,
        }
    }

    /// What patterns are matched against: its JSON.
    pub fn json(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default() // INVARIANT: it has only text keys
    }

    /// The text that identifies the event across all sources: `contentful#9a86bf85`.
    pub fn key(&self) -> String {
        format!("{}#{}", self.source, self.id)
    }

    /// The cause by which a run remembers the event: `event:contentful#9a86bf85`.
    pub fn cause(&self) -> String {
        format!("event:{}", self.key())
    }

    /// The trace that the event belongs to: the one its delivery named, else one that begins with it.
    pub fn trace_id(&self) -> TraceId {
        self.trace.unwrap_or_else(|| TraceId::derived(&self.key()))
    }
}
