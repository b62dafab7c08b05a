//! Aliases: what is said about another name of an asset is kept once more, about the asset. The stream brings that
//! event among the asset's own, in order, and nothing behind this module knows of aliases.

use meshline_aws::events::Put;
use meshline_aws::{App, StoreError};
use meshline_core::alias;
use meshline_core::config::Config;
use meshline_core::event::Event;

/// Passes an event on to the asset that its subject stands for; false when it stands for none.
pub(crate) async fn passed_on(app: &App, config: &Config, event: &Event) -> Result<bool, StoreError> {
    if !alias::may_be_alias(&config.sources, event) {
        return Ok(false);
    }
    let Some(asset) = app.aliases.asset(&event.subject, event.received_at).await? else { return Ok(false) };
    if asset == event.subject {
        return Ok(false);
    }
    match app.events.put(&alias::belonging_to(event, &asset)).await? {
        Put::New | Put::Duplicate => {
            tracing::info!(asset, "passed on to the asset of this name");
            Ok(true)
        }
        Put::TooLarge => {
            tracing::error!(asset, "an event is too large to be kept about the asset of its name");
            Ok(false)
        }
    }
}

/// Records the links that an event teaches. Events about the name that came later and were looked at earlier are
/// passed on now: of them and the link, whichever is kept last sees the other.
pub(crate) async fn learn(app: &App, config: &Config, event: &Event) -> Result<(), StoreError> {
    for link in alias::taught(&config.sources, event) {
        app.aliases.record(&link).await?;
        for later in app.events.of_subject(&link.name).await? {
            if later.received_at >= link.at {
                passed_on(app, config, &later).await?;
            }
        }
    }
    Ok(())
}
