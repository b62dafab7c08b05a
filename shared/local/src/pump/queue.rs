//! A queue, and how its messages come to the function that consumes them.

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use aws_sdk_sqs::types::Message;
use meshline_aws::App;
use meshline_aws::mail::NoMail;
use meshline_core::time::Time;
use meshline_notify::Notifier;

use super::{PumpError, failed};
use crate::faults::{Fault, Faults, Place};

/// SQS gives no more at a time.
const BATCH: i32 = 10;
/// The longest that a fault delays a message, in seconds.
const MAX_DELAY_S: u64 = 90;

/// A queue.
pub(super) struct Queue {
    pub(super) sqs: aws_sdk_sqs::Client,
    pub(super) name: &'static str,
    pub(super) url: String,
}

impl Queue {
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
            if has_failed(message.message_id().unwrap_or_default()) || duplicated() {
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
        let receive = self.sqs.receive_message().queue_url(&self.url).max_number_of_messages(BATCH);
        let received = receive.send().await.map_err(|error| failed("read a queue")(format!("{error:?}")))?;
        let mut messages = Vec::new();
        for message in received.messages.unwrap_or_default() {
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
        let again = self.sqs.change_message_visibility().queue_url(&self.url).visibility_timeout(after_s);
        let again = again.set_receipt_handle(message.receipt_handle.clone()).send().await;
        again.map(|_| ()).map_err(|error| failed("put a message back")(format!("{error:?}")))
    }

    async fn delete(&self, message: &Message) -> Result<(), PumpError> {
        let delete = self.sqs.delete_message().queue_url(&self.url);
        let deleted = delete.set_receipt_handle(message.receipt_handle.clone()).send().await;
        deleted.map(|_| ()).map_err(|error| failed("delete a message")(format!("{error:?}")))
    }
}

fn lambda_message(message: &Message) -> SqsMessage {
    let mut record = SqsMessage::default();
    record.message_id = message.message_id().map(str::to_owned);
    record.receipt_handle = message.receipt_handle().map(str::to_owned);
    record.body = message.body().map(str::to_owned);
    let attributes = message.attributes().into_iter().flatten();
    record.attributes = attributes.map(|(name, value)| (name.as_str().to_owned(), value.clone())).collect();
    record
}
