//! Monday: the checklist of a flow is sent to its owner once a week, what it finds without an exception gets one, and
//! whether it arrived is looked at an hour later.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::checklist::{Answer, Checklist, Item, Question};
use crate::config::calendar::Calendar;
use crate::config::directory::Directory;
use crate::config::flow::{ExceptionKind, Flow};
use crate::decide::{self, recipient};
use crate::delivery::{Delivery, DeliveryResult};
use crate::duties::{Deed, Duties};
use crate::flow_exception::FlowException;
use crate::record::{Checked, ChecklistSent, ExceptionResolved, Recipient};
use crate::report::Late;
use crate::time::{Span, Time};
use crate::week::Week;

/// How long after it was sent somebody must have the checklist: any receiver is given up within half an hour.
const DELIVERED_WITHIN: Span = Span::hours(1);

/// Cases that an exception names.
const MAX_SHOWN: usize = 3;

/// How far the Mondays of a flow have been told.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Monday {
    /// The week whose checklist was sent last; absent until the clock first looks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub week: Option<Week>,
    /// The message of which it is still to be seen whether it arrived.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent: Option<Sent>,
    /// The exceptions about what the checklist found, each until the question is answered well again.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub found: BTreeMap<Question, Found>,
    /// Id of the exception about a checklist that nobody got, until one arrives.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undelivered: Option<String>,
}

/// A checklist on its way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sent {
    /// When it was sent.
    pub at: Time,
    /// Sequence number of its record in the flow's trail.
    pub message: u64,
}

/// An exception about what the checklist found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// Its id.
    pub exception: String,
    /// The newest case that it is about: only a newer one opens another.
    pub at: Time,
}

/// What the clock needs to see before it can say what is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// Nothing: no Monday has come.
    Nothing,
    /// What became of the message of that record.
    Deliveries(u64),
    /// The checklist, and what was late from the first instant to the second.
    Findings(Time, Time),
}

/// What it is shown.
#[derive(Debug, Clone)]
pub enum Shown<'a> {
    /// Nothing was wanted.
    Nothing,
    /// What was recorded about the message.
    Deliveries(&'a [Delivery]),
    /// How the flow stands.
    Findings(&'a Checklist, Option<&'a Late>),
    /// Why that cannot be said, however often it is asked.
    Unknowable(String),
}

/// A flow and those around it, as they are at a moment.
#[derive(Debug, Clone, Copy)]
pub struct Scene<'a> {
    /// The flow in force.
    pub flow: &'a Flow,
    /// Its calendar.
    pub calendar: Option<&'a Calendar>,
    /// Who there is.
    pub directory: &'a Directory,
    /// Every exception of the flow itself.
    pub exceptions: &'a [FlowException],
    /// The moment.
    pub now: Time,
}

impl Monday {
    /// What is to be seen at `scene.now`.
    pub fn wanted(&self, scene: Scene<'_>) -> Wanted {
        let zone = scene.zone();
        let week = Week::due(&zone, scene.now);
        match (&self.sent, self.week) {
            (Some(sent), _) if sent.at + DELIVERED_WITHIN <= scene.now => Wanted::Deliveries(sent.message),
            (_, Some(last)) if last < week && scene.flow.enabled => {
                Wanted::Findings(week.before().begins(&zone), week.begins(&zone))
            }
            (_, _) => Wanted::Nothing,
        }
    }

    /// When the clock must look again.
    fn next_due_at(&self, scene: Scene<'_>) -> Time {
        let zone = scene.zone();
        let next = self.week.map_or(scene.now, |week| week.next().due_at(&zone));
        self.sent.as_ref().map_or(next, |sent| next.min(sent.at + DELIVERED_WITHIN))
    }

    /// Says that the checklist of the week that was due is now the record `message` of the flow's trail.
    pub fn mark_sent(&mut self, at: Time, message: u64) {
        self.sent = Some(Sent { at, message });
    }

    /// What is to be done about what is `shown`, one thing at a time, and how the Mondays stand then.
    fn look(mut self, scene: Scene<'_>, shown: &Shown<'_>) -> (Self, Option<Deed>) {
        let due = Week::due(&scene.zone(), scene.now);
        let deed = match shown {
            Shown::Nothing => {
                // A flow that is new has had no week yet, and nobody is told of one that is off.
                self.week = Some(self.week.map_or(due, |week| week.max(due)));
                None
            }
            Shown::Deliveries(deliveries) => self.arrived(scene, deliveries),
            Shown::Unknowable(why) => {
                self.week = Some(due);
                self.missing(scene, due, format!("it could not be made: {why}"))
            }
            Shown::Findings(checklist, late) => match self.case(scene, due, checklist) {
                Some(deed) => Some(deed),
                None => {
                    self.week = Some(due);
                    Some(Deed::Tell(Box::new(scene.told(due, checklist, *late))))
                }
            },
        };
        (self, deed)
    }

    /// The first exception that the checklist opens or resolves.
    fn case(&mut self, scene: Scene<'_>, week: Week, checklist: &Checklist) -> Option<Deed> {
        checklist.checks.iter().find_map(|item| {
            let found = self.found.get(&item.check);
            let is_open = found.is_some_and(|found| scene.is_open(&found.exception));
            if item.status == Answer::Pass {
                let exception = self.found.remove(&item.check)?.exception;
                let resolution = format!("the checklist of {week} finds it right: {}", item.sentence);
                return is_open.then_some(Deed::Resolve(ExceptionResolved {
                    exception,
                    resolution,
                    evidence: None,
                }));
            }
            let case = Case::of(scene, item)?;
            if is_open || found.is_some_and(|found| case.at <= found.at) {
                return None;
            }
            let exception = format!("checklist_failed-{}-{week}", item.check.as_str());
            self.found.insert(item.check, Found { exception: exception.clone(), at: case.at });
            Some(scene.opens(ExceptionKind::ChecklistFailed, exception, case.expected, case.seen))
        })
    }

    /// What follows from what became of the message.
    fn arrived(&mut self, scene: Scene<'_>, deliveries: &[Delivery]) -> Option<Deed> {
        self.sent = None;
        if deliveries.iter().any(|it| matches!(it.result, DeliveryResult::Succeeded { .. })) {
            let exception = self.undelivered.take().filter(|id| scene.is_open(id))?;
            let resolution = "a checklist arrived".to_owned();
            return Some(Deed::Resolve(ExceptionResolved { exception, resolution, evidence: None }));
        }
        let failed = deliveries.iter().filter_map(|it| {
            let DeliveryResult::Failed { to, error, .. } = &it.result else { return None };
            Some(format!("{to} was not reached: {error}"))
        });
        let failed: Vec<String> = failed.collect();
        let seen = match failed.is_empty() {
            true => "it is recorded of nobody that they got it".to_owned(),
            false => failed.join("; "),
        };
        let week = self.week?;
        self.missing(scene, week, seen)
    }

    /// The exception that nobody has the checklist, unless the one about an earlier week is open.
    fn missing(&mut self, scene: Scene<'_>, week: Week, seen: String) -> Option<Deed> {
        if self.undelivered.as_ref().is_some_and(|id| scene.is_open(id)) {
            return None;
        }
        let exception = format!("checklist_undelivered-{week}");
        self.undelivered = Some(exception.clone());
        let within = DELIVERED_WITHIN;
        let expected = format!("the checklist of {week} to reach `{}` within {within}", scene.flow.owner);
        Some(scene.opens(ExceptionKind::ChecklistUndelivered, exception, expected, seen))
    }
}

impl Duties {
    /// Looks at Monday, once nothing else is to be done: the duties afterwards, and the first thing that is to be done.
    pub fn on_monday(self, scene: Scene<'_>, shown: &Shown<'_>) -> (Self, Option<Deed>) {
        let (monday, deed) = self.monday.look(scene, shown);
        let due_at = if deed.is_some() { scene.now } else { monday.next_due_at(scene) };
        let next_due_at = Some(self.next_due_at.map_or(due_at, |other| other.min(due_at)));
        (Self { monday, next_due_at, ..self }, deed)
    }
}

impl Scene<'_> {
    /// The flow's zone: its calendar's, or UTC.
    fn zone(&self) -> TimeZone {
        self.calendar.map_or(TimeZone::UTC, |calendar| calendar.timezone.rules().clone())
    }

    fn is_open(&self, exception: &str) -> bool {
        self.exceptions.iter().any(|it| it.id == exception && it.is_open())
    }

    fn opens(&self, kind: ExceptionKind, id: String, expected: String, seen: String) -> Deed {
        let Self { flow, calendar, directory, now, .. } = *self;
        let about = (expected, seen);
        Deed::Open(Box::new(decide::exception_of_flow(flow, calendar, directory, kind, id, about, now)))
    }

    /// The owner on duty, else the backup.
    fn told(&self, week: Week, checklist: &Checklist, late: Option<&Late>) -> ChecklistSent {
        let on_duty = |party| self.directory.on_duty(party, self.now, None);
        let person = on_duty(&self.flow.owner).or_else(|| on_duty(&self.flow.backup_owner));
        let notify: Vec<Recipient> = person.map(recipient).into_iter().collect();
        let checks = checklist.checks.iter().map(|item| Checked {
            check: item.check,
            status: item.status,
            sentence: item.sentence.clone(),
        });
        ChecklistSent {
            week,
            due_at: week.due_at(&self.zone()),
            checks: checks.collect(),
            late: late.cloned(),
            notify,
            title: self.flow.title.clone(),
        }
    }
}

/// What the checklist found that nothing stands for yet.
struct Case {
    expected: String,
    seen: String,
    /// Since when there is the newest of it.
    at: Time,
}

impl Case {
    /// What deserves an exception of an answer; `None` where each case has one of its own.
    fn of(scene: Scene<'_>, item: &Item) -> Option<Self> {
        if item.status != Answer::Fail {
            return None;
        }
        let Flow { owner, backup_owner, .. } = scene.flow;
        let expected = match item.check {
            Question::People => format!("somebody of `{owner}` to be there, and another of `{backup_owner}`"),
            Question::BothSystems => "an event of each system in the records of each trigger".to_owned(),
            Question::MissesExplained => "an exception about each outcome that was missed".to_owned(),
            Question::Outcomes | Question::RoutingQa | Question::Exceptions => return None,
        };
        let has_own = |run: Option<&str>| {
            scene.exceptions.iter().filter(|it| it.is_open()).any(|it| match run {
                Some(run) => it.id == run, // the run that cannot be processed
                None => it.kind == ExceptionKind::OwnershipGap,
            })
        };
        let cases: Vec<_> = item.examples.iter().filter(|it| !has_own(it.run.as_deref())).collect();
        let at = cases.iter().map(|case| case.at).max()?;
        let shown = cases.iter().take(MAX_SHOWN).map(|case| match &case.run {
            Some(run) => format!("{run}: {}", case.what),
            None => case.what.clone(),
        });
        let shown: Vec<String> = shown.collect();
        Some(Self { expected, seen: format!("{}: {}", item.sentence, shown.join("; ")), at })
    }
}
