//! The pump: what Lambda's event source mappings are on AWS. Stream to handler, queue to handler.

mod queue;
mod stream;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::try_join_all;
use meshline_aws::App;
use meshline_aws::clients::Clients;
use meshline_aws::mail::NoMail;
use meshline_core::time::Time;
use meshline_notify::Notifier;

use crate::emulators::{Emulators, QUEUES};
use crate::faults::Faults;
use crate::left_behind::LeftBehind;
use crate::progress::{self, Progress};
use queue::Queue;
use stream::Stream;

/// How long a receiver has to answer here, where all of them are near.
const NOTIFY_TIMEOUT: Duration = Duration::from_secs(3);

/// Moves messages between the emulators and the functions.
pub(crate) struct Pump {
    streams: aws_sdk_dynamodbstreams::Client,
    events: Stream,
    audit: Stream,
    queues: Vec<Queue>,
    data: Option<PathBuf>,
    kept: Progress,
    faults: Arc<Faults>,
    left_behind: Arc<LeftBehind>,
    notifier: Notifier<NoMail>,
}

/// Why streams or queues cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("{doing}: {why}")]
pub struct PumpError {
    doing: &'static str,
    why: String,
}

fn failed(doing: &'static str) -> impl Fn(String) -> PumpError {
    move |why| PumpError { doing, why }
}

impl Pump {
    pub(crate) async fn new(
        clients: &Clients,
        emulators: &Emulators,
        data: Option<PathBuf>,
        kept: Progress,
        faults: &Arc<Faults>,
        left_behind: &Arc<LeftBehind>,
    ) -> Result<Self, PumpError> {
        let config = aws_sdk_dynamodbstreams::config::Builder::from(clients.config());
        let streams =
            aws_sdk_dynamodbstreams::Client::from_conf(config.endpoint_url(&emulators.dynamodb_url).build());
        let events = Stream::of(&streams, "meshline-events", kept.events.clone()).await?;
        let audit = Stream::of(&streams, "meshline-audit", kept.audit.clone()).await?;
        let queue =
            |name: &&'static str| Queue { sqs: clients.sqs().clone(), name, url: emulators.queue_url(name) };
        let queues = QUEUES.iter().map(queue).collect();
        let notifier = Notifier::new(NoMail, NOTIFY_TIMEOUT, true, Some(emulators.inbox_url.clone()));
        let (faults, left_behind) = (Arc::clone(faults), Arc::clone(left_behind));
        Ok(Self { streams, events, audit, queues, data, kept, faults, left_behind, notifier })
    }

    /// Hands over one batch of every stream and queue, all at once; gives how much there was.
    pub(crate) async fn once(
        &mut self,
        app: &App,
        emulators: &Emulators,
        now: Time,
    ) -> Result<usize, PumpError> {
        let (faults, left_behind, notifier) = (&*self.faults, &*self.left_behind, &self.notifier);
        let at = |function| faults.time(function, now);
        let route =
            async |batch| faults.invoke("route", meshline_route::handle(app, batch, at("route"))).await;
        let relay =
            async |batch| faults.invoke("relay", meshline_relay::handle(app, batch, at("relay"))).await;
        let queues = self.queues.iter().map(async |queue| {
            // Asking an empty queue is most of what an idle stack would do.
            match emulators.queue_len(queue.name).await {
                Some(0) => Ok(0),
                Some(_) | None => queue.hand_over(app, notifier, faults, now).await,
            }
        });
        let (routed, relayed, received) = tokio::try_join!(
            self.events.hand_over(&self.streams, faults, left_behind, now, route),
            self.audit.hand_over(&self.streams, faults, left_behind, now, relay),
            try_join_all(queues),
        )?;
        Ok(routed + relayed + received.into_iter().sum::<usize>())
    }

    /// Notes how far the streams were handled, if nothing made from them still lies in a queue.
    pub(crate) async fn keep_progress(&mut self, emulators: &Emulators, now: Time) -> std::io::Result<()> {
        let Some(folder) = self.data.as_deref() else { return Ok(()) };
        for queue in &self.queues {
            // Ticks are hints: the sweep finds again what a lost one was about.
            if queue.name != "ticks" && emulators.queue_len(queue.name).await != Some(0) {
                return Ok(());
            }
        }
        let reached = Progress {
            now: Some(now),
            events: self.events.handled.clone(),
            audit: self.audit.handled.clone(),
        };
        if reached.events != self.kept.events || reached.audit != self.kept.audit {
            progress::write(folder, &reached)?;
            self.kept = reached;
        }
        Ok(())
    }
}
