//! Reports of what became of messages.

use super::Draft;
use crate::config::flow::ExceptionKind;
use crate::delivery::{Delivery, DeliveryResult};
use crate::run::{Exception, Outcome, OutcomeStatus};

impl Draft<'_> {
    /// Writes down what became of a message.
    pub(super) fn delivery(&mut self, delivery: &Delivery) {
        self.record(delivery.fact());
    }

    /// A request that could not be made is somebody's to make, unless its outcome is verified already.
    pub(super) fn request_lost(&mut self, delivery: &Delivery) {
        let (DeliveryResult::Failed { to, error, .. }, Some(outcome)) =
            (&delivery.result, &delivery.requested)
        else {
            return;
        };
        let is_wanted = |it: &Outcome| it.id == *outcome && it.status != OutcomeStatus::Done;
        let is_known =
            |it: &Exception| it.kind == ExceptionKind::RequestFailed && it.outcome.as_ref() == Some(outcome);
        if self.run.outcomes.iter().any(is_wanted) && !self.run.open_exceptions().any(is_known) {
            let expected = format!("`{to}` takes the request for `{outcome}`");
            self.open_exception(ExceptionKind::RequestFailed, Some(outcome), expected, error.clone());
        }
    }
}
