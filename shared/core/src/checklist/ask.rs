//! The questions, one function each.

use std::collections::BTreeSet;

use super::{Answer, Evidence, Example, Item, OutcomeView, Question, Report, Trigger, TriggerView, Verdict};
use crate::config::directory::Directory;
use crate::config::flow::{DoneWhen, ExceptionKind, Flow};
use crate::record::{Actor, ActorKind, Fact, Record};
use crate::run::{Exception, OutcomeStatus, Run};
use crate::time::Time;

/// Examples of one answer.
const MAX_EXAMPLES: usize = 3;

/// A trigger of which something is asked.
type Asked<'a> = (Trigger<'a>, &'a TriggerView);

/// One thing that was looked at: whether it is as it should be, where that can be said.
struct Case {
    is_right: Option<bool>,
    example: Example,
}

impl Case {
    fn of_run(run: &Run, is_right: Option<bool>, at: Time, what: String) -> Self {
        let trail = Some(format!("/v1/runs/{}/audit", run.run));
        let (run, subject) = (Some(run.run.clone()), Some(run.subject.clone()));
        Self { is_right, example: Example { run, subject, at, what, trail } }
    }
}

impl Item {
    /// The answer that the cases come to: one that is wrong is enough to fail, one that is right to pass.
    fn of(check: Question, cases: Vec<Case>, sentence: String) -> Self {
        let count = |wanted: Option<bool>| cases.iter().filter(|case| case.is_right == wanted).count();
        let (passed, failed, undecided) = (count(Some(true)), count(Some(false)), count(None));
        let status = match (passed, failed) {
            (_, 1..) => Answer::Fail,
            (1.., 0) => Answer::Pass,
            (0, 0) => Answer::Unknown,
        };
        let shown = if failed > 0 { Some(false) } else { None };
        let examples = cases.into_iter().filter(|case| case.is_right == shown);
        let examples = examples.map(|case| case.example).collect();
        Self { check, status, sentence, passed, failed, undecided, examples }
    }

    fn with_few_examples(mut self) -> Self {
        self.examples.truncate(MAX_EXAMPLES);
        self
    }
}

/// `3 met, 1 missed`, of those that are any.
fn counted(counts: &[(usize, &str)]) -> String {
    let some = counts.iter().filter(|(n, _)| *n > 0).map(|(n, word)| format!("{n} {word}"));
    some.collect::<Vec<_>>().join(", ")
}

fn of_last(triggers: usize) -> String {
    match triggers {
        1 => "of the last trigger".to_owned(),
        n => format!("of the last {n} triggers"),
    }
}

/// Nothing can be said where nothing was triggered.
fn nothing(check: Question) -> Item {
    Item::of(check, Vec::new(), "no trigger of which this can be asked".to_owned())
}

/// Are owner and backup there today, and two people?
pub(super) fn people(flow: &Flow, directory: &Directory, now: Time) -> Item {
    let owner = directory.on_duty(&flow.owner, now, None);
    let backup = directory.on_duty(&flow.backup_owner, now, owner.map(|person| person.id.as_str()));
    let missing = |party, what: &str| format!("{what} of `{party}` is there and can be reached today");
    let parts = [
        (owner, missing(&flow.owner, "nobody")),
        (backup, missing(&flow.backup_owner, if owner.is_some() { "nobody else" } else { "nobody" })),
    ];
    let sentence = match (owner, backup) {
        (Some(owner), Some(backup)) => {
            format!(
                "`{}` is there for `{}`, `{}` for `{}`",
                owner.id, flow.owner, backup.id, flow.backup_owner
            )
        }
        (None, Some(_)) | (Some(_), None) | (None, None) => {
            let gone = parts.iter().filter(|(person, _)| person.is_none()).map(|(_, what)| what.as_str());
            gone.collect::<Vec<_>>().join("; ")
        }
    };
    let cases = parts.map(|(person, what)| Case {
        is_right: Some(person.is_some()),
        example: Example { run: None, subject: None, at: now, what, trail: None },
    });
    Item::of(Question::People, cases.into(), sentence)
}

/// Were the outcomes of the last triggers met?
pub(super) fn outcomes(all: &[TriggerView], asked: &[Asked<'_>]) -> Item {
    let count = |verdict| all.iter().filter(|view| view.verdict == verdict).count();
    let sentence = match all.len() {
        0 => "no trigger has come yet".to_owned(),
        n => {
            let counts = counted(&[
                (count(Verdict::Met), "met"),
                (count(Verdict::Missed), "missed"),
                (count(Verdict::Pending), "pending"),
                (count(Verdict::Cancelled), "cancelled"),
                (count(Verdict::Suppressed), "suppressed"),
            ]);
            format!("{}: {counts}", of_last(n))
        }
    };
    let cases = asked.iter().map(|(trigger, view)| {
        let is_right = view.verdict.is_met();
        let such: Vec<&OutcomeView> =
            view.outcomes.iter().filter(|outcome| outcome.verdict.is_met() == is_right).collect();
        let what: Vec<String> = such.iter().map(|outcome| standing(outcome)).collect();
        let at = such.iter().filter_map(|outcome| outcome.due_at).min();
        Case::of_run(trigger.run, is_right, at.unwrap_or(view.opened_at), what.join("; "))
    });
    Item::of(Question::Outcomes, cases.collect(), sentence).with_few_examples()
}

fn standing(outcome: &OutcomeView) -> String {
    match (outcome.verdict.is_met(), outcome.due_at) {
        (Some(true), _) => format!("`{}` was in time", outcome.id),
        (Some(false), Some(due_at)) => format!("`{}` was due {due_at}", outcome.id),
        (Some(false), None) => format!("`{}` never started", outcome.id),
        (None, _) => format!("`{}` is not due", outcome.id),
    }
}

/// Was routing QA a part of each, and reported?
pub(super) fn routing_qa(flow: &Flow, asked: &[Asked<'_>]) -> Item {
    if flow.qa.as_ref().is_none_or(|qa| qa.routing.is_empty()) {
        let sentence = "the flow asks for no routing QA".to_owned();
        return Item::of(Question::RoutingQa, Vec::new(), sentence);
    }
    if asked.is_empty() {
        return nothing(Question::RoutingQa);
    }
    let cases: Vec<Case> = asked.iter().map(|(trigger, view)| routing_case(trigger.run, view)).collect();
    let reports: Vec<Report> =
        asked.iter().flat_map(|(_, view)| &view.routing_qa).map(|check| check.report).collect();
    let count = |report| reports.iter().filter(|it| **it == report).count();
    let without = asked.iter().filter(|(_, view)| view.routing_qa.is_empty()).count();
    let counts = counted(&[
        (count(Report::Passed), "passed"),
        (count(Report::PassedLate), "passed late"),
        (count(Report::Failed), "failed"),
        (count(Report::NeverReported), "never reported"),
        (count(Report::Pending), "pending"),
        (without, "without any"),
    ]);
    let sentence = format!("routing checks {}: {counts}", of_last(asked.len()));
    Item::of(Question::RoutingQa, cases, sentence).with_few_examples()
}

fn routing_case(run: &Run, view: &TriggerView) -> Case {
    let reports: Vec<(Option<bool>, String)> = view
        .routing_qa
        .iter()
        .map(|check| match check.report {
            Report::Passed | Report::PassedLate => (Some(true), format!("`{}` passed", check.id)),
            Report::Failed => (Some(false), format!("`{}` failed", check.id)),
            Report::NeverReported => (Some(false), format!("`{}` was never reported", check.id)),
            Report::Pending => (None, format!("`{}` is not due", check.id)),
        })
        .collect();
    let all = |wanted| reports.iter().all(|(is_right, _)| *is_right == wanted);
    let is_right = if reports.is_empty() || reports.iter().any(|(is_right, _)| *is_right == Some(false)) {
        Some(false)
    } else {
        all(Some(true)).then_some(true)
    };
    let such = reports.into_iter().filter(|(it, _)| *it == is_right).map(|(_, what)| what);
    let what = match view.routing_qa.is_empty() {
        true => format!("version {} of the flow asked for none", run.flow_version),
        false => such.collect::<Vec<_>>().join("; "),
    };
    let at = view.routing_qa.iter().filter_map(|check| check.due_at).min();
    Case::of_run(run, is_right, at.unwrap_or(run.opened_at), what)
}

/// Did both systems speak: the trigger's, and the one that each verified outcome names? It cannot be said before an event
/// has verified something.
pub(super) fn both_systems(asked: &[Asked<'_>]) -> Item {
    if asked.is_empty() {
        return nothing(Question::BothSystems);
    }
    let cases: Vec<Case> = asked
        .iter()
        .map(|(trigger, view)| {
            let silent = silent_systems(trigger);
            let is_verified = |record: &Record| {
                matches!(record.fact, Fact::OutcomeDone(_)) && record.actor.kind == ActorKind::Source
            };
            let is_right = match silent.is_empty() {
                true => trigger.trail.iter().any(is_verified).then_some(true),
                false => Some(false),
            };
            let what = match is_right {
                Some(_) => silent.join("; "),
                None => format!("only events of {} so far", view.systems.join(", ")),
            };
            Case::of_run(trigger.run, is_right, trigger.run.opened_at, what)
        })
        .collect();
    let count = |wanted| cases.iter().filter(|case| case.is_right == wanted).count();
    let counts = counted(&[
        (count(Some(true)), "with an event of each"),
        (count(Some(false)), "with one missing"),
        (count(None), "with no outcome verified by an event so far"),
    ]);
    let sentence = format!("{}: {counts}", of_last(asked.len()));
    Item::of(Question::BothSystems, cases, sentence).with_few_examples()
}

/// The events that should stand in the trail and do not: the trigger's, and for each verified outcome one of a source that
/// its pattern names.
fn silent_systems(trigger: &Trigger<'_>) -> Vec<String> {
    let Trigger { run, flow, trail } = *trigger;
    let is_from = |actor: &Actor, sources: &BTreeSet<&str>| {
        actor.kind == ActorKind::Source && sources.contains(actor.id.as_str())
    };
    let source = BTreeSet::from([flow.trigger.source.as_str()]);
    let opened =
        |record: &Record| matches!(record.fact, Fact::RunOpened(_)) && is_from(&record.actor, &source);
    let mut silent = Vec::new();
    if !trail.iter().any(opened) {
        silent.push(format!("no trigger of {}", flow.trigger.source));
    }
    let done = run.outcomes.iter().filter(|outcome| outcome.status == OutcomeStatus::Done);
    for outcome in done {
        let spec = flow.outcomes.iter().find(|spec| spec.id == outcome.id);
        let named = match spec.map(|spec| &spec.done_when) {
            Some(DoneWhen::Event(pattern)) => pattern.texts("source"),
            Some(DoneWhen::Manual) | None => BTreeSet::new(),
        };
        let is_of_it = |fact: &Fact| matches!(fact, Fact::OutcomeDone(done) if done.outcome == outcome.id);
        let verified = trail.iter().any(|record| is_of_it(&record.fact) && is_from(&record.actor, &named));
        if !named.is_empty() && !verified {
            let named: Vec<&str> = named.into_iter().collect();
            silent.push(format!("`{}` is done without an event of {}", outcome.id, named.join(" or ")));
        }
    }
    silent
}

/// Are exceptions resolved in time?
pub(super) fn exceptions(evidence: Evidence<'_>, now: Time) -> Item {
    let late = |recovery_due_at: Time| if recovery_due_at <= now { Some(false) } else { None };
    let words = |id: &str, kind: ExceptionKind, owner: &str, due_at: Time| {
        format!("`{kind}` {id} is with {owner}, to be resolved by {due_at}")
    };
    let of_run = |run: &Run, it: &Exception| {
        let what = words(&it.id, it.kind, &it.owner, it.recovery_due_at);
        Case::of_run(run, late(it.recovery_due_at), it.recovery_due_at, what)
    };
    let runs = evidence.excepted.iter().filter(|run| !run.suppressed);
    let mut cases: Vec<Case> = runs.flat_map(|run| run.open_exceptions().map(|it| of_run(run, it))).collect();
    let flow = &evidence.flow.id;
    cases.extend(evidence.of_flow.iter().filter(|it| it.is_open()).map(|it| {
        let trail = format!("/v1/audit?flow={flow}&day={}", it.opened_at.day());
        let what = words(&it.id, it.kind, &it.owner, it.recovery_due_at);
        let example = Example { run: None, subject: None, at: it.recovery_due_at, what, trail: Some(trail) };
        Case { is_right: late(it.recovery_due_at), example }
    }));
    cases.sort_by_key(|case| case.example.at);
    let (open, past) = (cases.len(), cases.iter().filter(|case| case.is_right == Some(false)).count());
    let least = if evidence.has_more_excepted { "at least " } else { "" };
    let sentence = match open {
        0 => "none is open".to_owned(),
        _ => format!("{least}{open} open, {past} of them past the recovery deadline"),
    };
    let item = Item::of(Question::Exceptions, cases, sentence).with_few_examples();
    Item { status: if open == 0 { Answer::Pass } else { item.status }, ..item }
}

/// Is there an exception for every outcome that was missed? All that lack one are named.
pub(super) fn misses_explained(asked: &[Asked<'_>]) -> Item {
    if asked.is_empty() {
        return nothing(Question::MissesExplained);
    }
    let missed = asked.iter().flat_map(|(trigger, view)| {
        let missed = view.outcomes.iter().filter(|outcome| outcome.verdict == Verdict::Missed);
        missed.map(|outcome| {
            let what = format!("`{}` was missed, and there is no exception about it", outcome.id);
            let at = outcome.due_at.unwrap_or(view.opened_at);
            Case::of_run(trigger.run, Some(outcome.exception.is_some()), at, what)
        })
    });
    let cases: Vec<Case> = missed.collect();
    let without = cases.iter().filter(|case| case.is_right == Some(false)).count();
    let sentence = match cases.len() {
        0 => "no outcome was missed".to_owned(),
        n => format!("{n} missed, {without} of them without an exception"),
    };
    let item = Item::of(Question::MissesExplained, cases, sentence);
    Item { status: if without == 0 { Answer::Pass } else { Answer::Fail }, ..item }
}
