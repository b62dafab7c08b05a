//! A pattern: an EventBridge event pattern over the normalised event, with `${…}` places.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, OnceLock};

use quamina::Quamina;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::template::{Path, Template, TemplateError};

/// Values of `${…}` paths, taken from a trigger event: strings, numbers and booleans by path.
pub type Values = BTreeMap<String, Value>;

/// An EventBridge event pattern, or a list of them of which any may match.
///
/// A string in it may be a template; it is filled from the trigger event before matching.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Pattern {
    written: Value,
    #[serde(skip)]
    compiled: Compiled,
}

/// The matcher of a pattern, with any value where a place is. It is built when the pattern is first matched, and kept
/// with it and its copies: a flow is loaded once and matched often.
#[derive(Clone, Default)]
struct Compiled(Arc<OnceLock<Result<Loose, PatternError>>>);

/// What matches whenever the pattern does, whatever its places are filled with.
struct Loose {
    matcher: Quamina<()>,
    /// Whether it has no places, and so matches nothing else.
    is_exact: bool,
}

impl PartialEq for Compiled {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl fmt::Debug for Compiled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Compiled")
    }
}

/// Why a pattern cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// Not a pattern by EventBridge's rules.
    #[error("not an event pattern: {0}")]
    Malformed(String),
    /// It has a place that cannot be read, or for which there is no value.
    #[error(transparent)]
    Template(#[from] TemplateError),
}

/// The longest text that a place may be filled with; it is stored with every run.
const MAX_VALUE_BYTES: usize = 512;

/// The attributes of a normalised event, beside `data`, that a pattern may name.
pub(crate) const ATTRIBUTES: [&str; 10] =
    ["id", "source", "type", "subject", "occurred_at", "received_at", "actor", "title", "url", "data"];

impl Pattern {
    /// The alternatives; a lone pattern is its only one.
    fn alternatives(&self) -> &[Value] {
        match &self.written {
            Value::Array(any) => any,
            one @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_)) => {
                std::slice::from_ref(one)
            }
        }
    }

    /// Checks that the pattern can be compiled, whatever its places are filled with.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check(&self) -> Result<(), PatternError> {
        let empty = |alternative: &Value| alternative.as_object().is_some_and(serde_json::Map::is_empty);
        if self.alternatives().is_empty() || self.alternatives().iter().any(empty) {
            return Err(PatternError::Malformed("an empty pattern says nothing".to_owned()));
        }
        for name in self.alternatives().iter().filter_map(Value::as_object).flat_map(|o| o.keys()) {
            if !ATTRIBUTES.contains(&name.as_str()) {
                let known = ATTRIBUTES.join("`, `");
                let reason = format!("an event has no attribute `{name}`: it has `{known}`");
                return Err(PatternError::Malformed(reason));
            }
        }
        let mut filler = Values::new();
        for path in self.paths()? {
            filler.insert(path.as_str().to_owned(), Value::String("x".to_owned()));
        }
        self.compile(&filler).map(|_| ())
    }

    /// The paths of all places.
    ///
    /// # Errors
    /// A place that cannot be read.
    pub fn paths(&self) -> Result<BTreeSet<Path>, TemplateError> {
        paths(&self.written)
    }

    /// Whether an alternative speaks of this attribute of the event.
    pub fn names(&self, attribute: &str) -> bool {
        self.alternatives().iter().any(|alternative| alternative.get(attribute).is_some())
    }

    /// The plain texts that its alternatives list for this attribute of the event.
    pub fn texts(&self, attribute: &str) -> BTreeSet<&str> {
        let lists =
            self.alternatives().iter().filter_map(|alternative| alternative.get(attribute)?.as_array());
        lists.flatten().filter_map(Value::as_str).collect()
    }

    /// Whether an event, given as its [JSON](Event::json), matches once the places are filled from `values`.
    ///
    /// # Errors
    /// A place without a value: such a pattern never matches.
    pub fn matches(&self, values: &Values, event: &[u8]) -> Result<bool, PatternError> {
        let has = |matcher: &Quamina<()>| {
            matcher.has_matches(event).map_err(|e| PatternError::Malformed(e.to_string()))
        };
        let loose = self.compiled.0.get_or_init(|| self.loose()).as_ref().map_err(PatternError::clone)?;
        Ok(has(&loose.matcher)? && (loose.is_exact || has(&self.compile(values)?)?))
    }

    fn loose(&self) -> Result<Loose, PatternError> {
        let mut matcher = Quamina::new();
        self.add_loosely_to(&mut matcher, &())?;
        Ok(Loose { matcher, is_exact: self.paths()?.is_empty() })
    }

    /// Adds every alternative to a matcher of many patterns, under the name `x`.
    ///
    /// # Errors
    /// Not a pattern, or one with places: those can only be matched for a run.
    pub fn add_to<X>(&self, matcher: &mut Quamina<X>, source: &str, x: &X) -> Result<(), PatternError>
    where
        X: Clone + Eq + std::hash::Hash + Send + Sync,
    {
        for alternative in self.alternatives() {
            let mut pattern = alternative.clone();
            if let Some(members) = pattern.as_object_mut() {
                members.insert("source".to_owned(), serde_json::json!([source]));
            }
            let added = matcher.add_pattern(x.clone(), &pattern.to_string());
            added.map_err(|e| PatternError::Malformed(e.to_string()))?;
        }
        Ok(())
    }

    /// Adds every alternative to a matcher of many patterns, under the name `x`, with any value where a place is:
    /// what matches so may match once the places are filled.
    ///
    /// # Errors
    /// Not a pattern.
    pub fn add_loosely_to<X>(&self, matcher: &mut Quamina<X>, x: &X) -> Result<(), PatternError>
    where
        X: Clone + Eq + std::hash::Hash + Send + Sync,
    {
        for alternative in self.alternatives() {
            let added = matcher.add_pattern(x.clone(), &loosened(alternative)?.to_string());
            added.map_err(|e| PatternError::Malformed(e.to_string()))?;
        }
        Ok(())
    }

    fn compile(&self, values: &Values) -> Result<Quamina<()>, PatternError> {
        let mut matcher = Quamina::new();
        for alternative in self.alternatives() {
            let filled = fill(alternative, values, true)?;
            let added = matcher.add_pattern((), &filled.to_string());
            added.map_err(|e| PatternError::Malformed(e.to_string()))?;
        }
        Ok(matcher)
    }
}

/// The paths of every template in a JSON value.
///
/// # Errors
/// A template that cannot be read.
pub fn paths(value: &Value) -> Result<BTreeSet<Path>, TemplateError> {
    let mut found = BTreeSet::new();
    match value {
        Value::String(text) => found.extend(text.parse::<Template>()?.paths().cloned()),
        Value::Array(items) => {
            for item in items {
                found.append(&mut paths(item)?);
            }
        }
        Value::Object(members) => {
            for member in members.values() {
                found.append(&mut paths(member)?);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
    Ok(found)
}

/// A pattern with `exists` for each list that has a place.
fn loosened(pattern: &Value) -> Result<Value, TemplateError> {
    Ok(match pattern {
        Value::Object(members) => {
            let members = members.iter().map(|(name, value)| Ok((name.clone(), loosened(value)?)));
            Value::Object(members.collect::<Result<_, TemplateError>>()?)
        }
        Value::Array(any) if !paths(pattern)?.is_empty() => match any.first() {
            // Of a list that begins with it, the matcher looks at nothing else.
            Some(exists) if exists.get("exists").is_some() => serde_json::json!([exists]),
            Some(_) | None => serde_json::json!([{"exists": true}]),
        },
        Value::Array(_) | Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            pattern.clone()
        }
    })
}

/// The scalars at `paths` in `event`; what is missing, no scalar or too long is left out.
pub fn values<'p>(paths: impl IntoIterator<Item = &'p Path>, event: &Value) -> Values {
    let mut values = Values::new();
    for path in paths {
        match path.find(event) {
            Some(Value::String(text)) if text.len() > MAX_VALUE_BYTES => {}
            Some(value @ (Value::String(_) | Value::Number(_) | Value::Bool(_))) => {
                values.insert(path.as_str().to_owned(), value.clone());
            }
            Some(Value::Array(_) | Value::Object(_) | Value::Null) | None => {}
        }
    }
    values
}

/// Fills every template in a JSON value. A string that is one place and nothing else becomes the value
/// itself. In a pattern (`as_pattern`) a number or boolean stands beside its text, because systems
/// disagree on which of the two they send; and the argument of an operator (`prefix`) is always text.
///
/// # Errors
/// A place without a value.
pub fn fill(value: &Value, values: &Values, as_pattern: bool) -> Result<Value, TemplateError> {
    Ok(match value {
        Value::String(text) => fill_text(text, values)?,
        Value::Array(items) => {
            let mut filled = Vec::new();
            for item in items {
                let new = fill(item, values, as_pattern)?;
                let was_place = item.is_string() && !new.is_string();
                if as_pattern && was_place {
                    filled.push(Value::String(new.to_string()));
                }
                filled.push(new);
            }
            Value::Array(filled)
        }
        Value::Object(members) => {
            let member = |value: &Value| match value {
                Value::String(text) if as_pattern => {
                    let template: Template = text.parse()?;
                    template.fill_with(|path| values.get(path.as_str())).map(Value::String)
                }
                Value::String(_)
                | Value::Null
                | Value::Bool(_)
                | Value::Number(_)
                | Value::Array(_)
                | Value::Object(_) => fill(value, values, as_pattern),
            };
            let filled = members.iter().map(|(name, value)| Ok((name.clone(), member(value)?)));
            Value::Object(filled.collect::<Result<_, TemplateError>>()?)
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    })
}

fn fill_text(text: &str, values: &Values) -> Result<Value, TemplateError> {
    let template: Template = text.parse()?;
    let lone = template.paths().next().filter(|path| format!("${{{}}}", path.as_str()) == text);
    if let Some(path) = lone {
        let missing = || TemplateError::Missing(path.as_str().to_owned());
        return values.get(path.as_str()).cloned().ok_or_else(missing);
    }
    template.fill_with(|path| values.get(path.as_str())).map(Value::String)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Event;
    use serde_json::json;

    fn event(data: Value) -> Event {
        serde_json::from_value(json!({
            "id": "1", "source": "hubspot", "type": "contact.propertyChange", "subject": "contentful:a",
            "occurred_at": null, "received_at": "2026-11-23T09:00:00.000Z", "actor": null, "title": null,
            "url": null, "data": data,
        }))
        .unwrap()
    }

    fn pattern(value: Value) -> Pattern {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn places_are_filled_before_matching() {
        let tag = pattern(json!({"data": {"propertyValue": ["${data.campaign}"]}}));
        let values = Values::from([("data.campaign".to_owned(), json!("spring"))]);
        assert!(tag.matches(&values, &event(json!({"propertyValue": "spring"})).json()).unwrap());
        assert!(!tag.matches(&values, &event(json!({"propertyValue": "autumn"})).json()).unwrap());
    }

    #[test]
    fn a_number_also_matches_its_text() {
        let tag = pattern(json!({"data": {"n": ["${data.n}"]}}));
        let values = Values::from([("data.n".to_owned(), json!(7))]);
        for (seen, matches) in [(json!(7), true), (json!("7"), true), (json!(8), false)] {
            assert_eq!(tag.matches(&values, &event(json!({"n": seen})).json()).unwrap(), matches);
        }
    }

    #[test]
    fn a_text_of_512_bytes_is_kept_and_a_longer_one_is_missing() {
        let path: Template = "${data.t}".parse().unwrap();
        for (length, kept) in [(511, true), (512, true), (513, false), (600, false)] {
            let found = values(path.paths(), &json!({"data": {"t": "x".repeat(length)}}));
            assert_eq!(!found.is_empty(), kept, "{length}");
        }
        let tag = pattern(json!({"data": {"t": ["${data.t}"]}}));
        assert!(
            tag.matches(&Values::new(), &event(json!({"t": ""})).json()).is_err(),
            "without a value it matches nothing"
        );
    }

    #[test]
    fn what_is_no_pattern_is_filled_as_it_is() {
        let values = Values::from([("data.n".to_owned(), json!(7))]);
        let payload = json!({"list": ["${data.n}", "n"], "text": "n=${data.n}", "whole": "${data.n}"});
        let filled = fill(&payload, &values, false).unwrap();
        assert_eq!(filled, json!({"list": [7, "n"], "text": "n=7", "whole": 7}));
        let either = fill(&json!(["${data.n}", "n", 8]), &values, true).unwrap();
        assert_eq!(either, json!(["7", 7, "n", 8]));
    }

    #[test]
    fn the_argument_of_an_operator_is_text() {
        let prefixed = pattern(json!({"data": {"n": [{"prefix": "${data.n}"}]}}));
        let values = Values::from([("data.n".to_owned(), json!(7))]);
        assert!(prefixed.matches(&values, &event(json!({"n": "7-a"})).json()).unwrap());
    }

    #[test]
    fn a_missing_value_never_matches_and_names_its_path() {
        let tag = pattern(json!({"data": {"n": ["x${data.n}"]}}));
        let missing = tag.matches(&Values::new(), &event(json!({"n": "x"})).json());
        assert_eq!(missing, Err(PatternError::Template(TemplateError::Missing("data.n".to_owned()))));
    }

    #[test]
    fn a_loosened_pattern_takes_any_value_where_a_place_is_and_no_other() {
        let tag =
            pattern(json!({"source": ["hubspot"], "data": {"name": ["tag"], "value": ["x", "${data.n}"]}}));
        let mut matcher = Quamina::new();
        tag.add_loosely_to(&mut matcher, &()).unwrap();
        let matches = |data: Value| matcher.has_matches(&serde_json::to_vec(&event(data)).unwrap()).unwrap();
        assert!(matches(json!({"name": "tag", "value": "anything"})));
        assert!(!matches(json!({"name": "tag"})), "something must be there");
        assert!(!matches(json!({"name": "other", "value": "x"})));
    }

    #[test]
    fn a_place_may_stand_beside_what_is_absent() {
        let tag = pattern(
            json!({"type": ["contact.propertyChange"], "data": {"n": [{"exists": false}, "${data.n}"]}}),
        );
        let values = Values::from([("data.n".to_owned(), json!("a"))]);
        assert_eq!(tag.matches(&values, &event(json!({"m": 1})).json()), Ok(true));
        assert_eq!(tag.matches(&values, &event(json!({"n": "b"})).json()), Ok(false));
    }

    #[test]
    fn each_run_fills_the_places_of_one_pattern_with_its_own_values() {
        let tag = pattern(json!([{"type": ["other"]}, {"data": {"n": ["${data.n}"]}}]));
        for (value, matches) in [("a", true), ("b", false), ("a", true)] {
            let values = Values::from([("data.n".to_owned(), json!(value))]);
            assert_eq!(tag.matches(&values, &event(json!({"n": "a"})).json()), Ok(matches), "{value}");
        }
    }

    #[test]
    fn any_of_a_list_matches() {
        let any = pattern(json!([{"type": ["a"]}, {"type": [{"prefix": "contact."}]}]));
        assert!(any.matches(&Values::new(), &event(json!({})).json()).unwrap());
    }

    #[test]
    fn bad_patterns_are_refused() {
        for bad in [
            json!({}),
            json!([]),
            json!("x"),
            json!({"type": "a"}),
            json!({"typ": ["a"]}),
            json!({"$or": [{"type": ["a"]}, {"type": ["b"]}]}),
            json!({"data": {"a": [{"prefx": "b"}]}}),
        ] {
            assert!(pattern(bad.clone()).check().is_err(), "{bad}");
        }
        assert!(pattern(json!({"type": ["a"], "data": {"x": [{"exists": true}]}})).check().is_ok());
    }
}
