//! `replay`: what came in before is routed once more, or a run is shown as it became.

mod trail;

use std::io::{self, IsTerminal, Write};

use clap::Args;
use meshline_core::time::Time;
use serde::Deserialize;
use serde_json::json;

use crate::client::Client;
use crate::failure::{Exit, Failure};
use crate::progress::Progress;
use crate::report::time;
use crate::screen::Screen;

/// Arguments of `replay`: a run, or a window of events.
#[derive(Debug, Args)]
pub(crate) struct Replay {
    /// Show how this run became what it is: each record, its reason, and the run after it; changes nothing
    run: Option<String>,
    #[command(flatten)]
    window: Option<Window>,
}

/// Events that came in before, to be routed once more.
#[derive(Debug, Args)]
#[group(id = "window", conflicts_with = "run")]
struct Window {
    /// The source whose events are replayed
    #[arg(long)]
    source: String,
    /// Events that came in at or after this time or day (UTC)
    #[arg(long, value_name = "TIME", value_parser = time)]
    from: Time,
    /// Events that came in until this time, or until the start of this day (UTC)
    #[arg(long, value_name = "TIME", value_parser = time)]
    to: Time,
    /// Only count them
    #[arg(long)]
    dry_run: bool,
    /// Do not ask
    #[arg(long, conflicts_with = "dry_run")]
    yes: bool,
}

/// An answer of `POST /v1/replay`.
#[derive(Debug, Deserialize)]
struct Page {
    replayed: u64,
    cursor: Option<String>,
}

const WARNING: &str = "\
They are matched against the flows in force now; what they have done already is left alone. An event that
triggers today and did not then opens a run whose deadlines count from the event's own time: where these have
passed, the next sweep breaches and escalates them.";

/// Shows a run, or replays a window.
pub(crate) async fn run(client: &Client, args: &Replay, screen: &Screen) -> Result<Exit, Failure> {
    match (&args.run, &args.window) {
        (Some(run), _) => trail::show(client, run, screen).await,
        (None, Some(window)) => replay(client, window, screen).await,
        (None, None) => {
            let mend = "say which: `meshline replay RUN`, or `--source`, `--from` and `--to` of a window";
            Err(Failure::Usage(mend.to_owned()))
        }
    }
}

/// Replays a window, after asking.
async fn replay(client: &Client, args: &Window, screen: &Screen) -> Result<Exit, Failure> {
    let replaying = Progress::of(if args.dry_run { "counting events" } else { "replaying events" });
    if !args.dry_run && !args.yes {
        let counting = Progress::of("counting events");
        let found = counting.during(pages(client, args, true, &counting)).await?;
        if !confirmed(found, args)? {
            return Ok(Exit::Refused);
        }
        replaying.expect(usize::try_from(found).unwrap_or(usize::MAX));
    }
    let replayed = replaying.during(pages(client, args, args.dry_run, &replaying)).await?;
    if screen.is_json() {
        screen.document(&json!({"replayed": replayed, "dry_run": args.dry_run}))?;
    } else if args.dry_run {
        screen.text(&format!("events to replay: {replayed}"))?;
    } else {
        screen.text(&format!("events replayed: {replayed}"))?;
    }
    Ok(Exit::Done)
}

/// Replays or counts all pages; gives the number of events.
async fn pages(client: &Client, args: &Window, dry_run: bool, progress: &Progress) -> Result<u64, Failure> {
    let (mut replayed, mut cursor) = (0, None::<String>);
    loop {
        let body = json!({
            "source": args.source, "from": args.from, "to": args.to, "cursor": cursor, "dry_run": dry_run,
        });
        let page: Page = client.post(&["v1", "replay"], &[], &body).await?.read("the replay")?;
        replayed += page.replayed;
        progress.step(usize::try_from(page.replayed).unwrap_or(usize::MAX));
        if page.cursor.is_none() {
            return Ok(replayed);
        }
        cursor = page.cursor;
    }
}

/// Asks the person at the terminal; where nobody is, `--yes` must have been said.
fn confirmed(found: u64, args: &Window) -> Result<bool, Failure> {
    let Window { source, from, to, .. } = args;
    eprintln!("events of `{source}` that came in from {from} to {to}: {found}\n{WARNING}");
    if !io::stdin().is_terminal() {
        return Err(Failure::Usage(
            "nothing was replayed: say --yes to do it without being asked".to_owned(),
        ));
    }
    eprint!("Replay them? [y/N] ");
    io::stderr().flush()?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}
