//! How `plan` reads documents: their form, the line of each problem, and that all are found at once.

use insta::assert_snapshot;
use meshline_core::config::{Config, File};

use crate::support::{DIRECTORY, FLOW, SOURCES, bundle, file, plan};

/// The problems of these files: `file:line field: reason`.
fn refused(files: &[File]) -> String {
    let problems = plan(&Config::default(), files).expect_err("it was accepted");
    let line =
        |p: &meshline_core::config::Problem| format!("{}:{} {}: {}", p.file, p.line, p.field, p.reason);
    problems.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn with(text: &str, changes: &[(&str, &str)]) -> String {
    changes.iter().fold(text.to_owned(), |text, (old, new)| {
        assert!(text.contains(old), "the example has no `{old}`");
        text.replacen(old, new, 1)
    })
}

#[test]
fn every_problem_of_every_file_is_reported_at_once() {
    let flow = with(
        FLOW,
        &[
            ("title: Blog", "titel: Blog"),
            ("within: 4h", "within: soon"),
            ("sla: 2h", "sla: [2h]"),
            ("sla: 48h", "sla: 2 business days"),
            ("done_when: manual", "done_when: 7"),
            ("recovery_sla: 24h", "recovery_sla: 24"),
            ("severity: critical", "severity: loud"),
            ("after: [crm-tag]", "after: [crm-tga]"),
        ],
    );
    let directory = with(
        DIRECTORY,
        &[
            ("name: Ben Osei, ", ""),
            ("kind: pagerduty", "kind: pigeon"),
            ("members: [dev]", "members: [dave]"),
        ],
    );
    let files = [file("flow.yaml", &flow), file("directory.yaml", &directory), file("sources.yaml", SOURCES)];
    assert_snapshot!(refused(&files), @"
    directory.yaml:4 people[1].name: `name` is missing
    directory.yaml:12 roles[2].members[0]: there is no person `dave`
    directory.yaml:17 channels[1].kind: unknown variant `pigeon`
    flow.yaml:3 titel: unknown field `titel`
    flow.yaml:19 acknowledge.within: `soon` is not a duration
    flow.yaml:24 outcomes[0].sla: invalid type: sequence
    flow.yaml:37 outcomes[1].sla: `2 business days` needs a calendar
    flow.yaml:38 outcomes[1].after[0]: there is no outcome `crm-tga`
    flow.yaml:39 outcomes[1].done_when: this verifies nothing
    flow.yaml:47 escalation.breached[1].severity: unknown variant `loud`
    flow.yaml:51 exceptions.recovery_sla: invalid type: integer `24`
    ");
}

#[test]
fn items_after_a_wrong_one_keep_their_place_and_line() {
    let flow = with(
        FLOW,
        &[
            (
                "{after: 0m, notify: [owner, role:ops-lead], severity: high}",
                "after: 0m\n      notify:\n        - ownr\n        - role:ops-lead\n        - boss\n        - role:nobody",
            ),
            ("  not_acknowledged:\n", "  not_acknowledged:\n    - at once\n"),
            ("outcomes:\n", "outcomes:\n  - crm\n"),
            ("sla: 48h", "sla: 0s"),
            ("outcome_failed:", "outcome_fialed:"),
        ],
    );
    assert_snapshot!(refused(&bundle(&flow)), @r#"
    flow.yaml:22 outcomes[0]: invalid type: string "crm"
    flow.yaml:38 outcomes[2].sla: this leaves no time at all
    flow.yaml:44 escalation.not_acknowledged[0]: invalid type: string "at once"
    flow.yaml:50 escalation.breached[0].notify[0]: `ownr` is not somebody to tell
    flow.yaml:52 escalation.breached[0].notify[2]: `boss` is not somebody to tell
    flow.yaml:53 escalation.breached[0].notify[3]: nobody is `role:nobody`: the directory does not have it
    flow.yaml:60 exceptions.playbooks.outcome_fialed: unknown variant `outcome_fialed`
    "#);
}

#[test]
fn what_is_missing_is_named_where_it_belongs() {
    let flow = with(
        FLOW,
        &[("    sla: 48h\n", ""), ("owner: role:product-marketing\n", ""), ("  source: contentful\n", "")],
    );
    assert_snapshot!(refused(&bundle(&flow)), @"
    flow.yaml:1 owner: `owner` is missing
    flow.yaml:8 trigger.source: `source` is missing
    flow.yaml:33 outcomes[1].sla: `sla` is missing
    ");
    assert_snapshot!(refused(&[file("flow.yaml", "\n\nkind: Flow\n")]), @"
    flow.yaml:3 backup_owner: `backup_owner` is missing
    flow.yaml:3 id: `id` is missing
    flow.yaml:3 outcomes: `outcomes` is missing
    flow.yaml:3 owner: `owner` is missing
    flow.yaml:3 title: `title` is missing
    flow.yaml:3 trigger: `trigger` is missing
    ");
}

#[test]
fn text_that_is_not_yaml_is_refused_at_its_line_and_the_other_files_are_read() {
    let bad = with(DIRECTORY, &[("  - {id: ben, name", "  - {id: ben name: ")]);
    let flow = with(FLOW, &[("sla: 2h", "sla: 2")]);
    assert_snapshot!(refused(&[file("flow.yaml", &flow), file("directory.yaml", &bad), file("sources.yaml", SOURCES)]), @"
    directory.yaml:4 : not YAML: while parsing a flow mapping, did not find expected ',' or '}'
    flow.yaml:24 outcomes[0].sla: invalid type: integer `2`
    ");
    assert_snapshot!(refused(&[file("a.yaml", "kind: Flow\nid: a\nid: b\n")]), @"a.yaml:3 : `id` is given twice");
    assert_snapshot!(refused(&[file("a.yaml", "kind: Flow\nid: &x a\n")]), @"a.yaml:2 : anchors (`&name`) are not read: write the value out where it is used");
    assert_snapshot!(refused(&[file("a.yaml", "kind: Flow\n\tid: a\n")]), @"a.yaml:1 : not YAML: while scanning a plain scalar, found a tab");
}

#[test]
fn a_document_must_say_what_it_is() {
    assert_snapshot!(refused(&[file("a.yaml", "id: a\n---\nkind: Flwo\nid: b\n---\n- 1\n---\njust text\n")]), @r#"
    a.yaml:1 kind: `kind` is missing
    a.yaml:3 kind: `kind` is "Flwo"
    a.yaml:6 kind: `kind` is missing
    a.yaml:8 kind: `kind` is missing
    "#);
    assert_snapshot!(refused(&[file("a.yaml", "# nothing here\n")]), @"a.yaml:1 : there is no document here");
    assert_snapshot!(refused(&[]), @":1 : there is no document here");
}

#[test]
fn ids_are_well_formed_and_used_once() {
    let twice = with(FLOW, &[("id: sales-deck", "id: crm-tag"), ("after: [crm-tag]", "after: []")]);
    assert_snapshot!(refused(&bundle(&twice)), @"flow.yaml:35 outcomes[1].id: `crm-tag` is used twice");
    let mut files = bundle(FLOW);
    files.push(file("copy.yaml", FLOW));
    assert_snapshot!(refused(&files), @"copy.yaml:2 id: there are two documents `Flow blog-launch`");
    assert_snapshot!(refused(&bundle(&with(FLOW, &[("id: blog-launch", "id: Blog_Launch")]))), @"flow.yaml:2 id: `Blog_Launch` is not an id");
    let long = format!("id: {}", "a".repeat(64));
    assert_eq!(refused(&bundle(&with(FLOW, &[("id: blog-launch", &long)]))).lines().count(), 1);
    let people =
        with(DIRECTORY, &[("id: ben, name", "id: ana, name"), ("members: [ana, ben]", "members: [ana]")]);
    assert_snapshot!(refused(&[file("f.yaml", FLOW), file("d.yaml", &people), file("s.yaml", SOURCES)]), @"d.yaml:4 people[1].id: `ana` is used twice");
}

#[test]
fn a_flow_promises_something_and_not_too_much() {
    let (head, _) = FLOW.split_once("outcomes:").unwrap();
    let (_, tail) = FLOW.split_once("escalation:").unwrap();
    assert_snapshot!(refused(&bundle(&format!("{head}outcomes: []\nescalation:{tail}"))), @"flow.yaml:21 outcomes: a flow has 1 to 20 outcomes, this one 0");
    let many: String = (0..21).map(|n| format!("\n  - {{id: o{n}, sla: 1h, done_when: manual}}")).collect();
    assert_snapshot!(refused(&bundle(&format!("{head}outcomes:{many}\nescalation:{tail}"))), @"flow.yaml:21 outcomes: a flow has 1 to 20 outcomes, this one 21");
}

#[test]
fn a_deep_or_odd_document_is_refused_and_never_a_panic() {
    let deep = format!("kind: Flow\nid: {}", "[".repeat(10_000));
    for text in [
        deep.as_str(),
        "kind: Flow\nid: 7\noutcomes: {}\ntrigger: []\n",
        "kind: {a: b}",
        "\u{0}",
        "kind: Flow\n? {a: b}\n: c",
    ] {
        assert!(!refused(&[file("a.yaml", text)]).is_empty());
    }
}
