//! The report as one HTML page that needs nothing else: no script, no font, no picture, nothing from elsewhere.

use maud::{DOCTYPE, Markup, PreEscaped, html};
use meshline_core::report::SlaReport;
use meshline_core::time::Time;

use super::{forecast, percent};
use crate::show::{count, span};

const STYLE: &str = include_str!("style.css");

/// The page of the reports of flows, as of `now`.
pub(super) fn page(reports: &[SlaReport], now: Time) -> String {
    document(now, &html! { @for report in reports { (section(report, now)) } })
}

/// A page that shows `sections`, as of `now`.
pub(super) fn document(now: Time, sections: &Markup) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "Service levels on " (now.day()) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                main {
                    h1 { "Service levels" }
                    p { "As of " time datetime=(now) { (now) } ". What is overdue and open counts as missed, what is open and not due as pending." }
                    (sections)
                }
            }
        }
    };
    page.into_string()
}

fn section(report: &SlaReport, now: Time) -> Markup {
    let objective = report.objective.as_ref();
    let exceptions = &report.exceptions;
    html! {
        section aria-labelledby=(report.flow) {
            h2 id=(report.flow) { (report.flow) }
            p {
                (count(report.triggers, "trigger")) " from " time datetime=(report.from) { (report.from.day()) }
                " to " time datetime=(report.to) { (report.to.day()) }
                ", " (report.cancelled) " cancelled and " (report.suppressed) " suppressed besides."
            }
            table {
                caption { "What was promised and what came of it" }
                tbody {
                    tr { th scope="row" { "Met" } td.n { (report.met) } }
                    tr { th scope="row" { "Missed" } td.n.late[report.missed > 0] { (report.missed) } }
                    tr { th scope="row" { "Pending" } td.n { (report.pending) } }
                    tr { th scope="row" { "Met of decided" } td.n { (report.met_ratio.map_or("–".to_owned(), percent)) } }
                    tr { th scope="row" { "Objective" } td.n { (objective.map_or("–".to_owned(), |it| format!("{} over {}", percent(it.met), it.window))) } }
                    tr { th scope="row" { "Error budget left" } td.n.late[report.error_budget_left.is_some_and(|left| left < 0.0)] { (report.error_budget_left.map_or("–".to_owned(), percent)) } }
                    tr { th scope="row" { "To acknowledge, median" } td.n { (span(report.time_to_acknowledge_s.p50)) } }
                    tr { th scope="row" { "To remediate, on average" } td.n { (span(report.mean_time_to_remediation_s)) } }
                    tr { th scope="row" { "Exceptions" } td.n { (exceptions.opened) " opened, " (exceptions.open) " open" } }
                }
            }
            @if let Some(it) = &report.forecast { p { "Forecast: " (forecast(it, now)) "." } }
            (outcomes(report))
        }
    }
}

fn outcomes(report: &SlaReport) -> Markup {
    let caption = format!("Outcomes of {}", report.flow);
    html! {
        div.wide role="region" aria-label=(caption) tabindex="0" {
            table {
                caption { (caption) }
                thead {
                    tr {
                        th scope="col" { "Outcome" }
                        @for name in ["Met", "Missed", "Pending", "Median", "95 of 100 within", "99 of 100 within"] { th.n scope="col" { (name) } }
                    }
                }
                tbody {
                    @for outcome in &report.outcomes {
                        tr {
                            th scope="row" { (outcome.id) }
                            td.n { (outcome.met) } td.n.late[outcome.missed > 0] { (outcome.missed) } td.n { (outcome.pending) }
                            @for seconds in [outcome.latency_s.p50, outcome.latency_s.p95, outcome.latency_s.p99] { td.n { (span(seconds)) } }
                        }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::example;
    use super::*;

    #[test]
    fn the_page_needs_nothing_from_elsewhere() {
        let (report, now) = example();
        let page = page(&[report], now);
        for foreign in ["<script", "src=", "href=", "url(", "@import", "http"] {
            assert!(!page.contains(foreign), "{foreign}");
        }
    }

    #[test]
    fn a_reader_that_sees_no_colours_is_told_what_each_cell_is() {
        let (report, now) = example();
        let page = page(&[report], now);
        assert!(page.starts_with("<!DOCTYPE html><html lang=\"en\">"));
        let count = |tag: &str| page.matches(tag).count();
        assert_eq!(count("<h1>"), 1);
        assert_eq!(count("<table>"), count("<caption>"));
        assert_eq!(count("<th"), count("<th scope=") + count("<th class=\"n\" scope=") + count("<thead"));
        assert!(
            page.contains("<th scope=\"row\">crm-tag</th><td class=\"n\">8</td><td class=\"n late\">1</td>"),
            "{page}"
        );
        assert!(page.contains("Forecast: 0 more may miss until"), "{page}");
    }

    #[test]
    fn what_is_not_ours_cannot_become_markup() {
        let (mut report, now) = example();
        report.flow = "<b>&\"".to_owned();
        assert!(!page(&[report], now).contains("<b>"));
    }
}
