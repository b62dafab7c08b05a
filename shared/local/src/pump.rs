//! The pump: what Lambda's event source mappings are on AWS. Stream to handler, queue to handler.

mod queue;
mod stream;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::try_join_all;
use meshline_aws::App;
use meshline_aws::mail::NoMail;
use meshline_core::time::Time;
use meshline_notify::Notifier;
use tokio::sync::Mutex;

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
    events: Mutex<Stream>,
    audit: Mutex<Stream>,
    data: Option<PathBuf>,
    kept: Mutex<Progress>,
    faults: Arc<Faults>,
    left_behind: Arc<LeftBehind>,
    notifier: Notifier<NoMail>,
}

/// What batches come from, as Lambda calls it; a source of webhooks is something else.
#[derive(Debug, Clone, Copy)]
pub(crate) enum EventSource {
    /// The stream of the events table, for `route`.
    Events,
    /// The stream of the audit table, for `relay`.
    Audit,
    /// One of [`QUEUES`], by name.
    Queue(&'static str),
}

impl EventSource {
    /// Each of them.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        [Self::Events, Self::Audit].into_iter().chain(QUEUES.map(Self::Queue))
    }
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
    pub(crate) fn new(
        emulators: &Emulators,
        data: Option<PathBuf>,
        kept: Progress,
        faults: &Arc<Faults>,
        left_behind: &Arc<LeftBehind>,
    ) -> Result<Self, PumpError> {
        let events = Stream::of(&emulators.tables, "meshline-events", kept.events.clone())?;
        let audit = Stream::of(&emulators.tables, "meshline-audit", kept.audit.clone())?;
        let notifier = Notifier::new(NoMail, NOTIFY_TIMEOUT, true, Some(emulators.inbox_url.clone()));
        Ok(Self {
            events: events.into(),
            audit: audit.into(),
            data,
            kept: kept.into(),
            faults: Arc::clone(faults),
            left_behind: Arc::clone(left_behind),
            notifier,
        })
    }

    /// Hands over one batch of every stream and queue, all at once; gives how much there was.
    pub(crate) async fn once(&self, app: &App, emulators: &Emulators, now: Time) -> Result<usize, PumpError> {
        let all = EventSource::all().map(|source| self.hand_over(source, app, emulators, now));
        Ok(try_join_all(all).await?.into_iter().sum())
    }

    /// Hands over one batch of a stream or queue; gives how much there was.
    pub(crate) async fn hand_over(
        &self,
        source: EventSource,
        app: &App,
        emulators: &Emulators,
        now: Time,
    ) -> Result<usize, PumpError> {
        let (faults, left_behind) = (&*self.faults, &*self.left_behind);
        let at = |function| faults.time(function, now);
        match source {
            EventSource::Events => {
                let route = async |batch| {
                    faults.invoke("route", meshline_route::handle(app, batch, at("route"))).await
                };
                let mut events = self.events.lock().await;
                events.hand_over(&emulators.tables, faults, left_behind, now, route).await
            }
            EventSource::Audit => {
                let relay = async |batch| {
                    faults.invoke("relay", meshline_relay::handle(app, batch, at("relay"))).await
                };
                let mut audit = self.audit.lock().await;
                audit.hand_over(&emulators.tables, faults, left_behind, now, relay).await
            }
            // Asking an empty queue is most of what an idle stack would do.
            EventSource::Queue(name) if emulators.queue_len(name).await == Some(0) => Ok(0),
            EventSource::Queue(name) => {
                let queue = Queue { queues: &emulators.queues, name, url: emulators.queue_url(name) };
                queue.hand_over(app, &self.notifier, faults, now).await
            }
        }
    }

    /// Notes how far the streams were handled, if nothing made from them still lies in a queue. While a stream's batch is
    /// under way there is nothing to note: whoever handles it comes here afterwards.
    pub(crate) async fn keep_progress(&self, emulators: &Emulators, now: Time) -> std::io::Result<()> {
        let Some(folder) = self.data.as_deref() else { return Ok(()) };
        let mut kept = self.kept.lock().await;
        // Before the queues are asked: what was made from later records does not count.
        let handled = |stream: &Mutex<Stream>| stream.try_lock().map(|stream| stream.handled.clone());
        let (Ok(events), Ok(audit)) = (handled(&self.events), handled(&self.audit)) else { return Ok(()) };
        if events == kept.events && audit == kept.audit {
            return Ok(());
        }
        // Ticks are hints: the sweep finds again what a lost one was about.
        for queue in QUEUES.into_iter().filter(|queue| *queue != "ticks") {
            if emulators.queue_len(queue).await != Some(0) {
                return Ok(());
            }
        }
        let reached = Progress { now: Some(now), events, audit };
        progress::write(folder, &reached)?;
        *kept = reached;
        Ok(())
    }
}
