//! What each kind of action uses on AWS, counted at the wire; and what that costs for a million by list prices, beside Step
//! Functions and EventBridge Scheduler.
//!
//! Nothing is batched: each event, record and message is taken to come alone, which is what a quiet day costs. On a
//! busy one up to 100 records share an invocation, and ten messages a request. Logs, metrics, storage and transfer are left out.

use std::collections::BTreeMap;

use meshline_aws::execute;
use meshline_core::command::{Action, Command};
use meshline_core::record::Actor;
use meshline_core::time::Span;
use meshline_tests::{Local, campaign_tag, header};
use serde_json::{Value, json};

use crate::meter::{Meter, Tally};
use crate::price::{self, Price};
use crate::table::{Table, figure, rank, spread};

/// The rows that make up a life in which everything is done in time.
const LIFE: [&str; 5] = [
    "run opened by a webhook, its request asked for and delivered",
    "acknowledged",
    "outcome verified by a webhook (and the next one's clock started)",
    "second outcome verified by a webhook",
    "last outcome completed by hand, run closed",
];
/// Sweeps in a month.
const SWEEPS: f64 = 43_200.0;

/// What was counted for one kind of action, each time it was done.
#[derive(Default)]
struct Costs {
    /// In the order in which they were first seen: requests to the API, invocations by the schedule, and tallies.
    rows: Vec<(&'static str, f64, Vec<Tally>)>,
}

/// Plays `lives` lives, and gives the tables.
pub(crate) async fn measure(lives: usize) -> Vec<Table> {
    let mut local = Local::start().await;
    let meter = Meter::of(&mut local).await;
    // Sources, secrets and receivers are in memory afterwards.
    Box::pin(play(&local, &meter, &mut Costs::default(), 0)).await;
    let mut costs = Costs::default();
    for n in 1..=lives {
        Box::pin(play(&local, &meter, &mut costs, n)).await;
    }
    vec![costs.actions(lives), costs.commits(lives), costs.beside_others()]
}

async fn play(local: &Local, meter: &Meter, costs: &mut Costs, n: usize) {
    meter.take();
    inbound(local, meter, costs, n).await;
    in_time(local, meter, costs, &format!("life-{n}")).await;
    too_late(local, meter, costs, &format!("late-{n}")).await;
}

/// Webhooks that open nothing.
async fn inbound(local: &Local, meter: &Meter, costs: &mut Costs, n: usize) {
    let headers = [header("content-type", "application/json"), header("x-forms-token", "forms-token")];
    let body = |event: &str| json!({"event": event, "asset": format!("a-{n}"), "delivery": format!("{event}-{n}"), "title": "x"});
    let post = async |event: &str| {
        local.send("POST", "/hooks/forms", &headers, body(event).to_string().into_bytes()).await
    };
    assert_eq!(post("form.viewed").await.0, 202);
    local.settle().await;
    costs.note("webhook that nothing waits for", 1.0, meter.take());
    assert_eq!(post("form.viewed").await.0, 202);
    local.settle().await;
    costs.note("the same webhook again", 1.0, meter.take());
    assert_eq!(post("form.answered").await.0, 202);
    local.settle().await;
    costs.note("signal without a run: parked", 1.0, meter.take());
}

/// A life in which everything is done in time.
async fn in_time(local: &Local, meter: &Meter, costs: &mut Costs, asset: &str) {
    assert_eq!(local.publish(asset).await.0, 202);
    local.settle().await;
    costs.note(LIFE[0], 1.0, meter.take());
    let runs = local.runs("blog-launch").await;
    costs.note("list of runs, a page", 1.0, meter.take());
    let run = runs[0]["run"].as_str().expect("a run").to_owned();
    command(local, &run, "acknowledge", json!({})).await;
    costs.note(LIFE[1], 1.0, meter.take());
    command(local, &run, "reassign", json!({"to": "person:ben", "reason": "holiday"})).await;
    costs.note("handed to somebody else, who is told", 1.0, meter.take());
    tick(local, &run).await;
    costs.note("tick with nothing due", 0.0, meter.take());
    assert_eq!(local.hubspot(asset, &[campaign_tag()]).await.0, 202);
    local.settle().await;
    costs.note(LIFE[2], 1.0, meter.take());
    assert_eq!(local.hubspot(asset, &[json!({"subscriptionType": "email.opened"})]).await.0, 202);
    local.settle().await;
    costs.note("webhook that an open run looks at in vain", 1.0, meter.take());
    assert_eq!(local.hubspot(asset, &[json!({"subscriptionType": "email.sent"})]).await.0, 202);
    local.settle().await;
    costs.note(LIFE[3], 1.0, meter.take());
    command(
        local,
        &run,
        "outcomes/sales-deck/complete",
        json!({"evidence": "https://drive.example.com/deck"}),
    )
    .await;
    costs.note(LIFE[4], 1.0, meter.take());
    let path = format!("/v1/runs/{run}");
    assert_eq!(local.get(&path).await["status"], "closed");
    costs.note("one run", 1.0, meter.take());
    local.get(&format!("{path}/audit")).await;
    costs.note("its timeline", 1.0, meter.take());
    local.get("/v1/reports/sla?flow=blog-launch").await;
    costs.note("SLA report of a flow, here of a dozen runs", 1.0, meter.take());
}

/// A run whose first outcome is missed.
async fn too_late(local: &Local, meter: &Meter, costs: &mut Costs, asset: &str) {
    // So that its run is the newest.
    local.stack.clock.advance(Span::minutes(1));
    let run = local.opened(asset).await;
    meter.take();
    sweep_after(local, Span::minutes(45)).await;
    costs.note("sweep that makes a parked signal an exception, told and reported", 0.0, meter.take());
    sweep_after(local, Span::ZERO).await;
    costs.note("sweep with nothing due", 0.0, meter.take());
    sweep_after(local, Span::minutes(50)).await;
    costs.note("sweep that warns", 0.0, meter.take());
    sweep_after(local, Span::minutes(30)).await;
    costs.note("sweep that finds a breach: escalation and ticket, told and reported", 0.0, meter.take());
    command(local, &run, "cancel", json!({"reason": "measured"})).await;
    meter.take();
}

async fn command(local: &Local, run: &str, what: &str, body: Value) {
    let answer = local.post(&format!("/v1/runs/{run}/{what}"), &body).await;
    assert_eq!(answer.0, 200, "{}", answer.1);
    local.settle().await;
}

async fn tick(local: &Local, run: &str) {
    let (app, now) = (&local.stack.app, local.stack.clock.now());
    let people = app.config.fresh().await.expect("a configuration").config.people();
    let actor = Actor::system("sla-check");
    let command = Command { action: Action::Tick, actor, if_version: None, cause: None };
    execute::execute(app, run, &command, &people, now).await.expect("a tick");
}

/// One sweep, past the stack's own way through time, which looks ahead and would be counted.
async fn sweep_after(local: &Local, span: Span) {
    let now = local.stack.clock.advance(span);
    meshline_sla_check::sweep(&local.stack.app, now).await.expect("a sweep");
    local.settle().await;
}

impl Costs {
    fn note(&mut self, what: &'static str, requests: f64, tally: Tally) {
        match self.rows.iter_mut().find(|row| row.0 == what) {
            Some(row) => row.2.push(tally),
            None => self.rows.push((what, requests, vec![tally])),
        }
    }

    fn actions(&self, lives: usize) -> Table {
        let columns = &[
            "action",
            "write units",
            "read units",
            "DynamoDB calls",
            "invocations",
            "messages",
            "bus events",
            "$ a million",
        ];
        let mut table = Table::new(format!("Cost of each kind of action, {lives} times"), columns);
        for (what, requests, tallies) in &self.rows {
            table.row(cells(what, *requests, tallies));
        }
        let life = self.life();
        let mut cells = cells("**a life: opened, acknowledged, three outcomes, closed**", 5.0, &life);
        cells[1] = format!("**{}**", cells[1]);
        table.row(cells);
        table.note(format!(
            "By list prices as known in {}, without free tiers; each is to be checked at its page: {}.",
            price::READ_ON,
            price::PRICES.map(said).join("; ")
        ));
        table
    }

    /// The rows of [`LIFE`] added up, for each time.
    fn life(&self) -> Vec<Tally> {
        let mut lives: Vec<Tally> = Vec::new();
        for (what, _, tallies) in &self.rows {
            if LIFE.contains(what) {
                lives.resize(tallies.len(), Tally::default());
                lives.iter_mut().zip(tallies).for_each(|(life, tally)| life.add(tally));
            }
        }
        lives
    }

    /// The write units of each transaction, by the records that it stores.
    fn commits(&self, lives: usize) -> Table {
        let mut by_kinds: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
        for (kinds, units) in self.rows.iter().flat_map(|row| &row.2).flat_map(|tally| &tally.commits) {
            by_kinds.entry(kinds).or_default().push(*units);
        }
        let mut table = Table::new(
            format!("Write units of each decision, {lives} times"),
            &["records of the decision", "write units: median (min–max)", "seen"],
        );
        for (kinds, units) in by_kinds {
            table.row([kinds.to_owned(), spread(&units), units.len().to_string()]);
        }
        table
    }

    fn beside_others(&self) -> Table {
        let columns = &["a life by", "what is counted", "$ a million"];
        let mut table = Table::new("The same life by other means", columns);
        let own = rank(&self.life().iter().map(|life| dollars(5.0, life)).collect::<Vec<_>>(), 50);
        let counted =
            "everything above: events, runs, records that cannot be rewritten, indexes, notices, bus";
        table.row(["Meshline".to_owned(), counted.to_owned(), figure(own)]);
        let transitions: u32 = price::TRANSITIONS.iter().map(|(_, times)| times).sum();
        let counted = price::TRANSITIONS.map(|(what, times)| format!("{what}: {times}")).join("; ");
        let cost = f64::from(transitions) * price::TRANSITION.a_million;
        table.row([
            "Step Functions, standard".to_owned(),
            format!("{transitions} transitions ({counted}); nothing for what the states call"),
            figure(cost),
        ]);
        let deadlines = f64::from(price::DEADLINES);
        let fired = deadlines * (price::SCHEDULE.a_million + price::INVOCATION.a_million);
        let counted = "five schedules that fire, each with a function; nothing for making and deleting them, for state or for records";
        table.row(["EventBridge Scheduler, deadlines alone".to_owned(), counted.to_owned(), figure(fired)]);
        let sweep = self.rows.iter().find(|row| row.0 == "sweep with nothing due");
        if let Some(tally) = sweep.and_then(|row| row.2.first()) {
            let month = SWEEPS * dollars(0.0, tally) / 1e6;
            table.note(format!(
                "Beside the lives, Meshline's schedule fires {} times a month, which is ${month:.2} whatever is open.",
                figure(SWEEPS)
            ));
        }
        table
    }
}

impl Tally {
    fn add(&mut self, other: &Self) {
        self.writes += other.writes;
        self.reads += other.reads;
        self.calls += other.calls;
        self.events += other.events;
        self.notices += other.notices;
        self.ticks += other.ticks;
        self.bus += other.bus;
        self.commits.extend(other.commits.iter().cloned());
    }
}

/// Invocations when nothing is batched: the API's, else the schedule's; `route` for each event, `relay` for each transaction
/// that stored records, `notify` for each message, `sla-check` for each tick.
fn invocations(requests: f64, tally: &Tally) -> f64 {
    requests.max(1.0) + tally.events + tally.commits.len() as f64 + tally.notices + tally.ticks
}

fn dollars(requests: f64, tally: &Tally) -> f64 {
    tally.writes * price::WRITE_UNIT.a_million
        + tally.reads * price::READ_UNIT.a_million
        + invocations(requests, tally) * price::INVOCATION.a_million
        + (tally.notices + tally.ticks) * price::MESSAGE.a_million
        + tally.bus * price::BUS_EVENT.a_million
        + requests * price::REQUEST.a_million
}

fn cells(what: &str, requests: f64, tallies: &[Tally]) -> Vec<String> {
    let of = |figure: &dyn Fn(&Tally) -> f64| spread(&tallies.iter().map(figure).collect::<Vec<_>>());
    vec![
        what.to_owned(),
        of(&|tally| tally.writes),
        of(&|tally| tally.reads),
        of(&|tally| tally.calls),
        of(&|tally| invocations(requests, tally)),
        of(&|tally| tally.notices + tally.ticks),
        of(&|tally| tally.bus),
        of(&|tally| dollars(requests, tally)),
    ]
}

fn said(price: &Price) -> String {
    format!("{} ${} ({})", price.what, (price.a_million * 1000.0).round() / 1000.0, price.source)
}
