//! The links of the state table: which asset a name stands for, since when. They are only added, so that what a name
//! stands for does not depend on the order in which events are looked at.

use std::sync::Arc;

use meshline_core::alias::Link;
use meshline_core::time::Time;

use crate::clients::Clients;
use crate::error::StoreError;
use crate::events::{Item, s};
use crate::settings::Settings;

/// The links of the state table.
#[derive(Debug)]
pub struct Aliases {
    clients: Arc<Clients>,
    table: String,
}

impl Aliases {
    pub(crate) fn new(clients: Arc<Clients>, settings: &Settings) -> Self {
        Self { clients, table: settings.state_table.clone() }
    }

    /// Records a link. Doing it again changes nothing.
    ///
    /// # Errors
    /// The table cannot take it now.
    pub async fn record(&self, link: &Link) -> Result<(), StoreError> {
        let item = Item::from([
            ("pk".to_owned(), s(partition(&link.name))),
            ("sk".to_owned(), s(format!("{}#{}", link.at, link.event))),
            ("subject".to_owned(), s(&link.subject)),
        ]);
        let put = self.clients.dynamodb().put_item().table_name(&self.table).set_item(Some(item));
        put.send().await.map(|_| ()).map_err(|e| StoreError::from_sdk("record an alias", e))
    }

    /// The asset that a name stood for at a time, by the latest link before.
    ///
    /// # Errors
    /// The table cannot be read.
    pub async fn asset(&self, name: &str, at: Time) -> Result<Option<String>, StoreError> {
        let query = self
            .clients
            .dynamodb()
            .query()
            .table_name(&self.table)
            .key_condition_expression("pk = :name AND sk < :after")
            .expression_attribute_values(":name", s(partition(name)))
            // `$` comes right behind `#`: every link of this very millisecond counts.
            .expression_attribute_values(":after", s(format!("{at}$")))
            .scan_index_forward(false)
            .limit(1)
            .consistent_read(true);
        let page = query.send().await.map_err(|e| StoreError::from_sdk("look an alias up", e))?;
        let link = page.items().first().and_then(|item| {
            let text = |name: &str| item.get(name)?.as_s().ok();
            let (since, event) = text("sk")?.split_once('#')?;
            let (name, subject) = (name.to_owned(), text("subject")?.clone());
            Some(Link { name, subject, at: since.parse().ok()?, event: event.to_owned() })
        });
        Ok(link.filter(|link| link.holds_at(at)).map(|link| link.subject))
    }
}

fn partition(name: &str) -> String {
    format!("ALIAS#{name}")
}
