//! Turns of rotating roles, as the clock tells them and people accept them.

use aws_sdk_dynamodb::types::TransactWriteItem;
use meshline_core::config::Config;
use meshline_core::config::directory::Directory;
use meshline_core::record::{Actor, Fact, HandoverAccepted};
use meshline_core::rotation::{self, FLOWS_AT_ONCE, Told};
use meshline_core::time::Time;

use crate::app::App;
use crate::error::StoreError;
use crate::execute::{ExecuteError, again, flow_record};
use crate::watch::{Seen, Watch};

/// What lets the clock tell the turns of rotations that begin when `next` follows `before`.
///
/// # Errors
/// The table cannot be read.
pub async fn begun(
    app: &App,
    before: &Config,
    next: &Config,
    now: Time,
) -> Result<Vec<TransactWriteItem>, StoreError> {
    let mut items = Vec::new();
    for role in next.people().begun(&before.people()) {
        let Some(rotation) = &role.rotate else { continue };
        let watch = Watch::Turn(role.id.clone());
        let seen: Option<Seen<Told>> = app.watches.load(&watch).await?;
        items.push(app.watches.put(&watch, seen.as_ref(), &Told::applied(rotation, now))?);
    }
    Ok(items)
}

/// The clock looks at a rotation: a turn that began is told to the flows, one that is not accepted is reminded of.
///
/// # Errors
/// The tables are not available.
pub async fn look_at(app: &App, role: &str, now: Time) -> Result<(), StoreError> {
    let watch = Watch::Turn(role.to_owned());
    let mut attempt = 0;
    loop {
        let config = app.config.fresh().await?.config;
        let Some(seen) = app.watches.load::<Told>(&watch).await? else { return Ok(()) };
        let (facts, next) = seen.value.look(role, &config, now);
        if next == seen.value {
            return Ok(());
        }
        let mut items = vec![app.watches.put(&watch, Some(&seen), &next)?];
        for (flow, fact) in facts {
            let Some(flow) = config.flows.get(&flow) else { continue };
            let record = flow_record(app, flow, Actor::system("sla-check"), fact, None, now).await?;
            items.push(app.audit.put(&record)?);
        }
        match app.watches.commit(items).await {
            Ok(()) if next.next_due_at.is_none_or(|due_at| now < due_at) => return Ok(()),
            Ok(()) => attempt = 0, // more flows, or a further turn
            Err(error) => again(error, &mut attempt).await?,
        }
    }
}

/// A person accepts their turn in a role, the one in force or ahead the next one. Accepting twice is accepting.
///
/// # Errors
/// There is no such rotation, neither turn is theirs, or the tables are not available.
pub async fn accept(
    app: &App,
    role: &str,
    actor: impl Fn(&Directory) -> Actor,
    now: Time,
) -> Result<HandoverAccepted, ExecuteError> {
    let mut attempt = 0;
    loop {
        let before = app.config.fresh().await?.config;
        let actor = actor(&before.people());
        let acceptance = before.acceptance(role, &actor.id, now)?;
        if acceptance.stands {
            return Ok(acceptance.fact);
        }
        let mut records = Vec::new();
        for flow in rotation::flows(&before, role).take(FLOWS_AT_ONCE) {
            let fact = Fact::HandoverAccepted(acceptance.fact.clone());
            records.push(app.audit.put(&flow_record(app, flow, actor.clone(), fact, None, now).await?)?);
        }
        match app.config.accept(&before, &before.with_accepted(&acceptance, now), records).await {
            Ok(()) => return Ok(acceptance.fact),
            Err(error) => again(error, &mut attempt).await?,
        }
    }
}
