//! How a deadline of a flow comes about.

use meshline_aws::http::{self, Problem, Response};
use meshline_core::calendar::DeadlineView;
use meshline_core::duration::Duration;
use serde_json::json;

use crate::Call;

impl Call<'_> {
    /// `GET /v1/flows/{id}/deadline?sla=&from=`: the deadline of an outcome of the flow, or of any duration by the flow's
    /// calendar, as both are now.
    pub(crate) async fn deadline(&self, id: &str) -> Result<Response, Problem> {
        let config = self.app.config.fresh().await?.config;
        let flow =
            config.flows.get(id).ok_or_else(|| Problem::not_found(format!("there is no flow `{id}`")))?;
        let sla =
            self.query("sla").ok_or_else(|| Problem::bad_request("say which: `?sla=OUTCOME|DURATION`"))?;
        let sla = match flow.document.outcome(&sla) {
            Some(outcome) => outcome.sla,
            None => sla.parse::<Duration>().map_err(|error| {
                Problem::bad_request(format!("`sla`: no outcome of `{id}`, and as a duration: {error}"))
            })?,
        };
        let from = self.time("from")?.unwrap_or(self.now);
        let view = DeadlineView::of(sla, config.calendar_of(&flow.document), from);
        let view =
            view.ok_or_else(|| Problem::bad_request(format!("`{id}` has no calendar that counts `{sla}`")))?;
        Ok(http::json(200, &json!(view)))
    }
}
