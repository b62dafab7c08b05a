//! `watch`: what needs somebody now, redrawn until it is stopped. It looks at what is late, and else at the newest runs
//! and exceptions: a picture each 2 seconds must not read a whole table.

use std::io::{self, IsTerminal};
use std::pin::pin;
use std::time::Duration;

use meshline_core::run::OutcomeStatus;
use meshline_core::time::{Span, Time};
use meshline_core::view::{ExceptionView, RunView};
use serde_json::{Value, json};

use crate::client::{Client, Pages};
use crate::failure::{Exit, Failure};
use crate::screen::Screen;
use crate::show::{self, Table, Tone};
use crate::{lists, runs};

/// How long a picture stands.
const REDRAWN_AFTER: Duration = Duration::from_secs(2);
/// What is due within this long is due soon.
const SOON: Span = Span::days(1);
/// Rows of each list; a screen has no more place.
const MAX_ROWS: usize = 10;

/// What needs somebody, at one moment.
struct Picture {
    now: Time,
    overdue: Vec<Due>,
    soon: Vec<Due>,
    unacknowledged: Vec<Due>,
    exceptions: Vec<ExceptionView>,
}

/// Something of a run, and when it is due.
struct Due {
    at: Time,
    run: RunView,
    what: String,
}

/// Draws until Ctrl-C; once where nobody looks.
pub(crate) async fn run(client: &Client, screen: &Screen) -> Result<Exit, Failure> {
    let picture = look(client).await?;
    if screen.is_json() {
        screen.document(&picture.json())?;
        return Ok(Exit::Done);
    }
    if !io::stdout().is_terminal() {
        screen.text(&picture.draw(client, false))?;
        return Ok(Exit::Done);
    }
    let mut drawn = picture.draw(client, screen.has_colour());
    let mut stopped = pin!(tokio::signal::ctrl_c());
    loop {
        screen.redraw(&drawn)?;
        let next = async {
            tokio::time::sleep(REDRAWN_AFTER).await;
            look(client).await
        };
        drawn = tokio::select! {
            _ = &mut stopped => return Ok(Exit::Done),
            looked = next => match looked {
                Ok(picture) => picture.draw(client, screen.has_colour()),
                Err(failure) => format!("{}\n", show::clean(&failure.to_string())),
            },
        };
    }
}

async fn look(client: &Client) -> Result<Picture, Failure> {
    let (exceptions, now) = lists::open_exceptions(client, Pages::One).await?;
    // What is late may be older than the newest runs.
    let overdue = [("overdue", Some("true")), ("limit", Some("200"))];
    let mut runs = client.list(&["v1", "runs"], &overdue, Pages::One).await?.items("a run")?;
    runs.extend(runs::open(client, Pages::One).await?);
    Ok(Picture::of(runs, exceptions, now))
}

impl Picture {
    fn of(mut runs: Vec<RunView>, mut exceptions: Vec<ExceptionView>, now: Time) -> Self {
        runs.sort_by(|a, b| a.run.cmp(&b.run));
        runs.dedup_by(|a, b| a.run == b.run);
        let (mut overdue, mut soon, mut unacknowledged) = (Vec::new(), Vec::new(), Vec::new());
        for run in runs {
            let due = |at: Time, what: &str| Due { at, run: run.clone(), what: what.to_owned() };
            for outcome in run.outcomes.iter().filter(|it| it.status != OutcomeStatus::Done) {
                match outcome.due_at {
                    Some(at) if at <= now => overdue.push(due(at, &outcome.id)),
                    Some(at) if at <= now + SOON && !run.paused => soon.push(due(at, &outcome.id)),
                    Some(_) | None => {}
                }
            }
            let window = run.acknowledgement.as_ref().filter(|ack| ack.acknowledged_at.is_none());
            unacknowledged.extend(window.map(|ack| due(ack.due_at, "acknowledge")));
        }
        for list in [&mut overdue, &mut soon, &mut unacknowledged] {
            list.sort_by_key(|due| due.at);
        }
        exceptions.sort_by_key(|exception| exception.recovery_due_at);
        Self { now, overdue, soon, unacknowledged, exceptions }
    }

    fn json(&self) -> Value {
        let list = |list: &[Due]| {
            let item = |due: &Due| json!({"due_at": due.at, "what": due.what, "run": due.run});
            list.iter().map(item).collect::<Vec<_>>()
        };
        json!({
            "now": self.now, "overdue": list(&self.overdue), "due_soon": list(&self.soon),
            "unacknowledged": list(&self.unacknowledged), "exceptions": self.exceptions,
        })
    }

    /// All of it as lines.
    fn draw(&self, client: &Client, colour: bool) -> String {
        let mut lines = format!("{} at {}\n", client.base(), show::at(self.now, self.now));
        let lists = [
            ("OVERDUE", &self.overdue),
            ("DUE SOON", &self.soon),
            ("NOT ACKNOWLEDGED", &self.unacknowledged),
        ];
        for (name, list) in lists {
            let mut table = Table::new(&["DUE", "WHAT", "OWNER", "FLOW", "RUN", "TITLE"]);
            for Due { at, run, what } in list.iter().take(MAX_ROWS) {
                let cells = [&show::at(*at, self.now), what, &run.owner.id, &run.flow, &run.run];
                let cells = cells.map(String::clone).into_iter().chain([show::short(&run.title)]);
                table.row(self.tone(*at), cells.collect());
            }
            lines += &section(name, list.len(), &table, colour);
        }
        let mut table = Table::new(&["RECOVERY DUE", "KIND", "OWNER", "FLOW", "RUN", "EXCEPTION"]);
        for it in self.exceptions.iter().take(MAX_ROWS) {
            let due = show::at(it.recovery_due_at, self.now);
            let run = show::or_dash(it.run.as_deref());
            let kind = show::word(&it.kind);
            let cells = vec![due, kind, it.owner.clone(), it.flow.clone(), run, it.id.clone()];
            table.row(self.tone(it.recovery_due_at), cells);
        }
        lines + &section("OPEN EXCEPTIONS", self.exceptions.len(), &table, colour)
    }

    fn tone(&self, due: Time) -> Tone {
        if due <= self.now { Tone::Alarm } else { Tone::Plain }
    }
}

/// A list under its name, with how many more there are.
fn section(name: &str, count: usize, table: &Table, colour: bool) -> String {
    let mut lines = format!("\n{name}: {count}\n");
    if count > 0 {
        lines += &table.render(colour);
    }
    if count > MAX_ROWS {
        lines += &format!("and {} more\n", count - MAX_ROWS);
    }
    lines
}
