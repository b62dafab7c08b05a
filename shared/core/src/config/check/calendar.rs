//! What must hold of calendars, and of the flows that count by them.

use std::collections::BTreeSet;

use super::{Found, id_problem, not_given};
use crate::config::calendar::Calendar;
use crate::config::flow::Flow;
use crate::config::read::{Document, Read, is_within};
use crate::config::{Config, Problem};
use crate::duration::BusinessTime;
use crate::time::Time;

/// What is wrong with a calendar by itself.
pub(super) fn problems(calendar: &Calendar) -> Vec<Found> {
    let mut found: Vec<Found> = id_problem("id".to_owned(), &calendar.id).into_iter().collect();
    let mut named = BTreeSet::new();
    for (days, slots) in &calendar.hours {
        let at = format!("hours.{days}");
        if !days.days().all(|day| named.insert(day)) {
            let reason = format!("a day of `{days}` is named twice");
            found.push((at.clone(), reason, "name each day of the week once".to_owned()));
        }
        for (n, (slot, other)) in slots.iter().zip(slots.iter().skip(1)).enumerate() {
            if other.opens() < slot.closes() {
                let reason = format!("`{other}` begins before `{slot}` ends");
                let mend = "order the hours of a day, and let none overlap".to_owned();
                found.push((format!("{at}[{}]", n + 1), reason, mend));
            }
        }
    }
    if calendar.hours.values().all(Vec::is_empty) {
        let mend = "write some, like `mon-fri: [\"09:00-17:00\"]`".to_owned();
        found.push(("hours".to_owned(), "there are no open hours".to_owned(), mend));
    }
    if let Some(last) = calendar.holidays.last().filter(|last| **last > calendar.known_until) {
        let reason = format!("the holiday {last} comes after it");
        let mend = "write the last day whose holidays are all listed".to_owned();
        found.push(("known_until".to_owned(), reason, mend));
    }
    found
}

/// What is wrong with the business time of a flow.
pub(super) fn problems_of_flow(flow: &Flow, config: &Config, unread: bool, now: Time) -> Vec<Found> {
    let business = business_times(flow);
    let calendar = match (&flow.calendar, config.calendar_of(flow)) {
        (None, _) => {
            let mend = "name one: `calendar: ID`".to_owned();
            let without = |(at, time)| (at, format!("`{time}` needs a calendar"), mend.clone());
            return business.into_iter().map(without).collect();
        }
        (Some(_), None) if unread => return Vec::new(),
        (Some(id), None) => {
            let mend = "add a `kind: Calendar` of that id, or correct the name".to_owned();
            return vec![("calendar".to_owned(), format!("there is no calendar `{id}`"), mend)];
        }
        (Some(_), Some(calendar)) => &calendar.document,
    };
    let too_far = business.into_iter().filter_map(|(at, time)| {
        let due_at = calendar.add(now, time).due_at;
        let reason = format!(
            "from today `{time}` ends at {due_at}, and the holidays of `{}` are known until {}",
            calendar.id, calendar.known_until
        );
        let mend = "list the calendar's next holidays, and set `known_until` further".to_owned();
        (!calendar.knows(due_at)).then_some((at, reason, mend))
    });
    too_far.collect()
}

/// Flows that are not in the files and that a new calendar leaves without their deadlines.
pub(super) fn stranded(next: &Config, documents: &[Read], now: Time) -> Vec<Problem> {
    let mut problems = Vec::new();
    for read in documents.iter().filter(|read| !is_within(&read.broken, "known_until")) {
        let calendar = match &read.document {
            Document::Calendar(calendar) => calendar,
            Document::Flow(_) | Document::Source(_) | Document::Directory(_) => continue,
        };
        let users =
            not_given(next, documents).filter(|flow| flow.document.calendar.as_ref() == Some(&calendar.id));
        for flow in users {
            let found = problems_of_flow(&flow.document, next, false, now);
            problems.extend(found.into_iter().map(|(field, reason, mend)| {
                read.problem("known_until", format!("flow `{}`, `{field}`: {reason}", flow.document.id), mend)
            }));
        }
    }
    problems
}

/// Every business time of a flow, and where it stands.
fn business_times(flow: &Flow) -> Vec<(String, BusinessTime)> {
    let slas =
        flow.outcomes.iter().enumerate().map(|(n, outcome)| (format!("outcomes[{n}].sla"), outcome.sla));
    let within = flow.acknowledge.iter().map(|it| ("acknowledge.within".to_owned(), it.within));
    let steps = super::ladder::given(flow).flat_map(|(field, steps)| {
        steps.iter().enumerate().map(move |(n, step)| (format!("{field}[{n}].after"), step.after))
    });
    let recovery = flow.exceptions.iter().map(|it| ("exceptions.recovery_sla".to_owned(), it.recovery_sla));
    let expect = flow.expect.iter().map(|it| ("expect.at_least_every".to_owned(), it.at_least_every));
    let all = slas.chain(within).chain(steps).chain(recovery).chain(expect);
    all.filter_map(|(at, duration)| Some((at, duration.business()?))).collect()
}
