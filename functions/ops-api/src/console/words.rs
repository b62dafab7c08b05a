//! Words: what the console calls things, and text of others made harmless to show.

pub(super) use meshline_aws::http::encoded;
use meshline_core::config::flow::{DoneWhen, ExceptionKind};
use meshline_core::run::{CheckStatus, OutcomeStatus, Status};
use meshline_core::time::Span;
use serde_json::Value;

/// Text that others wrote, without the characters that turn the direction of what stands around it, and without
/// those that cannot be seen.
pub(super) fn clean(text: &str) -> String {
    let turns = |c: char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.chars().filter(|c| !turns(*c) && (!c.is_control() || c.is_whitespace())).collect()
}

/// An address that a browser may follow: `http` and `https` alone.
pub(super) fn followable(url: &str) -> Option<&str> {
    let scheme = url.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase())?;
    matches!(scheme.as_str(), "http" | "https").then_some(url)
}

/// `2 d 4 h`, `3 h 20 min`, `45 min`, `30 s`: the two largest units.
pub(super) fn span(span: Span) -> String {
    let seconds = span.ms() / 1000;
    let units = [("d", 86_400), ("h", 3_600), ("min", 60)];
    let Some(first) = units.iter().position(|(_, length)| seconds >= *length) else {
        return format!("{seconds} s");
    };
    let mut rest = seconds;
    let mut parts = Vec::new();
    for (unit, length) in units.iter().skip(first).take(2) {
        let n = rest / length;
        rest %= length;
        if n > 0 {
            parts.push(format!("{n} {unit}"));
        }
    }
    parts.join(" ")
}

/// `1 run`, `2 runs`.
pub(super) fn count(n: usize, what: &str) -> String {
    if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") }
}

/// What an exception of that kind is called.
pub(super) fn kind(kind: ExceptionKind) -> &'static str {
    match kind {
        ExceptionKind::OutcomeFailed => "Outcome failed",
        ExceptionKind::RequestFailed => "Request could not be made",
        ExceptionKind::OwnershipGap => "Nobody there to own it",
        ExceptionKind::SlaBreached => "Deadline passed",
        ExceptionKind::QaFailed => "Check failed",
        ExceptionKind::QaNotReported => "Check not reported",
        ExceptionKind::CalendarUnknown => "Calendar ends too early",
        ExceptionKind::Manual => "Raised by a person",
        ExceptionKind::SilentTrigger => "No trigger came",
        ExceptionKind::OrphanSignal => "Signal without a trigger",
        ExceptionKind::RunParked => "Run could not be processed",
        ExceptionKind::PlaybookReview => "Playbook to be reviewed",
        ExceptionKind::ChecklistFailed => "Found by the checklist",
        ExceptionKind::ChecklistUndelivered => "Checklist reached nobody",
    }
}

/// Where a run is in its life.
pub(super) fn status(status: Status) -> &'static str {
    match status {
        Status::AwaitingQa => "awaiting QA",
        Status::Active => "active",
        Status::Verifying => "verifying",
        Status::Closed => "closed",
        Status::Cancelled => "cancelled",
    }
}

/// Where an outcome stands.
pub(super) fn outcome(status: OutcomeStatus) -> &'static str {
    match status {
        OutcomeStatus::Waiting => "waiting",
        OutcomeStatus::Open => "open",
        OutcomeStatus::Done => "done",
        OutcomeStatus::Failed => "failed",
    }
}

/// Where a check stands.
pub(super) fn check(status: CheckStatus) -> &'static str {
    match status {
        CheckStatus::Pending => "pending",
        CheckStatus::Passed => "passed",
        CheckStatus::Failed => "failed",
        CheckStatus::Overdue => "overdue",
    }
}

/// What makes it come true: `when hubspot sends email.sent`.
pub(super) fn done_when(done_when: &DoneWhen) -> String {
    let Some(pattern) = done_when.pattern() else {
        return "when somebody says so here".to_owned();
    };
    let alternatives = match serde_json::to_value(pattern).unwrap_or_default() {
        Value::Array(alternatives) => alternatives,
        one @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_)) => {
            vec![one]
        }
    };
    let told: Vec<String> = alternatives.iter().map(event).collect();
    format!("when {}", told.join(", or "))
}

/// An event that a pattern asks for, by its source and type: `contentful sends Entry.publish`.
pub(super) fn event(pattern: &Value) -> String {
    let list = |name: &str| {
        let values = pattern.get(name).and_then(Value::as_array).into_iter().flatten();
        let words: Vec<String> =
            values.map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned)).collect();
        Some(words.join(" or ")).filter(|words| !words.is_empty())
    };
    let source = list("source").unwrap_or_else(|| "a system".to_owned());
    let what = list("type").unwrap_or_else(|| "an event".to_owned());
    let more = if pattern.get("data").is_some() { " that matches" } else { "" };
    format!("{source} sends {what}{more}")
}
