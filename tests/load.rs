//! Load: signed publishes at a steady rate into the local stack, and how long each takes until its run is open.
//!
//! `cargo run --release -p meshline-tests --example load -- [PER_SECOND] [SECONDS]`

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use meshline_core::time::Time;
use meshline_tests::Local;
use tokio::task::JoinSet;

#[tokio::main]
async fn main() {
    let mut arguments =
        std::env::args().skip(1).map(|argument| argument.parse::<u32>().expect("a whole number"));
    let (rate, seconds) = (arguments.next().unwrap_or(200), arguments.next().unwrap_or(20));
    let local = Arc::new(Local::running().await);
    let stack = Arc::clone(&local.stack);
    tokio::select! {
        () = stack.run() => {}
        () = load(&local, rate, rate * seconds) => {}
    }
}

async fn load(local: &Arc<Local>, rate: u32, count: u32) {
    let mut beat = tokio::time::interval(Duration::from_secs(1) / rate);
    let mut calls = JoinSet::new();
    for n in 0..count {
        beat.tick().await;
        let local = Arc::clone(local);
        calls.spawn(async move {
            let asset = format!("load-{n}");
            let sent = local.stack.clock.now();
            assert_eq!(local.publish(&asset).await.0, 202);
            let answered = local.stack.clock.now().since(sent).ms();
            (format!("contentful:{asset}"), sent, answered)
        });
    }
    let calls: Vec<(String, Time, i64)> = calls.join_all().await;
    let opened = opened(local).await;
    let answers = calls.iter().map(|(_, _, answered)| *answered).collect();
    let waits: Vec<i64> =
        calls.iter().filter_map(|(s, sent, _)| Some(opened.get(s)?.since(*sent).ms())).collect();
    println!("{count} webhooks at {rate}/s, {} runs open", waits.len());
    report("webhook -> 202", answers);
    report("webhook -> run open and relayed to the bus", waits);
}

/// When the opening of each subject's run came to the bus, once everything has come to rest.
async fn opened(local: &Local) -> HashMap<String, Time> {
    local.settle().await;
    let bus = local.stack.emulators.bus();
    bus.iter()
        .filter(|event| event.body["detail-type"] == "meshline.run_opened")
        .map(|event| (event.body["detail"]["subject"].as_str().unwrap_or_default().to_owned(), event.at))
        .collect()
}

fn report(what: &str, mut ms: Vec<i64>) {
    ms.sort_unstable();
    let rank =
        |percent: usize| ms.get((ms.len() * percent).div_ceil(100).saturating_sub(1)).copied().unwrap_or(-1);
    println!("{what}: p50 {} ms, p99 {} ms, max {} ms", rank(50), rank(99), rank(100));
}
