//! The Monday checklist of a flow, as it stands whenever it is asked for.

use meshline_aws::checklist;
use meshline_aws::http::{self, Problem, Response};
use meshline_core::flow_exception::FlowException;
use serde_json::json;

use crate::Call;

impl Call<'_> {
    /// `GET /v1/reports/checklist?flow=`
    pub(crate) async fn checklist(&self) -> Result<Response, Problem> {
        let id = self.query("flow").ok_or_else(|| Problem::bad_request("say which: `?flow=ID`"))?;
        let config = self.app.config.fresh().await?.config;
        let flow =
            config.flows.get(&id).ok_or_else(|| Problem::not_found(format!("there is no flow `{id}`")))?;
        let of_flow: Vec<FlowException> = self.app.watches.exceptions_of(&id).await?;
        let list = checklist::checklist(self.app, &config, &flow.document, &of_flow, self.now).await?;
        Ok(http::json(200, &json!(list)))
    }
}
