//! Averages of a week: what is late on average is said, and what is not there yet is not forgotten.

use meshline_core::command::Action;
use meshline_core::report::{Averages, LateOutcome};
use meshline_core::run::Run;
use meshline_core::time::Time;

use crate::support::story::Story;
use crate::support::{at, publish};

/// A flow of one outcome within two hours.
const FLOW: &str = "
kind: Flow
id: one
title: One
owner: person:ana
backup_owner: person:cara
trigger: {source: contentful, match: {type: [Entry.publish]}}
pause: {budget: 24h}
outcomes:
  - {id: tag, sla: 2h, done_when: {data: {propertyName: [campaign_tag]}}}
";

/// A run that opens then.
fn opened(when: &str) -> Story {
    let mut story = Story::of(FLOW);
    story.opens(&publish(when, at(when)), at(when));
    story
}

/// A run that opens at one time and is done at another.
fn done(from: &str, to: &str) -> Run {
    opened(from).tagged(to).run().clone()
}

/// What was late in the week from Monday, the 16th.
fn late(runs: &[Run], from: Time) -> Vec<LateOutcome> {
    let flow = Story::of(FLOW).flow;
    let mut averages = Averages::of(&flow.document, from, at("23 00:00"));
    runs.iter().for_each(|run| averages.add(run));
    averages.late().map(|late| late.outcomes).unwrap_or_default()
}

fn tag(cases: i64, mean_s: i64) -> [LateOutcome; 1] {
    [LateOutcome { id: "tag".to_owned(), cases, mean_s, sla_s: 7_200 }]
}

#[test]
fn the_mean_counts_and_not_the_single_one_that_was_late() {
    let week = at("16 00:00");
    let (quick, slow) = (done("17 09:00", "17 10:00"), done("18 09:00", "18 12:00"));
    assert_eq!(late(&[quick.clone(), slow.clone()], week), [], "two hours each on average: what is allowed");
    let slower = done("18 09:00", "18 13:00");
    assert_eq!(late(&[quick, slow, slower], week), tag(3, 9_600));
}

#[test]
fn an_outcome_counts_in_the_week_in_which_it_came() {
    let runs = [done("13 09:00", "16 09:00"), done("22 20:00", "23 09:00"), done("13 09:00", "14 09:00")];
    assert_eq!(late(&runs[..1], at("16 00:00")), tag(1, 3 * 86_400));
    assert_eq!(late(&runs[1..2], at("16 00:00")), tag(1, 4 * 3_600), "it was late by the week's end already");
    assert_eq!(late(&runs[2..], at("16 00:00")), [], "it came before");
}

#[test]
fn what_is_still_not_there_is_as_late_as_it_is_and_what_is_not_due_is_not_late() {
    let overdue = opened("20 00:00").tick("20 03:00").run().clone();
    assert_eq!(late(&[overdue], at("16 00:00")), tag(1, 3 * 86_400));
    let pending = opened("22 23:00").run().clone();
    assert_eq!(late(&[pending], at("16 00:00")), []);
}

#[test]
fn paused_time_and_what_was_called_off_do_not_count() {
    let mut paused = opened("17 09:00");
    paused.person("17 10:00", "ana", Action::Pause("waits for legal".to_owned()));
    paused.person("17 20:00", "ana", Action::Resume);
    let paused = paused.tagged("17 20:30").run().clone();
    assert_eq!(late(&[paused], at("16 00:00")), [], "an hour and a half without the pause");
    let mut cancelled = opened("17 09:00");
    cancelled.person("19 09:00", "ana", Action::Cancel("not wanted".to_owned()));
    let cancelled = cancelled.run().clone();
    assert_eq!(late(&[cancelled], at("16 00:00")), []);
}
