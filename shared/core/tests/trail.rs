//! A trail is believed as it was written, and in no other form.

use meshline_core::record::{Fact, Record};
use meshline_core::run::{FoldError, Run};
use meshline_core::trail::{GENESIS, hash, verify};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::chance::{World, world};
use crate::support::story::Story;
use crate::support::{at, publish};

/// Whether `trail` passes for the trail of the world's run.
fn believed(world: &World, trail: &[Record]) -> bool {
    verify(trail, Some((world.run.version, world.run.head.as_str()))).is_ok()
}

/// The record with one of its values changed; `None` where that gives no record, or the same one.
fn edited(record: &Record, which: usize, how: &str) -> Option<Record> {
    let mut value = serde_json::to_value(record).unwrap();
    let mut leaves = Vec::new();
    leaves_of(&value, String::new(), &mut leaves);
    let leaf = value.pointer_mut(&leaves[which % leaves.len()]).unwrap();
    *leaf = match &*leaf {
        Value::String(text) if how == "cut" => json!(text[..text.len() / 2]),
        Value::String(text) => json!(text.replace(['0', '1', 'a'], "2")),
        Value::Number(n) => json!(n.as_i64().unwrap() + 1),
        Value::Bool(was) => json!(!was),
        Value::Null => json!("2026-11-23T09:00:00.000Z"),
        Value::Array(_) | Value::Object(_) => return None,
    };
    serde_json::from_value(value).ok().filter(|edited| edited != record)
}

fn leaves_of(value: &Value, path: String, leaves: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            members.iter().for_each(|(name, member)| leaves_of(member, format!("{path}/{name}"), leaves));
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(n, item)| leaves_of(item, format!("{path}/{n}"), leaves));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => leaves.push(path),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn every_trail_is_believed(world in world()) {
        prop_assert!(believed(&world, &world.trail));
        prop_assert_eq!(verify(&world.trail, None), Ok(()));
    }

    #[test]
    fn an_edited_record_is_found(world in world(), n in any::<usize>(), which in any::<usize>(), cut in any::<bool>()) {
        let n = n % world.trail.len();
        if let Some(record) = edited(&world.trail[n], which, if cut { "cut" } else { "" }) {
            let mut trail = world.trail.clone();
            trail[n] = record;
            let fault = verify(&trail, Some((world.run.version, world.run.head.as_str()))).unwrap_err();
            prop_assert!(fault.seq == n as u64 + 1 || fault.seq == n as u64 + 2, "{fault} at {n}");
            // Whoever can edit can also hash: then the next record, or the run, gives it away.
            trail[n].hash = hash(&trail[n]);
            prop_assert!(trail[n].hash == world.trail[n].hash || !believed(&world, &trail));
        }
    }

    #[test]
    fn a_removed_record_is_found(world in world(), n in any::<usize>()) {
        let mut trail = world.trail.clone();
        trail.remove(n % trail.len());
        prop_assert!(!believed(&world, &trail));
    }

    #[test]
    fn a_doubled_record_is_found(world in world(), n in any::<usize>(), to in any::<usize>()) {
        let mut trail = world.trail.clone();
        let record = trail[n % trail.len()].clone();
        trail.insert(to % (trail.len() + 1), record);
        prop_assert!(!believed(&world, &trail));
    }

    #[test]
    fn records_in_another_order_are_found(world in world(), a in any::<usize>(), b in any::<usize>()) {
        let mut trail = world.trail.clone();
        let (a, b) = (a % trail.len(), b % trail.len());
        trail.swap(a, b);
        prop_assert_eq!(believed(&world, &trail), a == b);
    }

    #[test]
    fn a_cut_tail_is_found_by_the_head_that_the_run_keeps(world in world(), n in any::<usize>()) {
        let trail = &world.trail[..n % world.trail.len()];
        prop_assert_eq!(verify(trail, None), Ok(()), "a prefix by itself is a good trail");
        let fault = verify(trail, Some((world.run.version, world.run.head.as_str()))).unwrap_err();
        prop_assert_eq!(fault.seq, trail.len() as u64 + 1, "the first that is missing: {}", fault.reason);
    }

    #[test]
    fn a_chain_that_was_started_anew_is_found(world in world(), n in any::<usize>()) {
        let mut trail = world.trail.clone();
        let n = n % trail.len();
        let mut prev = GENESIS.to_owned();
        for (seq, record) in trail[n..].iter_mut().enumerate() {
            (record.seq, record.prev) = (seq as u64 + 1, prev.clone());
            record.hash = hash(record);
            prev.clone_from(&record.hash);
        }
        prop_assert_eq!(believed(&world, &trail[n..]), n == 0);
    }

    /// Numbers of a CMS go into the trail, through storage and back, without changing the hash.
    #[test]
    fn numbers_of_any_form_survive_storage(n in prop_oneof![
        any::<f64>().prop_filter("JSON has no others", |n| n.is_finite()).prop_map(|n| json!(n)),
        any::<i64>().prop_map(|n| json!(n)),
        any::<u64>().prop_map(|n| json!(n)),
    ]) {
        let mut s = Story::new();
        let mut event = publish("p1", at("23 09:00"));
        event.data["fields"]["campaign"]["en-US"] = n;
        s.opens(&event, at("23 09:00"));
        let text = serde_json::to_string(&s.trail).unwrap();
        let read: Vec<Record> = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(verify(&read, Some((s.run().version, s.run().head.as_str()))), Ok(()));
        prop_assert_eq!(&Run::fold(&read).unwrap(), s.run());
    }
}

#[test]
fn a_record_of_another_run_is_found() {
    let mut s = Story::new();
    s.published("23 09:00");
    let mut trail = s.trail.clone();
    trail[1].run = "other".to_owned();
    trail[1].hash = hash(&trail[1]);
    let fault = verify(&trail, None).unwrap_err();
    assert_eq!(fault.to_string(), "record 2: it belongs to another run");
}

#[test]
fn a_trail_that_does_not_add_up_says_where() {
    let mut s = Story::new();
    s.published("23 09:00").tagged("23 10:00");
    let fold = |trail: &[Record]| Run::fold(trail).unwrap_err();
    assert_eq!(fold(&[]), FoldError::Opening(1));
    assert_eq!(fold(&s.trail[1..]), FoldError::Opening(2));
    assert_eq!(fold(&[s.trail[0].clone(), s.trail[2].clone()]), FoldError::Sequence(3));
    let mut twice = s.trail.clone();
    twice[1].fact = twice[0].fact.clone();
    assert_eq!(fold(&twice), FoldError::Opening(2));
    let mut strange = s.trail.clone();
    let Fact::OutcomeDone(done) = &mut strange[2].fact else { panic!("{:?}", strange[2]) };
    done.outcome = "crm-tga".to_owned();
    assert_eq!(fold(&strange), FoldError::Unknown { seq: 3, name: "crm-tga".to_owned() });
}

/// The hash is what the documentation says, so that anybody can check it without Meshline.
#[test]
fn the_hash_is_sha_256_over_the_canonical_json_without_the_hash() {
    use sha2::{Digest, Sha256};
    let mut s = Story::new();
    s.published("23 09:00");
    let mut value = serde_json::to_value(&s.trail[0]).unwrap();
    value.as_object_mut().unwrap().remove("hash");
    // serde_json keeps names sorted, and there is no number or letter here that RFC 8785 writes differently.
    assert_eq!(hex::encode(Sha256::digest(value.to_string())), s.trail[0].hash);
    assert_eq!(s.trail[0].prev, "0".repeat(64));
}

/// Records are for ever: this one is from before records had a `trace`.
#[test]
fn a_trail_of_an_early_version_is_still_believed() {
    let stored = json!({
        "run": "oc5z7qr3kbmh-01M83T4CM0DP9RNJB7P8AK2EJ6", "seq": 1, "at": "2026-11-23T09:00:00.000Z",
        "actor": {"type": "source", "id": "contentful"}, "flow": "blog-launch", "flow_version": 1,
        "subject": "contentful:5Ks", "config_hash": "5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f", "cause": "event:contentful#p1",
        "kind": "run_opened",
        "detail": {
            "title": "Spring launch", "url": null, "client": null, "opened_at": "2026-11-23T09:00:00.000Z",
            "event_type": "Entry.publish", "occurred_at": null, "received_at": "2026-11-23T09:00:00.000Z",
            "owner": "ana", "as": "owner", "backup": null, "acknowledge_by": null, "outcomes": [],
        },
        "prev": GENESIS, "hash": "25c2e20df47cf8c4248bddf1abcbe1d0a3406bf59be601c59fd486977a02748e",
    });
    let record: Record = serde_json::from_value(stored.clone()).unwrap();
    assert_eq!(serde_json::to_value(&record).unwrap(), stored);
    assert_eq!(verify(std::slice::from_ref(&record), Some((1, &record.hash))), Ok(()));
    assert_eq!(Run::fold([&record]).unwrap().trace, None);
}
