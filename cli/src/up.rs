//! `meshline up`: the local stack.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, bail};
use clap::Args;
use meshline_core::config::{File, yaml};
use meshline_core::time::Time;
use meshline_local::{Options, Stack, gateway};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::demo;
use crate::refusal::Refusal;
use crate::screen::say;

/// Arguments of `up`.
#[derive(Debug, Args)]
pub(crate) struct UpArgs {
    /// Port to listen on; 0 takes a free one
    #[arg(long, default_value_t = 8080)]
    pub(crate) port: u16,
    /// Folder of configuration to apply at the start [default: the example flows]
    #[arg(long, value_name = "DIR", conflicts_with = "demo")]
    pub(crate) config: Option<PathBuf>,
    /// YAML file of secrets, `name: value` [default: those of the example flows]
    #[arg(long, value_name = "FILE", conflicts_with = "demo")]
    pub(crate) secrets: Option<PathBuf>,
    /// Folder to keep everything in [default: in memory]
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// Time to start at; it ticks on from there
    #[arg(long, value_name = "RFC3339")]
    pub(crate) clock: Option<Time>,
    /// Let time move only by `POST /_local/clock`
    #[arg(long)]
    pub(crate) clock_frozen: bool,
    /// Play a publish, its outcomes, a breach and its recovery, narrated; then stay up
    #[arg(long)]
    pub(crate) demo: bool,
}

/// The example flows, which need no folder.
const EXAMPLES: [(&str, &str); 4] = [
    ("directory.yaml", include_str!("../../infra/examples/directory.yaml")),
    ("sources.yaml", include_str!("../../infra/examples/sources.yaml")),
    ("blog-launch.yaml", include_str!("../../infra/examples/blog-launch.yaml")),
    ("lead-form.yaml", include_str!("../../infra/examples/lead-form.yaml")),
];

/// The secrets of the example sources. They guard nothing but a stack on this machine.
pub(crate) const EXAMPLE_SECRETS: [(&str, &str); 4] = [
    ("contentful-current", "local-contentful-secret-local-contentful-secret-local-contentful"),
    ("hubspot-current", "local-hubspot-client-secret"),
    ("forms-token", "local-forms-token"),
    ("crm-automation", "whsec_bG9jYWwtY3JtLWF1dG9tYXRpb24="),
];

/// Runs the local stack until it is stopped.
pub(crate) async fn run(args: UpArgs) -> anyhow::Result<ExitCode> {
    meshline_local::log_to_stderr();
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, args.port));
    let listener = TcpListener::bind(address).await.with_context(|| {
        format!("cannot listen on {address}: is another stack up? `--port 0` takes a free port")
    })?;
    let url = format!("http://{}", listener.local_addr()?);
    let files = match &args.config {
        Some(folder) => crate::configuration::files(folder)?,
        None => EXAMPLES.map(|(name, text)| File { name: name.to_owned(), text: text.to_owned() }).to_vec(),
    };
    let secrets = match &args.secrets {
        Some(file) => secrets(file)?,
        None => EXAMPLE_SECRETS.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
    };
    if let Some(folder) = &args.data {
        std::fs::create_dir_all(folder)
            .with_context(|| format!("cannot make the folder `{}`", folder.display()))?;
    }
    let stack = Stack::start(Options {
        public_url: url.clone(),
        data: args.data,
        clock: args.clock,
        clock_frozen: args.clock_frozen,
        secrets,
        due_shards: None,
        provider: None,
    })
    .await?;
    let router = gateway::router(Arc::clone(&stack));
    let serve = async { axum::serve(listener, router).await.context("the HTTP server stopped") };
    let story = async {
        apply(&stack, &files).await?;
        greet(&stack, &url, args.config.is_none() && args.secrets.is_none());
        if args.demo {
            demo::play(&stack, &url).await?;
        }
        std::future::pending::<anyhow::Result<()>>().await
    };
    tokio::select! {
        stopped = serve => stopped?,
        () = stack.run() => {}
        failed = story => failed?,
        _ = tokio::signal::ctrl_c() => say("\nstopped"),
    }
    Ok(ExitCode::SUCCESS)
}

/// One call to the stack's own API, without a socket.
pub(crate) async fn call(
    stack: &Stack,
    method: &str,
    path: &str,
    headers: &[(String, String)],
    body: Vec<u8>,
) -> anyhow::Result<(u16, Value)> {
    let mut request = http::Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(name, value);
    }
    let response = gateway::call(stack, request.body(body.into())?).await;
    let status = response.status().as_u16();
    let body = axum::body::to_bytes(response.into_body(), usize::MAX).await?;
    Ok((status, serde_json::from_slice(&body).unwrap_or_default()))
}

async fn apply(stack: &Stack, files: &[File]) -> anyhow::Result<()> {
    let json_type = [("content-type".to_owned(), "application/json".to_owned())];
    let body = json!({"files": files}).to_string().into_bytes();
    let (status, answer) = call(stack, "PUT", "/v1/config", &json_type, body).await?;
    if status != 200 {
        bail!("the configuration was not applied\n{}", Refusal::new(status, &answer.to_string()));
    }
    Ok(())
}

/// Reads `name: value` pairs.
fn secrets(file: &Path) -> anyhow::Result<BTreeMap<String, String>> {
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read `{}`", file.display()))?;
    let documents = yaml::read(&text).map_err(|e| anyhow::anyhow!("{}:{}: {e}", file.display(), e.line))?;
    let mut secrets = BTreeMap::new();
    for (name, value) in documents.iter().filter_map(|d| d.value.as_object()).flatten() {
        let Some(value) = value.as_str() else {
            bail!("{}: the value of `{name}` is no text: put it in quotes", file.display());
        };
        secrets.insert(name.clone(), value.to_owned());
    }
    Ok(secrets)
}

fn greet(stack: &Stack, url: &str, examples: bool) {
    let emulators = &stack.emulators;
    say(&format!("meshline is up at {url}"));
    say(&format!("  console         {url}/   in a browser"));
    say(&format!(
        "  DynamoDB        {}   tables meshline-events, meshline-state, meshline-audit",
        emulators.dynamodb_url
    ));
    say(&format!(
        "  SQS             {}   queues escalations, exceptions, requests, ticks, ingest-spill",
        emulators.sqs_url
    ));
    say(&format!("  EventBridge     {}   bus meshline", emulators.events_url));
    say(&format!("  Secrets Manager {}   secrets meshline/…", emulators.secrets_url));
    say(&format!(
        "  clock           {}{}",
        stack.clock.now(),
        if stack.clock.is_frozen() { ", frozen" } else { "" }
    ));
    if examples {
        say("try:");
        say(&format!(
            "  curl -X POST {url}/hooks/forms -H 'x-forms-token: local-forms-token' -H 'content-type: application/json' -d '{{\"event\":\"form.submitted\",\"delivery\":\"d1\",\"asset\":\"form:7\",\"title\":\"Demo request\"}}'"
        ));
        say(&format!("  curl {url}/v1/runs"));
        say(&format!(
            "  curl -X POST {url}/_local/clock -d '{{\"advance\":\"4h\"}}' && curl {url}/_local/queues/escalations"
        ));
    }
}
