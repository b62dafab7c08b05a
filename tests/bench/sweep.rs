//! What one sweep costs that finds nothing due, with ever more open runs: it must not grow with them.
//!
//! The runs are copies of one that was opened by a webhook, with keys and deadlines of their own.

use meshline_core::time::Span;
use meshline_sla_check::Sweep;
use meshline_tests::Local;
use meshline_tests::fill::{Item, s};

use crate::meter::Meter;
use crate::table::{Table, figure, ms, spread, start};

/// Sweeps at each size.
const SWEEPS: usize = 50;
/// The next deadlines of the copies: not before what a sweep looks at, and spread over two days.
const SOONEST: Span = Span::minutes(10);
const SPREAD_MS: i64 = 48 * 3_600_000;

/// Sweeps with 1,000 open runs, and ten times as many up to `most`.
pub(crate) async fn measure(most: usize) -> Table {
    let mut local = Local::start().await;
    let meter = Meter::of(&mut local).await;
    let run = local.opened("first").await;
    let template = local.item(&run).await;
    // What the flows themselves are looked at for, once they are applied.
    sweep(&local).await;
    let columns = &[
        "open runs",
        "one sweep, ms: median (min–max)",
        "read units",
        "DynamoDB calls",
        "filled at, runs/s",
    ];
    let mut table = Table::new(format!("Sweep with nothing due: {SWEEPS} at each size"), columns);
    let (mut filled, mut size) = (1, 1_000.min(most));
    loop {
        let begin = start();
        local.fill("meshline-state", filled..size, |n| copy(&local, &template, n)).await;
        let speed = (size - filled) as f64 / (ms(begin) / 1000.0);
        filled = size;
        let (mut times, mut reads, mut calls) = (Vec::new(), Vec::new(), Vec::new());
        meter.take();
        for _ in 0..SWEEPS {
            let begin = start();
            let found = sweep(&local).await;
            times.push(ms(begin));
            assert_eq!((found.due, found.ahead), (0, 0), "nothing is due");
            let used = meter.take();
            reads.push(used.reads);
            calls.push(used.calls);
        }
        table.row([figure(size as f64), spread(&times), spread(&reads), spread(&calls), figure(speed)]);
        if size >= most {
            return table;
        }
        size = (size * 10).min(most);
    }
}

async fn sweep(local: &Local) -> Sweep {
    meshline_sla_check::sweep(&local.stack.app, local.stack.clock.now()).await.expect("a sweep")
}

fn copy(local: &Local, template: &Item, n: usize) -> Item {
    let mut item = template.clone();
    let now = local.stack.clock.now();
    let next = now + SOONEST + Span::from_ms((n as i64).wrapping_mul(7_919) % SPREAD_MS);
    item.insert("pk".to_owned(), s(format!("S#{n:032x}")));
    item.insert("subject".to_owned(), s(format!("contentful:copy-{n}")));
    item.insert("due_shard".to_owned(), s(format!("DUE#{:02}", n % 16)));
    item.insert("next_due_at".to_owned(), s(next.to_string()));
    item
}
