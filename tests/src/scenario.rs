//! A scenario: what happens when, and what is then expected, as a text file (tests/scenarios/README.md).
//!
//! The same file is played against the local stack and against the deployed one; both are a [`World`].

mod config;
mod deployed;
mod local;
mod play;
mod read;
mod world;

pub use config::{apply, people};
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
    /// Why it cannot be played against a deployed stack, if it cannot.
    pub only_local: Option<String>,
    /// The flow, without the head that every scenario's flow has.
    flow: String,
    /// Sources and calendars of its own, as documents.
    beside: String,
    /// What happens, in order.
    steps: Vec<Step>,
}

impl Scenario {
    /// The kinds of records and exceptions that it shows, as it says it: `record stalled`, `exception manual`.
    pub fn shows(&self) -> impl Iterator<Item = String> {
        self.steps.iter().filter_map(|step| match &step.what {
            What::Expect(Expectation { count: Some(0), .. }) | What::Do(_) => None,
            What::Expect(expectation) => match &expectation.noun {
                Noun::Record(kind) | Noun::FlowRecord(kind) | Noun::Bus(kind) => {
                    Some(format!("record {kind}"))
                }
                Noun::Exception(kind) => Some(format!("exception {kind}")),
                Noun::Answer
                | Noun::Run
                | Noun::Outcome(_)
                | Noun::Check(_)
                | Noun::Trail
                | Noun::Message(_)
                | Noun::DeadLetter(_)
                | Noun::Timeline => None,
            },
        })
    }
}

/// One line of the story.
#[derive(Debug, Clone, PartialEq)]
struct Step {
    /// Its number in the file.
    line: usize,
    /// Midnight of its day, from midnight of the first one.
    midnight: Span,
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
    /// The CRM reports something to a source, about a post or about something of its own.
    Crm { source: String, kind: String, post: Option<String>, fields: Vec<(String, String)> },
    /// A person changes something in the flow's text.
    Change { person: String, from: String, to: String },
    /// The directory says who is away from now on, and that nobody else is.
    Away(Vec<Away>),
    /// A person accepts their turn.
    Accept { person: String, role: String },
    /// A person resolves an exception, of a run or of the flow.
    Resolve { person: String, kind: String, resolution: String },
    /// A person gives a command.
    Person { person: String, verb: Verb },
    /// The run of post A is made one that cannot be looked at.
    Damage,
    /// Somebody puts what is no message on a queue.
    Garbage { queue: String },
    /// Many posts are published while a function is killed in the middle of its work, again and again.
    Killed { function: String, posts: usize },
}

/// A day off, as a day of the story.
#[derive(Debug, Clone, PartialEq)]
pub struct Away {
    person: String,
    day: i64,
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
    Raise(String),
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
    /// Records of that kind in the flow's own trail.
    FlowRecord(String),
    /// What verification says of each run's trail.
    Trail,
    /// Exceptions of that kind, of runs and of the flow.
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
