//! `flows`: which flows are in force, and one of them as it was applied.

use clap::Args;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::client::{Client, Pages};
use crate::failure::{Exit, Failure};
use crate::screen::Screen;
use crate::show::{Table, Tone};

/// Arguments of `flows`.
#[derive(Debug, Args)]
pub(crate) struct Flows {
    /// Print this flow, as JSON: `apply` takes it, since JSON is YAML
    flow: Option<String>,
    /// In this version [default: the one in force]
    #[arg(long, value_name = "N", requires = "flow")]
    version: Option<u64>,
}

/// A flow in the list.
#[derive(Debug, Deserialize)]
struct Listed {
    id: String,
    title: String,
    version: u64,
    owner: String,
    backup_owner: String,
    outcomes: Vec<String>,
}

/// Lists flows, or prints one.
pub(crate) async fn run(client: &Client, args: &Flows, screen: &Screen) -> Result<Exit, Failure> {
    let Some(flow) = &args.flow else { return list(client, screen).await };
    let version = args.version.map(|version| version.to_string());
    let answer = client.get(&["v1", "flows", flow], &[("version", version.as_deref())]).await?;
    let mut found: Value = answer.read("the flow")?;
    if screen.is_json() {
        screen.document(&found)?;
        return Ok(Exit::Done);
    }
    let mut definition = found.get_mut("definition").map(Value::take).unwrap_or_default();
    if let Some(members) = definition.as_object_mut() {
        members.insert("kind".to_owned(), json!("Flow"));
    }
    screen.document(&definition)?;
    Ok(Exit::Done)
}

async fn list(client: &Client, screen: &Screen) -> Result<Exit, Failure> {
    let listed = client.list(&["v1", "flows"], &[], Pages::All).await?;
    if screen.is_json() {
        screen.document(&listed.page)?;
        return Ok(Exit::Done);
    }
    let flows: Vec<Listed> = listed.items("a flow")?;
    if flows.is_empty() {
        screen.text("no flow is in force: `meshline apply DIR` puts one there")?;
        return Ok(Exit::Done);
    }
    let mut table = Table::new(&["FLOW", "VERSION", "TITLE", "OWNER", "BACKUP", "OUTCOMES"]);
    for it in flows {
        let outcomes = it.outcomes.join(", ");
        let version = it.version.to_string();
        table.row(Tone::Plain, vec![it.id, version, it.title, it.owner, it.backup_owner, outcomes]);
    }
    screen.table(&table)?;
    Ok(Exit::Done)
}
