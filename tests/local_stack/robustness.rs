//! Arbitrary input into every route and every consumer: never a 5xx, a panic or a hang, and what is good beside it is
//! worked at as if it were alone.
//!
//! The inputs are the same in every run; `MESHLINE_CASES=20` draws twenty times as many. What is printed last before a
//! failure is the input.

mod events;
mod http;
mod queues;
mod streams;

use std::time::Duration;

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Value, json};

/// Far longer than any answer takes here.
const HANG: Duration = Duration::from_secs(60);

/// Where inputs are drawn from.
struct Chance {
    runner: TestRunner,
}

impl Chance {
    fn new() -> Self {
        let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
        Self { runner: TestRunner::new_with_rng(Config::default(), rng) }
    }

    fn draw<T>(&mut self, strategy: &impl Strategy<Value = T>) -> T {
        strategy.new_tree(&mut self.runner).unwrap().current()
    }
}

/// How many inputs are drawn, where so many are enough for every day.
fn cases(few: usize) -> usize {
    let times = std::env::var("MESHLINE_CASES").ok().and_then(|text| text.parse::<usize>().ok());
    few * times.unwrap_or(1)
}

/// What comes of it, in time.
async fn in_time<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(HANG, Box::pin(what)).await.expect("it hangs")
}

/// Text that nobody expects.
fn wild() -> BoxedStrategy<String> {
    let words = [
        "",
        " ",
        "\0",
        "..",
        "%",
        "%2F",
        "null",
        "-1",
        "0",
        "1e999",
        "18446744073709551616",
        "\u{202e}",
        "💥",
        "CURRENT",
        "FLOW#blog-launch",
        "S#aaaaaaaaaaaa",
        "role:",
        "person:nobody",
        "2026-02-30",
        "9999-12-31T23:59:59Z",
        "${data.x}",
        "aaaaaaaaaaaa-01ARZ3NDEKTSV4RRFFQ69G5FAV",
        "_aaaaaaaaaaaa-01ARZ3NDEKTSV4RRFFQ69G5FAV",
        "2026-11-23T09:00:00.000Z_x-y",
        "x#y#1",
        "#aaaaaaaaaaaa-01ARZ3NDEKTSV4RRFFQ69G5FAV#1",
    ];
    prop_oneof![
        4 => proptest::sample::select(words.to_vec()).prop_map(str::to_owned),
        2 => any::<String>(),
        2 => "[a-z0-9:#_.-]{0,20}",
        // Longer than any key of a table can be.
        1 => ("[a-z]{1,3}", 300_usize..1500).prop_map(|(text, times)| text.repeat(times)),
    ]
    .boxed()
}

/// JSON that nobody expects.
fn wild_json() -> BoxedStrategy<Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        wild().prop_map(Value::from),
    ];
    let deeper = |inner: BoxedStrategy<Value>| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            btree_map(wild(), inner, 0..4).prop_map(|members| json!(members)),
        ]
    };
    leaf.prop_recursive(3, 24, 4, deeper).boxed()
}

/// Something real, of which one to three parts are something else, or gone.
fn mutated(real: Vec<Value>) -> BoxedStrategy<Value> {
    let changes = vec((any::<prop::sample::Index>(), proptest::option::weighted(0.8, wild_json())), 1..4);
    let change = |(mut value, changes): (Value, Vec<(prop::sample::Index, Option<Value>)>)| {
        for (index, with) in changes {
            let mut nth = index.index(parts(&value));
            replace(&mut value, &mut nth, with.as_ref());
        }
        value
    };
    (proptest::sample::select(real), changes).prop_map(change).boxed()
}

/// How many parts a value has, itself included.
fn parts(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(parts).sum(),
        Value::Object(members) => members.values().map(parts).sum::<usize>(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    }
}

/// Puts `with` in the place of the part that is reached after so many others, or takes it out; whether it was reached.
fn replace(value: &mut Value, nth: &mut usize, with: Option<&Value>) -> bool {
    if *nth == 0 {
        *value = with.cloned().unwrap_or_default();
        return true;
    }
    *nth -= 1;
    match value {
        Value::Array(items) => items.iter_mut().any(|item| replace(item, nth, with)),
        Value::Object(members) => {
            let gone = members.iter_mut().find_map(|(name, member)| {
                let is_it = *nth == 0 && with.is_none();
                (is_it || replace(member, nth, with)).then(|| (name.clone(), is_it))
            });
            if let Some((name, true)) = &gone {
                members.remove(name);
            }
            gone.is_some()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

#[test]
fn a_mutation_reaches_every_part() {
    let real = json!({"a": [1, {"b": 2}], "c": 3});
    let all: Vec<String> = (0..parts(&real))
        .map(|mut nth| {
            let mut value = real.clone();
            assert!(replace(&mut value, &mut nth, Some(&json!("x"))));
            value.to_string()
        })
        .collect();
    let expected = [
        r#""x""#,
        r#"{"a":"x","c":3}"#,
        r#"{"a":["x",{"b":2}],"c":3}"#,
        r#"{"a":[1,"x"],"c":3}"#,
        r#"{"a":[1,{"b":"x"}],"c":3}"#,
        r#"{"a":[1,{"b":2}],"c":"x"}"#,
    ];
    assert_eq!(all, expected);
    let mut value = real;
    assert!(replace(&mut value, &mut 1, None));
    assert_eq!(value, json!({"c": 3}));
}
