//! `rotation`: whose turn it is, whose it will be, and accepting it.

use clap::{Args, Subcommand};
use meshline_core::record::HandoverAccepted;
use meshline_core::rotation::RotationView;
use meshline_core::time::Time;

use crate::client::{Client, Pages};
use crate::failure::{Exit, Failure};
use crate::screen::Screen;
use crate::show::{self, Table, Tone};

/// Arguments of `rotation`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Rotation {
    #[command(subcommand)]
    command: Option<Command>,
    /// How many turns ahead to show
    #[arg(long, value_name = "N", default_value_t = 4)]
    turns: u32,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Take over: the turn that began, or ahead the next one
    Accept {
        /// The rotating role's id
        role: String,
    },
}

/// Lists rotations, or accepts a turn.
pub(crate) async fn run(client: &Client, rotation: &Rotation, screen: &Screen) -> Result<Exit, Failure> {
    match &rotation.command {
        Some(Command::Accept { role }) => accept(client, role, screen).await,
        None => list(client, rotation.turns, screen).await,
    }
}

async fn list(client: &Client, turns: u32, screen: &Screen) -> Result<Exit, Failure> {
    let turns = turns.to_string();
    let listed = client.list(&["v1", "rotations"], &[("turns", Some(&turns))], Pages::One).await?;
    if screen.is_json() {
        screen.document(&listed.page)?;
        return Ok(Exit::Done);
    }
    let rotations: Vec<RotationView> = listed.items("a rotation")?;
    if rotations.is_empty() {
        screen.text("no rotations")?;
    } else {
        screen.table(&table(&rotations, listed.now))?;
    }
    Ok(Exit::Done)
}

async fn accept(client: &Client, role: &str, screen: &Screen) -> Result<Exit, Failure> {
    let answer = client.post(&["v1", "rotations", role, "accept"], &[], &serde_json::json!({})).await?;
    if screen.is_json() {
        screen.document(&answer.read("the turn")?)?;
        return Ok(Exit::Done);
    }
    let accepted: HandoverAccepted = answer.read("the turn")?;
    let from = show::at(accepted.turn_at, answer.now);
    screen.text(&show::clean(&format!("{} has the turn of {} from {from}", accepted.to, accepted.role)))?;
    Ok(Exit::Done)
}

/// A line for each turn, the one in force first.
fn table(rotations: &[RotationView], now: Time) -> Table {
    let mut table = Table::new(&["ROLE", "FROM", "WHO", "ACCEPTED", "NOTE"]);
    let yes = |is: bool| if is { "yes" } else { "no" }.to_owned();
    for it in rotations {
        let note = match &it.covers {
            Some(covers) if *covers != it.incumbent => format!("on duty; {covers} gets new runs"),
            Some(_) | None => "on duty".to_owned(),
        };
        let tone = if it.accepted { Tone::Plain } else { Tone::Alarm };
        let cells =
            [it.role.clone(), show::at(it.turn_at, now), it.incumbent.clone(), yes(it.accepted), note];
        table.row(tone, cells.map(|cell| show::clean(&cell)).to_vec());
        for turn in &it.upcoming {
            let note = if turn.away { "away when it begins" } else { "" };
            let at = show::at(turn.at, now);
            let cells = [it.role.clone(), at, turn.person.clone(), yes(turn.accepted), note.to_owned()];
            table.row(Tone::Plain, cells.map(|cell| show::clean(&cell)).to_vec());
        }
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn turns_are_shown_in_order_and_who_covers() {
        let rotations: Vec<RotationView> = serde_json::from_value(json!([{
            "role": "product-marketing", "every": "week", "starting": "2026-11-02", "timezone": "Europe/Berlin",
            "incumbent": "ana", "turn_at": "2026-11-22T23:00:00.000Z", "accepted": false, "covers": "ben",
            "upcoming": [
                {"at": "2026-11-29T23:00:00.000Z", "person": "dev", "away": true, "accepted": false},
                {"at": "2026-12-06T23:00:00.000Z", "person": "ana", "away": false, "accepted": false}
            ]
        }]))
        .unwrap();
        let now = "2026-11-23T09:00:00Z".parse().unwrap();
        insta::assert_snapshot!(table(&rotations, now).render(false), @"
        ROLE               FROM                         WHO  ACCEPTED  NOTE
        product-marketing  2026-11-22T23:00Z (10h ago)  ana  no        on duty; ben gets new runs
        product-marketing  2026-11-29T23:00Z (in 6d)    dev  no        away when it begins
        product-marketing  2026-12-06T23:00Z (in 13d)   ana  no
        ");
    }
}
