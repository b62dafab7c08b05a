//! Deciding: from a run, its flow and a command to the records that follow.
//!
//! Every decision first lets the run's own clock catch up to the moment it is about, so that it does not
//! matter whether a tick or a signal is looked at first.

mod alert;
mod check;
mod clock;
mod deadline;
mod delivery;
mod duty;
mod exception;
mod flow;
mod ladder;
mod open;
mod pause;
mod person;
mod recovery;
mod signal;

pub(crate) use duty::{answerable, at_opening, recipient};
pub(crate) use exception::group;
pub use flow::exception_of_flow;
pub use open::open;
pub(crate) use person::given;
pub use recovery::recovery_of_flow;
pub use signal::EARLIEST_SIGNAL;

use crate::command::{Action, Command, Decision, Rejection};
use crate::config::Versioned;
use crate::config::calendar::Calendar;
use crate::config::directory::Directory;
use crate::config::flow::Flow;
use crate::record::{Actor, ActorKind, Fact, Record};
use crate::run::Run;
use crate::time::{Span, Time};
use crate::trail;

/// What a decision may look at beside the run.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// The flow version that the run was opened with.
    pub flow: &'a Versioned<Flow>,
    /// The calendar version that the run was opened with, if its flow names one.
    pub calendar: Option<&'a Versioned<Calendar>>,
    /// The directory of the moment.
    pub directory: &'a Directory,
}

/// Decides what `command` changes. Nothing to change is no error: it gives no records.
///
/// # Errors
/// Why the command is refused; the run stays as it is.
pub fn decide(run: &Run, context: Context<'_>, command: &Command, now: Time) -> Result<Decision, Rejection> {
    let mut draft = Draft::on(run.clone(), context, command, now.max(known(&command.action)));
    if command.cause.as_deref().is_some_and(|cause| run.has_seen(cause)) {
        return Ok(draft.finish());
    }
    if let Some(seen) = command.if_version.filter(|seen| !run.is_seen_at(*seen)) {
        return Err(Rejection::Stale { seen, current: run.version });
    }
    if !run.is_open() {
        return match &command.action {
            Action::Note(text) => {
                draft.note(text)?;
                Ok(draft.finish())
            }
            Action::ReportDelivery(delivery) => {
                draft.delivery(delivery);
                draft.settle_alerts();
                Ok(draft.finish())
            }
            Action::Observe(_) | Action::TakeParked(_) | Action::Retrigger(_) | Action::Tick => {
                Ok(draft.finish())
            }
            Action::Acknowledge
            | Action::Reassign { .. }
            | Action::CompleteOutcome { .. }
            | Action::FailOutcome { .. }
            | Action::PassCheck { .. }
            | Action::FailCheck { .. }
            | Action::OpenException { .. }
            | Action::ResolveException { .. }
            | Action::Pause(_)
            | Action::Resume
            | Action::Cancel(_)
            | Action::Close(_) => Err(Rejection::Over { status: run.status }),
        };
    }
    draft.catch_up(moment(&command.action, draft.at));
    draft.act(&command.action)?;
    draft.flag_unknown_deadlines();
    draft.close_if_done();
    draft.settle_alerts();
    Ok(draft.finish())
}

/// An instant that is over for certain, whatever the clock of this function says: when the event was taken in.
fn known(action: &Action) -> Time {
    action.event().map_or(Time::from_unix_ms(i64::MIN), |event| event.received_at)
}

/// The moment up to which the clock is looked at first: now; but just before an event took effect, an outcome
/// is completed, a run acknowledged or a check reported, so that what comes at the deadline is in time.
fn moment(action: &Action, now: Time) -> Time {
    let just_before = Span::from_ms(1);
    let is_in_time_at_the_deadline = matches!(
        action,
        Action::Acknowledge
            | Action::CompleteOutcome { .. }
            | Action::PassCheck { .. }
            | Action::FailCheck { .. }
    );
    match action.event() {
        Some(event) => event.effective_at() - just_before,
        None if is_in_time_at_the_deadline => now - just_before,
        None => now,
    }
}

/// A decision in the making: the run so far, and the records that led there.
struct Draft<'a> {
    run: Run,
    context: Context<'a>,
    actor: &'a Actor,
    cause: Option<String>,
    /// The time of every record of this decision: never before the last one of the trail.
    at: Time,
    records: Vec<Record>,
}

impl<'a> Draft<'a> {
    fn on(run: Run, context: Context<'a>, command: &'a Command, now: Time) -> Self {
        let at = now.max(run.last_at);
        Self { run, context, actor: &command.actor, cause: command.cause.clone(), at, records: Vec::new() }
    }

    /// Appends a record made by the command's actor. The first one carries the command's cause.
    fn record(&mut self, fact: Fact) {
        let cause = self.cause.take();
        self.push(self.actor.clone(), cause, fact);
    }

    /// Appends a record that follows from the clock or from another record: nobody's doing but the system's.
    fn follow(&mut self, fact: Fact) {
        let actor = match self.actor.kind {
            ActorKind::System => self.actor.clone(),
            ActorKind::Person | ActorKind::Source => Actor::system("meshline"),
        };
        self.push(actor, None, fact);
    }

    fn push(&mut self, actor: Actor, cause: Option<String>, fact: Fact) {
        let mut record = Record {
            run: self.run.run.clone(),
            seq: self.run.version + 1,
            at: self.at,
            actor,
            flow: self.run.flow.clone(),
            flow_version: self.run.flow_version,
            subject: self.run.subject.clone(),
            config_hash: self.context.flow.hash.clone(),
            cause,
            trace: self.run.trace,
            suppressed: self.run.suppressed,
            fact,
            prev: self.run.head.clone(),
            hash: String::new(),
        };
        record.hash = trail::hash(&record);
        let applied = self.run.apply(&record);
        debug_assert!(applied.is_ok(), "a decision named what the run does not have: {applied:?}");
        self.records.push(record);
    }

    fn finish(self) -> Decision {
        Decision { records: self.records, run: self.run }
    }
}
