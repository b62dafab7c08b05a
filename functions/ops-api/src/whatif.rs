//! What if: the last runs of a flow, decided again under a flow that is not in force.

use meshline_aws::StoreError;
use meshline_aws::http::{self, Problem, Response};
use meshline_aws::runs::List;
use meshline_core::api::WhatIf;
use meshline_core::config::{Action, Kind, Plan};
use meshline_core::decide::Context;
use meshline_core::route::Candidate;
use meshline_core::run::Run;
use meshline_core::whatif::{self, Comparison, Life, Summary};
use serde_json::json;

use crate::Call;
use crate::replay::invalid;

/// Runs that are decided again, where the caller does not say.
const DEFAULT_LAST: i32 = 10;
/// Runs that are decided again at most: each takes four reads, one after the other, and the API gives up after 30 s.
const MAX_LAST: i32 = 50;

impl Call<'_> {
    /// `POST /v1/whatif?last=&flow=`: the body is that of `PUT /v1/config`. Nothing is stored.
    pub(crate) async fn what_if(&self) -> Result<Response, Problem> {
        let last = match self.query("last").map(|text| text.parse::<i32>()) {
            None => DEFAULT_LAST,
            Some(Ok(last @ 1..=MAX_LAST)) => last,
            Some(_) => return Err(invalid("last", format!("write a number from 1 to {MAX_LAST}"))),
        };
        let files = self.files()?;
        let before = self.app.config.fresh().await?.config;
        let plan = self.plan(&before, &files)?;
        let id = one_flow(&plan, self.query("flow").as_deref())?;
        let Some(flow) = plan.next.flows.get(&id) else {
            return Err(invalid("flow", format!("there is no flow `{id}`")));
        };
        let directory = plan.next.people();
        let calendar = plan.next.calendar_of(&flow.document);
        let context = Context { flow, calendar, directory: &directory };
        let runs = self.app.runs.list(&List::Flow(&id), last, None).await?.runs;
        let mut comparisons = Vec::new();
        for run in &runs {
            comparisons.push(self.again(run, context).await?);
        }
        let summary = Summary::of(&comparisons);
        Ok(http::json(200, &json!(WhatIf { flow: id, summary, runs: comparisons })))
    }

    async fn again(&self, run: &Run, context: Context<'_>) -> Result<Comparison, Problem> {
        let trail = self.app.audit.trail(&run.run, 0).await?;
        // The list may be a moment behind the trail.
        let run = Run::fold(&trail).map_err(|error| corrupt(run, error.to_string()))?;
        let events = self.app.events.of_subject(&run.subject).await?;
        let parked = self.app.parked.of_subject(&run.subject).await?;
        let others = self.app.runs.of_subject(&run.subject).await?;
        let mut flows = Vec::new();
        for other in &others {
            flows.push(self.app.config.flow(&other.flow, other.flow_version).await?);
        }
        let runs: Vec<Candidate<'_>> =
            others.iter().zip(&flows).map(|(run, flow)| Candidate { run, flow: &flow.document }).collect();
        let life = Life { run: &run, trail: &trail, events: &events, parked: &parked, runs: &runs };
        Ok(whatif::compare(life, context, self.now).map_err(|error| corrupt(&run, error.to_string()))?)
    }
}

/// The flow that is asked about: the one that is named, else the only one that differs, else the only one.
fn one_flow(plan: &Plan, named: Option<&str>) -> Result<String, Problem> {
    let flows: Vec<_> = plan.changes.iter().filter(|change| change.kind == Kind::Flow).collect();
    if let Some(named) = named {
        let is_there = flows.iter().any(|change| change.id == named);
        return is_there
            .then(|| named.to_owned())
            .ok_or_else(|| invalid("flow", format!("`{named}` is no flow of these files")));
    }
    let changed: Vec<_> = flows.iter().filter(|change| change.action != Action::Unchanged).collect();
    match (changed.as_slice(), flows.as_slice()) {
        ([one], _) => Ok(one.id.clone()),
        ([], [one]) => Ok(one.id.clone()),
        (changed, flows) => {
            let detail = format!(
                "of {} flows {} differ from what is in force: name one, or send one that differs",
                flows.len(),
                changed.len()
            );
            Err(invalid("flow", detail))
        }
    }
}

fn corrupt(run: &Run, why: String) -> StoreError {
    StoreError::Corrupt { doing: "decide a run again", what: run.run.clone(), why }
}
