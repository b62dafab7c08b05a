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
use meshline_core::api::{Found, Health, Route};
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
        http::check_names(self.request)?;
        let (route, [place, within]) = match Route::find(method, segments) {
            Found::Route(route, places) => (route, places),
            Found::OtherMethod(methods) => {
                let detail = format!("{method} is not for {}", self.path());
                return Err(Problem::other_method(&methods, detail));
            }
            Found::Nothing => return Err(self.nowhere(method)),
        };
        match route {
            Route::Health => {
                Ok(http::json(200, &json!(Health { status: "ok", version: env!("CARGO_PKG_VERSION") })))
            }
            Route::Configure => Box::pin(self.configure()).await,
            Route::Flows => self.flows().await,
            Route::Flow => self.flow(place).await,
            Route::Deadline => self.deadline(place).await,
            Route::ResolveOfFlow => Box::pin(self.resolve_of_flow(place, within)).await,
            Route::Runs => self.runs().await,
            Route::Run => self.run(place).await,
            Route::Acknowledge
            | Route::Reassign
            | Route::Pause
            | Route::Resume
            | Route::Note
            | Route::Cancel
            | Route::Close
            | Route::CompleteOutcome
            | Route::FailOutcome
            | Route::PassCheck
            | Route::FailCheck
            | Route::OpenException
            | Route::ResolveException => self.command(place, segments.get(3..).unwrap_or_default()).await,
            Route::Trail => self.trail(place).await,
            Route::Verify => self.verify(place).await,
            Route::Records => self.records().await,
            Route::Timeline => self.timeline(place).await,
            Route::Exceptions => self.exceptions().await,
            Route::Rejections => self.rejections().await,
            Route::Listen => self.listen(place).await,
            Route::Heard => self.heard(place).await,
            Route::Rotations => self.rotations().await,
            Route::AcceptTurn => self.accept(place).await,
            Route::SlaReport => self.sla_report().await,
            Route::Checklist => self.checklist().await,
            Route::Replay => self.replay().await,
            Route::WhatIf => self.what_if().await,
            // Other functions answer these.
            Route::Deliver | Route::Probe | Route::Checkpoints | Route::CheckpointKey | Route::Checkpoint => {
                Err(self.nowhere(method))
            }
        }
    }

    fn nowhere(&self, method: &str) -> Problem {
        Problem::not_found(format!("{method} {} is none of the API's addresses", self.path()))
    }

    fn path(&self) -> &str {
        self.request.raw_path.as_deref().unwrap_or_default()
    }

    fn query(&self, name: &str) -> Option<String> {
        http::query(self.request, name)
    }
}
