//! Figures: what the dashboard, the report and the console say of the same runs, and what a naive count over the
//! records says. Where dashboard and report are defined differently, both definitions are here.

mod chance;
mod count;
mod dashboard;

use meshline_core::time::Span;
use meshline_tests::Local;
use serde_json::{Value, json};

use crate::console::browser::Browser;
use chance::Chance;
use count::{Counted, Life};
use dashboard::Dashboard;

const RUNS: usize = 500;
/// In these hours the runs open, as many in each; in the others most of what is open ends.
const OPENING_HOURS: usize = 10;
const HOURS: usize = 12;
const FLOWS: [&str; 2] = ["blog-launch", "lead-form"];
/// What the page of reports counts of each flow.
const ON_PAGE: usize = 100;

/// A stack on which this many runs were opened and lived as chance has it, with the output of all that.
async fn lived(seed: u64) -> (Local, String) {
    let local = Local::start().await;
    assert_eq!(local.apply(&quiet().each_ref().map(|(name, text)| (*name, text.as_str()))).await.0, 200);
    crate::telemetry::start_logging();
    let mut chance = Chance::new(seed);
    for hour in 0..HOURS {
        if hour < OPENING_HOURS {
            chance.opens(&local, RUNS / OPENING_HOURS).await;
        }
        chance.acts(&local).await;
        local.advance(Span::hours(1)).await;
    }
    let (output, _) = crate::telemetry::output();
    (local, output)
}

/// The example flows, whose ladders wait: whom they tell is no figure, and takes its time.
fn quiet() -> [(&'static str, String); 2] {
    let ladder = "[{after: 30d, notify: [owner]}]";
    let ladders = format!("escalation: {{not_acknowledged: {ladder}, breached: {ladder}}}\n");
    let [_, _, (launch, text), (form, form_text)] = meshline_tests::EXAMPLES;
    let (before, rest) = text.split_once("escalation:").unwrap();
    let (_, after) = rest.split_once("exceptions:").unwrap();
    [
        (launch, format!("{before}{ladders}exceptions:{after}")),
        (form, format!("{}{ladders}", form_text.replace("within: 30m", "within: 4h"))),
    ]
}

#[tokio::test]
async fn the_dashboard_the_report_and_the_console_say_what_a_count_over_the_records_says() {
    let (local, output) = lived(20_261_123).await;
    let dashboard = Dashboard::of(&output);
    let mut browser = Browser::new(&local);
    let page = browser.get("/reports").await;
    for flow in FLOWS {
        let lives = Life::all(&local, flow).await;
        assert_eq!(lives.len(), RUNS / FLOWS.len());
        let now = local.stack.clock.now();
        compared_with_dashboard(&dashboard, flow, &lives);

        let all = Counted::of(&lives, now);
        assert!([all.met, all.missed, all.pending, all.cancelled].iter().all(|n| *n > 0), "{all:?}");
        let report = local.get(&format!("/v1/reports/sla?flow={flow}")).await;
        assert_eq!(all.as_report(), reported(&report), "{flow}");
        let newest = Counted::of(&lives[..ON_PAGE], now);
        for words in newest.on_page() {
            assert!(page.says(&words), "{flow}: the page does not say `{words}`: {}", page.text());
        }
    }
}

/// The dashboard counts what happens when it happens: of runs that are cancelled later too, and of each owner's
/// acknowledgement.
fn compared_with_dashboard(dashboard: &Dashboard, flow: &str, lives: &[Life]) {
    let sum = |of: &dyn Fn(&Life) -> usize| lives.iter().map(of).sum::<usize>() as f64;
    let all = |of: &dyn Fn(&Life) -> Vec<i64>| {
        let mut all: Vec<i64> = lives.iter().flat_map(of).collect();
        all.sort_unstable();
        all
    };
    assert_eq!(dashboard.sum("Triggers", flow), lives.len() as f64);
    assert_eq!(dashboard.sum("OutcomesMet", flow), sum(&|life| life.met()));
    assert_eq!(dashboard.sum("OutcomesBreached", flow), sum(&|life| life.breached()));
    assert_eq!(dashboard.sum("ExceptionsOpened", flow), sum(&|life| life.exceptions.len()));
    assert_eq!(dashboard.values("OutcomeLatencySeconds", flow), all(&|life| life.latencies()));
    assert_eq!(dashboard.values("RemediationSeconds", flow), all(&|life| life.remediations()));
    assert_eq!(dashboard.values("AcknowledgeSeconds", flow), all(&|life| life.acknowledged.clone()));
}

/// The figures of an SLA report that are counted.
fn reported(report: &Value) -> Value {
    let of_outcomes = report["outcomes"].as_array().unwrap().iter();
    let outcomes: Vec<Value> = of_outcomes
        .map(|it| json!([it["id"], it["done"], it["met"], it["missed"], it["pending"], it["latency_s"]]))
        .collect();
    json!({
        "triggers": report["triggers"], "met": report["met"], "missed": report["missed"],
        "pending": report["pending"], "cancelled": report["cancelled"], "outcomes": outcomes,
        "time_to_acknowledge_s": report["time_to_acknowledge_s"],
        "mean_time_to_remediation_s": report["mean_time_to_remediation_s"], "exceptions": report["exceptions"],
    })
}
