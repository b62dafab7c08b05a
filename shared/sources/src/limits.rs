//! How large a delivery and the parts of an event may be.

/// The largest body, in bytes. The HTTP API answers 413 above it, and a raw body is kept in one
/// DynamoDB item (400 KB after compression) and passes a queue (1 MiB) when the table is down.
pub const MAX_BODY_BYTES: usize = 1 << 20;

/// The deepest nesting of a body: `serde_json`'s own bound, which keeps its recursion off the end of the
/// stack. The deepest real payload seen (rich text in Contentful) has about 20 levels.
pub const MAX_JSON_DEPTH: usize = 127;

/// The most events in one delivery: HubSpot documents 100, Asana names no number; so many can be kept within 5 s.
pub const MAX_EVENTS: usize = 1_000;

/// The longest subject, in bytes. It becomes part of item keys (DynamoDB: 1,024 for a sort key, 2,048 for a
/// partition key) beside other text. A longer one is refused: two cut subjects could be the same.
pub const MAX_SUBJECT_BYTES: usize = 512;

/// The longest event id, in bytes; in a sort key with the source's id. Refused when longer, as for
/// subjects.
pub const MAX_ID_BYTES: usize = 256;

/// The longest event type, in bytes. Refused when longer: a cut type could match another pattern.
pub const MAX_TYPE_BYTES: usize = 256;

/// The longest title, in bytes; cut when longer, it is only shown. Keeps a run's item near 1 KB.
pub const MAX_TITLE_BYTES: usize = 512;

/// The longest actor, in bytes; cut when longer, it is only shown.
pub const MAX_ACTOR_BYTES: usize = 256;

/// The longest URL, in bytes; dropped when longer, since half a link leads nowhere good.
pub const MAX_URL_BYTES: usize = 2_048;
