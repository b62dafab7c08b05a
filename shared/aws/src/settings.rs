//! Settings: what template.yaml tells a function through its environment.

use std::time::Duration;

/// Names and addresses of what a function uses. An empty one belongs to another function.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Table of inbound events. `MESHLINE_EVENTS_TABLE`
    pub events_table: String,
    /// Table of runs and configuration. `MESHLINE_STATE_TABLE`
    pub state_table: String,
    /// Table of records. `MESHLINE_AUDIT_TABLE`
    pub audit_table: String,
    /// Address of the queue `escalations`. `MESHLINE_QUEUE_ESCALATIONS`
    pub escalations_queue: String,
    /// Address of the queue `exceptions`. `MESHLINE_QUEUE_EXCEPTIONS`
    pub exceptions_queue: String,
    /// Address of the queue `requests`. `MESHLINE_QUEUE_REQUESTS`
    pub requests_queue: String,
    /// Address of the queue `ticks`. `MESHLINE_QUEUE_TICKS`
    pub ticks_queue: String,
    /// Address of the queue `ingest-spill`. `MESHLINE_QUEUE_INGEST_SPILL`
    pub spill_queue: String,
    /// Name of the bus. `MESHLINE_BUS`
    pub bus: String,
    /// Into how many partitions the index of due runs is split. `MESHLINE_DUE_SHARDS`
    pub due_shards: u16,
    /// What stands before a secret's name in the secret store. `MESHLINE_SECRET_PREFIX`
    pub secret_prefix: String,
    /// Address of the HTTP API, as people and providers see it; no slash at the end. `MESHLINE_PUBLIC_URL`
    pub public_url: String,
    /// Whether whom we call over HTTP may be in private networks. `MESHLINE_ALLOW_PRIVATE`: `true` or not
    pub allow_private: bool,
    /// The address that e-mail comes from, which SES has verified; without it none is sent. `MESHLINE_MAIL_FROM`
    pub mail_from: String,
    /// Bucket of the checkpoints of the audit trail. `MESHLINE_CHECKPOINTS_BUCKET`
    pub checkpoints_bucket: String,
    /// KMS key that signs them, its id or ARN. `MESHLINE_CHECKPOINTS_KEY`
    pub checkpoints_key: String,
    /// For how many days none of them can be removed. `MESHLINE_CHECKPOINTS_RETENTION_DAYS`
    pub checkpoints_retention_days: u32,
    /// Whom that binds: `COMPLIANCE` everybody, `GOVERNANCE` all but who may bypass it; for stacks made to be thrown
    /// away. `MESHLINE_CHECKPOINTS_RETENTION_MODE`
    pub checkpoints_retention_mode: String,
    /// Who lets people into the console.
    pub console: Console,
    /// Address of the console, for links in messages; none where there is no console. `MESHLINE_CONSOLE_URL`
    pub console_url: Option<String>,
}

/// Who lets people into the console.
#[derive(Debug, Clone, Default)]
pub enum Console {
    /// Nobody: there is none.
    #[default]
    Closed,
    /// The HTTP API in front, which knows who is there: the local stack. People choose who they are at this path.
    Trusting(&'static str),
    /// `ops-api` itself, which asks an OpenID provider.
    OpenId(OpenId),
}

/// An OpenID provider, and what Meshline is called there.
#[derive(Debug, Clone)]
pub struct OpenId {
    /// Its issuer, byte for byte as its documents have it. `MESHLINE_CONSOLE_ISSUER`
    pub issuer: String,
    /// Our client id. `MESHLINE_CONSOLE_CLIENT_ID`
    pub client_id: String,
    /// Name of our client secret in the secret store, which no prefix is put before. `MESHLINE_CONSOLE_SECRET`
    pub secret: String,
    /// How long it has for one answer.
    pub timeout: Duration,
}

/// Enough for a few thousand runs a second.
pub const DEFAULT_DUE_SHARDS: u16 = 16;
/// A year, and a month to look into it.
pub const DEFAULT_RETENTION_DAYS: u32 = 400;
/// A login asks twice, and the secret store: together well below the 29 seconds that the function has.
const PROVIDER_TIMEOUT: Duration = Duration::from_secs(5);

impl Settings {
    /// Reads the environment.
    pub fn from_env() -> Self {
        let read = |name: &str| std::env::var(name).unwrap_or_default();
        Self {
            events_table: read("MESHLINE_EVENTS_TABLE"),
            state_table: read("MESHLINE_STATE_TABLE"),
            audit_table: read("MESHLINE_AUDIT_TABLE"),
            escalations_queue: read("MESHLINE_QUEUE_ESCALATIONS"),
            exceptions_queue: read("MESHLINE_QUEUE_EXCEPTIONS"),
            requests_queue: read("MESHLINE_QUEUE_REQUESTS"),
            ticks_queue: read("MESHLINE_QUEUE_TICKS"),
            spill_queue: read("MESHLINE_QUEUE_INGEST_SPILL"),
            bus: read("MESHLINE_BUS"),
            due_shards: read("MESHLINE_DUE_SHARDS").parse().unwrap_or(DEFAULT_DUE_SHARDS).max(1),
            secret_prefix: read("MESHLINE_SECRET_PREFIX"),
            public_url: read("MESHLINE_PUBLIC_URL").trim_end_matches('/').to_owned(),
            allow_private: read("MESHLINE_ALLOW_PRIVATE") == "true",
            mail_from: read("MESHLINE_MAIL_FROM"),
            checkpoints_bucket: read("MESHLINE_CHECKPOINTS_BUCKET"),
            checkpoints_key: read("MESHLINE_CHECKPOINTS_KEY"),
            checkpoints_retention_days: read("MESHLINE_CHECKPOINTS_RETENTION_DAYS")
                .parse()
                .unwrap_or(DEFAULT_RETENTION_DAYS)
                .max(1),
            checkpoints_retention_mode: read("MESHLINE_CHECKPOINTS_RETENTION_MODE"),
            console: Console::of(OpenId {
                issuer: read("MESHLINE_CONSOLE_ISSUER"),
                client_id: read("MESHLINE_CONSOLE_CLIENT_ID"),
                secret: read("MESHLINE_CONSOLE_SECRET"),
                timeout: PROVIDER_TIMEOUT,
            }),
            console_url: Some(read("MESHLINE_CONSOLE_URL")).filter(|url| !url.is_empty()),
        }
    }
}

impl Console {
    /// That of a stack whose provider may not have been named.
    fn of(provider: OpenId) -> Self {
        let OpenId { issuer, client_id, secret, timeout: _ } = &provider;
        let is_whole = [issuer, client_id, secret].iter().all(|text| !text.is_empty());
        if is_whole { Self::OpenId(provider) } else { Self::Closed }
    }
}
