//! Secrets Manager: reading a secret's value by its name is all of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{ACCOUNT, REGION};

/// The version of every secret: each has one.
const VERSION: &str = "00000000-0000-4000-8000-000000000001";

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GetSecretValue {
    secret_id: String,
}

/// Serves `secrets`, each under its name with `prefix` before it.
pub(super) fn router(prefix: &str, secrets: BTreeMap<String, String>) -> Router {
    let secrets: BTreeMap<String, String> =
        secrets.into_iter().map(|(name, value)| (format!("{prefix}{name}"), value)).collect();
    Router::new().route("/", post(serve)).with_state(Arc::new(secrets))
}

async fn serve(
    State(secrets): State<Arc<BTreeMap<String, String>>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let (status, answer) = answer(&secrets, &headers, &body);
    (status, [(header::CONTENT_TYPE, "application/x-amz-json-1.1")], answer.to_string()).into_response()
}

fn answer(secrets: &BTreeMap<String, String>, headers: &HeaderMap, body: &[u8]) -> (StatusCode, Value) {
    let refuse = |kind: &str, message: &str| {
        (StatusCode::BAD_REQUEST, json!({"__type": kind, "Message": message, "message": message}))
    };
    if headers.get("x-amz-target").is_none_or(|target| target != "secretsmanager.GetSecretValue") {
        return refuse("UnknownOperationException", "the local stack only reads secret values");
    }
    let Ok(GetSecretValue { secret_id }) = serde_json::from_slice(body) else {
        return refuse("InvalidRequestException", "SecretId is missing");
    };
    let arn = format!("arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:");
    let name = secret_id.strip_prefix(&arn).unwrap_or(&secret_id);
    match secrets.get(name) {
        Some(value) => {
            let found = json!({
                "ARN": format!("{arn}{name}"),
                "Name": name,
                "SecretString": value,
                "VersionId": VERSION,
                "VersionStages": ["AWSCURRENT"],
            });
            (StatusCode::OK, found)
        }
        None => refuse("ResourceNotFoundException", "Secrets Manager can't find the specified secret."),
    }
}
