//! `report`: how many promises were kept, of one flow or of each, for people, spreadsheets and whoever gets it by mail.

mod csv;
mod group;
mod html;

use clap::Args;
use meshline_core::report::{By, Forecast, GroupedReport, SlaReport};
use meshline_core::time::Time;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::client::{Answer, Client, Pages};
use crate::failure::{Exit, Failure};
use crate::progress::Progress;
use crate::screen::Screen;
use crate::show::{self, Table, Tone};

/// Arguments of `report`.
#[derive(Debug, Args)]
pub(crate) struct Report {
    /// The flow [default: each]
    #[arg(long)]
    flow: Option<String>,
    /// Count the runs of all flows together, by whose they are
    #[arg(long, value_name = "client|owner")]
    by: Option<By>,
    /// Runs opened at or after this time or day (UTC) [default: as long before `to` as the flow's objective looks back]
    #[arg(long, value_name = "TIME", value_parser = time)]
    from: Option<Time>,
    /// Runs opened before this time or day (UTC) [default: now]
    #[arg(long, value_name = "TIME", value_parser = time)]
    to: Option<Time>,
    /// Print comma-separated values (RFC 4180): a row for each flow, and one for each of its outcomes
    #[arg(long, conflicts_with_all = ["html", "json"])]
    csv: bool,
    /// Print one HTML page that needs nothing else
    #[arg(long, conflicts_with = "json")]
    html: bool,
}

/// What is known of a flow from the list of them.
#[derive(Debug, Deserialize)]
struct Listed {
    id: String,
}

/// Shows the SLA report of a flow, or of each.
pub(crate) async fn run(client: &Client, args: &Report, screen: &Screen) -> Result<Exit, Failure> {
    if let Some(by) = args.by {
        return grouped(client, args, by, screen).await;
    }
    let answers = Progress::of("counting runs").during(answers(client, args)).await?;
    if screen.is_json() {
        let documents: Result<Vec<Value>, Failure> =
            answers.iter().map(|answer| answer.read("the report")).collect();
        match (&args.flow, documents?.as_slice()) {
            (Some(_), [one]) => screen.document(one)?,
            (_, all) => screen.document(&json!({"items": all, "cursor": null}))?,
        }
        return Ok(Exit::Done);
    }
    let reports: Result<Vec<SlaReport>, Failure> =
        answers.iter().map(|answer| answer.read("the report")).collect();
    let reports = reports?;
    if args.csv {
        screen.text(&csv::document(&reports))?;
        return Ok(Exit::Done);
    }
    match answers.last() {
        Some(last) if args.html => screen.text(&html::page(&reports, last.now))?,
        Some(last) => tables(&reports, last.now, screen)?,
        None => screen.text("no flow is in force")?,
    }
    Ok(Exit::Done)
}

/// Shows the report by client or by owner.
async fn grouped(client: &Client, args: &Report, by: By, screen: &Screen) -> Result<Exit, Failure> {
    let (from, to) = (args.from.map(|it| it.to_string()), args.to.map(|it| it.to_string()));
    let query = [
        ("by", Some(by.as_str())),
        ("flow", args.flow.as_deref()),
        ("from", from.as_deref()),
        ("to", to.as_deref()),
    ];
    let answer = client.get(&["v1", "reports", "sla"], &query).await?;
    if screen.is_json() {
        screen.document(&answer.read::<Value>("the report")?)?;
        return Ok(Exit::Done);
    }
    let report: GroupedReport = answer.read("the report")?;
    match (args.csv, args.html) {
        (true, _) => screen.text(&group::csv(&report))?,
        (_, true) => screen.text(&group::page(&report, answer.now))?,
        (false, false) => screen.table(&group::table(&report))?,
    }
    Ok(Exit::Done)
}

async fn answers(client: &Client, args: &Report) -> Result<Vec<Answer>, Failure> {
    let flows = match &args.flow {
        Some(flow) => vec![flow.clone()],
        None => {
            let listed: Vec<Listed> =
                client.list(&["v1", "flows"], &[], Pages::All).await?.items("a flow")?;
            listed.into_iter().map(|flow| flow.id).collect()
        }
    };
    let (from, to) = (args.from.map(|it| it.to_string()), args.to.map(|it| it.to_string()));
    let mut answers = Vec::new();
    for flow in &flows {
        let query = [("flow", Some(flow.as_str())), ("from", from.as_deref()), ("to", to.as_deref())];
        answers.push(client.get(&["v1", "reports", "sla"], &query).await?);
    }
    Ok(answers)
}

fn tables(reports: &[SlaReport], now: Time, screen: &Screen) -> Result<(), Failure> {
    for (n, report) in reports.iter().enumerate() {
        if n > 0 {
            screen.text("")?;
        }
        screen.table(&summary(report, now))?;
        screen.text("")?;
        screen.table(&outcomes(report))?;
    }
    Ok(())
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
    table.pair("forecast", report.forecast.as_ref().map_or_else(|| "-".to_owned(), |it| forecast(it, now)));
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

/// What is to be expected, in a sentence.
fn forecast(it: &Forecast, now: Time) -> String {
    let Forecast { until, triggers, allowed, may_miss, expected_misses } = it;
    let until = show::at(*until, now);
    format!(
        "{may_miss} more may miss until {until}; at the present rate {expected_misses} of {triggers} will have, {allowed} are allowed"
    )
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

    /// A report of one flow with one outcome, and the moment it is of.
    pub(super) fn example() -> (SlaReport, Time) {
        let report = serde_json::from_value(json!({
            "flow": "blog-launch", "from": "2026-09-24T00:00:00.000Z", "to": "2026-11-23T00:00:00.000Z",
            "triggers": 10, "met": 8, "missed": 1, "pending": 1, "cancelled": 0, "suppressed": 0, "met_ratio": 0.888,
            "objective": {"met": 0.9, "window": "60d"},
            "outcomes": [{"id": "crm-tag", "done": 9, "met": 8, "missed": 1, "pending": 0,
                          "latency_s": {"p50": 61, "p95": 300, "p99": 7400}}],
            "time_to_acknowledge_s": {"p50": 600, "p95": 9000, "p99": null}, "mean_time_to_remediation_s": 5400,
            "exceptions": {"opened": 1, "open": 0, "within_recovery_sla": 1}, "error_budget_left": -0.11,
            "forecast": {"until": "2026-11-23T00:00:00.000Z", "triggers": 10, "allowed": 1, "may_miss": 0,
                         "expected_misses": 1}
        }));
        (report.unwrap(), "2026-11-23T00:00:00Z".parse().unwrap())
    }

    #[test]
    fn a_report_reads_on_one_page() {
        let (report, now) = example();
        let text = format!("{}\n{}", summary(&report, now).render(false), outcomes(&report).render(false));
        insta::assert_snapshot!(text, @"
        flow               blog-launch
        from               2026-09-24T00:00Z (60d ago)
        to                 2026-11-23T00:00Z (now)
        triggers           10
        runs               8 met, 1 missed, 1 pending, 0 cancelled, 0 suppressed
        met                88.8% of 90% over 60d
        error budget left  -11%
        forecast           0 more may miss until 2026-11-23T00:00Z (now); at the present rate 1 of 10 will have, 1 are allowed
        to acknowledge     p50 10m, p95 2h30m
        to remediate       1h30m on average
        exceptions         1 opened, 0 open, 1 within recovery SLA

        OUTCOME  DONE  MET  MISSED  PENDING  P50   P95  P99
        crm-tag  9     8    1       0        1m1s  5m   2h3m20s
        ");
    }

    #[test]
    fn a_day_is_its_start() {
        assert_eq!(time("2026-11-23").unwrap().to_string(), "2026-11-23T00:00:00.000Z");
        assert_eq!(time("2026-11-23T09:00:00+01:00").unwrap().to_string(), "2026-11-23T08:00:00.000Z");
        assert!(time("yesterday").is_err());
    }
}
