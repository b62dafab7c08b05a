//! `schema`: what editors complete and check configuration by, and what describes the HTTP API to programs.

use meshline_core::api;
use meshline_core::config::schema;

use crate::failure::{Exit, Failure};
use crate::screen::Screen;

/// What a schema is of.
#[derive(Debug, Clone, Copy, Default, clap::ValueEnum)]
pub(crate) enum Of {
    /// The documents of the configuration: JSON Schema
    #[default]
    Config,
    /// The HTTP API: OpenAPI 3.1
    Openapi,
}

/// Prints the schema.
pub(crate) fn run(screen: &Screen, of: Of) -> Result<Exit, Failure> {
    screen.document(&match of {
        Of::Config => schema::documents(),
        Of::Openapi => api::document(),
    })?;
    Ok(Exit::Done)
}
