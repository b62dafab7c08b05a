//! An OpenID provider: lets people sign in, and lies or fails as it is told.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use axum::extract::{Query, Request, State};
use axum::http::header::{AUTHORIZATION, LOCATION};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Form, Json, Router};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use meshline_core::time::Time;
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::task::JoinSet;

/// What the console is called here.
pub const CLIENT_ID: &str = "console";
/// And how it proves that; the colon and the percent sign must come through.
pub const CLIENT_SECRET: &str = "s3cret:of the 100% console";
/// The longest that a sign-in may take here.
const TOKEN_LASTS_S: i64 = 300;

/// A provider on a loopback port. Whoever comes is signed in as the one person it knows.
pub struct Provider {
    /// Its issuer.
    pub url: String,
    known: Arc<Mutex<Known>>,
    /// Stops listening when it is dropped.
    _server: JoinSet<()>,
}

struct Known {
    url: String,
    now: Time,
    /// Members of ID tokens that are not as they should be; `null` leaves one out.
    claims: Value,
    /// The same of its description.
    description: Value,
    failing: BTreeMap<String, Failure>,
    grants: BTreeMap<String, Authorize>,
}

/// How it fails at an address.
#[derive(Debug, Clone, Copy)]
pub enum Failure {
    /// It never answers.
    Hang,
    /// It answers this, and a page.
    Status(u16),
}

/// Why it does not let somebody in at once.
pub const DENIED: &str = "access_denied";

#[derive(Debug, Clone, Deserialize)]
struct Authorize {
    response_type: String,
    client_id: String,
    redirect_uri: String,
    scope: String,
    state: String,
    nonce: String,
    code_challenge: String,
    code_challenge_method: String,
}

#[derive(Debug, Deserialize)]
struct Redeem {
    grant_type: String,
    code: String,
    redirect_uri: String,
    code_verifier: String,
    client_id: Option<String>,
    client_secret: Option<String>,
}

type Shared = State<Arc<Mutex<Known>>>;

impl Provider {
    /// Starts to listen. Its clock stands at `now`, and it knows the person of this e-mail address.
    pub async fn start(now: Time, email: &str) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let known = Arc::new(Mutex::new(Known {
            url: url.clone(),
            now,
            claims: json!({"email": email, "email_verified": true}),
            description: json!({}),
            failing: BTreeMap::new(),
            grants: BTreeMap::new(),
        }));
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(describe))
            .route("/authorize", get(authorize))
            .route("/token", post(redeem))
            .layer(middleware::from_fn_with_state(Arc::clone(&known), fail))
            .with_state(Arc::clone(&known));
        let mut server = JoinSet::new();
        server.spawn(async move { axum::serve(listener, router).await.expect("it listens") });
        Self { url, known, _server: server }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().expect("nobody panicked")
    }

    /// From now on its ID tokens say this too.
    pub fn claims(&self, members: Value) {
        merge(&mut self.known().claims, members);
    }

    /// From now on it describes itself so.
    pub fn describes(&self, members: Value) {
        merge(&mut self.known().description, members);
    }

    /// From now on it fails at this path.
    pub fn fails(&self, path: &str, failure: Failure) {
        self.known().failing.insert(path.to_owned(), failure);
    }
}

fn merge(into: &mut Value, members: Value) {
    let (Value::Object(into), Value::Object(members)) = (into, members) else {
        panic!("members of an object")
    };
    into.extend(members);
}

async fn fail(State(known): Shared, request: Request, next: Next) -> Response {
    let failure = known.lock().expect("nobody panicked").failing.get(request.uri().path()).copied();
    match failure {
        None => next.run(request).await,
        Some(Failure::Hang) => std::future::pending().await,
        Some(Failure::Status(code)) => {
            (StatusCode::from_u16(code).expect("a status"), "<h1>Down</h1>").into_response()
        }
    }
}

async fn describe(State(known): Shared) -> Json<Value> {
    let known = known.lock().expect("nobody panicked");
    let url = &known.url;
    let mut description = json!({
        "issuer": url, "authorization_endpoint": format!("{url}/authorize"), "token_endpoint": format!("{url}/token"),
        "response_types_supported": ["code"], "subject_types_supported": ["public"],
        "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
    });
    merge(&mut description, known.description.clone());
    Json(without_nulls(description))
}

/// RFC 6749, section 4.1.1. The person has one button.
async fn authorize(State(known): Shared, Query(asked): Query<Authorize>) -> Response {
    let Authorize { response_type, client_id, scope, code_challenge_method, .. } = &asked;
    let is_right = response_type == "code" && client_id == CLIENT_ID && code_challenge_method == "S256";
    if !is_right || !scope.split(' ').any(|scope| scope == "openid") {
        return (StatusCode::BAD_REQUEST, format!("not a request of ours: {asked:?}")).into_response();
    }
    let mut known = known.lock().expect("nobody panicked");
    let back = if known.claims["email"] == DENIED {
        format!("{}?error={DENIED}&state={}", asked.redirect_uri, asked.state)
    } else {
        let code = format!("code-{}", known.grants.len());
        known.grants.insert(code.clone(), asked.clone());
        format!("{}?code={code}&state={}", asked.redirect_uri, asked.state)
    };
    (StatusCode::FOUND, [(LOCATION, back)]).into_response()
}

/// RFC 6749, section 4.1.3, with RFC 7636. A code is good once.
async fn redeem(State(known): Shared, headers: HeaderMap, Form(asked): Form<Redeem>) -> Response {
    let mut known = known.lock().expect("nobody panicked");
    let refused = |status: StatusCode, error: &str| (status, Json(json!({"error": error}))).into_response();
    if !is_client(&known, &headers, &asked) {
        return refused(StatusCode::UNAUTHORIZED, "invalid_client");
    }
    let Some(grant) = known.grants.get(&asked.code).cloned() else {
        return refused(StatusCode::BAD_REQUEST, "invalid_grant");
    };
    known
        .grants
        .insert(asked.code.clone(), Authorize { code_challenge: "spent".to_owned(), ..grant.clone() });
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(&asked.code_verifier));
    let is_same = grant.redirect_uri == asked.redirect_uri && grant.code_challenge == challenge;
    if asked.grant_type != "authorization_code" || !is_same {
        return refused(StatusCode::BAD_REQUEST, "invalid_grant");
    }
    let seconds = known.now.unix_ms() / 1_000;
    let mut claims = json!({
        "iss": known.url, "aud": CLIENT_ID, "sub": "7", "nonce": grant.nonce,
        "iat": seconds, "exp": seconds + TOKEN_LASTS_S,
    });
    merge(&mut claims, known.claims.clone());
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let token = format!("{}.{}.c2lnbmVk", part(&json!({"alg": "RS256"})), part(&without_nulls(claims)));
    Json(json!({"access_token": "none of ours", "token_type": "Bearer", "id_token": token})).into_response()
}

/// By the first of the ways that its description has.
fn is_client(known: &Known, headers: &HeaderMap, asked: &Redeem) -> bool {
    let takes_post_only =
        known.description["token_endpoint_auth_methods_supported"] == json!(["client_secret_post"]);
    let is_posted = asked.client_id.as_deref() == Some(CLIENT_ID)
        && asked.client_secret.as_deref() == Some(CLIENT_SECRET);
    // RFC 6749, section 2.3.1: each half is form-encoded.
    let pair = STANDARD.encode(format!("{CLIENT_ID}:s3cret%3Aof%20the%20100%25%20console"));
    let is_basic = headers.get(AUTHORIZATION).is_some_and(|value| value == &format!("Basic {pair}"));
    if takes_post_only { is_posted && !is_basic } else { is_basic && asked.client_secret.is_none() }
}

fn without_nulls(mut value: Value) -> Value {
    value.as_object_mut().expect("an object").retain(|_, member| !member.is_null());
    value
}
