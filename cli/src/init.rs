//! `init`: a folder to begin with.

use std::fs;
use std::path::PathBuf;

use clap::Args;
use meshline_core::config::schema;

use crate::failure::{Exit, Failure};
use crate::screen::Screen;

/// The files of the pilot of one flow, by name. The people are those of the examples, so that it also plans clean on a
/// local stack that has these.
const STARTER: [(&str, &str); 3] = [
    ("directory.yaml", include_str!("../../infra/examples/directory.yaml")),
    ("sources.yaml", include_str!("../../infra/starter/sources.yaml")),
    ("pilot.yaml", include_str!("../../infra/starter/pilot.yaml")),
];

/// What editors complete and check the files by.
const SCHEMA: &str = "meshline.schema.json";

/// Arguments of `init`.
#[derive(Debug, Args)]
pub(crate) struct Init {
    /// The folder; it is made where there is none, and no file in it is replaced
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

/// Writes the files, or none of them.
pub(crate) fn run(args: &Init, screen: &Screen) -> Result<Exit, Failure> {
    let folder = args.folder.display();
    if let Some((name, _)) = STARTER.iter().find(|(name, _)| args.folder.join(name).exists()) {
        return Err(Failure::Usage(format!("`{folder}` has a `{name}` already: name another folder")));
    }
    let cannot = |error: std::io::Error| Failure::Usage(format!("cannot write to `{folder}`: {error}"));
    fs::create_dir_all(&args.folder).map_err(cannot)?;
    for (name, text) in STARTER {
        let text = text.replace("$schema=../schemas/config.json", &format!("$schema={SCHEMA}"));
        fs::write(args.folder.join(name), text).map_err(cannot)?;
    }
    // It holds nothing of the user's: the one of this version may replace it.
    fs::write(args.folder.join(SCHEMA), format!("{:#}\n", schema::documents())).map_err(cannot)?;
    let names: Vec<&str> = STARTER.iter().map(|(name, _)| *name).collect();
    screen.text(&format!(
        "wrote {} and {SCHEMA}, by which editors complete and check them, to {folder}\n\
         put your people, systems and promise into them, then\n  \
         meshline plan {folder}     says what would change, or what is wrong and where\n  \
         meshline apply {folder}    puts it in force",
        names.join(", ")
    ))?;
    Ok(Exit::Done)
}
