//! What `plan` accepts, and what it refuses: file, line, field, reason and mend of each.

use insta::assert_snapshot;
use meshline_core::config::{Action, Config, File, Problem};

use crate::support::{DIRECTORY, FLOW, SOURCES, at, bundle, file, good, plan};

fn line(problem: &Problem) -> String {
    let Problem { file, line, field, reason, mend } = problem;
    format!("{file}:{line} {field}: {reason} -> {mend}")
}

/// The problems of these files, a line each.
fn refused(files: &[File]) -> String {
    let problems = plan(&Config::default(), files).expect_err("it was accepted");
    problems.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn with(text: &str, old: &str, new: &str) -> String {
    assert!(text.contains(old), "the example has no `{old}`");
    text.replacen(old, new, 1)
}

/// The problems of the example bundle with a piece of the flow replaced.
fn flow(old: &str, new: &str) -> String {
    refused(&bundle(&with(FLOW, old, new)))
}

/// The problems of the example bundle with a piece of the directory replaced.
fn directory(old: &str, new: &str) -> String {
    let directory = file("directory.yaml", &with(DIRECTORY, old, new));
    refused(&[file("flow.yaml", FLOW), directory, file("sources.yaml", SOURCES)])
}

#[test]
fn the_example_bundle_is_good_and_a_second_application_changes_nothing() {
    let files = bundle(FLOW);
    let first = Config::default().plan(&files, &|_| Vec::new(), at("23 09:00")).unwrap();
    let ids: Vec<&str> = first.changes.iter().map(|change| change.id.as_str()).collect();
    assert_eq!(ids, ["blog-launch", "directory", "contentful", "hubspot", "forms"]);
    assert!(first.changes.iter().all(|change| change.action == Action::Add && change.version == 1));
    let second = first.next.plan(&files, &|_| Vec::new(), at("23 09:00")).unwrap();
    assert!(second.changes.iter().all(|change| change.action == Action::Unchanged));
    assert_eq!(second.next, first.next);
}

#[test]
fn an_update_is_a_new_version_and_shows_what_differs() {
    let config = good(&bundle(FLOW));
    let text = with(&with(FLOW, "sla: 2h", "sla: 3h"), "    warn_at: 75%\n", "");
    let plan = config.plan(&[file("flow.yaml", &text)], &|_| Vec::new(), at("23 09:00")).unwrap();
    let [change] = plan.changes.as_slice() else { panic!("{:?}", plan.changes) };
    assert_eq!((change.action, change.version), (Action::Update, 2));
    assert_snapshot!(change.diff.join("\n"), @r#"
    outcomes[0].sla: "2h" -> "3h"
    outcomes[0].warn_at: removed "75%"
    "#);
    assert_eq!(plan.next.sources, config.sources, "what is not in the files stays");
    assert_ne!(change.hash, config.flows["blog-launch"].hash);
}

#[test]
fn an_unknown_field_is_refused_with_the_one_that_was_meant() {
    assert_snapshot!(flow("sla: 2h", "slaa: 2h"), @"flow.yaml:24 outcomes[0].slaa: unknown field `slaa` -> did you mean `sla`?");
    assert_snapshot!(flow("title: Blog", "titel: Blog"), @"flow.yaml:3 titel: unknown field `titel` -> did you mean `title`?");
    assert_snapshot!(flow("  within: 4h", "  within: 4h\n  remind: 1h"), @"flow.yaml:20 acknowledge.remind: unknown field `remind` -> remove it, or use one of `within`, `lease`, `notify`");
    assert_snapshot!(directory("slack: U04DEV", "slak: U04DEV"), @"
    directory.yaml:6 people[3].slak: unknown field `slak` -> did you mean `slack`?
    flow.yaml:26 outcomes[0].owner: nobody of `role:revops` can be reached -> give one of them an `email` or a `slack`
    flow.yaml:53 exceptions.playbooks.outcome_failed.owner: nobody of `role:revops` can be reached -> give one of them an `email` or a `slack`
    ");
    assert_snapshot!(flow("{after: 4h, notify: [role:ops-lead], severity: high}", "{after: 4h, notfy: [role:ops-lead]}"), @"
    flow.yaml:44 escalation.not_acknowledged[1]: this step does nothing -> write `notify:` or `reassign:`
    flow.yaml:44 escalation.not_acknowledged[1].notfy: unknown field `notfy` -> did you mean `notify`?
    ");
}

#[test]
fn a_reference_to_nothing_is_refused() {
    assert_snapshot!(flow("owner: role:product-marketing", "owner: role:product-marketting"), @"flow.yaml:6 owner: nobody is `role:product-marketting`: the directory does not have it -> add it to the directory, or correct the name");
    assert_snapshot!(flow("  source: contentful", "  source: contentfull"), @"flow.yaml:10 trigger.source: there is no source `contentfull` -> add a `kind: Source` of that id, or correct the name");
    assert_snapshot!(flow("source: [hubspot]\n      type", "source: [hubspott]\n      type"), @"flow.yaml:30 outcomes[0].done_when: there is no source `hubspott` -> add a `kind: Source` of that id, or correct the name");
    assert_snapshot!(flow("after: [crm-tag]", "after: [crm-tga]"), @"flow.yaml:38 outcomes[1].after[0]: there is no outcome `crm-tga` -> name another outcome of this flow");
    assert_snapshot!(flow("channel: crm-automation", "channel: crm"), @"flow.yaml:28 outcomes[0].request.channel: there is no channel `crm` -> add it to the directory's `channels`");
    assert_snapshot!(flow("channel:ops-pager", "channel:ops"), @"flow.yaml:47 escalation.breached[1].notify[1]: there is no channel `ops` -> add it to the directory's `channels`");
    assert_snapshot!(flow("    owner: role:revops", "    owner: person:zoe"), @"flow.yaml:26 outcomes[0].owner: nobody is `person:zoe`: the directory does not have it -> add it to the directory, or correct the name");
    assert_snapshot!(flow("exceptions:\n  owner: role:ops-lead", "exceptions:\n  owner: role:ops"), @"flow.yaml:50 exceptions.owner: nobody is `role:ops`: the directory does not have it -> add it to the directory, or correct the name");
    assert_snapshot!(flow("crm\", owner: role:revops", "crm\", owner: role:ops"), @"flow.yaml:53 exceptions.playbooks.outcome_failed.owner: nobody is `role:ops`: the directory does not have it -> add it to the directory, or correct the name");
    assert_snapshot!(directory("members: [ana, ben]", "members: [ana, benn]"), @"directory.yaml:10 roles[0].members[1]: there is no person `benn` -> add the person");
}

#[test]
fn a_bad_pattern_is_refused() {
    assert_snapshot!(flow("type: [Entry.publish]", "typ: [Entry.publish]"), @"flow.yaml:11 trigger.match: not an event pattern: an event has no attribute `typ`: it has `id`, `source`, `type`, `subject`, `occurred_at`, `received_at`, `actor`, `title`, `url`, `data` -> docs/FLOWS.md shows patterns");
    assert_snapshot!(flow("type: [Entry.publish]", "type: Entry.publish"), @"flow.yaml:11 trigger.match: not an event pattern: invalid pattern: pattern field 'type' must be array or object -> docs/FLOWS.md shows patterns");
    assert_snapshot!(flow("type: [workflow.failed]", "type: [{prefx: workflow}]"), @"flow.yaml:34 outcomes[0].failed_when: not an event pattern: invalid pattern: unknown operator 'prefx' -> docs/FLOWS.md shows patterns");
    assert_snapshot!(flow("cancel_on: {type: [Entry.unpublish, Entry.delete]}", "cancel_on: {}"), @"flow.yaml:14 trigger.cancel_on: not an event pattern: an empty pattern says nothing -> docs/FLOWS.md shows patterns");
    assert_snapshot!(flow("id: [blogPost]", "id: ['${data.x}']"), @"flow.yaml:11 trigger.match: a trigger pattern has nothing to fill `${…}` from -> write the value itself");
    assert_snapshot!(flow("propertyValue: [\"${data.fields.campaign.en-US}\"]", "propertyValue: ['${data..x}']"), @"flow.yaml:30 outcomes[0].done_when: `data..x` is not a path: write names separated by dots, like `data.fields.title` -> docs/FLOWS.md shows patterns");
    assert_snapshot!(flow("asset: \"${subject}\"", "asset: '${subject'"), @"flow.yaml:29 outcomes[0].request.payload: `${subject` has a `${` without a closing `}` -> docs/FLOWS.md shows templates");
    assert_snapshot!(flow("done_when: manual", "done_when: by-hand"), @"flow.yaml:39 outcomes[1].done_when: this verifies nothing -> write `manual` or an event pattern");
}

#[test]
fn a_bad_duration_is_refused() {
    assert_snapshot!(flow("sla: 2h", "sla: 2 hours"), @"flow.yaml:24 outcomes[0].sla: `2 hours` is not a duration -> write a whole number and a unit, like `30m`, `4h` or `2d`");
    assert_snapshot!(flow("sla: 2h", "sla: 16 business weeks"), @"flow.yaml:24 outcomes[0].sla: `16 business weeks` is not business time -> write it like `16 business hours` or `2 business days`");
    assert_snapshot!(flow("sla: 2h", "sla: 400 business days"), @"flow.yaml:24 outcomes[0].sla: `400 business days` is longer than a year of business time -> write at most `366 business days` or `8784 business hours`");
    assert_snapshot!(flow("sla: 2h", "sla: 0 business hours"), @"
    flow.yaml:24 outcomes[0].sla: `0 business hours` needs a calendar -> name one: `calendar: ID`
    flow.yaml:24 outcomes[0].sla: this leaves no time at all -> write more than `0s`
    ");
    assert_snapshot!(flow("window: 60d", "window: 2 business days"), @"flow.yaml:55 objective.window: `2 business days`: business time cannot stand here -> write elapsed time, like `48h`");
    assert_snapshot!(flow("sla: 2h", "sla: 120"), @"flow.yaml:24 outcomes[0].sla: invalid type: integer `120` -> write a duration, like `2h` or `16 business hours`");
    assert_snapshot!(flow("sla: 2h", "sla: 0s"), @"flow.yaml:24 outcomes[0].sla: this leaves no time at all -> write more than `0s`");
    assert_snapshot!(flow("within: 4h", "within: 999w"), @"flow.yaml:19 acknowledge.within: `999w` is longer than ten years -> write a shorter duration");
    assert_snapshot!(flow("warn_at: 75%", "warn_at: 0%"), @"flow.yaml:25 outcomes[0].warn_at: `0%` is not a percentage -> write a whole number from `1%` to `100%`");
    assert_snapshot!(flow("met: 90%", "met: 0.9"), @"flow.yaml:55 objective.met: invalid type: floating point `0.9` -> write a percentage, like `75%`");
}

#[test]
fn owner_and_backup_must_be_two_reachable_people() {
    assert_snapshot!(flow("backup_owner: role:marketing-ops", "backup_owner: role:product-marketing"), @"flow.yaml:7 backup_owner: `role:product-marketing` and `role:product-marketing` are the same person -> name a backup who can stand in for the owner");
    assert_snapshot!(directory("members: [ana, ben]", "members: [cara]"), @"flow.yaml:7 backup_owner: `role:product-marketing` and `role:marketing-ops` are the same person -> name a backup who can stand in for the owner");
    assert_snapshot!(directory(", email: cara@example.com", ""), @"flow.yaml:7 backup_owner: nobody of `role:marketing-ops` can be reached -> give one of them an `email` or a `slack`");
    assert_snapshot!(flow("backup_owner: role:marketing-ops", "backup_owner: person:ana"), @"flow.yaml:7 backup_owner: nobody of `person:ana` is another person than the owner on duty on 2026-11-23 and 26 more days until 2026-12-19 -> change the days off, or name another backup");
    assert_snapshot!(directory("members: [cara]", "members: []"), @"directory.yaml:11 roles[1].members: role `marketing-ops` is empty -> name at least one person");
}

#[test]
fn a_ladder_that_cannot_be_climbed_is_refused() {
    assert_snapshot!(flow("{after: 0m, notify: [owner, role:ops-lead]", "{after: 49h, notify: [owner, role:ops-lead]"), @"flow.yaml:47 escalation.breached[1].after: this step comes after 2d, the one before it after 2d1h -> order the steps by `after`");
    assert_snapshot!(flow("acknowledge:\n  within: 4h\n", ""), @"flow.yaml:40 escalation.not_acknowledged: no step can be reached: nothing asks for an acknowledgement -> add `acknowledge: {within: 4h}`, or remove the ladder");
    assert_snapshot!(flow("{after: 4h, notify: [role:ops-lead], severity: high}", "{after: 4h}"), @"flow.yaml:44 escalation.not_acknowledged[1]: this step does nothing -> write `notify:` or `reassign:`");
    assert_snapshot!(directory(", email: fay@example.com", ""), @"flow.yaml:47 escalation.breached[1].notify[0]: nobody of `role:head-of-ops` can be reached -> give one of them an `email` or a `slack`");
    assert_snapshot!(directory("url: \"https://automation.example.com/crm\", ", ""), @"directory.yaml:16 channels[0].url: channel `crm-automation` has no `url` -> write `url:` with the address of its receiver");
}

#[test]
fn outcomes_that_wait_for_each_other_are_refused() {
    assert_snapshot!(flow("warn_at: 75%", "after: [sales-deck]"), @"flow.yaml:25 outcomes[0].after: `crm-tag`, `sales-deck` wait for each other -> break the circle");
    assert_snapshot!(flow("after: [crm-tag]", "after: [sales-deck]"), @"flow.yaml:38 outcomes[1].after: `sales-deck` wait for each other -> break the circle");
}

#[test]
fn days_on_which_nobody_is_there_are_listed() {
    let away = "{id: cara, name: Cara Lind, away: [{from: 2026-11-25, to: 2026-11-26}, {from: 2026-12-22, to: 2026-12-31}]";
    let ben = "{id: ben, name: Ben Osei, away: [{from: 2026-11-26, to: 2026-12-22}]";
    let text = with(&with(DIRECTORY, "{id: cara, name: Cara Lind", away), "{id: ben, name: Ben Osei", ben);
    let text = with(
        &text,
        "away: [{from: 2026-12-20",
        "away: [{from: 2026-11-01, to: 2026-11-30}, {from: 2026-12-20",
    );
    assert_snapshot!(refused(&[file("f.yaml", FLOW), file("d.yaml", &text), file("s.yaml", SOURCES)]), @"f.yaml:7 backup_owner: neither `role:product-marketing` nor `role:marketing-ops` is there on 2026-11-26, 2026-12-22 -> change the days off, or name another backup");
}

#[test]
fn days_off_that_are_no_days_are_refused() {
    assert_snapshot!(directory("to: 2027-01-03", "to: 2026-12-03"), @"directory.yaml:3 people[0].away[0]: `to` is before `from` -> swap them");
    assert_snapshot!(directory("from: 2026-12-20", "from: 20.12.2026"), @"directory.yaml:3 people[0].away[0]: not a day -> write two days, like `{from: 2026-12-20, to: 2027-01-03}`");
}

#[test]
fn a_directory_that_takes_the_people_of_a_stored_flow_away_is_refused() {
    let config = good(&bundle(FLOW));
    let text = with(DIRECTORY, "  - {id: head-of-ops, members: [fay]}\n", "");
    let problems = plan(&config, &[file("directory.yaml", &text)]).unwrap_err();
    assert_snapshot!(problems.iter().map(line).collect::<Vec<_>>().join("\n"), @"directory.yaml:1 : flow `blog-launch`, `escalation.breached[1].notify[0]`: nobody is `role:head-of-ops`: the directory does not have it -> add it to the directory, or correct the name");
}

#[test]
fn what_the_adapter_says_about_a_source_stands_at_its_field() {
    let check = |source: &meshline_core::config::source::Source| {
        let found = ("secrets".to_owned(), "one is enough".to_owned(), "name one".to_owned());
        if source.secrets.len() > 1 { vec![found] } else { Vec::new() }
    };
    let problems = Config::default().plan(&bundle(FLOW), &check, at("23 09:00")).unwrap_err();
    assert_snapshot!(problems.iter().map(line).collect::<Vec<_>>().join("\n"), @"sources.yaml:9 secrets: one is enough -> name one");
}
