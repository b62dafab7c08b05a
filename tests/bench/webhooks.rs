//! How many webhooks a second the local stack takes: signed publishes at a steady rate, twice as many at each step, until
//! the 202 or the run comes too late. The load generator shares the machine's cores with the stack.
//!
//! A run is open when its transaction is committed: the moment is taken from the line that the stack logs then, so
//! nobody asks for it while the load runs, and what comes after it (relay, bus, notices) is not waited for.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use meshline_tests::Local;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tracing::field::{Field, Visit};
use tracing::span::{Id, Record};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;

use crate::table::{Table, figure, rank, spread, start};

/// The first rate, and the one after which nobody looks further.
const FIRST: u32 = 50;
const LAST: u32 = 3_200;
/// What a 202 and a run may take.
const BUDGET_MS: f64 = 50.0;

/// Goes up by steps of `seconds`, each `rounds` times, until the budget is missed.
pub(crate) async fn measure(seconds: usize, rounds: usize) -> Table {
    let opened = Opened::default();
    let subscriber = tracing_subscriber::registry().with(opened.clone());
    tracing::subscriber::set_global_default(subscriber).expect("nobody else listens");
    let columns = &["webhooks/s", "202, ms: p50", "p99", "run open, ms: p50", "p99", "longest"];
    let mut table = Table::new(format!("Webhooks: {seconds} s at each rate, {rounds} times"), columns);
    let (mut rate, mut best) = (FIRST, None);
    while rate <= LAST {
        let mut found: [Vec<f64>; 5] = Default::default();
        for _ in 0..rounds {
            let one = step(&opened, rate, rate * u32::try_from(seconds).expect("seconds")).await;
            found.iter_mut().zip(one).for_each(|(all, figure)| all.push(figure));
        }
        table.row(std::iter::once(rate.to_string()).chain(found.iter().map(|all| spread(all))));
        let [_, answered, _, open, _] = found.map(|all| rank(&all, 50));
        if answered > BUDGET_MS || open > BUDGET_MS {
            break;
        }
        best = Some(rate);
        rate *= 2;
    }
    let best = best.map_or("none of them".to_owned(), |best| format!("{}/s", figure(f64::from(best))));
    table.note(format!(
        "Highest rate with both p99 within {BUDGET_MS} ms (median of the rounds): **{best}**. Budget: 200/s on 2 cores."
    ));
    table
}

/// One rate on a new stack: p50 and p99 of the answers; p50, p99 and the longest until the runs are open.
async fn step(opened: &Opened, rate: u32, count: u32) -> [f64; 5] {
    let local = Arc::new(Local::running().await);
    let stack = Arc::clone(&local.stack);
    // It runs until the last run is open: a stack that is stopped between commit and log line would hide one.
    let calls = tokio::select! {
        () = stack.run() => unreachable!("a stack runs on"),
        calls = async {
            let calls = load(&local, rate, count).await;
            opened.has(1 + calls.len()).await;
            calls
        } => calls,
    };
    let opened = opened.take();
    let answers: Vec<f64> = calls.iter().map(|(_, _, answered)| *answered).collect();
    let wait = |(subject, sent, _): &(String, Instant, f64)| {
        let at = opened.get(subject).unwrap_or_else(|| panic!("the run of {subject} was not opened"));
        at.duration_since(*sent).as_secs_f64() * 1000.0
    };
    let waits: Vec<f64> = calls.iter().map(wait).collect();
    [rank(&answers, 50), rank(&answers, 99), rank(&waits, 50), rank(&waits, 99), rank(&waits, 100)]
}

/// Sends `count` webhooks; gives each one's subject, when it was sent, and after how many milliseconds it was answered.
async fn load(local: &Arc<Local>, rate: u32, count: u32) -> Vec<(String, Instant, f64)> {
    // The source and its secret are in memory before the first is measured.
    assert_eq!(local.publish("first").await.0, 202);
    let mut beat = tokio::time::interval(Duration::from_secs(1) / rate);
    let mut calls = JoinSet::new();
    for n in 0..count {
        beat.tick().await;
        let local = Arc::clone(local);
        calls.spawn(async move {
            let asset = format!("load-{n}");
            let sent = start();
            assert_eq!(local.publish(&asset).await.0, 202);
            (format!("contentful:{asset}"), sent, sent.elapsed().as_secs_f64() * 1000.0)
        });
    }
    calls.join_all().await
}

/// When each subject's run was committed.
#[derive(Clone, Default)]
struct Opened {
    at: Arc<Mutex<HashMap<String, Instant>>>,
    /// Told at each.
    more: Arc<Notify>,
}

impl Opened {
    /// Waits until so many runs were opened.
    async fn has(&self, count: usize) {
        while self.at.lock().unwrap_or_else(PoisonError::into_inner).len() < count {
            self.more.notified().await;
        }
    }

    fn take(&self) -> HashMap<String, Instant> {
        std::mem::take(&mut self.at.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The text of one field.
struct Text<'n>(&'n str, Option<String>);

impl Visit for Text<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        if field.name() == self.0 {
            self.1 = Some(format!("{value:?}"));
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == self.0 {
            self.1 = Some(value.to_owned());
        }
    }
}

/// The subject of a run's span.
struct Subject(String);

impl<S: Subscriber + for<'s> LookupSpan<'s>> Layer<S> for Opened {
    fn enabled(&self, metadata: &tracing::Metadata<'_>, _: Context<'_, S>) -> bool {
        metadata.target().starts_with("meshline_aws::execute")
            || (metadata.is_span() && metadata.name() == "run")
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let mut subject = Text("subject", None);
        values.record(&mut subject);
        if let (Some(subject), Some(span)) = (subject.1, context.span(id)) {
            span.extensions_mut().replace(Subject(subject));
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut records = Text("records", None);
        event.record(&mut records);
        if !records.1.is_some_and(|records| records.starts_with("run_opened")) {
            return;
        }
        for span in context.event_scope(event).into_iter().flatten() {
            if let Some(Subject(subject)) = span.extensions().get() {
                let mut opened = self.at.lock().unwrap_or_else(PoisonError::into_inner);
                opened.insert(subject.clone(), start());
                self.more.notify_one();
                return;
            }
        }
    }
}
