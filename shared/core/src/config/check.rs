//! What must hold between documents, beyond the form of each.

mod calendar;
mod channel;
mod ladder;
mod qa;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::config::coverage;
use crate::config::directory::Directory;
use crate::config::flow::{Flow, OnRetrigger, OutcomeSpec, Party};
use crate::config::read::{Document, Read, is_within};
use crate::config::source::Source;
use crate::config::{Config, Problem, SourceCheck, Versioned};
use crate::duration::Duration;
use crate::pattern::{self, Pattern};
use crate::time::Time;

/// Outcomes of one flow: a run with more would not fit an item of a few kilobytes.
const MAX_OUTCOMES: usize = 20;
/// Field, reason, mend.
pub(super) type Found = (String, String, String);

/// Every problem of `documents` as part of the configuration `next`. When some document could not be read at
/// all (`unread`), a name that nobody has may be in that one, and is no problem yet.
pub fn problems(
    next: &Config,
    documents: &[Read],
    unread: bool,
    check_source: SourceCheck<'_>,
    now: Time,
) -> Vec<Problem> {
    let people = next.people();
    let mut problems = Vec::new();
    for read in documents {
        let found = match &read.document {
            Document::Flow(flow) => {
                let mut found = FlowCheck { flow, config: next, people: &people, unread }.run(now);
                found.extend(calendar::problems_of_flow(flow, next, unread, now));
                found
            }
            Document::Source(source) => source_problems(source, check_source),
            Document::Calendar(calendar) => calendar::problems(calendar),
            Document::Directory(directory) => directory_problems(directory, &read.broken),
        };
        let fresh = found.into_iter().filter(|(field, ..)| !is_within(&read.broken, field));
        problems.extend(fresh.map(|(field, reason, mend)| read.problem(&field, reason, mend)));
    }
    if !unread {
        problems.extend(stranded(next, documents, &people, now));
        problems.extend(calendar::stranded(next, documents, now));
    }
    problems
}

/// Flows that are not in the files and that a new directory leaves without their people.
fn stranded(next: &Config, documents: &[Read], people: &Directory, now: Time) -> Vec<Problem> {
    let directory = documents.iter().find(|read| matches!(read.document, Document::Directory(_)));
    let Some(directory) = directory else { return Vec::new() };
    not_given(next, documents)
        .flat_map(|flow| {
            let found = FlowCheck { flow: &flow.document, config: next, people, unread: false }.run(now);
            found.into_iter().map(|(field, reason, mend)| {
                let reason = format!("flow `{}`, `{field}`: {reason}", flow.document.id);
                directory.problem("", reason, mend)
            })
        })
        .collect()
}

/// The stored flows that are not in the files.
fn not_given<'c>(next: &'c Config, documents: &[Read]) -> impl Iterator<Item = &'c Versioned<Flow>> {
    let given: BTreeSet<String> = documents
        .iter()
        .filter_map(|read| match &read.document {
            Document::Flow(flow) => Some(flow.id.clone()),
            Document::Source(_) | Document::Calendar(_) | Document::Directory(_) => None,
        })
        .collect();
    next.flows.values().filter(move |flow| !given.contains(&flow.document.id))
}

fn id_problem(field: String, id: &str) -> Option<Found> {
    let form = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let good = id.starts_with(form) && id.len() <= 63 && id.chars().all(|c| form(c) || c == '-');
    let mend = "use 1 to 63 lower-case letters, digits and hyphens, the first no hyphen".to_owned();
    (!good).then(|| (field, format!("`{id}` is not an id"), mend))
}

fn twice<'i>(field: &str, ids: impl Iterator<Item = &'i str>) -> Vec<Found> {
    let mut seen = BTreeSet::new();
    let at = |n: usize| format!("{field}[{n}].id");
    ids.enumerate()
        .flat_map(|(n, id)| {
            let again = (!seen.insert(id))
                .then(|| (at(n), format!("`{id}` is used twice"), "give each its own id".to_owned()));
            id_problem(at(n), id).into_iter().chain(again)
        })
        .collect()
}

fn source_problems(source: &Source, check: SourceCheck<'_>) -> Vec<Found> {
    let mut found: Vec<Found> = id_problem("id".to_owned(), &source.id).into_iter().collect();
    found.extend(check(source));
    found
}

fn directory_problems(directory: &Directory, broken: &BTreeSet<String>) -> Vec<Found> {
    let mut found = twice("people", directory.people.iter().map(|person| person.id.as_str()));
    found.extend(twice("roles", directory.roles.iter().map(|role| role.id.as_str())));
    found.extend(twice("channels", directory.channels.iter().map(|channel| channel.id.as_str())));
    for (n, person) in directory.people.iter().enumerate() {
        for (m, away) in person.away.iter().enumerate() {
            let at = format!("people[{n}].away[{m}]");
            let day = |text: &str| text.parse::<jiff::civil::Date>().ok().filter(|_| text.len() == 10);
            match (day(&away.from), day(&away.to)) {
                (Some(from), Some(to)) if from <= to => {}
                (Some(_), Some(_)) => {
                    found.push((at, "`to` is before `from`".to_owned(), "swap them".to_owned()));
                }
                (None, _) | (_, None) => {
                    let mend = "write two days, like `{from: 2026-12-20, to: 2027-01-03}`".to_owned();
                    found.push((at, "not a day".to_owned(), mend));
                }
            }
        }
    }
    for (n, role) in directory.roles.iter().enumerate() {
        for (m, member) in role.members.iter().enumerate() {
            if directory.person(member).is_none() {
                let reason = format!("there is no person `{member}`");
                found.push((format!("roles[{n}].members[{m}]"), reason, "add the person".to_owned()));
            }
        }
        if role.members.is_empty() {
            let mend = "name at least one person".to_owned();
            found.push((format!("roles[{n}].members"), format!("role `{}` is empty", role.id), mend));
        }
        let people: BTreeSet<&String> = role.members.iter().collect();
        if role.rotate.is_some() && people.len() < 2 {
            let reason = format!("role `{}` has nobody to take turns with", role.id);
            found.push((format!("roles[{n}].rotate"), reason, "name at least two people".to_owned()));
        }
    }
    for (n, of_channel) in directory.channels.iter().enumerate() {
        let at = format!("channels[{n}]");
        // What it needs is known once its kind is.
        if !is_within(broken, &format!("{at}.kind")) {
            found.extend(channel::problems(&at, of_channel));
        }
    }
    found
}

struct FlowCheck<'a> {
    flow: &'a Flow,
    config: &'a Config,
    people: &'a Directory,
    unread: bool,
}

impl FlowCheck<'_> {
    fn run(&self, now: Time) -> Vec<Found> {
        let flow = self.flow;
        let mut found: Vec<Found> = id_problem("id".to_owned(), &flow.id).into_iter().collect();
        found.extend(self.party("owner", &flow.owner));
        found.extend(self.party("backup_owner", &flow.backup_owner));
        if found.is_empty() && !self.unread {
            found.extend(coverage::problems(self.flow, self.people, now));
        }
        found.extend(self.trigger());
        found.extend(self.outcomes());
        found.extend(self.qa());
        for (field, steps) in ladder::given(flow) {
            found.extend(self.ladder(field, steps));
        }
        if flow.escalation.not_acknowledged.is_some() && flow.acknowledge.is_none() {
            let reason = "no step can be reached: nothing asks for an acknowledgement".to_owned();
            let mend = "add `acknowledge: {within: 4h}`, or remove the ladder".to_owned();
            found.push(("escalation.not_acknowledged".to_owned(), reason, mend));
        }
        if let Some(acknowledge) = &flow.acknowledge {
            found.extend(positive("acknowledge.within", acknowledge.within));
            found.extend(self.targets("acknowledge.notify", &acknowledge.notify));
            found.extend(
                acknowledge
                    .lease
                    .into_iter()
                    .flat_map(|lease| positive("acknowledge.lease", Duration::Elapsed(lease))),
            );
        }
        if let Some(expect) = &flow.expect {
            found.extend(positive("expect.at_least_every", expect.at_least_every));
        }
        if let Some(objective) = &flow.objective {
            found.extend(positive("objective.window", Duration::Elapsed(objective.window)));
        }
        if let Some(pause) = &flow.pause {
            found.extend(positive("pause.budget", Duration::Elapsed(pause.budget)));
        }
        if let Some(policy) = &flow.exceptions {
            found.extend(self.party("exceptions.owner", &policy.owner));
            found.extend(positive("exceptions.recovery_sla", policy.recovery_sla));
            found.extend(policy.channel.iter().filter_map(|id| self.channel("exceptions.channel", id)));
            for (kind, playbook) in &policy.playbooks {
                let at = format!("exceptions.playbooks.{kind}");
                found.extend(
                    playbook.owner.iter().flat_map(|owner| self.party(&format!("{at}.owner"), owner)),
                );
                let every = playbook.review_every.map(Duration::Elapsed);
                found.extend(
                    every.into_iter().flat_map(|every| positive(&format!("{at}.review_every"), every)),
                );
            }
        }
        found
    }

    /// A party must exist and somebody of it must be reachable.
    fn party(&self, field: &str, party: &Party) -> Vec<Found> {
        let members = self.people.members(party);
        let in_role = |id: &str| self.people.roles.iter().any(|role| role.id == id);
        let known = match party {
            Party::Role(id) => in_role(id), // without members: that is a problem of the directory
            Party::Person(_) => false,
        };
        let problem = if members.is_empty() && (known || self.unread) {
            return Vec::new();
        } else if members.is_empty() {
            let mend = "add it to the directory, or correct the name".to_owned();
            (format!("nobody is `{party}`: the directory does not have it"), mend)
        } else if !members.iter().any(|person| person.is_reachable()) {
            let mend = "give one of them an `email` or a `slack`".to_owned();
            (format!("nobody of `{party}` can be reached"), mend)
        } else {
            return Vec::new();
        };
        vec![(field.to_owned(), problem.0, problem.1)]
    }

    fn trigger(&self) -> Vec<Found> {
        let trigger = &self.flow.trigger;
        let mut found: Vec<Found> = self.source("trigger.source", &trigger.source).into_iter().collect();
        for (field, pattern) in
            [("trigger.match", Some(&trigger.matches)), ("trigger.cancel_on", trigger.cancel_on.as_ref())]
        {
            let Some(pattern) = pattern else { continue };
            found.extend(self.pattern(field, pattern));
            if pattern.names("source") {
                let reason = "the source is named already, by `trigger.source`".to_owned();
                found.push((field.to_owned(), reason, "leave `source` out of the pattern".to_owned()));
            }
            if pattern.paths().is_ok_and(|paths| !paths.is_empty()) {
                let reason = "a trigger pattern has nothing to fill `${…}` from".to_owned();
                found.push((field.to_owned(), reason, "write the value itself".to_owned()));
            }
        }
        if trigger.join_within.is_some() && trigger.on_retrigger != OnRetrigger::Join {
            let reason = "`join_within` has no effect: `on_retrigger` is not `join`".to_owned();
            found.push(("trigger.join_within".to_owned(), reason, "remove one of the two".to_owned()));
        }
        found
    }

    fn source(&self, field: &str, id: &str) -> Option<Found> {
        let mend = "add a `kind: Source` of that id, or correct the name".to_owned();
        (!self.unread && !self.config.sources.contains_key(id))
            .then(|| (field.to_owned(), format!("there is no source `{id}`"), mend))
    }

    fn pattern(&self, field: &str, pattern: &Pattern) -> Vec<Found> {
        let mut found: Vec<Found> = pattern
            .check()
            .err()
            .map(|error| (field.to_owned(), error.to_string(), "docs/FLOWS.md shows patterns".to_owned()))
            .into_iter()
            .collect();
        found.extend(pattern.sources().iter().filter_map(|id| self.source(field, id)));
        found
    }

    fn outcomes(&self) -> Vec<Found> {
        let outcomes = &self.flow.outcomes;
        let mut found = twice("outcomes", outcomes.iter().map(|outcome| outcome.id.as_str()));
        if outcomes.is_empty() || outcomes.len() > MAX_OUTCOMES {
            let reason = format!("a flow has 1 to {MAX_OUTCOMES} outcomes, this one {}", outcomes.len());
            found.push(("outcomes".to_owned(), reason, "say what must come true".to_owned()));
        }
        for (n, outcome) in outcomes.iter().enumerate() {
            found.extend(self.outcome(&format!("outcomes[{n}]"), outcome));
        }
        found.extend(cycle(outcomes));
        found
    }

    fn outcome(&self, at: &str, outcome: &OutcomeSpec) -> Vec<Found> {
        let mut found = positive(&format!("{at}.sla"), outcome.sla);
        found.extend(outcome.owner.iter().flat_map(|owner| self.party(&format!("{at}.owner"), owner)));
        for (m, before) in outcome.after.iter().enumerate() {
            if self.flow.outcome(before).is_none() {
                let reason = format!("there is no outcome `{before}`");
                found.push((
                    format!("{at}.after[{m}]"),
                    reason,
                    "name another outcome of this flow".to_owned(),
                ));
            }
        }
        let done_when = outcome.done_when.pattern();
        found.extend(done_when.iter().flat_map(|p| self.pattern(&format!("{at}.done_when"), p)));
        found.extend(outcome.failed_when.iter().flat_map(|p| self.pattern(&format!("{at}.failed_when"), p)));
        if let Some(request) = &outcome.request {
            found.extend(self.channel(&format!("{at}.request.channel"), &request.channel));
            if let Err(error) = pattern::paths(&request.payload) {
                let mend = "docs/FLOWS.md shows templates".to_owned();
                found.push((format!("{at}.request.payload"), error.to_string(), mend));
            }
        }
        found
    }

    fn channel(&self, field: &str, id: &str) -> Option<Found> {
        let mend = "add it to the directory's `channels`".to_owned();
        (!self.unread && self.people.channel(id).is_none())
            .then(|| (field.to_owned(), format!("there is no channel `{id}`"), mend))
    }
}

fn positive(field: &str, duration: Duration) -> Vec<Found> {
    if !duration.is_zero() {
        return Vec::new();
    }
    vec![(field.to_owned(), "this leaves no time at all".to_owned(), "write more than `0s`".to_owned())]
}

/// The first cycle among `after`.
fn cycle(outcomes: &[OutcomeSpec]) -> Option<Found> {
    let mut waits: BTreeMap<&str, BTreeSet<&str>> = outcomes
        .iter()
        .map(|outcome| (outcome.id.as_str(), outcome.after.iter().map(String::as_str).collect()))
        .collect();
    loop {
        let free: Vec<&str> = waits
            .iter()
            .filter(|(_, after)| !after.iter().any(|id| waits.contains_key(id)))
            .map(|(id, _)| *id)
            .collect();
        if free.is_empty() {
            break;
        }
        for id in free {
            waits.remove(id);
        }
    }
    let stuck = outcomes.iter().position(|outcome| waits.contains_key(outcome.id.as_str()))?;
    let names: Vec<&str> = waits.keys().copied().collect();
    let reason = format!("`{}` wait for each other", names.join("`, `"));
    Some((format!("outcomes[{stuck}].after"), reason, "break the circle".to_owned()))
}

impl Pattern {
    /// The sources that the pattern names as plain text.
    fn sources(&self) -> Vec<String> {
        let value = serde_json::to_value(self).unwrap_or_default();
        let alternatives = match value {
            Value::Array(any) => any,
            one @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_)) => {
                vec![one]
            }
        };
        let named = alternatives.iter().filter_map(|p| p.get("source")?.as_array()).flatten();
        named.filter_map(Value::as_str).map(str::to_owned).collect()
    }
}
