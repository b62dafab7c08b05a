//! `replay RUN`: the run as it became, decision by decision.

use meshline_core::record::{ActorKind, Record};
use meshline_core::run::Run;
use meshline_core::time::Time;
use meshline_core::view::RunView;
use serde_json::json;

use crate::client::{Client, Pages};
use crate::failure::{Exit, Failure};
use crate::screen::Screen;
use crate::show::{self, Table, Tone};

/// Folds the trail of a run record by record, shows each decision with its reason and what the run was then, and
/// says whether that leads to the run that is stored.
pub(super) async fn show(client: &Client, run: &str, screen: &Screen) -> Result<Exit, Failure> {
    let listed = client.list(&["v1", "runs", run, "audit"], &[], Pages::All).await?;
    let records: Vec<Record> = listed.items("the trail")?;
    let stored: RunView = client.get(&["v1", "runs", run], &[]).await?.read("the run")?;
    let mut table = Table::new(&["SEQ", "AT", "WHY", "WHAT", "THEN"]);
    let mut folded: Option<Run> = None;
    for (n, record) in records.iter().enumerate() {
        let next = match folded.take() {
            None => Run::fold([record]),
            Some(mut run) => run.apply(record).map(|()| run),
        };
        let now_is = next.map_err(|error| Failure::Unreadable {
            what: "the trail",
            reason: format!("record {}: {error}", record.seq),
        })?;
        let cells = vec![
            record.seq.to_string(),
            show::at(record.at, listed.now),
            why(record, n.checked_sub(1).and_then(|before| records.get(before))),
            format!("{}: {}", record.fact.kind(), show::sentence(&record.fact, listed.now)),
            then(&now_is, listed.now),
        ];
        table.row(Tone::Plain, cells);
        folded = Some(now_is);
    }
    let leads_there = folded
        .as_ref()
        .is_some_and(|run| RunView::of(run, listed.now).without_clocks() == stored.clone().without_clocks());
    if screen.is_json() {
        screen.document(&json!({"records": records.len(), "folds_to_stored": leads_there, "run": stored}))?;
    } else {
        screen.table(&table)?;
        let verdict = if leads_there { "which is what is stored" } else { "which is NOT what is stored" };
        screen.text(&format!(
            "{} lead to version {}, {verdict}",
            show::count(records.len(), "record"),
            stored.version
        ))?;
    }
    Ok(if leads_there { Exit::Done } else { Exit::Refused })
}

/// What made a record: an event, somebody's command, the clock, or the record before it.
fn why(record: &Record, before: Option<&Record>) -> String {
    let cause = record.cause.as_deref().unwrap_or_default();
    if let Some(event) = cause.strip_prefix("event:") {
        return format!("event {event}");
    }
    match record.actor.kind {
        ActorKind::Person => format!("{} said so", record.actor.id),
        ActorKind::Source => show::who(&record.actor),
        ActorKind::System => match before.filter(|before| before.at == record.at) {
            Some(before) => format!("follows from {}", before.seq),
            None => "the clock".to_owned(),
        },
    }
}

/// The run after a record: status, owner, and what is due next.
fn then(run: &Run, now: Time) -> String {
    let due = run.next_due().map_or_else(String::new, |(at, _)| format!(", next due {}", show::at(at, now)));
    format!("{}, {}{due}", show::word(&run.status), run.owner.id)
}
