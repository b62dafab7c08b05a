//! Turns of rotating roles: shown ahead, and accepted.

use meshline_aws::http::{self, Problem, Response};
use meshline_aws::rotation;
use meshline_core::api::Page;
use meshline_core::config::directory::Directory;
use serde_json::json;

use crate::Call;

/// Turns ahead that are shown when nothing else is asked for.
const TURNS: u32 = 4;
/// Turns ahead that can be asked for: a year of weeks.
const MAX_TURNS: u32 = 53;

impl Call<'_> {
    /// `GET /v1/rotations?turns=`
    pub(crate) async fn rotations(&self) -> Result<Response, Problem> {
        let turns = match self.query("turns") {
            None => TURNS,
            Some(text) => text.parse().ok().filter(|turns| *turns <= MAX_TURNS).ok_or_else(|| {
                Problem::bad_request(format!("`turns` is not a whole number up to {MAX_TURNS}"))
            })?,
        };
        let config = self.app.config.fresh().await?.config;
        Ok(http::json(200, &json!(Page::whole(config.rotations(turns, self.now)))))
    }

    /// `POST /v1/rotations/{role}/accept`: the turn that is accepted.
    pub(crate) async fn accept(&self, role: &str) -> Result<Response, Problem> {
        let actor = |people: &Directory| self.actor(people);
        match rotation::accept(self.app, role, actor, self.now).await {
            Ok(accepted) => Ok(http::json(200, &json!(accepted))),
            Err(error) => Err(self.not_executed(role, error).await?),
        }
    }
}
