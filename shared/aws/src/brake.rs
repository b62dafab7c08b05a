//! The storm brake: how many notices of a flow somebody was sent of late, and which of them wait to be told together.
//!
//! One item of the state table for each receiver and flow. Each step is one conditional update, so that many functions
//! at once count right.

use std::sync::Arc;

use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use meshline_core::time::{Span, Time};

use crate::clients::Clients;
use crate::error::StoreError;
use crate::events::{Item, s};
use crate::settings::Settings;

/// So many notices of a flow are sent to somebody at once, within one window.
pub const AT_ONCE: u32 = 10;
/// How long a window is, and how long a notice is held at most.
pub const WINDOW: Span = Span::minutes(5);
/// So many notices are listed; what goes beyond is counted.
const MAX_HELD: usize = 200;
/// How long somebody has to send what is held, before others may.
const TAKEN: Span = Span::minutes(2);

/// Whose notices are counted: the flow's, for a receiver.
#[derive(Debug, Clone, Copy)]
pub struct Lane<'a> {
    /// The flow.
    pub flow: &'a str,
    /// The receiver: `person:ana`, `channel:ops`.
    pub to: &'a str,
}

/// What is to be done with a notice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Passage {
    /// Send it.
    Through,
    /// It is held until then.
    Held(Time),
    /// Time to send what is held, this one with it.
    Digest,
    /// So many are held that it is only counted.
    Counted,
}

/// What is held for somebody.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Held {
    /// Ids of messages: `<run>:<seq>`.
    pub messages: Vec<String>,
    /// How many more were counted.
    pub counted: u64,
}

/// The brakes of the state table.
#[derive(Debug)]
pub struct Brakes {
    clients: Arc<Clients>,
    table: String,
}

impl Brakes {
    pub(crate) fn new(clients: Arc<Clients>, settings: &Settings) -> Self {
        Self { clients, table: settings.state_table.clone() }
    }

    /// Asks whether `message` may be sent. One that was held before is held until its window is over.
    ///
    /// # Errors
    /// The table is not available.
    pub async fn pass(&self, lane: Lane<'_>, message: &str, now: Time) -> Result<Passage, StoreError> {
        let opens = "SET sent = :one, #until = :ends REMOVE counted";
        let is_over = "attribute_not_exists(held) AND (attribute_not_exists(#until) OR #until <= :now)";
        let values = [(":one", number(1)), (":ends", s((now + WINDOW).to_string())), (":now", time(now))];
        if self.update(lane, opens, is_over, values).await?.is_some() {
            return Ok(Passage::Through);
        }
        let counts = "ADD sent :one";
        let has_room = "attribute_not_exists(held) AND #until > :now AND sent < :at_once";
        let values = [(":one", number(1)), (":now", time(now)), (":at_once", number(AT_ONCE.into()))];
        if self.update(lane, counts, has_room, values).await?.is_some() {
            return Ok(Passage::Through);
        }
        let holds = "ADD held :messages";
        let has_room = "attribute_exists(#until) AND (attribute_not_exists(held) OR size(held) < :max OR contains(held, :message))";
        let max = u64::try_from(MAX_HELD).unwrap_or(u64::MAX);
        let messages = AttributeValue::Ss(vec![message.to_owned()]);
        let values = [(":messages", messages), (":message", s(message)), (":max", number(max))];
        if let Some(item) = self.update(lane, holds, has_room, values).await? {
            let until = item.get("until").and_then(|until| until.as_s().ok()?.parse().ok()).unwrap_or(now);
            return Ok(if now < until { Passage::Held(until) } else { Passage::Digest });
        }
        let counts = "ADD counted :one";
        self.update(lane, counts, "attribute_exists(held)", [(":one", number(1))]).await?;
        Ok(Passage::Counted)
    }

    /// Takes what is held, to send it; `None` when somebody else is at it, or nothing is held.
    ///
    /// # Errors
    /// The table is not available.
    pub async fn take(&self, lane: Lane<'_>, now: Time) -> Result<Option<Held>, StoreError> {
        let takes = "SET taken_until = :later";
        let is_free = "attribute_exists(held) AND (attribute_not_exists(taken_until) OR taken_until <= :now)";
        let values = [(":later", time(now + TAKEN)), (":now", time(now))];
        let item = self.update(lane, takes, is_free, values).await?;
        Ok(item.map(|item| Held {
            messages: item.get("held").and_then(|held| held.as_ss().ok().cloned()).unwrap_or_default(),
            counted: item
                .get("counted")
                .and_then(|counted| counted.as_n().ok()?.parse().ok())
                .unwrap_or_default(),
        }))
    }

    /// What was taken is told. As long as the storm lasts, the next notices are held at once.
    ///
    /// # Errors
    /// The table is not available.
    pub async fn told(&self, lane: Lane<'_>, held: &Held, now: Time) -> Result<(), StoreError> {
        let clears =
            "SET sent = :at_once, #until = :ends REMOVE taken_until ADD counted :less DELETE held :messages";
        let values = [
            (":at_once", number(AT_ONCE.into())),
            (":ends", time(now + WINDOW)),
            (":less", AttributeValue::N(format!("-{}", held.counted))),
            (":messages", AttributeValue::Ss(held.messages.clone())),
        ];
        self.update(lane, clears, "attribute_exists(held)", values).await.map(drop)
    }

    /// What was taken could not be told: somebody else may try.
    ///
    /// # Errors
    /// The table is not available.
    pub async fn give_back(&self, lane: Lane<'_>) -> Result<(), StoreError> {
        self.update(lane, "REMOVE taken_until", "attribute_exists(held)", []).await.map(drop)
    }

    /// Does that, where the condition holds, and gives the item afterwards.
    async fn update<const N: usize>(
        &self,
        lane: Lane<'_>,
        update: &str,
        condition: &str,
        values: [(&str, AttributeValue); N],
    ) -> Result<Option<Item>, StoreError> {
        let key = [("pk", format!("BRAKE#{}", lane.flow)), ("sk", lane.to.to_owned())];
        let mut request = self.clients.dynamodb().update_item().table_name(&self.table);
        for (name, value) in key {
            request = request.key(name, s(value));
        }
        for (name, value) in values {
            request = request.expression_attribute_values(name, value);
        }
        if update.contains("#until") || condition.contains("#until") {
            request = request.expression_attribute_names("#until", "until");
        }
        let request = request.update_expression(update).condition_expression(condition);
        match request.return_values(ReturnValue::AllNew).send().await {
            Ok(done) => Ok(done.attributes),
            Err(e)
                if e.as_service_error()
                    .is_some_and(UpdateItemError::is_conditional_check_failed_exception) =>
            {
                Ok(None)
            }
            Err(error) => Err(StoreError::from_sdk("count notices", error)),
        }
    }
}

fn number(value: u64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

fn time(at: Time) -> AttributeValue {
    s(at.to_string())
}
