//! Which issue of a tracker stands for the exceptions of one cause: an item of the state table for each.

use meshline_core::issue::Issue;

use crate::app::App;
use crate::error::StoreError;
use crate::execute::again;
use crate::watch::Watch;

/// Does `change` to the issue of that cause in that channel, and gives what it says once that is stored. An issue that
/// nothing is known about any more has no item.
///
/// # Errors
/// The table is not available.
pub async fn change<T>(
    app: &App,
    channel: &str,
    group: &str,
    change: impl Fn(&mut Issue) -> T,
) -> Result<T, StoreError> {
    let watch = Watch::Issue { channel: channel.to_owned(), group: group.to_owned() };
    let mut attempt = 0;
    loop {
        let seen = app.watches.load::<Issue>(&watch).await?;
        let before = seen.as_ref().map(|seen| seen.value.clone()).unwrap_or_default();
        let mut issue = before.clone();
        let said = change(&mut issue);
        if issue == before {
            return Ok(said);
        }
        let item = match &seen {
            Some(seen) if issue == Issue::default() => app.watches.delete(&watch, seen)?,
            Some(_) | None => app.watches.put(&watch, seen.as_ref(), &issue)?,
        };
        match app.watches.commit(vec![item]).await {
            Ok(()) => return Ok(said),
            Err(error) => again(error, &mut attempt).await?,
        }
    }
}
