//! `schema`: what editors complete and check configuration by.

use meshline_core::config::schema;

use crate::failure::{Exit, Failure};
use crate::screen::Screen;

/// Prints the JSON Schema of the configuration's documents.
pub(crate) fn run(screen: &Screen) -> Result<Exit, Failure> {
    screen.document(&schema::documents())?;
    Ok(Exit::Done)
}
