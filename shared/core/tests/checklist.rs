//! The Monday checklist: what it answers, and by what evidence.

use meshline_core::checklist::{Answer, Checklist, Evidence, Item, Question, Trigger, Verdict, checklist};
use meshline_core::command::Action;
use meshline_core::config::directory::Directory;
use meshline_core::config::flow::DoneWhen;
use meshline_core::config::qa::CheckKind;
use meshline_core::record::{ActorKind, Fact};
use meshline_core::run::{CheckStatus, Run, Status};
use meshline_core::time::{Span, Time};
use proptest::prelude::*;

use crate::support::chance::{World, moves, opened};
use crate::support::story::Story;
use crate::support::{FLOW, at};

/// The example flow with a routing check.
fn with_routing() -> String {
    let qa = "qa: {routing: [{id: attribution, pass_when: manual, within: 4h}]}\n\noutcomes:";
    FLOW.replace("outcomes:", qa)
}

/// The checklist over these runs, newest first, by the flow and directory of the first.
fn over(stories: &[&Story], now: &str) -> Checklist {
    by(&stories[0].directory, stories, now)
}

fn by(directory: &Directory, stories: &[&Story], now: &str) -> Checklist {
    let triggers: Vec<Trigger<'_>> = stories
        .iter()
        .map(|story| Trigger { run: story.run(), flow: &story.flow.document, trail: &story.trail })
        .collect();
    let excepted: Vec<Run> = stories.iter().map(|story| story.run().clone()).collect();
    let evidence = Evidence {
        flow: &stories[0].flow.document,
        directory,
        triggers: &triggers,
        excepted: &excepted,
        has_more_excepted: false,
        of_flow: &[],
    };
    checklist(evidence, at(now))
}

fn item(list: &Checklist, check: Question) -> &Item {
    list.checks.iter().find(|item| item.check == check).unwrap()
}

/// The answer to one question, in one line, and its examples below.
fn answer(list: &Checklist, check: Question) -> String {
    let item = item(list, check);
    let examples = item.examples.iter().map(|it| format!("\n{} {}", it.at, it.what));
    format!("{:?}: {}{}", item.status, item.sentence, examples.collect::<String>())
}

/// Published at nine on the 23rd, tagged in time, the deck done by hand.
fn met() -> Story {
    let mut story = Story::new();
    story.published("23 09:00").person("23 09:10", "ana", Action::Acknowledge);
    story.tagged("23 10:00").completes("23 12:00", "ana", "sales-deck");
    story
}

/// Published at nine on the 23rd, and nothing since: the clock has seen all that was due until `until`.
fn waiting(until: &[&str]) -> Story {
    let mut story = Story::new();
    story.published("23 09:00");
    until.iter().for_each(|when| {
        story.tick(when);
    });
    story
}

#[test]
fn people_are_there_when_owner_and_backup_are_two_who_can_be_reached_today() {
    let story = met();
    insta::assert_snapshot!(
        answer(&over(&[&story], "23 12:00"), Question::People),
        @"Pass: `ana` is there for `role:product-marketing`, `cara` for `role:marketing-ops`"
    );
    let mut gone = story.directory.clone();
    let cara = gone.people.iter_mut().find(|person| person.id == "cara").unwrap();
    cara.email = None;
    insta::assert_snapshot!(answer(&by(&gone, &[&story], "23 12:00"), Question::People), @"
    Fail: nobody else of `role:marketing-ops` is there and can be reached today
    2026-11-23T12:00:00.000Z nobody else of `role:marketing-ops` is there and can be reached today
    ");
    let mut alone = story.directory.clone();
    alone.roles.iter_mut().for_each(|role| role.members = vec!["ana".to_owned()]);
    insta::assert_snapshot!(answer(&by(&alone, &[&story], "23 12:00"), Question::People), @"
    Fail: nobody else of `role:marketing-ops` is there and can be reached today
    2026-11-23T12:00:00.000Z nobody else of `role:marketing-ops` is there and can be reached today
    ");
}

#[test]
fn what_is_overdue_is_missed_now_and_what_is_not_due_is_pending() {
    let (met, open) = (met(), waiting(&[]));
    insta::assert_snapshot!(answer(&over(&[&open, &met], "23 10:59"), Question::Outcomes), @"
    Pass: of the last 2 triggers: 1 met, 1 pending
    2026-11-23T11:00:00.000Z `crm-tag` is not due; `sales-deck` is not due
    ");
    insta::assert_snapshot!(answer(&over(&[&open, &met], "23 11:00"), Question::Outcomes), @"
    Fail: of the last 2 triggers: 1 met, 1 missed
    2026-11-23T11:00:00.000Z `crm-tag` was due 2026-11-23T11:00:00.000Z
    ");
    insta::assert_snapshot!(answer(&over(&[&open], "23 10:59"), Question::Outcomes), @"
    Unknown: of the last trigger: 1 pending
    2026-11-23T11:00:00.000Z `crm-tag` is not due; `sales-deck` is not due
    ");
}

#[test]
fn what_was_called_off_or_opened_while_the_flow_was_off_is_shown_and_not_judged() {
    let mut cancelled = waiting(&["23 11:00"]);
    cancelled.person("23 12:00", "ana", Action::Cancel("unpublished".to_owned()));
    let off = {
        let mut story = Story::of(&FLOW.replace("client: acme", "enabled: false"));
        story.published("23 09:00").tick("23 11:00");
        story
    };
    let list = over(&[&cancelled, &off, &met()], "25 12:00");
    let verdicts: Vec<Verdict> = list.triggers.iter().map(|trigger| trigger.verdict).collect();
    assert_eq!(verdicts, [Verdict::Cancelled, Verdict::Suppressed, Verdict::Met]);
    insta::assert_snapshot!(answer(&list, Question::Outcomes), @"Pass: of the last 3 triggers: 1 met, 1 cancelled, 1 suppressed");
    assert_eq!(item(&list, Question::MissesExplained).status, Answer::Pass);
}

#[test]
fn only_the_last_ten_triggers_are_looked_at() {
    let (met, late) = (met(), waiting(&["23 11:00"]));
    let mut stories = vec![&met; 10];
    stories.push(&late);
    let list = over(&stories, "23 12:00");
    assert_eq!(list.triggers.len(), 10);
    assert_eq!(item(&list, Question::Outcomes).status, Answer::Pass);
}

#[test]
fn routing_qa_is_asked_of_flows_that_have_it() {
    assert_eq!(item(&over(&[&met()], "23 12:00"), Question::RoutingQa).status, Answer::Unknown);
    let story = |happens: &dyn Fn(&mut Story)| {
        let mut story = Story::of(&with_routing());
        story.published("23 09:00").person("23 09:10", "ana", Action::Acknowledge);
        happens(&mut story);
        story
    };
    let pass = |now| {
        move |story: &mut Story| {
            let action = Action::PassCheck { check: "attribution".to_owned(), evidence: None };
            story.person(now, "ana", action);
        }
    };
    let passed = story(&pass("23 10:00"));
    let late = story(&pass("23 14:00"));
    let silent = story(&|_| {});
    let failed = story(&|story| {
        let (check, reason) = ("attribution".to_owned(), "wrong campaign".to_owned());
        story.person("23 10:00", "ana", Action::FailCheck { check, reason });
    });
    insta::assert_snapshot!(answer(&over(&[&passed, &silent], "23 12:59"), Question::RoutingQa), @"
    Pass: routing checks of the last 2 triggers: 1 passed, 1 pending
    2026-11-23T13:00:00.000Z `attribution` is not due
    ");
    insta::assert_snapshot!(answer(&over(&[&passed, &late, &silent, &failed], "23 15:00"), Question::RoutingQa), @"
    Fail: routing checks of the last 4 triggers: 1 passed, 1 passed late, 1 failed, 1 never reported
    2026-11-23T13:00:00.000Z `attribution` was never reported
    2026-11-23T13:00:00.000Z `attribution` failed
    ");
    let before = met();
    insta::assert_snapshot!(answer(&over(&[&passed, &before], "23 12:00"), Question::RoutingQa), @"
    Fail: routing checks of the last 2 triggers: 1 passed, 1 without any
    2026-11-23T09:00:00.000Z version 1 of the flow asked for none
    ");
}

#[test]
fn an_outcome_that_somebody_completed_in_place_of_its_system_shows_no_event_of_it() {
    let mut by_hand = waiting(&[]);
    by_hand.completes("23 10:00", "ana", "crm-tag");
    let open = waiting(&[]);
    insta::assert_snapshot!(answer(&over(&[&met(), &open], "23 12:00"), Question::BothSystems), @"
    Pass: of the last 2 triggers: 1 with an event of each, 1 with no outcome verified by an event so far
    2026-11-23T09:00:00.000Z only events of contentful so far
    ");
    insta::assert_snapshot!(answer(&over(&[&by_hand, &met()], "23 12:00"), Question::BothSystems), @"
    Fail: of the last 2 triggers: 1 with an event of each, 1 with one missing
    2026-11-23T09:00:00.000Z `crm-tag` is done without an event of hubspot
    ");
}

#[test]
fn open_exceptions_are_named_and_those_past_their_recovery_deadline_fail() {
    let late = waiting(&["23 11:00"]);
    insta::assert_snapshot!(answer(&over(&[&late], "24 10:59"), Question::Exceptions), @"
    Unknown: 1 open, 0 of them past the recovery deadline
    2026-11-24T11:00:00.000Z `sla_breached` x5 is with eve, to be resolved by 2026-11-24T11:00:00.000Z
    ");
    insta::assert_snapshot!(answer(&over(&[&late], "24 11:00"), Question::Exceptions), @"
    Fail: 1 open, 1 of them past the recovery deadline
    2026-11-24T11:00:00.000Z `sla_breached` x5 is with eve, to be resolved by 2026-11-24T11:00:00.000Z
    ");
    assert_eq!(item(&over(&[&met()], "24 11:00"), Question::Exceptions).status, Answer::Pass);
    let example = item(&over(&[&late], "24 11:00"), Question::Exceptions).examples[0].clone();
    assert_eq!(example.trail, Some(format!("/v1/runs/{}/audit", late.run().run)));
}

#[test]
fn each_missed_outcome_without_an_exception_is_named() {
    let unseen = waiting(&[]);
    let seen = waiting(&["23 11:00"]);
    insta::assert_snapshot!(answer(&over(&[&seen], "23 12:00"), Question::MissesExplained), @"Pass: 1 missed, 0 of them without an exception");
    insta::assert_snapshot!(answer(&over(&[&unseen; 5], "23 12:00"), Question::MissesExplained), @"
    Fail: 5 missed, 5 of them without an exception
    2026-11-23T11:00:00.000Z `crm-tag` was missed, and there is no exception about it
    2026-11-23T11:00:00.000Z `crm-tag` was missed, and there is no exception about it
    2026-11-23T11:00:00.000Z `crm-tag` was missed, and there is no exception about it
    2026-11-23T11:00:00.000Z `crm-tag` was missed, and there is no exception about it
    2026-11-23T11:00:00.000Z `crm-tag` was missed, and there is no exception about it
    ");
}

#[test]
fn a_flow_that_was_never_triggered_leaves_open_what_only_a_trigger_can_answer() {
    let story = Story::new();
    let evidence = Evidence {
        flow: &story.flow.document,
        directory: &story.directory,
        triggers: &[],
        excepted: &[],
        has_more_excepted: false,
        of_flow: &[],
    };
    let list = checklist(evidence, at("23 09:00"));
    let answers: Vec<(Question, Answer)> = list.checks.iter().map(|item| (item.check, item.status)).collect();
    assert_eq!(
        answers,
        [
            (Question::People, Answer::Pass),
            (Question::Outcomes, Answer::Unknown),
            (Question::RoutingQa, Answer::Unknown),
            (Question::BothSystems, Answer::Unknown),
            (Question::Exceptions, Answer::Pass),
            (Question::MissesExplained, Answer::Unknown),
        ]
    );
}

/// Runs of one flow, to each of which something else happened, and a moment.
fn runs_of_one_flow() -> impl Strategy<Value = (Vec<World>, Time)> {
    (opened(), prop::collection::vec(moves(), 1..4), 0..9_000_i64).prop_map(|(world, lives, later)| {
        let live = |moves: &Vec<_>| {
            let mut world = world.clone();
            moves.iter().for_each(|step| world.happens(step));
            world
        };
        let worlds: Vec<World> = lives.iter().map(live).collect();
        let latest = worlds.iter().map(|world| world.now.max(world.run.last_at)).max().unwrap();
        (worlds, latest + Span::minutes(later))
    })
}

/// One that is wrong fails, one that is right passes.
fn naive(answers: &[Option<bool>]) -> Answer {
    if answers.contains(&Some(false)) {
        Answer::Fail
    } else if answers.contains(&Some(true)) {
        Answer::Pass
    } else {
        Answer::Unknown
    }
}

/// Whether each outcome was in time, written down anew.
fn kept(run: &Run, now: Time) -> Vec<Option<bool>> {
    let outcomes = run.outcomes.iter().map(|outcome| {
        let due_at = outcome.clock.as_ref().map(|clock| clock.due_at);
        let stands = due_at.is_some_and(|due_at| run.stands_still(due_at));
        let over = !run.is_open() || due_at.is_some_and(|due_at| due_at <= now && !stands);
        outcome.met.or(over.then_some(false))
    });
    outcomes.collect()
}

fn all(answers: &[Option<bool>]) -> Option<bool> {
    match naive(answers) {
        Answer::Fail => Some(false),
        Answer::Pass | Answer::Unknown => answers.iter().all(|it| *it == Some(true)).then_some(true),
    }
}

/// Whether every outcome that an event must verify, and that is done, was done by an event of such a source.
fn spoken(world: &World) -> bool {
    world.flow.document.outcomes.iter().all(|spec| {
        let DoneWhen::Event(pattern) = &spec.done_when else { return true };
        let sources = pattern.texts("source");
        let done = world
            .trail
            .iter()
            .filter(|record| matches!(&record.fact, Fact::OutcomeDone(done) if done.outcome == spec.id));
        let by =
            done.map(|record| record.actor.kind == ActorKind::Source && sources.contains(&*record.actor.id));
        sources.is_empty() || by.into_iter().all(|is| is)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn the_answers_agree_with_a_naive_count((worlds, now) in runs_of_one_flow()) {
        let flow = &worlds[0].flow.document;
        let triggers: Vec<Trigger<'_>> = worlds
            .iter()
            .map(|world| Trigger { run: &world.run, flow: &world.flow.document, trail: &world.trail })
            .collect();
        let excepted: Vec<Run> = worlds.iter().map(|world| world.run.clone()).collect();
        let directory = &worlds[0].directory;
        let evidence = Evidence {
            flow, directory, triggers: &triggers, excepted: &excepted, has_more_excepted: false, of_flow: &[],
        };
        let list = checklist(evidence, now);

        let counted: Vec<&World> =
            worlds.iter().filter(|world| world.run.status != Status::Cancelled && !world.run.suppressed).collect();
        let outcomes: Vec<Option<bool>> =
            counted.iter().map(|world| all(&kept(&world.run, now))).collect();
        prop_assert_eq!(item(&list, Question::Outcomes).status, naive(&outcomes));
        let met = outcomes.iter().filter(|it| **it == Some(true)).count();
        prop_assert_eq!(item(&list, Question::Outcomes).passed, met);

        let routing: Vec<Option<bool>> = counted.iter().filter_map(|world| {
            let checks = world.run.checks.iter().filter(|check| check.kind == CheckKind::Routing);
            let answers: Vec<Option<bool>> = checks.map(|check| match check.status {
                CheckStatus::Passed => Some(true),
                CheckStatus::Failed | CheckStatus::Overdue => Some(false),
                CheckStatus::Pending => check.due_at.filter(|due_at| *due_at <= now).map(|_| false),
            }).collect();
            (!answers.is_empty()).then(|| all(&answers))
        }).collect();
        prop_assert_eq!(item(&list, Question::RoutingQa).status, naive(&routing));

        let is_silent = counted.iter().any(|world| !spoken(world));
        prop_assert_eq!(item(&list, Question::BothSystems).status == Answer::Fail, is_silent);

        let due: Vec<Time> = worlds.iter().filter(|world| !world.run.suppressed)
            .flat_map(|world| world.run.open_exceptions().map(|it| it.recovery_due_at)).collect();
        let past = due.iter().filter(|due_at| **due_at <= now).count();
        let expected = match (due.len(), past) {
            (0, _) => Answer::Pass,
            (_, 0) => Answer::Unknown,
            (_, _) => Answer::Fail,
        };
        prop_assert_eq!(item(&list, Question::Exceptions).status, expected);
        prop_assert_eq!(item(&list, Question::Exceptions).failed, past);

        let unexplained = counted.iter().map(|world| {
            let missed = world.run.outcomes.iter().zip(kept(&world.run, now)).filter(|(_, kept)| *kept == Some(false));
            missed.filter(|(outcome, _)| {
                !world.run.exceptions.iter().any(|it| it.outcome.as_ref() == Some(&outcome.id))
            }).count()
        }).sum::<usize>();
        prop_assert_eq!(item(&list, Question::MissesExplained).examples.len(), unexplained);
    }
}
