//! Opening a run.

use serde_json::Value;

use super::duty::{self, Opening};
use super::{Context, Draft, check};
use crate::command::Decision;
use crate::config::flow::{ExceptionKind, Flow, OutcomeSpec};
use crate::duration::{BusinessTime, Duration};
use crate::event::Event;
use crate::pattern::{self, Values};
use crate::record::{Actor, ExpectedOutcome, Fact, Opened, Recipient, Record, Requested};
use crate::run::Run;
use crate::template::Path;
use crate::time::{Span, Time};
use crate::{id, trail};

/// The longest request payload; it must fit its record's item.
const MAX_PAYLOAD_BYTES: usize = 8 * 1024;

/// Opens the run of the context's flow that `event` triggers. The same event always gives the same run id.
pub fn open(context: Context<'_>, event: &Event, now: Time) -> Decision {
    let flow = &context.flow.document;
    // The event was taken in already, whatever the clock of this function says.
    let now = now.max(event.received_at);
    let actor = Actor::source(&event.source);
    let duty = duty::at_opening(flow, context.directory, now);
    let detail = opened(context, &duty, event, now);
    let mut record = Record {
        run: id::run_id(event, &flow.id),
        seq: 1,
        at: now,
        actor: actor.clone(),
        flow: flow.id.clone(),
        flow_version: context.flow.version,
        subject: event.subject.clone(),
        config_hash: context.flow.hash.clone(),
        cause: Some(event.cause()),
        trace: Some(event.trace_id()),
        suppressed: !flow.enabled,
        fact: Fact::RunOpened(Box::new(detail.clone())),
        prev: trail::GENESIS.to_owned(),
        hash: String::new(),
    };
    record.hash = trail::hash(&record);
    let run = Run::open(&record, &detail);
    let mut draft = Draft { run, context, actor: &actor, cause: None, at: now, records: vec![record] };
    if duty.gap {
        draft.ownership_gap();
    }
    draft.unfillable();
    draft.unfillable_checks();
    if !flow.awaits_qa() {
        draft.request(&|outcome| outcome.after.is_empty());
    }
    draft.flag_unknown_deadlines();
    draft.finish()
}

fn opened(context: Context<'_>, duty: &Opening, event: &Event, now: Time) -> Opened {
    let flow = &context.flow.document;
    let opened_at = event.effective_at();
    let expected = flow.outcomes.iter().map(|outcome| ExpectedOutcome {
        id: outcome.id.clone(),
        owner: outcome.owner.as_ref().map(ToString::to_string),
        sla_ms: sla_ms(outcome.sla),
        sla: outcome.sla.business(),
        clock: (outcome.after.is_empty() && !flow.awaits_qa()).then(|| context.start(outcome, opened_at)),
    });
    Opened {
        title: event.title.clone().unwrap_or_else(|| flow.title.clone()),
        url: event.url.clone(),
        client: flow.client.clone(),
        opened_at,
        event_type: event.kind.clone(),
        occurred_at: event.occurred_at,
        received_at: event.received_at,
        owner: duty.owner.clone(),
        role: duty.role,
        backup: duty.backup.clone(),
        acknowledge_by: context.acknowledge_by(opened_at),
        notify: told(context, duty, now),
        outcomes: expected.collect(),
        checks: check::expected(flow, opened_at),
        calendar_version: context.calendar.map(|calendar| calendar.version),
        values: needed_values(flow, event),
    }
}

/// Who is told that a run has opened: the owner is who has just become it.
fn told(context: Context<'_>, duty: &Opening, now: Time) -> Vec<Recipient> {
    let flow = &context.flow.document;
    let targets = flow.acknowledge.as_ref().map(|acknowledge| acknowledge.notify.as_slice());
    let owner = duty::reachable(context.directory, &duty.owner);
    duty::recipients(flow, context.directory, now, targets.unwrap_or_default(), owner.as_ref())
}

/// Milliseconds of a duration; a business day counts as one of 24 hours.
fn sla_ms(sla: Duration) -> i64 {
    match sla {
        Duration::Elapsed(span) | Duration::Business(BusinessTime::Open(span)) => span.ms(),
        Duration::Business(BusinessTime::Days(days)) => Span::days(days.into()).ms(),
    }
}

/// The values of every `${…}` place of the flow's outcomes and checks.
fn needed_values(flow: &Flow, event: &Event) -> Values {
    let checks = flow.checks().filter_map(|(_, check)| check.pass_when.pattern()?.paths().ok()).flatten();
    let places = flow.outcomes.iter().flat_map(places).chain(checks);
    let event = serde_json::to_value(event).unwrap_or_default();
    pattern::values(&places.collect::<Vec<_>>(), &event)
}

/// The `${…}` places of one outcome; its patterns' first.
fn places(outcome: &OutcomeSpec) -> Vec<Path> {
    let done = outcome.done_when.pattern().and_then(|pattern| pattern.paths().ok());
    let failed = outcome.failed_when.as_ref().and_then(|pattern| pattern.paths().ok());
    let payload = outcome.request.as_ref().and_then(|request| pattern::paths(&request.payload).ok());
    [done, failed, payload].into_iter().flatten().flatten().collect()
}

impl Draft<'_> {
    /// Opens an exception for each outcome whose signal can never match, because the trigger lacks a value.
    fn unfillable(&mut self) {
        let flow = self.context.flow.document.clone();
        for outcome in &flow.outcomes {
            let Some(pattern) = outcome.done_when.pattern() else { continue };
            let paths = pattern.paths().unwrap_or_default();
            let Some(missing) = paths.iter().find(|path| !self.run.values.contains_key(path.as_str())) else {
                continue;
            };
            let expected = format!("a signal that verifies `{}`", outcome.id);
            let seen = format!("the trigger has no value at `{}`, so no signal can match", missing.as_str());
            self.open_exception(ExceptionKind::OutcomeFailed, Some(&outcome.id), expected, seen);
        }
    }

    /// Asks the execution layer for the outcomes that `which` picks.
    pub(super) fn request(&mut self, which: &dyn Fn(&OutcomeSpec) -> bool) {
        let flow = self.context.flow.document.clone();
        for outcome in flow.outcomes.iter().filter(|outcome| which(outcome)) {
            let Some(request) = &outcome.request else { continue };
            let filled =
                pattern::fill(&request.payload, &self.run.values, false).map_err(|error| error.to_string());
            match filled.and_then(within_limit) {
                Ok(payload) => self.follow(Fact::OutcomeRequested(Requested {
                    outcome: outcome.id.clone(),
                    channel: request.channel.clone(),
                    payload,
                })),
                Err(seen) => {
                    let expected = format!("a request to `{}`", request.channel);
                    self.open_exception(ExceptionKind::RequestFailed, Some(&outcome.id), expected, seen);
                }
            }
        }
    }
}

fn within_limit(payload: Value) -> Result<Value, String> {
    let bytes = payload.to_string().len();
    let fits = bytes <= MAX_PAYLOAD_BYTES;
    if fits {
        Ok(payload)
    } else {
        Err(format!("the payload has {bytes} bytes, at most {MAX_PAYLOAD_BYTES} are sent"))
    }
}
