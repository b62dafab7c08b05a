//! A receiver: somebody else's system, to which Meshline sends, and which answers as it is told.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use tokio::task::JoinSet;

/// A system on a loopback port. It answers each call with the next of its answers, and 200 when there is none left.
pub struct Receiver {
    /// Its address, without a path.
    pub url: String,
    state: Arc<Mutex<Known>>,
    /// Stops listening when it is dropped.
    _server: JoinSet<()>,
}

#[derive(Default)]
struct Known {
    calls: Vec<Call>,
    answers: VecDeque<Answer>,
    /// Answers when none of those is left.
    otherwise: Option<Box<Respond>>,
    /// Each is held by a call that is not answered.
    hanging: Arc<()>,
}

/// How a system answers by what it is sent: with a status and a body.
type Respond = dyn Fn(&Call) -> (u16, String) + Send;

/// How it answers one call.
#[derive(Debug, Clone)]
pub enum Answer {
    /// With this status and body.
    With(u16, &'static str),
    /// With this status and a body that was made for it.
    Text(u16, String),
    /// With this status and header.
    Header(u16, &'static str, &'static str),
    /// Never.
    Hang,
}

/// What it was sent.
#[derive(Debug, Clone)]
pub struct Call {
    /// `POST`.
    pub method: String,
    /// Path and query.
    pub path: String,
    /// All of them.
    pub headers: HeaderMap,
    /// The body, byte for byte.
    pub raw: Vec<u8>,
    /// The body as JSON.
    pub body: Value,
}

impl Receiver {
    /// Starts to listen.
    pub async fn start(answers: impl IntoIterator<Item = Answer>) -> Self {
        Self::serve(Known { answers: answers.into_iter().collect(), ..Known::default() }).await
    }

    /// Starts to listen, and answers by what it is sent.
    pub async fn answering(respond: impl Fn(&Call) -> (u16, String) + Send + 'static) -> Self {
        Self::serve(Known { otherwise: Some(Box::new(respond)), ..Known::default() }).await
    }

    async fn serve(known: Known) -> Self {
        let state = Arc::new(Mutex::new(known));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let router = Router::new().fallback(take).with_state(Arc::clone(&state));
        let mut server = JoinSet::new();
        server.spawn(async move { axum::serve(listener, router).await.expect("it listens") });
        Self { url, state, _server: server }
    }

    /// What it was sent so far, in order.
    pub fn calls(&self) -> Vec<Call> {
        self.state.lock().expect("nobody panicked").calls.clone()
    }

    /// How many still wait for an answer that never comes.
    pub fn hanging(&self) -> usize {
        Arc::strong_count(&self.state.lock().expect("nobody panicked").hanging) - 1
    }
}

async fn take(
    State(state): State<Arc<Mutex<Known>>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    raw: Bytes,
) -> Response {
    let (answer, hanging) = {
        let mut known = state.lock().expect("nobody panicked");
        let body = serde_json::from_slice(&raw).unwrap_or_default();
        let (method, path) = (method.to_string(), uri.to_string());
        let call = Call { method, path, headers, raw: raw.to_vec(), body };
        let answer = known.answers.pop_front();
        let otherwise = known.otherwise.as_ref().filter(|_| answer.is_none()).map(|respond| respond(&call));
        known.calls.push(call);
        let answer = otherwise.map(|(code, body)| Answer::Text(code, body)).or(answer);
        let hanging = matches!(answer, Some(Answer::Hang)).then(|| Arc::clone(&known.hanging));
        (answer, hanging)
    };
    let status = |status: u16| StatusCode::from_u16(status).expect("a status");
    match answer {
        None => "ok".into_response(),
        Some(Answer::With(code, body)) => (status(code), body).into_response(),
        Some(Answer::Text(code, body)) => (status(code), body).into_response(),
        Some(Answer::Header(code, name, value)) => (status(code), [(name, value)], "").into_response(),
        Some(Answer::Hang) => {
            let _until_the_caller_hangs_up = hanging;
            std::future::pending().await
        }
    }
}
