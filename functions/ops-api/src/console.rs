//! The console: pages for people, rendered here, that work without a script. A page shows what the API would answer,
//! and a form gives the command that the API would give. No GET changes anything.

mod csrf;
mod exceptions;
mod flows;
mod form;
mod layout;
mod list;
mod picture;
mod reader;
mod record;
mod reports;
mod run;
mod runs;
mod sign_in;
mod subject;
mod today;
mod words;

pub use layout::bare_page;
use meshline_aws::http::{self, Problem, Response};

use crate::Call;

/// Whether an address is one of the console's.
pub(crate) fn owns(segments: &[&str]) -> bool {
    let first = segments.first().copied();
    is_page(first) || matches!(first, Some("assets" | "sign-in" | "sign-out"))
}

/// Whether an address that begins so is that of a page, which only those see who are let in.
fn is_page(first: Option<&str>) -> bool {
    matches!(first, None | Some("runs" | "exceptions" | "flows" | "subjects" | "reports"))
}

impl Call<'_> {
    /// Answers a page, a form, an asset, or what signs people in.
    pub(crate) async fn console(&self, method: &str, segments: &[&str]) -> Response {
        let answer = match (method, segments) {
            (_, ["sign-in" | "sign-out", ..]) => self.sign_in(method, segments).await,
            ("GET", ["assets", name]) => layout::asset(name, self.query("v").as_deref()),
            (_, _) => match self.admitted().await {
                Ok(reader) => Call { reader, ..*self }.page_or_form(method, segments).await,
                Err(problem) => return self.not_admitted(&problem),
            },
        };
        answer.unwrap_or_else(|problem| layout::problem_page(&problem))
    }

    async fn page_or_form(&self, method: &str, segments: &[&str]) -> Result<Response, Problem> {
        http::check_names(self.request)?;
        match (method, segments) {
            ("GET", []) => self.today_page().await,
            ("GET", ["runs"]) => self.runs_page().await,
            ("GET", ["runs", run]) => self.run_page(run, 200, None).await,
            ("GET", ["exceptions"]) => self.exceptions_page().await,
            ("GET", ["flows"]) => self.flows_page().await,
            ("GET", ["flows", flow]) => self.flow_page(flow).await,
            // API Gateway has decoded the path: what was one segment may be several.
            ("GET", ["subjects", subject @ ..]) if !subject.is_empty() => {
                self.subject_page(&subject.join("/")).await
            }
            ("GET", ["reports"]) => self.reports_page().await,
            ("POST", ["runs", run, rest @ ..]) => self.run_form(run, rest).await,
            ("POST", ["flows", flow, "exceptions", exception, "resolve"]) => {
                self.flow_exception_form(flow, exception).await
            }
            ("GET", _) => Err(Problem::not_found("the address may be mistyped, or what was here is gone")),
            (_, _) => {
                let detail = format!("{method} is not for {}", self.path());
                Err(Problem::new(405, "method-not-allowed", "this address takes another method", detail))
            }
        }
    }
}
