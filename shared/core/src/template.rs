//! A template: text with `${path}` places that are filled from an event.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::Value;

/// A path into a JSON value: `data.fields.title.en-US`, `data.items[0].id`, `data['x.y']`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Path {
    text: String,
    steps: Vec<Step>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Step {
    Member(String),
    Index(usize),
}

/// Text with places to fill: `contentful:${data.asset_id}`. Text form: itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    text: String,
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Place(Path),
}

/// Why a template or a path cannot be read, or cannot be filled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// A `${` without its `}`.
    #[error("`{0}` has a `${{` without a closing `}}`")]
    Unclosed(String),
    /// The text between the braces is not a path.
    #[error("`{0}` is not a path: write names separated by dots, like `data.fields.title`")]
    BadPath(String),
    /// The event has no value at that path, or one that is no text, number or boolean.
    #[error("the event has no value at `{0}`")]
    Missing(String),
}

impl Path {
    /// The value at this path, if there is one. `null` counts as absent.
    pub fn find<'v>(&self, value: &'v Value) -> Option<&'v Value> {
        let found = self.steps.iter().try_fold(value, |value, step| match step {
            Step::Member(name) => value.get(name),
            Step::Index(n) => value.get(n),
        })?;
        (!found.is_null()).then_some(found)
    }

    /// The path as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl FromStr for Path {
    type Err = TemplateError;
    fn from_str(text: &str) -> Result<Self, TemplateError> {
        let steps = steps(text).ok_or_else(|| TemplateError::BadPath(text.to_owned()))?;
        Ok(Self { text: text.to_owned(), steps })
    }
}

/// Reads `a.b[0]['x.y']`; `None` when the text is no path.
fn steps(text: &str) -> Option<Vec<Step>> {
    let mut steps = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        if let Some(quoted) = rest.strip_prefix("['") {
            let (name, after) = quoted.split_once("']")?;
            steps.push(Step::Member(name.to_owned()));
            rest = after;
        } else if let Some(index) = rest.strip_prefix('[') {
            let (n, after) = index.split_once(']')?;
            steps.push(Step::Index(n.parse().ok()?));
            rest = after;
        } else {
            let name = if steps.is_empty() { rest } else { rest.strip_prefix('.')? };
            let end = name.find(['.', '[', ']', '}']).unwrap_or(name.len());
            let (name, after) = name.split_at_checked(end)?;
            if name.is_empty() {
                return None;
            }
            steps.push(Step::Member(name.to_owned()));
            rest = after;
        }
    }
    (!steps.is_empty()).then_some(steps)
}

impl Template {
    /// The text with every place filled from `event`, the JSON form of an [`Event`](crate::event::Event).
    ///
    /// # Errors
    /// [`TemplateError::Missing`] names the first path without a value.
    pub fn fill(&self, event: &Value) -> Result<String, TemplateError> {
        self.fill_with(|path| path.find(event))
    }

    /// The text with every place filled by what `find` gives for its path.
    ///
    /// # Errors
    /// [`TemplateError::Missing`] names the first path without a scalar.
    pub fn fill_with<'v>(&self, find: impl Fn(&Path) -> Option<&'v Value>) -> Result<String, TemplateError> {
        let mut filled = String::new();
        for part in &self.parts {
            match part {
                Part::Text(text) => filled.push_str(text),
                Part::Place(path) => match find(path) {
                    Some(Value::String(text)) => filled.push_str(text),
                    Some(scalar @ (Value::Number(_) | Value::Bool(_))) => {
                        filled.push_str(&scalar.to_string())
                    }
                    Some(Value::Array(_) | Value::Object(_) | Value::Null) | None => {
                        return Err(TemplateError::Missing(path.text.clone()));
                    }
                },
            }
        }
        Ok(filled)
    }

    /// The paths that are filled in.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.parts.iter().filter_map(|part| match part {
            Part::Text(_) => None,
            Part::Place(path) => Some(path),
        })
    }

    /// The text before the first place: what every filling of it begins with.
    pub fn beginning(&self) -> &str {
        match self.parts.first() {
            Some(Part::Text(text)) => text,
            Some(Part::Place(_)) | None => "",
        }
    }

    /// The template as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl FromStr for Template {
    type Err = TemplateError;
    fn from_str(text: &str) -> Result<Self, TemplateError> {
        let (mut parts, mut rest) = (Vec::new(), text);
        while let Some((before, place)) = rest.split_once("${") {
            let end = place_end(place).ok_or_else(|| TemplateError::Unclosed(text.to_owned()))?;
            let (path, after) = place.split_at_checked(end).unwrap_or((place, ""));
            if !before.is_empty() {
                parts.push(Part::Text(before.to_owned()));
            }
            parts.push(Part::Place(path.parse()?));
            rest = after.strip_prefix('}').unwrap_or(after);
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.to_owned()));
        }
        Ok(Self { text: text.to_owned(), parts })
    }
}

/// Where the closing brace is: the first one outside `['…']`.
fn place_end(place: &str) -> Option<usize> {
    let mut quoted = false;
    place.char_indices().find_map(|(at, c)| {
        if c == '\'' {
            quoted = !quoted;
        }
        (c == '}' && !quoted).then_some(at)
    })
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Serialize for Template {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for Template {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn places_are_filled_from_every_kind_of_path() {
        let event = json!({"data": {"a": [{"b": "x"}, 7], "odd.na}me": true, "en-US": "é"}});
        for (template, filled) in [
            ("plain", "plain"),
            ("${data.a[0].b}", "x"),
            ("n=${data.a[1]}!", "n=7!"),
            ("${data['odd.na}me']}", "true"),
            ("<${data.en-US}${data.en-US}>", "<éé>"),
        ] {
            assert_eq!(template.parse::<Template>().unwrap().fill(&event).unwrap(), filled, "{template}");
        }
    }

    #[test]
    fn a_missing_value_names_its_path() {
        let event = json!({"data": {"a": null, "o": {}}});
        for path in ["data.a", "data.b.c", "data.o", "data[0]"] {
            let template: Template = format!("x${{{path}}}").parse().unwrap();
            assert_eq!(template.fill(&event), Err(TemplateError::Missing(path.to_owned())));
        }
    }

    #[test]
    fn bad_templates_are_refused() {
        for text in ["${", "${}", "${a..b}", "${a[x]}", "${.a}", "${a['b}"] {
            assert!(text.parse::<Template>().is_err(), "{text}");
        }
    }
}
