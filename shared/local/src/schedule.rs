//! The schedule: when EventBridge would fire, and which of those firings find something.

use std::collections::HashMap;

use dynoxide::Database;
use dynoxide::actions::query::QueryRequest;
use dynoxide::types::AttributeValue;
use meshline_core::day::Day;
use meshline_core::time::{Span, Time};

/// How far ahead `sla-check` looks: a minute in which nothing falls due within it need not be fired.
const LOOKAHEAD: Span = Span::from_ms(150_000);
/// When in a UTC day `report` fires, as in the template.
const REPORT_AT: Span = Span::minutes(20);

/// The first full minute after `now` at which `sla-check` has something to find in the partitions `shards` of the index
/// `due`. Asks the tables themselves, as it is asked before each step of the clock.
pub(crate) fn next_sweep(tables: &Database, shards: &[String], now: Time) -> dynoxide::Result<Option<Time>> {
    let mut earliest = None;
    for shard in shards {
        let wanted = QueryRequest {
            table_name: "meshline-state".to_owned(),
            index_name: Some("due".to_owned()),
            key_condition_expression: Some("due_shard = :shard".to_owned()),
            expression_attribute_values: Some(HashMap::from([(
                ":shard".to_owned(),
                AttributeValue::S(shard.clone()),
            )])),
            scan_index_forward: true,
            limit: Some(1),
            ..QueryRequest::default()
        };
        let found = tables.query(wanted)?.items.into_iter().flatten().next();
        let due: Option<Time> = found.and_then(|item| match item.get("next_due_at") {
            Some(AttributeValue::S(at)) => at.parse().ok(),
            _ => None,
        });
        earliest = earliest.into_iter().chain(due).min();
    }
    let seen_from = |due: Time| (due - LOOKAHEAD - Span::from_ms(1)).next_minute();
    Ok(earliest.map(|due| seen_from(due).max(now.next_minute())))
}

/// The next firing of `report`, strictly after `now`.
pub(crate) fn next_report(now: Time) -> Time {
    let today = Day::of(now);
    let firing = today.start() + REPORT_AT;
    if firing > now { firing } else { today.next().start() + REPORT_AT }
}
