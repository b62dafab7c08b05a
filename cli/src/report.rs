//! `report`: how many promises of a flow were kept.

use clap::Args;
use meshline_core::report::SlaReport;
use meshline_core::time::Time;

use crate::client::Client;
use crate::failure::{Exit, Failure};
use crate::screen::Screen;
use crate::show::{self, Table, Tone};

/// Arguments of `report`.
#[derive(Debug, Args)]
pub(crate) struct Report {
    /// The flow
    #[arg(long)]
    flow: String,
    /// Runs opened at or after this time or day (UTC) [default: as long before `to` as the flow's objective looks back]
    #[arg(long, value_name = "TIME", value_parser = time)]
    from: Option<Time>,
    /// Runs opened before this time or day (UTC) [default: now]
    #[arg(long, value_name = "TIME", value_parser = time)]
    to: Option<Time>,
}

/// Shows the SLA report of a flow.
pub(crate) async fn run(client: &Client, args: &Report, screen: &Screen) -> Result<Exit, Failure> {
    let (from, to) = (args.from.map(|it| it.to_string()), args.to.map(|it| it.to_string()));
    let query = [("flow", Some(args.flow.as_str())), ("from", from.as_deref()), ("to", to.as_deref())];
    let answer = client.get(&["v1", "reports", "sla"], &query).await?;
    if screen.is_json() {
        screen.document(&answer.read("the report")?)?;
        return Ok(Exit::Done);
    }
    let report: SlaReport = answer.read("the report")?;
    screen.table(&summary(&report, answer.now))?;
    screen.text("")?;
    screen.table(&outcomes(&report))?;
    Ok(Exit::Done)
}

/// A time, or a day, which is its start.
pub(crate) fn time(text: &str) -> Result<Time, String> {
    let text = if text.len() == 10 { format!("{text}T00:00:00Z") } else { text.to_owned() };
    text.parse::<Time>().map_err(|error| error.to_string())
}

fn summary(report: &SlaReport, now: Time) -> Table {
    let mut table = Table::headless();
    table.pair("flow", &report.flow);
    table.pair("from", show::at(report.from, now));
    table.pair("to", show::at(report.to, now));
    table.pair("triggers", report.triggers.to_string());
    let (met, missed, pending) = (report.met, report.missed, report.pending);
    table.pair(
        "runs",
        format!(
            "{met} met, {missed} missed, {pending} pending, {} cancelled, {} suppressed",
            report.cancelled, report.suppressed
        ),
    );
    let promise = report.objective.as_ref().map(|it| format!(" of {} over {}", percent(it.met), it.window));
    let ratio = report.met_ratio.map_or_else(|| "-".to_owned(), percent);
    table.pair("met", ratio + &promise.unwrap_or_default());
    table.pair("error budget left", report.error_budget_left.map_or_else(|| "-".to_owned(), percent));
    let ack = &report.time_to_acknowledge_s;
    table.pair("to acknowledge", format!("p50 {}, p95 {}", show::span(ack.p50), show::span(ack.p95)));
    table.pair("to remediate", format!("{} on average", show::span(report.mean_time_to_remediation_s)));
    let it = &report.exceptions;
    let text =
        format!("{} opened, {} open, {} within recovery SLA", it.opened, it.open, it.within_recovery_sla);
    table.pair("exceptions", text);
    table
}

fn outcomes(report: &SlaReport) -> Table {
    let mut table = Table::new(&["OUTCOME", "DONE", "MET", "MISSED", "PENDING", "P50", "P95", "P99"]);
    for outcome in &report.outcomes {
        let latency = &outcome.latency_s;
        let mut cells = vec![outcome.id.clone()];
        let counts = [outcome.done, outcome.met, outcome.missed, outcome.pending];
        cells.extend(counts.iter().map(ToString::to_string));
        cells.extend([latency.p50, latency.p95, latency.p99].map(show::span));
        table.row(if outcome.missed > 0 { Tone::Alarm } else { Tone::Plain }, cells);
    }
    table
}

/// `0.888` → `88.8%`.
fn percent(share: f64) -> String {
    let text = format!("{:.1}", share * 100.0);
    format!("{}%", text.strip_suffix(".0").unwrap_or(&text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_report_reads_on_one_page() {
        let report: SlaReport = serde_json::from_value(json!({
            "flow": "blog-launch", "from": "2026-09-24T00:00:00.000Z", "to": "2026-11-23T00:00:00.000Z",
            "triggers": 10, "met": 8, "missed": 1, "pending": 1, "cancelled": 0, "suppressed": 0, "met_ratio": 0.888,
            "objective": {"met": 0.9, "window": "60d"},
            "outcomes": [{"id": "crm-tag", "done": 9, "met": 8, "missed": 1, "pending": 0,
                          "latency_s": {"p50": 61, "p95": 300, "p99": 7400}}],
            "time_to_acknowledge_s": {"p50": 600, "p95": 9000, "p99": null}, "mean_time_to_remediation_s": 5400,
            "exceptions": {"opened": 1, "open": 0, "within_recovery_sla": 1}, "error_budget_left": -0.11
        }))
        .unwrap();
        let now = "2026-11-23T00:00:00Z".parse().unwrap();
        let text = format!("{}\n{}", summary(&report, now).render(false), outcomes(&report).render(false));
        insta::assert_snapshot!(text, @r#"
        flow               blog-launch
        from               2026-09-24T00:00Z (60d ago)
        to                 2026-11-23T00:00Z (now)
        triggers           10
        runs               8 met, 1 missed, 1 pending, 0 cancelled, 0 suppressed
        met                88.8% of 90% over 60d
        error budget left  -11%
        to acknowledge     p50 10m, p95 2h30m
        to remediate       1h30m on average
        exceptions         1 opened, 0 open, 1 within recovery SLA

        OUTCOME  DONE  MET  MISSED  PENDING  P50   P95  P99
        crm-tag  9     8    1       0        1m1s  5m   2h3m20s
        "#);
    }

    #[test]
    fn a_day_is_its_start() {
        assert_eq!(time("2026-11-23").unwrap().to_string(), "2026-11-23T00:00:00.000Z");
        assert_eq!(time("2026-11-23T09:00:00+01:00").unwrap().to_string(), "2026-11-23T08:00:00.000Z");
        assert!(time("yesterday").is_err());
    }
}
