//! The report by client or by owner: one table, for people, spreadsheets and whoever gets it by mail.

use maud::{Markup, html};
use meshline_core::report::{By, Group, GroupedReport};
use meshline_core::time::Time;

use super::csv::{line, or_empty, percentiles};
use super::html::document;
use super::percent;
use crate::show::{Table, Tone, or_dash, span};

/// Columns of the rows of comma-separated values, after the client or owner.
const COLUMNS: [&str; 17] = [
    "flows",
    "from",
    "to",
    "triggers",
    "met",
    "missed",
    "pending",
    "cancelled",
    "suppressed",
    "met_ratio",
    "acknowledge_p50_s",
    "acknowledge_p95_s",
    "acknowledge_p99_s",
    "mean_remediation_s",
    "exceptions_opened",
    "exceptions_open",
    "exceptions_within_recovery_sla",
];

/// A row for each, for people.
pub(super) fn table(report: &GroupedReport) -> Table {
    let by = report.by.as_str().to_uppercase();
    let mut table = Table::new(&[
        &by,
        "FLOWS",
        "RUNS",
        "MET",
        "MISSED",
        "PENDING",
        "RATIO",
        "TO ACK",
        "TO REMEDIATE",
        "OPEN",
    ]);
    for group in &report.items {
        let mut cells = vec![or_dash(group.id.as_deref()), group.flows.len().to_string()];
        let counts = [group.triggers, group.met, group.missed, group.pending];
        cells.extend(counts.iter().map(ToString::to_string));
        cells.push(group.met_ratio.map_or_else(|| "-".to_owned(), percent));
        cells.extend([group.time_to_acknowledge_s.p50, group.mean_time_to_remediation_s].map(span));
        cells.push(group.exceptions.open.to_string());
        table.row(if group.missed > 0 { Tone::Alarm } else { Tone::Plain }, cells);
    }
    table
}

/// The same as comma-separated values, by RFC 4180.
pub(super) fn csv(report: &GroupedReport) -> String {
    let header = line([report.by.as_str()].iter().chain(&COLUMNS));
    report.items.iter().fold(header, |text, group| text + &row(report, group))
}

fn row(report: &GroupedReport, group: &Group) -> String {
    let flows: Vec<&str> = group.flows.iter().map(String::as_str).collect();
    let (id, flows) = (group.id.clone().unwrap_or_default(), flows.join(" "));
    let mut fields = vec![id, flows, report.from.to_string(), report.to.to_string()];
    let Group { triggers, met, missed, pending, cancelled, suppressed, .. } = group;
    fields.extend([triggers, met, missed, pending, cancelled, suppressed].map(ToString::to_string));
    fields.push(or_empty(group.met_ratio));
    fields.extend(percentiles(group.time_to_acknowledge_s));
    fields.push(or_empty(group.mean_time_to_remediation_s));
    let it = &group.exceptions;
    fields.extend([it.opened, it.open, it.within_recovery_sla].map(|count| count.to_string()));
    line(fields.iter())
}

/// The same as one page that needs nothing else.
pub(super) fn page(report: &GroupedReport, now: Time) -> String {
    document(now, &section(report))
}

fn section(report: &GroupedReport) -> Markup {
    let (head, caption) = match report.by {
        By::Client => ("Client", "By client"),
        By::Owner => ("Owner", "By owner"),
    };
    html! {
        p {
            "Runs opened from " time datetime=(report.from) { (report.from.day()) }
            " to " time datetime=(report.to) { (report.to.day()) } "."
        }
        div.wide role="region" aria-label=(caption) tabindex="0" {
            table {
                caption { (caption) }
                thead {
                    tr {
                        th scope="col" { (head) }
                        @for name in ["Flows", "Met", "Missed", "Pending", "Met of decided", "To acknowledge, median", "To remediate, on average"] { th.n scope="col" { (name) } }
                    }
                }
                tbody {
                    @for group in &report.items {
                        tr {
                            th scope="row" { (or_dash(group.id.as_deref())) }
                            td.n { (group.flows.len()) } td.n { (group.met) } td.n.late[group.missed > 0] { (group.missed) } td.n { (group.pending) }
                            td.n { (group.met_ratio.map_or("–".to_owned(), percent)) }
                            td.n { (span(group.time_to_acknowledge_s.p50)) } td.n { (span(group.mean_time_to_remediation_s)) }
                        }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// One client that is served well, and flows without a client.
    fn example() -> GroupedReport {
        let figures = |id: Option<&str>, missed: usize| {
            json!({
                "id": id, "flows": ["blog-launch", "lead-form"], "triggers": 10, "met": 9 - missed, "missed": missed, "pending": 1,
                "cancelled": 0, "suppressed": 0, "met_ratio": 0.888, "time_to_acknowledge_s": {"p50": 600, "p95": null, "p99": null},
                "mean_time_to_remediation_s": null, "exceptions": {"opened": 1, "open": 1, "within_recovery_sla": 0},
            })
        };
        serde_json::from_value(json!({
            "by": "client", "from": "2026-09-24T00:00:00.000Z", "to": "2026-11-23T00:00:00.000Z",
            "items": [figures(None, 1), figures(Some("acme, inc."), 0)],
        }))
        .unwrap()
    }

    #[test]
    fn each_client_has_a_line() {
        insta::assert_snapshot!(table(&example()).render(false), @"
        CLIENT      FLOWS  RUNS  MET  MISSED  PENDING  RATIO  TO ACK  TO REMEDIATE  OPEN
        -           2      10    8    1       1        88.8%  10m     -             1
        acme, inc.  2      10    9    0       1        88.8%  10m     -             1
        ");
    }

    #[test]
    fn each_client_has_a_row_of_as_many_cells_as_there_are_columns() {
        let csv = csv(&example());
        let lines: Vec<&str> = csv.split("\r\n").collect();
        let [header, nobody, acme, ""] = lines.as_slice() else { panic!("{csv}") };
        assert!(nobody.starts_with(",blog-launch lead-form,2026-09-24"), "{nobody}");
        assert!(acme.starts_with("\"acme, inc.\",blog-launch lead-form,"), "{acme}");
        let cells = |line: &str| line.split(',').count();
        assert_eq!((cells(nobody), cells(acme)), (cells(header), cells(header) + 1), "one comma is quoted");
    }

    #[test]
    fn the_page_says_who_was_missed() {
        let page = page(&example(), "2026-11-23T00:00:00Z".parse().unwrap());
        assert!(page.contains("acme, inc.") && page.contains("<td class=\"n late\">1</td>"), "{page}");
    }
}
