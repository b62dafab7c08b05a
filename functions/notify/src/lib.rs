//! Notify: takes messages to people, trackers and the execution layer, and reports what became of each.
//!
//! A message is read from its queue, the run is looked at again, and what is still wanted goes to each receiver once. What
//! fails for now stays in the queue for longer each time; what fails for good is a record.

mod channel;
mod message;
mod post;
mod storm;
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
use storm::Turn;
use target::Target;
use text::Words;

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

/// How a receiver was reached.
enum Reached {
    /// For good or not at all: this is to be written down.
    Done(DeliveryResult),
    /// Not yet; it is to be tried again after this time.
    Later(Span),
}

/// What messages are worked at with.
#[derive(Debug, Clone, Copy)]
struct Work<'a> {
    app: &'a App,
    directory: &'a Directory,
    now: Time,
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
        let directory = match app.config.fresh().await {
            Ok(in_force) => in_force.config.people(),
            Err(error) => {
                tracing::error!(error = %error, "messages could not be looked at");
                answer.set_failures(batch.records.into_iter().filter_map(|message| message.message_id));
                return answer;
            }
        };
        let work = Work { app, directory: &directory, now };
        // A batch has ten messages at most.
        let all = batch.records.iter().map(|record| self.one(work, record));
        let failed = join_all(all).await.into_iter().flatten();
        answer.set_failures(failed.filter_map(|message| message.message_id.clone()));
        answer
    }

    /// Delivers one message; gives it back when it is to be seen again.
    async fn one<'m>(&self, work: Work<'_>, record: &'m SqsMessage) -> Option<&'m SqsMessage> {
        let message = match Message::read(record.body.as_deref().unwrap_or_default()) {
            Ok(message) => message,
            Err(why) => {
                tracing::error!(error = why, message = record.message_id, "not a message");
                return Some(record);
            }
        };
        let span = telemetry::run_span(&message.run);
        let fared = self.deliver(work, &message, attempt(record)).instrument(span).await;
        match fared {
            Ok(Fared::Done) => None,
            Ok(Fared::Again(after)) => {
                let handle = record.receipt_handle.as_deref().unwrap_or_default();
                if let Err(error) = work.app.outbox.put_off(message.queue(), handle, after).await {
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

    async fn deliver(&self, work: Work<'_>, message: &Message, attempt: u32) -> Result<Fared, ExecuteError> {
        let origin = Origin::load(work.app, &message.run, message.seq).await?;
        if origin.is_reported(&cause(message.seq, None)) {
            return Ok(Fared::Done);
        }
        if let Some(reason) = origin.moot(message.about()) {
            let result = DeliveryResult::Skipped { to: None, reason };
            self.report(work, message, result).await?;
            return Ok(Fared::Done);
        }
        let ticket_channel = match &message.content {
            Content::Ticket(_) => origin.ticket_channel(),
            Content::Notice(_) | Content::Request(_) | Content::Settlement(_) => None,
        };
        let mut targets = target::targets(message, work.directory, ticket_channel);
        targets.retain(|target| !origin.is_reported(&cause(message.seq, Some(&target.id))));
        // All at once, so that one that hangs costs the others no time; each report is a decision of its own.
        let reached = targets.iter().map(|target| self.reach(work, message, target, attempt));
        let mut again: Option<Span> = None;
        let mut done = Ok(());
        for reached in join_all(reached).await {
            match reached {
                // One that cannot be made keeps none of the others from being made: those would be sent again.
                Ok(Reached::Done(result)) => done = done.and(self.report(work, message, result).await),
                Ok(Reached::Later(after)) => again = Some(again.map_or(after, |before| before.min(after))),
                Err(error) => done = done.and(Err(error)),
            }
        }
        done.map(|()| again.map_or(Fared::Done, Fared::Again))
    }

    /// Takes a message to a receiver: by itself, or, where there are too many at once, with others.
    async fn reach(
        &self,
        work: Work<'_>,
        message: &Message,
        target: &Target,
        attempts: u32,
    ) -> Result<Reached, ExecuteError> {
        match storm::turn(work, message, target).await? {
            Turn::Alone => Ok(self.send(work, message, target, &Words::of(message), attempts).await),
            Turn::Later(after) => Ok(Reached::Later(after)),
            Turn::Counted => {
                let reason = "there are too many notices at once: it is counted in a digest".to_owned();
                Ok(Reached::Done(DeliveryResult::Skipped { to: Some(target.id.clone()), reason }))
            }
            Turn::Together(digest) => {
                let sent = self.send(work, message, target, &digest.words, attempts).await;
                if let Reached::Done(DeliveryResult::Succeeded { to, by, .. }) = sent {
                    digest.told(work, message, target, by).await?;
                    let together = Some(digest.together);
                    return Ok(Reached::Done(DeliveryResult::Succeeded { to, by, raised: None, together }));
                }
                digest.give_back(work, message, target).await?;
                Ok(sent)
            }
        }
    }

    /// Tries the ways to a receiver, the best first, until one is taken. The next one is for when a way is shut for good,
    /// or did not open at the last attempt.
    async fn send(
        &self,
        work: Work<'_>,
        message: &Message,
        target: &Target,
        words: &Words,
        attempts: u32,
    ) -> Reached {
        let Work { app, now, .. } = work;
        let to = target.id.clone();
        let (mut by, mut error) = (None, "there is no way to reach it: see the directory".to_owned());
        for way in &target.ways {
            let parcel = Parcel { app, message, target: &to, way, words, now };
            match self.senders.send(&parcel).await {
                Ok(()) => {
                    let (by, raised) = (way.kind, message.raises(way.kind));
                    return Reached::Done(DeliveryResult::Succeeded { to, by, raised, together: None });
                }
                Err(Trouble::Later { why, after }) if attempts < MAX_ATTEMPTS => {
                    tracing::warn!(
                        error = why,
                        to,
                        attempts,
                        "a receiver did not take a message; it is tried again"
                    );
                    return Reached::Later(after.unwrap_or_default().max(wait(attempts)));
                }
                Err(trouble) => (by, error) = (Some(way.kind), trouble.to_string()),
            }
        }
        tracing::error!(error, to, attempts, "a message was given up");
        Reached::Done(DeliveryResult::Failed { to, by, attempts, error })
    }

    async fn report(
        &self,
        work: Work<'_>,
        message: &Message,
        result: DeliveryResult,
    ) -> Result<(), ExecuteError> {
        let delivery = Delivery { message: message.seq, result, requested: message.requested() };
        delivery::report(work.app, &message.run, delivery, work.directory, work.now).await
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
