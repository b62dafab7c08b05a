//! Rotations: whose turn it is, over clock changes and months of any length, and who owns what until they accept.

use std::collections::BTreeMap;

use insta::assert_snapshot;
use meshline_core::config::directory::{Directory, Role};
use meshline_core::config::rotation::Rotation;
use meshline_core::config::{Config, File};
use meshline_core::record::{Fact, OwnerRole};
use meshline_core::rotation::{FLOWS_AT_ONCE, Told};
use meshline_core::time::{Span, Time};
use proptest::prelude::*;
use serde_json::json;

use crate::support::story::Story;
use crate::support::{DIRECTORY, FLOW, SOURCES, at, file, good, plan};

fn rotation(every: &str, starting: &str, timezone: &str) -> Rotation {
    serde_json::from_value(json!({"every": every, "starting": starting, "timezone": timezone})).unwrap()
}

/// When the first turns begin, one a line.
fn begins(rotation: &Rotation, turns: u32) -> String {
    (0..turns).map(|turn| rotation.begins(turn).to_string()).collect::<Vec<_>>().join("\n")
}

/// The example bundle, whose `product-marketing` takes turns, by this text instead of its members.
fn rotating(members_and_rotate: &str) -> Vec<File> {
    let directory = DIRECTORY.replace("members: [ana, ben]", members_and_rotate);
    vec![file("flow.yaml", FLOW), file("directory.yaml", &directory), file("sources.yaml", SOURCES)]
}

/// Ana has the turn when it is applied on Monday the 23rd, Ben from the 30th on.
fn weekly() -> Config {
    good(&rotating("members: [ana, ben], rotate: {every: week, starting: 2026-11-23}"))
}

#[test]
fn a_turn_begins_at_local_midnight_before_and_after_the_clock_changes() {
    assert_snapshot!(begins(&rotation("week", "2026-03-23", "Europe/Berlin"), 3), @"
    2026-03-22T23:00:00.000Z
    2026-03-29T22:00:00.000Z
    2026-04-05T22:00:00.000Z
    ");
    assert_snapshot!(begins(&rotation("week", "2026-10-26", "America/New_York"), 3), @"
    2026-10-26T04:00:00.000Z
    2026-11-02T05:00:00.000Z
    2026-11-09T05:00:00.000Z
    ");
    let cairo = rotation("week", "2026-04-17", "Africa/Cairo");
    assert_snapshot!(begins(&cairo, 2), @"
    2026-04-16T22:00:00.000Z
    2026-04-23T22:00:00.000Z
    ");
}

#[test]
fn a_month_that_is_too_short_ends_a_turn_early_and_the_next_one_does_not_drift() {
    assert_snapshot!(begins(&rotation("month", "2026-01-31", "UTC"), 5), @"
    2026-01-31T00:00:00.000Z
    2026-02-28T00:00:00.000Z
    2026-03-31T00:00:00.000Z
    2026-04-30T00:00:00.000Z
    2026-05-31T00:00:00.000Z
    ");
    assert_snapshot!(begins(&rotation("quarter", "2025-11-30", "UTC"), 4), @"
    2025-11-30T00:00:00.000Z
    2026-02-28T00:00:00.000Z
    2026-05-30T00:00:00.000Z
    2026-08-30T00:00:00.000Z
    ");
}

#[test]
fn before_the_first_day_the_first_member_is_on_duty() {
    let config = good(&rotating("members: [ben, ana], rotate: {every: week, starting: 2027-01-04}"));
    let people = config.people();
    assert_eq!(on_duty(&people, at("23 09:00")), Some("ben"));
    let role = people.role("product-marketing").unwrap();
    assert!(role.has_accepted(0), "who is first was decided by whoever applied it");
}

fn on_duty(people: &Directory, at: Time) -> Option<&str> {
    let party = "role:product-marketing".parse().unwrap();
    people.on_duty(&party, at, None).map(|person| person.id.as_str())
}

#[test]
fn whoever_is_away_in_their_turn_is_covered_by_the_next_in_order() {
    let members = "members: [fay, ana, ben], rotate: {every: week, starting: 2026-12-14}";
    let config = good(&rotating(members));
    let people = config.people();
    let day = |text: &str| format!("{text}T12:00:00Z").parse().unwrap();
    assert_eq!(on_duty(&people, day("2026-12-20")), Some("fay"));
    assert_eq!(on_duty(&people, day("2026-12-21")), Some("ben"), "ana has the turn and is away");
    assert_eq!(on_duty(&people, day("2026-12-28")), Some("ben"));
    assert_eq!(on_duty(&people, day("2027-01-11")), Some("ana"), "her next turn");
}

#[test]
fn a_rotation_that_cannot_be_is_refused() {
    let refused = |rotate: &str| {
        let problems = plan(&Config::default(), &rotating(rotate)).unwrap_err();
        let lines = problems.iter().map(|p| format!("{} {}: {}; {}", p.line, p.field, p.reason, p.mend));
        lines.collect::<Vec<_>>().join("\n")
    };
    let every = "rotate: {every: week, starting: 2026-11-23}";
    assert_snapshot!(refused(&format!("members: [ana], {every}")), @"10 roles[0].rotate: role `product-marketing` has nobody to take turns with; name at least two people");
    assert_snapshot!(refused(&format!("members: [ana, ana], {every}")), @"10 roles[0].rotate: role `product-marketing` has nobody to take turns with; name at least two people");
    assert_snapshot!(refused("members: [ana, ben], rotate: {every: day, starting: soon, timezone: Mars}"), @"
    10 roles[0].rotate.every: unknown variant `day`; write one of `week`, `month`, `quarter`
    10 roles[0].rotate.starting: `soon` is not a day; write it like `2026-11-23`
    10 roles[0].rotate.timezone: `Mars` is not a time zone; write one of the IANA database, like `America/New_York`
    ");
    assert_snapshot!(refused("members: [ana, ben], rotate: {every: week}"), @"10 roles[0].rotate.starting: `starting` is missing; write `starting:` with its value (docs/FLOWS.md)");
}

#[test]
fn until_a_turn_is_accepted_the_backup_owns_new_runs_and_then_the_incumbent_does() {
    let mut config = weekly();
    let owner = |config: &Config, when: &str| {
        let mut story = Story::from(config);
        let owner = story.published(when).run().owner.clone();
        (owner.id, owner.role)
    };
    assert_eq!(owner(&config, "29 23:59"), ("ana".to_owned(), OwnerRole::Owner));
    assert_eq!(owner(&config, "30 00:00"), ("cara".to_owned(), OwnerRole::Backup));

    let acceptance = config.acceptance("product-marketing", "ben", at("28 09:00")).unwrap();
    config = config.with_accepted(&acceptance, at("28 09:00"));
    assert_eq!(owner(&config, "29 23:59"), ("ana".to_owned(), OwnerRole::Owner));
    assert_eq!(owner(&config, "30 00:00"), ("ben".to_owned(), OwnerRole::Owner));
}

#[test]
fn where_no_backup_is_there_the_incumbent_owns_it_nevertheless() {
    let members = "members: [ben, ana], rotate: {every: week, starting: 2026-11-23}";
    let files: Vec<File> = rotating(members);
    let mut config = good(&files);
    let mut people = config.people().as_ref().clone();
    let cara = people.people.iter_mut().find(|person| person.id == "cara").unwrap();
    cara.away = serde_json::from_value(json!([{"from": "2026-11-30", "to": "2026-12-01"}])).unwrap();
    config.directory.as_mut().unwrap().document = people.into();
    let mut story = Story::from(&config);
    let run = story.published("30 09:00").run();
    assert_eq!((run.owner.id.as_str(), run.owner.role), ("ana", OwnerRole::Owner));
}

#[test]
fn only_the_incumbents_of_this_turn_and_the_next_can_accept() {
    let members = "members: [ana, ben, fay], rotate: {every: week, starting: 2026-11-23}";
    let config = good(&rotating(members));
    let accept = |role: &str, who: &str| config.acceptance(role, who, at("24 09:00"));
    assert!(accept("product-marketing", "ana").unwrap().stands, "her turn began with the rotation");
    assert!(!accept("product-marketing", "ben").unwrap().stands);
    assert_snapshot!(accept("product-marketing", "fay").unwrap_err(), @"the turn is `ana`'s, and from 2026-11-30T00:00:00.000Z `ben`'s: only they can accept it");
    assert_snapshot!(accept("ops-lead", "eve").unwrap_err(), @"there is no rotating role `ops-lead`");
}

#[test]
fn acceptances_survive_a_new_directory_unless_the_rotation_is_another() {
    let config = weekly();
    let acceptance = config.acceptance("product-marketing", "ben", at("23 09:00")).unwrap();
    let config = config.with_accepted(&acceptance, at("23 09:00"));
    let accepted = |changes: &[(&str, &str)]| {
        let directory = changes.iter().fold(
            DIRECTORY.replace(
                "members: [ana, ben]",
                "members: [ana, ben], rotate: {every: week, starting: 2026-11-23}",
            ),
            |text, (old, new)| text.replace(old, new),
        );
        let next = plan(&config, &[file("directory.yaml", &directory)]).unwrap();
        next.people().role("product-marketing").unwrap().has_accepted(1)
    };
    assert!(accepted(&[]), "nothing changed");
    assert!(accepted(&[("Ana Reyes", "Ana R.")]), "somebody changed, the rotation did not");
    assert!(!accepted(&[("[ana, ben]", "[ana, ben, fay]")]));
    assert!(!accepted(&[("every: week", "every: month")]));
}

/// What is told at `now`, and by what the watch goes on.
fn told(config: &Config, told: &Told, now: Time) -> (Vec<String>, Told) {
    let (facts, next) = told.look("product-marketing", config, now);
    let line = |(flow, fact): (String, Fact)| {
        let Fact::OwnerRotated(it) = fact else { return format!("{flow} {}", fact.kind()) };
        let notify: Vec<_> = it.notify.iter().map(|person| person.id.as_str()).collect();
        format!("{flow} {} to {}, {:?} covers, tells {notify:?}", it.from, it.to, it.covered_by)
    };
    (facts.into_iter().map(line).collect(), next)
}

#[test]
fn turns_that_passed_while_the_clock_stood_are_told_each_but_page_nobody() {
    let config = weekly();
    let rotation = config.people().role("product-marketing").unwrap().rotate.clone().unwrap();
    let start = Told::applied(&rotation, at("23 09:00"));
    let late: Time = "2026-12-08T09:00:00Z".parse().unwrap();
    let (first, next) = told(&config, &start, late);
    let (second, next) = told(&config, &next, late);
    assert_snapshot!([first, second].concat().join("\n"), @r#"
    blog-launch ana to ben, Some("cara") covers, tells []
    blog-launch ben to ana, Some("cara") covers, tells ["ana"]
    "#);
    let (nothing, same) = told(&config, &next, late);
    assert_eq!((nothing, &same), (Vec::new(), &next), "until the reminder");
    assert_eq!(next.next_due_at, Some("2026-12-09T00:00:00Z".parse().unwrap()));
}

#[test]
fn whoever_was_not_asked_because_the_flow_was_off_is_reminded_once_it_is_on() {
    let config = weekly();
    let rotation = config.people().role("product-marketing").unwrap().rotate.clone().unwrap();
    let off = FLOW.replace("kind: Flow", "kind: Flow\nenabled: false");
    let off = plan(&config, &[file("flow.yaml", &off)]).unwrap();
    let (turn, next) = told(&off, &Told::applied(&rotation, at("23 09:00")), at("30 00:00"));
    assert_snapshot!(turn.join("\n"), @r#"blog-launch ana to ben, Some("cara") covers, tells []"#);
    let (reminder, _) = told(&config, &next, "2026-12-01T00:00:00Z".parse().unwrap());
    assert_eq!(reminder, ["blog-launch handover_reminded"]);
}

#[test]
fn whoever_has_accepted_is_not_asked_again_and_is_shown_so() {
    let open = weekly();
    let rotation = open.people().role("product-marketing").unwrap().rotate.clone().unwrap();
    let acceptance = open.acceptance("product-marketing", "ben", at("28 09:00")).unwrap();
    let accepted = open.with_accepted(&acceptance, at("28 09:00"));
    let turn = at("30 00:00");
    let at_the_turn = |config: &Config| {
        let (lines, next) = told(config, &Told::applied(&rotation, at("23 09:00")), turn);
        (lines.join("\n"), next.next_due_at.unwrap())
    };
    let (line, next) = at_the_turn(&open);
    assert_snapshot!(line, @r#"blog-launch ana to ben, Some("cara") covers, tells ["ben"]"#);
    assert_eq!(next, turn + Span::days(1), "the first reminder");
    let (line, next) = at_the_turn(&accepted);
    assert_snapshot!(line, @"blog-launch ana to ben, None covers, tells []");
    assert_eq!(next, turn + Span::days(7), "nothing to say until the next turn");

    let shown = |config: &Config, now: Time| {
        let view = config.rotations(1, now).remove(0);
        let next = &view.upcoming[0];
        let now = format!("{} accepted {}, {:?} owns new runs", view.incumbent, view.accepted, view.covers);
        format!("{now}; then {} accepted {} away {}", next.person, next.accepted, next.away)
    };
    assert_snapshot!(shown(&open, at("29 09:00")), @r#"ana accepted true, Some("ana") owns new runs; then ben accepted false away false"#);
    assert_snapshot!(shown(&open, turn), @r#"ben accepted false, Some("cara") owns new runs; then ana accepted false away false"#);
    assert_snapshot!(shown(&accepted, at("29 09:00")), @r#"ana accepted true, Some("ana") owns new runs; then ben accepted true away false"#);
    assert_snapshot!(shown(&accepted, turn), @r#"ben accepted true, Some("ben") owns new runs; then ana accepted false away false"#);
    let in_december = "2026-12-15T09:00:00Z".parse().unwrap();
    assert_snapshot!(shown(&open, in_december), @r#"ben accepted false, Some("cara") owns new runs; then ana accepted false away true"#);
}

#[test]
fn a_reminder_comes_once_a_day_until_the_turn_is_accepted_or_over() {
    let config = weekly();
    let rotation = config.people().role("product-marketing").unwrap().rotate.clone().unwrap();
    let (_, mut next) = told(&config, &Told::applied(&rotation, at("23 09:00")), at("30 00:00"));
    let mut said = Vec::new();
    for _ in 0..7 {
        let due_at = next.next_due_at.unwrap();
        let (lines, then) = told(&config, &next, due_at);
        said.push(format!("{due_at} {}", lines.join("; ")));
        next = then;
    }
    assert_snapshot!(said.join("\n"), @r#"
    2026-12-01T00:00:00.000Z blog-launch handover_reminded
    2026-12-02T00:00:00.000Z blog-launch handover_reminded
    2026-12-03T00:00:00.000Z blog-launch handover_reminded
    2026-12-04T00:00:00.000Z blog-launch handover_reminded
    2026-12-05T00:00:00.000Z blog-launch handover_reminded
    2026-12-06T00:00:00.000Z blog-launch handover_reminded
    2026-12-07T00:00:00.000Z blog-launch ben to ana, Some("cara") covers, tells ["ana"]
    "#);
}

#[test]
fn a_role_that_takes_no_turns_any_more_is_not_looked_at_again() {
    let config = weekly();
    let rotation = config.people().role("product-marketing").unwrap().rotate.clone().unwrap();
    let begun = Told::applied(&rotation, at("23 09:00"));
    assert_eq!(begun.next_due_at, Some(at("30 00:00")));
    let fixed = plan(&config, &[file("directory.yaml", DIRECTORY)]).unwrap();
    let (nothing, next) = told(&fixed, &begun, at("30 00:00"));
    assert_eq!((nothing.len(), next.next_due_at), (0, None));
    let (nothing, next) = told(&config, &next, at("30 00:00"));
    assert_eq!((nothing.len(), next.next_due_at), (0, None), "until its rotation is applied again");
}

#[test]
fn a_flow_that_the_role_backs_up_is_told_of_the_turn_and_asks_nobody() {
    let backed = FLOW
        .replace("id: blog-launch", "id: a-backed")
        .replace("\nowner: role:product-marketing", "\nowner: role:marketing-ops")
        .replace("backup_owner: role:marketing-ops", "backup_owner: role:product-marketing");
    let strange = FLOW
        .replace("id: blog-launch", "id: a-strange")
        .replace("\nowner: role:product-marketing", "\nowner: role:head-of-ops");
    let mut files = rotating("members: [ana, ben], rotate: {every: week, starting: 2026-11-23}");
    files.extend([file("backed.yaml", &backed), file("strange.yaml", &strange)]);
    let config = good(&files);
    let rotation = config.people().role("product-marketing").unwrap().rotate.clone().unwrap();
    let begun = Told::applied(&rotation, at("23 09:00"));
    let (lines, next) = told(&config, &begun, at("30 00:00"));
    assert_snapshot!(lines.join("\n"), @r#"
    a-backed ana to ben, None covers, tells []
    blog-launch ana to ben, Some("cara") covers, tells ["ben"]
    "#);
    let (reminder, _) = told(&config, &next, next.next_due_at.unwrap());
    assert_snapshot!(reminder.join("\n"), @"blog-launch handover_reminded");
}

#[test]
fn many_flows_are_told_in_steps_each_once() {
    let flows = FLOWS_AT_ONCE + 2;
    let mut files = rotating("members: [ana, ben], rotate: {every: week, starting: 2026-11-23}");
    files.extend(
        (0..flows).map(|n| file("more.yaml", &FLOW.replace("id: blog-launch", &format!("id: f-{n:02}")))),
    );
    let config = good(&files);
    let rotation = config.people().role("product-marketing").unwrap().rotate.clone().unwrap();
    let start = Told::applied(&rotation, at("23 09:00"));
    let (first, next) = told(&config, &start, at("30 00:00"));
    let (second, next) = told(&config, &next, at("30 00:00"));
    assert_eq!((first.len(), second.len()), (FLOWS_AT_ONCE, flows + 1 - FLOWS_AT_ONCE));
    let mut all: Vec<&String> = first.iter().chain(&second).collect();
    assert_eq!(all.iter().filter(|line| line.ends_with("tells [\"ben\"]")).count(), 1, "{all:#?}");
    all.dedup();
    assert_eq!((all.len(), next.after), (flows + 1, None));
}

fn any_rotation() -> impl Strategy<Value = Rotation> {
    let zones =
        ["UTC", "Europe/Berlin", "America/New_York", "Africa/Cairo", "America/Havana", "Pacific/Apia"];
    (
        prop::sample::select(vec!["week", "month", "quarter"]),
        0..20_000_i64,
        prop::sample::select(zones.to_vec()),
    )
        .prop_map(|(every, day, zone)| {
            rotation(every, &Time::from_unix_ms(day * Span::days(1).ms()).day(), zone)
        })
}

proptest! {
    #[test]
    fn turns_follow_each_other_without_gap(rotation in any_rotation(), turn in 0..900_u32, ms in 0..8_000_000_000_i64) {
        let (begins, ends) = (rotation.begins(turn), rotation.begins(turn + 1));
        prop_assert!(begins < ends);
        prop_assert_eq!(rotation.turn(begins), turn);
        prop_assert_eq!(rotation.turn(ends - Span::from_ms(1)), turn);
        let within = begins + Span::from_ms(ms % ends.since(begins).ms());
        prop_assert_eq!(rotation.turn(within), turn);
    }

    #[test]
    fn every_member_gets_as_many_turns_as_any_other(members in 2..7_usize, turns in 0..100_u32) {
        let names: Vec<String> = (0..members).map(|n| format!("p{n}")).collect();
        let role = json!({"id": "r", "members": names, "rotate": {"every": "week", "starting": "2026-01-05"}});
        let role: Role = serde_json::from_value(role).unwrap();
        let mut counts: BTreeMap<&str, u32> = names.iter().map(|name| (name.as_str(), 0)).collect();
        for turn in 0..turns {
            *counts.get_mut(role.incumbent(turn).unwrap()).unwrap() += 1;
        }
        prop_assert!(counts.values().max().unwrap() - counts.values().min().unwrap() <= 1);
    }
}
