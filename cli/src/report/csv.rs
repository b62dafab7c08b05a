//! The report as comma-separated values, by RFC 4180.

use meshline_core::report::{OutcomeReport, Percentiles, SlaReport};

/// Columns of every row; `outcome` is empty where it is about the flow.
const OF_BOTH: [&str; 7] = ["flow", "outcome", "from", "to", "met", "missed", "pending"];
/// Columns that are empty where a row is about an outcome.
const OF_FLOW: [&str; 15] = [
    "triggers",
    "cancelled",
    "suppressed",
    "met_ratio",
    "objective",
    "error_budget_left",
    "forecast_until",
    "may_miss",
    "acknowledge_p50_s",
    "acknowledge_p95_s",
    "acknowledge_p99_s",
    "mean_remediation_s",
    "exceptions_opened",
    "exceptions_open",
    "exceptions_within_recovery_sla",
];
/// Columns that are empty where a row is about a flow.
const OF_OUTCOME: [&str; 7] = [
    "done",
    "latency_p50_s",
    "latency_p95_s",
    "latency_p99_s",
    "net_latency_p50_s",
    "net_latency_p95_s",
    "net_latency_p99_s",
];

/// A header, and for each flow its row and those of its outcomes.
pub(super) fn document(reports: &[SlaReport]) -> String {
    let mut text = line(OF_BOTH.iter().chain(&OF_FLOW).chain(&OF_OUTCOME));
    for report in reports {
        let counts = [report.met, report.missed, report.pending];
        let (of_flow, none) = (of_flow(report), OF_OUTCOME.map(|_| String::new()));
        text.push_str(&line(of_both(report, "", counts).iter().chain(&of_flow).chain(&none)));
        for outcome in &report.outcomes {
            let counts = [outcome.met, outcome.missed, outcome.pending];
            let (none, of_outcome) = (OF_FLOW.map(|_| String::new()), of_outcome(outcome));
            text.push_str(&line(of_both(report, &outcome.id, counts).iter().chain(&none).chain(&of_outcome)));
        }
    }
    text
}

fn of_both(report: &SlaReport, outcome: &str, counts: [usize; 3]) -> [String; 7] {
    let [met, missed, pending] = counts.map(|count| count.to_string());
    let (from, to) = (report.from.to_string(), report.to.to_string());
    [report.flow.clone(), outcome.to_owned(), from, to, met, missed, pending]
}

fn of_flow(report: &SlaReport) -> [String; 15] {
    let [p50, p95, p99] = percentiles(report.time_to_acknowledge_s);
    let forecast = report.forecast.as_ref();
    [
        report.triggers.to_string(),
        report.cancelled.to_string(),
        report.suppressed.to_string(),
        or_empty(report.met_ratio),
        or_empty(report.objective.as_ref().map(|objective| objective.met)),
        or_empty(report.error_budget_left),
        or_empty(forecast.map(|it| it.until)),
        or_empty(forecast.map(|it| it.may_miss)),
        p50,
        p95,
        p99,
        or_empty(report.mean_time_to_remediation_s),
        report.exceptions.opened.to_string(),
        report.exceptions.open.to_string(),
        report.exceptions.within_recovery_sla.to_string(),
    ]
}

fn of_outcome(outcome: &OutcomeReport) -> [String; 7] {
    let [p50, p95, p99] = percentiles(outcome.latency_s);
    let [net_p50, net_p95, net_p99] = percentiles(outcome.net_latency_s);
    [outcome.done.to_string(), p50, p95, p99, net_p50, net_p95, net_p99]
}

pub(super) fn percentiles(of: Percentiles) -> [String; 3] {
    [of.p50, of.p95, of.p99].map(or_empty)
}

pub(super) fn or_empty(value: Option<impl ToString>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

/// A record with its line break; a field is quoted where it must be (RFC 4180, section 2, rule 6).
pub(super) fn line<'a, T: AsRef<str> + 'a + ?Sized>(fields: impl Iterator<Item = &'a T>) -> String {
    let quoted = fields.map(|field| {
        let field = field.as_ref();
        let must = field.contains([',', '"', '\r', '\n']);
        if must { format!("\"{}\"", field.replace('"', "\"\"")) } else { field.to_owned() }
    });
    quoted.collect::<Vec<_>>().join(",") + "\r\n"
}

#[cfg(test)]
mod tests {
    use super::super::tests::example;
    use super::*;

    #[test]
    fn a_flow_has_a_row_and_each_outcome_another_under_one_header() {
        let text = document(&[example().0]);
        let lines: Vec<&str> = text.split("\r\n").collect();
        let [header, flow, outcome, ""] = lines.as_slice() else { panic!("{text}") };
        let columns: Vec<&str> = header.split(',').collect();
        let cell = |row: &str, name: &str| {
            let cells: Vec<&str> = row.split(',').collect();
            assert_eq!(cells.len(), columns.len(), "{row}");
            columns.iter().zip(cells).find(|(column, _)| **column == name).unwrap().1.to_owned()
        };
        let of_flow = ["flow", "outcome", "triggers", "met", "met_ratio", "may_miss", "latency_p50_s"];
        assert_eq!(of_flow.map(|name| cell(flow, name)), ["blog-launch", "", "10", "8", "0.888", "0", ""]);
        let of_outcome = ["flow", "outcome", "triggers", "met", "done", "latency_p99_s"];
        assert_eq!(
            of_outcome.map(|name| cell(outcome, name)),
            ["blog-launch", "crm-tag", "", "8", "9", "7400"]
        );
    }

    #[test]
    fn a_field_that_could_break_the_table_is_quoted() {
        assert_eq!(
            line(["a,b", "say \"no\"", "two\nlines", "plain"].into_iter()),
            "\"a,b\",\"say \"\"no\"\"\",\"two\nlines\",plain\r\n"
        );
    }
}
