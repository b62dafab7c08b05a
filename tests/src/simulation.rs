//! Simulation: a seed makes flows, people, senders and faults, and drives the whole system on its clock for weeks; a naive
//! oracle knows what should have happened.
//!
//! Every choice comes from the seed. What the machine orders by itself, the order in which calls that are under way at the
//! same time arrive, is not chosen by it.

mod acts;
mod chance;
mod deadlines;
mod faults;
mod invariants;
mod seen;
mod shape;
mod signals;

use std::fmt::Write;

use meshline_core::time::{Span, Time};

use crate::{Local, nine};
use acts::Actors;
use chance::Chance;
use seen::Seen;
use shape::Shape;

/// A seed that does not hold.
#[derive(Debug)]
pub struct Broken {
    /// Which.
    pub seed: u64,
    /// What was found, one line each.
    pub found: Vec<String>,
}

/// What a seed went through.
#[derive(Debug, Clone, Copy, Default)]
pub struct Lived {
    /// Webhooks that were answered with 2xx.
    pub accepted: usize,
    /// Runs.
    pub runs: usize,
    /// Records.
    pub records: usize,
    /// Outcomes that an event verified.
    pub verified: usize,
    /// Events that were about the asset that a contact stood for.
    pub passed_on: usize,
    /// Faults that struck.
    pub faults: u64,
    /// Days that passed.
    pub days: i64,
}

impl Lived {
    /// Adds what another seed went through.
    pub fn add(&mut self, other: Self) {
        self.accepted += other.accepted;
        self.runs += other.runs;
        self.records += other.records;
        self.verified += other.verified;
        self.passed_on += other.passed_on;
        self.faults += other.faults;
        self.days += other.days;
    }
}

/// One simulated world.
struct World {
    local: Local,
    chance: Chance,
    shape: Shape,
    actors: Actors,
    /// Whether faults strike now.
    troubled: bool,
    /// Whether they ever did.
    was_troubled: bool,
    struck: u64,
    log: Log,
}

/// What happens, line by line, for whoever reads a replay.
struct Log {
    told: bool,
}

impl Log {
    fn say(&self, now: Time, what: &str) {
        if self.told {
            println!("{now}  {what}");
        }
    }
}

/// Lives through what a seed makes; `told` prints it as it happens.
///
/// # Errors
/// What did not hold.
pub async fn live(seed: u64, told: bool) -> Result<Lived, Broken> {
    let mut world = World::new(seed, told).await;
    let lived = world.run().await;
    if told && lived.is_err() {
        Seen::of(&world.local).await.tell_trails();
    }
    lived.map_err(|found| Broken { seed, found })
}

impl World {
    async fn new(seed: u64, told: bool) -> Self {
        let mut chance = Chance::new(seed);
        let shape = Shape::draw(&mut chance);
        let local = Local::hurried().await;
        let (actors, log) = (Actors::default(), Log { told });
        let mut world =
            Self { local, chance, shape, actors, troubled: false, was_troubled: false, struck: 0, log };
        world.configure().await;
        world
    }

    /// Applies the shape, as often as it takes: an operator would not give up.
    async fn configure(&mut self) {
        let yaml = self.shape.yaml(&self.local.stack.emulators.inbox_url);
        self.log.say(self.now(), &format!("a configuration is applied:\n{yaml}"));
        loop {
            let (status, answer) = self.local.apply(&[("world.yaml", &yaml)]).await;
            self.log.say(self.now(), &format!("-> {status}"));
            match status {
                200 => break,
                500.. => {}
                _ => panic!("a configuration is refused: {answer}\n{yaml}"),
            }
        }
        let in_force = self.local.stack.own.config.fresh().await.expect("the table answers").config;
        self.shape.is_applied(|flow| in_force.flows.get(flow).map_or(0, |flow| flow.version));
    }

    async fn run(&mut self) -> Result<Lived, Vec<String>> {
        let calm = self.chance.one_in(6);
        let steps = 6 + self.chance.below(14);
        for _ in 0..steps {
            if !calm && self.chance.one_in(4) {
                self.change_weather().await?;
            }
            if self.chance.one_in(8) {
                self.shape.redraw(&mut self.chance);
                self.configure().await;
            }
            self.act().await;
            self.pass_time().await;
            self.check().await?;
        }
        self.calm_down().await?;
        for _ in 0..3 {
            self.advance(Span::days(9)).await;
            self.check().await?;
        }
        let seen = Seen::of(&self.local).await;
        let end = invariants::of_the_end(&seen);
        if !end.is_empty() {
            return Err(end);
        }
        let days = self.local.stack.clock.now().since(nine()).ms() / Span::days(1).ms();
        let records = seen.trails.values().map(Vec::len).sum();
        let (accepted, runs) = (self.actors.accepted.len(), seen.runs.len());
        let (verified, passed_on) = (signals::verified(&seen).count(), seen.passed_on.len());
        Ok(Lived { accepted, runs, records, verified, passed_on, faults: self.struck, days })
    }

    /// Faults begin, or they end.
    async fn change_weather(&mut self) -> Result<(), Vec<String>> {
        if self.troubled {
            return self.calm_down().await;
        }
        let plan = faults::draw(&mut self.chance);
        self.log.say(self.now(), &format!("faults: {}", serde_json::json!(plan)));
        self.local.stack.set_faults(plan);
        (self.troubled, self.was_troubled) = (true, true);
        Ok(())
    }

    /// Faults end, an operator moves dead letters back, and two sweeps pass: by then everything has recovered.
    async fn calm_down(&mut self) -> Result<(), Vec<String>> {
        self.struck += faults::struck(&self.local);
        self.local.stack.set_faults(meshline_local::faults::Plan::default());
        self.troubled = false;
        self.log.say(self.now(), "faults end");
        faults::redrive(&self.local).await;
        self.advance(Span::minutes(2)).await;
        self.check().await
    }

    async fn act(&mut self) {
        for _ in 0..=self.chance.below(4) {
            let Self { local, chance, shape, actors, log, .. } = self;
            actors.act(local, chance, shape, log).await;
        }
    }

    /// Nothing, a moment, minutes, hours or days.
    async fn pass_time(&mut self) {
        let by = match self.chance.below(10) {
            0 | 1 => Span::ZERO,
            2 => Span::from_ms(self.chance.below(60_000) as i64),
            3..=5 => Span::from_ms(self.chance.below(3_600_000) as i64),
            6 | 7 => Span::from_ms(self.chance.below(12 * 3_600_000) as i64),
            _ => Span::from_ms(self.chance.below(3 * 86_400_000) as i64),
        };
        self.advance(by).await;
    }

    async fn advance(&mut self, by: Span) {
        let to = self.now() + by;
        if let Err(error) = self.local.stack.advance_to(to).await {
            panic!("the stack itself failed at {}: {error}", self.now());
        }
        self.log.say(self.now(), &format!("{by} passed"));
    }

    fn now(&self) -> Time {
        self.local.stack.clock.now()
    }

    /// What must hold now: always what is a matter of safety, and what must have happened where nothing is in its way.
    async fn check(&self) -> Result<(), Vec<String>> {
        let seen = Seen::of(&self.local).await;
        let mut found = invariants::of_safety(&seen, &self.actors, &self.shape, self.was_troubled);
        if !self.troubled {
            found.extend(invariants::of_progress(&seen, &self.actors, &self.shape));
            found.extend(deadlines::compare(&seen, &self.shape));
            found.extend(signals::missing(&seen, &self.shape));
        }
        if found.is_empty() { Ok(()) } else { Err(found) }
    }
}

impl std::fmt::Display for Broken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut lines = String::new();
        for line in &self.found {
            write!(lines, "\n  {line}")?;
        }
        write!(f, "seed {} does not hold:{lines}", self.seed)
    }
}
