//! `whatif`: the last runs of a flow, decided again under a changed one.

use std::path::PathBuf;

use clap::Args;
use meshline_core::time::Time;
use meshline_core::whatif::{Comparison, Pair, Summary};
use serde::Deserialize;
use serde_json::json;

use crate::client::Client;
use crate::configuration::files;
use crate::failure::{Exit, Failure};
use crate::progress::Progress;
use crate::screen::Screen;
use crate::show::{self, Table, Tone};

/// Arguments of `whatif`.
#[derive(Debug, Args)]
pub(crate) struct WhatIf {
    /// The changed flow: a file, or a folder in which one flow differs from what is in force; or `-`. It may have a
    /// changed directory and calendar as well
    #[arg(long, value_name = "FILE")]
    flow: PathBuf,
    /// How many runs, the newest ones
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u8).range(1..=50))]
    last: u8,
}

/// What the API answers.
#[derive(Debug, Deserialize)]
struct Answer {
    flow: String,
    summary: Summary,
    runs: Vec<Comparison>,
}

/// Shows what would have differed.
pub(crate) async fn run(client: &Client, args: &WhatIf, screen: &Screen) -> Result<Exit, Failure> {
    let last = args.last.to_string();
    let body = json!({"files": files(&args.flow)?});
    let query = [("last", Some(last.as_str()))];
    let deciding = Progress::of("deciding the last runs again");
    let answer = deciding.during(client.post(&["v1", "whatif"], &query, &body)).await?;
    if screen.is_json() {
        screen.document(&answer.read("the comparison")?)?;
        return Ok(Exit::Done);
    }
    let found: Answer = answer.read("the comparison")?;
    if found.runs.is_empty() {
        screen.text(&format!("`{}` has no runs yet", show::clean(&found.flow)))?;
        return Ok(Exit::Done);
    }
    screen.table(&runs(&found.runs, answer.now))?;
    screen.text("")?;
    screen.table(&summary(&found.summary))?;
    Ok(Exit::Done)
}

/// A row for each run, and one below it for each difference.
fn runs(comparisons: &[Comparison], now: Time) -> Table {
    let mut table = Table::new(&["RUN", "OPENED", "TITLE", "WOULD HAVE DIFFERED"]);
    for comparison in comparisons {
        let skipped = comparison
            .skipped
            .iter()
            .map(|it| format!("{} by {} could not have been: {}", it.what, it.by, it.why));
        let mut lines: Vec<String> = comparison.differences.iter().cloned().chain(skipped).collect();
        let tone = if lines.is_empty() { Tone::Faint } else { Tone::Plain };
        if lines.is_empty() {
            lines.push("nothing".to_owned());
        }
        let opened_at = show::at(comparison.opened_at, now);
        let mut cells = vec![comparison.run.clone(), opened_at, show::short(&comparison.title)];
        for line in lines {
            cells.push(line);
            table.row(tone, cells);
            cells = vec![String::new(); 3];
        }
    }
    table
}

fn summary(summary: &Summary) -> Table {
    let mut table = Table::new(&["TOGETHER", "WAS", "WOULD BE"]);
    let mut row = |name: &str, pair: &Pair| {
        table.row(Tone::Plain, vec![name.to_owned(), pair.was.to_string(), pair.would_be.to_string()]);
    };
    row("runs", &summary.runs);
    row("met", &summary.met);
    row("breaches", &summary.breaches);
    row("escalations", &summary.escalations);
    for (who, pair) in &summary.told {
        row(&format!("{who} told"), pair);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_have_differed_reads_as_one_table() {
        let standing = json!({
            "status": "closed", "met": true, "outcomes": [], "escalations": [], "owner": "ana",
            "custody": [], "exceptions": {}
        });
        let run = |id: &str, differences: &[&str], skipped: &serde_json::Value| {
            json!({"run": id, "subject": "form:7", "title": "Demo request", "opened_at": "2026-11-23T09:00:00.000Z",
                "was": standing, "would_be": standing, "skipped": skipped, "differences": differences})
        };
        let skipped = json!([{"at": "2026-11-23T10:00:00.000Z", "by": "ana", "what": "outcome_done",
            "why": "there is no outcome `answered`"}]);
        let comparisons: Vec<Comparison> = serde_json::from_value(json!([
            run(
                "uqy-02",
                &["the run: met -> missed", "`answered` would have breached at 2026-11-23T10:00:00.000Z"],
                &skipped
            ),
            run("uqy-01", &[], &json!([])),
        ]))
        .unwrap();
        let pair = |was, would_be| Pair { was, would_be };
        let sum = Summary {
            runs: pair(2, 2),
            met: pair(2, 1),
            breaches: pair(0, 1),
            escalations: pair(0, 1),
            told: [("ben".to_owned(), pair(0, 1))].into(),
        };
        let now = "2026-11-23T11:00:00Z".parse().unwrap();
        insta::assert_snapshot!(runs(&comparisons, now).render(false), @r"
        RUN     OPENED                      TITLE         WOULD HAVE DIFFERED
        uqy-02  2026-11-23T09:00Z (2h ago)  Demo request  the run: met -> missed
                                                          `answered` would have breached at 2026-11-23T10:00:00.000Z
                                                          outcome_done by ana could not have been: there is no outcome `answered`
        uqy-01  2026-11-23T09:00Z (2h ago)  Demo request  nothing
        ");
        insta::assert_snapshot!(summary(&sum).render(false), @r"
        TOGETHER     WAS  WOULD BE
        runs         2    2
        met          2    1
        breaches     0    1
        escalations  0    1
        ben told     0    1
        ");
    }
}
