//! After twelve hours without a sweep: how fast what is overdue is caught up with, the longest due first, and whether each
//! breach is recorded at its deadline.
//!
//! The runs are real: each is opened by its event, decided and committed, only without the webhook before it. With
//! `DATA=folder`, an empty one, the tables are in a file there: the database in memory gets slower with what is in it.

use std::path::PathBuf;

use futures_util::StreamExt;
use meshline_aws::execute;
use meshline_core::event::Event;
use meshline_core::record::Fact;
use meshline_core::time::{Span, Time};
use meshline_tests::{EXAMPLES, Local};
use serde_json::json;

use crate::table::{Table, figure, ms, spread, start};

/// How long nobody looked.
const OUTAGE: Span = Span::hours(12);
/// The runs' triggers lie in the first hours of it, so that the last deadline (4 h) has passed, too.
const OPENED_MS: i64 = 7 * 3_600_000;
/// Runs that are opened at the same time.
const AT_ONCE: usize = 16;
/// Trails that are read afterwards.
const CHECKED: usize = 500;

/// Opens `runs` runs of `lead-form`, lets twelve hours pass, and sweeps until nothing is due.
pub(crate) async fn measure(runs: usize) -> Table {
    let local = Local::start_with(std::env::var_os("DATA").map(PathBuf::from)).await;
    assert_eq!(local.apply(&EXAMPLES).await.0, 200);
    let begin = local.stack.clock.now();
    let filling = start();
    let opened: Vec<String> = futures_util::stream::iter(0..runs)
        .map(|n| open(&local, n, begin + Span::from_ms(n as i64 * OPENED_MS / runs as i64)))
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    let filled = runs as f64 / (ms(filling) / 1000.0);
    let now = local.stack.clock.advance(OUTAGE);
    let (mut ticked, mut sweeps, mut oldest) = (0, Vec::new(), begin);
    let catching = start();
    loop {
        let first = oldest_due(&local, now).await;
        assert!(first.is_none_or(|first| first >= oldest), "what is longest due comes first");
        oldest = first.unwrap_or(now);
        let sweep = start();
        let found = meshline_sla_check::sweep(&local.stack.app, now).await.expect("a sweep");
        if found.due == 0 {
            break;
        }
        ticked += found.due;
        sweeps.push(found.due as f64 / (ms(sweep) / 1000.0));
    }
    let seconds = ms(catching) / 1000.0;
    let breaches = check(&local, &opened, now).await;
    let columns = &[
        "overdue runs",
        "ticked",
        "s",
        "due runs/s",
        "of each sweep: median (min–max)",
        "filled at, runs/s",
    ];
    let mut table = Table::new("Catch-up after 12 hours without a sweep", columns);
    let rate = figure(ticked as f64 / seconds);
    table.row([
        figure(runs as f64),
        figure(ticked as f64),
        figure(seconds),
        rate,
        spread(&sweeps),
        figure(filled),
    ]);
    table.note(format!(
        "Budget: 2,000/s. Each tick finds a missed acknowledgement, a breach and its ladder. {breaches} breaches of {CHECKED} \
         runs lie at their deadlines, seen at the sweep; their trails are valid."
    ));
    table
}

/// Opens a run without a webhook.
async fn open(local: &Local, n: usize, at: Time) -> String {
    let app = &local.stack.app;
    let config = app.config.fresh().await.expect("a configuration").config;
    let flow = &config.flows["lead-form"];
    let event: Event = serde_json::from_value(json!({
        "id": format!("d{n}"), "source": "forms", "type": "form.submitted", "subject": format!("form:{n}"),
        "occurred_at": null, "received_at": at, "actor": null, "title": format!("Lead number {n}"), "url": null,
        "data": {"event": "form.submitted"},
    }))
    .expect("an event");
    execute::open(app, flow, None, &config.people(), &event, at).await.expect("a run").run.run
}

/// The longest that anything has been due.
async fn oldest_due(local: &Local, now: Time) -> Option<Time> {
    let due = &local.stack.app.due;
    let shards = due.shards();
    let firsts = futures_util::future::join_all(shards.iter().map(|shard| due.until(shard, now, 1))).await;
    firsts.into_iter().flat_map(|first| first.expect("the index")).map(|due| due.at).min()
}

/// Reads the trails of some runs; gives how many breaches they have.
async fn check(local: &Local, opened: &[String], now: Time) -> usize {
    let mut breaches = 0;
    for run in opened.iter().step_by((opened.len() / CHECKED).max(1)) {
        let trail = local.stack.app.audit.strict_trail(run).await.expect("a trail");
        let trail: Vec<_> =
            trail.into_iter().map(|record| record.expect("a record as it was hashed")).collect();
        let deadline = trail[0].at + Span::hours(4);
        for record in &trail {
            if let Fact::SlaBreached(breach) = &record.fact {
                assert_eq!((breach.due_at, breach.detected_at), (deadline, now), "{run}");
                breaches += 1;
            }
        }
    }
    assert!(breaches > 0, "nothing was breached");
    breaches
}
