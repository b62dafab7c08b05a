//! A scenario: what happens when, and what is then expected, as a text file (tests/scenarios/README.md).
//!
//! The same file is played against the local stack and against the deployed one; both are a [`World`].

mod deployed;
mod local;
mod play;
mod read;
mod world;

pub use deployed::{Deployed, Stage};
pub use play::play;
pub use world::{Request, World};

use meshline_core::time::Span;

/// One promise of Meshline, told as a story.
#[derive(Debug, Clone, PartialEq)]
pub struct Scenario {
    /// The file's name without its ending; the flow's id too.
    pub name: String,
    /// The promise: the first comment.
    pub promise: String,
    /// The flow, without the head that every scenario's flow has.
    flow: String,
    /// What happens, in order.
    steps: Vec<Step>,
}

/// One line of the story.
#[derive(Debug, Clone, PartialEq)]
struct Step {
    /// Its number in the file.
    line: usize,
    /// The time of day.
    at: Span,
    what: What,
}

#[derive(Debug, Clone, PartialEq)]
enum What {
    Do(Action),
    Expect(Expectation),
}

/// Something that somebody does.
#[derive(Debug, Clone, PartialEq)]
enum Action {
    /// The CMS sends a webhook of this topic about a post.
    Cms { topic: &'static str, post: String },
    /// The last webhook arrives once more, byte for byte.
    Redeliver,
    /// A publish arrives whose signature is not the CMS's.
    Forge,
    /// The CRM reports something about a post.
    Crm { kind: String, post: String, fields: Vec<(String, String)> },
    /// A person gives a command.
    Person { person: String, verb: Verb },
    /// Somebody puts what is no message on a queue.
    Garbage { queue: String },
    /// Many posts are published while a function is killed in the middle of its work, again and again.
    Killed { function: String, posts: usize },
}

/// A command of a person to the run of post A.
#[derive(Debug, Clone, PartialEq)]
enum Verb {
    Acknowledge,
    Reassign {
        to: String,
        reason: String,
    },
    Complete {
        outcome: String,
        evidence: String,
    },
    /// Of an outcome or of a check, whichever the run has of that id.
    Fail {
        what: String,
        reason: String,
    },
    Pass {
        check: String,
        evidence: String,
    },
    Resolve {
        kind: String,
        resolution: String,
    },
    Cancel(String),
    Close(String),
    Pause(String),
    Resume,
    Note(String),
}

/// What is expected: so many things of a kind that have these members.
#[derive(Debug, Clone, PartialEq)]
struct Expectation {
    noun: Noun,
    /// Path and value: `owner.id`, `ben`.
    members: Vec<(String, String)>,
    /// How many; at least one when `None`.
    count: Option<usize>,
}

/// What there can be.
#[derive(Debug, Clone, PartialEq)]
enum Noun {
    /// The answer to the last webhook or command.
    Answer,
    /// Runs of the flow.
    Run,
    /// The outcome of that id, of each run.
    Outcome(String),
    /// The QA check of that id, of each run.
    Check(String),
    /// Records of that kind in the runs' trails.
    Record(String),
    /// What verification says of each run's trail.
    Trail,
    /// Exceptions of that kind.
    Exception(String),
    /// Messages ever sent to that queue about the flow.
    Message(String),
    /// Events of that type on the bus about the flow.
    Bus(String),
    /// Messages that a queue's consumer gave up.
    DeadLetter(String),
    /// Entries of the timeline of post A.
    Timeline,
}
