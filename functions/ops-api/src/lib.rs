//! Ops API: commands and queries of operators, and the configuration. docs/ARCHITECTURE.md has its contract.

mod caller;
mod checklist;
mod commands;
mod configuration;
mod console;
mod deadline;
mod groups;
mod queries;
mod replay;
mod rotations;
mod sources;
mod whatif;

use meshline_aws::App;
use meshline_aws::http::{self, Problem, Request, Response};
use meshline_core::time::Time;
use serde_json::json;

/// A call, taken apart.
struct Call<'a> {
    app: &'a App,
    request: &'a Request,
    now: Time,
    /// The e-mail address by which somebody was let into the console. Nothing else sets it.
    reader: Option<String>,
}

pub use console::bare_page;

/// Answers `/v1/…`, `/healthz` and the pages of the console.
pub async fn handle(app: &App, request: Request, now: Time) -> Response {
    let segments = http::segments(&request);
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    let method = request.request_context.http.method.as_str().to_owned();
    let call = Call { app, request: &request, now, reader: None };
    if console::owns(&segments) {
        return Box::pin(call.console(&method, &segments)).await;
    }
    Box::pin(call.answer(&method, &segments)).await.unwrap_or_else(Problem::response)
}

impl Call<'_> {
    async fn answer(&self, method: &str, segments: &[&str]) -> Result<Response, Problem> {
        if segments.first() == Some(&"v1") {
            http::vouched_for(self.request)?;
        }
        match (method, segments) {
            ("GET", ["healthz"]) => {
                Ok(http::json(200, &json!({"status": "ok", "version": env!("CARGO_PKG_VERSION")})))
            }
            ("GET", ["v1", "flows"]) => self.flows().await,
            ("GET", ["v1", "flows", flow]) => self.flow(flow).await,
            ("GET", ["v1", "flows", flow, "deadline"]) => self.deadline(flow).await,
            ("PUT", ["v1", "config"]) => Box::pin(self.configure()).await,
            ("GET", ["v1", "runs"]) => self.runs().await,
            ("GET", ["v1", "runs", run]) => self.run(run).await,
            ("GET", ["v1", "runs", run, "audit"]) => self.trail(run).await,
            ("GET", ["v1", "runs", run, "audit", "verify"]) => self.verify(run).await,
            ("GET", ["v1", "audit"]) => self.records().await,
            ("GET", ["v1", "subjects", subject, "timeline"]) => self.timeline(subject).await,
            ("GET", ["v1", "exceptions"]) => self.exceptions().await,
            ("GET", ["v1", "rejections"]) => self.rejections().await,
            ("POST", ["v1", "sources", source, "listen"]) => self.listen(source).await,
            ("GET", ["v1", "sources", source, "heard"]) => self.heard(source).await,
            ("GET", ["v1", "reports", "sla"]) => self.sla_report().await,
            ("GET", ["v1", "reports", "checklist"]) => self.checklist().await,
            ("POST", ["v1", "runs", run, rest @ ..]) => self.command(run, rest).await,
            ("POST", ["v1", "flows", flow, "exceptions", exception, "resolve"]) => {
                Box::pin(self.resolve_of_flow(flow, exception)).await
            }
            ("GET", ["v1", "rotations"]) => self.rotations().await,
            ("POST", ["v1", "rotations", role, "accept"]) => self.accept(role).await,
            ("POST", ["v1", "replay"]) => self.replay().await,
            ("POST", ["v1", "whatif"]) => self.what_if().await,
            (
                _,
                ["healthz"]
                | ["v1", "reports", "sla" | "checklist"]
                | ["v1", "sources", _, "listen" | "heard"]
                | [
                    "v1",
                    "flows" | "runs" | "config" | "audit" | "exceptions" | "rejections" | "replay"
                    | "rotations" | "whatif",
                    ..,
                ],
            ) => {
                let detail = format!("{method} is not for {}", self.path());
                Err(Problem::new(405, "method-not-allowed", "this address takes another method", detail))
            }
            (_, _) => {
                Err(Problem::not_found(format!("{method} {} is none of the API's addresses", self.path())))
            }
        }
    }

    fn path(&self) -> &str {
        self.request.raw_path.as_deref().unwrap_or_default()
    }

    fn query(&self, name: &str) -> Option<String> {
        http::query(self.request, name)
    }
}
