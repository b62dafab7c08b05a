//! `exceptions`, `timeline`, `rejections`: what needs somebody, and what happened to one asset.

use clap::Args;
use meshline_core::event::Event;
use meshline_core::record::Record;
use meshline_core::time::Time;
use meshline_core::view::ExceptionView;
use serde::Deserialize;
use serde_json::Value;

use crate::client::{Client, Pages};
use crate::failure::{Exit, Failure};
use crate::screen::Screen;
use crate::show::{self, Table, Tone};

/// Arguments of `exceptions`.
#[derive(Debug, Args)]
pub(crate) struct Exceptions {
    /// Only open or only resolved ones
    #[arg(long, value_parser = ["open", "resolved"])]
    status: Option<String>,
    /// Only of this flow
    #[arg(long)]
    flow: Option<String>,
    /// Only of this group, each by itself: `blog-launch/crm-tag/sla_breached/2026-11-23T11`
    #[arg(long)]
    group: Option<String>,
    /// Each by itself, also those that have one cause
    #[arg(long)]
    all: bool,
}

/// Arguments of `timeline`.
#[derive(Debug, Args)]
pub(crate) struct Timeline {
    /// The asset: `contentful:5KsDBWseXY6`
    subject: String,
}

/// Arguments of `rejections`.
#[derive(Debug, Args)]
pub(crate) struct Rejections {
    /// At most this many
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
}

/// An entry of a timeline: an event, or a record of a run.
#[derive(Debug, Deserialize)]
struct Entry {
    at: Time,
    event: Option<Event>,
    record: Option<Record>,
}

/// A delivery that could not be understood.
#[derive(Debug, Deserialize)]
struct Rejection {
    source: String,
    received_at: Time,
    reason: String,
    #[serde(default)]
    body: Value,
}

/// Lists exceptions, those of one cause on one line.
pub(crate) async fn exceptions(client: &Client, args: &Exceptions, screen: &Screen) -> Result<Exit, Failure> {
    let group = args.group.as_deref();
    let query = [("status", args.status.as_deref()), ("flow", args.flow.as_deref()), ("group", group)];
    let listed = client.list(&["v1", "exceptions"], &query, Pages::All).await?;
    if screen.is_json() {
        screen.document(&listed.page)?;
        return Ok(Exit::Done);
    }
    let items: Vec<ExceptionView> = listed.items("an exception")?;
    if items.is_empty() {
        screen.text("no exceptions")?;
    } else if args.all || group.is_some() {
        screen.table(&show::exceptions(&items, listed.now))?;
    } else {
        screen.table(&show::exceptions_by_group(&items, listed.now))?;
    }
    Ok(Exit::Done)
}

/// The exceptions that nobody has resolved yet: all of them, or the newest; and the time there.
pub(crate) async fn open_exceptions(
    client: &Client,
    pages: Pages,
) -> Result<(Vec<ExceptionView>, Time), Failure> {
    let query = [("status", Some("open")), ("limit", Some("200"))];
    let listed = client.list(&["v1", "exceptions"], &query, pages).await?;
    Ok((listed.items("an exception")?, listed.now))
}

/// Shows everything about one asset.
pub(crate) async fn timeline(client: &Client, args: &Timeline, screen: &Screen) -> Result<Exit, Failure> {
    let segments = ["v1", "subjects", &args.subject, "timeline"];
    let listed = client.list(&segments, &[], Pages::All).await?;
    if screen.is_json() {
        screen.document(&listed.page)?;
        return Ok(Exit::Done);
    }
    let entries: Vec<Entry> = listed.items("an entry of the timeline")?;
    if entries.is_empty() {
        screen.text(&format!("nothing is known about `{}`", show::clean(&args.subject)))?;
        return Ok(Exit::Done);
    }
    screen.table(&timeline_table(&entries, listed.now))?;
    Ok(Exit::Done)
}

fn timeline_table(entries: &[Entry], now: Time) -> Table {
    let mut table = Table::new(&["AT", "BY", "KIND", "WHAT", "RUN"]);
    for entry in entries {
        let at = show::at(entry.at, now);
        if let Some(event) = &entry.event {
            let what = event.title.as_deref().or(event.actor.as_deref());
            let what = show::short(what.unwrap_or_default());
            let by = format!("source {}", event.source);
            table.row(Tone::Plain, vec![at, by, event.kind.clone(), what, "-".to_owned()]);
        } else if let Some(record) = &entry.record {
            let kind = record.fact.kind().to_owned();
            let what = show::sentence(&record.fact, now);
            table.row(Tone::Plain, vec![at, show::who(&record.actor), kind, what, record.run.clone()]);
        }
    }
    table
}

/// Lists deliveries that could not be understood.
pub(crate) async fn rejections(client: &Client, args: &Rejections, screen: &Screen) -> Result<Exit, Failure> {
    let limit = args.limit.map(|limit| limit.to_string());
    let pages = if limit.is_some() { Pages::One } else { Pages::All };
    let listed = client.list(&["v1", "rejections"], &[("limit", limit.as_deref())], pages).await?;
    if screen.is_json() {
        screen.document(&listed.page)?;
        return Ok(Exit::Done);
    }
    let items: Vec<Rejection> = listed.items("a rejection")?;
    if items.is_empty() {
        screen.text("no rejections")?;
        return Ok(Exit::Done);
    }
    let mut table = Table::new(&["RECEIVED", "SOURCE", "REASON", "BODY"]);
    for item in &items {
        let body = item.body.as_str().map_or_else(|| item.body.to_string(), str::to_owned);
        let received = show::at(item.received_at, listed.now);
        table.row(Tone::Plain, vec![received, item.source.clone(), item.reason.clone(), show::short(&body)]);
    }
    screen.table(&table)?;
    Ok(Exit::Done)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_timeline_has_the_events_of_every_system_and_the_decisions() {
        let entries: Vec<Entry> = serde_json::from_value(json!([
            {"at": "2026-11-23T09:00:00.000Z", "kind": "event", "event": {"id": "e1", "source": "contentful",
             "type": "Entry.publish", "subject": "contentful:5K", "occurred_at": null,
             "received_at": "2026-11-23T09:00:00.000Z", "actor": "u1", "title": "Spring", "url": null, "data": {}}},
            {"at": "2026-11-23T09:05:00.000Z", "kind": "record", "record": {"run": "a-1", "seq": 2,
             "at": "2026-11-23T09:05:00.000Z", "actor": {"type": "person", "id": "ana"}, "flow": "f", "flow_version": 1,
             "subject": "contentful:5K", "config_hash": "c", "kind": "acknowledged", "detail": {}, "prev": "p", "hash": "h"}}
        ]))
        .unwrap();
        let now = "2026-11-23T10:00:00Z".parse().unwrap();
        insta::assert_snapshot!(timeline_table(&entries, now).render(false), @r#"
        AT                           BY                 KIND           WHAT    RUN
        2026-11-23T09:00Z (60m ago)  source contentful  Entry.publish  Spring  -
        2026-11-23T09:05Z (55m ago)  ana                acknowledged   has it  a-1
        "#);
    }
}
