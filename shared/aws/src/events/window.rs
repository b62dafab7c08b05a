//! A window: the events of one source that came in between two times; and replaying them.

use std::fmt;
use std::str::FromStr;

use aws_sdk_dynamodb::types::AttributeValue;
use meshline_core::time::{Span, Time};

use super::{Events, Item, KEEP, s};
use crate::error::StoreError;

/// The longest position: a time, a partition key of ours, and a sort key as long as DynamoDB takes it.
const MAX_CURSOR_BYTES: usize = 1_100;

/// The events of one source that came in from `from` to `to`, both included.
#[derive(Debug, Clone, Copy)]
pub struct Window<'a> {
    /// Id of the source.
    pub source: &'a str,
    /// The first moment.
    pub from: Time,
    /// The last one.
    pub to: Time,
}

/// Where an event stands among those of its source. Its text is the cursor of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    received_at: Time,
    pk: String,
    sk: String,
}

/// A text that is no position.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("it is none that Meshline gave")]
pub struct PositionError;

impl Window<'_> {
    /// Whether an event at `position` belongs to it.
    pub fn holds(&self, position: &Position) -> bool {
        let source = position.sk.split_once('#').map(|(source, _)| source);
        source == Some(self.source) && (self.from..=self.to).contains(&position.received_at)
    }

    /// The part of it in which events can be, seen at `now`: they are kept for 90 days, and none came tomorrow.
    fn kept(self, now: Time) -> Self {
        Self { from: self.from.max(now - KEEP), to: self.to.min(now), ..self }
    }
}

impl Events {
    /// Where the events of a window stand, oldest first, those behind `after`, at most `limit`.
    ///
    /// # Errors
    /// The index cannot be read.
    pub async fn in_window(
        &self,
        window: Window<'_>,
        after: Option<&Position>,
        limit: usize,
        now: Time,
    ) -> Result<Vec<Position>, StoreError> {
        let window = window.kept(now);
        let after = after.filter(|after| window.holds(after));
        let (mut found, mut start) = (Vec::new(), after);
        let mut from = after.map_or(window.from, |after| after.received_at);
        while from <= window.to && found.len() < limit {
            let source_day = format!("{}#{}", window.source, from.day());
            let query = self.clients.dynamodb().query().table_name(&self.table).index_name("by_source_day");
            let mut pages = query
                .key_condition_expression("source_day = :day AND received_at BETWEEN :from AND :to")
                .expression_attribute_values(":day", s(&source_day))
                .expression_attribute_values(":from", s(from.to_string()))
                .expression_attribute_values(":to", s(window.to.to_string()))
                .set_exclusive_start_key(start.take().map(|start| start.key_in(&source_day)))
                .limit(i32::try_from(limit - found.len()).unwrap_or(i32::MAX))
                .into_paginator()
                .items()
                .send();
            while let Some(item) = pages.next().await {
                let item = item.map_err(|e| StoreError::from_sdk("find the events of a window", e))?;
                found.extend(Position::of(&item));
                if found.len() == limit {
                    return Ok(found);
                }
            }
            from = next_day(from);
        }
        Ok(found)
    }

    /// Lets the table's stream carry an event once more; false when it is not there any more.
    ///
    /// # Errors
    /// The table cannot be written.
    pub async fn replay(&self, position: &Position, now: Time) -> Result<bool, StoreError> {
        let update = self.clients.dynamodb().update_item().table_name(&self.table);
        let update = update
            .key("pk", s(&position.pk))
            .key("sk", s(&position.sk))
            .update_expression("SET replayed_at = :now")
            .condition_expression("attribute_exists(pk)")
            .expression_attribute_values(":now", s(now.to_string()));
        match update.send().await {
            Ok(_) => Ok(true),
            Err(e) if e.as_service_error().is_some_and(|e| e.is_conditional_check_failed_exception()) => {
                Ok(false)
            }
            Err(error) => Err(StoreError::from_sdk("replay an event", error)),
        }
    }
}

/// The first moment of the day after.
fn next_day(at: Time) -> Time {
    let day = Span::days(1).ms();
    Time::from_unix_ms((at.unix_ms().div_euclid(day) + 1) * day)
}

impl Position {
    fn of(item: &Item) -> Option<Self> {
        let text = |name: &str| item.get(name)?.as_s().ok().cloned();
        Some(Self { received_at: text("received_at")?.parse().ok()?, pk: text("pk")?, sk: text("sk")? })
    }

    fn key_in(&self, source_day: &str) -> Item {
        let attributes: [(&str, &str); 3] = [("pk", &self.pk), ("sk", &self.sk), ("source_day", source_day)];
        let mut key: Item = attributes.map(|(name, value)| (name.to_owned(), s(value))).into();
        key.insert("received_at".to_owned(), AttributeValue::S(self.received_at.to_string()));
        key
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}_{}_{}", self.received_at, self.pk, self.sk)
    }
}

impl FromStr for Position {
    type Err = PositionError;
    fn from_str(text: &str) -> Result<Self, PositionError> {
        if text.len() > MAX_CURSOR_BYTES {
            return Err(PositionError);
        }
        let mut parts = text.splitn(3, '_');
        let mut part = || parts.next().filter(|part| !part.is_empty()).ok_or(PositionError);
        let received_at = part()?.parse().map_err(|_| PositionError)?;
        Ok(Self { received_at, pk: part()?.to_owned(), sk: part()?.to_owned() })
    }
}
