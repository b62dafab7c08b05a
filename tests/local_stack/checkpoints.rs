//! Each day is closed with a signed checkpoint, once, in order, and whatever was missed.

use meshline_core::checkpoint::Envelope;
use meshline_core::time::{Span, Time};
use meshline_tests::{EXAMPLES, Local};
use serde_json::{Value, json};

use crate::restart::Folder;

async fn days(local: &Local) -> Vec<String> {
    let listed = local.get("/v1/checkpoints").await;
    listed["items"].as_array().unwrap().iter().map(|item| item["day"].as_str().unwrap().to_owned()).collect()
}

async fn envelope(local: &Local, day: &str) -> Envelope {
    serde_json::from_value(local.get(&format!("/v1/checkpoints/{day}")).await).unwrap()
}

fn at(text: &str) -> Time {
    text.parse().unwrap()
}

#[tokio::test]
async fn a_day_is_closed_twenty_minutes_after_its_end_with_the_heads_of_its_trails() {
    let local = Local::start().await;
    let run = local.opened("5Ks").await;
    local.stack.advance_to(at("2026-11-24T00:19:59Z")).await.unwrap();
    assert_eq!(days(&local).await, [] as [&str; 0]);
    local.advance(Span::from_ms(1_000)).await;
    assert_eq!(days(&local).await, ["2026-11-23"]);

    let envelope = envelope(&local, "2026-11-23").await;
    let checkpoint = &envelope.checkpoint;
    assert_eq!(checkpoint.made_at, at("2026-11-24T00:20:00Z"));
    assert_eq!(checkpoint.previous, None);
    let runs: Vec<&str> = checkpoint.heads.iter().map(|head| head.run.as_str()).collect();
    assert_eq!(runs, ["FLOW#blog-launch", "FLOW#lead-form", run.as_str()]);
    let trail = local.get(&format!("/v1/runs/{run}/audit")).await;
    let of_day: Vec<&Value> = trail["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|record| record["at"].as_str().unwrap() < "2026-11-24")
        .collect();
    assert_eq!(json!(checkpoint.heads[2].hash), of_day.last().unwrap()["hash"]);
    assert_eq!(checkpoint.records, of_day.len() as u64 + 2);

    let item = &local.get("/v1/checkpoints").await["items"][0];
    assert_eq!(item["hash"], json!(checkpoint.hash()));
    assert_eq!(item["signature"], json!(envelope.signature));
    let key = local.get("/v1/checkpoints/key").await;
    assert_eq!((&key["key"], &key["algorithm"]), (&json!(envelope.key), &json!("ECDSA_SHA_256")));
    assert!(key["public_key_pem"].as_str().unwrap().starts_with("-----BEGIN PUBLIC KEY-----\n"));
}

#[tokio::test]
async fn days_without_records_are_closed_too_each_naming_the_one_before() {
    let local = Local::start().await;
    local.stack.advance_to(at("2026-11-27T12:00:00Z")).await.unwrap();
    assert_eq!(days(&local).await, ["2026-11-23", "2026-11-24", "2026-11-25", "2026-11-26"]);
    let mut before: Option<Envelope> = None;
    for day in days(&local).await {
        let envelope = envelope(&local, &day).await;
        let checkpoint = &envelope.checkpoint;
        // Each at its own firing, not all at once when the clock had moved.
        assert_eq!(checkpoint.made_at, checkpoint.day.next().start() + Span::minutes(20));
        if let Some(before) = before {
            let previous = checkpoint.previous.as_ref().unwrap();
            assert_eq!(previous.hash, before.checkpoint.hash());
            assert_eq!(previous.signature, before.signature);
            assert_eq!((checkpoint.records, checkpoint.heads.len()), (0, 0));
        }
        before = Some(envelope);
    }
}

#[tokio::test]
async fn days_that_were_missed_are_made_up_for_and_a_second_firing_makes_nothing() {
    let local = Local::start().await;
    local.stack.advance_to(at("2026-11-24T00:20:00Z")).await.unwrap();
    let close = async |now: &str| {
        local.stack.clock.set(at(now));
        meshline_report::close_days(&local.stack.app, &local.stack.vault, at(now)).await.unwrap()
    };
    assert_eq!(close("2026-11-27T00:20:00Z").await, 3);
    let made = envelope(&local, "2026-11-26").await;
    assert_eq!(close("2026-11-27T00:21:00Z").await, 0);
    assert_eq!(envelope(&local, "2026-11-26").await, made);
    assert_eq!(days(&local).await.len(), 4);
    // A quarter of an hour is left for what was decided before midnight.
    assert_eq!(close("2026-11-28T00:14:59Z").await, 0);
    assert_eq!(close("2026-11-28T00:15:00Z").await, 1);
}

#[tokio::test]
async fn checkpoints_are_listed_in_pages_of_a_window() {
    let local = Local::start().await;
    local.stack.advance_to(at("2026-11-27T12:00:00Z")).await.unwrap();
    let page = local.get("/v1/checkpoints?since=2026-11-24&until=2026-11-26&limit=2").await;
    let of = |page: &Value| page["items"].as_array().unwrap().len();
    assert_eq!((of(&page), &page["cursor"]), (2, &json!("2026-11-26")));
    let page = local.get("/v1/checkpoints?since=2026-11-24&until=2026-11-26&limit=2&cursor=2026-11-26").await;
    assert_eq!((of(&page), &page["cursor"]), (1, &Value::Null));
    for (path, status) in [
        ("/v1/checkpoints?since=yesterday", 400),
        ("/v1/checkpoints?limit=0", 400),
        ("/v1/checkpoints/2026-12-24", 404),
        ("/v1/checkpoints/today", 404),
        ("/v1/checkpoints/2026-11-23/heads", 404),
    ] {
        assert_eq!(local.send("GET", path, &[], Vec::new()).await.0, status, "{path}");
    }
    assert_eq!(local.post("/v1/checkpoints/2026-11-23", &json!({})).await.0, 405);
}

#[tokio::test]
async fn checkpoints_and_their_key_survive_a_restart() {
    let folder = Folder::new("checkpoints");
    let local = Local::start_with(Some(folder.0.clone())).await;
    assert_eq!(local.apply(&EXAMPLES).await.0, 200);
    local.stack.advance_to(at("2026-11-25T00:20:00Z")).await.unwrap();
    let (key, first) = (local.get("/v1/checkpoints/key").await, envelope(&local, "2026-11-23").await);
    drop(local);

    let local = Local::start_with(Some(folder.0.clone())).await;
    assert_eq!(local.get("/v1/checkpoints/key").await, key);
    assert_eq!(envelope(&local, "2026-11-23").await, first);
    local.stack.advance_to(at("2026-11-26T00:20:00Z")).await.unwrap();
    let days = days(&local).await;
    assert_eq!(days, ["2026-11-23", "2026-11-24", "2026-11-25"]);
    assert!(folder.0.join("checkpoints/2026/11/2026-11-25.json").is_file());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let key = std::fs::metadata(folder.0.join("checkpoints-key.p8")).unwrap();
        assert_eq!(key.permissions().mode() & 0o777, 0o600);
    }
}

#[tokio::test]
async fn every_record_of_a_flow_on_a_day_is_listed_in_pages() {
    let local = Local::start().await;
    let run = local.opened("5Ks").await;
    local.advance(Span::days(1)).await;
    let path = "/v1/audit?flow=blog-launch&day=2026-11-23&limit=2";
    let (mut found, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = local.get(&format!("{path}{cursor}")).await;
        let items = page["items"].as_array().unwrap();
        assert!(items.len() <= 2);
        found.extend(items.clone());
        match page["cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={}", next.replace('#', "%23")),
            None => break,
        }
    }
    let flow = local.get("/v1/runs/FLOW%23blog-launch/audit").await["items"].clone();
    let trail = local.get(&format!("/v1/runs/{run}/audit")).await["items"].clone();
    let of_day = |record: &&Value| record["at"].as_str().unwrap() < "2026-11-24";
    let mut expected: Vec<&Value> = flow.as_array().unwrap().iter().collect();
    expected.extend(trail.as_array().unwrap().iter().filter(of_day));
    assert!(expected.len() > 4, "several pages");
    let by_place = |record: &Value| (record["run"].to_string(), record["seq"].as_u64());
    found.sort_by_key(by_place);
    expected.sort_by_key(|record| by_place(record));
    assert_eq!(found.iter().collect::<Vec<_>>(), expected);
    for path in ["/v1/audit", "/v1/audit?flow=blog-launch", "/v1/audit?flow=blog-launch&day=soon"] {
        assert_eq!(local.send("GET", path, &[], Vec::new()).await.0, 400, "{path}");
    }
}
