//! Many items by their keys, in as few requests as DynamoDB allows.

use aws_sdk_dynamodb::types::KeysAndAttributes;

use crate::clients::Clients;
use crate::error::StoreError;
use crate::events::Item;

/// `BatchGetItem` takes no more keys.
const MOST: usize = 100;

/// The items of these keys, each named once, in no order; those that are not there are left out. `consistent` reads
/// cost twice as much, and see every write that was answered.
///
/// # Errors
/// The table cannot be read.
pub(crate) async fn get(
    clients: &Clients,
    table: &str,
    keys: Vec<Item>,
    consistent: bool,
    doing: &'static str,
) -> Result<Vec<Item>, StoreError> {
    let mut found = Vec::with_capacity(keys.len());
    for keys in keys.chunks(MOST) {
        let mut keys = keys.to_vec();
        // What is left unread comes back: a page ends at 16 MB, or where the table is busy. One that holds nothing is an
        // error, so each turn gets further.
        while !keys.is_empty() {
            let wanted =
                KeysAndAttributes::builder().set_keys(Some(keys)).consistent_read(consistent).build();
            let wanted = wanted.map_err(|e| StoreError::Refused { doing, why: e.to_string() })?;
            let batch = clients.dynamodb().batch_get_item().request_items(table, wanted);
            let page = batch.send().await.map_err(|e| StoreError::from_sdk(doing, e))?;
            found.extend(page.responses.unwrap_or_default().remove(table).unwrap_or_default());
            let rest = page.unprocessed_keys.unwrap_or_default().remove(table);
            keys = rest.map(|rest| rest.keys).unwrap_or_default();
        }
    }
    Ok(found)
}
