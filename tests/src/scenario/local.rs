//! The local stack as a world: its clock stands still unless it is moved.

use std::time::Duration;

use meshline_core::time::{Span, Time};
use serde_json::Value;

use super::world::{Request, World};
use crate::{Answer, Local, URL, header};

/// In the middle of an invocation: after so many times that it waited for something.
const KILLED_AFTER: [usize; 3] = [3, 12, 48];

impl World for Local {
    fn lasts(&self, span: Span) -> Span {
        span
    }

    fn now(&self) -> Time {
        self.stack.clock.now()
    }

    async fn reach(&self, time: Time) {
        self.stack.advance_to(time).await.expect("the clock moves");
    }

    fn patience(&self) -> Duration {
        Duration::ZERO
    }

    fn tolerance(&self) -> Span {
        Span::ZERO
    }

    fn public_url(&self) -> &str {
        URL
    }

    async fn call(&self, request: Request) -> Answer {
        let Request { method, path, mut headers, body, person } = request;
        headers.extend(person.map(|person| header("authorization", &format!("Local {person}"))));
        let answer = self.send(method, &path, &headers, body).await;
        self.settle().await;
        answer
    }

    async fn messages(&self, queue: &str) -> Vec<Value> {
        self.queue(queue).await
    }

    async fn bus(&self) -> Vec<Value> {
        let found = self.get("/_local/bus").await;
        let messages = found["messages"].as_array().expect("messages");
        messages.iter().map(|message| message["body"].clone()).collect()
    }

    async fn dead_letters(&self, queue: &str) -> Vec<Value> {
        let left = self.stack.emulators.queue_len(&format!("{queue}-dlq")).await.expect("the queue exists");
        vec![Value::Null; left]
    }

    async fn put(&self, queue: &str, body: &str) {
        let url = self.stack.emulators.queue_url(queue);
        let send = self.stack.app.clients.sqs().send_message().queue_url(url).message_body(body);
        send.send().await.expect("the queue takes it");
        self.settle().await;
    }

    async fn damage(&self, run: &str) -> Result<(), String> {
        Self::damage(self, run).await;
        Ok(())
    }

    async fn kill(&self, function: &str) {
        self.stack.kill(function, &KILLED_AFTER);
    }
}
