//! A queue, and how its messages come to the function that consumes them.

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use meshline_aws::App;
use meshline_aws::mail::NoMail;
use meshline_core::time::Time;
use meshline_notify::Notifier;
use rustack_sqs_model::error::SqsErrorCode;
use rustack_sqs_model::input::{ChangeMessageVisibilityInput, DeleteMessageInput, ReceiveMessageInput};
use rustack_sqs_model::types::Message;

use super::{PumpError, failed};
use crate::emulators::Queues;
use crate::faults::{Fault, Faults, Place};

/// SQS gives no more at a time.
const BATCH: i32 = 10;
/// The longest that a fault delays a message, in seconds.
const MAX_DELAY_S: u64 = 90;

/// A queue.
pub(super) struct Queue<'a> {
    pub(super) queues: &'a Queues,
    pub(super) name: &'static str,
    pub(super) url: String,
}

impl Queue<'_> {
    /// Hands one batch over; what fails is seen again at once.
    pub(super) async fn hand_over(
        &self,
        app: &App,
        notifier: &Notifier<NoMail>,
        faults: &Faults,
        now: Time,
    ) -> Result<usize, PumpError> {
        let messages = self.receive(faults).await?;
        if messages.is_empty() {
            return Ok(0);
        }
        let mut batch = SqsEvent::default();
        batch.records = messages.iter().map(lambda_message).collect();
        let at = |function| faults.time(function, now);
        let answer = match self.name {
            "ticks" => {
                let ticked = meshline_sla_check::ticks(app, batch, at("sla-check"));
                faults.invoke("sla-check", ticked).await
            }
            "ingest-spill" => faults.invoke("ingest", meshline_ingest::drain(app, batch, at("ingest"))).await,
            _ => faults.invoke("notify", notifier.handle(app, batch, at("notify"))).await,
        };
        let has_failed = |id: &str| {
            let named = |answer: &SqsBatchResponse| {
                answer.batch_item_failures.iter().any(|failure| failure.item_identifier == id)
            };
            answer.as_ref().is_none_or(named)
        };
        for message in &messages {
            let duplicated = || faults.strikes(Place::Sqs, self.name, &[Fault::Duplicate]).is_some();
            if has_failed(message.message_id.as_deref().unwrap_or_default()) || duplicated() {
                // Lambda lets it reappear when the visibility timeout is over; here nobody waits for that.
                self.see_again(message, 0).await?;
            } else {
                self.delete(message).await?;
            }
        }
        Ok(messages.len())
    }

    /// Receives a batch, in whatever order and without what a fault delays.
    async fn receive(&self, faults: &Faults) -> Result<Vec<Message>, PumpError> {
        let receive = ReceiveMessageInput {
            queue_url: self.url.clone(),
            max_number_of_messages: Some(BATCH),
            ..Default::default()
        };
        let received = self.queues.receive(receive).await;
        let received = received.map_err(|error| failed("read a queue")(error.to_string()))?;
        let mut messages = Vec::new();
        for message in received.messages {
            match faults.strikes(Place::Sqs, self.name, &[Fault::Delay]) {
                Some(_) => {
                    let seconds = 1 + faults.below("delay", MAX_DELAY_S);
                    self.see_again(&message, i32::try_from(seconds).unwrap_or(1)).await?;
                }
                None => messages.push(message),
            }
        }
        if faults.strikes(Place::Sqs, self.name, &[Fault::Reorder]).is_some() {
            messages.sort_by_cached_key(|_| faults.below("reorder", u64::MAX));
        }
        Ok(messages)
    }

    async fn see_again(&self, message: &Message, after_s: i32) -> Result<(), PumpError> {
        let again = ChangeMessageVisibilityInput {
            queue_url: self.url.clone(),
            receipt_handle: message.receipt_handle.clone().unwrap_or_default(),
            visibility_timeout: after_s,
        };
        match self.queues.change_visibility(again).await {
            // Handling it took longer than its visibility timeout, or the machine slept: it is there again already.
            Err(error) if error.code != SqsErrorCode::MessageNotInflight => {
                Err(failed("put a message back")(error.to_string()))
            }
            Ok(_) | Err(_) => Ok(()),
        }
    }

    async fn delete(&self, message: &Message) -> Result<(), PumpError> {
        let delete = DeleteMessageInput {
            queue_url: self.url.clone(),
            receipt_handle: message.receipt_handle.clone().unwrap_or_default(),
        };
        let deleted = self.queues.delete(delete).await;
        deleted.map(|_| ()).map_err(|error| failed("delete a message")(error.to_string()))
    }
}

fn lambda_message(message: &Message) -> SqsMessage {
    let mut record = SqsMessage::default();
    record.message_id.clone_from(&message.message_id);
    record.receipt_handle.clone_from(&message.receipt_handle);
    record.body.clone_from(&message.body);
    record.attributes = message.attributes.clone().into_iter().collect();
    record
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use rustack_sqs_model::input::SendMessageInput;

    use super::*;
    use crate::clock::Clock;
    use crate::emulators::{Emulators, Options};

    #[tokio::test]
    async fn a_message_whose_handling_took_too_long_is_seen_again_and_stops_nothing() {
        let (clock, faults) = (Clock::starting_at(None, true), Arc::new(Faults::default()));
        let options = Options {
            data: None,
            clock,
            secrets: BTreeMap::new(),
            faults: Arc::clone(&faults),
            prefix_secret: String::new(),
        };
        let emulators = Emulators::start(options).await.unwrap();
        let queue = Queue { queues: &emulators.queues, name: "ticks", url: emulators.queue_url("ticks") };
        let message = SendMessageInput {
            queue_url: queue.url.clone(),
            message_body: "{}".to_owned(),
            ..Default::default()
        };
        emulators.queues.send(message).await.unwrap();
        let seen = queue.receive(&faults).await.unwrap();
        // As its visibility timeout does, which is real time.
        queue.see_again(&seen[0], 0).await.unwrap();
        queue.see_again(&seen[0], 0).await.unwrap();
        queue.delete(&seen[0]).await.unwrap();
        assert_eq!(queue.receive(&faults).await.unwrap().len(), 1);
    }
}
