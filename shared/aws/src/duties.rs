//! The duties of flows, as the clock looks at them.

use meshline_core::duties::{Deed, Duties};
use meshline_core::flow_exception::FlowException;
use meshline_core::time::Time;

use crate::app::App;
use crate::error::StoreError;
use crate::exception;
use crate::execute::again;
use crate::watch::{Seen, Watch};

/// Looks at what a flow owes: asks for what is due, and resolves what is over.
///
/// # Errors
/// The tables are not available.
pub async fn look_at(app: &App, id: &str, now: Time) -> Result<(), StoreError> {
    let watch = Watch::Duties(id.to_owned());
    let mut attempt = 0;
    loop {
        let in_force = app.config.fresh(now).await?;
        let (Some(seen), Some(flow)) =
            (app.watches.load::<Duties>(&watch).await?, in_force.config.flows.get(id))
        else {
            return Ok(());
        };
        if seen.value.next_due_at.is_none_or(|due_at| due_at > now) {
            return Ok(());
        }
        let mut asked = Vec::new();
        for exception in seen.value.asked() {
            let watch = Watch::Exception { flow: id.to_owned(), exception: exception.to_owned() };
            let found: Option<Seen<FlowException>> = app.watches.load(&watch).await?;
            asked.extend(found.map(|seen| seen.value));
        }
        let calendar = in_force.config.hours_of(&flow.document);
        let people = in_force.config.people();
        let (next, deed) = seen.value.look(&flow.document, calendar, &people, &asked, now);
        let (mut items, mut opening) = (Vec::new(), None);
        match &deed {
            Some(Deed::Open(opened)) => {
                opening = exception::opening(app, flow, "sla-check", opened.as_ref().clone(), now).await?;
                items.extend(opening.iter().flat_map(|opening| opening.items.clone()));
            }
            Some(Deed::Resolve(resolved)) => {
                items.extend(exception::resolution(app, flow, "sla-check", resolved, now).await?);
            }
            None => {}
        }
        items.push(app.watches.put(&watch, Some(&seen), &next)?);
        match app.watches.commit(items).await {
            Ok(()) => {
                opening.iter().for_each(|opening| opening.measure(now));
                attempt = 0;
            }
            Err(error) => again(error, &mut attempt).await?,
        }
    }
}
