//! `calendar`: how a deadline came about.

use clap::{Args, Subcommand};
use meshline_core::calendar::{DeadlineView, StretchKind, StretchView};
use meshline_core::day::Day;
use meshline_core::time::Time;

use crate::client::Client;
use crate::failure::{Exit, Failure};
use crate::report::time;
use crate::screen::Screen;
use crate::show::{self, Table, Tone};

/// What can be asked of calendars.
#[derive(Debug, Subcommand)]
pub(crate) enum Calendar {
    /// How a deadline comes about: what was open, what was closed, and which holidays moved it
    Explain(Explain),
}

/// Arguments of `calendar explain`.
#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// The flow, whose calendar counts
    #[arg(long)]
    flow: String,
    /// The start, a time or a day (UTC) [default: now]
    #[arg(long, value_name = "TIME", value_parser = time)]
    from: Option<Time>,
    /// An outcome of the flow, or a duration: `2 business days`
    #[arg(long, value_name = "OUTCOME|DURATION")]
    sla: String,
}

/// Shows how a deadline comes about.
pub(crate) async fn explain(client: &Client, args: &Explain, screen: &Screen) -> Result<Exit, Failure> {
    let from = args.from.map(|it| it.to_string());
    let query = [("sla", Some(args.sla.as_str())), ("from", from.as_deref())];
    let answer = client.get(&["v1", "flows", &args.flow, "deadline"], &query).await?;
    if screen.is_json() {
        screen.document(&answer.read("the deadline")?)?;
        return Ok(Exit::Done);
    }
    let view: DeadlineView = answer.read("the deadline")?;
    screen.table(&summary(&view, answer.now))?;
    if !view.stretches.is_empty() {
        screen.text("")?;
        screen.table(&stretches(&view))?;
    }
    Ok(Exit::Done)
}

fn summary(view: &DeadlineView, now: Time) -> Table {
    let mut table = Table::headless();
    table.pair("sla", view.sla.to_string());
    if let (Some(calendar), Some(version), Some(zone)) =
        (&view.calendar, view.calendar_version, &view.timezone)
    {
        table.pair("calendar", show::clean(&format!("{calendar} version {version}, {zone}")));
    }
    table.pair("from", show::at(view.from, now));
    let unknown = if view.known { "" } else { ", beyond the holidays that the calendar knows" };
    table.pair("due", format!("{}{unknown}", show::at(view.due_at, now)));
    table
}

fn stretches(view: &DeadlineView) -> Table {
    let mut table = Table::new(&["FROM", "TO", "LASTS", "WHAT"]);
    for stretch in &view.stretches {
        let lasts = show::span(Some(stretch.to.since(stretch.from).ms() / 1000));
        let cells = vec![wall(&stretch.from_local), wall(&stretch.to_local), lasts, what(stretch)];
        table.row(Tone::Plain, cells);
    }
    table
}

fn what(stretch: &StretchView) -> String {
    match stretch.kind {
        StretchKind::Open => "open".to_owned(),
        StretchKind::StartDay => "open, the day of the start is not counted".to_owned(),
        StretchKind::Closed if stretch.holidays.is_empty() => "closed".to_owned(),
        StretchKind::Closed => {
            let days: Vec<String> =
                stretch.holidays.iter().map(|day| format!("{} {day}", weekday(*day))).collect();
            format!("closed, holiday: {}", days.join(", "))
        }
    }
}

/// `2026-11-25T17:30:00-05:00` as people read it: `Wed 2026-11-25 17:30 -05:00`.
fn wall(text: &str) -> String {
    let parts = (text.get(..10).and_then(|day| day.parse::<Day>().ok()), text.get(11..16), text.get(19..));
    match parts {
        (Some(day), Some(clock), Some(offset)) => {
            format!("{} {day} {clock} {}", weekday(day), show::clean(offset))
        }
        (_, _, _) => show::clean(text),
    }
}

fn weekday(day: Day) -> &'static str {
    match (day.number() + 3).rem_euclid(7) {
        0 => "Mon",
        1 => "Tue",
        2 => "Wed",
        3 => "Thu",
        4 => "Fri",
        5 => "Sat",
        _ => "Sun",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_deadline_names_the_closed_hours_and_the_holidays() {
        let stretch = |kind: &str, from: &str, to: &str, holidays: &[&str]| {
            let local = |at: &str| format!("2026-11-{at}:00-05:00");
            let utc = |at: &str| local(at).parse::<Time>().unwrap();
            json!({"kind": kind, "from": utc(from), "to": utc(to), "from_local": local(from), "to_local": local(to),
                "holidays": holidays})
        };
        let view: DeadlineView = serde_json::from_value(json!({
            "sla": "1 business day", "calendar": "us-business", "calendar_version": 3, "timezone": "America/New_York",
            "from": "2026-11-25T20:00:00Z", "due_at": "2026-11-27T21:00:00Z", "known": false,
            "stretches": [
                stretch("start_day", "25T15:00", "25T17:30", &[]),
                stretch("closed", "25T17:30", "27T09:00", &["2026-11-26"]),
                stretch("open", "27T09:00", "27T16:00", &[]),
            ],
        }))
        .unwrap();
        insta::assert_snapshot!(summary(&view, view.from).render(false), @"
        sla       1 business day
        calendar  us-business version 3, America/New_York
        from      2026-11-25T20:00Z (now)
        due       2026-11-27T21:00Z (in 2d), beyond the holidays that the calendar knows
        ");
        insta::assert_snapshot!(stretches(&view).render(false), @"
        FROM                         TO                           LASTS     WHAT
        Wed 2026-11-25 15:00 -05:00  Wed 2026-11-25 17:30 -05:00  2h30m     open, the day of the start is not counted
        Wed 2026-11-25 17:30 -05:00  Fri 2026-11-27 09:00 -05:00  1d15h30m  closed, holiday: Thu 2026-11-26
        Fri 2026-11-27 09:00 -05:00  Fri 2026-11-27 16:00 -05:00  7h        open
        ");
    }
}
