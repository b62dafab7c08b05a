//! The checklist of a flow, made of what is stored.

use std::sync::Arc;

use futures_util::future::try_join_all;
use meshline_core::checklist::{self, Checklist, Evidence, TRIGGERS, Trigger};
use meshline_core::config::Config;
use meshline_core::config::Versioned;
use meshline_core::config::flow::Flow;
use meshline_core::flow_exception::FlowException;
use meshline_core::record::Record;
use meshline_core::run::Run;
use meshline_core::time::Time;

use crate::app::App;
use crate::error::StoreError;
use crate::http::MAX_LIMIT;
use crate::runs::List;

/// The checklist of `flow` over its last triggers; `of_flow` are all exceptions of the flow itself.
///
/// # Errors
/// The tables are not available, or hold what is no run or record.
pub async fn checklist(
    app: &App,
    config: &Config,
    flow: &Flow,
    of_flow: &[FlowException],
    now: Time,
) -> Result<Checklist, StoreError> {
    let mut last = Vec::new();
    for run in app.runs.list(&List::Flow(&flow.id), TRIGGERS as i32, None).await?.runs {
        last.push(with_records(app, run).await?);
    }
    let triggers: Vec<Trigger<'_>> =
        last.iter().map(|(run, flow, trail)| Trigger { run, flow: &flow.document, trail }).collect();
    let lists = List::excepted(&flow.id);
    let pages = try_join_all(lists.iter().map(|list| app.runs.list(list, MAX_LIMIT as i32, None))).await?;
    let has_more_excepted = pages.iter().any(|page| page.cursor.is_some());
    let excepted: Vec<Run> = pages.into_iter().flat_map(|page| page.runs).collect();
    let evidence = Evidence {
        flow,
        directory: &config.people(),
        triggers: &triggers,
        excepted: &excepted,
        has_more_excepted,
        of_flow,
    };
    Ok(checklist::checklist(evidence, now))
}

async fn with_records(app: &App, run: Run) -> Result<(Run, Arc<Versioned<Flow>>, Vec<Record>), StoreError> {
    let flow = app.config.flow(&run.flow, run.flow_version).await?;
    let trail = app.audit.trail(&run.run, 0).await?;
    Ok((run, flow, trail))
}
