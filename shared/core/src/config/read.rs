//! From text to typed documents: every problem of every file, not only the first.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::config::calendar::Calendar;
use crate::config::directory::Directory;
use crate::config::flow::Flow;
use crate::config::source::Source;
use crate::config::{DIRECTORY_ID, File, Problem, yaml};

/// A document as it was read, and where.
#[derive(Debug, Clone)]
pub struct Read {
    /// Its typed form. Where a field was wrong, it holds a stand-in: see `broken`.
    pub document: Document,
    /// Name of its file.
    pub file: String,
    /// Its lines.
    pub yaml: yaml::Document,
    /// Paths that have been reported already.
    pub broken: BTreeSet<String>,
}

/// A typed document.
#[derive(Debug, Clone)]
pub enum Document {
    /// An outcome contract.
    Flow(Arc<Flow>),
    /// A system that sends webhooks.
    Source(Arc<Source>),
    /// When business time passes.
    Calendar(Arc<Calendar>),
    /// People, roles and channels.
    Directory(Arc<Directory>),
}

/// More problems than this in one document help nobody.
const MAX_PROBLEMS: usize = 100;

impl Read {
    /// A problem of this document.
    pub fn problem(&self, field: &str, reason: impl Into<String>, mend: impl Into<String>) -> Problem {
        problem(&self.file, &self.yaml, field, reason, mend)
    }
}

fn problem(
    file: &str,
    yaml: &yaml::Document,
    field: &str,
    reason: impl Into<String>,
    mend: impl Into<String>,
) -> Problem {
    Problem {
        file: file.to_owned(),
        line: yaml.line(field),
        field: field.to_owned(),
        reason: reason.into(),
        mend: mend.into(),
    }
}

/// Reads every document of every file, and every problem there is with its form.
pub fn documents(files: &[File]) -> (Vec<Read>, Vec<Problem>) {
    let (mut documents, mut problems, mut seen) = (Vec::new(), Vec::new(), BTreeSet::new());
    for file in files {
        let parsed = match yaml::read(&file.text) {
            Ok(parsed) => parsed,
            Err(error) => {
                problems.push(Problem {
                    file: file.name.clone(),
                    line: error.line,
                    field: String::new(),
                    reason: error.reason,
                    mend: "mend the YAML at this line".to_owned(),
                });
                continue;
            }
        };
        for yaml in parsed {
            let Some(read) = document(&file.name, yaml, &mut problems) else { continue };
            let key = match &read.document {
                Document::Flow(flow) => ("Flow", flow.id.clone()),
                Document::Source(source) => ("Source", source.id.clone()),
                Document::Calendar(calendar) => ("Calendar", calendar.id.clone()),
                Document::Directory(_) => ("Directory", DIRECTORY_ID.to_owned()),
            };
            if !read.broken.contains("id") && !seen.insert(key.clone()) {
                let reason = format!("there are two documents `{} {}`", key.0, key.1);
                problems.push(read.problem("id", reason, "keep one of them"));
            }
            documents.push(read);
        }
    }
    if documents.is_empty() && problems.is_empty() {
        let name = files.first().map_or_else(String::new, |file| file.name.clone());
        problems.push(Problem {
            file: name,
            line: 1,
            field: String::new(),
            reason: "there is no document here".to_owned(),
            mend: "write at least one document with `kind: Flow`, `Source`, `Calendar` or `Directory`"
                .to_owned(),
        });
    }
    (documents, problems)
}

fn document(file: &str, mut yaml: yaml::Document, problems: &mut Vec<Problem>) -> Option<Read> {
    let kind = yaml.value.as_object_mut().and_then(|members| members.remove("kind"));
    let mut broken = BTreeSet::new();
    let document = match kind.as_ref().and_then(Value::as_str) {
        Some("Flow") => Document::Flow(Arc::new(typed(file, &yaml, &mut broken, problems)?)),
        Some("Source") => Document::Source(Arc::new(typed(file, &yaml, &mut broken, problems)?)),
        Some("Directory") => Document::Directory(Arc::new(typed(file, &yaml, &mut broken, problems)?)),
        Some("Calendar") => Document::Calendar(Arc::new(typed(file, &yaml, &mut broken, problems)?)),
        Some(_) | None => {
            let reason = match kind {
                Some(kind) => format!("`kind` is {kind}"),
                None => "`kind` is missing".to_owned(),
            };
            let mend = "write `kind: Flow`, `kind: Source`, `kind: Calendar` or `kind: Directory`";
            problems.push(problem(file, &yaml, "kind", reason, mend));
            return None;
        }
    };
    Some(Read { document, file: file.to_owned(), yaml, broken })
}

/// Deserialises as often as there are wrong fields: each is reported, replaced by a stand-in, and the rest
/// is looked at again.
fn typed<T: DeserializeOwned>(
    file: &str,
    yaml: &yaml::Document,
    broken: &mut BTreeSet<String>,
    problems: &mut Vec<Problem>,
) -> Option<T> {
    let mut value = yaml.value.clone();
    for _ in 0..MAX_PROBLEMS {
        let error = match serde_path_to_error::deserialize::<_, T>(value.clone()) {
            Ok(document) => return Some(document),
            Err(error) => error,
        };
        let (at, text) = (error.path().to_string(), error.inner().to_string());
        let at = if at == "." { String::new() } else { at };
        if let Some(name) = quoted_after(&text, "missing field `") {
            let field = join(&at, name);
            if !is_within(broken, &field) {
                broken.insert(field.clone());
                let mend = format!("write `{name}:` with its value (docs/FLOWS.md)");
                problems.push(problem(file, yaml, &field, format!("`{name}` is missing"), mend));
            }
            put(&mut value, &field, stand_in(name)?);
            continue;
        }
        let unknown = quoted_after(&text, "unknown field `");
        let field = match unknown {
            Some(name) if !at.ends_with(name) => join(&at, name),
            Some(_) | None => at,
        };
        let (reason, mend) = explain(&text, unknown);
        if let Some(meant) = mend.strip_prefix("did you mean `").and_then(|word| word.strip_suffix("`?")) {
            // The field is there, only misspelt: that it is missing as well would be news to nobody.
            let meant = sibling(&field, meant);
            if parent(&mut value, &meant).is_some_and(|(holder, name)| holder.get(name).is_none()) {
                broken.insert(meant);
            }
        }
        problems.push(problem(file, yaml, &field, reason, mend));
        let set_aside = !field.is_empty() && set_aside(&mut value, &field);
        broken.insert(field);
        if !set_aside {
            return None;
        }
    }
    None
}

/// Reason and mend of an error message.
fn explain(text: &str, unknown: Option<&str>) -> (String, String) {
    if let Some(name) = unknown {
        let known = text.split_once(", expected ").map_or("", |(_, known)| known);
        let nearest = known.split('`').skip(1).step_by(2).find(|word| looks_like(word, name));
        let mend = match nearest {
            Some(word) => format!("did you mean `{word}`?"),
            None => format!("remove it, or use {known}"),
        };
        return (format!("unknown field `{name}`"), mend);
    }
    match text.split_once(": write ") {
        Some((reason, mend)) => (reason.to_owned(), format!("write {mend}")),
        None => match text.split_once(", expected ") {
            Some((reason, expected)) => (reason.to_owned(), format!("write {expected}")),
            None => (text.to_owned(), "see docs/FLOWS.md for what may stand here".to_owned()),
        },
    }
}

/// Whether two names differ by at most two typing errors.
fn looks_like(a: &str, b: &str) -> bool {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut last = i;
        let mut next = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let above = row.get(j + 1).copied().unwrap_or(usize::MAX - 1);
            let left = next.last().copied().unwrap_or(usize::MAX - 1);
            next.push((last + usize::from(x != y)).min(above + 1).min(left + 1));
            last = above;
        }
        row = next;
    }
    row.last().is_some_and(|distance| *distance <= 2 && *distance < a.len().max(1))
}

/// A value that any field of this name accepts, so that the rest of the document can be looked at.
fn stand_in(name: &str) -> Option<Value> {
    Some(match name {
        "id" | "title" | "name" | "channel" | "url" | "source" => json!("x"),
        "owner" | "backup_owner" => json!("role:x"),
        "trigger" => json!({"source": "x", "match": {"type": ["x"]}}),
        "match" => json!({"type": ["x"]}),
        "outcomes" | "members" => json!([]),
        "done_when" | "pass_when" => json!("manual"),
        "sla" | "within" | "recovery_sla" | "window" | "at_least_every" | "budget" => json!("1h"),
        "after" => json!("0s"),
        "met" => json!("1%"),
        "provider" => json!("generic"),
        "scheme" => json!("token"),
        "kind" => json!("email"),
        "from" | "to" | "known_until" | "starting" => json!("2026-01-01"),
        "timezone" => json!("UTC"),
        "every" => json!("week"),
        "hours" => json!({}),
        _ => return None,
    })
}

fn quoted_after<'t>(text: &'t str, start: &str) -> Option<&'t str> {
    text.strip_prefix(start)?.split('`').next()
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

/// The value that holds the last step of `path`, and that step.
fn parent<'v, 'p>(value: &'v mut Value, path: &'p str) -> Option<(&'v mut Value, &'p str)> {
    let mut steps: Vec<&str> = path.split(['.', '[', ']']).filter(|step| !step.is_empty()).collect();
    let last = steps.pop()?;
    let mut value = value;
    for step in steps {
        value = match value.is_array() {
            true => value.get_mut(step.parse::<usize>().ok()?)?,
            false => value.get_mut(step)?,
        };
    }
    Some((value, last))
}

fn put(value: &mut Value, path: &str, new: Value) {
    if let Some((Value::Object(members), name)) = parent(value, path) {
        members.insert(name.to_owned(), new);
    }
}

/// Takes a wrong value out of the way: a member goes, an item of a list gets a stand-in, so that the items
/// after it keep their places. False when that cannot be done, or was done before.
fn set_aside(value: &mut Value, path: &str) -> bool {
    match parent(value, path) {
        Some((Value::Object(members), name)) => members.remove(name).is_some(),
        Some((Value::Array(items), n)) => {
            let list = path.rsplit_once('[').map_or("", |(list, _)| list);
            let new = match list.rsplit('.').next().unwrap_or_default() {
                "notify" => json!("owner"),
                "after" | "members" | "secrets" => json!("x"),
                "holidays" => json!("2026-01-01"),
                _ if list.starts_with("hours.") => json!("00:00-00:01"),
                _ => json!({}),
            };
            let item = n.parse().ok().and_then(|n: usize| items.get_mut(n));
            item.is_some_and(|item| std::mem::replace(item, new.clone()) != new)
        }
        Some((Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_), _)) | None => false,
    }
}

/// The path of the field `name` beside the field at `path`.
fn sibling(path: &str, name: &str) -> String {
    join(path.rsplit_once('.').map_or("", |(holder, _)| holder), name)
}

/// Whether `field` is one of `paths`, or a part of one.
pub fn is_within(paths: &BTreeSet<String>, field: &str) -> bool {
    paths.iter().any(|path| {
        field.strip_prefix(path.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    })
}
