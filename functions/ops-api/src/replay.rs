//! Replaying a window: stored events are routed once more.

use meshline_aws::events::{Position, Window};
use meshline_aws::http::{self, Problem, Response};
use meshline_core::api::{ReplayFields, Replayed};
use serde_json::json;

use crate::Call;
use crate::queries::time_or_day;

/// Events that one call replays, where the caller does not say.
const DEFAULT_LIMIT: usize = 200;
/// Events that one call replays at most: they are written one after the other, in the order they came.
const MAX_LIMIT: usize = 500;

impl Call<'_> {
    /// `POST /v1/replay`: the events of a source that came in from `from` to `to` go through `route` again. What they
    /// have done already is not done twice.
    pub(crate) async fn replay(&self) -> Result<Response, Problem> {
        let body = http::body(self.request).map_err(|_| Problem::bad_request("the body is not base64"))?;
        let fields: ReplayFields = serde_json::from_slice(&body)
            .map_err(|error| Problem::bad_request(format!("the body: {error}")))?;
        let config = self.app.config.fresh().await?.config;
        if !config.sources.contains_key(&fields.source) {
            return Err(invalid("source", format!("there is no source `{}`", fields.source)));
        }
        let time = |field, text: &str| time_or_day(text).map_err(|error| invalid(field, error.to_string()));
        let (from, to) = (time("from", &fields.from)?, time("to", &fields.to)?);
        if to < from {
            return Err(invalid("to", format!("{to} is before {from}")));
        }
        let window = Window { source: &fields.source, from, to };
        let limit = match fields.limit.map(usize::try_from) {
            None => DEFAULT_LIMIT,
            Some(Ok(n @ 1..=MAX_LIMIT)) => n,
            Some(_) => return Err(invalid("limit", format!("write a number from 1 to {MAX_LIMIT}"))),
        };
        let after = fields.cursor.map(|cursor| cursor.parse::<Position>()).transpose();
        let after = after.ok().filter(|after| after.as_ref().is_none_or(|after| window.holds(after)));
        let after = after.ok_or_else(|| invalid("cursor", "it is none of this window".to_owned()))?;

        let found = self.app.events.in_window(window, after.as_ref(), limit, self.now).await?;
        let mut replayed = 0;
        for position in &found {
            if fields.dry_run || self.app.events.replay(position, self.now).await? {
                replayed += 1;
            }
        }
        let cursor = found.last().filter(|_| found.len() == limit).map(ToString::to_string);
        if !fields.dry_run {
            let actor = self.actor(&config.people()).id;
            tracing::info!(source = fields.source, %from, %to, replayed, actor, "events are replayed");
        }
        Ok(http::json(200, &json!(Replayed { replayed, cursor })))
    }
}

/// A field of a request that cannot be used.
pub(crate) fn invalid(field: &'static str, detail: String) -> Problem {
    let title = "a field is missing or wrong";
    Problem::new(422, "invalid", title, format!("`{field}`: {detail}")).with(json!({"field": field}))
}
