//! What the tests share.

use meshline_core::config::source::Source;
use meshline_core::time::Time;
use serde_json::{Value, json};

pub(crate) const URL: &str = "https://hooks.example.com/hooks/cms?tenant=acme&q=a%20b";

/// Eight seconds after the fixtures' events.
pub(crate) fn now() -> Time {
    "2026-11-23T09:00:06.000Z".parse().unwrap()
}

/// A source with these fields, and one of that id and provider else.
pub(crate) fn source(provider: &str, fields: Value) -> Source {
    let mut document = json!({"id": provider, "provider": provider, "secrets": ["current"]});
    let map = document.as_object_mut().unwrap();
    map.extend(fields.as_object().unwrap().clone());
    serde_json::from_value(document).unwrap()
}

/// Headers from pairs.
pub(crate) fn headers(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}
