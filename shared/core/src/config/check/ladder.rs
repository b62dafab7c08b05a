//! What must hold of ladders.

use super::{FlowCheck, Found};
use crate::config::flow::{Assignee, Flow, Step, Target};
use crate::duration::{BusinessTime, Duration};

/// Steps of one ladder.
const MAX_STEPS: usize = 10;

/// What a duration is counted in; of different ones it depends on the day which is longer.
#[derive(PartialEq)]
enum Count {
    Elapsed,
    BusinessHours,
    BusinessDays,
}

/// The ladders that a flow gives, with their fields.
pub(super) fn given(flow: &Flow) -> impl Iterator<Item = (&'static str, &[Step])> {
    let ladders = [
        ("escalation.not_acknowledged", flow.escalation.not_acknowledged.as_deref()),
        ("escalation.breached", flow.escalation.breached.as_deref()),
        ("exceptions.escalation", flow.exceptions.as_ref().and_then(|it| it.escalation.as_deref())),
    ];
    ladders.into_iter().filter_map(|(field, steps)| Some((field, steps?)))
}

impl FlowCheck<'_> {
    pub(super) fn ladder(&self, field: &str, steps: &[Step]) -> Vec<Found> {
        let mut found = Vec::new();
        if steps.is_empty() || steps.len() > MAX_STEPS {
            let reason = format!("a ladder has 1 to {MAX_STEPS} steps, this one {}", steps.len());
            found.push((field.to_owned(), reason, "leave it out to have the default".to_owned()));
        }
        found.extend(order(field, steps));
        for (n, step) in steps.iter().enumerate() {
            let at = format!("{field}[{n}]");
            if step.notify.is_empty() && step.reassign.is_none() {
                let mend = "write `notify:` or `reassign:`".to_owned();
                found.push((at.clone(), "this step does nothing".to_owned(), mend));
            }
            match &step.reassign {
                Some(Assignee::Party(party)) => found.extend(self.party(&format!("{at}.reassign"), party)),
                Some(Assignee::BackupOwner) | None => {}
            }
            found.extend(self.targets(&format!("{at}.notify"), &step.notify));
        }
        found
    }

    /// Everybody who is to be told must be known, and reachable.
    pub(super) fn targets(&self, field: &str, targets: &[Target]) -> Vec<Found> {
        let at = |n: usize| format!("{field}[{n}]");
        targets.iter().enumerate().flat_map(|(n, target)| self.target(&at(n), target)).collect()
    }

    fn target(&self, field: &str, target: &Target) -> Vec<Found> {
        match target {
            Target::Owner | Target::BackupOwner => Vec::new(),
            Target::Party(party) => self.party(field, party),
            Target::Channel(id) => self.channel(field, id).into_iter().collect(),
        }
    }
}

/// Each step comes after the one before it, whenever the ladder starts: so all are counted in the same time.
fn order(field: &str, steps: &[Step]) -> Vec<Found> {
    let mut found = Vec::new();
    let mut before: Option<&Step> = None;
    for (n, step) in steps.iter().enumerate() {
        let (counted, length) = count(step.after);
        let problem = match before {
            Some(before) if length > 0 && counted != count(before.after).0 => Some((
                format!(
                    "`{}` and `{}` before it have no order that holds every day",
                    step.after, before.after
                ),
                "count all steps in elapsed time, in business hours or in business days; `0m` goes with each",
            )),
            Some(before) if length < count(before.after).1 => Some((
                format!("this step comes after {}, the one before it after {}", step.after, before.after),
                "order the steps by `after`",
            )),
            Some(_) | None => None,
        };
        found.extend(problem.map(|(reason, mend)| (format!("{field}[{n}].after"), reason, mend.to_owned())));
        if length > 0 {
            before = Some(step);
        }
    }
    found
}

/// How a duration is counted, and its length by that count.
fn count(duration: Duration) -> (Count, i64) {
    match duration {
        Duration::Elapsed(span) => (Count::Elapsed, span.ms()),
        Duration::Business(BusinessTime::Open(span)) => (Count::BusinessHours, span.ms()),
        Duration::Business(BusinessTime::Days(days)) => (Count::BusinessDays, days.into()),
    }
}
