//! The duties of flows, as the clock looks at them.

use meshline_core::duties::{Deed, Duties};
use meshline_core::flow_exception::FlowException;
use meshline_core::monday::Scene;
use meshline_core::record::{Actor, Fact};
use meshline_core::time::Time;

use crate::app::App;
use crate::error::StoreError;
use crate::exception;
use crate::execute::{again, flow_record};
use crate::monday::Gathered;
use crate::watch::Watch;

/// Who looks.
const FUNCTION: &str = "sla-check";

/// Looks at what a flow owes: asks for what is due, resolves what is over, and sends what is to be told.
///
/// # Errors
/// The tables are not available.
pub async fn look_at(app: &App, id: &str, now: Time) -> Result<(), StoreError> {
    let watch = Watch::Duties(id.to_owned());
    let (mut attempt, mut gathered) = (0, Gathered::default());
    loop {
        let Some(seen) = app.watches.load::<Duties>(&watch).await? else { return Ok(()) };
        if !seen.value.is_due(now) {
            return Ok(());
        }
        let in_force = app.config.fresh().await?;
        let Some(flow) = in_force.config.flows.get(id) else { return Ok(()) };
        let exceptions: Vec<FlowException> = app.watches.exceptions_of(id).await?;
        let calendar = in_force.config.hours_of(&flow.document);
        let people = in_force.config.people();
        let (mut next, mut deed) = seen.value.look(&flow.document, calendar, &people, &exceptions, now);
        if deed.is_none() {
            let scene =
                Scene { flow: &flow.document, calendar, directory: &people, exceptions: &exceptions, now };
            let shown = gathered.shown(app, &in_force.config, &next.monday, scene).await?;
            (next, deed) = next.on_monday(scene, &shown);
        }
        let (mut items, mut opening) = (Vec::new(), None);
        match deed {
            Some(Deed::Open(opened)) => {
                opening = exception::opening(app, flow, FUNCTION, *opened, now).await?;
                items.extend(opening.iter().flat_map(|opening| opening.items.clone()));
            }
            Some(Deed::Resolve(resolved)) => {
                items.extend(exception::resolution(app, flow, FUNCTION, &resolved, now).await?);
            }
            Some(Deed::Tell(sent)) => {
                let (actor, fact) = (Actor::system(FUNCTION), Fact::ChecklistSent(sent));
                let record = flow_record(app, flow, actor, fact, None, now).await?;
                next.monday.mark_sent(record.at, record.seq);
                items.push(app.audit.put(&record)?);
            }
            None => {}
        }
        items.push(app.watches.put(&watch, Some(&seen), &next)?);
        match app.watches.commit(items).await {
            Ok(()) => {
                opening.iter().for_each(|opening| opening.measure(now));
                if !next.is_due(now) {
                    return Ok(());
                }
                attempt = 0;
            }
            Err(error) => again(error, &mut attempt).await?,
        }
    }
}
