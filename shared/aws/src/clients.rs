//! AWS clients: one configuration, each client built when first used.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};
use aws_sdk_dynamodb::types::ConsumedCapacity;
use aws_smithy_runtime_api::client::http::SharedHttpClient;

/// Other addresses than AWS's own, for the local stack. `None` is AWS, or what `AWS_ENDPOINT_URL` says.
#[derive(Debug, Clone, Default)]
pub struct Endpoints {
    /// DynamoDB.
    pub dynamodb: Option<String>,
    /// SQS.
    pub sqs: Option<String>,
    /// EventBridge.
    pub events: Option<String>,
    /// Secrets Manager.
    pub secrets: Option<String>,
}

/// The clients of one process.
#[derive(Debug)]
pub struct Clients {
    config: SdkConfig,
    endpoints: Endpoints,
    dynamodb: OnceLock<aws_sdk_dynamodb::Client>,
    sqs: OnceLock<aws_sdk_sqs::Client>,
    events: OnceLock<aws_sdk_eventbridge::Client>,
    secrets: OnceLock<aws_sdk_secretsmanager::Client>,
    write_units: AtomicU64,
}

/// The SDK waits a second before its first retry and puts no limit on a call: both would
/// eat the time that a webhook's sender grants.
fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(Duration::from_millis(1_000))
        .operation_attempt_timeout(Duration::from_millis(1_500))
        .operation_timeout(Duration::from_millis(4_000))
        .build()
}

fn retries() -> RetryConfig {
    RetryConfig::standard()
        .with_max_attempts(4)
        .with_initial_backoff(Duration::from_millis(50))
        .with_max_backoff(Duration::from_millis(500))
}

impl Clients {
    /// Clients for the account that the environment says.
    pub async fn from_env() -> Self {
        let loader = aws_config::defaults(BehaviorVersion::latest());
        Self::new(
            loader.timeout_config(timeouts()).retry_config(retries()).load().await,
            Endpoints::default(),
        )
    }

    /// Clients for emulators on this machine, which take any credentials and need little time to recover.
    pub async fn local(endpoints: Endpoints, http: SharedHttpClient) -> Self {
        let loader = aws_config::defaults(BehaviorVersion::latest())
            .test_credentials()
            .http_client(http)
            .region(aws_config::Region::new("us-east-1"))
            .timeout_config(
                timeouts()
                    .to_builder()
                    .operation_attempt_timeout(Duration::from_secs(10))
                    .operation_timeout(Duration::from_secs(30))
                    .build(),
            );
        let (initial, most) = (Duration::from_millis(2), Duration::from_millis(20));
        let retries = retries().with_initial_backoff(initial).with_max_backoff(most);
        Self::new(loader.retry_config(retries).load().await, endpoints)
    }

    /// Clients over a configuration.
    pub fn new(config: SdkConfig, endpoints: Endpoints) -> Self {
        let (dynamodb, sqs, events, secrets) = Default::default();
        Self { config, endpoints, dynamodb, sqs, events, secrets, write_units: AtomicU64::new(0) }
    }

    /// Counts what a write consumed, as DynamoDB says it: tables and indexes.
    pub(crate) fn consumed<'c>(&self, capacity: impl IntoIterator<Item = &'c ConsumedCapacity>) {
        let units: f64 = capacity.into_iter().filter_map(ConsumedCapacity::capacity_units).sum();
        self.write_units.fetch_add(units.round() as u64, Ordering::Relaxed);
    }

    /// Write units that events and runs have consumed since the start, in all tables and indexes.
    pub fn write_units(&self) -> u64 {
        self.write_units.load(Ordering::Relaxed)
    }

    /// The configuration that all clients share.
    pub fn config(&self) -> &SdkConfig {
        &self.config
    }

    /// DynamoDB.
    pub fn dynamodb(&self) -> &aws_sdk_dynamodb::Client {
        self.dynamodb.get_or_init(|| {
            let config = aws_sdk_dynamodb::config::Builder::from(&self.config);
            aws_sdk_dynamodb::Client::from_conf(
                with(&self.endpoints.dynamodb, config, |c, url| c.endpoint_url(url)).build(),
            )
        })
    }

    /// SQS.
    pub fn sqs(&self) -> &aws_sdk_sqs::Client {
        self.sqs.get_or_init(|| {
            let config = aws_sdk_sqs::config::Builder::from(&self.config);
            aws_sdk_sqs::Client::from_conf(
                with(&self.endpoints.sqs, config, |c, url| c.endpoint_url(url)).build(),
            )
        })
    }

    /// EventBridge.
    pub fn events(&self) -> &aws_sdk_eventbridge::Client {
        self.events.get_or_init(|| {
            let config = aws_sdk_eventbridge::config::Builder::from(&self.config);
            aws_sdk_eventbridge::Client::from_conf(
                with(&self.endpoints.events, config, |c, url| c.endpoint_url(url)).build(),
            )
        })
    }

    /// Secrets Manager.
    pub fn secrets(&self) -> &aws_sdk_secretsmanager::Client {
        self.secrets.get_or_init(|| {
            let config = aws_sdk_secretsmanager::config::Builder::from(&self.config);
            aws_sdk_secretsmanager::Client::from_conf(
                with(&self.endpoints.secrets, config, |c, url| c.endpoint_url(url)).build(),
            )
        })
    }
}

fn with<B>(endpoint: &Option<String>, builder: B, set: impl Fn(B, &str) -> B) -> B {
    match endpoint {
        Some(url) => set(builder, url),
        None => builder,
    }
}
