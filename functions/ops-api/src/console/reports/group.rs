//! `GET /reports?by=client|owner`: how many promises were kept to or by each.

use maud::{Markup, html};
use meshline_aws::http::{Problem, Response};
use meshline_core::report::{By, GroupedReport};

use super::super::layout::Tab;
use super::super::reader::{Frame, Reader, foreign};
use super::super::words::count;
use super::{MAX_RUNS, percent, seconds};
use crate::Call;

impl Call<'_> {
    pub(super) async fn groups_page(&self, by: &str) -> Result<Response, Problem> {
        let by = by.parse::<By>().map_err(|error| Problem::bad_request(format!("`by`: {error}")))?;
        let (reader, report) = (self.reader().await?, self.grouped(by, MAX_RUNS).await?);
        let main = html! {
            h1 { "Reports" }
            (choice(Some(by)))
            @if report.items.is_empty() {
                p.none { "No run has opened, so nothing was promised yet." }
            } @else {
                (figures(&reader, &report))
            }
        };
        Ok(self.page(200, &reader, &Frame { title: "Reports", tab: Tab::Reports }, main))
    }
}

/// By what reports can be looked at.
pub(super) fn choice(chosen: Option<By>) -> Markup {
    let all = [
        (None, "/reports", "By flow"),
        (Some(By::Client), "/reports?by=client", "By client"),
        (Some(By::Owner), "/reports?by=owner", "By owner"),
    ];
    html! {
        nav.meta aria-label="Reports" {
            @for (n, (by, address, words)) in all.into_iter().enumerate() {
                @if n > 0 { " · " }
                @if by == chosen { strong aria-current="page" { (words) } } @else { a href=(address) { (words) } }
            }
        }
    }
}

fn figures(reader: &Reader, report: &GroupedReport) -> Markup {
    let (head, caption) = match report.by {
        By::Client => ("Client", "Promises by client"),
        By::Owner => ("Owner", "Promises by owner of the run"),
    };
    let json = format!("/v1/reports/sla?by={}", report.by.as_str());
    let name = |id: &str| match report.by {
        By::Client => foreign(id),
        By::Owner => foreign(&reader.name(id)),
    };
    html! {
        p.meta {
            "Opened from " (reader.time(report.from)) " to " (reader.time(report.to)) ", of each flow the newest "
            (count(MAX_RUNS, "run")) "; " a href=(json) { "all of them, as JSON" }
        }
        div.wide role="region" aria-label=(caption) tabindex="0" {
            table {
                caption { (caption) }
                thead {
                    tr {
                        th scope="col" { (head) }
                        @for head in ["Flows", "Met", "Missed", "Pending", "Met of decided", "To acknowledge, median", "Exceptions open"] { th.num scope="col" { (head) } }
                    }
                }
                tbody {
                    @for group in &report.items {
                        tr {
                            th scope="row" { @match &group.id { Some(id) => (name(id)), None => "No client" } }
                            td.num { (group.flows.len()) }
                            td.num { (group.met) } td.num { (group.missed) } td.num { (group.pending) }
                            td.num { (percent(group.met_ratio)) } td.num { (seconds(group.time_to_acknowledge_s.p50)) }
                            td.num { (group.exceptions.open) }
                        }
                    }
                }
            }
        }
    }
}
