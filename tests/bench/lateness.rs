//! How late a breach is found: runs opened at any moment of a simulated day, the schedule firing at each full minute, ticks
//! sent ahead in between. The clock is the stack's own, so a day takes as long as its work.

use meshline_core::time::Span;
use meshline_tests::{Local, header};
use serde_json::json;

use crate::table::{Table, figure, rank};

/// A day, and the time until the last deadline has passed.
const DAY_MS: i64 = 24 * 3_600_000;
const REST: Span = Span::hours(5);

/// Lets `runs` leads come in over a day, none of which is answered.
pub(crate) async fn measure(runs: usize) -> Table {
    let local = Local::start().await;
    let begin = local.stack.clock.now();
    for n in 0..runs {
        // Not at full seconds, and never at the same place in a minute.
        let at = begin + Span::from_ms(DAY_MS * n as i64 / runs as i64 + (n as i64 * 61_803) % 40_000);
        local.stack.advance_to(at.max(local.stack.clock.now())).await.expect("the clock moves");
        let body = json!({"event": "form.submitted", "asset": format!("form:{n}"), "delivery": format!("d{n}"), "title": "A lead"});
        let headers = [header("content-type", "application/json"), header("x-forms-token", "forms-token")];
        let sent = local.send("POST", "/hooks/forms", &headers, body.to_string().into_bytes()).await;
        assert_eq!(sent.0, 202, "{}", sent.1);
        local.settle().await;
    }
    local.advance(REST).await;
    let late: Vec<f64> = local
        .stack
        .emulators
        .bus()
        .iter()
        .filter_map(|event| {
            let detail = &event.body["detail"]["data"]["detail"];
            let time = |name: &str| detail[name].as_str()?.parse::<meshline_core::time::Time>().ok();
            (event.body["detail-type"] == "meshline.sla_breached").then(|| {
                let (due, seen) = (time("due_at").expect("a deadline"), time("detected_at").expect("a time"));
                seen.since(due).ms() as f64
            })
        })
        .collect();
    assert_eq!(late.len(), runs, "each run is breached once");
    let columns = &["breaches", "found after, ms: least", "p50", "p90", "p99", "most", "budget"];
    let mut table = Table::new("Lateness: a breach after its deadline", columns);
    let ranks = [0, 50, 90, 99, 100].map(|percent| figure(rank(&late, percent)));
    table.row(std::iter::once(figure(runs as f64)).chain(ranks).chain(["p99 2,000 ms".to_owned()]));
    table
}
