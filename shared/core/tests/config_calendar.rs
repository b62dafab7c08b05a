//! What `plan` says of calendars, and of flows that count by them.

use insta::assert_snapshot;
use meshline_core::config::{Config, File};

use crate::support::{FLOW, at, bundle, file, good, plan};

const CALENDAR: &str = "\
kind: Calendar
id: us-business
timezone: America/New_York
hours:
  mon-thu: [\"09:00-12:00\", \"13:00-17:30\"]
  fri: [\"09:00-16:00\"]
holidays: [2026-11-26, 2026-12-25]
known_until: 2026-12-31
";

/// The example bundle, whose sales deck takes business days, and this calendar.
fn with_calendar(calendar: &str) -> Vec<File> {
    let flow = FLOW.replace("sla: 48h", "sla: 2 business days") + "calendar: us-business\n";
    let mut files = bundle(&flow);
    files.push(file("calendar.yaml", calendar));
    files
}

fn problems(config: &Config, files: &[File]) -> String {
    let problems = plan(config, files).expect_err("it was accepted");
    let line = |p: &meshline_core::config::Problem| {
        format!("{}:{} {}: {} -> {}", p.file, p.line, p.field, p.reason, p.mend)
    };
    problems.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// The problems of the example calendar with a piece replaced.
fn calendar(old: &str, new: &str) -> String {
    assert!(CALENDAR.contains(old), "the example has no `{old}`");
    problems(&Config::default(), &with_calendar(&CALENDAR.replacen(old, new, 1)))
}

#[test]
fn a_calendar_has_versions_like_any_document() {
    let config = good(&with_calendar(CALENDAR));
    let update = file("calendar.yaml", &CALENDAR.replace("2026-12-25", "2026-12-24, 2026-12-25"));
    let plan = config.plan(&[update], &|_| Vec::new(), at("23 09:00")).unwrap();
    let [change] = plan.changes.as_slice() else { panic!("{:?}", plan.changes) };
    assert_eq!((change.id.as_str(), change.version), ("us-business", 2));
    assert_eq!(plan.next.calendar_of(&config.flows["blog-launch"].document).unwrap().version, 2);
}

#[test]
fn a_calendar_that_cannot_be_read_by_is_refused() {
    assert_snapshot!(calendar("America/New_York", "America/NewYork"), @"calendar.yaml:3 timezone: `America/NewYork` is not a time zone -> write one of the IANA database, like `America/New_York`");
    assert_snapshot!(calendar("timezone: America/New_York\n", ""), @"calendar.yaml:1 timezone: `timezone` is missing -> write `timezone:` with its value (docs/FLOWS.md)");
    assert_snapshot!(calendar("mon-thu:", "monday:"), @"calendar.yaml:5 hours.monday: `monday` is not a day of the week -> write `mon` to `sun`, or a range like `mon-thu`");
    assert_snapshot!(calendar("fri:", "thu-fri:"), @"calendar.yaml:6 hours.thu-fri: a day of `thu-fri` is named twice -> name each day of the week once");
    assert_snapshot!(calendar("13:00-17:30", "11:30-17:30"), @"calendar.yaml:5 hours.mon-thu[1]: `11:30-17:30` begins before `09:00-12:00` ends -> order the hours of a day, and let none overlap");
    assert_snapshot!(calendar("13:00-17:30", "13-17"), @"calendar.yaml:5 hours.mon-thu[1]: `13-17` is not open hours -> write when they begin and end, like `09:00-17:30`");
    assert_snapshot!(calendar("09:00-16:00", "16:00-09:00"), @"calendar.yaml:6 hours.fri[0]: `16:00-09:00` is not open hours -> write when they begin and end, like `09:00-17:30`");
    assert_snapshot!(calendar("2026-12-25]", "25.12.2026]"), @"calendar.yaml:7 holidays[1]: `25.12.2026` is not a day -> write it like `2026-11-23`");
    assert_snapshot!(calendar("known_until: 2026-12-31", "known_until: 2026-12-24"), @"calendar.yaml:8 known_until: the holiday 2026-12-25 comes after it -> write the last day whose holidays are all listed");
    assert_snapshot!(calendar("  mon-thu: [\"09:00-12:00\", \"13:00-17:30\"]\n  fri: [\"09:00-16:00\"]", "  mon-fri: []"), @r#"
    calendar.yaml:4 hours: there are no open hours -> write some, like `mon-fri: ["09:00-17:00"]`
    flow.yaml:37 outcomes[1].sla: from today `2 business days` ends at 2036-11-23T09:00:00.000Z, and the holidays of `us-business` are known until 2026-12-31 -> list the calendar's next holidays, and set `known_until` further
    "#);
    assert_snapshot!(calendar("holidays", "holiday"), @"calendar.yaml:7 holiday: unknown field `holiday` -> did you mean `holidays`?");
}

#[test]
fn business_time_needs_a_calendar_that_is_there() {
    let without = FLOW.replace("within: 4h", "within: 4 business hours");
    assert_snapshot!(problems(&Config::default(), &bundle(&without)), @"flow.yaml:19 acknowledge.within: `4 business hours` needs a calendar -> name one: `calendar: ID`");
    let unknown = format!("{FLOW}calendar: us\n");
    assert_snapshot!(problems(&Config::default(), &bundle(&unknown)), @"flow.yaml:56 calendar: there is no calendar `us` -> add a `kind: Calendar` of that id, or correct the name");
}

#[test]
fn a_deadline_beyond_the_known_holidays_is_refused_from_either_side() {
    assert_snapshot!(calendar("holidays: [2026-11-26, 2026-12-25]\nknown_until: 2026-12-31", "known_until: 2026-11-24"), @"flow.yaml:37 outcomes[1].sla: from today `2 business days` ends at 2026-11-25T22:30:00.000Z, and the holidays of `us-business` are known until 2026-11-24 -> list the calendar's next holidays, and set `known_until` further");
    let config = good(&with_calendar(CALENDAR));
    let short = CALENDAR.replace(", 2026-12-25]\nknown_until: 2026-12-31", "]\nknown_until: 2026-11-26");
    assert!(plan(&config, &[file("calendar.yaml", &short)]).is_ok(), "two business days end on the 25th");
    let short =
        CALENDAR.replace("[2026-11-26, 2026-12-25]\nknown_until: 2026-12-31", "[]\nknown_until: 2026-11-24");
    assert_snapshot!(problems(&config, &[file("calendar.yaml", &short)]), @"calendar.yaml:8 known_until: flow `blog-launch`, `outcomes[1].sla`: from today `2 business days` ends at 2026-11-25T22:30:00.000Z, and the holidays of `us-business` are known until 2026-11-24 -> list the calendar's next holidays, and set `known_until` further");
}

#[test]
fn steps_that_are_counted_differently_have_no_order_and_are_refused() {
    let steps = |steps: &str| {
        let flow = FLOW.replace("{after: 0m, notify: [owner, role:ops-lead], severity: high}", steps);
        problems(&Config::default(), &bundle(&(flow + "calendar: us-business\n")))
    };
    assert_snapshot!(steps("{after: 4 business hours, notify: [owner]}"), @"
    flow.yaml:47 escalation.breached[1].after: `2d` and `4 business hours` before it have no order that holds every day -> count all steps in elapsed time, in business hours or in business days; `0m` goes with each
    flow.yaml:56 calendar: there is no calendar `us-business` -> add a `kind: Calendar` of that id, or correct the name
    ");
    let mut files = with_calendar(CALENDAR);
    files[0].text = files[0].text.replace("after: 48h", "after: 2 business days");
    good(&files);
    files[0].text = files[0]
        .text
        .replace("after: 0m, notify: [owner, role", "after: 4 business hours, notify: [owner, role");
    assert_snapshot!(problems(&Config::default(), &files), @"flow.yaml:47 escalation.breached[1].after: `2 business days` and `4 business hours` before it have no order that holds every day -> count all steps in elapsed time, in business hours or in business days; `0m` goes with each");
    files[0].text = files[0].text.replace("after: 4 business hours", "after: 3 business days");
    assert_snapshot!(problems(&Config::default(), &files), @"flow.yaml:47 escalation.breached[1].after: this step comes after 2 business days, the one before it after 3 business days -> order the steps by `after`");
}

#[test]
fn every_business_time_of_a_flow_needs_a_calendar() {
    let flow = FLOW
        .replace("recovery_sla: 24h", "recovery_sla: 2 business days")
        .replace("after: 48h", "after: 2 business days")
        + "expect: {at_least_every: 5 business days}\n";
    assert_snapshot!(problems(&Config::default(), &bundle(&flow)), @"
    flow.yaml:47 escalation.breached[1].after: `2 business days` needs a calendar -> name one: `calendar: ID`
    flow.yaml:51 exceptions.recovery_sla: `2 business days` needs a calendar -> name one: `calendar: ID`
    flow.yaml:56 expect.at_least_every: `5 business days` needs a calendar -> name one: `calendar: ID`
    ");
}
