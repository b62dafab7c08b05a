//! What if: a run that was, decided again under another flow, calendar and directory.
//!
//! Pure, like all deciding: the same event and the same people's commands at the same moments, and a clock that is
//! looked at whenever something is due.

mod difference;
mod input;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::command::{Action, Command, Decision};
use crate::config::flow::{ExceptionKind, Flow, Ladder};
use crate::decide::{Context, decide, open};
use crate::event::Event;
use crate::parked::Parked;
use crate::pattern::PatternError;
use crate::record::{Custody, Fact, Record};
use crate::route::{self, Candidate, Router, Step};
use crate::run::{Exception, Run, Status};
use crate::time::Time;
use crate::view::{OutcomeView, RunView};
use input::Input;

/// A run as it is stored, with all that it was decided from.
#[derive(Debug, Clone, Copy)]
pub struct Life<'a> {
    /// The run.
    pub run: &'a Run,
    /// Its trail.
    pub trail: &'a [Record],
    /// The events about its subject that are still kept, oldest first.
    pub events: &'a [Event],
    /// The signals of its subject that waited for a trigger.
    pub parked: &'a [Parked],
    /// All runs of its subject, each with its flow version.
    pub runs: &'a [Candidate<'a>],
}

/// A run as it was, and as it would have been. It is looked at by itself: what other runs of its subject would have
/// taken from it, or left to it, is not.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Comparison {
    /// Its id.
    pub run: String,
    /// The asset.
    pub subject: String,
    /// Title of the asset, else of the flow.
    pub title: String,
    /// When its trigger took effect.
    pub opened_at: Time,
    /// How it was.
    pub was: Standing,
    /// How it would have been; absent when there would be no such run, or when its trigger is not kept any more.
    pub would_be: Option<Standing>,
    /// What people did and could not have done.
    pub skipped: Vec<Skipped>,
    /// Every difference, a sentence each.
    pub differences: Vec<String>,
}

/// Where a run stands, and who was told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Standing {
    /// Where it is in its life.
    pub status: Status,
    /// Whether every outcome was in time; absent while one is undecided.
    pub met: Option<bool>,
    /// In the order of the flow.
    pub outcomes: Vec<OutcomeView>,
    /// Ladder steps that fired, in order.
    pub escalations: Vec<Told>,
    /// Who owns it.
    pub owner: String,
    /// Who held it, in order, the owner last.
    pub custody: Vec<Custody>,
    /// How many exceptions were opened, by kind.
    pub exceptions: BTreeMap<ExceptionKind, usize>,
}

/// A ladder step that fired, and who was told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "LadderTold"))]
pub struct Told {
    /// Which ladder.
    pub ladder: Ladder,
    /// Which step, from 0.
    pub step: usize,
    /// The outcome, on the ladder `breached`, and on the ladder `recovery` where the exception is about one.
    pub outcome: Option<String>,
    /// The kind of the exception, on the ladder `recovery`.
    pub exception: Option<ExceptionKind>,
    /// When it fired.
    pub at: Time,
    /// Ids of the people and channels who were told; nobody while the flow was off.
    pub told: Vec<String>,
}

/// What somebody did, and could not have done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Skipped {
    /// When.
    pub at: Time,
    /// Who.
    pub by: String,
    /// The kind of record that it made: `outcome_done`.
    pub what: String,
    /// Why not.
    pub why: String,
}

/// What the runs come to together, as they were and as they would have been.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "WhatIfSummary"))]
pub struct Summary {
    /// Runs.
    pub runs: Pair,
    /// Runs that are met.
    pub met: Pair,
    /// Outcomes whose deadline passed without them.
    pub breaches: Pair,
    /// Ladder steps that fired.
    pub escalations: Pair,
    /// How often each person or channel was told by a ladder.
    pub told: BTreeMap<String, Pair>,
}

/// A number as it was, and as it would have been.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Pair {
    /// As it was.
    pub was: usize,
    /// As it would have been.
    pub would_be: usize,
}

/// Decides a life again in `context`, up to `now`.
///
/// # Errors
/// The flow's patterns cannot be matched; `plan` lets none through.
pub fn compare(life: Life<'_>, context: Context<'_>, now: Time) -> Result<Comparison, PatternError> {
    let was = Standing::of(life.run, life.trail);
    let router = Router::new([context.flow.document.as_ref()])?;
    let (would_be, skipped, differences) = match input::trigger(life) {
        None => {
            (None, Vec::new(), vec!["its trigger is not kept any more: it cannot be decided again".into()])
        }
        Some(trigger) if router.triggered(trigger)?.is_empty() => {
            (None, Vec::new(), vec![format!("`{}` would not have opened it", trigger.kind)])
        }
        Some(trigger) => {
            let mut again = Again::opened(life, context, router, trigger);
            again.lives(input::inputs(life, trigger), now)?;
            let would_be = Standing::of(&again.run, &again.trail);
            let differences = difference::sentences(&was, &would_be);
            (Some(would_be), again.skipped, differences)
        }
    };
    Ok(Comparison {
        run: life.run.run.clone(),
        subject: life.run.subject.clone(),
        title: life.run.title.clone(),
        opened_at: life.run.opened_at,
        was,
        would_be,
        skipped,
        differences,
    })
}

/// A run that is decided again.
struct Again<'a> {
    life: Life<'a>,
    context: Context<'a>,
    router: Router,
    run: Run,
    trail: Vec<Record>,
    skipped: Vec<Skipped>,
}

impl<'a> Again<'a> {
    fn opened(life: Life<'a>, context: Context<'a>, router: Router, trigger: &Event) -> Self {
        let at = life.trail.first().map_or(trigger.received_at, |record| record.at);
        let Decision { records, run } = open(context, trigger, at);
        Self { life, context, router, run, trail: records, skipped: Vec::new() }
    }

    /// Lives through `inputs`, with the clock looked at whenever something is due, up to `now`.
    fn lives(&mut self, inputs: Vec<(Time, Input<'_>)>, now: Time) -> Result<(), PatternError> {
        for (at, input) in inputs {
            // What is due at the very moment is for the input: it may be in time.
            self.ticks(|due| due < at);
            match input {
                Input::Event(event) => self.routed(event, at)?,
                // Over before the signal, or the tick: then it has nothing to say.
                Input::Command(command) => drop(self.gives(&command, at)),
                Input::Person(command, record) => self.person(command, record),
            }
        }
        self.ticks(|due| due <= now);
        Ok(())
    }

    fn ticks(&mut self, is_over: impl Fn(Time) -> bool) {
        while let Some((due, _)) = self.run.next_due().filter(|(due, _)| is_over(*due)) {
            let tick = input::tick();
            // INVARIANT: a tick at a due point makes a record (rule 12), so this ends.
            if self.gives(&tick, due).map_or(true, |records| records == 0) {
                return;
            }
        }
    }

    /// What `route` makes of the event, as far as it is about this run.
    fn routed(&mut self, event: &Event, at: Time) -> Result<(), PatternError> {
        let flow: &Flow = &self.context.flow.document;
        let triggered: Vec<&Flow> = self.router.triggered(event)?.iter().map(|_| flow).collect();
        let candidate = Candidate { run: &self.run, flow };
        for step in route::steps(event, &triggered, &[candidate]) {
            match step {
                // A run of its own, which is decided again by itself.
                Step::Open { .. } => {}
                Step::Command { command, .. } => drop(self.gives(&command, at)),
            }
        }
        Ok(())
    }

    fn person(&mut self, mut command: Command, record: &Record) {
        let possible = if let Action::ResolveException { exception, .. } = &mut command.action {
            self.resolvable(exception)
        } else {
            Ok(())
        };
        let done = possible.and_then(|()| self.gives(&command, record.at));
        if let Err(why) = done {
            let (by, what) = (record.actor.id.clone(), record.fact.kind().to_owned());
            self.skipped.push(Skipped { at: record.at, by, what, why });
        }
    }

    /// Puts the id that an exception has here in the place of the one it had: they are made of sequence numbers. It is
    /// the open one of the same kind about the same thing, rather one that was opened at the same moment.
    fn resolvable(&self, id: &mut String) -> Result<(), String> {
        let had = self.life.run.exceptions.iter().find(|exception| exception.id == *id);
        let had = had.ok_or_else(|| format!("there is no exception `{id}`"))?;
        let about = |it: &Exception| (it.kind, it.outcome.clone(), it.check.clone());
        let here = self.run.open_exceptions().filter(|here| about(here) == about(had));
        let here = here.min_by_key(|here| here.opened_at != had.opened_at);
        let kind = difference::word(&had.kind);
        here.ok_or_else(|| format!("no exception `{kind}` is open")).map(|here| id.clone_from(&here.id))
    }

    /// How many records the command made.
    fn gives(&mut self, command: &Command, at: Time) -> Result<usize, String> {
        let decision = decide(&self.run, self.context, command, at).map_err(|refused| refused.to_string())?;
        let made = decision.records.len();
        self.trail.extend(decision.records);
        self.run = decision.run;
        Ok(made)
    }
}

impl Standing {
    fn of(run: &Run, trail: &[Record]) -> Self {
        let mut exceptions = BTreeMap::new();
        for exception in &run.exceptions {
            *exceptions.entry(exception.kind).or_insert(0) += 1;
        }
        Self {
            status: run.status,
            met: run.met(),
            outcomes: RunView::of(run, run.last_at).without_clocks().outcomes,
            escalations: trail.iter().filter_map(|record| Told::of(run, record)).collect(),
            owner: run.owner.id.clone(),
            custody: run.custody(),
            exceptions,
        }
    }

    fn breaches(&self) -> usize {
        self.outcomes.iter().filter(|outcome| outcome.breached_at.is_some()).count()
    }
}

impl Told {
    fn of(run: &Run, record: &Record) -> Option<Self> {
        let Fact::Escalated(fired) = &record.fact else { return None };
        // The id of an exception counts records, which another life has others of.
        let exception = run.exceptions.iter().find(|it| Some(&it.id) == fired.exception.as_ref());
        let told = fired.notify.iter().filter(|_| !record.suppressed).map(|who| who.id.clone());
        Some(Self {
            ladder: fired.ladder,
            step: fired.step,
            outcome: fired.outcome.clone().or_else(|| exception?.outcome.clone()),
            exception: exception.map(|exception| exception.kind),
            at: record.at,
            told: told.collect(),
        })
    }
}

impl Summary {
    /// What these comparisons come to. Those that cannot be decided again count as they were only.
    pub fn of(comparisons: &[Comparison]) -> Self {
        let mut sum = Self::default();
        for comparison in comparisons {
            sum.add(&comparison.was, |pair| &mut pair.was);
            if let Some(would_be) = &comparison.would_be {
                sum.add(would_be, |pair| &mut pair.would_be);
            }
        }
        sum
    }

    fn add(&mut self, standing: &Standing, side: impl Fn(&mut Pair) -> &mut usize) {
        *side(&mut self.runs) += 1;
        *side(&mut self.met) += usize::from(standing.met == Some(true));
        *side(&mut self.breaches) += standing.breaches();
        *side(&mut self.escalations) += standing.escalations.len();
        for who in standing.escalations.iter().flat_map(|fired| &fired.told) {
            *side(self.told.entry(who.clone()).or_default()) += 1;
        }
    }
}
