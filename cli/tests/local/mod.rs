//! A local stack with the example flows, served to the tool over HTTP.

use std::path::PathBuf;
use std::process::Output;
use std::sync::Arc;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use meshline_local::{Options, Stack, gateway};
use serde_json::{Value, json};

use crate::tool::meshline;

const EXAMPLES: [&str; 4] = [
    include_str!("../../../infra/examples/directory.yaml"),
    include_str!("../../../infra/examples/sources.yaml"),
    include_str!("../../../infra/examples/blog-launch.yaml"),
    include_str!("../../../infra/examples/lead-form.yaml"),
];

/// A served stack whose clock stands still, and a folder of its own, which is removed at the end.
pub(crate) struct Local {
    pub(crate) stack: Arc<Stack>,
    pub(crate) url: String,
    folder: PathBuf,
}

impl Drop for Local {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

impl Local {
    pub(crate) async fn start(name: &str, clock: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("meshline-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let stack = Stack::start(Options {
            public_url: url.clone(),
            data: None,
            clock: Some(clock.parse().unwrap()),
            clock_frozen: true,
            secrets: [("forms-token".to_owned(), "forms-token".to_owned())].into(),
            due_shards: None,
            provider: None,
        });
        let stack = stack.await.unwrap();
        #[expect(
            clippy::disallowed_methods,
            reason = "the server must answer while the test waits for the tool"
        )]
        tokio::spawn(axum::serve(listener, gateway::router(Arc::clone(&stack))).into_future());
        let local = Self { stack, url, folder };
        let files: Vec<Value> =
            EXAMPLES.iter().map(|text| json!({"name": "example.yaml", "text": text})).collect();
        local.call("PUT", "/v1/config", &json!({"files": files})).await;
        local
    }

    /// A call of the API, which must succeed.
    pub(crate) async fn call(&self, method: &str, path: &str, body: &Value) -> Value {
        let (status, answer) = self.send(method, path, body).await;
        assert!(status.is_success(), "{method} {path}: {answer}");
        answer
    }

    /// A call of the API, and what it answers.
    pub(crate) async fn send(&self, method: &str, path: &str, body: &Value) -> (StatusCode, Value) {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("content-type", "application/json")
            .header("x-forms-token", "forms-token")
            .body(Body::from(body.to_string()))
            .unwrap();
        let response = gateway::call(&self.stack, request).await;
        let status = response.status();
        let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
        (status, serde_json::from_slice(&body).unwrap())
    }

    /// A form is filled in, which opens a run of `lead-form`: its id.
    pub(crate) async fn submit(&self, form: &str) -> String {
        let body =
            json!({"event": "form.submitted", "delivery": form, "asset": form, "title": "Demo request"});
        self.call("POST", "/hooks/forms", &body).await;
        self.stack.settle().await.unwrap();
        let runs = self.call("GET", "/v1/runs?flow=lead-form", &Value::Null).await;
        runs.pointer("/items/0/run").unwrap().as_str().unwrap().to_owned()
    }

    pub(crate) async fn until(&self, time: &str) {
        self.stack.advance_to(time.parse().unwrap()).await.unwrap();
    }

    /// The tool, told that the stack is here.
    pub(crate) fn meshline(&self, args: &[&str]) -> Output {
        meshline(&self.url, args)
    }

    /// The path of a file in the folder.
    pub(crate) fn file(&self, name: &str) -> String {
        self.folder.join(name).display().to_string()
    }
}
