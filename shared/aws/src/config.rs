//! Configuration in the state table: every version of every document, and one item that says which are in force.
//!
//! `CONFIG` / `INDEX` lists the current version of every document and counts applications (`generation`).
//! Reading it once tells whether the copy in memory is current, so no trigger meets an outdated flow.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem};
use meshline_core::config::calendar::Calendar;
use meshline_core::config::directory::Directory;
use meshline_core::config::flow::Flow;
use meshline_core::config::source::Source;
use meshline_core::config::{Action, Change, Config, Kind, Plan, Versioned};
use meshline_core::route::Router;
use meshline_core::time::{Span, Time};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::clients::Clients;
use crate::error::StoreError;
use crate::events::{Item, s};
use crate::settings::Settings;

/// How long a source is used without looking whether it changed.
const KEEP: Span = Span::from_ms(30_000);
/// How often at most an unknown source makes us look.
const LOOK_AGAIN: Span = Span::from_ms(2_000);
/// A transaction takes a hundred items: three for a flow, four if it expects triggers, one for each rotation that
/// begins, one for anything else, one for the index.
const MAX_ITEMS: usize = 100;

/// Why a plan changes more than one transaction can; `None` when it does not.
pub fn too_large(before: &Config, plan: &Plan) -> Option<String> {
    let changed = plan.changes.iter().filter(|change| change.action != Action::Unchanged);
    let expects = |id: &str| plan.next.flows.get(id).is_some_and(|flow| flow.document.expect.is_some());
    let items = changed.fold(1, |items, change| match change.kind {
        Kind::Flow => items + 3 + usize::from(expects(&change.id)),
        Kind::Directory => items + 1 + plan.next.people().begun(&before.people()).count(),
        Kind::Source | Kind::Calendar => items + 1,
    });
    let why =
        || format!("{items} items would change at once, at most {MAX_ITEMS} can: apply fewer documents");
    (items > MAX_ITEMS).then(why)
}

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
    current: Mutex<Option<(Time, InForce)>>,
    /// Flow versions that are not in force any more; they never change.
    old: Mutex<Versions<Flow>>,
    /// Calendar versions likewise.
    old_calendars: Mutex<Versions<Calendar>>,
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
            old: Mutex::default(),
            old_calendars: Mutex::default(),
        }
    }

    /// The configuration as it is now: one small read when nothing changed.
    ///
    /// # Errors
    /// The table cannot be read, or holds what is no configuration.
    pub async fn fresh(&self, now: Time) -> Result<InForce, StoreError> {
        let index = self.index().await?;
        let known = self.current().as_ref().map(|(_, known)| known.clone());
        let in_force = match known {
            Some(known) if known.config.generation == index.generation => known,
            known => self.load(&index, known.as_ref().map(|known| known.config.as_ref())).await?,
        };
        *self.current() = Some((now, in_force.clone()));
        Ok(in_force)
    }

    /// The source of that id, without a read while the copy in memory is young.
    ///
    /// # Errors
    /// The table has to be read, and cannot be.
    pub async fn source(&self, id: &str, now: Time) -> Result<Option<Arc<Source>>, StoreError> {
        let known = self.current().clone();
        let find = |known: &InForce| known.config.sources.get(id).map(|source| source.document.clone());
        if let Some((at, known)) = known {
            let found = find(&known);
            let keep = if found.is_some() { KEEP } else { LOOK_AGAIN };
            if now.since(at) < keep {
                return Ok(found);
            }
        }
        Ok(find(&self.fresh(now).await?))
    }

    /// A version of a flow.
    ///
    /// # Errors
    /// The table has to be read, and cannot be; or there is no such version.
    pub async fn flow(&self, id: &str, version: u32) -> Result<Arc<Versioned<Flow>>, StoreError> {
        let current = self.current().as_ref().and_then(|(_, known)| known.config.flows.get(id).cloned());
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
        let current = self.current().as_ref().and_then(|(_, known)| known.config.calendars.get(id).cloned());
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
        self.fresh(now).await.map(|_| ())
    }

    fn put_index(&self, before: &Config, next: &Config) -> Result<TransactWriteItem, StoreError> {
        let entry = |kind, id: &str, version, hash: &str| Entry {
            kind,
            id: id.to_owned(),
            version,
            hash: hash.to_owned(),
        };
        let flows = next.flows.iter().map(|(id, flow)| entry(Kind::Flow, id, flow.version, &flow.hash));
        let sources =
            next.sources.iter().map(|(id, source)| entry(Kind::Source, id, source.version, &source.hash));
        let calendars = next
            .calendars
            .iter()
            .map(|(id, calendar)| entry(Kind::Calendar, id, calendar.version, &calendar.hash));
        let directory = next
            .directory
            .iter()
            .map(|d| entry(Kind::Directory, meshline_core::config::DIRECTORY_ID, d.version, &d.hash));
        let entries: Vec<Entry> = flows.chain(sources).chain(calendars).chain(directory).collect();
        let text = serde_json::to_string(&entries).unwrap_or_default();
        let people = next.people();
        let rotating = people.roles.iter().filter(|role| role.rotate.is_some());
        let turns: Turns = rotating.map(|role| (role.id.clone(), role.accepted.clone())).collect();
        let turns = serde_json::to_string(&turns).unwrap_or_default();
        let item = Item::from([
            ("pk".to_owned(), s("CONFIG")),
            ("sk".to_owned(), s("INDEX")),
            ("generation".to_owned(), AttributeValue::N((before.generation + 1).to_string())),
            ("entries".to_owned(), s(text)),
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
        item.insert("document".to_owned(), s(change.document.to_string()));
        item.insert("hash".to_owned(), s(&change.hash));
        item.insert("applied_at".to_owned(), s(now.to_string()));
        let put = Put::builder().table_name(&self.table).set_item(Some(item));
        transact(put.condition_expression("attribute_not_exists(pk)"))
    }

    async fn index(&self) -> Result<Index, StoreError> {
        let doing = "read the configuration";
        let get = self
            .clients
            .dynamodb()
            .get_item()
            .table_name(&self.table)
            .key("pk", s("CONFIG"))
            .key("sk", s("INDEX"))
            .consistent_read(true);
        let found = get.send().await.map_err(|e| StoreError::from_sdk(doing, e))?;
        let Some(item) = found.item else { return Ok(Index::default()) };
        let generation = item.get("generation").and_then(|n| n.as_n().ok()?.parse().ok());
        let entries = item.get("entries").and_then(|text| serde_json::from_str(text.as_s().ok()?).ok());
        // An index of the time before there were rotations has no turns.
        let turns =
            item.get("turns").map_or(Some(Turns::new()), |t| serde_json::from_str(t.as_s().ok()?).ok());
        match (generation, entries, turns) {
            (Some(generation), Some(entries), Some(turns)) => Ok(Index { generation, entries, turns }),
            (_, _, _) => Err(StoreError::Corrupt {
                doing,
                what: "CONFIG/INDEX".to_owned(),
                why: "it has not its form".to_owned(),
            }),
        }
    }

    /// Loads what the index lists; what `known` has in the same version is taken from there.
    async fn load(&self, index: &Index, known: Option<&Config>) -> Result<InForce, StoreError> {
        let mut config = Config { generation: index.generation, ..Config::default() };
        for entry in &index.entries {
            match entry.kind {
                Kind::Flow => {
                    let flow = self.reuse(entry, known.map(|known| &known.flows)).await?;
                    config.flows.insert(entry.id.clone(), flow);
                }
                Kind::Source => {
                    let source = self.reuse(entry, known.map(|known| &known.sources)).await?;
                    config.sources.insert(entry.id.clone(), source);
                }
                Kind::Calendar => {
                    let calendar = self.reuse(entry, known.map(|known| &known.calendars)).await?;
                    config.calendars.insert(entry.id.clone(), calendar);
                }
                Kind::Directory => {
                    let read = self.document::<Directory>(Kind::Directory, &entry.id, entry.version).await?;
                    config.directory = Some(with_turns(read, &index.turns));
                }
            }
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

    async fn reuse<T>(
        &self,
        entry: &Entry,
        known: Option<&BTreeMap<String, Versioned<T>>>,
    ) -> Result<Versioned<T>, StoreError>
    where
        T: DeserializeOwned,
    {
        let known = known.and_then(|known| known.get(&entry.id));
        match known.filter(|known| known.version == entry.version) {
            Some(known) => Ok(Versioned {
                version: known.version,
                hash: known.hash.clone(),
                document: known.document.clone(),
            }),
            None => self.document(entry.kind, &entry.id, entry.version).await,
        }
    }

    async fn document<T: DeserializeOwned>(
        &self,
        kind: Kind,
        id: &str,
        version: u32,
    ) -> Result<Versioned<T>, StoreError> {
        let doing = "read a configuration document";
        let get =
            self.clients.dynamodb().get_item().table_name(&self.table).set_key(Some(key(kind, id, version)));
        let found = get.consistent_read(true).send().await.map_err(|e| StoreError::from_sdk(doing, e))?;
        let corrupt = |why: String| StoreError::Corrupt {
            doing,
            what: format!("{} {id} version {version}", kind.as_str()),
            why,
        };
        let item = found.item.ok_or_else(|| corrupt("it is not there".to_owned()))?;
        let text = |name: &str| {
            item.get(name).and_then(|value| value.as_s().ok()).map(String::as_str).unwrap_or_default()
        };
        let document: T = serde_json::from_str(text("document")).map_err(|e| corrupt(e.to_string()))?;
        Ok(Versioned { version, hash: text("hash").to_owned(), document: Arc::new(document) })
    }

    fn current(&self) -> MutexGuard<'_, Option<(Time, InForce)>> {
        locked(&self.current)
    }
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

fn key(kind: Kind, id: &str, version: u32) -> Item {
    let pk = format!("CONFIG#{}#{id}", kind.as_str());
    Item::from([("pk".to_owned(), s(pk)), ("sk".to_owned(), s(format!("V#{version}")))])
}

fn transact(put: aws_sdk_dynamodb::types::builders::PutBuilder) -> Result<TransactWriteItem, StoreError> {
    let put = put
        .build()
        .map_err(|e| StoreError::Refused { doing: "apply a configuration", why: e.to_string() })?;
    Ok(TransactWriteItem::builder().put(put).build())
}
