//! Pages at size: how long the console's pages take and how large they are, with many open runs and many open exceptions.
//! An overdue run that is older than all of them, whose exception somebody resolved, must still be found.

use axum::body::{Body, to_bytes};
use axum::http::Request;
use meshline_aws::app::App;
use meshline_aws::execute;
use meshline_core::command::{Action, Command};
use meshline_core::config::flow::ExceptionKind;
use meshline_core::event::Event;
use meshline_core::record::Actor;
use meshline_core::time::Span;
use meshline_local::gateway;
use meshline_tests::Local;
use serde_json::json;

use crate::table::{Table, figure, ms, rank, spread, start};

/// How often each page is asked for.
const TIMES: usize = 20;

/// Asks for every page with `runs` open runs, then with an open exception of each.
pub(crate) async fn measure(runs: usize) -> Table {
    let columns = &["open runs", "page", "ms: median (min–max)", "best ms", "KB", "budget"];
    let mut table = Table::new(format!("Pages of the console, {TIMES} times each"), columns);
    let local = Local::start().await;
    let forgotten = forgotten(&local).await;
    let mut opened = Vec::new();
    for n in 0..runs {
        opened.push(open(&local, n).await);
    }
    report(&mut table, &figure(runs as f64), &local, &forgotten).await;
    for run in &opened {
        let reason = "the number is wrong".to_owned();
        let kind = ExceptionKind::Manual;
        act(&local, run, Action::OpenException { kind, outcome: None, reason }).await;
    }
    let what = format!("{}, each with an open exception", figure(runs as f64));
    report(&mut table, &what, &local, &forgotten).await;
    table
}

/// A run that is overdue, and whose exception is resolved all the same.
async fn forgotten(local: &Local) -> String {
    let run = local.opened("forgotten").await;
    local.advance(Span::hours(3)).await;
    let exceptions = local.get(&format!("/v1/runs/{run}")).await["exceptions"].take();
    for exception in exceptions.as_array().expect("exceptions") {
        let path = format!("/v1/runs/{run}/exceptions/{}/resolve", exception["id"].as_str().expect("an id"));
        assert_eq!(local.post(&path, &json!({"resolution": "told the CRM team"})).await.0, 200);
    }
    local.settle().await;
    run
}

/// Opens a run without a webhook, which would take ten times as long.
async fn open(local: &Local, n: usize) -> String {
    let (app, now): (&App, _) = (&local.stack.app, local.stack.clock.now());
    let config = app.config.fresh().await.expect("a configuration").config;
    let flow = &config.flows["lead-form"];
    let event: Event = serde_json::from_value(json!({
        "id": format!("d{n}"), "source": "forms", "type": "form.submitted", "subject": format!("form:{n}"),
        "occurred_at": null, "received_at": now, "actor": null, "title": format!("Lead number {n}"), "url": null,
        "data": {"event": "form.submitted"},
    }))
    .expect("an event");
    let opened = execute::open(app, flow, None, &config.people(), &event, now).await.expect("a run");
    opened.run.run
}

async fn act(local: &Local, run: &str, action: Action) {
    let (app, now): (&App, _) = (&local.stack.app, local.stack.clock.now());
    let people = app.config.fresh().await.expect("a configuration").config.people();
    let command = Command { action, actor: Actor::person("ana"), if_version: None, cause: None };
    execute::execute(app, run, &command, &people, now).await.expect("done");
}

async fn report(table: &mut Table, runs: &str, local: &Local, forgotten: &str) {
    let overdue = page(local, "/runs?overdue=true").await;
    assert!(overdue.contains(forgotten), "the oldest of all is not among what is overdue");
    assert!(page(local, "/").await.contains(forgotten), "the oldest of all is not on Today");
    for path in ["/", "/runs?overdue=true", "/runs", "/exceptions", "/reports", "/flows/lead-form"] {
        let mut times = Vec::new();
        let mut size = 0;
        for _ in 0..TIMES {
            let begin = start();
            size = page(local, path).await.len();
            times.push(ms(begin));
        }
        let best = figure(rank(&times, 0));
        let kilobytes = figure(size as f64 / 1000.0);
        let budget = "100 ms, 100 KB".to_owned();
        table.row([runs.to_owned(), path.to_owned(), spread(&times), best, kilobytes, budget]);
    }
}

async fn page(local: &Local, path: &str) -> String {
    let request = Request::get(path).body(Body::empty()).expect("a request");
    let response = gateway::call(&local.stack, request).await;
    assert_eq!(response.status(), 200, "{path}");
    let body = to_bytes(response.into_body(), usize::MAX).await.expect("a body");
    String::from_utf8(body.to_vec()).expect("text")
}
