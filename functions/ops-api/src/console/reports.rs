//! `GET /reports`: how many promises of each flow were kept.

mod group;

use maud::{Markup, html};
use meshline_aws::http::{Problem, Response};
use meshline_core::config::flow::Flow;
use meshline_core::report::SlaReport;
use meshline_core::time::Span;

use super::layout::Tab;
use super::reader::{Frame, Reader, foreign};
use super::words::{clean, count, encoded, span};
use crate::Call;

/// Runs that a page counts for one flow, the newest ones: a page must not wait for ten thousand. The API counts them.
pub(super) const MAX_RUNS: usize = 100;

impl Call<'_> {
    pub(super) async fn reports_page(&self) -> Result<Response, Problem> {
        if let Some(by) = self.query("by") {
            return self.groups_page(&by).await;
        }
        let reader = self.reader().await?;
        let flows: Vec<&Flow> = reader.config.flows.values().map(|flow| flow.document.as_ref()).collect();
        let reports = flows.iter().map(|flow| self.sla(flow, MAX_RUNS));
        let reports = futures_util::future::try_join_all(reports).await?;
        let main = html! {
            h1 { "Reports" }
            (group::choice(None))
            @if flows.is_empty() { p.none { "No flow is in force, so nothing was promised yet." } }
            @for (flow, report) in flows.iter().zip(&reports) {
                section aria-labelledby=(flow.id) {
                    h2 id=(flow.id) { a href=(format!("/flows/{}", encoded(&flow.id))) { (foreign(&flow.title)) } }
                    (figures(&reader, flow, report))
                }
            }
        };
        Ok(self.page(200, &reader, &Frame { title: "Reports", tab: Tab::Reports }, main))
    }
}

/// The figures of a flow.
pub(super) fn figures(reader: &Reader, flow: &Flow, report: &SlaReport) -> Markup {
    let counted = report.triggers + report.cancelled + report.suppressed;
    let json = format!("/v1/reports/sla?flow={}", encoded(&flow.id));
    html! {
        p.meta {
            "Opened from " (reader.time(report.from)) " to " (reader.time(report.to)) ": " (count(report.triggers, "run"))
            @if report.cancelled > 0 { ", " (report.cancelled) " cancelled besides" }
            @if report.suppressed > 0 { ", " (report.suppressed) " while the flow was off besides" }
            @if counted >= MAX_RUNS { ". Only the newest were counted; " a href=(json) { "all of them, as JSON" } }
        }
        ul.figures {
            li {
                span.figure {
                    strong { (percent(report.met_ratio)) } " "
                    span {
                        "of decided runs met"
                        @if let Some(objective) = &report.objective { ", " (percent(Some(objective.met))) " promised" }
                    }
                }
            }
            li { span.figure { strong { (report.met) } " " span { "met" } } }
            li { span.figure { strong.late[report.missed > 0] { (report.missed) } " " span { "missed" } } }
            li { span.figure { strong { (report.pending) } " " span { "pending" } } }
            @if let Some(left) = report.error_budget_left {
                li { span.figure { strong.late[left < 0.0] { (percent(Some(left))) } " " span { "of the error budget left" } } }
            }
            li { span.figure { strong { (seconds(report.time_to_acknowledge_s.p50)) } " " span { "to acknowledge, median" } } }
            li { span.figure { strong { (seconds(report.mean_time_to_remediation_s)) } " " span { "to resolve an exception, on average" } } }
        }
        (outcomes(flow, report))
    }
}

fn outcomes(flow: &Flow, report: &SlaReport) -> Markup {
    let title = |id: &str| clean(flow.outcome(id).and_then(|spec| spec.title.as_deref()).unwrap_or(id));
    let caption = format!("Outcomes of {}", clean(&flow.title));
    html! {
        div.wide role="region" aria-label=(caption) tabindex="0" {
            table {
                caption { (caption) }
                thead {
                    tr {
                        th scope="col" { "Outcome" }
                        @for head in ["Met", "Missed", "Pending", "Median", "95 of 100 within"] { th.num scope="col" { (head) } }
                    }
                }
                tbody {
                    @for outcome in &report.outcomes {
                        tr {
                            th scope="row" { (title(&outcome.id)) }
                            td.num { (outcome.met) } td.num { (outcome.missed) } td.num { (outcome.pending) }
                            td.num { (seconds(outcome.latency_s.p50)) } td.num { (seconds(outcome.latency_s.p95)) }
                        }
                    }
                }
            }
        }
    }
}

/// A ratio as the report has it, with as many decimals as that takes: `97.5 %`, `90 %`.
fn percent(ratio: Option<f64>) -> String {
    let percent = |ratio: f64| (ratio * 1000.0).round() / 10.0;
    ratio.map_or_else(|| "–".to_owned(), |ratio| format!("{} %", percent(ratio)).replace('-', "\u{2212}"))
}

fn seconds(seconds: Option<i64>) -> String {
    seconds.map_or_else(|| "–".to_owned(), |seconds| span(Span::from_ms(seconds.saturating_mul(1000))))
}
