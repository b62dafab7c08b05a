//! The issue of a tracker that stands for all exceptions of one cause, however many there are at once.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::time::{Span, Time};

/// For how long the issue is nobody else's to create or close: longer than a tracker takes, and than its search lags.
const HOLD: Span = Span::minutes(2);

/// An issue, and the open exceptions that it stands for.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Issue {
    /// How the tracker calls it, once it is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The cases that it stands for and that are open: `<run>:<exception>`.
    #[serde(default)]
    pub open: BTreeSet<String>,
    /// Who creates or closes it at the moment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<Held>,
}

/// That somebody is at work on an issue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// The message that is being delivered.
    pub by: String,
    /// When others may go on.
    pub until: Time,
}

/// What is to be done at the tracker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Create the issue, unless it is there and was not written down.
    Create,
    /// Add to the issue of that key.
    Add(String),
    /// Close the issue of that key: its last case is over.
    Close(String),
    /// Nothing: it is not, or not any more, about the case.
    Nothing,
    /// Somebody else is at work on it; wait.
    Wait,
}

impl Issue {
    /// A case joins, by the message `by`. Whoever may have created the issue and did not come to write it down has to
    /// wait as the others have, until the tracker's search finds it.
    pub fn join(&mut self, case: &str, by: &str, now: Time) -> Step {
        if self.held.as_ref().is_some_and(|held| now < held.until) {
            return Step::Wait;
        }
        self.open.insert(case.to_owned());
        match self.key.clone() {
            Some(key) => {
                self.held = None;
                Step::Add(key)
            }
            None => {
                self.hold(by, now);
                Step::Create
            }
        }
    }

    /// A case is over, by the message `by`: first that is to be said in the issue, and once it is `said` the case leaves.
    pub fn leave(&mut self, case: &str, by: &str, said: bool, now: Time) -> Step {
        let is_closing = self.held.as_ref().is_some_and(|held| held.by == by);
        if !is_closing && self.held.as_ref().is_some_and(|held| now < held.until) {
            return Step::Wait;
        }
        let Some(key) = self.key.clone().filter(|_| is_closing || self.open.contains(case)) else {
            return Step::Nothing;
        };
        if !said {
            return Step::Add(key);
        }
        self.open.remove(case);
        if !self.open.is_empty() {
            return Step::Nothing;
        }
        self.hold(by, now);
        Step::Close(key)
    }

    /// The tracker has the issue, as `key`.
    pub fn created(&mut self, key: &str) {
        self.key = Some(key.to_owned());
        self.held = None;
    }

    /// The issue was not created, for certain: others may try at once.
    pub fn release(&mut self, by: &str) {
        self.held.take_if(|held| held.by == by);
    }

    /// Somebody closed the issue in the tracker, or threw it away: the next case is for a new one.
    pub fn lost(&mut self, key: &str) {
        if self.key.as_deref() == Some(key) {
            *self = Self::default();
        }
    }

    fn hold(&mut self, by: &str, now: Time) {
        self.held = Some(Held { by: by.to_owned(), until: now + HOLD });
    }
}
