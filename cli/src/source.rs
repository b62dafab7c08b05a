//! `source`: the providers that there are, and a document to begin with for one of them.

use std::fs;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use meshline_core::config::source::Provider;
use meshline_core::event::Event;
use meshline_core::time::Time;
use meshline_sources::{Facts, facts};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::client::Client;
use crate::failure::{Exit, Failure};
use crate::screen::Screen;
use crate::show::{Table, Tone, clean, word};

/// `source …`
#[derive(Debug, Subcommand)]
pub(crate) enum Source {
    /// List the providers that have an adapter of their own
    Providers(Providers),
    /// Write a source document for a provider, and say what to set where in its settings
    Add(Add),
    /// Wait for one real delivery of a source, and explain it: believed or why not, its events, the flows that match
    Test(Test),
}

/// Arguments of `source providers`.
#[derive(Debug, Args)]
pub(crate) struct Providers {
    /// Everything that is known of them, in Markdown: docs/SOURCES.md
    #[arg(long)]
    markdown: bool,
}

/// Arguments of `source add`.
#[derive(Debug, Args)]
pub(crate) struct Add {
    /// The provider, as `meshline source providers` names it
    #[arg(value_parser = provider)]
    provider: Provider,
    /// The source's id, which is a part of its address [default: the provider's name]
    #[arg(long)]
    id: Option<String>,
    /// The file to write; one that is there is not replaced [default: <id>.yaml]
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
}

/// Arguments of `source test`.
#[derive(Debug, Args)]
pub(crate) struct Test {
    /// The source's id
    source: String,
    /// How many seconds to wait, at most 900
    #[arg(long, value_name = "SECONDS", default_value_t = 600, value_parser = clap::value_parser!(u64).range(1..=900))]
    wait: u64,
}

/// Answers what needs no Meshline. `url` is where one is.
pub(crate) fn offline(source: &Source, url: &str, screen: &Screen) -> Option<Result<Exit, Failure>> {
    let answered = match source {
        Source::Providers(args) if args.markdown => screen.text(&markdown()),
        Source::Providers(_) if screen.is_json() => {
            let items: Vec<_> = Provider::ALL.iter().map(|it| described(*it)).collect();
            screen.document(&json!({"items": items}))
        }
        Source::Providers(_) => screen.table(&list()),
        Source::Add(args) => add(args, url, screen),
        Source::Test(_) => return None,
    };
    Some(answered.map(|()| Exit::Done))
}

/// What `GET /v1/sources/{id}/heard` lists.
#[derive(Debug, Deserialize)]
struct Heard {
    at: Time,
    method: String,
    headers: Vec<String>,
    bytes: usize,
    status: u16,
    why: Option<String>,
    events: Vec<Matched>,
}

#[derive(Debug, Deserialize)]
struct Matched {
    event: Event,
    triggers: Vec<String>,
    awaited_by: Vec<String>,
}

/// `source test`: waits for a delivery, and says what Meshline made of it.
pub(crate) async fn test(client: &Client, args: &Test, screen: &Screen) -> Result<Exit, Failure> {
    let path = |what: &'static str| ["v1", "sources", args.source.as_str(), what];
    let begun: Value = client.post(&path("listen"), &[], &json!({})).await?.read("the answer")?;
    let from = begun.get("from").and_then(Value::as_str).unwrap_or_default().to_owned();
    eprintln!("listening to `{}` for {} s: make it send something", args.source, args.wait);
    for _ in 0..=args.wait / EACH_S {
        let answer = client.get(&path("heard"), &[("from", Some(&from))]).await?;
        let heard: Listed = answer.read("what was heard")?;
        let Some(first) = heard.items.first() else {
            tokio::time::sleep(std::time::Duration::from_secs(EACH_S)).await;
            continue;
        };
        if screen.is_json() {
            screen.document(&answer.read("what was heard")?)?;
        } else {
            screen.text(&explained(first))?;
        }
        return Ok(if first.status < 300 { Exit::Done } else { Exit::Refused });
    }
    screen.text("nothing came: is the address right, and does the sender's own log say that it sends?\n")?;
    Ok(Exit::Refused)
}

/// How many seconds are between two looks.
const EACH_S: u64 = 1;

#[derive(Debug, Deserialize)]
struct Listed {
    items: Vec<Heard>,
}

fn explained(heard: &Heard) -> String {
    let Heard { at, method, headers, bytes, status, why, events } = heard;
    let judged = match status {
        401 => "not believed",
        422 => "believed, and not understood",
        _ => "believed",
    };
    let mut lines = vec![format!("{method} at {at}, {bytes} bytes: {judged}, answered {status}")];
    lines.extend(why.iter().map(|why| format!("  why: {why}")));
    if *status == 401 {
        lines.push(format!("  headers: {}", headers.join(", ")));
        lines
            .push("  the secret store, the sender's settings, and the clocks are what can differ".to_owned());
    }
    for Matched { event, triggers, awaited_by } in events {
        lines.push(format!("  event {} about {}, id {}", event.kind, event.subject, event.id));
        lines.extend(event.title.iter().map(|title| format!("    title {title}")));
        let flows = |flows: &[String]| if flows.is_empty() { "no flow".to_owned() } else { flows.join(", ") };
        lines.push(format!(
            "    triggers {}; an outcome of {} may wait for it",
            flows(triggers),
            flows(awaited_by)
        ));
    }
    lines.iter().map(|line| clean(line) + "\n").collect()
}

fn provider(text: &str) -> Result<Provider, String> {
    serde_json::from_value(json!(text))
        .map_err(|_| "there is no such provider; `meshline source providers` lists them".to_owned())
}

fn described(provider: Provider) -> serde_json::Value {
    let Facts { title, scheme, replay, retries, deduplication, subject, setup, lossy, quirks } =
        facts(provider);
    json!({
        "provider": word(&provider), "title": title, "scheme": scheme, "replay": replay, "retries": retries,
        "deduplication": deduplication, "subject": subject, "setup": setup, "lossy": lossy, "quirks": quirks,
    })
}

fn list() -> Table {
    let mut table = Table::new(&["PROVIDER", "NAME", "PROVED BY"]);
    for provider in Provider::ALL {
        let Facts { title, scheme, .. } = facts(provider);
        table.row(Tone::Plain, vec![word(&provider), (*title).to_owned(), (*scheme).to_owned()]);
    }
    table
}

fn add(args: &Add, url: &str, screen: &Screen) -> Result<(), Failure> {
    let id = args.id.clone().unwrap_or_else(|| word(&args.provider));
    let file = args.file.clone().unwrap_or_else(|| PathBuf::from(format!("{id}.yaml")));
    let shown = file.display();
    if file.exists() {
        return Err(Failure::Usage(format!("`{shown}` is there already: name another with --file")));
    }
    let cannot = |error: std::io::Error| Failure::Usage(format!("cannot write `{shown}`: {error}"));
    fs::write(&file, document(args.provider, &id)).map_err(cannot)?;
    let steps: String = facts(args.provider)
        .setup
        .iter()
        .enumerate()
        .map(|(n, step)| format!("  {}. {step}\n", n + 1))
        .collect();
    screen.text(&format!(
        "wrote {shown}\n\naddress: {url}/hooks/{id}\n\n{steps}\n\
         The secret store: at a stack on this machine a line `{id}: …` in the file of `meshline up --secrets`, on AWS\n  \
         aws secretsmanager create-secret --name meshline/{id} --secret-string …\nThen\n  \
         meshline plan {shown}      says what would change, or what is wrong and where\n  \
         meshline apply {shown}     puts it in force\n"
    ))
}

/// The source document, with what is to be known of the provider beside it.
fn document(provider: Provider, id: &str) -> String {
    let Facts { title, scheme, replay, retries, deduplication, subject, lossy, quirks, .. } = facts(provider);
    let notes = lossy.iter().map(|text| format!("# Lossy: {text}.\n"));
    let notes: String = notes.chain(quirks.iter().map(|text| format!("# {text}.\n"))).collect();
    let own = if provider == Provider::Generic {
        "verify: {scheme: hmac-sha256, header: x-signature, encoding: hex, prefix: \"sha256=\"}\n\
         subject: \"cms:${data.id}\"\ntype: \"${data.event}\"\n"
    } else {
        "# subject: \"cms:${data.id}\"    how the asset is found, where the default will not do\n"
    };
    format!(
        "# {title}: {scheme}.\n# Retries: {retries}. Replays: {replay}.\n{notes}kind: Source\nid: {id}\nprovider: {}\n\
         secrets: [{id}]               # names in the secret store; two while one is being replaced\n\
         # An event is told by {deduplication}; its asset is {subject}.\n{own}",
        word(&provider)
    )
}

/// docs/SOURCES.md.
fn markdown() -> String {
    let mut text = String::from(
        "# Sources\n\n\
         Made of the adapters themselves: `cargo run -p meshline -- source providers --markdown > docs/SOURCES.md`. A test compares the two.\n\n\
         What each rule was read in stands at the head of shared/sources/src/providers/`<provider>`.rs. `meshline source add PROVIDER` writes the document.\n\n\
         | `provider` | | proved by | an overheard delivery | sent again | told apart by | default subject |\n|---|---|---|---|---|---|---|\n",
    );
    for provider in Provider::ALL {
        let Facts { title, scheme, replay, retries, deduplication, subject, .. } = facts(provider);
        text += &format!(
            "| [`{0}`](#{0}) | {title} | {scheme} | {replay} | {retries} | {deduplication} | {subject} |\n",
            word(&provider)
        );
    }
    for provider in Provider::ALL {
        let Facts { title, setup, lossy, quirks, .. } = facts(provider);
        text += &format!(
            "\n## {}\n\n{title}. The address is `https://<Meshline>/hooks/<source>`.\n\n",
            word(&provider)
        );
        text.extend(setup.iter().enumerate().map(|(n, step)| format!("{}. {step}.\n", n + 1)));
        if let Some(lossy) = lossy {
            text += &format!("\n**Lossy:** {lossy}.\n");
        }
        if !quirks.is_empty() {
            text.push('\n');
            text.extend(quirks.iter().map(|quirk| format!("- {quirk}.\n")));
        }
    }
    text
}
