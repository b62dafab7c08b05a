//! `meshline checklist`, `report` and `postmortem` against a stack on which a form was answered an hour late.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

#[expect(dead_code, reason = "other tests need files, these need none")]
mod local;
mod tool;

use insta::assert_snapshot;
use serde_json::{Value, json};

use local::Local;
use tool::text;

/// A form that was filled in at nine and answered at 14:00, an hour late, a day after another that nobody answered.
async fn late(name: &str) -> (Local, String) {
    let local = Local::start(&format!("reports-{name}"), "2026-11-22T09:00:00Z").await;
    local.submit("form:6").await;
    local.until("2026-11-23T09:00:00Z").await;
    let run = local.submit("form:7").await;
    local.until("2026-11-23T14:00:00Z").await;
    let body = json!({"event": "form.answered", "delivery": "answer", "asset": "form:7"});
    local.call("POST", "/hooks/forms", &body).await;
    local.until("2026-11-23T15:00:00Z").await;
    (local, run)
}

fn printed(local: &Local, args: &[&str]) -> String {
    let output = local.meshline(args);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    text(&output.stdout)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_checklist_shows_what_failed_and_json_is_the_answer_as_it_is() {
    let (local, run) = late("checklist").await;
    let shown = printed(&local, &["checklist", "lead-form"]);
    assert!(shown.contains(&run), "{shown}");
    assert_snapshot!(shown.split("\n\n").next().unwrap(), @"
    CHECK             STATUS   EVIDENCE                                                                                               RUN
    people            pass     `ben` is there for `role:marketing-ops`, `dev` for `role:revops`
    outcomes          fail     of the last 2 triggers: 2 missed
                               2026-11-23T13:00Z (2h ago): `answered` was due 2026-11-23T13:00:00.000Z                                uqyjyrr7yiyy-01M83T4CM0Y0HTXSECH653FGSY
                               2026-11-22T13:00Z (26h ago): `answered` was due 2026-11-22T13:00:00.000Z                               cwz4ntrtc53p-01M817QNM0RFYYJF4SAB676FTX
    routing qa        unknown  the flow asks for no routing QA
    both systems      pass     of the last 2 triggers: 1 with an event of each, 1 with no outcome verified by an event so far
                               2026-11-22T09:00Z (30h ago): only events of forms so far                                               cwz4ntrtc53p-01M817QNM0RFYYJF4SAB676FTX
    exceptions        fail     1 open, 1 of them past the recovery deadline
                               2026-11-23T13:00Z (2h ago): `sla_breached` x9 is with dev, to be resolved by 2026-11-23T13:00:00.000Z  cwz4ntrtc53p-01M817QNM0RFYYJF4SAB676FTX
    misses explained  pass     2 missed, 0 of them without an exception
    ");
    let answer: Value =
        serde_json::from_str(&printed(&local, &["checklist", "lead-form", "--json"])).unwrap();
    assert_eq!(answer, local.call("GET", "/v1/reports/checklist?flow=lead-form", &Value::Null).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_comes_as_rows_as_a_page_and_as_json_but_not_as_two_of_them() {
    let (local, _) = late("formats").await;
    let csv = printed(&local, &["report", "--csv"]);
    let firsts: Vec<&str> = csv.lines().map(|line| line.split(",2026").next().unwrap()).collect();
    assert_eq!(
        firsts[1..],
        [
            "blog-launch,",
            "blog-launch,crm-tag",
            "blog-launch,nurture-email",
            "blog-launch,sales-deck",
            "lead-form,",
            "lead-form,answered"
        ],
        "{csv}"
    );
    assert!(printed(&local, &["report", "--flow", "lead-form", "--html"]).contains("<h2 id=\"lead-form\">"));
    let one: Value =
        serde_json::from_str(&printed(&local, &["report", "--flow", "lead-form", "--json"])).unwrap();
    let all: Value = serde_json::from_str(&printed(&local, &["report", "--json"])).unwrap();
    assert_eq!((&one["missed"], &all["items"][1]), (&json!(2), &one));
    assert_eq!(local.meshline(&["report", "--csv", "--html"]).status.code(), Some(2));
    assert_eq!(local.meshline(&["report", "--csv", "--json"]).status.code(), Some(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_post_mortem_tells_what_was_late_why_who_held_it_and_what_was_like_it_before() {
    let (local, run) = late("postmortem").await;
    let draft = printed(&local, &["postmortem", "lead-form", "--from", "2026-11-23T09:00:00Z"]);
    assert_snapshot!(draft.replace(&run, "RUN"), @r"
    # Post-mortem of lead-form, 2026-11-23 to 2026-11-23

    *A draft, made on 2026-11-23T15:00:00.000Z of what is in the audit trail from 2026-11-23T09:00:00.000Z to 2026-11-23T15:00:00.001Z. Times are UTC. `meshline audit verify RUN` shows that a trail is as it was written.*

    ## Summary

    Something went wrong in 2 runs: 1 outcome past the deadline, 1 exception opened, 0 of them still open. Held by ben, dev.

    ## What was late

    | Run | What | Due | Came | Late by |
    | --- | --- | --- | --- | --- |
    | `RUN` | acknowledgement of ben | 2026-11-23T09:30:00.000Z | never, over at 2026-11-23T09:30:00.000Z | 0s |
    | `RUN` | acknowledgement of dev | 2026-11-23T10:00:00.000Z | never, over at 2026-11-23T14:00:00.000Z | 4h |
    | `RUN` | `answered` | 2026-11-23T13:00:00.000Z | 2026-11-23T14:00:00.000Z | 1h |
    | `cwz4ntrtc53p-01M817QNM0RFYYJF4SAB676FTX` | resolution of x9 | 2026-11-23T13:00:00.000Z | not yet | 2h so far |

    ## Causes

    | Kind | Of | Exceptions | Runs | Open | Seen, for example |
    | --- | --- | --- | --- | --- | --- |
    | `sla_breached` | answered | 1 | 1 | 0 | nothing that verifies it |

    ## Who held it

    | Run | Who | As | From | To | For |
    | --- | --- | --- | --- | --- | --- |
    | `RUN` | ben | owner | 2026-11-23T09:00:00.000Z | 2026-11-23T09:30:00.000Z | 30m |
    | `RUN` | dev | backup | 2026-11-23T09:30:00.000Z | - | 4h30m |
    | `cwz4ntrtc53p-01M817QNM0RFYYJF4SAB676FTX` | ben | owner | 2026-11-22T09:00:00.000Z | 2026-11-22T09:30:00.000Z | 30m |
    | `cwz4ntrtc53p-01M817QNM0RFYYJF4SAB676FTX` | dev | backup | 2026-11-22T09:30:00.000Z | - | 1d5h30m |

    ## Timeline

    | When | Run | Who | What |
    | --- | --- | --- | --- |
    | 2026-11-23T09:00:00.000Z | `RUN` | source forms | run\_opened: form.submitted opened it for ben, to acknowledge by 2026-11-23T09:30Z (in 30m); 1 outcome expected |
    | 2026-11-23T09:30:00.000Z | `RUN` | system sla-check | acknowledgement\_missed: ben should have acknowledged by 2026-11-23T09:30Z (now) |
    | 2026-11-23T09:30:00.000Z | `RUN` | system sla-check | reassigned: ben to dev, as backup: \`ben\` did not acknowledge by 2026-11-23T09:30:00.000Z |
    | 2026-11-23T09:30:00.000Z | `RUN` | system sla-check | escalated: not\_acknowledged, step 0, normal: tells ben, dev |
    | 2026-11-23T10:00:00.000Z | `RUN` | system sla-check | acknowledgement\_missed: dev should have acknowledged by 2026-11-23T10:00Z (now) |
    | 2026-11-23T13:00:00.000Z | `cwz4ntrtc53p-01M817QNM0RFYYJF4SAB676FTX` | system sla-check | recovery\_breached: x9: dev should have resolved it by 2026-11-23T13:00Z (now) |
    | 2026-11-23T13:00:00.000Z | `cwz4ntrtc53p-01M817QNM0RFYYJF4SAB676FTX` | system sla-check | escalated: recovery of x9, step 0, high: tells dev |
    | 2026-11-23T13:00:00.000Z | `RUN` | system sla-check | sla\_breached: answered was due 2026-11-23T13:00Z (now) |
    | 2026-11-23T13:00:00.000Z | `RUN` | system sla-check | exception\_opened: x9, sla\_breached of answered: for dev to resolve by 2026-11-24T13:00Z (in 24h) |
    | 2026-11-23T13:00:00.000Z | `RUN` | system sla-check | escalated: breached of answered, step 0, high: tells dev |
    | 2026-11-23T14:00:00.000Z | `RUN` | source forms | outcome\_done: answered late |
    | 2026-11-23T14:00:00.000Z | `RUN` | system meshline | exception\_resolved: x9: \`answered\` was verified |
    | 2026-11-23T14:00:00.000Z | `RUN` | system meshline | run\_closed: not every promise was kept |

    ## Similar runs before

    | Run | Opened | Kind | Of | How it ended |
    | --- | --- | --- | --- | --- |
    | `cwz4ntrtc53p-01M817QNM0RFYYJF4SAB676FTX` | 2026-11-22T13:00:00.000Z | `sla_breached` | answered | still open |

    ## In our words

    *What those who wait for it noticed; why it came to be so; what went well.*

    ## What we change

    | What | Who | By when |
    | --- | --- | --- |
    |  |  |  |
    ");
    let facts: Value = serde_json::from_str(&printed(
        &local,
        &["postmortem", "lead-form", "--from", "2026-11-23", "--json"],
    ))
    .unwrap();
    assert!(facts["runs"].as_array().unwrap().iter().any(|it| it["run"] == json!(run)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_post_mortem_of_a_quiet_time_says_so_and_one_of_no_time_is_refused() {
    let (local, _) = late("quiet").await;
    let draft = printed(&local, &["postmortem", "blog-launch"]);
    assert!(draft.contains("Something went wrong in 0 runs"), "{draft}");
    let code = |args: &[&str]| local.meshline(args).status.code();
    assert_eq!(code(&["postmortem", "lead-form", "--from", "2026-11-23", "--to", "2026-11-22"]), Some(2));
    assert_eq!(code(&["postmortem", "lead-form", "--from", "2025-11-23"]), Some(2));
    assert_eq!(code(&["postmortem", "other"]), Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_by_owner_or_client_counts_all_flows_together() {
    let (local, _) = late("groups").await;
    assert_snapshot!(printed(&local, &["report", "--by", "owner"]), @"
    OWNER  FLOWS  RUNS  MET  MISSED  PENDING  RATIO  TO ACK  TO REMEDIATE  OPEN
    dev    1      2     0    2       0        0%     -       1h            1
    ");
    assert!(printed(&local, &["report", "--by", "client", "--csv"]).contains("\r\n,lead-form,"));
    let answer: Value =
        serde_json::from_str(&printed(&local, &["report", "--by", "client", "--json"])).unwrap();
    assert_eq!((&answer["items"][0]["id"], &answer["items"][0]["missed"]), (&Value::Null, &json!(2)));
    assert_eq!(local.meshline(&["report", "--by", "colour"]).status.code(), Some(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn monday_s_message_has_the_command_that_drafts_the_post_mortem_of_a_late_week() {
    let (local, _) = late("monday").await;
    let sent = local.call("GET", "/_local/queues/escalations", &Value::Null).await;
    let told: Vec<&Value> =
        sent["messages"].as_array().unwrap().iter().map(|it| &it["body"]["data"]).collect();
    let monday = told.iter().find(|it| it["ladder"] == "monday" && it["flow"] == "lead-form").unwrap();
    let command = monday["postmortem"].as_str().unwrap();
    assert_eq!(
        command,
        "meshline postmortem lead-form --from 2026-11-16T00:00:00.000Z --to 2026-11-23T00:00:00.000Z"
    );
    let draft = printed(&local, &command.split(' ').skip(1).collect::<Vec<_>>());
    let cases = draft.split("## Causes").next().unwrap();
    assert!(
        cases.contains("cwz4ntrtc53p-01M817QNM0RFYYJF4SAB676FTX") && !cases.contains("uqyjyrr7yiyy"),
        "{draft}"
    );

    let inbox = local.call("GET", "/_local/inbox", &Value::Null).await;
    let letters = inbox["messages"].as_array().unwrap();
    let texts = letters.iter().filter_map(|letter| letter["body"]["text"].as_str());
    let monday: Vec<&str> =
        texts.filter(|text| text.contains("checklist of 2026-W48") && text.contains("lead-form")).collect();
    let [text] = monday.as_slice() else { panic!("{inbox:#}") };
    let text = text.replace(&local.url, "https://meshline.example.com");
    assert_snapshot!(text, @"
    Lead form answered: checklist of 2026-W48: 2 right, 1 wrong, 3 not known; `answered` took longer than the SLA on average

    What: checklist of 2026-W48: 2 right, 1 wrong, 3 not known; `answered` took longer than the SLA on average
    Flow: lead-form
    Owner: ben
    Due: 2026-11-23 08:00 UTC
    Severity: high
    Wrong: outcomes: of the last trigger: 1 missed
    Not known: routing qa: the flow asks for no routing QA. both systems: of the last trigger: 1 with no outcome verified by an event so far. exceptions: 1 open, 0 of them past the recovery deadline
    Right: people: `ben` is there for `role:marketing-ops`, `dev` for `role:revops`. misses explained: 1 missed, 0 of them without an exception
    Late: from 2026-11-16 to 2026-11-23: `answered` took 15h on average of 1, and 4h are allowed
    Post-mortem: meshline postmortem lead-form --from 2026-11-16T00:00:00.000Z --to 2026-11-23T00:00:00.000Z
    Open: https://meshline.example.com/v1/flows/lead-form
    Checklist: https://meshline.example.com/v1/reports/checklist?flow=lead-form
    ");
}
