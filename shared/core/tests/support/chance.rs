//! Chance: small flows, and sequences of everything that can happen to a run of one, with the clock going
//! forth and, now and then, back.

use std::sync::Arc;

use meshline_core::alert::Matter;
use meshline_core::command::{Action, Command, Decision, Rejection};
use meshline_core::config::Versioned;
use meshline_core::config::calendar::Calendar;
use meshline_core::config::directory::{ChannelKind, Directory};
use meshline_core::config::flow::{ExceptionKind, Flow};
use meshline_core::decide::{Context, decide, open};
use meshline_core::delivery::{Delivery, DeliveryResult};
use meshline_core::event::Event;
use meshline_core::record::{Actor, Record};
use meshline_core::run::Run;
use meshline_core::time::{Span, Time};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{applied, at, event, publish};

/// Who is in the directory of every world; `eve` cannot be reached.
const PEOPLE: [&str; 5] = ["ana", "ben", "cara", "dan", "eve"];

/// The checks that a flow may have, two of content and one of routing; an event of that name passes each.
const CHECKS: [&str; 3] = ["c0", "c1", "r0"];

/// A run and all that happened to it.
#[derive(Debug, Clone)]
pub(crate) struct World {
    pub(crate) flow: Versioned<Flow>,
    pub(crate) calendar: Option<Versioned<Calendar>>,
    pub(crate) directory: Directory,
    pub(crate) run: Run,
    pub(crate) trail: Vec<Record>,
    pub(crate) steps: Vec<Step>,
    pub(crate) now: Time,
}

/// One command that was given, and what came of it.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    pub(crate) before: Run,
    pub(crate) command: Command,
    pub(crate) now: Time,
    pub(crate) result: Result<Decision, Rejection>,
}

/// What happens, before it is known to which run; numbers pick among what there is.
#[derive(Debug, Clone)]
pub(crate) enum Happening {
    Signal { outcome: usize, failed: bool, id: u8, ago: i64 },
    Checked { check: usize, id: u8, ago: i64 },
    Again(usize),
    Retrigger(u8),
    Tick,
    TickWhenDue,
    Acknowledge(usize),
    Reassign(usize),
    Complete(usize),
    Fail(usize),
    PassCheck(usize),
    FailCheck(usize),
    OpenException(Option<usize>),
    Resolve(usize),
    Pause,
    Resume,
    Note,
    Delivered { message: u64, failed: bool, outcome: Option<usize> },
    Alerted { message: u64, matter: usize },
    Cancel,
    Close,
}

/// Something that happens `wait` minutes after what was before it, with an idempotency key or without.
pub(crate) type Move = (i64, Option<u8>, Happening);

fn happening() -> impl Strategy<Value = Happening> {
    use Happening::*;
    prop_oneof![
        6 => (0..5_usize, prop::bool::weighted(0.25), 0..40_u8, 0..25_i64)
            .prop_map(|(outcome, failed, id, ago)| Signal { outcome, failed, id, ago }),
        2 => (0..CHECKS.len(), 0..40_u8, 0..25_i64).prop_map(|(check, id, ago)| Checked { check, id, ago }),
        2 => (0..20_usize).prop_map(Again),
        1 => (0..9_u8).prop_map(Retrigger),
        3 => Just(Tick),
        5 => Just(TickWhenDue),
        2 => (0..5_usize).prop_map(Acknowledge),
        2 => (0..5_usize).prop_map(Reassign),
        2 => (0..5_usize).prop_map(Complete),
        1 => (0..5_usize).prop_map(Fail),
        2 => (0..3_usize).prop_map(PassCheck),
        1 => (0..3_usize).prop_map(FailCheck),
        1 => prop::option::of(0..5_usize).prop_map(OpenException),
        2 => (0..4_usize).prop_map(Resolve),
        3 => Just(Pause),
        2 => Just(Resume),
        2 => Just(Note),
        1 => prop::bool::weighted(0.2).prop_map(|end| if end { Cancel } else { Note }),
        2 => (1..9_u64, any::<bool>(), prop::option::of(0..5_usize))
            .prop_map(|(message, failed, outcome)| Delivered { message, failed, outcome }),
        2 => (1..30_u64, 0..10_usize).prop_map(|(message, matter)| Alerted { message, matter }),
        1 => Just(Close),
    ]
}

pub(crate) fn moves() -> impl Strategy<Value = Vec<Move>> {
    let wait = prop_oneof![6 => 0..90_i64, 3 => 0..3_000_i64, 1 => -300..0_i64];
    prop::collection::vec((wait, prop::option::weighted(0.2, 0..6_u8), happening()), 0..25)
}

fn outcome(n: usize, sla: i64, after: u8, manual: bool, warned: bool) -> Value {
    let mut outcome = json!({
        "id": format!("o{n}"), "sla": format!("{sla}m"),
        "after": (0..n).filter(|m| after >> m & 1 == 1).map(|m| format!("o{m}")).collect::<Vec<_>>(),
        "done_when": if manual { json!("manual") } else { json!({"data": {"p": [format!("o{n}")]}}) },
        "failed_when": {"data": {"p": [format!("o{n}-failed")]}},
    });
    if warned {
        outcome["warn_at"] = json!("75%");
    }
    outcome
}

/// A ladder with its steps' minutes counted by `unit`.
fn counted(ladder: Option<Value>, unit: &str) -> Option<Value> {
    let mut ladder = ladder?;
    for step in ladder.as_array_mut().into_iter().flatten() {
        step["after"] = json!(format!("{}{unit}", step["after"]));
    }
    Some(ladder)
}

fn ladder() -> impl Strategy<Value = Option<Value>> {
    let target = prop::sample::select(vec!["owner", "backup_owner", "role:ops", "person:eve"]);
    let reassign = prop::option::of(prop::sample::select(vec!["backup_owner", "role:ops", "person:eve"]));
    let step = (0..600_i64, reassign, prop::collection::vec(target, 0..3));
    let steps = prop::collection::vec(step, 1..4).prop_map(|steps| {
        let mut after = 0;
        let steps = steps.into_iter().map(|(wait, reassign, notify)| {
            after += wait;
            json!({"after": after, "reassign": reassign, "notify": notify})
        });
        Value::Array(steps.collect())
    });
    prop::option::of(steps)
}

/// Half of the flows have checks.
fn qa() -> impl Strategy<Value = Option<Value>> {
    let within = prop::collection::vec(1..1_000_i64, CHECKS.len());
    prop::option::of((0..3_usize, any::<bool>(), within)).prop_map(|qa| {
        let (content, routing, within) = qa?;
        let check = |n: usize| {
            let (id, within) = (CHECKS[n], format!("{}m", within[n]));
            json!({"id": id, "within": within, "pass_when": {"data": {"p": [id]}}})
        };
        let content: Vec<Value> = (0..content).map(check).collect();
        let routing: Vec<Value> = routing.then(|| check(2)).into_iter().collect();
        Some(json!({"content": content, "routing": routing}))
    })
}

/// A calendar that is open little, so that it matters; all is known of November.
fn office() -> Versioned<Calendar> {
    let calendar = json!({
        "id": "office", "timezone": "Europe/Berlin", "hours": {"mon-fri": ["09:00-12:00", "13:00-16:00"]},
        "holidays": ["2026-11-25"], "known_until": "2026-11-30",
    });
    Versioned {
        version: 7,
        hash: String::new(),
        document: Arc::new(serde_json::from_value(calendar).unwrap()),
    }
}

pub(crate) fn flow() -> impl Strategy<Value = Versioned<Flow>> {
    let outcomes =
        prop::collection::vec((1..2_000_i64, 0..8_u8, prop::bool::weighted(0.2), any::<bool>()), 1..5);
    let business = prop::option::weighted(0.3, prop::bool::ANY);
    let ack = prop::option::of((1..600_i64, prop::option::of(1..900_i64)));
    (outcomes, ack, qa(), [ladder(), ladder(), ladder()], business).prop_map(
        |(outcomes, ack, qa, ladders, business)| {
            let outcomes = outcomes.iter().enumerate();
            let outcomes = outcomes.map(|(n, (sla, after, manual, warned))| {
                let mut outcome = outcome(n, *sla, *after, *manual, *warned);
                match business {
                    Some(true) => outcome["sla"] = json!(format!("{sla} business minutes")),
                    Some(false) if n % 2 == 0 => {
                        outcome["sla"] = json!(format!("{} business days", 1 + sla % 4))
                    }
                    Some(false) | None => {}
                }
                outcome
            });
            let [missed, breached, recovery] = ladders;
            let unit = if business.is_some() { " business minutes" } else { "m" };
            let flow = applied(json!({
                "id": "chance", "title": "Chance", "owner": "role:owners", "backup_owner": "role:backups",
                "trigger": {"source": "contentful", "match": {"type": ["Entry.publish"]}},
                "acknowledge": ack.map(|(within, lease)| {
                    json!({"within": format!("{within}m"), "lease": lease.map(|lease| format!("{lease}m"))})
                }),
                "qa": qa,
                "outcomes": outcomes.collect::<Vec<_>>(),
                "escalation": {"not_acknowledged": counted(missed, unit), "breached": counted(breached, unit)},
                "exceptions": {"owner": "role:ops", "recovery_sla": format!("300{unit}"), "escalation": counted(recovery, unit)},
                "pause": {"budget": "9h"},
                "calendar": business.map(|_| "office"),
            }));
            Versioned { version: 3, ..flow }
        },
    )
}

pub(crate) fn directory() -> impl Strategy<Value = Directory> {
    prop::collection::vec(prop::option::weighted(0.4, 23..26_u8), PEOPLE.len()).prop_map(|away| {
        let people = PEOPLE.iter().zip(away).map(|(id, away)| {
            let day = |n: u8| format!("2026-11-{n}");
            let away: Vec<Value> = away.map(|n| json!({"from": day(n), "to": day(n)})).into_iter().collect();
            let email = (*id != "eve").then(|| format!("{id}@example.com"));
            json!({"id": id, "name": id, "email": email, "away": away})
        });
        let role = |id: &str, members: &[&str]| json!({"id": id, "members": members});
        let roles =
            [role("owners", &["ana", "ben"]), role("backups", &["cara", "ana"]), role("ops", &["dan"])];
        serde_json::from_value(json!({"people": people.collect::<Vec<_>>(), "roles": roles})).unwrap()
    })
}

/// A run to which nothing has happened yet.
pub(crate) fn opened() -> impl Strategy<Value = World> {
    (flow(), directory()).prop_map(|(flow, directory)| {
        let now = at("23 09:00");
        let calendar = flow.document.calendar.is_some().then(office);
        let context = Context { flow: &flow, calendar: calendar.as_ref(), directory: &directory };
        let decision = open(context, &publish("p", now), now);
        World {
            run: decision.run,
            trail: decision.records,
            steps: Vec::new(),
            now,
            flow,
            calendar,
            directory,
        }
    })
}

/// A run to which much has happened.
pub(crate) fn world() -> impl Strategy<Value = World> {
    (opened(), moves()).prop_map(|(mut world, moves)| {
        moves.iter().for_each(|step| world.happens(step));
        world
    })
}

impl World {
    pub(crate) fn context(&self) -> Context<'_> {
        Context { flow: &self.flow, calendar: self.calendar.as_ref(), directory: &self.directory }
    }

    pub(crate) fn happens(&mut self, (wait, key, what): &Move) {
        let minutes = |n: i64| if n < 0 { self.now - Span::minutes(-n) } else { self.now + Span::minutes(n) };
        let due = self.run.next_due().map(|(at, _)| at);
        self.now = match (what, due) {
            (Happening::TickWhenDue, Some(due)) => due,
            (_, _) => minutes(*wait),
        };
        let mut command = self.command(what);
        if let (Some(key), None) = (key, &command.cause) {
            command.cause = Some(format!("key:{key}"));
        }
        self.gives(command);
    }

    /// Gives `command` now.
    pub(crate) fn gives(&mut self, command: Command) {
        let result = decide(&self.run, self.context(), &command, self.now);
        let before = self.run.clone();
        if let Ok(decision) = &result {
            self.trail.extend(decision.records.iter().cloned());
            self.run = decision.run.clone();
        }
        self.steps.push(Step { before, command, now: self.now, result });
    }

    /// A tick whenever something is due, for `days` days from now.
    pub(crate) fn lives_on(&mut self, days: i64) {
        let end = self.now.max(self.run.last_at) + Span::days(days);
        while let Some((due, _)) = self.run.next_due().filter(|(due, _)| *due <= end) {
            self.now = due.max(self.now);
            self.gives(self.command(&Happening::Tick));
        }
        self.now = end;
    }

    fn command(&self, what: &Happening) -> Command {
        let by = |who: usize, action| Command {
            action,
            actor: Actor::person(PEOPLE[who % PEOPLE.len()]),
            if_version: None,
            cause: None,
        };
        let outcome = |n: usize| self.run.outcomes[n % self.run.outcomes.len()].id.clone();
        let system =
            |action| Command { action, actor: Actor::system("sla-check"), if_version: None, cause: None };
        let text = || "because".to_owned();
        match what {
            Happening::Signal { outcome: n, failed, id, ago } => {
                let says = format!("o{n}{}", if *failed { "-failed" } else { "" });
                self.looks_at(signal(&format!("s{id}"), &says, self.now, *ago), Action::Observe)
            }
            Happening::Checked { check, id, ago } => {
                self.looks_at(signal(&format!("q{id}"), CHECKS[*check], self.now, *ago), Action::Observe)
            }
            Happening::Again(n) => match self.steps.get(*n) {
                Some(step) => step.command.clone(),
                None => system(Action::Tick),
            },
            Happening::Retrigger(id) => {
                self.looks_at(publish(&format!("again{id}"), self.now), Action::Retrigger)
            }
            Happening::Tick | Happening::TickWhenDue => system(Action::Tick),
            Happening::Acknowledge(who) => by(*who, Action::Acknowledge),
            Happening::Reassign(who) => {
                let to = format!("person:{}", PEOPLE[who % PEOPLE.len()]).parse().unwrap();
                by(who + 1, Action::Reassign { to, reason: text() })
            }
            Happening::Complete(n) => {
                by(*n, Action::CompleteOutcome { outcome: outcome(*n), evidence: text() })
            }
            Happening::Fail(n) => by(*n, Action::FailOutcome { outcome: outcome(*n), reason: text() }),
            Happening::PassCheck(n) => {
                by(*n, Action::PassCheck { check: CHECKS[*n].to_owned(), evidence: Some(text()) })
            }
            Happening::FailCheck(n) => {
                by(*n, Action::FailCheck { check: CHECKS[*n].to_owned(), reason: text() })
            }
            Happening::OpenException(n) => {
                let kind = if n.is_some() { ExceptionKind::RequestFailed } else { ExceptionKind::Manual };
                by(0, Action::OpenException { kind, outcome: n.map(outcome), reason: text() })
            }
            Happening::Resolve(n) => {
                let exception = self.exception(*n);
                by(*n, Action::ResolveException { exception, resolution: text(), evidence: None })
            }
            Happening::Pause => by(0, Action::Pause(text())),
            Happening::Resume => by(0, Action::Resume),
            Happening::Note => by(0, Action::Note(text())),
            Happening::Delivered { message, failed, outcome: n } => {
                let (to, by) = ("channel:crm".to_owned(), ChannelKind::Webhook);
                let result = match failed {
                    true => DeliveryResult::Failed { to, by: Some(by), attempts: 8, error: text() },
                    false => DeliveryResult::Succeeded { to, by, raised: None, together: None },
                };
                reported(Delivery { message: *message, result, requested: n.map(outcome) })
            }
            Happening::Alerted { message, matter } => {
                let raised = Some(match matter {
                    0..5 => Matter::Outcome(outcome(*matter)),
                    5 => Matter::Acknowledgement,
                    6 => Matter::Whole,
                    _ => Matter::Exception(self.exception(matter - 7)),
                });
                let (to, by) = ("channel:pager".to_owned(), ChannelKind::Pagerduty);
                let result = DeliveryResult::Succeeded { to, by, raised, together: None };
                reported(Delivery { message: *message, result, requested: None })
            }
            Happening::Cancel => by(0, Action::Cancel(text())),
            Happening::Close => by(0, Action::Close(text())),
        }
    }

    /// The id of the run's exception of that place.
    fn exception(&self, n: usize) -> String {
        self.run.exceptions.get(n).map_or("x0".to_owned(), |x| x.id.clone())
    }

    fn looks_at(&self, event: Event, action: impl Fn(Box<Event>) -> Action) -> Command {
        let (actor, cause) = (Actor::source(&event.source), Some(event.cause()));
        Command { action: action(Box::new(event)), actor, if_version: None, cause }
    }
}

/// A signal that took effect `ago` minutes before it was taken in; more than 15 are not believed.
pub(crate) fn signal(id: &str, says: &str, received: Time, ago: i64) -> Event {
    let occurred_at = Some(received - Span::minutes(ago));
    Event { occurred_at, ..event(id, "hubspot", "said", received, json!({"p": says})) }
}

fn reported(delivery: Delivery) -> Command {
    let cause = Some(delivery.cause());
    let action = Action::ReportDelivery(Box::new(delivery));
    Command { action, actor: Actor::system("notify"), if_version: None, cause }
}
