//! The document: the facts in order, and what only people can say left open. Pure.

use std::collections::{BTreeMap, BTreeSet};

use meshline_core::record::{Fact, Record};
use meshline_core::time::Time;
use meshline_core::view::{ExceptionStatus, ExceptionView, RunView};

use super::Facts;
use super::markdown::{table, text};
use crate::show::{count, or_dash, sentence, span, who, word};

/// Rows of the timeline; all of it is in the trails.
const MAX_MOMENTS: usize = 500;
/// Cases of the same causes from before.
const MAX_SIMILAR: usize = 20;

/// What an exception is about, and why it was opened.
type Cause = (String, String);

/// The draft.
pub(super) fn document(facts: &Facts) -> String {
    let Facts { flow, from, to, at, .. } = facts;
    let sections = [
        format!("# Post-mortem of {flow}, {} to {}\n", from.day(), to.day()),
        format!(
            "*A draft, made on {at} of what is in the audit trail from {from} to {to}. Times are UTC. \
             `meshline audit verify RUN` shows that a trail is as it was written.*\n"
        ),
        summary(facts),
        format!("## What was late\n\n{}", late(facts)),
        format!("## Causes\n\n{}", causes(facts)),
        format!("## Who held it\n\n{}", custody(facts)),
        format!("## Timeline\n\n{}", timeline(facts)),
        format!("## Similar runs before\n\n{}", similar(facts)),
        "## In our words\n\n*What those who wait for it noticed; why it came to be so; what went well.*\n"
            .to_owned(),
        "## What we change\n\n| What | Who | By when |\n| --- | --- | --- |\n|  |  |  |\n".to_owned(),
    ];
    sections.join("\n")
}

fn summary(facts: &Facts) -> String {
    let opened: Vec<&ExceptionView> = of_period(facts).collect();
    let open = opened.iter().filter(|it| it.status == ExceptionStatus::Open).count();
    let breached = facts.records.iter().filter(|record| matches!(record.fact, Fact::SlaBreached(_))).count();
    let owners: BTreeSet<&str> =
        facts.runs.iter().flat_map(|run| &run.custody).map(|held| held.owner.as_str()).collect();
    let left_out = match facts.left_out {
        0 => String::new(),
        n => format!(" {} more are left out: make the period shorter.", count(n, "run")),
    };
    format!(
        "## Summary\n\nSomething went wrong in {}: {} past the deadline, {} opened, {open} of them still open. Held by {}.{left_out}\n",
        count(facts.runs.len(), "run"),
        count(breached, "outcome"),
        count(opened.len(), "exception"),
        or_dash(Some(&text(&owners.into_iter().collect::<Vec<_>>().join(", ")))),
    )
}

fn of_period(facts: &Facts) -> impl Iterator<Item = &ExceptionView> {
    facts.exceptions.iter().filter(|it| facts.from <= it.opened_at && it.opened_at < facts.to)
}

fn code(id: &str) -> String {
    format!("`{id}`")
}

/// What was not there by its deadline: since when it is, or since when it can come no more.
struct Late<'a> {
    run: &'a str,
    what: String,
    due_at: Time,
    came_at: Option<Time>,
    ended_at: Option<Time>,
}

impl Late<'_> {
    fn row(&self, now: Time) -> [String; 5] {
        let by = |until: Time| span(Some(until.since(self.due_at).ms() / 1000));
        let (came, by) = match (self.came_at, self.ended_at) {
            (Some(at), _) => (at.to_string(), by(at)),
            (None, Some(at)) => (format!("never, over at {at}"), by(at)),
            (None, None) => ("not yet".to_owned(), format!("{} so far", by(now))),
        };
        [code(self.run), self.what.clone(), self.due_at.to_string(), came, by]
    }
}

/// Outcomes, acknowledgements and resolutions whose deadline passed in the period.
fn late(facts: &Facts) -> String {
    let is_of_period = |at: &Time| facts.from <= *at && *at < facts.to;
    let mut all: Vec<Late<'_>> = Vec::new();
    for run in &facts.runs {
        all.extend(run.outcomes.iter().filter_map(|outcome| {
            let due_at = outcome.breached_at.filter(is_of_period)?;
            let (came_at, ended_at) = (outcome.done_at, run.closed_at);
            Some(Late { run: &run.run, what: code(&outcome.id), due_at, came_at, ended_at })
        }));
        all.extend(run.exceptions.iter().filter(|it| is_of_period(&it.recovery_due_at)).filter_map(|it| {
            let (due_at, came_at) = (it.recovery_due_at, it.resolved_at);
            let what = format!("resolution of {}", it.id);
            let is_late = came_at.unwrap_or(facts.at) > due_at;
            is_late.then_some(Late { run: &run.run, what, due_at, came_at, ended_at: None })
        }));
        all.extend(missed(&facts.records, &run.run).map(|(missed_at, owner, due_at)| {
            let held =
                run.custody.iter().find(|it| it.owner == owner && it.to.is_none_or(|to| to >= missed_at));
            let ended_at = held.and_then(|it| it.to).or(run.closed_at);
            let is_it = |it: &&Record| {
                it.run == run.run
                    && it.at >= missed_at
                    && ended_at.is_none_or(|end| it.at <= end)
                    && matches!(it.fact, Fact::Acknowledged(_))
            };
            let came_at = facts.records.iter().find(is_it).map(|it| it.at);
            let what = format!("acknowledgement of {}", text(owner));
            Late { run: &run.run, what, due_at, came_at, ended_at }
        }));
    }
    all.sort_by_key(|late| late.due_at);
    let rows: Vec<[String; 5]> = all.iter().map(|late| late.row(facts.at)).collect();
    table(["Run", "What", "Due", "Came", "Late by"], &rows)
}

/// When it was seen that somebody had not acknowledged a run, who, and by when they should have.
fn missed<'a>(records: &'a [Record], run: &'a str) -> impl Iterator<Item = (Time, &'a str, Time)> {
    records.iter().filter(move |record| record.run == run).filter_map(|record| {
        let Fact::AcknowledgementMissed(it) = &record.fact else { return None };
        Some((record.at, it.owner.as_str(), it.due_at))
    })
}

fn cause(of: &ExceptionView) -> Cause {
    let about = of.outcome.as_deref().or(of.check.as_deref());
    (word(&of.kind), or_dash(about))
}

/// Exceptions of the period, by kind and by what they are about.
fn causes(facts: &Facts) -> String {
    let mut by_cause: BTreeMap<Cause, Vec<&ExceptionView>> = BTreeMap::new();
    for it in of_period(facts) {
        by_cause.entry(cause(it)).or_default().push(it);
    }
    let rows: Vec<[String; 6]> = by_cause
        .iter()
        .map(|((kind, about), cases)| {
            let runs: BTreeSet<Option<&str>> = cases.iter().map(|it| it.run.as_deref()).collect();
            let open = cases.iter().filter(|it| it.status == ExceptionStatus::Open).count();
            let seen = cases.iter().find_map(|it| seen(facts, it));
            [
                code(kind),
                about.clone(),
                cases.len().to_string(),
                runs.len().to_string(),
                open.to_string(),
                or_dash(seen.as_deref()),
            ]
        })
        .collect();
    table(["Kind", "Of", "Exceptions", "Runs", "Open", "Seen, for example"], &rows)
}

/// What was seen when an exception was opened.
fn seen(facts: &Facts, of: &ExceptionView) -> Option<String> {
    let trail = of.run.clone().unwrap_or_else(|| format!("FLOW#{}", of.flow));
    facts.records.iter().filter(|record| record.run == trail).find_map(|record| {
        let Fact::ExceptionOpened(opened) = &record.fact else { return None };
        (opened.exception == of.id).then(|| text(&opened.seen))
    })
}

fn custody(facts: &Facts) -> String {
    let of_run = |run: &RunView| {
        let run_id = code(&run.run);
        let rows = run.custody.iter().map(move |held| {
            let role = or_dash(held.role.as_ref().map(word).as_deref());
            let to = held.to.map_or_else(|| "-".to_owned(), |to| to.to_string());
            let long = span(Some(held.seconds));
            [run_id.clone(), text(&held.owner), role, held.from.to_string(), to, long]
        });
        rows.collect::<Vec<_>>()
    };
    let rows: Vec<[String; 6]> = facts.runs.iter().flat_map(of_run).collect();
    table(["Run", "Who", "As", "From", "To", "For"], &rows)
}

/// What was decided; that a message arrived is left out, that it did not is not.
fn timeline(facts: &Facts) -> String {
    let told = |record: &&Record| !matches!(record.fact, Fact::DeliverySucceeded(_));
    let moments: Vec<&Record> = facts.records.iter().filter(told).collect();
    let row = |record: &&Record| {
        let what = format!("{}: {}", record.fact.kind(), sentence(&record.fact, record.at));
        [record.at.to_string(), code(&record.run), text(&who(&record.actor)), text(&what)]
    };
    let rows: Vec<[String; 4]> = moments.iter().take(MAX_MOMENTS).map(row).collect();
    let more = match moments.len().saturating_sub(MAX_MOMENTS) {
        0 => String::new(),
        n => format!("\n{n} more: `meshline audit show RUN`.\n"),
    };
    table(["When", "Run", "Who", "What"], &rows) + &more
}

/// Earlier exceptions of the same causes, the newest first.
fn similar(facts: &Facts) -> String {
    let wanted: BTreeSet<Cause> = of_period(facts).map(cause).collect();
    let mut cases: Vec<&ExceptionView> = facts
        .exceptions
        .iter()
        .filter(|it| it.opened_at < facts.from && wanted.contains(&cause(it)))
        .collect();
    cases.sort_by_key(|it| std::cmp::Reverse(it.opened_at));
    let rows: Vec<[String; 5]> = cases
        .iter()
        .take(MAX_SIMILAR)
        .map(|it| {
            let (kind, about) = cause(it);
            let how = match it.status {
                ExceptionStatus::Open => "still open".to_owned(),
                ExceptionStatus::Resolved => text(it.resolution.as_deref().unwrap_or("resolved")),
            };
            let run = it.run.as_deref().map_or_else(|| "the flow itself".to_owned(), code);
            [run, it.opened_at.to_string(), code(&kind), about, how]
        })
        .collect();
    let more = match cases.len().saturating_sub(MAX_SIMILAR) {
        0 => String::new(),
        n => format!("\n{n} more: `meshline exceptions --flow {}`.\n", facts.flow),
    };
    table(["Run", "Opened", "Kind", "Of", "How it ended"], &rows) + &more
}
