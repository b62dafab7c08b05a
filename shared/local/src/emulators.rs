//! The AWS services of the local stack, each on a loopback port: DynamoDB, SQS, EventBridge, Secrets Manager; and the inbox,
//! which stands for people and systems.
//!
//! They speak the wire protocol of AWS, so that the real SDK clients, the AWS CLI and any GUI work against
//! them; credentials are demanded and not checked. What they know of time comes from one [`Clock`].

use std::collections::BTreeMap;
use std::future::Future;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use dynoxide::Database;
use meshline_core::time::Time;
use serde::Serialize;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::clock::Clock;
use crate::faults::Faults;

mod dynamodb;
mod events;
mod inbox;
mod secrets;
mod sqs;

pub use sqs::QUEUES;
pub(crate) use sqs::Queues;

/// The region and account that every emulator shows.
const REGION: &str = "us-east-1";
const ACCOUNT: &str = "000000000000";

/// How the emulators are started.
pub struct Options {
    /// The folder that keeps the tables (`dynamodb.sqlite`); `None` keeps them in memory.
    pub data: Option<PathBuf>,
    /// The clock they all go by.
    pub clock: Clock,
    /// What goes wrong on demand.
    pub(crate) faults: Arc<Faults>,
    /// Secret values by name, without the prefix.
    pub secrets: BTreeMap<String, String>,
    /// What stands before each name in Secrets Manager: `meshline/`.
    pub prefix_secret: String,
}

/// Something that was sent: a message to a queue, or an event to the bus.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Message {
    /// The id the sender was answered with.
    pub id: String,
    /// When it was sent.
    pub at: Time,
    /// The body; text that is not JSON is a string.
    pub body: serde_json::Value,
}

/// The running emulators. They stop when this is dropped.
pub struct Emulators {
    /// The tables themselves, for who reads their streams in Lambda's stead.
    pub(crate) tables: Database,
    /// Where DynamoDB and its streams listen.
    pub dynamodb_url: String,
    /// Where SQS listens.
    pub sqs_url: String,
    /// Where EventBridge listens.
    pub events_url: String,
    /// Where Secrets Manager listens.
    pub secrets_url: String,
    /// Where what has no real address is sent.
    pub inbox_url: String,
    inbox: Arc<inbox::Inbox>,
    /// The queues themselves, for who reads them in Lambda's stead.
    pub(crate) queues: Arc<Queues>,
    bus: Arc<events::Bus>,
    servers: Servers,
}

/// Why the emulators did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// No loopback port could be had.
    #[error("listen on a loopback port")]
    Listen(#[source] std::io::Error),
    /// The folder for the tables could not be made.
    #[error("create the folder `{0}`")]
    Folder(PathBuf, #[source] std::io::Error),
    /// The database could not be opened.
    #[error("open the database `{0}`")]
    Database(String, #[source] Box<dyn std::error::Error + Send + Sync>),
    /// A table could not be created.
    #[error(transparent)]
    Table(#[from] crate::tables::CreateError),
    /// A queue could not be created.
    #[error("create the queue `{0}`")]
    Queue(String, #[source] rustack_sqs_model::error::SqsError),
    /// The bus could not be created.
    #[error("create the event bus")]
    Bus(#[source] Box<rustack_events_model::error::EventsError>),
}

impl Emulators {
    /// Starts all of them, with the tables, the queues and the bus in them. Needs a tokio runtime with IO and time.
    pub async fn start(options: Options) -> Result<Self, StartError> {
        let Options { data, clock, faults, secrets, prefix_secret } = options;
        let mut servers = Servers::new();

        let tables = dynamodb::open(data, &clock)?;
        let served = tables.clone();
        let (listener, dynamodb_url) = listen().await?;
        servers.run(|stop| dynamodb::serve(listener, served, stop));
        dynamodb::create_tables(&dynamodb_url).await?;

        let (listener, sqs_url) = listen().await?;
        let queues = Arc::new(Queues::create(&sqs_url, clock.clone()).await?);
        servers.run_router(listener, sqs::router(Arc::clone(&queues)));

        let (listener, inbox_url) = listen().await?;
        let inbox = Arc::new(inbox::Inbox::new(clock.clone(), faults));
        servers.run_router(listener, inbox::router(Arc::clone(&inbox)));

        let (listener, events_url) = listen().await?;
        let bus = Arc::new(events::Bus::create(clock, Arc::clone(&queues))?);
        servers.run_router(listener, events::router(Arc::clone(&bus)));

        let (listener, secrets_url) = listen().await?;
        servers.run_router(listener, secrets::router(&prefix_secret, secrets));

        Ok(Self {
            tables,
            dynamodb_url,
            sqs_url,
            events_url,
            secrets_url,
            inbox_url,
            inbox,
            queues,
            bus,
            servers,
        })
    }

    /// What was sent to people and systems that have no real address, in order: `to`, `by`, `address`, `subject`, `text`,
    /// `message`.
    pub fn inbox(&self) -> Vec<Message> {
        self.inbox.messages()
    }

    /// Stops all of them and waits until what they were answering is answered and the database is closed.
    pub async fn stop(self) {
        self.servers.stop().await;
    }

    /// The URL of `queue`, whether it exists or not.
    pub fn queue_url(&self, queue: &str) -> String {
        self.queues.url(queue)
    }

    /// Every message ever sent to `queue`, in order, also those that are held or gone; `None` when there is no
    /// such queue. What redrive moves to a dead-letter queue was not sent to it.
    pub fn messages(&self, queue: &str) -> Option<Vec<Message>> {
        self.queues.messages(queue)
    }

    /// How many messages of `queue` are not deleted yet: visible, in flight or held; `None` when there is no
    /// such queue.
    pub async fn queue_len(&self, queue: &str) -> Option<usize> {
        self.queues.len(queue).await
    }

    /// When the next held message is due; `None` when none is held.
    pub fn next_held(&self) -> Option<Time> {
        self.queues.next_held()
    }

    /// Lets go of the held messages that are due: they become visible in their queues.
    pub async fn release_due(&self) {
        self.queues.release_due().await;
    }

    /// Every event ever put on the bus `meshline`, in order: `source`, `detail-type`, `detail`, `time`, `resources`.
    pub fn bus(&self) -> Vec<Message> {
        self.bus.events()
    }
}

/// The servers of the emulators, and how to stop them.
struct Servers {
    tasks: JoinSet<()>,
    /// Dropped to stop them.
    stop: watch::Sender<()>,
}

impl Servers {
    fn new() -> Self {
        Self { tasks: JoinSet::new(), stop: watch::Sender::new(()) }
    }

    /// Runs the server that `serve` makes; it ends itself when the future it is given resolves.
    fn run<F: Future<Output = ()> + Send + 'static>(&mut self, serve: impl FnOnce(Stop) -> F) {
        let mut stop = self.stop.subscribe();
        let server = serve(Box::pin(async move { while stop.changed().await.is_ok() {} }));
        self.tasks.spawn(server);
    }

    fn run_router(&mut self, listener: TcpListener, router: Router) {
        self.run(|stop| async move {
            if let Err(e) = axum::serve(listener, router).with_graceful_shutdown(stop).await {
                tracing::error!(error = %e, "an emulator stopped");
            }
        });
    }

    async fn stop(self) {
        drop(self.stop);
        self.tasks.join_all().await;
    }
}

/// Resolves when a server has to stop.
type Stop = std::pin::Pin<Box<dyn Future<Output = ()> + Send>>;

/// Takes a free loopback port, and says its URL.
async fn listen() -> Result<(TcpListener, String), StartError> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(StartError::Listen)?;
    let address: SocketAddr = listener.local_addr().map_err(StartError::Listen)?;
    Ok((listener, format!("http://{address}")))
}

/// The body of a message: JSON where it is JSON.
fn json_or_text(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap_or_else(|_| text.into())
}

#[cfg(test)]
mod tests;
