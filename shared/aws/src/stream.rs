//! DynamoDB streams as Lambda hands them over.

use aws_lambda_events::dynamodb::EventRecord;
use aws_lambda_events::streams::{DynamoDbBatchItemFailure, DynamoDbEventResponse};

use crate::events::Item;

/// The partition key of the item that a stream record is about.
pub fn partition_key(record: &EventRecord) -> String {
    let keys: Item = record.change.keys.clone().into();
    keys.get("pk").and_then(|key| key.as_s().ok().cloned()).unwrap_or_default()
}

/// The answer that names what failed, by sequence number: the stream comes back to the first of them.
pub fn failures(sequence_numbers: impl IntoIterator<Item = String>) -> DynamoDbEventResponse {
    let mut answer = DynamoDbEventResponse::default();
    answer.batch_item_failures = sequence_numbers
        .into_iter()
        .map(|sequence_number| {
            let mut failure = DynamoDbBatchItemFailure::default();
            failure.item_identifier = Some(sequence_number);
            failure
        })
        .collect();
    answer
}
