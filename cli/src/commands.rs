//! What a person does to a run: acknowledge, reassign, complete, fail, report a check, open an exception, resolve it, pause, resume, note, cancel, close.

use clap::{Args, Subcommand};
use meshline_core::config::flow::Party;
use meshline_core::view::RunView;
use serde_json::{Value, json};

use crate::client::Client;
use crate::failure::{Exit, Failure};
use crate::screen::Screen;
use crate::show;

/// Commands on a run.
#[derive(Debug, Subcommand)]
pub(crate) enum OnRun {
    /// Say "I have it"
    Ack {
        #[command(flatten)]
        run: Run,
    },
    /// Hand a run over
    Reassign {
        #[command(flatten)]
        run: Run,
        /// To whom: `ben`, `person:ben`, or `role:ops` for whoever is on duty
        #[arg(long, value_name = "PERSON|ROLE", value_parser = party)]
        to: Party,
        /// Why
        #[arg(long)]
        reason: String,
    },
    /// Say that an outcome is there
    Complete {
        #[command(flatten)]
        run: Run,
        /// The outcome's id
        outcome: String,
        /// The proof: a link, or text
        #[arg(long)]
        evidence: String,
    },
    /// Say that an outcome failed; its clock runs on
    Fail {
        #[command(flatten)]
        run: Run,
        /// The outcome's id
        outcome: String,
        /// What went wrong
        #[arg(long)]
        reason: String,
    },
    /// Say how a QA check came out
    #[command(subcommand)]
    Check(OnCheck),
    /// Say that something is wrong which nobody noticed yet
    #[command(subcommand)]
    Exception(OnException),
    /// Say that an exception is over; for one of a flow itself, write `flow:ID` for the run
    Resolve {
        #[command(flatten)]
        run: Run,
        /// The exception's id
        exception: String,
        /// How it was resolved
        #[arg(long)]
        resolution: String,
        /// The proof: a link, or text
        #[arg(long)]
        evidence: Option<String>,
    },
    /// Stop the outcomes' clocks; they run again by themselves when the flow's budget is spent
    Pause {
        #[command(flatten)]
        run: Run,
        /// Why
        #[arg(long)]
        reason: String,
    },
    /// Let the outcomes' clocks run again
    Resume {
        #[command(flatten)]
        run: Run,
    },
    /// Write something down in the trail
    Note {
        #[command(flatten)]
        run: Run,
        /// The words
        text: String,
    },
    /// Call a run off
    Cancel {
        #[command(flatten)]
        run: Run,
        /// Why
        #[arg(long)]
        reason: String,
    },
    /// Close a run whose outcomes are decided
    Close {
        #[command(flatten)]
        run: Run,
        /// Why
        #[arg(long)]
        reason: String,
    },
}

/// Commands on a check of a run.
#[derive(Debug, Subcommand)]
pub(crate) enum OnCheck {
    /// It is all right
    Pass {
        #[command(flatten)]
        run: Run,
        /// The check's id
        check: String,
        /// The proof: a link, or text
        #[arg(long)]
        evidence: Option<String>,
    },
    /// Something is wrong; it can still pass
    Fail {
        #[command(flatten)]
        run: Run,
        /// The check's id
        check: String,
        /// What is wrong
        #[arg(long)]
        reason: String,
    },
}

/// Commands about what is wrong with a run.
#[derive(Debug, Subcommand)]
pub(crate) enum OnException {
    /// Hand what is wrong to whoever answers for the flow's exceptions; `resolve` ends it
    Open {
        #[command(flatten)]
        run: Run,
        /// What is wrong
        #[arg(long)]
        reason: String,
        /// The outcome that it is about [default: the run as a whole]
        #[arg(long, value_name = "ID")]
        outcome: Option<String>,
        /// What kind of exception it is, which names its playbook [default: manual]
        #[arg(long)]
        kind: Option<String>,
    },
}

/// The run that a command is for.
#[derive(Debug, Args)]
pub(crate) struct Run {
    /// The run's id
    run: String,
    /// Refuse if the run is no longer at this version
    #[arg(long, value_name = "N")]
    if_version: Option<u64>,
}

/// A command as the API takes it.
struct Request<'a> {
    run: &'a Run,
    /// What follows the run in the address.
    rest: Vec<&'a str>,
    body: Value,
    /// What was done, for the person who did it.
    done: String,
}

/// Carries out a command.
pub(crate) async fn run(client: &Client, command: &OnRun, screen: &Screen) -> Result<Exit, Failure> {
    let Request { run, rest, mut body, mut done } = request(command);
    if let (Some(version), Some(members)) = (run.if_version, body.as_object_mut()) {
        members.insert("if_version".to_owned(), json!(version));
    }
    let of_flow = run.run.strip_prefix("flow:");
    let of = of_flow.map_or(["v1", "runs", &run.run], |flow| ["v1", "flows", flow]);
    let segments = [of.to_vec(), rest].concat();
    let answer = client.post(&segments, &[], &body).await?;
    if screen.is_json() {
        screen.document(&answer.read("the run")?)?;
        return Ok(Exit::Done);
    }
    if of_flow.is_some() {
        screen.text(&show::clean(&format!("{done} of {}", run.run)))?;
        return Ok(Exit::Done);
    }
    let run: RunView = answer.read("the run")?;
    if let (OnRun::Exception(_), Some(opened)) = (command, run.exceptions.last()) {
        done = format!("opened {}", opened.id);
    }
    screen.text(&show::clean(&format!("{done}: {}", show::run_line(&run, answer.now))))?;
    Ok(Exit::Done)
}

fn request(command: &OnRun) -> Request<'_> {
    let (run, rest, body, done) = match command {
        OnRun::Ack { run } => (run, vec!["acknowledge"], json!({}), "acknowledged".to_owned()),
        OnRun::Reassign { run, to, reason } => {
            let body = json!({"to": to, "reason": reason});
            (run, vec!["reassign"], body, "reassigned".to_owned())
        }
        OnRun::Complete { run, outcome, evidence } => {
            let rest = vec!["outcomes", outcome, "complete"];
            (run, rest, json!({"evidence": evidence}), format!("completed {outcome}"))
        }
        OnRun::Fail { run, outcome, reason } => {
            let rest = vec!["outcomes", outcome, "fail"];
            (run, rest, json!({"reason": reason}), format!("failed {outcome}"))
        }
        OnRun::Check(OnCheck::Pass { run, check, evidence }) => {
            let rest = vec!["checks", check, "pass"];
            (run, rest, json!({"evidence": evidence}), format!("passed {check}"))
        }
        OnRun::Check(OnCheck::Fail { run, check, reason }) => {
            let rest = vec!["checks", check, "fail"];
            (run, rest, json!({"reason": reason}), format!("failed {check}"))
        }
        OnRun::Exception(OnException::Open { run, reason, outcome, kind }) => {
            let body = json!({"reason": reason, "outcome": outcome, "kind": kind});
            (run, vec!["exceptions"], body, "opened an exception".to_owned())
        }
        OnRun::Resolve { run, exception, resolution, evidence } => {
            let rest = vec!["exceptions", exception, "resolve"];
            let body = json!({"resolution": resolution, "evidence": evidence});
            (run, rest, body, format!("resolved {exception}"))
        }
        OnRun::Pause { run, reason } => (run, vec!["pause"], json!({"reason": reason}), "paused".to_owned()),
        OnRun::Resume { run } => (run, vec!["resume"], json!({}), "resumed".to_owned()),
        OnRun::Note { run, text } => (run, vec!["note"], json!({"text": text}), "noted".to_owned()),
        OnRun::Cancel { run, reason } => {
            (run, vec!["cancel"], json!({"reason": reason}), "cancelled".to_owned())
        }
        OnRun::Close { run, reason } => (run, vec!["close"], json!({"reason": reason}), "closed".to_owned()),
    };
    Request { run, rest, body, done }
}

/// Reads a person or a role; a bare word is a person.
fn party(text: &str) -> Result<Party, String> {
    let text = if text.contains(':') { text.to_owned() } else { format!("person:{text}") };
    text.parse::<Party>().map_err(|error| error.to_string())
}

/// Reads a person where only a person can be: `ben`, or `person:ben`.
pub(crate) fn person_id(text: &str) -> Result<String, String> {
    match party(text)? {
        Party::Person(id) => Ok(id),
        Party::Role(id) => Err(format!("`role:{id}` is a role: name a person")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_word_is_a_person() {
        assert_eq!(party("ben").unwrap().to_string(), "person:ben");
        assert_eq!(party("person:ben").unwrap().to_string(), "person:ben");
        assert_eq!(party("role:ops-lead").unwrap().to_string(), "role:ops-lead");
        for text in ["", "team:ops", "role:", ":ben"] {
            assert!(party(text).is_err(), "{text}");
        }
        assert_eq!(person_id("person:ben").unwrap(), "ben");
        assert!(person_id("role:ops").is_err());
    }

    #[test]
    fn commands_have_the_addresses_and_bodies_of_the_api() {
        let run = || Run { run: "a-1".to_owned(), if_version: None };
        let command = OnRun::Resolve {
            run: run(),
            exception: "x5".to_owned(),
            resolution: "tagged".to_owned(),
            evidence: None,
        };
        let it = request(&command);
        assert_eq!(it.rest, ["exceptions", "x5", "resolve"]);
        assert_eq!(it.body, json!({"resolution": "tagged", "evidence": null}));
        let (check, reason) = ("editorial".to_owned(), "two typing errors".to_owned());
        let command = OnRun::Check(OnCheck::Fail { run: run(), check, reason });
        let it = request(&command);
        assert_eq!(it.rest, ["checks", "editorial", "fail"]);
        assert_eq!(it.body, json!({"reason": "two typing errors"}));
        let reason = "the deck is of last year".to_owned();
        let (outcome, kind) = (Some("sales-deck".to_owned()), None);
        let command = OnRun::Exception(OnException::Open { run: run(), reason, outcome, kind });
        let it = request(&command);
        assert_eq!(it.rest, ["exceptions"]);
        assert_eq!(
            it.body,
            json!({"reason": "the deck is of last year", "outcome": "sales-deck", "kind": null})
        );
        let command = OnRun::Reassign { run: run(), to: party("ben").unwrap(), reason: "leave".to_owned() };
        assert_eq!(request(&command).body, json!({"to": "person:ben", "reason": "leave"}));
    }
}
