//! Queues and the bus: sending in batches, of which each entry may fail by itself.

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use aws_sdk_sqs::error::BuildError;
use aws_sdk_sqs::types::{
    MessageSystemAttributeNameForSends, MessageSystemAttributeValue, SendMessageBatchRequestEntry,
};
use meshline_core::message::{Outgoing, Queue};
use meshline_core::time::Span;
use meshline_core::trace::TraceParent;
use serde_json::Value;

use crate::clients::Clients;
use crate::error::StoreError;
use crate::settings::Settings;

/// SendMessageBatch and PutEvents both take ten entries.
const BATCH: usize = 10;
/// A batch of either may have 256 KiB in all; a lone message may be larger than its share.
const BATCH_BYTES: usize = 250 * 1024;
/// The longest delay of an SQS message, in seconds.
pub const MAX_DELAY_S: i64 = 900;

/// Queues and the bus.
#[derive(Debug)]
pub struct Outbox {
    clients: Arc<Clients>,
    settings: Settings,
}

/// A message for a queue, with the position of what it was made from.
#[derive(Debug, Clone)]
struct Entry {
    from: usize,
    body: String,
    delay_s: i32,
    /// Value of the attribute `AWSTraceHeader`.
    trace: Option<String>,
}

impl Outbox {
    pub(crate) fn new(clients: Arc<Clients>, settings: &Settings) -> Self {
        Self { clients, settings: settings.clone() }
    }

    /// Sends what records say. Gives the positions of those of which a part could not be sent, and why.
    pub async fn relay(&self, outgoing: &[Outgoing]) -> BTreeMap<usize, StoreError> {
        let mut failed = BTreeMap::new();
        let mut queues: BTreeMap<Queue, Vec<Entry>> = BTreeMap::new();
        for (from, message) in outgoing.iter().enumerate() {
            if let Some((queue, body)) = &message.queue {
                let trace = message.trace.map(TraceParent::xray);
                let entry = Entry { from, body: body.to_string(), delay_s: 0, trace };
                queues.entry(*queue).or_default().push(entry);
            }
        }
        for (queue, entries) in queues {
            failed.extend(self.send(self.url(queue), &entries).await);
        }
        failed.extend(self.publish(outgoing).await);
        failed
    }

    fn url(&self, queue: Queue) -> &str {
        match queue {
            Queue::Escalations => &self.settings.escalations_queue,
            Queue::Exceptions => &self.settings.exceptions_queue,
            Queue::Requests => &self.settings.requests_queue,
        }
    }

    /// Lets a message that was received by `handle` be seen again only after some time.
    ///
    /// # Errors
    /// The queue does not take it; the message comes again when its visibility timeout is over.
    pub async fn put_off(&self, queue: Queue, handle: &str, after: Span) -> Result<(), StoreError> {
        let seconds = i32::try_from((after.ms() + 999) / 1_000).unwrap_or(i32::MAX);
        let change = self.clients.sqs().change_message_visibility().queue_url(self.url(queue));
        let change = change.receipt_handle(handle).visibility_timeout(seconds);
        change.send().await.map(drop).map_err(|e| StoreError::from_sdk("put a message off", e))
    }

    /// Asks for runs to be ticked after a delay of 0 to [`MAX_DELAY_S`] seconds.
    ///
    /// # Errors
    /// The first that could not be sent; the sweep finds all of them again.
    pub async fn send_ticks(&self, ticks: &[(Value, i64)]) -> Result<(), StoreError> {
        let entries: Vec<Entry> = ticks
            .iter()
            .enumerate()
            .map(|(from, (body, delay_s))| {
                let delay_s = i32::try_from((*delay_s).clamp(0, MAX_DELAY_S)).unwrap_or(0);
                Entry { from, body: body.to_string(), delay_s, trace: None }
            })
            .collect();
        match self.send(&self.settings.ticks_queue, &entries).await.into_iter().next() {
            Some((_, error)) => Err(error),
            None => Ok(()),
        }
    }

    /// Puts a delivery aside that the table could not take.
    ///
    /// # Errors
    /// The queue cannot take it either.
    pub async fn spill(&self, body: String) -> Result<(), StoreError> {
        let sent =
            self.clients.sqs().send_message().queue_url(&self.settings.spill_queue).message_body(body).send();
        sent.await.map(|_| ()).map_err(|e| StoreError::from_sdk("put a delivery aside", e))
    }

    async fn send(&self, url: &str, entries: &[Entry]) -> BTreeMap<usize, StoreError> {
        let mut failed = BTreeMap::new();
        for batch in batches(entries, |entry| entry.body.len()) {
            let mut send = self.clients.sqs().send_message_batch().queue_url(url);
            for (n, entry) in batch.iter().enumerate() {
                if let Ok(request) = request(n, entry) {
                    send = send.entries(request);
                }
            }
            match send.send().await {
                Ok(answer) => {
                    for error in answer.failed() {
                        let entry = error.id.parse::<usize>().ok().and_then(|n| batch.get(n));
                        let why = format!("{}: {}", error.code, error.message().unwrap_or_default());
                        failed.extend(
                            entry.map(|e| (e.from, StoreError::Later { doing: "send a message", why })),
                        );
                    }
                }
                Err(error) => {
                    let error = StoreError::from_sdk("send messages", error).to_string();
                    let later = || StoreError::Later { doing: "send a message", why: error.clone() };
                    failed.extend(batch.iter().map(|entry| (entry.from, later())));
                }
            }
        }
        failed
    }

    async fn publish(&self, outgoing: &[Outgoing]) -> BTreeMap<usize, StoreError> {
        let entries: Vec<(usize, &Outgoing)> = outgoing.iter().enumerate().collect();
        let mut failed = BTreeMap::new();
        for batch in batches(&entries, |(_, message)| message.bus.to_string().len()) {
            let put = batch.iter().fold(self.clients.events().put_events(), |put, (_, message)| {
                let entry = PutEventsRequestEntry::builder()
                    .event_bus_name(&self.settings.bus)
                    .source("meshline")
                    .detail_type(&message.kind)
                    .set_trace_header(message.trace.map(TraceParent::xray))
                    .detail(message.bus.to_string());
                put.entries(entry.build())
            });
            match put.send().await {
                Ok(answer) => {
                    for ((from, _), result) in batch.iter().zip(answer.entries()) {
                        if let Some(code) = result.error_code() {
                            let why = format!("{code}: {}", result.error_message().unwrap_or_default());
                            failed.insert(*from, StoreError::Later { doing: "publish an event", why });
                        }
                    }
                }
                Err(error) => {
                    let error = StoreError::from_sdk("publish events", error).to_string();
                    let later = || StoreError::Later { doing: "publish an event", why: error.clone() };
                    failed.extend(batch.iter().map(|(from, _)| (*from, later())));
                }
            }
        }
        failed
    }
}

fn request(n: usize, entry: &Entry) -> Result<SendMessageBatchRequestEntry, BuildError> {
    let mut request = SendMessageBatchRequestEntry::builder()
        .id(n.to_string())
        .message_body(&entry.body)
        .set_delay_seconds((entry.delay_s > 0).then_some(entry.delay_s));
    if let Some(trace) = &entry.trace {
        let value = MessageSystemAttributeValue::builder().data_type("String").string_value(trace).build()?;
        request =
            request.message_system_attributes(MessageSystemAttributeNameForSends::AwsTraceHeader, value);
    }
    request.build()
}

/// Cuts `entries` into batches that a service takes.
fn batches<T>(entries: &[T], bytes: impl Fn(&T) -> usize) -> Vec<&[T]> {
    let (mut batches, mut start, mut size) = (Vec::new(), 0, 0);
    for (n, entry) in entries.iter().enumerate() {
        let more = bytes(entry);
        if n > start && (n - start == BATCH || size + more > BATCH_BYTES) {
            batches.extend(entries.get(start..n));
            (start, size) = (n, 0);
        }
        size += more;
    }
    batches.extend(entries.get(start..).filter(|rest| !rest.is_empty()));
    batches
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_keep_to_ten_entries_and_to_the_size() {
        let lens = |sizes: &[usize]| batches(sizes, |n| *n).iter().map(|b| b.len()).collect::<Vec<_>>();
        assert_eq!(lens(&[1; 23]), [10, 10, 3]);
        assert_eq!(lens(&[200_000, 100_000, 100_000]), [1, 2]);
        assert_eq!(lens(&[300_000]), [1]);
        assert!(lens(&[]).is_empty());
    }

    #[test]
    fn a_message_names_its_trace_as_x_ray_reads_it() {
        let root = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1";
        let entry = |trace| Entry { from: 0, body: "{}".to_owned(), delay_s: 0, trace };
        let named = request(0, &entry(Some(root.to_owned()))).unwrap();
        let attributes = named.message_system_attributes().unwrap();
        let header = &attributes[&MessageSystemAttributeNameForSends::AwsTraceHeader];
        assert_eq!((header.data_type(), header.string_value()), ("String", Some(root)));
        assert_eq!(request(1, &entry(None)).unwrap().message_system_attributes(), None);
    }
}
