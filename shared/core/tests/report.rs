//! The SLA report: how many promises were kept; what is late counts as missed, what is open never as good.

use insta::assert_json_snapshot;
use meshline_core::command::Action;
use meshline_core::report::{By, Forecast, Group, Groups, Percentiles, SlaReport, sla};
use meshline_core::run::Run;
use meshline_core::time::{Span, Time};

use crate::support::story::Story;
use crate::support::{at, publish};

/// A flow of one outcome within two hours, 90 % of the runs.
const FLOW: &str = "
kind: Flow
id: one
title: One
owner: person:ana
backup_owner: person:cara
trigger: {source: contentful, match: {type: [Entry.publish]}}
acknowledge: {within: 30d}
outcomes:
  - {id: tag, sla: 2h, done_when: {data: {propertyName: [campaign_tag]}}}
exceptions: {owner: role:ops-lead, recovery_sla: 1h}
objective: {met: 90%, window: 60d}
";

/// A run opened at nine on the 23rd and `n` seconds.
fn run(n: i64) -> Story {
    let mut story = Story::of(FLOW);
    let now = at("23 09:00") + Span::from_ms(n * 1000);
    story.opens(&publish(&format!("p{n}"), now), now);
    story
}

/// Verified `minutes` after nine.
fn done(n: i64, minutes: i64) -> Run {
    let mut story = run(n);
    let done_at = (at("23 09:00") + Span::minutes(minutes)).to_string();
    story.tagged(&format!("23 {}", &done_at[11..19])).run().clone()
}

fn report(runs: &[Run], now: &str) -> SlaReport {
    let flow = Story::of(FLOW).flow;
    sla(&flow.document, runs, at("23 00:00"), at("24 00:00"), at(now))
}

#[test]
fn ten_triggers_eight_met_one_missed_one_pending() {
    let mut runs: Vec<Run> = (0..8).map(|n| done(n, 10 * (n + 1))).collect();
    runs.push(done(8, 200));
    runs.push(run(9).run().clone());
    let report = report(&runs, "23 10:59");
    assert_eq!((report.triggers, report.met, report.missed, report.pending), (10, 8, 1, 1));
    assert_eq!((report.met_ratio, report.error_budget_left), (Some(0.888), Some(-0.11)));
    assert_json_snapshot!(report, @r#"
    {
      "flow": "one",
      "from": "2026-11-23T00:00:00.000Z",
      "to": "2026-11-24T00:00:00.000Z",
      "triggers": 10,
      "met": 8,
      "missed": 1,
      "pending": 1,
      "cancelled": 0,
      "suppressed": 0,
      "met_ratio": 0.888,
      "objective": {
        "met": 0.9,
        "window": "60d"
      },
      "outcomes": [
        {
          "id": "tag",
          "done": 9,
          "met": 8,
          "missed": 1,
          "pending": 1,
          "latency_s": {
            "p50": 2996,
            "p95": 11992,
            "p99": 11992
          },
          "net_latency_s": {
            "p50": 2996,
            "p95": 11992,
            "p99": 11992
          }
        }
      ],
      "time_to_acknowledge_s": {
        "p50": null,
        "p95": null,
        "p99": null
      },
      "mean_time_to_remediation_s": 0,
      "exceptions": {
        "opened": 1,
        "open": 0,
        "within_recovery_sla": 1
      },
      "error_budget_left": -0.11,
      "forecast": null
    }
    "#);
}

#[test]
fn what_is_overdue_is_missed_now_and_what_is_not_due_is_pending() {
    let open = [run(0).run().clone()];
    let counts = |now| {
        let report = report(&open, now);
        (report.met, report.missed, report.pending, report.met_ratio)
    };
    assert_eq!(counts("23 10:59:59.999"), (0, 0, 1, None));
    assert_eq!(counts("23 11:00:00.001"), (0, 1, 0, Some(0.0)), "though no tick has seen it yet");
    let mut failed = run(0);
    let reason = "no".to_owned();
    failed.person("23 09:10", "ana", Action::FailOutcome { outcome: "tag".to_owned(), reason });
    assert_eq!(report(&[failed.run().clone()], "23 09:11").pending, 1, "it may still come true in time");
    failed.person("23 09:20", "ana", Action::Close("given up".to_owned()));
    assert_eq!(report(&[failed.run().clone()], "23 09:21").missed, 1, "closed without it");
}

#[test]
fn percentiles_are_values_that_occurred() {
    let latencies = |n: i64| {
        let runs: Vec<Run> = (1..=n).map(|n| done(0, n)).collect();
        report(&runs, "23 23:00").outcomes[0].latency_s
    };
    let of = |p50: i64, p95: i64, p99: i64| Percentiles {
        p50: Some(p50 * 60),
        p95: Some(p95 * 60),
        p99: Some(p99 * 60),
    };
    assert_eq!(latencies(0), Percentiles { p50: None, p95: None, p99: None });
    assert_eq!(latencies(1), of(1, 1, 1));
    assert_eq!(latencies(2), of(1, 2, 2));
    assert_eq!(latencies(100), of(50, 95, 99));
}

#[test]
fn cancelled_runs_and_those_outside_the_window_do_not_count() {
    let mut cancelled = run(0);
    cancelled.person("23 09:10", "ana", Action::Cancel("unpublished".to_owned()));
    let other = Run { flow: "another".to_owned(), ..done(2, 10) };
    let opened_at = |when: &str| Run { opened_at: at(when), ..done(1, 10) };
    let runs = [
        cancelled.run().clone(),
        other,
        opened_at("22 23:59:59.999"),
        opened_at("24 00:00"),
        opened_at("23 00:00"),
    ];
    let report = report(&runs, "25 00:00");
    assert_eq!((report.triggers, report.cancelled, report.outcomes[0].done), (1, 1, 1));
}

#[test]
fn runs_of_a_flow_that_was_off_are_counted_apart() {
    let off = Run { suppressed: true, ..done(1, 10) };
    let report = report(&[off, done(2, 10)], "24 00:00");
    assert_eq!((report.triggers, report.suppressed, report.met), (1, 1, 1));
}

#[test]
fn tickets_are_counted_by_whether_they_were_resolved_in_time() {
    let late = |minutes: i64| {
        let mut story = run(0);
        story.tick("23 11:00");
        let when: Time = at("23 11:00") + Span::minutes(minutes);
        story.tagged(&format!("23 {}", &when.to_string()[11..19])).run().clone()
    };
    let mut open = run(1);
    open.tick("23 11:00:01");
    let report = report(&[late(30), late(60), late(90), open.run().clone()], "23 14:00");
    assert_eq!(
        (report.exceptions.opened, report.exceptions.open, report.exceptions.within_recovery_sla),
        (4, 1, 2)
    );
    assert_eq!(report.mean_time_to_remediation_s, Some(3600));
    assert_eq!((report.met, report.missed), (0, 4), "done late is missed");
}

#[test]
fn the_time_to_acknowledge_is_from_the_opening() {
    let mut story = run(0);
    story.person("23 09:10", "ana", Action::Acknowledge);
    let report = report(&[story.run().clone(), run(1).run().clone()], "23 10:00");
    assert_eq!(report.time_to_acknowledge_s.p50, Some(600));
}

#[test]
fn a_promise_of_every_run_has_no_budget_for_misses() {
    let flow = Story::of(&FLOW.replace("met: 90%", "met: 100%")).flow;
    let runs = [done(0, 10), done(1, 200)];
    let report = sla(&flow.document, &runs, at("23 00:00"), at("24 00:00"), at("24 00:00"));
    assert_eq!((report.met_ratio, report.error_budget_left), (Some(0.5), None));
}

/// The forecast of a report from the 23rd to `now`, over a window of ten days.
fn forecast(met: &str, runs: &[Run], now: &str) -> Option<Forecast> {
    let flow = FLOW.replace("met: 90%, window: 60d", &format!("met: {met}, window: 10d"));
    let now = at(now);
    sla(&Story::of(&flow).flow.document, runs, at("23 00:00"), now, now).forecast
}

#[test]
fn a_forecast_says_how_many_more_may_miss_if_triggers_keep_coming_as_they_do() {
    let mut runs: Vec<Run> = (0..9).map(|n| done(n, 10)).collect();
    runs.push(done(9, 200));
    let (until, triggers) = ("2026-12-03T00:00:00Z".parse().unwrap(), 50);
    let expected = Forecast { until, triggers, allowed: 5, may_miss: 4, expected_misses: 5 };
    assert_eq!(forecast("90%", &runs, "25 00:00"), Some(expected), "a fifth of the window passed");
    let strict = forecast("99%", &runs, "25 00:00").unwrap();
    assert_eq!((strict.allowed, strict.may_miss), (0, 0), "the one that is allowed for is overdrawn");
    let whole = forecast("80%", &runs, "25 00:00").unwrap();
    assert_eq!((whole.allowed, whole.may_miss), (10, 9));
}

#[test]
fn nothing_is_forecast_where_nothing_can_be_said() {
    let runs = [done(0, 10), done(1, 200)];
    assert_eq!(forecast("90%", &runs, "23 23:59"), None, "less than a tenth of the window has passed");
    assert!(forecast("90%", &runs, "24 00:00").is_some());
    assert_eq!(forecast("90%", &[], "25 00:00"), None, "nothing is decided");
    let flow = Story::of(FLOW).flow;
    let long = sla(&flow.document, &runs, at("23 00:00") - Span::days(70), at("24 00:00"), at("24 00:00"));
    assert_eq!(long.forecast, None, "the report is longer than the window");
    let without = Story::of(&FLOW.replace("objective: {met: 90%, window: 60d}", "")).flow;
    let report = sla(&without.document, &runs, at("23 00:00"), at("25 00:00"), at("25 00:00"));
    assert_eq!(report.forecast, None, "nothing was promised");
}

#[test]
fn a_flow_without_runs_has_no_ratio() {
    let report = report(&[], "23 10:00");
    assert_eq!((report.met_ratio, report.mean_time_to_remediation_s), (None, None));
    assert_eq!(report.error_budget_left, None, "nothing is decided yet");
}

/// The runs of the 23rd by client or owner, as they stand then.
fn groups(by: By, runs: &[Run], now: &str) -> Vec<Group> {
    let mut groups = Groups::new(by, at("23 00:00"), at("24 00:00"), at(now));
    runs.iter().for_each(|run| groups.add(run));
    groups.report().items
}

#[test]
fn by_owner_a_run_counts_for_whoever_has_it_now_and_what_is_late_is_missed_unless_it_was_called_off() {
    let overdue = run(0).run().clone();
    let mut handed_on = run(1);
    handed_on.person(
        "23 10:00",
        "ana",
        Action::Reassign { to: "person:cara".parse().unwrap(), reason: "away".to_owned() },
    );
    let mut cancelled = run(2);
    cancelled.person("23 10:00", "ana", Action::Cancel("not wanted".to_owned()));
    let runs = [overdue, handed_on.run().clone(), cancelled.run().clone(), done(3, 60)];
    let found = groups(By::Owner, &runs, "23 11:30");
    let figures: Vec<_> = found
        .iter()
        .map(|it| {
            (it.id.as_deref().unwrap_or("-"), [it.triggers, it.met, it.missed, it.pending, it.cancelled])
        })
        .collect();
    assert_eq!(figures, [("ana", [2, 1, 1, 0, 1]), ("cara", [1, 0, 1, 0, 0])]);
    assert_eq!(found[0].met_ratio, Some(0.5));
}

#[test]
fn by_client_the_flows_of_one_count_together_and_those_without_one_too() {
    let of = |client: Option<&str>, flow: &str, run: Run| Run {
        client: client.map(str::to_owned),
        flow: flow.to_owned(),
        ..run
    };
    let late = Run { opened_at: at("22 23:00"), ..done(0, 10) };
    let runs = [
        of(Some("acme"), "one", done(0, 10)),
        of(Some("acme"), "two", run(1).run().clone()),
        of(None, "three", done(2, 200)),
        of(Some("acme"), "four", late),
    ];
    let found = groups(By::Client, &runs, "23 10:00");
    let figures: Vec<_> =
        found.iter().map(|it| (it.id.as_deref(), it.flows.len(), [it.met, it.missed, it.pending])).collect();
    assert_eq!(
        figures,
        [(None, 1, [0, 1, 0]), (Some("acme"), 2, [1, 0, 1])],
        "what opened before is not in it"
    );
}

#[test]
fn one_group_comes_to_what_the_report_of_the_flow_comes_to() {
    let runs: Vec<Run> = (0..8).map(|n| done(n, 30 * (n + 1))).chain([run(8).run().clone()]).collect();
    let (flow, all) = (report(&runs, "23 10:30"), groups(By::Client, &runs, "23 10:30"));
    let [of_all] = all.as_slice() else { panic!("{all:#?}") };
    assert_eq!(
        (of_all.triggers, of_all.met, of_all.missed, of_all.pending),
        (flow.triggers, flow.met, flow.missed, flow.pending)
    );
    assert_eq!((of_all.met_ratio, of_all.exceptions), (flow.met_ratio, flow.exceptions));
    assert_eq!(of_all.time_to_acknowledge_s, flow.time_to_acknowledge_s);
}
