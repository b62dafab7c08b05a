//! `meshline up`: the local stack.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use meshline_core::time::Time;

/// Arguments of `up`.
#[derive(Debug, Args)]
pub(crate) struct UpArgs {
    /// Port to listen on; 0 takes a free one
    #[arg(long, default_value_t = 8080)]
    pub(crate) port: u16,
    /// Folder of configuration to apply at the start [default: the example flows]
    #[arg(long, value_name = "DIR")]
    pub(crate) config: Option<PathBuf>,
    /// YAML file of secrets, `name: value`
    #[arg(long, value_name = "FILE")]
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
    /// Play a publish, its outcomes, a breach and its recovery, narrated
    #[arg(long)]
    pub(crate) demo: bool,
}

/// Runs the local stack until it is stopped.
pub(crate) async fn run(args: UpArgs) -> anyhow::Result<ExitCode> {
    let _ = args;
    std::future::ready(()).await;
    anyhow::bail!("not wired yet")
}
