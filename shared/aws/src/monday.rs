//! What the clock needs to see on a Monday, read from the tables.

use meshline_core::checklist::Checklist;
use meshline_core::config::Config;
use meshline_core::config::flow::Flow;
use meshline_core::delivery::{self, Delivery};
use meshline_core::monday::{Monday, Scene, Shown, Wanted};
use meshline_core::report::{Averages, Late};
use meshline_core::time::{Span, Time};

use crate::app::App;
use crate::checklist;
use crate::error::StoreError;

/// How long before a week a run may have opened whose outcomes count in it.
const LOOK_BACK: Span = Span::days(60);
/// Runs that an average is of, the newest ones, as in a report.
const MAX_RUNS: usize = 10_000;

/// What was read of a flow so far, for the one moment that the clock looks at.
#[derive(Debug, Default)]
pub(crate) struct Gathered {
    findings: Option<(Checklist, Option<Late>)>,
    deliveries: Vec<Delivery>,
}

impl Gathered {
    /// Reads what `monday` wants to see, unless it has been read.
    ///
    /// # Errors
    /// The tables are not available now.
    pub(crate) async fn shown(
        &mut self,
        app: &App,
        config: &Config,
        monday: &Monday,
        scene: Scene<'_>,
    ) -> Result<Shown<'_>, StoreError> {
        match monday.wanted(scene) {
            Wanted::Nothing => Ok(Shown::Nothing),
            Wanted::Deliveries(message) => {
                self.deliveries = deliveries(app, &scene.flow.id, message).await?;
                Ok(Shown::Deliveries(&self.deliveries))
            }
            Wanted::Findings(from, to) => {
                if self.findings.is_none() {
                    match findings(app, config, scene, from, to).await {
                        Ok(findings) => self.findings = Some(findings),
                        Err(error) if error.is_passing() => return Err(error),
                        Err(error) => return Ok(Shown::Unknowable(error.to_string())),
                    }
                }
                let known = self.findings.as_ref();
                Ok(known
                    .map_or(Shown::Nothing, |(checklist, late)| Shown::Findings(checklist, late.as_ref())))
            }
        }
    }
}

/// What was recorded about a message of the flow's trail.
async fn deliveries(app: &App, flow: &str, message: u64) -> Result<Vec<Delivery>, StoreError> {
    let since = app.audit.trail(&format!("FLOW#{flow}"), message).await?;
    let reports = since.iter().filter_map(|record| delivery::of_fact(&record.fact));
    Ok(reports.filter(|delivery| delivery.message == message).collect())
}

async fn findings(
    app: &App,
    config: &Config,
    scene: Scene<'_>,
    from: Time,
    to: Time,
) -> Result<(Checklist, Option<Late>), StoreError> {
    let list = checklist::checklist(app, config, scene.flow, scene.exceptions, scene.now).await?;
    Ok((list, late(app, scene.flow, from, to).await?))
}

/// What took longer than its SLA from `from` to `to`, on average.
async fn late(app: &App, flow: &Flow, from: Time, to: Time) -> Result<Option<Late>, StoreError> {
    let mut averages = Averages::of(flow, from, to);
    app.runs.opened_since(&flow.id, from - LOOK_BACK, MAX_RUNS, |run| averages.add(&run)).await?;
    Ok(averages.late())
}
