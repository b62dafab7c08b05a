//! An alias: another name of an asset, which an event taught.

use std::collections::BTreeMap;

use crate::config::Versioned;
use crate::config::source::Source;
use crate::event::Event;
use crate::template::Path;
use crate::time::{Span, Time};

/// How long a link holds: as long as the event that taught it is kept.
const KEPT: Span = Span::days(90);
/// The longest name, as of a subject.
const MAX_NAME_BYTES: usize = 512;

/// That from `at` on events about `name` belong to the asset `subject`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The other name.
    pub name: String,
    /// The asset.
    pub subject: String,
    /// When the event that taught it was taken in.
    pub at: Time,
    /// That event, see [`Event::key`].
    pub event: String,
}

impl Link {
    /// Whether it holds for an event that was taken in at `received_at`.
    pub fn holds_at(&self, received_at: Time) -> bool {
        self.at <= received_at && received_at <= self.at + KEPT
    }
}

/// The links that `event` teaches, by the aliases of its source. One that came by an alias itself teaches none, so
/// that no name leads to another name.
pub fn taught(sources: &BTreeMap<String, Versioned<Source>>, event: &Event) -> Vec<Link> {
    let source = sources.get(&event.source).filter(|_| event.alias.is_none());
    let aliases = source.map(|source| source.document.aliases.as_slice()).unwrap_or_default();
    if aliases.is_empty() {
        return Vec::new();
    }
    let view = serde_json::to_value(event).unwrap_or_default();
    // An empty value counts as missing, as in a subject: it would make one name of all that have none.
    let find = |path: &Path| path.find(&view).filter(|value| value.as_str() != Some(""));
    let names = aliases.iter().filter_map(|alias| alias.fill_with(find).ok());
    let good = |name: &String| *name != event.subject && name.len() <= MAX_NAME_BYTES;
    let link =
        |name| Link { name, subject: event.subject.clone(), at: event.received_at, event: event.key() };
    names.filter(good).map(link).collect()
}

/// Whether the subject of `event` may be an alias, by how aliases begin: only then is it worth a look.
pub fn may_be_alias(sources: &BTreeMap<String, Versioned<Source>>, event: &Event) -> bool {
    let mut aliases = sources.values().flat_map(|source| &source.document.aliases);
    event.alias.is_none() && aliases.any(|alias| event.subject.starts_with(alias.beginning()))
}

/// The same event about `asset`, to which its name belongs.
pub fn belonging_to(event: &Event, asset: &str) -> Event {
    Event { subject: asset.to_owned(), alias: Some(event.subject.clone()), ..event.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_holds_from_its_event_on_for_ninety_days() {
        let at = Time::from_unix_ms(1_000);
        let link =
            Link { name: "contact:7".to_owned(), subject: "a".to_owned(), at, event: "forms#1".to_owned() };
        let moment = Span::from_ms(1);
        let days = [at - moment, at, at + Span::days(90), at + Span::days(90) + moment];
        assert_eq!(days.map(|day| link.holds_at(day)), [false, true, true, false]);
    }
}
