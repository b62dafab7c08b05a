//! Notify: takes messages to people, trackers and the execution layer, and reports what became of each.
//!
//! A message is read from its queue, the run is looked at again, and what is still wanted goes to each receiver once. What
//! fails for now stays in the queue for longer each time; what fails for good is a record.

mod channel;
mod message;
mod post;
mod target;
mod text;

use std::time::Duration;

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use futures_util::future::join_all;
use meshline_aws::delivery::{self, Origin};
use meshline_aws::execute::ExecuteError;
use meshline_aws::mail::Mail;
use meshline_aws::{App, telemetry};
use meshline_core::config::directory::Directory;
use meshline_core::delivery::{Delivery, DeliveryResult, cause};
use meshline_core::time::{Span, Time};
use tracing::Instrument;

use channel::{Parcel, Senders};
use message::{Content, Message};
use post::{Poster, Trouble};
use target::Target;

/// How often a receiver is tried before a message to it is given up.
const MAX_ATTEMPTS: u32 = 8;
/// The wait after the first attempt; it doubles, so that all eight take 21 minutes.
const FIRST_WAIT: Span = Span::from_ms(10_000);
/// How long a receiver has to answer.
pub const TIMEOUT: Duration = Duration::from_secs(10);

/// What notices are sent with.
#[derive(Debug)]
pub struct Notifier<M> {
    senders: Senders<M>,
}

/// How a message fared.
enum Fared {
    /// It is done with.
    Done,
    /// It is to be seen again, after this time.
    Again(Span),
}

impl<M: Mail> Notifier<M> {
    /// A notifier that gives every receiver `timeout`, and reaches machines of its own network only with
    /// `allow_private`. `catch_all` takes what has no real address.
    pub fn new(mail: M, timeout: Duration, allow_private: bool, catch_all: Option<String>) -> Self {
        Self { senders: Senders { poster: Poster::new(timeout, allow_private), mail, catch_all } }
    }

    /// Delivers a batch of one of the queues `escalations`, `exceptions` and `requests`.
    pub async fn handle(&self, app: &App, batch: SqsEvent, now: Time) -> SqsBatchResponse {
        let mut answer = SqsBatchResponse::default();
        let directory = match app.config.fresh(now).await {
            Ok(in_force) => in_force.config.people(),
            Err(error) => {
                tracing::error!(error = %error, "messages could not be looked at");
                answer.set_failures(batch.records.into_iter().filter_map(|message| message.message_id));
                return answer;
            }
        };
        // A batch has ten messages at most.
        let all = batch.records.iter().map(|record| self.one(app, record, &directory, now));
        let failed = join_all(all).await.into_iter().flatten();
        answer.set_failures(failed.filter_map(|message| message.message_id.clone()));
        answer
    }

    /// Delivers one message; gives it back when it is to be seen again.
    async fn one<'m>(
        &self,
        app: &App,
        record: &'m SqsMessage,
        directory: &Directory,
        now: Time,
    ) -> Option<&'m SqsMessage> {
        let message = match Message::read(record.body.as_deref().unwrap_or_default()) {
            Ok(message) => message,
            Err(why) => {
                tracing::error!(error = why, message = record.message_id, "not a message");
                return Some(record);
            }
        };
        let span = telemetry::run_span(&message.run);
        let fared = self.deliver(app, &message, attempt(record), directory, now).instrument(span).await;
        match fared {
            Ok(Fared::Done) => None,
            Ok(Fared::Again(after)) => {
                let handle = record.receipt_handle.as_deref().unwrap_or_default();
                if let Err(error) = app.outbox.put_off(message.queue(), handle, after).await {
                    tracing::warn!(error = %error, "a message could not be put off; it comes again when the queue says");
                }
                Some(record)
            }
            Err(error) => {
                tracing::error!(error = %error, run = message.run, seq = message.seq, "a message could not be delivered");
                Some(record)
            }
        }
    }

    async fn deliver(
        &self,
        app: &App,
        message: &Message,
        attempt: u32,
        directory: &Directory,
        now: Time,
    ) -> Result<Fared, ExecuteError> {
        let origin = Origin::load(app, &message.run, message.seq, now).await?;
        if origin.is_reported(&cause(message.seq, None)) {
            return Ok(Fared::Done);
        }
        if let Some(reason) = origin.moot(message.about()) {
            let result = DeliveryResult::Skipped { reason };
            self.report(app, message, result, directory, now).await?;
            return Ok(Fared::Done);
        }
        let ticket_channel = match &message.content {
            Content::Ticket(_) => origin.ticket_channel(),
            Content::Notice(_) | Content::Request(_) | Content::Settlement(_) => None,
        };
        let mut targets = target::targets(message, directory, ticket_channel);
        targets.retain(|target| !origin.is_reported(&cause(message.seq, Some(&target.id))));
        // All at once, so that one that hangs costs the others no time; each report is a decision of its own.
        let reached = targets.iter().map(|target| self.reach(app, message, target, attempt, now));
        let mut again: Option<Span> = None;
        let mut reported = Ok(());
        for reached in join_all(reached).await {
            match reached {
                // One that cannot be made keeps none of the others from being made: those would be sent again.
                Ok(result) => {
                    reported = reported.and(self.report(app, message, result, directory, now).await)
                }
                Err(after) => again = Some(again.map_or(after, |before| before.min(after))),
            }
        }
        reported.map(|()| again.map_or(Fared::Done, Fared::Again))
    }

    /// Tries the ways to a receiver, the best first, until one is taken. The next one is for when a way is shut for good,
    /// or did not open at the last attempt. `Err` is how long to wait before the next attempt.
    async fn reach(
        &self,
        app: &App,
        message: &Message,
        target: &Target,
        attempts: u32,
        now: Time,
    ) -> Result<DeliveryResult, Span> {
        let to = target.id.clone();
        let (mut by, mut error) = (None, "there is no way to reach it: see the directory".to_owned());
        for way in &target.ways {
            let parcel = Parcel { app, message, target: &to, way, now };
            match self.senders.send(&parcel).await {
                Ok(()) => {
                    let (by, raised) = (way.kind, message.raises(way.kind));
                    return Ok(DeliveryResult::Succeeded { to, by, raised, together: None });
                }
                Err(Trouble::Later { why, after }) if attempts < MAX_ATTEMPTS => {
                    tracing::warn!(
                        error = why,
                        to,
                        attempts,
                        "a receiver did not take a message; it is tried again"
                    );
                    return Err(after.unwrap_or_default().max(wait(attempts)));
                }
                Err(trouble) => (by, error) = (Some(way.kind), trouble.to_string()),
            }
        }
        tracing::error!(error, to, attempts, "a message was given up");
        Ok(DeliveryResult::Failed { to, by, attempts, error })
    }

    async fn report(
        &self,
        app: &App,
        message: &Message,
        result: DeliveryResult,
        directory: &Directory,
        now: Time,
    ) -> Result<(), ExecuteError> {
        let delivery = Delivery { message: message.seq, result, requested: message.requested() };
        delivery::report(app, &message.run, delivery, directory, now).await
    }
}

/// Which attempt this is, from 1, as SQS counts them.
fn attempt(record: &SqsMessage) -> u32 {
    let count = record.attributes.get("ApproximateReceiveCount");
    count.and_then(|count| count.parse().ok()).unwrap_or(1)
}

/// How long to wait after that attempt.
fn wait(attempt: u32) -> Span {
    Span::from_ms(FIRST_WAIT.ms() << attempt.saturating_sub(1).min(MAX_ATTEMPTS))
}
