//! Deliveries: what became of a message to people and systems, and whether it is still wanted.

use crate::alert::Matter;
use crate::config::directory::ChannelKind;
use crate::config::flow::Ladder;
use crate::record::{DeliveryFailed, DeliverySkipped, DeliverySucceeded, Fact};
use crate::run::{OutcomeStatus, Run, Status};
use crate::time::Time;

/// What became of a message, or of the part of it that goes to one receiver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Sequence number of the record whose message it is.
    pub message: u64,
    /// What happened.
    pub result: DeliveryResult,
    /// The outcome that was requested by it; a request that cannot be made is an exception.
    pub requested: Option<String>,
}

/// What happened to a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeliveryResult {
    /// The receiver took it.
    Succeeded {
        /// Which: `person:ana`, `channel:crm-automation`.
        to: String,
        /// By which way.
        by: ChannelKind,
        /// What it holds open from now on.
        raised: Option<Matter>,
        /// How many notices it was told together with.
        together: Option<usize>,
    },
    /// It was given up.
    Failed {
        /// Who should have had it.
        to: String,
        /// By which way it was tried last, if there was one.
        by: Option<ChannelKind>,
        /// How often.
        attempts: u32,
        /// What came back.
        error: String,
    },
    /// It was not sent: nobody needs it any more, or there were too many at once.
    Skipped {
        /// Who should have had it; `None` for everybody.
        to: Option<String>,
        /// What happened meanwhile.
        reason: String,
    },
}

impl Delivery {
    /// What must not be reported twice, see [`crate::record::Record::cause`].
    pub fn cause(&self) -> String {
        match &self.result {
            DeliveryResult::Succeeded { to, .. } | DeliveryResult::Failed { to, .. } => {
                cause(self.message, Some(to))
            }
            DeliveryResult::Skipped { to, .. } => cause(self.message, to.as_deref()),
        }
    }

    /// Its record.
    pub fn fact(&self) -> Fact {
        let message = self.message;
        match self.result.clone() {
            DeliveryResult::Succeeded { to, by, raised, together } => {
                Fact::DeliverySucceeded(DeliverySucceeded { message, to, by, raised, together })
            }
            DeliveryResult::Failed { to, by, attempts, error } => {
                let outcome = self.requested.clone();
                Fact::DeliveryFailed(DeliveryFailed { message, to, by, outcome, attempts, error })
            }
            DeliveryResult::Skipped { to, reason } => {
                Fact::DeliverySkipped(DeliverySkipped { message, to, reason })
            }
        }
    }
}

/// The report that made a record, if it is one.
pub fn of_fact(fact: &Fact) -> Option<Delivery> {
    let (message, result, requested) = if let Fact::DeliverySucceeded(it) = fact.clone() {
        let DeliverySucceeded { message, to, by, raised, together } = it;
        (message, DeliveryResult::Succeeded { to, by, raised, together }, None)
    } else if let Fact::DeliveryFailed(it) = fact.clone() {
        let DeliveryFailed { message, to, by, outcome, attempts, error } = it;
        (message, DeliveryResult::Failed { to, by, attempts, error }, outcome)
    } else if let Fact::DeliverySkipped(it) = fact.clone() {
        (it.message, DeliveryResult::Skipped { to: it.to, reason: it.reason }, None)
    } else {
        return None;
    };
    Some(Delivery { message, result, requested })
}

/// The cause of the report of what became of a message for `to`; without it, that nobody needs it any more.
pub fn cause(message: u64, to: Option<&str>) -> String {
    match to {
        Some(to) => format!("delivery:{message}:{to}"),
        None => format!("delivery:{message}"),
    }
}

/// What a message is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum About<'a> {
    /// A step of a ladder, for an outcome, an exception or the run, fired at that time.
    Step(Ladder, Option<&'a str>, Time),
    /// An exception of that id.
    Exception(&'a str),
    /// The request for that outcome.
    Request(&'a str),
    /// The run, or the flow, as such.
    Whole,
    /// That something is settled: this is never out of date.
    Settlement,
}

/// Why a message need not be sent any more, if so: what it asks for has happened meanwhile.
pub fn moot(run: &Run, about: About<'_>) -> Option<String> {
    if about == About::Settlement {
        return None;
    }
    match run.status {
        Status::Closed => return Some("the run is closed".to_owned()),
        Status::Cancelled => return Some("the run is cancelled".to_owned()),
        Status::AwaitingQa | Status::Active | Status::Verifying => {}
    }
    match about {
        About::Step(Ladder::NotAcknowledged, _, _) => acknowledged(run, None),
        About::Step(Ladder::Breached, outcome, at) => {
            outcome.and_then(|id| verified(run, id)).or_else(|| acknowledged(run, Some(at)))
        }
        About::Step(Ladder::Recovery, exception, _) => exception.and_then(|id| resolved(run, id)),
        About::Whole | About::Settlement => None,
        About::Exception(id) => resolved(run, id),
        About::Request(id) => verified(run, id),
    }
}

/// That the run is acknowledged, since `after` if that is given.
fn acknowledged(run: &Run, after: Option<Time>) -> Option<String> {
    let ack = run.ack.as_ref()?;
    let at = ack.at.filter(|at| after.is_none_or(|after| *at > after))?;
    Some(format!("`{}` acknowledged the run at {at}", ack.by.as_deref().unwrap_or(&run.owner.id)))
}

fn verified(run: &Run, outcome: &str) -> Option<String> {
    let outcome = run.outcomes.iter().find(|it| it.id == outcome)?;
    match outcome.status {
        OutcomeStatus::Done => Some(format!("`{}` was verified", outcome.id)),
        OutcomeStatus::Waiting | OutcomeStatus::Open | OutcomeStatus::Failed => None,
    }
}

fn resolved(run: &Run, exception: &str) -> Option<String> {
    let exception = run.exceptions.iter().find(|it| it.id == exception)?;
    exception.resolved_at.map(|at| format!("the exception was resolved at {at}"))
}
