//! Faults on demand: what AWS does to a function on its worst day.

use std::collections::{BTreeMap, VecDeque};
use std::future::poll_fn;
use std::sync::Mutex;
use std::task::Poll;

use crate::lock;

/// Faults that are still to come.
#[derive(Default)]
pub(crate) struct Faults {
    /// By function: how often each of its next invocations may wait for something before it is killed.
    kills: Mutex<BTreeMap<String, VecDeque<usize>>>,
}

impl Faults {
    /// Kills the next invocations of a function, each after it has waited so many times.
    pub(crate) fn kill(&self, function: &str, after: &[usize]) {
        lock(&self.kills).entry(function.to_owned()).or_default().extend(after);
    }

    /// Runs an invocation to its end; `None` when it was killed, and nothing behind that point happened.
    pub(crate) async fn invoke<T>(&self, function: &str, invocation: impl Future<Output = T>) -> Option<T> {
        let mut invocation = Box::pin(invocation);
        let kill = lock(&self.kills).get_mut(function).and_then(VecDeque::pop_front);
        let Some(mut left) = kill else { return Some(invocation.await) };
        poll_fn(|context| match invocation.as_mut().poll(context) {
            Poll::Ready(done) => Poll::Ready(Some(done)),
            Poll::Pending if left == 0 => Poll::Ready(None),
            Poll::Pending => {
                left -= 1;
                Poll::Pending
            }
        })
        .await
    }
}
