//! What every function is handed.

use std::sync::Arc;

use crate::aliases::Aliases;
use crate::audit::Audit;
use crate::brake::Brakes;
use crate::clients::Clients;
use crate::config::ConfigStore;
use crate::due::DueIndex;
use crate::events::Events;
use crate::listening::Listening;
use crate::openid::Provider;
use crate::outbox::Outbox;
use crate::parked::ParkedSignals;
use crate::runs::Runs;
use crate::secrets::Secrets;
use crate::settings::{Console, Settings};
use crate::watch::Watches;

/// Everything a function uses, built once in `main`.
#[derive(Debug)]
pub struct App {
    /// Names and addresses.
    pub settings: Settings,
    /// Inbound events and rejected deliveries.
    pub events: Events,
    /// Who tries a source out, and what comes of it.
    pub listening: Listening,
    /// Other names of assets.
    pub aliases: Aliases,
    /// Runs.
    pub runs: Runs,
    /// Signals that wait for their trigger.
    pub parked: ParkedSignals,
    /// What of flows themselves the clock must look at.
    pub watches: Watches,
    /// What notices people were sent of late.
    pub brakes: Brakes,
    /// What the clock must look at next.
    pub due: DueIndex,
    /// Records.
    pub audit: Audit,
    /// Flows, sources and the directory.
    pub config: ConfigStore,
    /// Webhook secrets.
    pub secrets: Secrets,
    /// Whom people of the console sign in with, where that is a provider.
    pub provider: Option<Provider>,
    /// Queues and the bus.
    pub outbox: Outbox,
    /// The clients that all of these share.
    pub clients: Arc<Clients>,
}

impl App {
    /// The app of a Lambda function.
    pub async fn from_env() -> Self {
        Self::new(Arc::new(Clients::from_env().await), Settings::from_env())
    }

    /// The app over these clients.
    pub fn new(clients: Arc<Clients>, settings: Settings) -> Self {
        let audit = Audit::new(clients.clone(), &settings);
        let provider = match &settings.console {
            Console::OpenId(provider) => {
                Some(Provider::new(clients.clone(), provider.clone(), settings.allow_private))
            }
            Console::Closed | Console::Trusting(_) => None,
        };
        Self {
            provider,
            events: Events::new(clients.clone(), &settings),
            listening: Listening::new(clients.clone(), &settings),
            aliases: Aliases::new(clients.clone(), &settings),
            runs: Runs::new(clients.clone(), &settings),
            parked: ParkedSignals::new(clients.clone(), &settings),
            watches: Watches::new(clients.clone(), &settings),
            brakes: Brakes::new(clients.clone(), &settings),
            due: DueIndex::new(clients.clone(), &settings),
            config: ConfigStore::new(clients.clone(), &settings),
            secrets: Secrets::new(clients.clone(), settings.secret_prefix.clone()),
            outbox: Outbox::new(clients.clone(), &settings),
            audit,
            clients,
            settings,
        }
    }
}
