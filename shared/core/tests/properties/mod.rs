//! The rules of a run (docs/ARCHITECTURE.md), whatever happens in whatever order. A test's name begins with its rule.

mod alerts;
mod clocks;
mod owners;
mod signals;
mod trail;

use meshline_core::record::Record;
use meshline_core::run::{Outcome, Run};
use meshline_core::time::Time;
use proptest::prelude::ProptestConfig;

use crate::support::chance::{Step, World};

/// Quick enough for every build. `PROPTEST_CASES=20000` asks for more (docs/PERFORMANCE.md).
fn cases() -> ProptestConfig {
    let asked = ProptestConfig::default();
    let cases = if std::env::var_os("PROPTEST_CASES").is_some() { asked.cases } else { 64 };
    ProptestConfig { cases, ..asked }
}

/// Start and deadline: what no one but the clock's own start may set.
fn clock(outcome: &Outcome) -> Option<(Time, Time)> {
    outcome.clock.as_ref().map(|clock| (clock.started_at, clock.due_at))
}

/// The decisions that changed something, each with the run before.
fn changes(world: &World) -> impl Iterator<Item = (&Step, &Run, &[Record])> {
    world.steps.iter().filter_map(|step| {
        let decision = step.result.as_ref().ok()?;
        (!decision.records.is_empty()).then_some((step, &decision.run, decision.records.as_slice()))
    })
}
