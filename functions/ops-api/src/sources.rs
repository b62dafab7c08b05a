//! Sources: somebody listens to one while it is set up, and sees how its deliveries are judged.

use meshline_aws::http::{self, Problem, Response};
use meshline_aws::listening::Heard;
use meshline_core::api::{HeardDelivery, HeardEvent, Listening, Page};
use meshline_core::event::Event;
use meshline_core::time::Time;
use serde_json::json;

use crate::Call;

impl Call<'_> {
    /// `POST /v1/sources/{id}/listen`: its deliveries are kept for a while.
    pub(crate) async fn listen(&self, source: &str) -> Result<Response, Problem> {
        self.known_source(source).await?;
        let until = self.app.listening.begin(source, self.now).await?;
        Ok(http::json(200, &json!(Listening { source: source.to_owned(), from: self.now, until })))
    }

    /// `GET /v1/sources/{id}/heard?from=`: what came since, and what the flows would make of it.
    pub(crate) async fn heard(&self, source: &str) -> Result<Response, Problem> {
        self.known_source(source).await?;
        let from = self.time("from")?.unwrap_or(Time::from_unix_ms(0));
        let heard = self.app.listening.heard(source, from).await?;
        let router = self.app.config.fresh().await?.router;
        let matching = |event: Event| HeardEvent {
            triggers: router.triggered(&event).unwrap_or_default(),
            awaited_by: router.awaiting(&event).unwrap_or_default(),
            event,
        };
        let shown = |heard: Heard| {
            let Heard { at, method, headers, bytes, status, why, events } = heard;
            let events = events.into_iter().map(matching).collect();
            HeardDelivery { at, method, headers, bytes, status, why, events }
        };
        Ok(http::json(200, &json!(Page::whole(heard.into_iter().map(shown).collect()))))
    }

    async fn known_source(&self, source: &str) -> Result<(), Problem> {
        let config = self.app.config.fresh().await?.config;
        let is_known = config.sources.contains_key(source);
        is_known.then_some(()).ok_or_else(|| Problem::not_found(format!("there is no source `{source}`")))
    }
}
