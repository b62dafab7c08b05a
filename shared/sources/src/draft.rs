//! A draft: what a provider says of an event, before the source's own templates and the limits.

use meshline_core::config::source::Source;
use meshline_core::event::Event;
use meshline_core::template::{Path, Template, TemplateError};
use meshline_core::time::Time;
use serde_json::{Value, json};

use crate::limits::{
    MAX_ACTOR_BYTES, MAX_BODY_BYTES, MAX_EVENTS, MAX_ID_BYTES, MAX_JSON_DEPTH, MAX_SUBJECT_BYTES,
    MAX_TITLE_BYTES, MAX_TYPE_BYTES, MAX_URL_BYTES,
};

/// Why an authentic delivery, or one element of a batch, cannot be read as an event. It is kept and listed;
/// the answer is 422. The same bytes fail again, so a retry does not help.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// The body is over [`MAX_BODY_BYTES`].
    #[error("the body has {0} bytes, and at most {MAX_BODY_BYTES} are read")]
    TooLarge(usize),
    /// The body is no JSON text.
    #[error("the body is not JSON: {0}")]
    NotJson(String),
    /// A form has too many fields.
    #[error("the form has too many fields")]
    TooManyFields,
    /// The body is not the XML that is expected.
    #[error("the body is not the expected XML: {0}")]
    NotXml(String),
    /// The body nests deeper than [`MAX_JSON_DEPTH`].
    #[error("the body nests deeper than {MAX_JSON_DEPTH} levels")]
    TooDeep,
    /// The batch holds more than [`MAX_EVENTS`].
    #[error("the body holds {0} events, and at most {MAX_EVENTS} are read")]
    TooManyEvents(usize),
    /// An event, or a list of events, is something else than an object.
    #[error("it is not a JSON object")]
    NotAnObject,
    /// A header that says something about the event is absent.
    #[error("header `{0}` is missing")]
    MissingHeader(&'static str),
    /// A header that says something about the event is there, but the signature does not cover it.
    #[error("header `{0}` is not covered by the signature")]
    UnsignedHeader(&'static str),
    /// A part that an event must have is not where it is looked for.
    #[error("the event's {field} is missing: there is no value at `{path}`")]
    Missing {
        /// The attribute of the event: `subject`.
        field: &'static str,
        /// Where its value is looked for: `data.asset_id`.
        path: String,
    },
    /// A part of the event is longer than its limit, and cutting it would change its meaning.
    #[error("the event's {field} has {bytes} bytes, and at most {limit} are kept")]
    TooLong {
        /// The attribute of the event.
        field: &'static str,
        /// How long it is.
        bytes: usize,
        /// How long it may be.
        limit: usize,
    },
    /// A part of the event holds a control character.
    #[error("the event's {0} holds a control character")]
    Control(&'static str),
    /// One element of a batch cannot be read; the others can.
    #[error("event {index} of the batch: {reason}")]
    Element {
        /// Its place in the batch, from 0.
        index: usize,
        /// What is wrong with it.
        reason: Box<Self>,
    },
}

/// What a provider says of an event. A part that an event must have is a `Result`, because a template of
/// the source may supply what the provider lacks.
pub(crate) struct Draft {
    pub(crate) id: Result<String, Unreadable>,
    pub(crate) kind: Result<String, Unreadable>,
    pub(crate) subject: Result<String, Unreadable>,
    pub(crate) occurred_at: Option<Time>,
    pub(crate) actor: Option<String>,
    pub(crate) title: Option<String>,
    pub(crate) url: Option<String>,
    pub(crate) data: Value,
}

impl Draft {
    /// The event: the source's templates fill in over the provider's defaults, then the limits apply.
    ///
    /// A template sees what is known by then, in the order `type`, `id`, `occurred_at`, `actor`, `title`,
    /// `url`, `subject`. One that cannot be filled makes the event unreadable for `type`, `id` and
    /// `subject`; the other attributes are then absent.
    pub(crate) fn finish(self, source: &Source, received_at: Time) -> Result<Event, Unreadable> {
        let mut view = View::new(source, received_at, self.data);
        view.set("occurred_at", self.occurred_at.map(|at| at.to_string()));
        for (name, default) in [("actor", &self.actor), ("title", &self.title), ("url", &self.url)] {
            view.set(name, default.clone());
        }
        view.set("id", self.id.as_ref().ok().cloned());
        view.set("type", self.kind.as_ref().ok().cloned());
        let kind = required("type", source.kind.as_ref(), &view, self.kind, MAX_TYPE_BYTES)?;
        view.set("type", Some(kind.clone()));
        let id = required("id", source.event_id.as_ref(), &view, self.id, MAX_ID_BYTES)?;
        view.set("id", Some(id.clone()));
        let occurred_at = match &source.occurred_at {
            Some(template) => template.fill(&view.0).ok().and_then(|text| time(&text)),
            None => self.occurred_at,
        };
        view.set("occurred_at", occurred_at.map(|at| at.to_string()));
        let actor = optional(source.actor.as_ref(), &view, self.actor).map(|text| cut(text, MAX_ACTOR_BYTES));
        view.set("actor", actor.clone());
        let title = optional(source.title.as_ref(), &view, self.title).map(|text| cut(text, MAX_TITLE_BYTES));
        view.set("title", title.clone());
        let url = optional(source.url.as_ref(), &view, self.url).filter(|url| is_link(url));
        view.set("url", url.clone());
        let subject = required("subject", source.subject.as_ref(), &view, self.subject, MAX_SUBJECT_BYTES)?;
        let (source, data) = (source.id.clone(), view.into_data());
        Ok(Event {
            id,
            source,
            kind,
            subject,
            occurred_at,
            received_at,
            actor,
            title,
            url,
            data,
            alias: None,
            trace: None,
        })
    }
}

/// The event so far as JSON: what the source's templates see.
struct View(Value);

impl View {
    fn new(source: &Source, received_at: Time, data: Value) -> Self {
        Self(json!({"source": source.id, "received_at": received_at.to_string(), "data": data}))
    }

    fn set(&mut self, name: &str, value: Option<String>) {
        if let Some(attributes) = self.0.as_object_mut() {
            attributes.insert(name.to_owned(), value.map_or(Value::Null, Value::String));
        }
    }

    fn into_data(mut self) -> Value {
        self.0.get_mut("data").map_or(Value::Null, Value::take)
    }
}

/// A part that an event must have: from the template if the source gives one, else the provider's.
///
/// An empty value in a template counts as missing: `contentful:${data.asset_id}` with an empty `asset_id`
/// would make one subject of all assets that have none.
fn required(
    field: &'static str,
    template: Option<&Template>,
    view: &View,
    default: Result<String, Unreadable>,
    limit: usize,
) -> Result<String, Unreadable> {
    let text = match template {
        None => default?,
        Some(template) => {
            let find = |path: &Path| path.find(&view.0).filter(|value| value.as_str() != Some(""));
            template.fill_with(find).map_err(|error| match error {
                TemplateError::Missing(path)
                | TemplateError::BadPath(path)
                | TemplateError::Unclosed(path) => Unreadable::Missing { field, path },
            })?
        }
    };
    if text.is_empty() {
        Err(Unreadable::Missing { field, path: field.to_owned() })
    } else if text.len() > limit {
        Err(Unreadable::TooLong { field, bytes: text.len(), limit })
    } else if text.chars().any(char::is_control) {
        Err(Unreadable::Control(field))
    } else {
        Ok(text)
    }
}

/// A part that an event may lack.
fn optional(template: Option<&Template>, view: &View, default: Option<String>) -> Option<String> {
    let text = match template {
        None => default,
        Some(template) => template.fill(&view.0).ok(),
    };
    text.filter(|text| !text.is_empty())
}

/// A link that a person may be shown: absolute HTTP or HTTPS, so that no `javascript:` reaches a console.
fn is_link(url: &str) -> bool {
    let web = url.starts_with("https://") || url.starts_with("http://");
    web && url.len() <= MAX_URL_BYTES && !url.chars().any(|c| c.is_control() || c.is_whitespace())
}

/// At most `limit` bytes of `text`, never half a character.
fn cut(mut text: String, limit: usize) -> String {
    text.truncate(text.floor_char_boundary(limit));
    text
}

/// The whole body as JSON.
pub(crate) fn parse(body: &[u8]) -> Result<Value, Unreadable> {
    if body.len() > MAX_BODY_BYTES {
        return Err(Unreadable::TooLarge(body.len()));
    }
    serde_json::from_slice(body).map_err(|error| {
        let text = error.to_string(); // says what and where, never a piece of the body
        if text.starts_with("recursion limit") { Unreadable::TooDeep } else { Unreadable::NotJson(text) }
    })
}

/// The text or number at a JSON pointer (RFC 6901) as text; an empty text counts as absent.
pub(crate) fn text_at(data: &Value, pointer: &str) -> Option<String> {
    match data.pointer(pointer)? {
        Value::String(text) => (!text.is_empty()).then(|| text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// As [`text_at`], for a part that an event must have.
pub(crate) fn needed(field: &'static str, data: &Value, pointer: &str) -> Result<String, Unreadable> {
    let path = || format!("data{}", pointer.replace('/', "."));
    text_at(data, pointer).ok_or_else(|| Unreadable::Missing { field, path: path() })
}

/// Whole numbers from here on are milliseconds: as seconds it would be the year 5138, as milliseconds 1973.
const FIRST_MILLISECONDS: u64 = 100_000_000_000;

/// A time as providers write it: RFC 3339, or Unix seconds or milliseconds. `None` for anything else.
pub(crate) fn time(text: &str) -> Option<Time> {
    let Ok(number) = text.parse::<i64>() else {
        return text.parse().ok();
    };
    let is_seconds = number.unsigned_abs() < FIRST_MILLISECONDS;
    Some(Time::from_unix_ms(if is_seconds { number * 1_000 } else { number }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_in_every_form_and_nothing_else() {
        for (text, read) in [
            ("2026-03-02T10:36:44.926Z", Some("2026-03-02T10:36:44.926Z")),
            ("2026-03-02T12:36:44.9261234+02:00", Some("2026-03-02T10:36:44.926Z")),
            ("1772447808", Some("2026-03-02T10:36:48.000Z")),
            ("1772447808926", Some("2026-03-02T10:36:48.926Z")),
            ("", None),
            ("yesterday", None),
            ("2026-03-02T10:36:44", None),
            ("17724478089269999999999", None),
        ] {
            assert_eq!(time(text).map(|at| at.to_string()).as_deref(), read, "{text}");
        }
    }

    #[test]
    fn a_body_may_be_as_deep_and_as_large_as_the_limits_say() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(parse(nested(MAX_JSON_DEPTH).as_bytes()).is_ok());
        assert_eq!(parse(nested(MAX_JSON_DEPTH + 1).as_bytes()), Err(Unreadable::TooDeep));
        let padded = |bytes: usize| format!("1{}", " ".repeat(bytes - 1));
        assert!(parse(padded(MAX_BODY_BYTES).as_bytes()).is_ok());
        let bytes = MAX_BODY_BYTES + 1;
        assert_eq!(parse(padded(bytes).as_bytes()), Err(Unreadable::TooLarge(bytes)));
        assert!(matches!(parse(b""), Err(Unreadable::NotJson(_))));
        assert!(
            matches!(parse(b"{\"secret\": \"s3cr3t"), Err(Unreadable::NotJson(text)) if !text.contains("s3cr3t"))
        );
    }

    #[test]
    fn a_text_is_cut_between_characters() {
        assert_eq!(cut("aé".to_owned(), 2), "a");
        assert_eq!(cut("aé".to_owned(), 3), "aé");
    }

    #[test]
    fn only_web_links_are_shown() {
        assert!(is_link("https://www.example.com/a?b#c"));
        for url in ["javascript:alert(1)", "/relative", "https://a b", "https://a\nb"] {
            assert!(!is_link(url), "{url}");
        }
        assert!(!is_link(&format!("https://{}", "a".repeat(MAX_URL_BYTES))));
    }
}
