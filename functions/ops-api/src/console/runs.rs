//! `GET /runs`: all runs, newest first, narrowed down and page by page.

use maud::html;
use meshline_aws::http::{Problem, Response};

use super::layout::Tab;
use super::list::{filters, opened, row};
use super::reader::Frame;
use super::words::encoded;
use crate::Call;

/// Pages of an index that are looked through: a filter that finds little there is gone on with by a link.
const MAX_PAGES: usize = 2;
/// The lists that people ask for most.
const LISTS: [(&str, &str); 4] =
    [("All", ""), ("Active", "status=active"), ("Overdue", "overdue=true"), ("Closed", "status=closed")];

impl Call<'_> {
    pub(super) async fn runs_page(&self) -> Result<Response, Problem> {
        let reader = self.reader().await?;
        let filter = self.filter();
        let (runs, cursor) = self.wanted_runs(MAX_PAGES).await?;
        let asked = |name: &str| self.query(name).map(|value| format!("&{name}={}", encoded(&value)));
        let list = asked("status").or_else(|| asked("overdue")).unwrap_or_default();
        let main = html! {
            h1 { "Runs" }
            ul.tabs {
                @for (name, query) in LISTS {
                    li { a href=(format!("/runs?{query}{}", filter.query()))
                        aria-current=[(list.trim_start_matches('&') == query).then_some("true")] { (name) } }
                }
            }
            (filters(&reader, &filter, "/runs"))
            @if runs.is_empty() {
                p.none {
                    @if cursor.is_some() { "None of the newest runs is like that. " } @else { "No run is like that. " }
                    a href="/runs" { "All runs" }
                }
            } @else {
                ul.rows {
                    @for run in &runs { (row(&reader, run, Some(opened(&reader, run)))) }
                }
            }
            @if let Some(cursor) = cursor {
                p.more {
                    @if !runs.is_empty() { "These are " (runs.len()) ", newest first. " }
                    a href=(format!("/runs?cursor={}{list}{}", encoded(&cursor), filter.query())) { "Older ones" }
                }
            }
        };
        Ok(self.page(200, &reader, &Frame { title: "Runs", tab: Tab::Runs }, main))
    }
}
