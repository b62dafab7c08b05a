//! What can be looked at: `/v1/checkpoints…`.

use futures_util::{StreamExt, TryStreamExt};
use meshline_aws::http::{self, Problem, Request, Response};
use meshline_aws::vault::Vault;
use meshline_core::api::{CheckpointItem, Found, Page, Route};
use meshline_core::checkpoint::{Checkpoint, Envelope};
use meshline_core::day::Day;
use serde_json::json;

use crate::stored;

/// Envelopes of one list that are read at the same time.
const AT_ONCE: usize = 10;
/// What an answer of Lambda can hold, less what is around it.
const MAX_ANSWER_BYTES: usize = 5_500_000;

/// Answers `GET /v1/checkpoints…`.
pub async fn handle(vault: &impl Vault, request: Request) -> Response {
    answer(vault, &request).await.unwrap_or_else(Problem::response)
}

async fn answer(vault: &impl Vault, request: &Request) -> Result<Response, Problem> {
    http::vouched_for(request)?;
    let segments = http::segments(request);
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    let method = request.request_context.http.method.as_str();
    match Route::find(method, &segments) {
        Found::Route(Route::Checkpoints, _) => list(vault, request).await,
        Found::Route(Route::CheckpointKey, _) => Ok(http::json(200, &json!(vault.public_key().await?))),
        Found::Route(Route::Checkpoint, [day, _]) => one(vault, day).await,
        Found::OtherMethod(methods) => {
            Err(Problem::other_method(&methods, "checkpoints are made by the schedule"))
        }
        Found::Route(..) | Found::Nothing => {
            Err(Problem::not_found("checkpoints are under /v1/checkpoints/2026-11-23, their key under …/key"))
        }
    }
}

/// `GET /v1/checkpoints?since=&until=`: without heads, the first day first.
async fn list(vault: &impl Vault, request: &Request) -> Result<Response, Problem> {
    let day = |name: &str| {
        let day = http::query(request, name).map(|text| text.parse::<Day>());
        day.transpose().map_err(|error| Problem::bad_request(format!("`{name}`: {error}")))
    };
    let (since, until, start) = (day("since")?, day("until")?, day("cursor")?);
    let limit = http::limit(request)?;
    let mut days = vault.days().await?;
    days.retain(|day| {
        since.is_none_or(|since| since <= *day)
            && until.is_none_or(|until| *day <= until)
            && start.is_none_or(|start| start <= *day)
    });
    let cursor = days.get(limit).copied();
    days.truncate(limit);
    let envelopes = futures_util::stream::iter(days).map(|day| stored(vault, day)).buffered(AT_ONCE);
    let items: Vec<CheckpointItem> = envelopes
        .map_ok(|envelope| {
            let (Envelope { checkpoint, key, signature }, hash) = (&envelope, envelope.checkpoint.hash());
            let Checkpoint { day, records, root, .. } = checkpoint.clone();
            CheckpointItem { day, records, root, hash, signature: signature.clone(), key: key.clone() }
        })
        .try_collect()
        .await?;
    Ok(http::json(200, &json!(Page { items, cursor: cursor.map(|day| day.to_string()) })))
}

/// `GET /v1/checkpoints/{day}`: the envelope, byte for byte as it is stored.
async fn one(vault: &impl Vault, day: &str) -> Result<Response, Problem> {
    let day: Day = day.parse().map_err(|error| Problem::not_found(format!("{error}")))?;
    let text = vault.read(day).await?;
    let text = text.ok_or_else(|| Problem::not_found(format!("{day} has no checkpoint")))?;
    if text.len() > MAX_ANSWER_BYTES {
        let detail = format!("it has {} bytes; read it from the bucket", text.len());
        return Err(Problem::new(422, "too-large", "the checkpoint is larger than an answer can be", detail));
    }
    Ok(http::text(200, "application/json", text))
}
