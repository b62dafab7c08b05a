//! What a decision adds to the metrics: each thing once, when it is known.

use meshline_core::command::{Action, Decision};
use meshline_core::measure::Measures;
use meshline_core::time::Span;

use crate::support::story::Story;
use crate::support::{at, property};

/// What is measured of what happens in `story`.
fn measured(story: &mut Story, happens: impl FnOnce(&mut Story)) -> Measures {
    let before = story.run().clone();
    let known = story.trail.len();
    happens(story);
    let records = story.trail.iter().skip(known).cloned().collect();
    Measures::of(Some(&before), &Decision { records, run: story.run().clone() })
}

#[test]
fn the_latency_of_an_outcome_from_before_its_clock_is_known_when_the_clock_has_started() {
    let mut s = Story::new();
    s.published("23 09:00");
    let early = measured(&mut s, |s| _ = s.completes("23 09:30", "ana", "sales-deck"));
    assert_eq!(early, Measures { outcomes_met: 1, ..Measures::default() });
    let tagged = measured(&mut s, |s| _ = s.tagged("23 10:00"));
    let outcome_latency = vec![Span::hours(1), Span::ZERO];
    assert_eq!(tagged, Measures { outcomes_met: 1, outcome_latency, ..Measures::default() });
    assert_eq!(measured(&mut s, |s| _ = s.tick("23 10:30")), Measures::default());
}

#[test]
fn a_breach_its_ticket_and_its_end_are_measured_once_each() {
    let mut s = Story::new();
    s.published("23 09:00");
    let acknowledged = measured(&mut s, |s| _ = s.person("23 09:10", "ana", Action::Acknowledge));
    assert_eq!(acknowledged, Measures { acknowledge: vec![Span::minutes(10)], ..Measures::default() });
    let breached = measured(&mut s, |s| _ = s.tick("23 11:01"));
    assert_eq!(breached, Measures { outcomes_breached: 1, exceptions_opened: 1, ..Measures::default() });
    assert_eq!(measured(&mut s, |s| _ = s.tick("23 11:02")), Measures::default());
    let late = measured(&mut s, |s| _ = s.tagged("23 12:00"));
    let (outcome_latency, remediation) = (vec![Span::hours(3)], vec![Span::minutes(59)]);
    assert_eq!(late, Measures { outcome_latency, remediation, ..Measures::default() });
}

#[test]
fn a_breach_is_taken_back_when_a_signal_that_was_late_tells_of_something_in_time() {
    let mut s = Story::new();
    s.published("23 09:00");
    let breached = measured(&mut s, |s| _ = s.tick("23 11:01"));
    assert_eq!((breached.outcomes_breached, breached.outcomes_met), (1, 0));
    let in_time = property("tag", "campaign_tag", "spring", at("23 10:30"));
    let told = measured(&mut s, |s| _ = s.observes(&in_time, "23 12:00"));
    assert_eq!((told.outcomes_breached, told.outcomes_met), (-1, 1));
}

#[test]
fn what_a_run_is_closed_without_counts_as_breached() {
    let mut s = Story::new();
    s.published("23 09:00").tagged("23 09:30");
    let fail = Action::FailOutcome { outcome: "sales-deck".to_owned(), reason: "no".to_owned() };
    s.person("23 09:40", "ana", fail);
    let closed = measured(&mut s, |s| _ = s.person("23 10:00", "ana", Action::Close("no".to_owned())));
    assert_eq!((closed.outcomes_breached, closed.outcomes_met), (1, 0));
}
