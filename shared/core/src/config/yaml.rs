//! YAML text to JSON values, keeping the line of every value.
//!
//! The subset a configuration needs: no anchors, aliases or tags (they make a small file large, or mean
//! something else to the next reader), no repeated keys.

use std::collections::BTreeMap;

use saphyr_parser::{Event, Parser, ScalarStyle, Span, Tag};
use serde_json::{Map, Value};

/// How deep a document may nest; far beyond any flow, far below what a stack holds.
const MAX_DEPTH: usize = 64;

/// One YAML document as JSON, with the line that each value starts on.
#[derive(Debug, Clone)]
pub struct Document {
    /// The document's value.
    pub value: Value,
    /// Line (from 1) by path: `outcomes[0].sla`; the empty path is the document.
    lines: BTreeMap<String, usize>,
}

/// Text that is not the YAML we read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct YamlError {
    /// Line, from 1.
    pub line: usize,
    /// What is wrong there.
    pub reason: String,
}

impl Document {
    /// The line of the value at `path`, or of the nearest value around it.
    pub fn line(&self, path: &str) -> usize {
        let mut path = path;
        loop {
            if let Some(line) = self.lines.get(path) {
                return *line;
            }
            match path.rfind(['.', '[']) {
                Some(end) => path = path.get(..end).unwrap_or(""),
                None if path.is_empty() => return 1,
                None => path = "",
            }
        }
    }
}

/// Reads every document of a YAML stream. Empty documents are left out.
///
/// # Errors
/// The first place that is not YAML, or not of the subset.
pub fn read(text: &str) -> Result<Vec<Document>, YamlError> {
    let mut reader = Reader { parser: Parser::new_from_str(text), lines: BTreeMap::new() };
    let mut documents = Vec::new();
    loop {
        let (event, span) = reader.next()?;
        match event {
            Event::StreamEnd => return Ok(documents),
            Event::Nothing | Event::StreamStart | Event::DocumentStart(_) | Event::DocumentEnd => {}
            Event::Alias(_)
            | Event::Scalar(..)
            | Event::SequenceStart(..)
            | Event::SequenceEnd
            | Event::MappingStart(..)
            | Event::MappingEnd => {
                let value = reader.value(event, span, "", 0)?;
                let lines = std::mem::take(&mut reader.lines);
                if !value.is_null() {
                    documents.push(Document { value, lines });
                }
            }
        }
    }
}

struct Reader<'t> {
    parser: Parser<'t, saphyr_parser::StrInput<'t>>,
    lines: BTreeMap<String, usize>,
}

fn error(span: Span, reason: impl Into<String>) -> YamlError {
    YamlError { line: span.start.line(), reason: reason.into() }
}

impl<'t> Reader<'t> {
    fn next(&mut self) -> Result<(Event<'t>, Span), YamlError> {
        match self.parser.next() {
            Some(Ok(found)) => Ok(found),
            Some(Err(scan)) => {
                Err(YamlError { line: scan.marker().line(), reason: format!("not YAML: {}", scan.info()) })
            }
            None => Ok((Event::StreamEnd, Span::default())),
        }
    }

    fn value(&mut self, event: Event<'t>, span: Span, path: &str, depth: usize) -> Result<Value, YamlError> {
        if depth > MAX_DEPTH {
            return Err(error(span, format!("nested deeper than {MAX_DEPTH} levels")));
        }
        self.lines.insert(path.to_owned(), span.start.line());
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                plain_only(span, anchor, tag.as_deref())?;
                Ok(if style == ScalarStyle::Plain { plain(&text) } else { Value::String(text.into_owned()) })
            }
            Event::SequenceStart(anchor, tag) => {
                plain_only(span, anchor, tag.as_deref())?;
                self.sequence(path, depth)
            }
            Event::MappingStart(anchor, tag) => {
                plain_only(span, anchor, tag.as_deref())?;
                self.mapping(path, depth)
            }
            Event::Alias(_) => Err(error(span, "aliases (`*name`) are not read: write the value out")),
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd
            | Event::SequenceEnd
            | Event::MappingEnd => Err(error(span, "a value is missing")),
        }
    }

    fn sequence(&mut self, path: &str, depth: usize) -> Result<Value, YamlError> {
        let mut items = Vec::new();
        loop {
            let (event, span) = self.next()?;
            if event == Event::SequenceEnd {
                return Ok(Value::Array(items));
            }
            let at = format!("{path}[{}]", items.len());
            items.push(self.value(event, span, &at, depth + 1)?);
        }
    }

    fn mapping(&mut self, path: &str, depth: usize) -> Result<Value, YamlError> {
        let mut members = Map::new();
        loop {
            let (event, span) = self.next()?;
            let key = match event {
                Event::MappingEnd => return Ok(Value::Object(members)),
                Event::Scalar(text, _, 0, None) => text.into_owned(),
                Event::Scalar(..)
                | Event::Alias(_)
                | Event::SequenceStart(..)
                | Event::MappingStart(..)
                | Event::Nothing
                | Event::StreamStart
                | Event::StreamEnd
                | Event::DocumentStart(_)
                | Event::DocumentEnd
                | Event::SequenceEnd => return Err(error(span, "a key must be plain text")),
            };
            if key == "<<" {
                return Err(error(span, "merge keys (`<<`) are not read: write the fields out"));
            }
            if members.contains_key(&key) {
                return Err(error(span, format!("`{key}` is given twice")));
            }
            let at = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
            let (event, value_span) = self.next()?;
            let value = self.value(event, value_span, &at, depth + 1)?;
            self.lines.insert(at, span.start.line());
            members.insert(key, value);
        }
    }
}

fn plain_only(span: Span, anchor: usize, tag: Option<&Tag>) -> Result<(), YamlError> {
    if anchor != 0 {
        return Err(error(span, "anchors (`&name`) are not read: write the value out where it is used"));
    }
    match tag {
        Some(tag) => Err(error(span, format!("the tag `{tag}` is not read: write a plain value"))),
        None => Ok(()),
    }
}

/// A plain scalar by the YAML 1.2 core schema, whole numbers and fractions as JSON numbers.
fn plain(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        "true" | "True" | "TRUE" => return Value::Bool(true),
        "false" | "False" | "FALSE" => return Value::Bool(false),
        _ => {}
    }
    let first_is_number = text.starts_with(|c: char| c.is_ascii_digit() || c == '-' || c == '+');
    if first_is_number
        && let Ok(number) = serde_json::from_str::<serde_json::Number>(text.strip_prefix('+').unwrap_or(text))
    {
        return Value::Number(number);
    }
    Value::String(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_come_with_their_lines() {
        let text = "kind: Flow\noutcomes:\n  - id: crm\n    sla: 2h\n---\n---\nkind: Source\non: true\n";
        let documents = read(text).unwrap();
        assert_eq!(documents[0].value, json!({"kind": "Flow", "outcomes": [{"id": "crm", "sla": "2h"}]}));
        assert_eq!(documents[0].line("outcomes[0].sla"), 4);
        assert_eq!(documents[0].line("outcomes[0].gone.deeper"), 3);
        assert_eq!(documents[1].value, json!({"kind": "Source", "on": true}));
        assert_eq!(documents[1].line("on"), 8);
    }

    #[test]
    fn what_makes_small_files_large_or_ambiguous_is_refused() {
        for (text, reason) in [
            ("a: &x 1\nb: *x", "anchors"),
            ("a: 1\na: 2", "twice"),
            ("a: !!str 1", "tag"),
            ("<<: {a: 1}", "merge"),
            ("a: [", "not YAML"),
            ("? [a]\n: b", "plain text"),
        ] {
            assert!(read(text).unwrap_err().reason.contains(reason), "{text}");
        }
        assert!(
            read(&format!("{}{}", "[".repeat(100), "]".repeat(100)))
                .unwrap_err()
                .reason
                .contains("nested deeper")
        );
    }

    #[test]
    fn scalars_follow_the_core_schema() {
        let read = |text: &str| read(&format!("v: {text}")).unwrap()[0].value["v"].clone();
        assert_eq!(read("2026-11-23"), json!("2026-11-23"));
        assert_eq!(read("0x1f"), json!("0x1f"));
        assert_eq!(read("-12"), json!(-12));
        assert_eq!(read("1.5"), json!(1.5));
        assert_eq!(read("\"12\""), json!("12"));
        assert_eq!(read("~"), json!(null));
        assert_eq!(read("${data.x}"), json!("${data.x}"));
    }
}
