//! Messages in flight: received, and neither deleted nor seen again yet. The queue crate knows no clock but the wall's, so
//! that a message which is put off is held here like a delayed one, and counted here.

use std::collections::{HashMap, HashSet};

use rustack_sqs_model::input::SendMessageInput;
use rustack_sqs_model::types::Message;

/// How SQS calls the number of times that a message was received.
const RECEIVE_COUNT: &str = "ApproximateReceiveCount";

/// Messages in flight, by receipt handle.
#[derive(Default)]
pub(super) struct Flight {
    messages: HashMap<String, (String, SendMessageInput)>,
    /// How often each message was received, by id.
    counts: HashMap<String, u32>,
    put_off: HashSet<String>,
}

impl Flight {
    /// Notes that a message of a queue was received, and says in it how often.
    pub(super) fn received(&mut self, queue_url: &str, message: &mut Message) {
        let (Some(handle), Some(id)) = (message.receipt_handle.clone(), message.message_id.clone()) else {
            return;
        };
        let count = self.counts.entry(id.clone()).or_default();
        *count += 1;
        message.attributes.insert(RECEIVE_COUNT.to_owned(), count.to_string());
        let again = SendMessageInput {
            queue_url: queue_url.to_owned(),
            message_body: message.body.clone().unwrap_or_default(),
            message_attributes: message.message_attributes.clone(),
            ..Default::default()
        };
        self.messages.insert(handle, (id, again));
    }

    /// Takes a message out, to be held until it may be seen again: its id, and how it is sent then.
    pub(super) fn put_off(&mut self, handle: &str) -> Option<(String, SendMessageInput)> {
        let message = self.messages.remove(handle)?;
        self.put_off.insert(handle.to_owned());
        Some(message)
    }

    /// Whether the message of that receipt was put off: then nothing can be done with it by that receipt any more.
    pub(super) fn was_put_off(&mut self, handle: &str) -> bool {
        self.put_off.remove(handle)
    }

    /// Forgets a message that is deleted.
    pub(super) fn deleted(&mut self, handle: &str) {
        if let Some((id, _)) = self.messages.remove(handle) {
            self.counts.remove(&id);
        }
    }
}
