//! `runs` and `run show`: which runs there are, and one of them.

use clap::{Args, Subcommand};
use meshline_core::view::RunView;

use crate::client::{Client, Pages};
use crate::commands::person_id;
use crate::failure::{Exit, Failure};
use crate::screen::Screen;
use crate::show;

/// Arguments of `runs`.
#[derive(Debug, Args)]
pub(crate) struct List {
    /// Only of this flow
    #[arg(long)]
    flow: Option<String>,
    /// Only in this status
    #[arg(long, value_parser = ["awaiting_qa", "active", "verifying", "closed", "cancelled"])]
    status: Option<String>,
    /// Only those that this person owns
    #[arg(long, value_name = "PERSON", value_parser = person_id)]
    owner: Option<String>,
    /// Only of this client
    #[arg(long)]
    client: Option<String>,
    /// Only those with an outcome that is late
    #[arg(long)]
    overdue: bool,
    /// Only those opened while their flow was off, or only the others
    #[arg(long, value_name = "BOOL", value_parser = ["true", "false"])]
    suppressed: Option<String>,
    /// At most this many, or with --all this many in one request
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// All of them, however many requests that takes
    #[arg(long)]
    all: bool,
}

/// `run …`
#[derive(Debug, Subcommand)]
pub(crate) enum One {
    /// Show a run: status, owner, outcomes with their deadlines, exceptions
    Show {
        /// The run's id
        run: String,
    },
}

/// The statuses of a run that is not over.
const OPEN: [&str; 3] = ["awaiting_qa", "active", "verifying"];

/// The runs that are not over: all of them, or the newest of each status.
pub(crate) async fn open(client: &Client, pages: Pages) -> Result<Vec<RunView>, Failure> {
    let mut runs = Vec::new();
    for status in OPEN {
        let query = [("status", Some(status)), ("limit", Some("200"))];
        let listed = client.list(&["v1", "runs"], &query, pages).await?;
        runs.extend(listed.items("a run")?);
    }
    Ok(runs)
}

/// Lists runs.
pub(crate) async fn list(client: &Client, args: &List, screen: &Screen) -> Result<Exit, Failure> {
    let limit = args.limit.map(|limit| limit.to_string());
    let query = [
        ("flow", args.flow.as_deref()),
        ("status", args.status.as_deref()),
        ("owner", args.owner.as_deref()),
        ("client", args.client.as_deref()),
        ("overdue", args.overdue.then_some("true")),
        ("suppressed", args.suppressed.as_deref()),
        ("limit", limit.as_deref()),
    ];
    let pages = if args.all { Pages::All } else { Pages::One };
    let listed = client.list(&["v1", "runs"], &query, pages).await?;
    if screen.is_json() {
        screen.document(&listed.page)?;
        return Ok(Exit::Done);
    }
    let runs: Vec<RunView> = listed.items("a run")?;
    if runs.is_empty() {
        screen.text("no runs")?;
        return Ok(Exit::Done);
    }
    screen.table(&show::runs(&runs, listed.now))?;
    if listed.has_more() {
        screen.text(&format!("the newest {}; --all shows every one", runs.len()))?;
    }
    Ok(Exit::Done)
}

/// Shows one run.
pub(crate) async fn show(client: &Client, run: &str, screen: &Screen) -> Result<Exit, Failure> {
    let answer = client.get(&["v1", "runs", run], &[]).await?;
    if screen.is_json() {
        screen.document(&answer.read("the run")?)?;
        return Ok(Exit::Done);
    }
    let run: RunView = answer.read("the run")?;
    for (n, table) in show::run(&run, answer.now).iter().enumerate() {
        if n > 0 {
            screen.text("")?;
        }
        screen.table(table)?;
    }
    Ok(Exit::Done)
}
