//! Canonical JSON is what the crate of that name, and the RFC, say it is.

use std::collections::BTreeSet;

use meshline_core::alert::{Matter, Settlement};
use meshline_core::checklist::{Answer, Question};
use meshline_core::config::directory::ChannelKind;
use meshline_core::record::{
    AlertSettled, Checked, ChecklistSent, DeliverySkipped, Fact, FlowApplied, HandoverAccepted,
    HandoverReminded, OwnerRotated, Recipient, Record, Requested,
};
use meshline_core::report::{Late, LateOutcome};
use meshline_core::{canonical, trail};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::{Number, Value, json};
use sha2::{Digest, Sha256};

use crate::support::at;
use crate::support::chance::world;

fn text(value: &Value) -> String {
    String::from_utf8(canonical::to_vec(value).unwrap()).unwrap()
}

/// Any JSON, with names and texts of all characters and all numbers that there are.
fn any_json() -> impl Strategy<Value = Value> {
    let text = || "[\\PC\u{0}-\u{1f}\u{7f}\"\\\\/\u{e000}-\u{ffff}\u{10000}-\u{10ffff}]{0,6}";
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        (-40_i64..40).prop_map(|small| Value::from(9_007_199_254_740_992 + small)),
        any::<f64>().prop_map(|float| Number::from_f64(float).map_or(Value::Null, Value::Number)),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 64, 8, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
            prop::collection::vec((text(), inner), 0..8).prop_map(|members| members.into_iter().collect()),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_json_is_written_as_the_crate_writes_it(value in any_json()) {
        prop_assert_eq!(text(&value), serde_json_canonicalizer::to_string(&value).unwrap());
    }
}

#[test]
fn names_are_sorted_by_their_utf_16_code_units() {
    // RFC 8785, section 3.2.3.
    let rfc = json!({
        "\u{20ac}": "Euro Sign", "\r": "Carriage Return", "\u{fb33}": "Hebrew Letter Dalet With Dagesh", "1": "One",
        "\u{1f600}": "Emoji: Grinning Face", "\u{80}": "Control", "\u{f6}": "Latin Small Letter O With Diaeresis",
    });
    let sorted = [
        r#""\r":"Carriage Return""#,
        r#""1":"One""#,
        "\"\u{80}\":\"Control\"",
        "\"\u{f6}\":\"Latin Small Letter O With Diaeresis\"",
        "\"\u{20ac}\":\"Euro Sign\"",
        "\"\u{1f600}\":\"Emoji: Grinning Face\"",
        "\"\u{fb33}\":\"Hebrew Letter Dalet With Dagesh\"",
    ];
    assert_eq!(text(&rfc), format!("{{{}}}", sorted.join(",")));
}

#[test]
fn numbers_and_texts_are_written_as_ecmascript_does() {
    // RFC 8785, section 3.2.2.
    let rfc = r#"{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001,-0.0],
        "string":"\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/","literals":[null,true,false]}"#;
    let rfc: Value = serde_json::from_str(rfc).unwrap();
    let written = r#"{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27,0],"string":"€$\u000f\nA'B\"\\\\\"/"}"#;
    assert_eq!(text(&rfc), written);
}

/// The facts that no life of a run has.
fn other_facts() -> Vec<Fact> {
    let ana =
        || vec![Recipient { id: "ana".to_owned(), name: None, email: None, slack: None, channel: None }];
    let (role, to, turn_at) = (|| "ops".to_owned(), || "ana".to_owned(), at("23 00:00"));
    let title = || "Blog post".to_owned();
    vec![
        Fact::OutcomeRequested(Requested {
            outcome: "tag".to_owned(),
            channel: "crm".to_owned(),
            payload: json!({"z": 1.5, "a": [1e30, "\u{1f600}"]}),
        }),
        Fact::DeliverySkipped(DeliverySkipped {
            message: 7,
            to: None,
            reason: "the run is closed".to_owned(),
        }),
        Fact::AlertSettled(Box::new(AlertSettled {
            matter: Matter::Exception("x7".to_owned()),
            to: "channel:tickets".to_owned(),
            by: ChannelKind::Jira,
            settlement: Settlement::Resolved,
            how: "tagged by hand".to_owned(),
            group: Some("blog/tag/outcome_failed/2026-11-23T09".to_owned()),
            title: title(),
        })),
        Fact::FlowApplied(FlowApplied { diff: vec!["+ qa".to_owned()] }),
        Fact::OwnerRotated(OwnerRotated {
            role: role(),
            from: "ben".to_owned(),
            to: to(),
            turn_at,
            accepted: false,
            covered_by: Some("eve".to_owned()),
            notify: ana(),
            title: title(),
        }),
        Fact::HandoverAccepted(HandoverAccepted { role: role(), to: to(), turn_at }),
        Fact::HandoverReminded(HandoverReminded {
            role: role(),
            to: to(),
            turn_at,
            covered_by: None,
            notify: ana(),
            title: title(),
        }),
        Fact::ChecklistSent(Box::new(ChecklistSent {
            week: "2026-W48".parse().unwrap(),
            due_at: at("23 08:00"),
            checks: vec![Checked {
                check: Question::People,
                status: Answer::Pass,
                sentence: "both are there".to_owned(),
            }],
            late: Some(Late {
                from: at("16 00:00"),
                to: turn_at,
                outcomes: vec![LateOutcome { id: "tag".to_owned(), cases: 2, mean_s: 9_000, sla_s: 7_200 }],
            }),
            notify: ana(),
            title: title(),
        })),
    ]
}

#[test]
fn every_kind_of_record_is_hashed_as_the_crate_says() {
    let mut runner = TestRunner::deterministic();
    let lives = (0..200).map(|_| world().new_tree(&mut runner).unwrap().current().trail);
    let mut records: Vec<Record> = lives.flatten().collect();
    let others: Vec<Record> =
        other_facts().into_iter().map(|fact| Record { fact, ..records[0].clone() }).collect();
    records.extend(others);
    for record in &records {
        let hashed =
            serde_json_canonicalizer::to_vec(&Record { hash: String::new(), ..record.clone() }).unwrap();
        assert_eq!(trail::hash(record), hex::encode(Sha256::digest(hashed)), "{record:?}");
    }
    let seen: BTreeSet<&str> = records.iter().map(|record| record.fact.kind()).collect();
    let schema: Value = serde_json::from_str(include_str!("../../../infra/schemas/record.json")).unwrap();
    let kinds = schema["properties"]["data"]["properties"]["kind"]["enum"].as_array().unwrap().iter();
    assert_eq!(seen, kinds.map(|kind| kind.as_str().unwrap()).collect());
}
