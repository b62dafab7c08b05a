//! Owners, the windows to acknowledge, and the ladders: rules 1, 3 and 4.

use meshline_core::config::flow::{ExceptionKind, Ladder};
use meshline_core::duration::Duration;
use meshline_core::record::{ActorKind, Fact, OwnerRole};
use meshline_core::time::Time;
use proptest::prelude::*;

use super::cases;
use crate::support::chance::world;

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn rule_1_one_owner_at_every_moment(world in world()) {
        let mut owner: Option<String> = None;
        let mut since = None;
        for record in &world.trail {
            if let Fact::RunOpened(opened) = &record.fact {
                owner = Some(opened.owner.clone());
                since = Some(opened.opened_at);
                let gap = world.trail.iter().any(|record| matches!(&record.fact, Fact::ExceptionOpened(x)
                    if x.kind == ExceptionKind::OwnershipGap && record.seq == 2));
                prop_assert_eq!(gap, opened.role == OwnerRole::Assigned);
            }
            if let Fact::Reassigned(new) = &record.fact {
                prop_assert_eq!(Some(&new.from), owner.as_ref());
                prop_assert_ne!(&new.from, &new.to);
                owner = Some(new.to.clone());
                since = Some(record.at);
            }
        }
        prop_assert_eq!(Some(&world.run.owner.id), owner.as_ref());
        prop_assert_eq!(Some(world.run.owner.since), since);
        let custody = world.run.custody();
        for pair in custody.windows(2) {
            prop_assert_eq!(pair[0].to, Some(pair[1].from), "a gap in the custody");
        }
        prop_assert_eq!((custody[0].from, custody[custody.len() - 1].to), (world.run.opened_at, None));
    }

    #[test]
    fn rule_3_each_window_is_missed_at_most_once_and_only_unacknowledged(mut world in world()) {
        world.lives_on(3);
        let mut window: Option<Time> = None;
        for record in &world.trail {
            let next = if let Fact::RunOpened(opened) = &record.fact {
                opened.acknowledge_by
            } else if let Fact::Reassigned(new) = &record.fact {
                new.acknowledge_by
            } else if let Fact::AcknowledgementMissed(missed) = &record.fact {
                prop_assert_eq!(Some(missed.due_at), window);
                prop_assert!(record.at >= missed.due_at);
                None
            } else if let Fact::AcknowledgementLapsed(lapsed) = &record.fact {
                Some(lapsed.acknowledge_by)
            } else {
                window.filter(|_| !matches!(record.fact, Fact::Acknowledged(_)))
            };
            window = next;
        }
        let over = window.is_some_and(|due| world.run.is_open() && due <= world.run.last_at);
        prop_assert!(!over || world.run.ack.as_ref().is_some_and(|ack| ack.at.is_some()));
    }

    #[test]
    fn rule_3_an_acknowledgement_lapses_once_its_lease_has_passed_without_progress(mut world in world()) {
        world.lives_on(3);
        let terms = world.flow.document.acknowledge.clone();
        let (mut owner, mut until) = (String::new(), None);
        for record in &world.trail {
            let progress = record.actor.kind == ActorKind::Person && record.actor.id == owner
                || matches!(record.fact, Fact::OutcomeDone(_) | Fact::CheckPassed(_) | Fact::ExceptionResolved(_));
            let lease = terms.as_ref().and_then(|terms| terms.lease);
            if let Fact::RunOpened(opened) = &record.fact {
                owner = opened.owner.clone();
            } else if let Fact::Reassigned(new) = &record.fact {
                (owner, until) = (new.to.clone(), None);
            } else if let Fact::Acknowledged(acknowledged) = &record.fact {
                until = lease.map(|lease| record.at + lease);
                prop_assert_eq!(acknowledged.lease_until, until);
            } else if let Fact::AcknowledgementLapsed(lapsed) = &record.fact {
                prop_assert_eq!(Some(lapsed.due_at), until.take());
                prop_assert!(record.at >= lapsed.due_at);
                let Duration::Elapsed(within) = terms.as_ref().unwrap().within else { unreachable!() };
                prop_assert_eq!(lapsed.acknowledge_by, lapsed.due_at + within);
            } else if let (Some(_), Some(lease), true) = (until, lease, progress) {
                until = Some(record.at + lease);
            }
        }
        prop_assert_eq!(world.run.ack.as_ref().and_then(|ack| Some(ack.lease.as_ref()?.until)), until);
        prop_assert!(!world.run.is_open() || until.is_none_or(|until| until > world.now), "nobody saw it lapse");
    }

    #[test]
    fn rule_3_a_ladder_hands_over_at_most_once_per_step(mut world in world()) {
        world.lives_on(3);
        // A step's hand-over stands right before the step itself.
        for pair in world.trail.windows(2) {
            let by_ladder = pair[0].actor.kind == ActorKind::System && matches!(pair[0].fact, Fact::Reassigned(_));
            prop_assert!(!by_ladder || matches!(pair[1].fact, Fact::Escalated(_)), "{:?}", pair);
        }
    }

    #[test]
    fn rule_4_each_step_fires_at_most_once_and_none_is_skipped(mut world in world()) {
        world.lives_on(3);
        let mut next = std::collections::BTreeMap::new();
        for record in &world.trail {
            let fired = if let Fact::Escalated(fired) = &record.fact {
                Some((fired.ladder, fired.outcome.clone().or(fired.exception.clone()), fired.step))
            } else if let Fact::StepEmpty(empty) = &record.fact {
                Some((empty.ladder, empty.outcome.clone().or(empty.exception.clone()), empty.step))
            } else {
                None
            };
            let Some((ladder, about, step)) = fired else { continue };
            let expected = next.entry((ladder, about)).or_insert(0);
            prop_assert_eq!(step, *expected);
            *expected += 1;
            prop_assert!(step < world.flow.document.ladder(ladder).len());
        }
        if world.run.is_open() {
            for late in world.run.open_exceptions().filter(|exception| exception.recovery_breached) {
                let climbed = next.get(&(Ladder::Recovery, Some(late.id.clone()))).copied().unwrap_or(0);
                let left = world.flow.document.ladder(Ladder::Recovery).len() - climbed;
                prop_assert!(left == 0 || late.ladder.at.is_some_and(|at| at > world.now), "{} is stuck", late.id);
            }
        }
    }

    #[test]
    fn rule_4_a_step_never_fires_before_its_time_unless_one_before_it_was_empty(mut world in world()) {
        world.lives_on(3);
        for record in &world.trail {
            let Fact::Escalated(fired) = &record.fact else { continue };
            prop_assert!(record.at >= fired.due_at);
            let skipped = world.trail.iter().any(|r| matches!(&r.fact, Fact::StepEmpty(e) if e.ladder == fired.ladder));
            // Of a ladder that a second miss finds in the middle, the deadline here is not the one that it began with.
            let from_the_start = fired.ladder != Ladder::NotAcknowledged;
            let after = world.flow.document.ladder(fired.ladder)[fired.step].after;
            let calendar = world.calendar.as_ref().map(|calendar| calendar.document.as_ref());
            let due = after.end(fired.due_at, calendar);
            prop_assert!(skipped || !from_the_start || record.at >= due, "{record:?}, due {due}");
        }
    }
}
