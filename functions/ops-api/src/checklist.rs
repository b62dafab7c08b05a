//! The Monday checklist of a flow, over its last triggers.

use std::sync::Arc;

use futures_util::future::try_join_all;
use meshline_aws::http::{self, MAX_LIMIT, Problem, Response};
use meshline_aws::runs::List;
use meshline_core::checklist::{self, Evidence, TRIGGERS, Trigger};
use meshline_core::config::Versioned;
use meshline_core::config::flow::Flow;
use meshline_core::flow_exception::FlowException;
use meshline_core::record::Record;
use meshline_core::run::Run;
use serde_json::json;

use crate::Call;

impl Call<'_> {
    /// `GET /v1/reports/checklist?flow=`
    pub(crate) async fn checklist(&self) -> Result<Response, Problem> {
        let id = self.query("flow").ok_or_else(|| Problem::bad_request("say which: `?flow=ID`"))?;
        let config = self.app.config.fresh(self.now).await?.config;
        let flow =
            config.flows.get(&id).ok_or_else(|| Problem::not_found(format!("there is no flow `{id}`")))?;
        let mut last = Vec::new();
        for run in self.app.runs.list(&List::Flow(&id), TRIGGERS as i32, None).await?.runs {
            last.push(self.with_records(run).await?);
        }
        let triggers: Vec<Trigger<'_>> =
            last.iter().map(|(run, flow, trail)| Trigger { run, flow: &flow.document, trail }).collect();
        let lists = List::excepted(&id);
        let pages = lists.iter().map(|list| self.app.runs.list(list, MAX_LIMIT as i32, None));
        let pages = try_join_all(pages).await?;
        let has_more_excepted = pages.iter().any(|page| page.cursor.is_some());
        let excepted: Vec<Run> = pages.into_iter().flat_map(|page| page.runs).collect();
        let of_flow: Vec<FlowException> = self.app.watches.exceptions_of(&id).await?;
        let evidence = Evidence {
            flow: &flow.document,
            directory: &config.people(),
            triggers: &triggers,
            excepted: &excepted,
            has_more_excepted,
            of_flow: &of_flow,
        };
        Ok(http::json(200, &json!(checklist::checklist(evidence, self.now))))
    }

    async fn with_records(&self, run: Run) -> Result<(Run, Arc<Versioned<Flow>>, Vec<Record>), Problem> {
        let flow = self.app.config.flow(&run.flow, run.flow_version).await?;
        let trail = self.app.audit.trail(&run.run, 0).await?;
        Ok((run, flow, trail))
    }
}
