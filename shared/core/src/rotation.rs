//! Turns of rotating roles: told at their midnight, accepted by whoever has them, and shown ahead.

use serde::{Deserialize, Serialize};

use crate::command::Rejection;
use crate::config::directory::{Directory, Role};
use crate::config::flow::{Flow, Party};
use crate::config::rotation::{Every, Rotation};
use crate::config::{Config, Versioned};
use crate::day::Day;
use crate::decide::{at_opening, recipient};
use crate::record::{Fact, HandoverAccepted, HandoverReminded, OwnerRole, OwnerRotated, Recipient};
use crate::time::{Span, Time};

/// Flows that are told of a turn at once: each is a record, and a transaction takes a hundred items.
pub const FLOWS_AT_ONCE: usize = 40;
/// How often whoever has not accepted a turn is reminded.
const REMIND_EVERY: Span = Span::days(1);

/// How far the turns of a rotating role have been told to the flows that it owns or backs up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// The latest turn that was told, or that needed no telling.
    pub turn: u32,
    /// The last flow that was told of it, while others are still to be told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// When the clock must look at it; not once the role takes no turns any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_due_at: Option<Time>,
}

/// A turn as it stands.
struct Turn<'a> {
    config: &'a Config,
    people: &'a Directory,
    role: &'a Role,
    rotation: &'a Rotation,
    number: u32,
}

/// A turn that its incumbent accepts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acceptance {
    /// What is said in the flows' trails.
    pub fact: HandoverAccepted,
    /// Whether it was accepted before.
    pub stands: bool,
    turn: u32,
}

/// A rotation as it is shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RotationView {
    /// The role.
    pub role: String,
    /// How long a turn is.
    pub every: Every,
    /// The first day of the first turn.
    pub starting: Day,
    /// Whose midnight begins a turn.
    pub timezone: String,
    /// Who has the turn.
    pub incumbent: String,
    /// When it began; of the first turn, when it begins.
    pub turn_at: Time,
    /// Whether they have accepted it.
    pub accepted: bool,
    /// Who would own a run that opens now, of the first flow that the role owns.
    pub covers: Option<String>,
    /// The turns after it.
    pub upcoming: Vec<Upcoming>,
}

/// A turn to come.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Upcoming {
    /// When it begins.
    pub at: Time,
    /// Whose it is.
    pub person: String,
    /// Whether they are away when it begins.
    pub away: bool,
    /// Whether they have accepted it already.
    pub accepted: bool,
}

impl Told {
    /// Where it begins for a rotation that is applied at `now`: the turn in force was decided by whoever applies.
    pub fn applied(rotation: &Rotation, now: Time) -> Self {
        let turn = rotation.turn(now);
        Self { turn, after: None, next_due_at: Some(rotation.begins(turn.saturating_add(1))) }
    }

    /// What the clock tells flows at `now`, and how far that gets. Each turn is told, also one that has passed
    /// meanwhile; to be told in several steps when the flows are many.
    pub fn look(&self, role: &str, config: &Config, now: Time) -> (Vec<(String, Fact)>, Self) {
        let people = config.people();
        let role = people.role(role).and_then(|role| Some((role, role.rotate.as_ref()?)));
        let Some((role, rotation)) = role else {
            return (Vec::new(), Self { after: None, next_due_at: None, ..self.clone() });
        };
        if self.next_due_at.is_none_or(|due_at| now < due_at) {
            return (Vec::new(), self.clone());
        }
        let turn = |number| Turn { config, people: &people, role, rotation, number };
        let in_force = rotation.turn(now);
        if self.after.is_none() && self.turn >= in_force {
            let turn = turn(self.turn);
            let next = Self { next_due_at: Some(turn.next_look(now)), ..self.clone() };
            return (turn.reminder(now).into_iter().collect(), next);
        }
        let number = if self.after.is_some() { self.turn } else { self.turn.saturating_add(1) };
        let turn = turn(number);
        let is_left =
            |flow: &&Versioned<Flow>| self.after.as_ref().is_none_or(|last| *last < flow.document.id);
        let mut left = flows(config, &role.id).filter(is_left);
        let told: Vec<_> = left.by_ref().take(FLOWS_AT_ONCE).map(|flow| turn.begun(flow, in_force)).collect();
        let last = told.last().map(|(flow, _)| flow.clone());
        let next = match left.next() {
            Some(_) => Self { turn: number, after: last, next_due_at: self.next_due_at },
            None => Self { turn: number, after: None, next_due_at: Some(turn.next_look(now)) },
        };
        (told, next)
    }
}

/// The flows that a role owns or backs up, by id.
pub fn flows<'c>(config: &'c Config, role: &str) -> impl Iterator<Item = &'c Versioned<Flow>> {
    let party = Party::Role(role.to_owned());
    config
        .flows
        .values()
        .filter(move |flow| flow.document.owner == party || flow.document.backup_owner == party)
}

/// The flow in whose trail the role's people are told, so that they are told once: the first that it owns and that
/// is not off. A role that owns none is not asked to accept anything.
fn telling<'c>(config: &'c Config, role: &str) -> Option<&'c Versioned<Flow>> {
    let owns = |flow: &&Versioned<Flow>| matches!(&flow.document.owner, Party::Role(id) if id == role);
    config.flows.values().find(|flow| owns(flow) && flow.document.enabled)
}

impl Turn<'_> {
    fn begins(&self) -> Time {
        self.rotation.begins(self.number)
    }

    fn incumbent(&self) -> String {
        self.role.incumbent(self.number).unwrap_or_default().to_owned()
    }

    fn is_accepted(&self) -> bool {
        self.role.has_accepted(self.number)
    }

    /// Whoever owns new runs of `flow` at `at` in place of the incumbent.
    fn covered_by(&self, flow: &Flow, at: Time) -> Option<String> {
        self.people.awaited(&flow.owner, at)?;
        let opening = at_opening(flow, self.people, at);
        (opening.role == OwnerRole::Backup).then_some(opening.owner)
    }

    fn to_be_told(&self) -> Vec<Recipient> {
        let incumbent = self.people.person(&self.incumbent());
        incumbent.filter(|person| person.is_reachable()).map(recipient).into_iter().collect()
    }

    /// What `flow` is told of the turn. The incumbent is, unless they know it or it is over.
    fn begun(&self, flow: &Versioned<Flow>, in_force: u32) -> (String, Fact) {
        let id = &flow.document.id;
        let tells = telling(self.config, &self.role.id).is_some_and(|first| first.document.id == *id);
        let is_asked = tells && self.number == in_force && !self.is_accepted();
        let from = self.role.incumbent(self.number.saturating_sub(1)).unwrap_or_default();
        let is_owner = matches!(&flow.document.owner, Party::Role(id) if *id == self.role.id);
        let fact = OwnerRotated {
            role: self.role.id.clone(),
            from: from.to_owned(),
            to: self.incumbent(),
            turn_at: self.begins(),
            accepted: self.is_accepted(),
            covered_by: self.covered_by(&flow.document, self.begins()).filter(|_| is_owner),
            notify: if is_asked { self.to_be_told() } else { Vec::new() },
            title: flow.document.title.clone(),
        };
        (id.clone(), Fact::OwnerRotated(fact))
    }

    /// The reminder of a turn that is not accepted.
    fn reminder(&self, now: Time) -> Option<(String, Fact)> {
        let flow = telling(self.config, &self.role.id).filter(|_| !self.is_accepted())?;
        let fact = HandoverReminded {
            role: self.role.id.clone(),
            to: self.incumbent(),
            turn_at: self.begins(),
            covered_by: self.covered_by(&flow.document, now),
            notify: self.to_be_told(),
            title: flow.document.title.clone(),
        };
        Some((flow.document.id.clone(), Fact::HandoverReminded(fact)))
    }

    /// When there is something to tell after `now`: the next turn, or a reminder before it, be it to a flow that is
    /// applied until then.
    fn next_look(&self, now: Time) -> Time {
        let next_turn = self.rotation.begins(self.number.saturating_add(1));
        if self.is_accepted() {
            return next_turn;
        }
        let reminders = now.since(self.begins()).ms() / REMIND_EVERY.ms() + 1;
        next_turn.min(self.begins() + Span::days(reminders))
    }

    fn upcoming(&self) -> Upcoming {
        let (at, person) = (self.begins(), self.incumbent());
        let away = self.people.person(&person).is_some_and(|person| !person.is_there(at));
        Upcoming { at, person, away, accepted: self.is_accepted() }
    }
}

impl Config {
    /// The turn of `role` that `person` accepts: the one in force, or ahead the next one.
    ///
    /// # Errors
    /// There is no such rotation, or neither turn is theirs.
    pub fn acceptance(&self, role: &str, person: &str, now: Time) -> Result<Acceptance, Rejection> {
        let people = self.people();
        let unknown = || Rejection::Unknown { what: "rotating role", id: role.to_owned() };
        let role = people.role(role).ok_or_else(unknown)?;
        let rotation = role.rotate.as_ref().ok_or_else(unknown)?;
        let current = rotation.turn(now);
        let theirs: Vec<u32> = [current, current.saturating_add(1)]
            .into_iter()
            .filter(|turn| role.incumbent(*turn) == Some(person))
            .collect();
        let waiting = theirs.iter().find(|turn| !role.has_accepted(**turn));
        let Some(turn) = waiting.or(theirs.first()).copied() else {
            let name = |turn| role.incumbent(turn).unwrap_or_default();
            let (now, next) = (name(current), name(current.saturating_add(1)));
            let at = rotation.begins(current.saturating_add(1));
            let why = format!("the turn is `{now}`'s, and from {at} `{next}`'s: only they can accept it");
            return Err(Rejection::WrongState(why));
        };
        let fact =
            HandoverAccepted { role: role.id.clone(), to: person.to_owned(), turn_at: rotation.begins(turn) };
        Ok(Acceptance { fact, stands: waiting.is_none(), turn })
    }

    /// The configuration with a turn accepted.
    pub fn with_accepted(&self, acceptance: &Acceptance, now: Time) -> Self {
        let mut next = self.clone();
        let Some(directory) = &mut next.directory else { return next };
        let mut people = directory.document.as_ref().clone();
        for role in people.roles.iter_mut().filter(|role| role.id == acceptance.fact.role) {
            let in_force = role.rotate.as_ref().map_or(0, |rotation| rotation.turn(now));
            role.accept(acceptance.turn, in_force);
        }
        directory.document = people.into();
        next
    }

    /// Every rotation with its next `turns` turns.
    pub fn rotations(&self, turns: u32, now: Time) -> Vec<RotationView> {
        let people = self.people();
        let rotating = people.roles.iter().filter_map(|role| Some((role, role.rotate.as_ref()?)));
        rotating
            .map(|(role, rotation)| {
                let number = rotation.turn(now);
                let turn = |number| Turn { config: self, people: &people, role, rotation, number };
                let upcoming = (1..=turns).map(|n| turn(number.saturating_add(n)).upcoming());
                RotationView {
                    role: role.id.clone(),
                    every: rotation.every,
                    starting: rotation.starting,
                    timezone: rotation
                        .timezone
                        .as_ref()
                        .map_or_else(|| "UTC".to_owned(), ToString::to_string),
                    incumbent: turn(number).incumbent(),
                    turn_at: rotation.begins(number),
                    accepted: role.has_accepted(number),
                    covers: telling(self, &role.id)
                        .map(|flow| at_opening(&flow.document, &people, now).owner),
                    upcoming: upcoming.collect(),
                }
            })
            .collect()
    }
}
