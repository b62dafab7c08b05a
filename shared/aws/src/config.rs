//! Configuration in the state table: every version of every document, and one item that says which are in force.
//!
//! `CONFIG` / `INDEX` lists the current version of every document and counts applications (`generation`).
//! Reading it once tells whether the copy in memory is current, so no trigger meets an outdated flow.

mod limits;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem};
use meshline_core::config::calendar::Calendar;
use meshline_core::config::directory::Directory;
use meshline_core::config::flow::Flow;
use meshline_core::config::source::Source;
use meshline_core::config::{Action, Change, Config, DIRECTORY_ID, Kind, Plan, Versioned};
use meshline_core::route::Router;
use meshline_core::time::{Span, Time};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

pub use limits::too_large;

use crate::batch;
use crate::clients::Clients;
use crate::error::StoreError;
use crate::events::{Item, s};
use crate::packed;
use crate::settings::Settings;

/// How long a source is used without looking whether it changed.
const KEEP: Span = Span::from_ms(30_000);
/// How often at most an unknown source makes us look.
const LOOK_AGAIN: Span = Span::from_ms(2_000);
/// Above this, a document and the index are stored compressed: below, people can read them.
const PLAIN_BYTES: usize = 64 * 1024;
/// More than any document can have: the API takes no larger body.
const MAX_DOCUMENT_BYTES: u64 = 16 * 1024 * 1024;

/// What is being done when a document is read, for errors.
const READ: &str = "read a configuration document";

/// The configuration in force, with what is made from it.
#[derive(Clone)]
pub struct InForce {
    /// The documents.
    pub config: Arc<Config>,
    /// Finds the flows that an event triggers.
    pub router: Arc<Router>,
}

impl std::fmt::Debug for InForce {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "InForce(generation {})", self.config.generation)
    }
}

/// Versions of documents by id and version.
type Versions<T> = HashMap<(String, u32), Arc<Versioned<T>>>;

/// Configuration in the state table, with a copy in memory.
#[derive(Debug)]
pub struct ConfigStore {
    clients: Arc<Clients>,
    table: String,
    current: Mutex<Option<InForce>>,
    /// All that `ingest` needs of it.
    sources: Mutex<Option<Sources>>,
    /// Flow versions that are not in force any more; they never change.
    old: Mutex<Versions<Flow>>,
    /// Calendar versions likewise.
    old_calendars: Mutex<Versions<Calendar>>,
}

/// The sources in force, as they were looked up.
#[derive(Debug, Clone)]
struct Sources {
    at: Time,
    generation: u64,
    documents: Arc<BTreeMap<String, Versioned<Source>>>,
}

/// The item `CONFIG` / `INDEX`.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Index {
    generation: u64,
    entries: Vec<Entry>,
    turns: Turns,
}

/// Accepted turns by rotating role.
type Turns = BTreeMap<String, BTreeSet<u32>>;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Entry {
    kind: Kind,
    id: String,
    version: u32,
    hash: String,
}

impl ConfigStore {
    pub(crate) fn new(clients: Arc<Clients>, settings: &Settings) -> Self {
        Self {
            clients,
            table: settings.state_table.clone(),
            current: Mutex::default(),
            sources: Mutex::default(),
            old: Mutex::default(),
            old_calendars: Mutex::default(),
        }
    }

    /// The configuration as it is now: one small read when nothing changed.
    ///
    /// # Errors
    /// The table cannot be read, or holds what is no configuration.
    pub async fn fresh(&self) -> Result<InForce, StoreError> {
        let item = self.index().await?;
        let generation = generation(&item)?;
        let known = locked(&self.current).clone();
        let in_force = match known {
            // Every event asks: what the index lists is not even parsed then.
            Some(known) if known.config.generation == generation => return Ok(known),
            known => {
                let known = known.as_ref().map(|known| known.config.as_ref());
                self.load(&Index::read(generation, &item)?, known).await?
            }
        };
        *locked(&self.current) = Some(in_force.clone());
        // They are looked up anew by the next who asks.
        *locked(&self.sources) = None;
        Ok(in_force)
    }

    /// The source of that id, without a read while the copy in memory is young. Reads no flow: whoever takes webhooks in
    /// starts as fast with ten thousand of them.
    ///
    /// # Errors
    /// The table has to be read, and cannot be.
    pub async fn source(&self, id: &str, now: Time) -> Result<Option<Arc<Source>>, StoreError> {
        let find = |known: &Sources| known.documents.get(id).map(|source| source.document.clone());
        let known = locked(&self.sources).clone();
        if let Some(known) = &known {
            let found = find(known);
            let keep = if found.is_some() { KEEP } else { LOOK_AGAIN };
            if now.since(known.at) < keep {
                return Ok(found);
            }
        }
        let item = self.index().await?;
        let generation = generation(&item)?;
        let documents = match known {
            Some(known) if known.generation == generation => known.documents,
            known => {
                let index = Index::read(generation, &item)?;
                let known = known.as_ref().map(|known| known.documents.as_ref());
                Arc::new(self.documents(&index, Kind::Source, known).await?)
            }
        };
        let sources = Sources { at: now, generation, documents };
        let found = find(&sources);
        *locked(&self.sources) = Some(sources);
        Ok(found)
    }

    /// A version of a flow.
    ///
    /// # Errors
    /// The table has to be read, and cannot be; or there is no such version.
    pub async fn flow(&self, id: &str, version: u32) -> Result<Arc<Versioned<Flow>>, StoreError> {
        let current = locked(&self.current).as_ref().and_then(|known| known.config.flows.get(id).cloned());
        self.version(Kind::Flow, id, version, current, &self.old).await
    }

    /// The calendar that a run of `flow` counts by, in the version that it was opened with.
    ///
    /// # Errors
    /// The table has to be read, and cannot be; or there is no such version.
    pub async fn calendar(
        &self,
        flow: &Flow,
        version: Option<u32>,
    ) -> Result<Option<Arc<Versioned<Calendar>>>, StoreError> {
        let (Some(id), Some(version)) = (&flow.calendar, version) else { return Ok(None) };
        let current =
            locked(&self.current).as_ref().and_then(|known| known.config.calendars.get(id).cloned());
        self.version(Kind::Calendar, id, version, current, &self.old_calendars).await.map(Some)
    }

    /// A version of a document: the one in force, one that was read before, or one from the table.
    async fn version<T: DeserializeOwned>(
        &self,
        kind: Kind,
        id: &str,
        version: u32,
        current: Option<Versioned<T>>,
        old: &Mutex<Versions<T>>,
    ) -> Result<Arc<Versioned<T>>, StoreError> {
        if let Some(current) = current.filter(|document| document.version == version) {
            return Ok(Arc::new(current));
        }
        let key = (id.to_owned(), version);
        let known = locked(old).get(&key).cloned();
        if let Some(known) = known {
            return Ok(known);
        }
        let document = Arc::new(self.document(kind, id, version).await?);
        locked(old).insert(key, document.clone());
        Ok(document)
    }

    /// Puts a plan in force, all of it or nothing: `more` goes with it: the flows' `flow_applied` records, their
    /// silences, and the turns of rotations that begin.
    ///
    /// # Errors
    /// [`StoreError::Moved`] when somebody else applied meanwhile: plan again.
    pub async fn apply(
        &self,
        before: &Config,
        plan: &Plan,
        more: Vec<TransactWriteItem>,
        now: Time,
    ) -> Result<(), StoreError> {
        let doing = "apply a configuration";
        let changes: Vec<&Change> =
            plan.changes.iter().filter(|change| change.action != Action::Unchanged).collect();
        if changes.is_empty() {
            return Ok(());
        }
        let mut write = self.clients.dynamodb().transact_write_items();
        write = write.transact_items(self.put_index(before, &plan.next)?);
        for change in changes {
            write = write.transact_items(self.put_version(change, now)?);
        }
        let write = more.into_iter().fold(write, |write, item| write.transact_items(item));
        write.send().await.map_err(|e| StoreError::from_transaction(doing, e))?;
        self.fresh().await.map(|_| ())
    }

    fn put_index(&self, before: &Config, next: &Config) -> Result<TransactWriteItem, StoreError> {
        let refused = |why: String| StoreError::Refused { doing: "apply a configuration", why };
        let entries = packed::pack("entries", &entries(next), PLAIN_BYTES);
        let (name, entries) = entries.map_err(|error| refused(error.to_string()))?;
        let people = next.people();
        let rotating = people.roles.iter().filter(|role| role.rotate.is_some());
        let turns: Turns = rotating.map(|role| (role.id.clone(), role.accepted.clone())).collect();
        let turns = serde_json::to_string(&turns).unwrap_or_default();
        let item = Item::from([
            ("pk".to_owned(), s("CONFIG")),
            ("sk".to_owned(), s("INDEX")),
            ("generation".to_owned(), AttributeValue::N((before.generation + 1).to_string())),
            (name, entries),
            ("turns".to_owned(), s(turns)),
        ]);
        let put = Put::builder().table_name(&self.table).set_item(Some(item));
        let put = if before.generation == 0 {
            put.condition_expression("attribute_not_exists(pk)")
        } else {
            put.condition_expression("generation = :generation")
                .expression_attribute_values(":generation", AttributeValue::N(before.generation.to_string()))
        };
        transact(put)
    }

    fn put_version(&self, change: &Change, now: Time) -> Result<TransactWriteItem, StoreError> {
        let mut item = key(change.kind, &change.id, change.version);
        let document = packed::pack("document", &change.document.to_string(), PLAIN_BYTES);
        let (name, document) = document.map_err(|error| StoreError::Refused {
            doing: "apply a configuration",
            why: error.to_string(),
        })?;
        item.insert(name, document);
        item.insert("hash".to_owned(), s(&change.hash));
        item.insert("applied_at".to_owned(), s(now.to_string()));
        let put = Put::builder().table_name(&self.table).set_item(Some(item));
        transact(put.condition_expression("attribute_not_exists(pk)"))
    }

    /// The item that lists what is in force; an empty one before the first application.
    async fn index(&self) -> Result<Item, StoreError> {
        let get = self
            .clients
            .dynamodb()
            .get_item()
            .table_name(&self.table)
            .key("pk", s("CONFIG"))
            .key("sk", s("INDEX"))
            .consistent_read(true);
        let found = get.send().await.map_err(|e| StoreError::from_sdk("read the configuration", e))?;
        Ok(found.item.unwrap_or_default())
    }

    /// Loads what the index lists; what `known` has in the same version is taken from there.
    async fn load(&self, index: &Index, known: Option<&Config>) -> Result<InForce, StoreError> {
        let mut config = Config { generation: index.generation, ..Config::default() };
        config.flows = self.documents(index, Kind::Flow, known.map(|known| &known.flows)).await?;
        config.sources = self.documents(index, Kind::Source, known.map(|known| &known.sources)).await?;
        config.calendars = self.documents(index, Kind::Calendar, known.map(|known| &known.calendars)).await?;
        if let Some(entry) = index.entries.iter().find(|entry| entry.kind == Kind::Directory) {
            let read = self.document::<Directory>(Kind::Directory, &entry.id, entry.version).await?;
            config.directory = Some(with_turns(read, &index.turns));
        }
        let router = Router::new(config.flows.values().map(|flow| flow.document.as_ref()));
        let corrupt = |why: String| StoreError::Corrupt {
            doing: "read the configuration",
            what: "a trigger".to_owned(),
            why,
        };
        Ok(InForce {
            router: Arc::new(router.map_err(|e| corrupt(e.to_string()))?),
            config: Arc::new(config),
        })
    }

    /// Stores the acceptance of a turn with its records: `accepted` is `before` with it.
    ///
    /// # Errors
    /// [`StoreError::Moved`] when somebody applied or accepted meanwhile.
    pub async fn accept(
        &self,
        before: &Config,
        accepted: &Config,
        records: Vec<TransactWriteItem>,
    ) -> Result<(), StoreError> {
        let write = self.clients.dynamodb().transact_write_items();
        let write = write.transact_items(self.put_index(before, accepted)?);
        let write = records.into_iter().fold(write, |write, record| write.transact_items(record));
        write.send().await.map(|_| ()).map_err(|e| StoreError::from_transaction("accept a turn", e))
    }

    /// Every document of a kind that the index lists; what `known` has in the same version is taken from there.
    async fn documents<T: DeserializeOwned + Clone>(
        &self,
        index: &Index,
        kind: Kind,
        known: Option<&BTreeMap<String, Versioned<T>>>,
    ) -> Result<BTreeMap<String, Versioned<T>>, StoreError> {
        let entries = index.entries.iter().filter(|entry| entry.kind == kind);
        let (kept, wanted): (Vec<_>, Vec<_>) = entries
            .map(|entry| (entry, known.and_then(|known| known.get(&entry.id))))
            .map(|(entry, known)| (entry, known.filter(|known| known.version == entry.version)))
            .partition(|(_, known)| known.is_some());
        let mut documents: BTreeMap<String, Versioned<T>> =
            kept.into_iter().filter_map(|(entry, known)| Some((entry.id.clone(), known?.clone()))).collect();
        let keys = wanted.iter().map(|(entry, _)| key(kind, &entry.id, entry.version)).collect();
        let items = batch::get(&self.clients, &self.table, keys, true, READ).await?;
        let mut items: HashMap<String, Item> =
            items.into_iter().filter_map(|item| Some((item.get("pk")?.as_s().ok()?.clone(), item))).collect();
        for (entry, _) in wanted {
            let item = items.remove(&partition(kind, &entry.id));
            documents.insert(entry.id.clone(), document(kind, &entry.id, entry.version, item)?);
        }
        Ok(documents)
    }

    /// One document.
    async fn document<T: DeserializeOwned>(
        &self,
        kind: Kind,
        id: &str,
        version: u32,
    ) -> Result<Versioned<T>, StoreError> {
        let get =
            self.clients.dynamodb().get_item().table_name(&self.table).set_key(Some(key(kind, id, version)));
        let found = get.consistent_read(true).send().await.map_err(|e| StoreError::from_sdk(READ, e))?;
        document(kind, id, version, found.item)
    }
}

/// A document as its item holds it.
fn document<T: DeserializeOwned>(
    kind: Kind,
    id: &str,
    version: u32,
    item: Option<Item>,
) -> Result<Versioned<T>, StoreError> {
    let corrupt = |why: String| StoreError::Corrupt {
        doing: READ,
        what: format!("{} {id} version {version}", kind.as_str()),
        why,
    };
    let item = item.ok_or_else(|| corrupt("it is not there".to_owned()))?;
    let text = packed::unpack(&item, "document", MAX_DOCUMENT_BYTES);
    let text = text.map_err(|e| corrupt(e.to_string()))?.unwrap_or_default();
    let document: T = serde_json::from_str(&text).map_err(|e| corrupt(e.to_string()))?;
    let hash = item.get("hash").and_then(|hash| hash.as_s().ok()).cloned().unwrap_or_default();
    Ok(Versioned { version, hash, document: Arc::new(document) })
}

impl Index {
    /// Reads the index of that generation from its item.
    fn read(generation: u64, item: &Item) -> Result<Self, StoreError> {
        if generation == 0 {
            return Ok(Self::default());
        }
        let entries = packed::unpack(item, "entries", MAX_DOCUMENT_BYTES).ok().flatten();
        let entries = entries.and_then(|text| serde_json::from_str(&text).ok());
        // An index of the time before there were rotations has no turns.
        let turns =
            item.get("turns").map_or(Some(Turns::new()), |t| serde_json::from_str(t.as_s().ok()?).ok());
        let (Some(entries), Some(turns)) = (entries, turns) else { return Err(no_index()) };
        Ok(Self { generation, entries, turns })
    }
}

/// The generation of an index: 0 before the first application.
fn generation(item: &Item) -> Result<u64, StoreError> {
    if item.is_empty() {
        return Ok(0);
    }
    item.get("generation").and_then(|n| n.as_n().ok()?.parse().ok()).ok_or_else(no_index)
}

fn no_index() -> StoreError {
    StoreError::Corrupt {
        doing: "read the configuration",
        what: "CONFIG/INDEX".to_owned(),
        why: "it has not its form".to_owned(),
    }
}

/// What the index lists, as text.
fn entries(config: &Config) -> String {
    let entry = |kind, id: &str, version, hash: &str| Entry {
        kind,
        id: id.to_owned(),
        version,
        hash: hash.to_owned(),
    };
    let flows = config.flows.iter().map(|(id, flow)| entry(Kind::Flow, id, flow.version, &flow.hash));
    let sources =
        config.sources.iter().map(|(id, source)| entry(Kind::Source, id, source.version, &source.hash));
    let calendars = config
        .calendars
        .iter()
        .map(|(id, calendar)| entry(Kind::Calendar, id, calendar.version, &calendar.hash));
    let directory = config.directory.iter().map(|d| entry(Kind::Directory, DIRECTORY_ID, d.version, &d.hash));
    let entries: Vec<Entry> = flows.chain(sources).chain(calendars).chain(directory).collect();
    serde_json::to_string(&entries).unwrap_or_default()
}

/// The directory with what its people said about their turns since it was applied.
fn with_turns(read: Versioned<Directory>, turns: &Turns) -> Versioned<Directory> {
    let mut directory = Arc::unwrap_or_clone(read.document);
    for role in &mut directory.roles {
        role.accepted = turns.get(&role.id).cloned().unwrap_or_default();
    }
    Versioned { document: directory.into(), ..read }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn partition(kind: Kind, id: &str) -> String {
    format!("CONFIG#{}#{id}", kind.as_str())
}

fn key(kind: Kind, id: &str, version: u32) -> Item {
    Item::from([("pk".to_owned(), s(partition(kind, id))), ("sk".to_owned(), s(format!("V#{version}")))])
}

fn transact(put: aws_sdk_dynamodb::types::builders::PutBuilder) -> Result<TransactWriteItem, StoreError> {
    let put = put
        .build()
        .map_err(|e| StoreError::Refused { doing: "apply a configuration", why: e.to_string() })?;
    Ok(TransactWriteItem::builder().put(put).build())
}
