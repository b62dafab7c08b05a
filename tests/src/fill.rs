//! Filling tables past Meshline, where the way through it would take hours: copies of items that Meshline wrote.

use std::collections::HashMap;
use std::ops::Range;

use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, WriteRequest};
use futures_util::StreamExt;
use meshline_core::id::parse_run_id;

use crate::Local;

/// A DynamoDB item.
pub type Item = HashMap<String, AttributeValue>;

/// BatchWriteItem takes no more.
const BATCH: usize = 25;
/// Batches that are under way at the same time.
const AT_ONCE: usize = 4;

/// A text attribute.
pub fn s(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}

impl Local {
    /// The stored item of a run.
    pub async fn item(&self, run: &str) -> Item {
        let (hash, ulid) = parse_run_id(run).expect("a run id");
        let get = self.stack.app.clients.dynamodb().get_item().table_name("meshline-state");
        let get = get.key("pk", s(format!("S#{hash}"))).key("sk", s(format!("RUN#{ulid}")));
        get.send().await.expect("the table is read").item.expect("the run is there")
    }

    /// Puts one item for each of `numbers` into a table.
    pub async fn fill(&self, table: &str, numbers: Range<usize>, item: impl Fn(usize) -> Item) {
        let client = self.stack.app.clients.dynamodb();
        let starts: Vec<usize> = numbers.clone().step_by(BATCH).collect();
        let batches = futures_util::stream::iter(starts).map(|from| {
            let puts = (from..numbers.end.min(from + BATCH)).map(|n| {
                let put = PutRequest::builder().set_item(Some(item(n))).build().expect("a put");
                WriteRequest::builder().put_request(put).build()
            });
            client.batch_write_item().request_items(table, puts.collect()).send()
        });
        let mut batches = batches.buffer_unordered(AT_ONCE);
        while let Some(done) = batches.next().await {
            let rest = done.expect("the items are put").unprocessed_items.unwrap_or_default();
            assert!(rest.is_empty(), "the emulator took only a part");
        }
    }
}
