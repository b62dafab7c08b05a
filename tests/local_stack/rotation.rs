//! A role whose members take turns: who owns new runs from which midnight on, who is told, and who accepts.

use meshline_core::time::{Span, Time};
use meshline_tests::{EXAMPLES, Local, header, nine};
use serde_json::{Value, json};

const ACCEPT: &str = "/v1/rotations/product-marketing/accept";
const MEMBERS: &str = "{id: product-marketing, members: [ana]}";

/// The example directory; Dev has the turn when a test begins, Ana from Monday the 30th, midnight in Berlin.
fn weekly() -> String {
    let rotate = "rotate: {every: week, starting: 2026-11-02, timezone: Europe/Berlin}";
    EXAMPLES[0].1.replace(MEMBERS, &format!("{{id: product-marketing, members: [ana, dev], {rotate}}}"))
}

/// The example flow by another id.
fn flow(id: &str) -> String {
    EXAMPLES[2].1.replace("id: blog-launch", &format!("id: {id}"))
}

async fn start() -> Local {
    let local = Local::start().await;
    apply(&local, &[("directory.yaml", &weekly())]).await;
    local
}

async fn apply(local: &Local, files: &[(&str, &str)]) {
    let (status, answer) = local.apply(files).await;
    assert_eq!(status, 200, "{answer}");
}

async fn until(local: &Local, time: &str) {
    let time: Time = time.parse().unwrap();
    local.advance(time.since(local.stack.clock.now())).await;
}

/// Publishes an asset, and gives the id of its run.
async fn opened(local: &Local, asset: &str) -> String {
    assert_eq!(local.publish(asset).await.0, 202);
    local.settle().await;
    let runs = local.runs("blog-launch").await;
    let run = runs.iter().find(|run| run["subject"].as_str().unwrap().ends_with(asset)).unwrap();
    run["run"].as_str().unwrap().to_owned()
}

/// Publishes an asset, and tells who owns its run, as what.
async fn owner_of_new(local: &Local, asset: &str) -> (String, String) {
    let run = opened(local, asset).await;
    owner(local, &run).await
}

async fn owner(local: &Local, run: &str) -> (String, String) {
    let run = local.get(&format!("/v1/runs/{run}")).await;
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    (text(&run["owner"]["id"]), text(&run["owner"]["as"]))
}

fn is(id: &str, role: &str) -> (String, String) {
    (id.to_owned(), role.to_owned())
}

/// The records about rotations in the trail of a flow, each in a line.
async fn handovers(local: &Local, flow: &str) -> Vec<String> {
    let trail = local.get(&format!("/v1/runs/FLOW%23{flow}/audit?limit=200")).await;
    let records = trail["items"].as_array().unwrap().iter().filter(|it| it["detail"]["turn_at"].is_string());
    records
        .map(|it| {
            let (kind, by) = (it["kind"].as_str().unwrap(), it["actor"]["id"].as_str().unwrap());
            let covered = it["detail"]["covered_by"].as_str().map(|id| format!(", {id} covers"));
            format!("{} {kind} by {by}{}", it["at"].as_str().unwrap(), covered.unwrap_or_default())
        })
        .collect()
}

/// Who was told of turns, and when.
async fn told(local: &Local) -> Vec<String> {
    let pages = local.queue("escalations").await;
    let told = pages.iter().map(|page| (&page["data"], &page["time"]));
    told.filter(|(page, _)| page["ladder"] == "rotation")
        .map(|(page, at)| format!("{} {}", at.as_str().unwrap(), page["notify"][0]["id"].as_str().unwrap()))
        .collect()
}

async fn accept_as(local: &Local, person: &str) -> (u16, Value) {
    let headers = [header("authorization", &format!("Local {person}"))];
    local.send("POST", ACCEPT, &headers, Vec::new()).await
}

#[tokio::test]
async fn new_runs_change_hands_at_local_midnight_and_go_to_the_backup_until_the_turn_is_accepted() {
    let local = start().await;
    until(&local, "2026-11-29T22:59:00Z").await;
    let before = opened(&local, "5Ks").await;
    assert_eq!(owner(&local, &before).await, is("dev", "owner"));
    local.advance(Span::minutes(1)).await;
    assert_eq!(owner_of_new(&local, "6Lt").await, is("ben", "backup"));

    assert_eq!(accept_as(&local, "ana").await.0, 200);
    assert_eq!(owner_of_new(&local, "7Mu").await, is("ana", "owner"));
    assert_eq!(owner(&local, &before).await, is("dev", "owner"), "an open run stays where it is");
    assert_eq!(told(&local).await, ["2026-11-29T23:00:00.000Z ana"]);
    assert_eq!(
        handovers(&local, "blog-launch").await,
        [
            "2026-11-29T23:00:00.000Z owner_rotated by sla-check, ben covers",
            "2026-11-29T23:00:00.000Z handover_accepted by ana",
        ]
    );
}

#[tokio::test]
async fn whoever_does_not_accept_is_reminded_each_day_once_however_many_flows_they_own() {
    let local = start().await;
    apply(&local, &[("a.yaml", &flow("another-launch")), ("z.yaml", &flow("zoo-launch"))]).await;
    until(&local, "2026-12-02T12:00:00Z").await;
    let at = |day: &str| format!("2026-{day}T23:00:00.000Z ana");
    assert_eq!(told(&local).await, [at("11-29"), at("11-30"), at("12-01")]);
    assert_eq!(handovers(&local, "another-launch").await.len(), 3, "told, and reminded twice");
    for other in ["blog-launch", "zoo-launch"] {
        assert_eq!(
            handovers(&local, other).await,
            ["2026-11-29T23:00:00.000Z owner_rotated by sla-check, ben covers"]
        );
    }

    assert_eq!(accept_as(&local, "ana").await.0, 200);
    until(&local, "2026-12-06T22:00:00Z").await;
    assert_eq!(told(&local).await.len(), 3);
    for flow in ["another-launch", "blog-launch", "zoo-launch"] {
        let last = handovers(&local, flow).await.pop().unwrap();
        assert_eq!(last, "2026-12-02T12:00:00.000Z handover_accepted by ana");
    }
    until(&local, "2026-12-06T23:00:00Z").await;
    assert_eq!(told(&local).await.pop().unwrap(), "2026-12-06T23:00:00.000Z dev", "the next turn");
}

#[tokio::test]
async fn a_turn_that_was_accepted_ahead_begins_without_a_word() {
    let local = start().await;
    until(&local, "2026-11-27T09:00:00Z").await;
    let (status, accepted) = accept_as(&local, "ana").await;
    assert_eq!(status, 200, "{accepted}");
    assert_eq!(accepted["turn_at"], "2026-11-29T23:00:00.000Z");
    assert_eq!(accept_as(&local, "ana").await, (200, accepted), "what stands is said again");
    assert_eq!(owner_of_new(&local, "5Ks").await, is("dev", "owner"), "it is not her turn yet");
    until(&local, "2026-12-01T09:00:00Z").await;
    assert_eq!(owner_of_new(&local, "6Lt").await, is("ana", "owner"));
    assert!(told(&local).await.is_empty());
    assert_eq!(
        handovers(&local, "blog-launch").await,
        [
            "2026-11-27T09:00:00.000Z handover_accepted by ana",
            "2026-11-29T23:00:00.000Z owner_rotated by sla-check",
        ]
    );
}

#[tokio::test]
async fn nobody_accepts_for_another() {
    let local = start().await;
    let (status, problem) = accept_as(&local, "ben").await;
    assert_eq!(status, 409, "{problem}");
    let why = "the turn is `dev`'s, and from 2026-11-29T23:00:00.000Z `ana`'s: only they can accept it";
    assert_eq!(problem["detail"], why);
    for role in ["ops-lead", "nobody"] {
        let path = format!("/v1/rotations/{role}/accept");
        assert_eq!(local.post(&path, &json!({})).await.0, 404, "{role} does not rotate");
    }
    assert!(handovers(&local, "blog-launch").await.is_empty());
}

#[tokio::test]
async fn the_turns_ahead_are_shown_with_who_is_away() {
    let local = start().await;
    let away = "email: dev@example.com, away: [{from: 2026-12-05, to: 2026-12-09}]";
    let directory = weekly().replace("email: dev@example.com", away);
    apply(&local, &[("directory.yaml", &directory)]).await;
    until(&local, "2026-11-30T09:00:00Z").await;
    let found = local.get("/v1/rotations?turns=2").await;
    let rotation = &found["items"][0];
    assert_eq!(rotation["timezone"], "Europe/Berlin");
    assert_eq!((&rotation["incumbent"], &rotation["accepted"]), (&json!("ana"), &json!(false)));
    assert_eq!(
        (&rotation["turn_at"], &rotation["covers"]),
        (&json!("2026-11-29T23:00:00.000Z"), &json!("ben"))
    );
    let next = json!([
        {"at": "2026-12-06T23:00:00.000Z", "person": "dev", "away": true, "accepted": false},
        {"at": "2026-12-13T23:00:00.000Z", "person": "ana", "away": false, "accepted": false},
    ]);
    assert_eq!(rotation["upcoming"], next);
    assert_eq!(local.send("GET", "/v1/rotations?turns=many", &[], Vec::new()).await.0, 400);
}

#[tokio::test]
async fn applying_again_keeps_what_was_accepted_and_another_rotation_begins_anew() {
    let local = start().await;
    assert_eq!(accept_as(&local, "ana").await.0, 200);
    apply(&local, &[("directory.yaml", &weekly().replace("Ana Reyes", "Ana R."))]).await;
    until(&local, "2026-11-30T09:00:00Z").await;
    assert_eq!(owner_of_new(&local, "5Ks").await, is("ana", "owner"));

    let other = weekly().replace("members: [ana, dev]", "members: [dev, cleo]");
    apply(&local, &[("directory.yaml", &other)]).await;
    assert_eq!(owner_of_new(&local, "6Lt").await, is("dev", "owner"), "whoever applies it decides for now");
    until(&local, "2026-12-07T09:00:00Z").await;
    assert_eq!(told(&local).await, ["2026-12-06T23:00:00.000Z cleo"]);

    apply(&local, &[("directory.yaml", EXAMPLES[0].1)]).await;
    until(&local, "2026-12-30T09:00:00Z").await;
    assert_eq!(told(&local).await.len(), 1, "nobody is reminded of what is no rotation any more");
    assert_eq!(local.get("/v1/rotations").await["items"], json!([]));
}

#[tokio::test]
async fn a_crash_in_the_middle_tells_every_flow_of_the_turn_exactly_once() {
    let ids: Vec<String> = (0..44).map(|n| format!("launch-{n:02}")).collect();
    let flows: Vec<String> = ids.iter().map(|id| flow(id)).collect();
    let files: Vec<(&str, &str)> =
        ids.iter().zip(&flows).map(|(id, text)| (id.as_str(), text.as_str())).collect();
    let local = start().await;
    for files in files.chunks(22) {
        apply(&local, files).await;
    }
    let turns = (1..).map(|turn| nine() + Span::days(7 * turn) - Span::hours(10));
    for (turn_at, killed_after) in turns.zip((20..160).step_by(20)) {
        local.advance(turn_at.since(local.stack.clock.now()) - Span::minutes(1)).await;
        local.stack.kill("sla-check", &[killed_after, killed_after / 2]);
        local.advance(Span::minutes(10)).await;
        for id in ids.iter().map(String::as_str).chain(["blog-launch"]) {
            let told = handovers(&local, id).await;
            let of_turn =
                told.iter().filter(|line| line.contains("owner_rotated") && **line >= turn_at.to_string());
            assert_eq!(of_turn.count(), 1, "{id} from {turn_at}, killed after {killed_after}");
        }
        let pages = told(&local).await;
        assert_eq!(pages.iter().filter(|page| **page >= turn_at.to_string()).count(), 1, "{pages:#?}");
    }
}
