//! The SLA report by client or by owner.

use meshline_aws::http::{self, Problem, Response};
use meshline_core::report::{By, GroupedReport, Groups};
use meshline_core::time::Span;
use serde_json::json;

use crate::Call;
use crate::queries::{DEFAULT_WINDOW, MAX_REPORT_RUNS, one_or_all};

impl Call<'_> {
    /// `GET /v1/reports/sla?by=client|owner&flow=&from=&to=`
    pub(crate) async fn grouped_report(&self, by: &str) -> Result<Response, Problem> {
        let by = by.parse::<By>().map_err(|error| Problem::bad_request(format!("`by`: {error}")))?;
        let GroupedReport { by, from, to, items } = self.grouped(by, MAX_REPORT_RUNS).await?;
        Ok(http::json(200, &json!({"by": by, "from": from, "to": to, "items": items, "cursor": null})))
    }

    /// How many promises were kept to or by each, in the newest `most` runs of each flow. Runs are counted as they are
    /// read: there can be more of them than a function has room for.
    pub(crate) async fn grouped(&self, by: By, most: usize) -> Result<GroupedReport, Problem> {
        let config = self.app.config.fresh().await?.config;
        let flow = self.query("flow");
        // What was opened at this very moment belongs to the report.
        let to = self.time("to")?.unwrap_or(self.now + Span::from_ms(1));
        let from = self.time("from")?.unwrap_or(to - DEFAULT_WINDOW);
        let mut groups = Groups::new(by, from, to, self.now);
        for flow in one_or_all(flow.as_deref(), &config) {
            self.app.runs.opened_since(flow, from, most, |run| groups.add(&run)).await?;
        }
        Ok(groups.report())
    }
}
