//! `completions` and `man`: what a shell and a reader are told of the tool, made from its arguments.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use clap_complete::Shell;

use crate::failure::{Exit, Failure};
use crate::screen::Screen;

/// Arguments of `completions`.
#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// The shell that reads the script
    shell: Shell,
}

/// Arguments of `man`.
#[derive(Debug, Args)]
pub(crate) struct Man {
    /// Write a page for each command into this folder instead; it is made where there is none
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

/// Prints the script that completes the tool's commands and options in a shell.
pub(crate) fn completions(args: &Completions, screen: &Screen) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut crate::arguments(), "meshline", &mut script);
    screen.text(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Done)
}

/// Prints the manual page, or writes one for each command.
pub(crate) fn man(args: &Man, screen: &Screen) -> Result<Exit, Failure> {
    if let Some(folder) = &args.dir {
        write(folder)
            .map_err(|error| Failure::Usage(format!("cannot write to `{}`: {error}", folder.display())))?;
        return Ok(Exit::Done);
    }
    let mut page = Vec::new();
    clap_mangen::Man::new(crate::arguments()).render(&mut page)?;
    screen.text(&String::from_utf8_lossy(&page))?;
    Ok(Exit::Done)
}

fn write(folder: &Path) -> std::io::Result<()> {
    fs::create_dir_all(folder)?;
    clap_mangen::generate_to(crate::arguments(), folder)
}
