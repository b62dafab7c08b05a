//! Faults on demand: what AWS does to a function on its worst day.

mod plan;
mod wire;

use std::collections::{BTreeMap, VecDeque};
use std::future::poll_fn;
use std::sync::{Arc, Mutex};
use std::task::Poll;

use aws_smithy_runtime_api::client::http::SharedHttpClient;
use meshline_core::time::Time;
use serde::Serialize;

pub use plan::{Fault, Place, Plan};

use crate::lock;

/// The most that an invocation waits before it is killed; most often far less, since the shortest wait a few times only.
const KILLED_WITHIN: u64 = 24;

/// Faults that are still to come.
#[derive(Default)]
pub(crate) struct Faults {
    state: Mutex<State>,
    /// By function: how often each of its next invocations may wait for something before it is killed.
    kills: Mutex<BTreeMap<String, VecDeque<usize>>>,
}

#[derive(Default)]
struct State {
    plan: Plan,
    /// How often was chosen about what. Each has its own numbers, so that one call more of one kind changes no choice
    /// about another.
    drawn: BTreeMap<String, u64>,
    struck: Struck,
}

/// How often which fault happened since the plan was made.
pub type Struck = BTreeMap<Place, BTreeMap<Fault, u64>>;

/// A plan of faults, and what has come of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// The plan in force.
    pub plan: Plan,
    /// How often which fault has happened.
    pub struck: Struck,
}

impl Faults {
    /// Puts a plan in force, in place of the one before.
    pub(crate) fn set(&self, plan: Plan) {
        *lock(&self.state) = State { plan, ..State::default() };
    }

    pub(crate) fn report(&self) -> Report {
        let state = lock(&self.state);
        Report { plan: state.plan.clone(), struck: state.struck.clone() }
    }

    /// Which of these faults, if any, happens now; `what` is what is done: an operation, a queue, a function.
    pub(crate) fn strikes(&self, place: Place, what: &str, among: &[Fault]) -> Option<Fault> {
        let mut state = lock(&self.state);
        if !state.plan.rates.contains_key(&place) {
            return None;
        }
        let mut left = state.draw(&format!("{place:?} {what} {among:?}"));
        let struck = among.iter().copied().find(|fault| {
            let rate = state.plan.rate(place, *fault);
            let hit = left < rate;
            left -= rate;
            hit
        })?;
        *state.struck.entry(place).or_default().entry(struck).or_default() += 1;
        tracing::debug!(?place, fault = ?struck, what, "a fault on demand");
        Some(struck)
    }

    /// A number below `n`.
    pub(crate) fn below(&self, what: &str, n: u64) -> u64 {
        lock(&self.state).number(what) % n.max(1)
    }

    /// What the clock of the next invocation of a function shows.
    pub(crate) fn time(&self, function: &str, now: Time) -> Time {
        let mut state = lock(&self.state);
        let Some(skew) = state.plan.skew else { return now };
        let off = state.draw(&format!("skew of {function}")) * 2.0 - 1.0;
        #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "a skew is small")]
        let off = (off * skew.ms() as f64) as i64;
        Time::from_unix_ms(now.unix_ms() + off)
    }

    /// Kills the next invocations of a function, each after it has waited so many times.
    pub(crate) fn kill(&self, function: &str, after: &[usize]) {
        lock(&self.kills).entry(function.to_owned()).or_default().extend(after);
    }

    /// Runs an invocation to its end; `None` when it was killed, and nothing behind that point happened.
    pub(crate) async fn invoke<T>(&self, function: &str, invocation: impl Future<Output = T>) -> Option<T> {
        let mut invocation = Box::pin(invocation);
        let Some(mut left) = self.killed_after(function) else { return Some(invocation.await) };
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

    fn killed_after(&self, function: &str) -> Option<usize> {
        if let Some(after) = lock(&self.kills).get_mut(function).and_then(VecDeque::pop_front) {
            return Some(after);
        }
        self.strikes(Place::Functions, function, &[Fault::Kill])?;
        let what = format!("kill of {function}");
        let within = 1 + self.below(&what, KILLED_WITHIN);
        usize::try_from(self.below(&what, within)).ok()
    }

    /// The HTTP client of functions: what goes wrong on its way goes wrong below the SDK, whose own retries see it.
    pub(crate) fn http_client(self: &Arc<Self>) -> SharedHttpClient {
        wire::client(Arc::clone(self))
    }
}

impl State {
    /// From 0 to 1.
    #[expect(clippy::cast_precision_loss, reason = "53 bits are kept")]
    fn draw(&mut self, what: &str) -> f64 {
        (self.number(what) >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn number(&mut self, what: &str) -> u64 {
        let count = self.drawn.entry(what.to_owned()).or_default();
        *count += 1;
        // FNV-1a over what it is about, then splitmix64.
        let start = self.plan.seed ^ count.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0xcbf2_9ce4_8422_2325;
        let mut x = what.bytes().fold(start, |x, byte| (x ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ (x >> 31)
    }
}
