//! What pagers and trackers hold open: each alert is settled when its matter is, once, however late it was raised.

use std::collections::BTreeMap;

use meshline_core::alert::{Alert, Matter, Settlement};
use meshline_core::record::Fact;
use meshline_core::run::{OutcomeStatus, Run};
use proptest::prelude::*;

use super::{cases, changes};
use crate::support::chance::world;

/// Whether nobody need be alarmed about it any more.
fn is_over(run: &Run, matter: &Matter) -> bool {
    let outcome =
        |id: &String| run.outcomes.iter().any(|it| it.id == *id && it.status == OutcomeStatus::Done);
    let exception = |id: &String| run.exceptions.iter().any(|it| it.id == *id && it.resolved_at.is_some());
    !run.is_open()
        || match matter {
            Matter::Outcome(id) => outcome(id),
            Matter::Exception(id) => exception(id),
            Matter::Acknowledgement => run.ack.as_ref().is_some_and(|ack| ack.at.is_some()),
            Matter::Whole => false,
        }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn no_alert_outlives_its_matter_and_none_is_resolved_that_was_not_raised(world in world()) {
        for (_, run, records) in changes(&world) {
            for alert in &run.alerts {
                prop_assert!(!is_over(run, &alert.matter), "{:?} after {:?}", alert, records);
            }
        }
        let mut raised: BTreeMap<Matter, bool> = BTreeMap::new();
        for record in &world.trail {
            if let Fact::DeliverySucceeded(it) = &record.fact {
                raised.extend(it.raised.clone().map(|matter| (matter, false)));
            }
            if let Fact::AlertSettled(it) = &record.fact {
                let was_acknowledged = match it.settlement {
                    Settlement::Resolved => raised.remove(&it.matter).map(|_| false),
                    Settlement::Acknowledged => raised.insert(it.matter.clone(), true),
                };
                prop_assert_eq!(was_acknowledged, Some(false), "{:?}", it);
            }
        }
        prop_assert_eq!(raised.len(), world.run.alerts.len());
    }

    #[test]
    fn whoever_answers_after_a_step_fired_quiets_its_alert(world in world()) {
        for (_, run, _) in changes(&world) {
            let answered = run.ack.as_ref().and_then(|ack| ack.at);
            for outcome in &run.outcomes {
                let is_of = |alert: &&Alert| alert.matter == Matter::Outcome(outcome.id.clone());
                let rings = run.alerts.iter().find(is_of).is_some_and(|alert| !alert.acknowledged);
                let steps = run.escalations.iter().filter(|step| step.outcome.as_ref() == Some(&outcome.id));
                let last = steps.map(|step| step.at).max();
                let is_answered = answered.is_some_and(|at| last.is_none_or(|last| last < at));
                prop_assert!(!(rings && is_answered), "`{}` is answered", outcome.id);
            }
        }
    }
}
