//! Business time in the whole system: applied, counted by, kept and explained.

use meshline_core::time::Span;
use meshline_tests::{EXAMPLES, Local, campaign_tag};
use serde_json::{Value, json};

const CALENDAR: &str = "\
kind: Calendar
id: office
timezone: Europe/Berlin
hours: {mon-fri: [\"09:00-17:00\"]}
holidays: [2026-11-25]
known_until: 2026-12-31
";

/// The example flow, in business time by this calendar: the tag in 4 hours, the deck 2 days after it.
async fn office() -> Local {
    let local = Local::start().await;
    let flow =
        EXAMPLES[2].1.replace("sla: 2h", "sla: 4 business hours").replace("sla: 48h", "sla: 2 business days");
    let (status, answer) = local
        .apply(&[("calendar.yaml", CALENDAR), ("flow.yaml", &format!("{flow}\ncalendar: office\n"))])
        .await;
    assert_eq!(status, 200, "{answer}");
    local
}

#[tokio::test]
async fn a_run_keeps_the_calendar_version_it_was_opened_with() {
    let local = office().await;
    let run = local.opened("5Ks").await;
    let (status, answer) =
        local.apply(&[("calendar.yaml", &CALENDAR.replace("2026-11-25", "2026-11-24"))]).await;
    assert_eq!((status, &answer["changes"][0]["version"]), (200, &json!(2)), "{answer}");
    local.advance(Span::minutes(1)).await;
    let new = local.opened("6Lt").await;

    // Monday 10:00 in Berlin. The deck's two days start with the tag: without the 25th, or without the 24th.
    let due_at = async |asset: &str, run: &str| -> Value {
        assert_eq!(local.hubspot(asset, &[campaign_tag()]).await.0, 202);
        local.settle().await;
        let run = local.get(&format!("/v1/runs/{run}")).await;
        json!([run["outcomes"][0]["due_at"], run["outcomes"][2]["due_at"]])
    };
    assert_eq!(due_at("5Ks", &run).await, json!(["2026-11-23T13:00:00.000Z", "2026-11-26T16:00:00.000Z"]));
    assert_eq!(due_at("6Lt", &new).await, json!(["2026-11-23T13:01:00.000Z", "2026-11-26T16:00:00.000Z"]));
    let answer =
        local.get("/v1/flows/blog-launch/deadline?sla=1%20business%20day&from=2026-11-23T12:00:00Z").await;
    assert_eq!(
        (&answer["calendar_version"], &answer["due_at"]),
        (&json!(2), &json!("2026-11-25T16:00:00.000Z"))
    );
}

#[tokio::test]
async fn a_deadline_is_explained_by_outcome_or_duration() {
    let local = office().await;
    let explain = async |query: &str| local.get(&format!("/v1/flows/blog-launch/deadline?{query}")).await;
    let tag = explain("sla=crm-tag&from=2026-11-24T15:00:00Z").await;
    assert_eq!((&tag["sla"], &tag["known"]), (&json!("4 business hours"), &json!(true)));
    assert_eq!(tag["stretches"][1]["holidays"], json!(["2026-11-25"]));
    assert_eq!(tag["stretches"][1]["to_local"], "2026-11-26T09:00:00+01:00");
    assert_eq!(tag["due_at"], "2026-11-26T11:00:00.000Z");
    let elapsed = explain("sla=90m").await;
    assert_eq!(
        (&elapsed["due_at"], &elapsed["calendar"]),
        (&json!("2026-11-23T10:30:00.000Z"), &json!(null))
    );
    for (flow, query) in
        [("blog-launch", "sla=soon"), ("blog-launch", ""), ("lead-form", "sla=1%20business%20day")]
    {
        let path = format!("/v1/flows/{flow}/deadline?{query}");
        let (status, problem) = local.send("GET", &path, &[], Vec::new()).await;
        assert_eq!((status, &problem["type"]), (400, &json!("urn:meshline:problem:bad-request")), "{path}");
    }
}
