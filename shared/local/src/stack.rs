//! The stack: emulators, functions and clock together, as they are deployed together.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use meshline_aws::clients::{Clients, Endpoints};
use meshline_aws::settings::{Console, DEFAULT_DUE_SHARDS, OpenId, Settings};
use meshline_aws::{App, StoreError};
use meshline_core::day::Day;
use meshline_core::time::{Span, Time};
use tokio::sync::{RwLock, watch};
use tokio::task::JoinSet;

use crate::clock::Clock;
use crate::emulators::{Emulators, Options as EmulatorOptions, StartError};
use crate::faults::{Faults, Plan, Report};
use crate::left_behind::LeftBehind;
use crate::progress;
use crate::pump::{EventSource, Pump, PumpError};
use crate::vault::LocalVault;

/// What stands before each name in the local secret store, as in the template.
const SECRET_PREFIX: &str = "meshline/";
/// How far ahead `sla-check` looks: a minute in which nothing falls due within it need not be fired.
const LOOKAHEAD: Span = Span::from_ms(150_000);
/// When in a UTC day `report` fires, as in the template.
const REPORT_AT: Span = Span::minutes(20);

/// How the stack is started.
#[derive(Default)]
pub struct Options {
    /// The address that links and signatures name: `http://127.0.0.1:8080`.
    pub public_url: String,
    /// The folder that keeps everything; `None` keeps it in memory.
    pub data: Option<PathBuf>,
    /// The time to start at; the wall clock's when `None`.
    pub clock: Option<Time>,
    /// Whether time moves only when it is told to.
    pub clock_frozen: bool,
    /// Secrets by name.
    pub secrets: BTreeMap<String, String>,
    /// Partitions of what falls due, where not as many as on AWS: fewer are cheaper to ask.
    pub due_shards: Option<u16>,
    /// Whom people sign in to the console with, as on AWS; without one they choose who they are.
    pub provider: Option<OpenId>,
}

/// The running stack.
pub struct Stack {
    /// What every handler is handed.
    pub app: App,
    /// What asks for the stack itself, as AWS does for its pollers: no fault on demand is on its way.
    pub own: App,
    /// The AWS services.
    pub emulators: Emulators,
    /// The one clock.
    pub clock: Clock,
    /// Where checkpoints of the audit trail are kept and signed.
    pub vault: LocalVault,
    /// Shared by those who each move what one stream or queue has; whoever has it alone moves everything, and time.
    pump: RwLock<Pump>,
    /// Told when somebody may have written something.
    written: watch::Sender<()>,
    pub(crate) faults: Arc<Faults>,
    /// What a stream's consumer failed on too often.
    left_behind: Arc<LeftBehind>,
}

/// Why the stack did not start, or stopped.
#[derive(Debug, thiserror::Error)]
pub enum StackError {
    /// The emulators did not start.
    #[error("start the emulators")]
    Start(#[from] StartError),
    /// The folder's notes or key could not be read or written.
    #[error("use the data folder")]
    Folder(#[from] std::io::Error),
    /// Streams or queues could not be read.
    #[error(transparent)]
    Pump(#[from] PumpError),
    /// The tables could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Stack {
    /// Starts the emulators and what is between them. Nothing moves until [`Stack::run`] or [`Stack::settle`].
    ///
    /// # Errors
    /// A port, the folder or the database is not to be had.
    pub async fn start(options: Options) -> Result<Arc<Self>, StackError> {
        let progress = options.data.as_deref().map(progress::read).transpose()?.unwrap_or_default();
        let clock = Clock::starting_at(options.clock, options.clock_frozen);
        // A clock that was moved ahead by hand must not fall behind what is stored.
        clock.set(progress.now.unwrap_or(clock.now()));
        let faults = Arc::new(Faults::default());
        let emulators = Emulators::start(EmulatorOptions {
            faults: Arc::clone(&faults),
            data: options.data.clone(),
            clock: clock.clone(),
            secrets: options.secrets,
            prefix_secret: SECRET_PREFIX.to_owned(),
        })
        .await?;
        let endpoints = Endpoints {
            dynamodb: Some(emulators.dynamodb_url.clone()),
            sqs: Some(emulators.sqs_url.clone()),
            events: Some(emulators.events_url.clone()),
            secrets: Some(emulators.secrets_url.clone()),
        };
        let mut settings = settings(&emulators, options.public_url, options.provider);
        settings.due_shards = options.due_shards.unwrap_or(settings.due_shards);
        let faultless = Arc::new(Faults::default()).http_client();
        let own = Arc::new(Clients::local(endpoints.clone(), faultless).await);
        let own = App::new(own, settings.clone());
        let app = App::new(Arc::new(Clients::local(endpoints, faults.http_client()).await), settings);
        let vault = LocalVault::open(options.data.clone())?;
        let left_behind = Arc::new(LeftBehind::in_folder(options.data.as_deref()));
        let pump = Pump::new(&emulators, options.data, progress, &faults, &left_behind)?;
        let (pump, written) = (pump.into(), watch::Sender::new(()));
        Ok(Arc::new(Self { app, own, emulators, clock, vault, pump, written, faults, left_behind }))
    }

    /// Moves what there is to move, for as long as it is awaited: each stream and queue by itself, as on AWS, so that
    /// nobody waits for a slow receiver; and sweeps at each full minute of a running clock.
    pub async fn run(self: &Arc<Self>) {
        let mut sources = JoinSet::new();
        for source in EventSource::all() {
            let stack = Arc::clone(self);
            sources.spawn(async move { stack.keep_moving(source).await });
        }
        tokio::select! {
            () = self.keep_time() => {}
            // They end by a panic only, and a stack that moves nothing any more must not look like one that runs.
            Some(Err(ended)) = sources.join_next() => {
                if let Ok(panic) = ended.try_into_panic() {
                    std::panic::resume_unwind(panic);
                }
            }
        }
    }

    /// Hands over what a stream or queue has, batch after batch, whenever something was written.
    async fn keep_moving(&self, source: EventSource) {
        let mut written = self.written.subscribe();
        loop {
            written.mark_unchanged();
            let moved = {
                let pump = self.pump.read().await;
                pump.hand_over(source, &self.app, &self.emulators, self.clock.now()).await
            };
            match moved {
                Ok(0) => {
                    let kept = self.pump.read().await.keep_progress(&self.emulators, self.clock.now()).await;
                    if let Err(error) = kept {
                        tracing::error!(%error, "how far the streams were handled could not be noted");
                    }
                    let _ = written.changed().await;
                }
                Ok(_) => self.wake(),
                Err(error) => {
                    tracing::error!(%error, ?source, "nothing could be handed over");
                    let _ = written.changed().await;
                }
            }
        }
    }

    /// Lets go of held messages when they are due, and fires the schedule. A frozen clock does neither: whoever moves it does.
    async fn keep_time(&self) {
        if self.clock.is_frozen() {
            return std::future::pending().await;
        }
        let mut written = self.written.subscribe();
        let start = self.clock.now();
        let (mut firing, mut report) = (start.next_minute(), next_report(start));
        loop {
            let now = self.clock.now();
            if self.emulators.next_held().is_some_and(|due| due <= now) {
                self.emulators.release_due().await;
                self.wake();
            }
            if now >= firing {
                self.sweep().await;
                firing = now.next_minute();
                if now >= report {
                    self.report().await;
                    report = next_report(now);
                }
                self.wake();
            }
            let next = self.emulators.next_held().map_or(firing, |held| held.min(firing));
            let wait = std::time::Duration::from_millis(next.since(self.clock.now()).ms().unsigned_abs());
            // Whatever was written may have brought a message that is held for less long.
            let _ = tokio::time::timeout(wait, written.changed()).await;
        }
    }

    /// Says that somebody may have written something.
    pub fn wake(&self) {
        self.written.send_replace(());
    }

    /// Moves everything that is under way until streams, queues and due ticks are empty.
    ///
    /// # Errors
    /// Streams or queues cannot be read.
    pub async fn settle(&self) -> Result<(), StackError> {
        self.settle_alone(&*self.pump.write().await).await
    }

    /// Settles, in rounds: nobody else moves anything.
    async fn settle_alone(&self, pump: &Pump) -> Result<(), StackError> {
        loop {
            self.emulators.release_due().await;
            if pump.once(&self.app, &self.emulators, self.clock.now()).await? == 0 {
                break;
            }
        }
        pump.keep_progress(&self.emulators, self.clock.now()).await?;
        Ok(())
    }

    /// Moves the clock to `to` through every minute in which something is due and every firing of `report`, settling
    /// after each.
    ///
    /// # Errors
    /// Tables, streams or queues cannot be read.
    pub async fn advance_to(&self, to: Time) -> Result<Time, StackError> {
        let pump = self.pump.write().await;
        self.settle_alone(&pump).await?;
        loop {
            let now = self.clock.now();
            let minute = self.next_firing(now, to).await?;
            let (held, report) = (self.emulators.next_held(), next_report(now));
            let earliest = [minute, held, Some(report)].into_iter().flatten().min();
            let Some(next) = earliest.filter(|next| *next <= to) else { break };
            self.clock.set(next);
            if Some(next) == minute {
                self.sweep().await;
            }
            if next == report {
                self.report().await;
            }
            self.settle_alone(&pump).await?;
        }
        let now = self.clock.set(to);
        self.settle_alone(&pump).await?;
        Ok(now)
    }

    /// The next full minute, up to `to`, at which the schedule has something to find.
    async fn next_firing(&self, now: Time, to: Time) -> Result<Option<Time>, StackError> {
        let shards = self.own.due.shards();
        let found = shards.iter().map(|shard| self.own.due.until(shard, to + LOOKAHEAD, 1));
        let found = futures_util::future::try_join_all(found).await?;
        let earliest = found.into_iter().flatten().map(|due| due.at).min();
        let minute =
            earliest.map(|due| (due - LOOKAHEAD - Span::from_ms(1)).next_minute().max(now.next_minute()));
        Ok(minute.filter(|minute| *minute <= to))
    }

    async fn sweep(&self) {
        let now = self.faults.time("sla-check", self.clock.now());
        let sweep = meshline_sla_check::sweep(&self.app, now);
        if let Some(Err(error)) = self.faults.invoke("sla-check", sweep).await {
            tracing::error!(error = %error, "the sweep failed; the next one looks again");
        }
    }

    async fn report(&self) {
        let closed = meshline_report::close_days(&self.app, &self.vault, self.clock.now());
        if let Some(Err(error)) = self.faults.invoke("report", closed).await {
            tracing::error!(error = %error, "a day could not be closed; the next firing tries again");
        }
    }

    /// Puts a plan of faults in force, in place of the one before; the plan that says nothing ends them.
    pub fn set_faults(&self, plan: Plan) {
        self.faults.set(plan);
    }

    /// The plan of faults that is in force, and what has come of it.
    pub fn faults(&self) -> Report {
        self.faults.report()
    }

    /// The records of streams that a consumer failed on too often, whole.
    pub fn left_behind(&self) -> Vec<serde_json::Value> {
        self.left_behind.records()
    }

    /// Kills the next invocations of a function in the middle of their work, each
    /// after it has waited for something so many times.
    pub fn kill(&self, function: &str, after: &[usize]) {
        self.faults.kill(function, after);
    }
}

/// The next firing of `report`, strictly after `now`.
fn next_report(now: Time) -> Time {
    let today = Day::of(now);
    let firing = today.start() + REPORT_AT;
    if firing > now { firing } else { today.next().start() + REPORT_AT }
}

fn settings(emulators: &Emulators, public_url: String, provider: Option<OpenId>) -> Settings {
    Settings {
        events_table: "meshline-events".to_owned(),
        state_table: "meshline-state".to_owned(),
        audit_table: "meshline-audit".to_owned(),
        escalations_queue: emulators.queue_url("escalations"),
        exceptions_queue: emulators.queue_url("exceptions"),
        requests_queue: emulators.queue_url("requests"),
        ticks_queue: emulators.queue_url("ticks"),
        spill_queue: emulators.queue_url("ingest-spill"),
        bus: "meshline".to_owned(),
        due_shards: DEFAULT_DUE_SHARDS,
        secret_prefix: SECRET_PREFIX.to_owned(),
        allow_private: true,
        console_url: Some(public_url.clone()),
        public_url,
        console: provider.map_or(Console::Trusting(crate::sign_in::PATH), Console::OpenId),
        ..Settings::default() // what belongs to the deployed vault
    }
}
