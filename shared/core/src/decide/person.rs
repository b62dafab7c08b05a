//! What people want of a run.

use super::{Draft, EARLIEST_SIGNAL};
use crate::command::{Action, Rejection};
use crate::config::flow::{ExceptionKind, OutcomeSpec, Party};
use crate::record::{Acknowledged, Cancelled, Closed, ExceptionResolved, Fact, Note, OwnerRole};
use crate::run::{CheckStatus, OutcomeStatus};

/// Open exceptions of one run; ending it resolves all of them in one transaction of 100 items.
const MAX_OPEN_EXCEPTIONS: usize = 25;
/// The longest text a person may give; it must fit its record's item.
const MAX_TEXT_BYTES: usize = 4_000;

impl Draft<'_> {
    /// Does what the command wants of an open run.
    pub(super) fn act(&mut self, action: &Action) -> Result<(), Rejection> {
        match action {
            Action::Observe(event) if event.effective_at() + EARLIEST_SIGNAL < self.run.opened_at => {}
            Action::Observe(event) | Action::TakeParked(event) => self.observe(event),
            Action::Retrigger(event) => self.retrigger(event),
            Action::Tick => {}
            Action::ReportDelivery(delivery) => {
                self.delivery(delivery);
                self.request_lost(delivery);
            }
            Action::Acknowledge => self.acknowledge()?,
            Action::Reassign { to, reason } => self.reassign_by_hand(to, reason)?,
            Action::CompleteOutcome { outcome, evidence } => self.complete_by_hand(outcome, evidence)?,
            Action::FailOutcome { outcome, reason } => self.fail_by_hand(outcome, reason)?,
            Action::PassCheck { check, evidence } => self.pass_by_hand(check, evidence.as_deref())?,
            Action::FailCheck { check, reason } => self.fail_check_by_hand(check, reason)?,
            Action::OpenException { kind, outcome, reason } => {
                self.open_by_hand(*kind, outcome.as_deref(), reason)?;
            }
            Action::ResolveException { exception, resolution, evidence } => {
                self.resolve_by_hand(exception, resolution, evidence.as_deref())?;
            }
            Action::Pause(reason) => self.pause(reason)?,
            Action::Resume => self.resume()?,
            Action::Note(text) => self.note(text)?,
            Action::Cancel(reason) => {
                let reason = given("reason", reason)?;
                self.resolve_all(&format!("cancelled with the run: {reason}"));
                self.record(Fact::RunCancelled(Cancelled { reason }));
            }
            Action::Close(reason) => self.close_by_hand(reason)?,
        }
        Ok(())
    }

    fn acknowledge(&mut self) -> Result<(), Rejection> {
        let Some(ack) = &self.run.ack else {
            return Err(Rejection::WrongState("this flow asks for no acknowledgement".to_owned()));
        };
        if let (Some(by), Some(at), None) = (&ack.by, ack.at, &ack.lease) {
            return Err(Rejection::WrongState(format!("the run was acknowledged by `{by}` at {at}")));
        }
        let lease = self.context.flow.document.acknowledge.as_ref().and_then(|acknowledge| acknowledge.lease);
        let lease_until = lease.map(|lease| self.at + lease);
        self.record(Fact::Acknowledged(Acknowledged { lease_until }));
        Ok(())
    }

    fn reassign_by_hand(&mut self, to: &Party, reason: &str) -> Result<(), Rejection> {
        let directory = self.context.directory;
        if directory.members(to).is_empty() {
            return Err(Rejection::Unknown {
                what: "person or role in the directory called",
                id: to.to_string(),
            });
        }
        let Some(person) = directory.on_duty(to, self.at, None) else {
            return Err(Rejection::WrongState(format!("`{to}` is away, or cannot be reached")));
        };
        if person.id == self.run.owner.id {
            return Err(Rejection::WrongState(format!("`{}` owns the run already", person.id)));
        }
        let reason = given("reason", reason)?;
        self.record(self.reassigned(person.id.clone(), OwnerRole::Assigned, reason));
        Ok(())
    }

    fn complete_by_hand(&mut self, outcome: &str, evidence: &str) -> Result<(), Rejection> {
        let evidence = given("evidence", evidence)?;
        let spec = self.undone(outcome)?;
        self.complete(&spec, self.at, Some(evidence));
        Ok(())
    }

    fn fail_by_hand(&mut self, outcome: &str, reason: &str) -> Result<(), Rejection> {
        let reason = given("reason", reason)?;
        let spec = self.undone(outcome)?;
        let failed = self.run.outcomes.iter().any(|o| o.id == outcome && o.status == OutcomeStatus::Failed);
        if failed {
            return Err(Rejection::WrongState(format!("outcome `{outcome}` has failed already")));
        }
        self.fail(&spec, reason);
        Ok(())
    }

    fn open_by_hand(
        &mut self,
        kind: ExceptionKind,
        outcome: Option<&str>,
        reason: &str,
    ) -> Result<(), Rejection> {
        if self.run.open_exceptions().count() >= MAX_OPEN_EXCEPTIONS {
            let what = format!("{MAX_OPEN_EXCEPTIONS} exceptions are open: resolve one first");
            return Err(Rejection::WrongState(what));
        }
        let reason = given("reason", reason)?;
        let expected = match outcome {
            Some(outcome) => {
                let unknown = || Rejection::Unknown { what: "outcome", id: outcome.to_owned() };
                let spec = self.flow_outcome(outcome).ok_or_else(unknown)?;
                spec.title.clone().unwrap_or_else(|| spec.id.clone())
            }
            None => "the run to go on without help".to_owned(),
        };
        self.record(self.exception(kind, outcome, None, expected, reason));
        Ok(())
    }

    fn resolve_by_hand(
        &mut self,
        id: &str,
        resolution: &str,
        evidence: Option<&str>,
    ) -> Result<(), Rejection> {
        let resolution = given("resolution", resolution)?;
        let evidence = evidence.map(|text| given("evidence", text)).transpose()?;
        let exception = self.run.exceptions.iter().find(|exception| exception.id == id);
        match exception {
            None => return Err(Rejection::Unknown { what: "exception", id: id.to_owned() }),
            Some(exception) => {
                if let Some(at) = exception.resolved_at {
                    return Err(Rejection::WrongState(format!("exception `{id}` was resolved at {at}")));
                }
            }
        }
        let exception = id.to_owned();
        self.record(Fact::ExceptionResolved(ExceptionResolved { exception, resolution, evidence }));
        Ok(())
    }

    pub(super) fn note(&mut self, text: &str) -> Result<(), Rejection> {
        let text = given("text", text)?;
        self.record(Fact::NoteAdded(Note { text }));
        Ok(())
    }

    fn close_by_hand(&mut self, reason: &str) -> Result<(), Rejection> {
        let reason = given("reason", reason)?;
        if let Some(open) = self.run.outcomes.iter().find(|outcome| outcome.status == OutcomeStatus::Open) {
            let what = format!("outcome `{}` is open: complete or fail it first, or cancel the run", open.id);
            return Err(Rejection::WrongState(what));
        }
        if let Some(open) = self.run.checks.iter().find(|check| check.status != CheckStatus::Passed) {
            let what = format!("check `{}` has not passed: pass it first, or cancel the run", open.id);
            return Err(Rejection::WrongState(what));
        }
        self.resolve_all(&format!("closed with the run: {reason}"));
        let met = self.run.met() == Some(true);
        self.record(Fact::RunClosed(Closed { met, reason: Some(reason) }));
        Ok(())
    }

    /// The definition of an outcome that is not done yet.
    fn undone(&self, id: &str) -> Result<OutcomeSpec, Rejection> {
        let unknown = || Rejection::Unknown { what: "outcome", id: id.to_owned() };
        let spec = self.flow_outcome(id).ok_or_else(unknown)?;
        match self.run.outcomes.iter().find(|outcome| outcome.id == id).ok_or_else(unknown)?.status {
            OutcomeStatus::Done => Err(Rejection::WrongState(format!("outcome `{id}` is done"))),
            OutcomeStatus::Waiting | OutcomeStatus::Open | OutcomeStatus::Failed => Ok(spec.clone()),
        }
    }

    /// The flow's definition of an outcome.
    pub(super) fn flow_outcome(&self, id: &str) -> Option<&OutcomeSpec> {
        self.context.flow.document.outcome(id)
    }
}

/// A text that a person must give, trimmed.
pub(crate) fn given(field: &'static str, text: &str) -> Result<String, Rejection> {
    let text = text.trim();
    if text.is_empty() {
        return Err(Rejection::Invalid { field, reason: "must not be empty".to_owned() });
    }
    if text.len() > MAX_TEXT_BYTES {
        return Err(Rejection::Invalid { field, reason: format!("is longer than {MAX_TEXT_BYTES} bytes") });
    }
    Ok(text.to_owned())
}
