//! `meshline`: the operators' tool. One file for each group of commands; `show` has what people see.

mod audit;
mod calendar;
mod checklist;
mod client;
mod commands;
mod configuration;
mod demo;
mod doctor;
mod examples;
mod failure;
mod flows;
mod init;
mod lists;
mod manual;
mod postmortem;
mod progress;
mod refusal;
mod replay;
mod report;
mod rotation;
mod runs;
mod schema;
mod screen;
mod show;
mod sigv4;
mod source;
mod target;
mod up;
mod watch;
mod webhook;
mod whatif;

use std::process::ExitCode;

use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};
use meshline_core::time::Time;

use crate::client::Client;
use crate::failure::{Exit, Failure};
use crate::screen::Screen;

/// Runs content operations as outcome contracts: who owns a run, what is due, and what was decided.
#[derive(Debug, Parser)]
#[command(name = "meshline", version, after_help = AFTER_HELP)]
struct Cli {
    #[command(flatten)]
    options: Options,
    #[command(subcommand)]
    command: Command,
}

const AFTER_HELP: &str = "\
Exit codes:
  0  done
  1  refused or not valid: a problem answer, a broken trail, vectors that differ, files with problems
  2  wrong usage: arguments, a file that cannot be read, no AWS credentials
  3  Meshline is not reachable, cannot start, failed, or gave an answer that is not understood

A stack on this machine is called as the person of --as. Any other, or one that a --region is given for,
is called with requests signed by SigV4 (service execute-api) with the usual AWS credentials: environment,
profile, role. For a profile of IAM Identity Center: eval \"$(aws configure export-credentials --format env)\".

Colours are left out when the output is no terminal or NO_COLOR is set.";

/// Options of every command.
#[derive(Debug, Args)]
struct Options {
    /// Where Meshline is
    #[arg(
        long,
        global = true,
        env = "MESHLINE_URL",
        default_value = "http://127.0.0.1:8080",
        value_name = "URL"
    )]
    url: String,
    /// Who you are, at a stack on this machine: `ben`
    #[arg(long = "as", global = true, env = "MESHLINE_AS", value_name = "PERSON", value_parser = commands::person_id)]
    person: Option<String>,
    /// Print the API's JSON, one document
    #[arg(long, global = true)]
    json: bool,
    /// AWS region to sign for [default: that of the host name, else AWS_REGION, else the profile's]
    #[arg(long, global = true, env = "MESHLINE_REGION", value_name = "REGION")]
    region: Option<String>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start the local stack: all of Meshline in one process
    Up(up::UpArgs),
    /// Write a folder to begin with: people, sources and the pilot of one flow, with comments
    Init(init::Init),
    /// Show what applying configuration files would change
    Plan(configuration::Files),
    /// Put configuration files in force; what is not in them stays
    Apply(configuration::Files),
    /// Print the JSON Schema of configuration files, for editors, or the OpenAPI document of the HTTP API
    Schema {
        /// Of what
        #[arg(value_enum, default_value_t)]
        of: schema::Of,
    },
    /// List the flows in force, or print one
    Flows(flows::Flows),
    /// List runs, newest first
    Runs(runs::List),
    /// One run
    #[command(subcommand)]
    Run(runs::One),
    #[command(flatten)]
    OnRun(commands::OnRun),
    /// List exceptions, newest first, those of one cause on one line
    Exceptions(lists::Exceptions),
    /// The audit trail: of a run, or of all runs since a day
    #[command(subcommand)]
    Audit(audit::Audit),
    /// Everything about one asset, from every system, in order
    Timeline(lists::Timeline),
    /// How many promises of a flow were kept
    Report(report::Report),
    /// What is asked of a flow on a Monday: people, the last ten triggers, QA, exceptions; each with evidence
    Checklist(checklist::Arguments),
    /// Draft a post-mortem of a flow in Markdown: what was late, why, who held it, in which order, and what was like it before
    Postmortem(postmortem::Postmortem),
    /// Business time
    #[command(subcommand)]
    Calendar(calendar::Calendar),
    /// Whose turn it is in the rotating roles, and whose next; `rotation accept` takes over
    Rotation(rotation::Rotation),
    /// Show how a run became what it is, or let stored events go through the flows again
    Replay(replay::Replay),
    /// Decide the last runs of a flow again under a changed flow, and show what would have differed; changes nothing
    Whatif(whatif::WhatIf),
    /// List deliveries that were authentic but could not be understood
    Rejections(lists::Rejections),
    /// Systems that send webhooks
    #[command(subcommand)]
    Source(source::Source),
    /// Webhook signatures
    #[command(subcommand)]
    Webhook(webhook::Webhook),
    /// Look a Meshline over end to end: what is right, what is not, and how to mend it; changes nothing
    Doctor,
    /// What is late, due soon, not acknowledged or an open exception, redrawn every 2 seconds; Ctrl-C ends it
    Watch,
    /// Print the script that completes commands and options in a shell
    Completions(manual::Completions),
    /// Print the manual page
    Man(manual::Man),
}

/// All arguments of the tool, each command with examples.
fn arguments() -> clap::Command {
    examples::added(Cli::command())
}

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::from_arg_matches(&arguments().get_matches());
    let Cli { options, command } = cli.unwrap_or_else(|error| error.exit());
    if let Command::Up(args) = command {
        return Box::pin(up::run(args)).await.unwrap_or_else(|error| {
            eprintln!("meshline: {error:#}");
            Exit::Unreachable.into()
        });
    }
    let screen = Screen::new(options.json);
    match run(&options, command, &screen).await {
        Ok(exit) => exit.into(),
        Err(failure) => {
            screen.failure(&failure, now());
            failure.exit().into()
        }
    }
}

async fn run(options: &Options, command: Command, screen: &Screen) -> Result<Exit, Failure> {
    match &command {
        Command::Webhook(webhook) => return webhook::run(webhook, screen),
        Command::Source(source) => {
            if let Some(answered) = source::offline(source, options.url.trim_end_matches('/'), screen) {
                return answered;
            }
        }
        Command::Init(args) => return init::run(args, screen),
        Command::Schema { of } => return schema::run(screen, *of),
        Command::Completions(args) => return manual::completions(args, screen),
        Command::Man(args) => return manual::man(args, screen),
        Command::Audit(audit::Audit::Verify(verify)) => {
            if let Some(verified) = verify.offline(screen) {
                return verified;
            }
        }
        Command::Up(_)
        | Command::Plan(_)
        | Command::Apply(_)
        | Command::Flows(_)
        | Command::Runs(_)
        | Command::Run(_)
        | Command::OnRun(_)
        | Command::Exceptions(_)
        | Command::Audit(_)
        | Command::Timeline(_)
        | Command::Report(_)
        | Command::Checklist(_)
        | Command::Postmortem(_)
        | Command::Calendar(_)
        | Command::Rotation(_)
        | Command::Replay(_)
        | Command::Whatif(_)
        | Command::Rejections(_)
        | Command::Doctor
        | Command::Watch => {}
    }
    let client = Client::new(options, now).await?;
    match command {
        Command::Plan(files) => configuration::put(&client, &files, true, screen).await,
        Command::Apply(files) => configuration::put(&client, &files, false, screen).await,
        Command::Flows(args) => flows::run(&client, &args, screen).await,
        Command::Runs(list) => runs::list(&client, &list, screen).await,
        Command::Run(runs::One::Show { run }) => runs::show(&client, &run, screen).await,
        Command::OnRun(command) => commands::run(&client, &command, screen).await,
        Command::Exceptions(list) => lists::exceptions(&client, &list, screen).await,
        Command::Audit(audit) => audit::run(&client, &audit, screen).await,
        Command::Timeline(timeline) => lists::timeline(&client, &timeline, screen).await,
        Command::Report(args) => report::run(&client, &args, screen).await,
        Command::Checklist(args) => checklist::run(&client, &args, screen).await,
        Command::Postmortem(args) => postmortem::run(&client, &args, screen).await,
        Command::Calendar(calendar::Calendar::Explain(args)) => {
            calendar::explain(&client, &args, screen).await
        }
        Command::Rotation(args) => rotation::run(&client, &args, screen).await,
        Command::Replay(args) => replay::run(&client, &args, screen).await,
        Command::Whatif(args) => whatif::run(&client, &args, screen).await,
        Command::Rejections(list) => lists::rejections(&client, &list, screen).await,
        Command::Source(source::Source::Test(args)) => source::test(&client, &args, screen).await,
        Command::Doctor => doctor::run(&client, screen).await,
        Command::Watch => watch::run(&client, screen).await,
        // INVARIANT: these were answered above
        Command::Up(_)
        | Command::Webhook(_)
        | Command::Source(_)
        | Command::Init(_)
        | Command::Schema { .. }
        | Command::Completions(_)
        | Command::Man(_) => Ok(Exit::Done),
    }
}

/// The system's time.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the edge: it signs requests, and hints stand in for it"
)]
fn now() -> Time {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Time::from_unix_ms(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_are_well_formed() {
        arguments().debug_assert();
    }

    #[test]
    fn options_may_stand_before_and_after_the_command() {
        let cli = Cli::try_parse_from(["meshline", "--as", "person:ben", "ack", "x-1", "--json"]).unwrap();
        assert_eq!(cli.options.person.as_deref(), Some("ben"));
        assert!(cli.options.json);
    }

    #[test]
    fn help_documents_every_exit_code() {
        let help = Cli::command().render_help().to_string();
        for exit in [Exit::Done, Exit::Refused, Exit::Usage, Exit::Unreachable] {
            assert!(help.contains(&format!("\n  {}  ", exit as u8)), "{exit:?}");
        }
    }

    #[test]
    fn what_to_verify_is_named_in_one_way() {
        let parse = |args: &[&str]| Cli::try_parse_from([&["meshline", "audit", "verify"], args].concat());
        assert!(parse(&["x-1"]).is_ok());
        assert!(parse(&["--file", "trail.jsonl"]).is_ok());
        assert!(parse(&[]).is_err());
        assert!(parse(&["x-1", "--file", "trail.jsonl"]).is_err());
        assert!(
            parse(&["--since", "2026-11-20", "--until", "2026-11-23", "--public-key", "key.pem"]).is_ok()
        );
        assert!(parse(&["--export", "days.jsonl", "--checkpoints", "copy"]).is_ok());
        assert!(parse(&["--since", "2026-11-20", "--export", "days.jsonl"]).is_err());
        assert!(parse(&["--until", "2026-11-20", "--export", "days.jsonl"]).is_err());
        assert!(parse(&["x-1", "--public-key", "key.pem"]).is_err());
        assert!(parse(&["--since", "yesterday"]).is_err());
    }
}
