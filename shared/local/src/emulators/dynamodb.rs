//! DynamoDB and its streams: `dynoxide`, with its own HTTP server, in memory or in one SQLite file.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use dynoxide::Database;
use tokio::net::TcpListener;

use super::{REGION, StartError, Stop};
use crate::clock::Clock;
use crate::tables;

/// The query of every write and every poll: without this index dynoxide reads all stream records for it, and the
/// local stack slows down with each.
const STREAM_INDEX: &str = "CREATE INDEX IF NOT EXISTS meshline_stream_records
    ON _stream_records (table_name, CAST(sequence_number AS INTEGER))";

/// Opens the tables: in memory, or in the file `dynamodb.sqlite` of `folder`.
pub(super) fn open(folder: Option<PathBuf>, clock: &Clock) -> Result<Database, StartError> {
    let Some(folder) = folder else {
        let failed = |e: OpenError| StartError::Database("in memory".into(), e);
        return open_memory(clock).map_err(failed);
    };
    std::fs::create_dir_all(&folder).map_err(|e| StartError::Folder(folder.clone(), e))?;
    // dynoxide takes a clock for a database in memory only. In a file, the creation time of a stream record is
    // the wall clock's; nothing in Meshline reads it.
    let path = folder.join("dynamodb.sqlite").display().to_string();
    open_indexed(&path).map(|(database, _)| database).map_err(|e| StartError::Database(path, e))
}

/// An empty database in memory that goes by `clock`: dynoxide's own schema and the index, copied into it.
fn open_memory(clock: &Clock) -> Result<Database, OpenError> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let uri = format!("file:meshline-{count}?mode=memory&cache=shared");
    let _template = open_indexed(&uri)?;
    let database = Database::memory_with_clock(Arc::new(Seconds(clock.clone())))?;
    database.restore_from(&uri)?;
    Ok(database)
}

/// Opens a database with the index on its stream records, and the connection that made the index.
fn open_indexed(path: &str) -> Result<(Database, rusqlite::Connection), OpenError> {
    let database = Database::new(path)?;
    let connection = rusqlite::Connection::open(path)?;
    connection.execute_batch(STREAM_INDEX)?;
    Ok((database, connection))
}

/// Why a database could not be opened.
type OpenError = Box<dyn std::error::Error + Send + Sync>;

pub(super) async fn serve(listener: TcpListener, database: Database, stop: Stop) {
    if let Err(e) = dynoxide::server::serve_with_shutdown(listener, database, stop).await {
        tracing::error!(error = %e, "the DynamoDB emulator stopped");
    }
}

/// Creates the tables that are absent, through the SDK as anyone would.
pub(super) async fn create_tables(url: &str) -> Result<(), StartError> {
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(REGION))
        .credentials_provider(Credentials::new("local", "local", None, None, "meshline-local"))
        .endpoint_url(url)
        .build();
    let client = Client::from_conf(config);
    for table in tables::tables() {
        tables::create_if_absent(&client, &table).await?;
    }
    Ok(())
}

/// The clock as dynoxide reads it.
struct Seconds(Clock);

impl dynoxide::storage_backend::Clock for Seconds {
    fn now_unix_secs(&self) -> u64 {
        u64::try_from(self.0.now().unix_ms() / 1000).unwrap_or_default()
    }

    #[expect(clippy::cast_precision_loss, reason = "milliseconds until the year 9999 are below 2^53")]
    fn now_unix_secs_f64(&self) -> f64 {
        self.0.now().unix_ms().max(0) as f64 / 1000.0
    }
}
