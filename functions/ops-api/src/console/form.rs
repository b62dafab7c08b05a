//! Forms: what a person sends from a page becomes the command that the API would give.

use std::collections::BTreeMap;

use aws_lambda_events::http::{HeaderName, HeaderValue};
use maud::{Markup, html};
use meshline_aws::browser;
use meshline_aws::http::{self, Problem, Response};
use meshline_core::api::CommandFields;
use meshline_core::record::Record;
use serde_json::{Value, json};

use super::layout::capital;
use super::reader::foreign;
use super::record::Teller;
use super::words::encoded;
use crate::Call;

/// Fields of a form that are not the command's.
const OWN_FIELDS: [&str; 2] = ["token", "confirm"];

impl Call<'_> {
    /// `POST /runs/{run}/…`: 303 to the run, or the run with why not.
    pub(super) async fn run_form(&self, run: &str, rest: &[&str]) -> Result<Response, Problem> {
        let form = self.form()?;
        let done = match confirmed(rest, &form) {
            Ok(()) => self.commanded(run, rest, fields(&form)?).await,
            Err(problem) => Err(problem),
        };
        match done {
            Ok(_) => Ok(see_other(&format!("/runs/{}?done={}", encoded(run), rest.last().unwrap_or(&"")))),
            Err(problem) if matches!(problem.status, 409 | 422) => {
                let refused = Refused { problem: &problem, form: &form };
                self.run_page(run, problem.status, Some(&refused)).await
            }
            Err(problem) => Err(problem),
        }
    }

    /// `POST /flows/{flow}/exceptions/{exception}/resolve`: 303 to the queue.
    pub(super) async fn flow_exception_form(&self, flow: &str, exception: &str) -> Result<Response, Problem> {
        let form = self.form()?;
        self.resolved_of_flow(flow, exception, fields(&form)?).await?;
        Ok(see_other("/exceptions?done=resolve"))
    }

    /// The fields of a form that was sent from a page of the console.
    pub(super) fn form(&self) -> Result<BTreeMap<String, String>, Problem> {
        let form: BTreeMap<String, String> = browser::form(self.request).into_iter().collect();
        self.sent_from_console(form.get("token").map(String::as_str))?;
        Ok(form)
    }
}

/// What cannot be undone has a typed word.
fn confirmed(rest: &[&str], form: &BTreeMap<String, String>) -> Result<(), Problem> {
    let Some(word @ (&"cancel" | &"close")) = rest.first() else { return Ok(()) };
    let typed = form.get("confirm").map(|typed| typed.trim().to_lowercase());
    if typed.as_deref() == Some(*word) {
        return Ok(());
    }
    let detail = format!("type `{word}` to confirm: it cannot be undone");
    Err(Problem::new(422, "invalid", "nothing was changed", detail))
}

/// The command's fields; what was left empty counts as left out.
fn fields(form: &BTreeMap<String, String>) -> Result<CommandFields, Problem> {
    let given =
        form.iter().filter(|(name, value)| !OWN_FIELDS.contains(&name.as_str()) && !value.trim().is_empty());
    let given = given.map(|(name, value)| {
        let number = value.parse::<u64>().ok().filter(|_| name == "if_version");
        (name.clone(), number.map_or_else(|| json!(value), |number| json!(number)))
    });
    serde_json::from_value(Value::Object(given.collect()))
        .map_err(|error| Problem::bad_request(format!("the form: {error}")))
}

/// A form that changed nothing.
pub(super) struct Refused<'a> {
    problem: &'a Problem,
    form: &'a BTreeMap<String, String>,
}

impl Refused<'_> {
    /// Why, what changed since the page was shown, and what the person had written.
    pub(super) fn alert(&self, teller: Teller<'_>) -> Markup {
        let changes = self.problem.more.get("changes").cloned().unwrap_or_default();
        let changes: Vec<Record> = serde_json::from_value(changes).unwrap_or_default();
        let written = self.form.iter().filter(|(name, text)| is_written(name) && !text.trim().is_empty());
        html! {
            div.alert role="alert" {
                h2 { "Nothing was changed: " (self.problem.title) }
                p { (foreign(&capital(&self.problem.detail))) "." }
                @if !changes.is_empty() {
                    p { "What happened since you opened the page:" }
                    ul {
                        @for record in &changes {
                            li { (teller.reader.time(record.at)) ", " (teller.actor(&record.actor)) ": " (teller.sentence(&record.fact)) }
                        }
                    }
                    p { "Below is the run as it is now. If what you wanted is still right, do it once more." }
                }
                @for (name, text) in written { p { "You had written as " (name) ":" } blockquote { (foreign(text)) } }
            }
        }
    }
}

/// Whether a field holds words of the person.
fn is_written(name: &str) -> bool {
    matches!(name, "evidence" | "reason" | "resolution" | "text")
}

/// 303 to another address.
pub(super) fn see_other(path: &str) -> Response {
    let mut response = http::text(303, "text/plain; charset=utf-8", String::new());
    if let Ok(location) = HeaderValue::from_str(path) {
        response.headers.insert(HeaderName::from_static("location"), location);
    }
    response
}
