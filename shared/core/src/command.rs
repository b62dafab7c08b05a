//! A command: what somebody or something wants done to a run.

use crate::config::flow::{ExceptionKind, Party};
use crate::delivery::Delivery;
use crate::event::Event;
use crate::record::{Actor, Record};
use crate::run::Status;

/// What is wanted, by whom, seeing which version.
#[derive(Debug, Clone, PartialEq)]
pub struct Command {
    /// What is wanted.
    pub action: Action,
    /// By whom.
    pub actor: Actor,
    /// The version of the run that a person decided on; refused when the run moved on.
    pub if_version: Option<u64>,
    /// What must not act twice, see [`Record::cause`].
    pub cause: Option<String>,
}

/// The things that can be wanted of an open run.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// An event about the run's subject: it may verify or fail outcomes, and pass checks.
    Observe(Box<Event>),
    /// A signal that was parked until the run opened: it is looked at however old it is.
    TakeParked(Box<Event>),
    /// A further trigger that joins the run.
    Retrigger(Box<Event>),
    /// "I have it."
    Acknowledge,
    /// Hand the run over.
    Reassign {
        /// To whom.
        to: Party,
        /// Why.
        reason: String,
    },
    /// A person verifies an outcome.
    CompleteOutcome {
        /// Its id.
        outcome: String,
        /// The proof: a link or text.
        evidence: String,
    },
    /// A person says that an outcome failed.
    FailOutcome {
        /// Its id.
        outcome: String,
        /// What went wrong.
        reason: String,
    },
    /// A person says that a check is all right.
    PassCheck {
        /// Its id.
        check: String,
        /// The proof: a link or text.
        evidence: Option<String>,
    },
    /// A person says that a check found something wrong.
    FailCheck {
        /// Its id.
        check: String,
        /// What is wrong.
        reason: String,
    },
    /// A person, or the runtime, gives the case to the exceptions' owner.
    OpenException {
        /// Its kind.
        kind: ExceptionKind,
        /// The outcome it is about.
        outcome: Option<String>,
        /// What is wrong.
        reason: String,
    },
    /// A case is over.
    ResolveException {
        /// Its id.
        exception: String,
        /// How, in words.
        resolution: String,
        /// The proof.
        evidence: Option<String>,
    },
    /// Stop the outcomes' clocks, for this reason.
    Pause(String),
    /// Let them run again.
    Resume,
    /// Write something down.
    Note(String),
    /// Call the run off, for this reason.
    Cancel(String),
    /// Close a run whose outcomes are decided, for this reason.
    Close(String),
    /// Say what became of a message to people or systems.
    ReportDelivery(Box<Delivery>),
    /// Look at the clock.
    Tick,
}

impl Action {
    /// The event that it is about.
    pub fn event(&self) -> Option<&Event> {
        match self {
            Self::Observe(event) | Self::TakeParked(event) | Self::Retrigger(event) => Some(event),
            Self::Acknowledge
            | Self::Reassign { .. }
            | Self::CompleteOutcome { .. }
            | Self::FailOutcome { .. }
            | Self::PassCheck { .. }
            | Self::FailCheck { .. }
            | Self::OpenException { .. }
            | Self::ResolveException { .. }
            | Self::Pause(_)
            | Self::Resume
            | Self::Note(_)
            | Self::Cancel(_)
            | Self::Close(_)
            | Self::ReportDelivery(_)
            | Self::Tick => None,
        }
    }
}

/// Why a command is refused. Nothing was changed; the caller corrects it or gives up, never retries as is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// The person decided on a version that is not the current one: show what changed.
    #[error("the run has moved on: you saw version {seen}, it is at version {current}")]
    Stale {
        /// The version they saw.
        seen: u64,
        /// The version it has.
        current: u64,
    },
    /// The run is over.
    #[error("the run is {}", match status { Status::AwaitingQa => "awaiting QA", Status::Closed => "closed", Status::Cancelled => "cancelled", Status::Active => "active", Status::Verifying => "verifying" })]
    Over {
        /// How it ended.
        status: Status,
    },
    /// The thing is not in a state for that.
    #[error("{0}")]
    WrongState(String),
    /// The run has no such outcome, check or exception, or the directory no such person or role.
    #[error("there is no {what} `{id}`")]
    Unknown {
        /// Outcome, check, exception or person.
        what: &'static str,
        /// What was named.
        id: String,
    },
    /// A value is missing or too long.
    #[error("`{field}` {reason}")]
    Invalid {
        /// Which.
        field: &'static str,
        /// Why.
        reason: String,
    },
}

/// What was decided: the records, and the run they lead to.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// New records, none when nothing is to change.
    pub records: Vec<Record>,
    /// The run with them applied.
    pub run: crate::run::Run,
}
