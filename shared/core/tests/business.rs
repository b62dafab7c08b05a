//! Runs whose deadlines a calendar counts.

use insta::assert_snapshot;
use meshline_core::command::Action;
use meshline_core::config::flow::ExceptionKind;
use meshline_core::record::Fact;

use crate::support::story::Story;
use crate::support::{FLOW, bundle, file, good};

const CALENDAR: &str = "\
kind: Calendar
id: office
timezone: America/New_York
hours: {mon-fri: [\"09:00-17:00\"]}
";

/// The example flow in business time: to acknowledge within 2 hours, the tag in 4 hours, then the deck in 2 days.
fn office(days: &str) -> Story {
    let flow = FLOW
        .replace("within: 4h", "within: 2 business hours")
        .replace("sla: 2h", "sla: 4 business hours")
        .replace("sla: 48h", "sla: 2 business days");
    let mut files = bundle(&(flow + "calendar: office\n"));
    files.push(file("calendar.yaml", &format!("{CALENDAR}{days}")));
    Story::from(&good(&files))
}

#[test]
fn deadlines_pass_over_the_night_and_a_holiday() {
    let mut story = office("holidays: [2026-11-26]\nknown_until: 2026-11-30\n");
    // Wednesday 16:00 in New York, the day before Thanksgiving; the deck's two days are the 27th and the 30th.
    story.published("25 21:00");
    assert_eq!(story.run().calendar_version, Some(1));
    assert_snapshot!(story.news(), @r#"
    1 25 21:00 run_opened by contentful ana as owner, ack by 27 15:00; crm-tag 25 21:00..27 17:00, sales-deck waits
    2 25 21:00 outcome_requested crm-tag of crm-automation: {"asset":"contentful:5KsDBWseXY6","tag":"spring"}
    "#);
    story.person("25 21:10", "ana", Action::Acknowledge).tagged("25 21:30");
    assert_snapshot!(story.news(), @"
    3 25 21:10 acknowledged by ana
    4 25 21:30 outcome_done by hubspot crm-tag at 25 21:30, met true; sales-deck 25 21:30..30 22:00
    ");
}

#[test]
fn the_opening_says_what_was_promised_in_business_time_and_about_how_long_that_is() {
    let mut story = office("known_until: 2026-12-31\n");
    story.published("25 21:00");
    let Fact::RunOpened(opened) = &story.trail[0].fact else { panic!("{:?}", story.trail[0]) };
    let promised = opened.outcomes.iter().map(|it| format!("{} {} {}", it.id, it.sla.unwrap(), it.sla_ms));
    assert_snapshot!(promised.collect::<Vec<_>>().join("\n"), @"
    crm-tag 4 business hours 14400000
    sales-deck 2 business days 172800000
    ");
}

#[test]
fn a_deadline_beyond_the_known_holidays_is_flagged_once_and_its_breach_has_its_own_ticket() {
    let mut story = office("holidays: []\nknown_until: 2026-11-25\n");
    story.published("25 21:30");
    assert_snapshot!(story.news(), @r#"
    1 25 21:30 run_opened by contentful ana as owner, ack by 26 15:30; crm-tag 25 21:30..26 17:30, sales-deck waits
    2 25 21:30 outcome_requested crm-tag of crm-automation: {"asset":"contentful:5KsDBWseXY6","tag":"spring"}
    3 25 21:30 exception_opened x3 calendar_unknown crm-tag for eve by 26 21:30: they are known until 2026-11-25: the deadline may be too early
    4 25 21:30 exception_opened x4 calendar_unknown for eve by 26 21:30: they are known until 2026-11-25: the deadline may be too early
    "#);
    story.resolves("25 22:00", "eve", "x4").person("25 22:00", "ana", Action::Acknowledge);
    assert_eq!(
        story.tick("25 22:10").run().exceptions.len(),
        2,
        "what a person has resolved is not opened again"
    );
    story.news();
    assert_snapshot!(story.tick("26 17:30").news(), @"
    7 26 17:30 sla_warning crm-tag due 26 17:30, dev
    8 26 17:30 sla_breached crm-tag due 26 17:30, ladder 26 17:30
    9 26 17:30 exception_opened x9 sla_breached crm-tag for eve by 27 17:30: nothing that verifies it
    10 26 17:30 escalated breached crm-tag step 0 high to dev+eve, next 28 17:30
    ");
    story.tagged("26 18:00");
    assert_eq!(
        story.run().open_exceptions().map(|x| x.kind).collect::<Vec<_>>(),
        [ExceptionKind::CalendarUnknown]
    );
    assert_snapshot!(story.news(), @"
    11 26 18:00 outcome_done by hubspot crm-tag at 26 18:00, met false; sales-deck 26 18:00..30 22:00
    12 26 18:00 exception_resolved x3: `crm-tag` was verified
    13 26 18:00 exception_resolved x9: `crm-tag` was verified
    14 26 18:00 exception_opened x14 calendar_unknown sales-deck for eve by 27 18:00: they are known until 2026-11-25: the deadline may be too early
    ");
}

#[test]
fn a_run_that_is_called_off_has_no_more_deadlines_to_flag() {
    let mut story = office("holidays: []\nknown_until: 2026-11-25\n");
    // Nobody acknowledges, so that the backup gets a window that ends on the 26th: in the decision that ends the run.
    story.published("25 14:00").person("25 21:00", "ana", Action::Cancel("wrong post".to_owned()));
    assert_eq!(story.trail.last().unwrap().fact.kind(), "run_cancelled");
}

#[test]
fn steps_and_recovery_pass_over_the_night_and_each_step_is_counted_from_the_deadline() {
    let flow = FLOW
        .replace("sla: 2h", "sla: 4 business hours")
        .replace("within: 4h", "within: 60h")
        .replace("recovery_sla: 24h", "recovery_sla: 10 business hours")
        .replace("after: 48h, reassign: backup_owner,", "after: 1 business day,")
        .replace(
            "severity: critical}",
            "severity: critical}\n    - {after: 2 business days, notify: [owner]}",
        );
    let mut files = bundle(&(flow + "calendar: office\n"));
    files
        .push(file("calendar.yaml", &format!("{CALENDAR}holidays: [2026-11-26]\nknown_until: 2026-12-31\n")));
    let mut story = Story::from(&good(&files));
    // Tuesday 10:00 in New York: due at 14:00 there, which is 19:00 UTC; Thursday is a holiday.
    story.published("24 15:00").news();
    story.tick("24 19:00").tick("25 22:00").tick("27 22:00");
    assert_snapshot!(story.news(), @"
    3 24 19:00 sla_warning crm-tag due 24 19:00, dev
    4 24 19:00 sla_breached crm-tag due 24 19:00, ladder 24 19:00
    5 24 19:00 exception_opened x5 sla_breached crm-tag for eve by 25 21:00: nothing that verifies it
    6 24 19:00 escalated breached crm-tag step 0 high to dev+eve, next 25 22:00
    7 25 22:00 recovery_breached x5 due 25 21:00, ladder 25 21:00
    8 25 22:00 escalated recovery x5 step 0 high to eve, next never
    9 25 22:00 escalated breached crm-tag step 1 critical to fay+ops-pager, next 27 22:00
    10 27 22:00 acknowledgement_missed ana by 27 03:00, ladder 27 03:00
    11 27 22:00 reassigned ana -> cara as backup, ack by 30 10:00
    12 27 22:00 escalated not_acknowledged step 0 normal to ana+cara, next 27 07:00
    13 27 22:00 escalated not_acknowledged step 1 high to eve, next never
    14 27 22:00 escalated breached crm-tag step 2 normal to dev, next never
    ");
}

#[test]
fn a_ladder_that_is_climbed_when_another_window_is_missed_is_counted_from_the_miss_it_began_with() {
    let flow = FLOW
        .replace("within: 4h", "within: 2 business hours")
        .replace("sla: 2h", "sla: 300h")
        .replace("{after: 4h, notify: [role:ops-lead], severity: high}", "{after: 3 business hours, notify: [role:ops-lead]}\n    - {after: 6 business hours, notify: [role:ops-lead]}");
    let mut files = bundle(&(flow + "calendar: office\n"));
    files.push(file("calendar.yaml", &format!("{CALENDAR}holidays: []\nknown_until: 2026-12-31\n")));
    let mut story = Story::from(&good(&files));
    // Monday 09:00 in New York: missed at 11:00, and by the second owner at 13:00.
    story.published("23 14:00").news();
    story.tick("23 16:00").tick("23 18:00").tick("23 19:00").tick("24 14:00");
    assert_snapshot!(story.news(), @"
    3 23 16:00 acknowledgement_missed ana by 23 16:00, ladder 23 16:00
    4 23 16:00 reassigned ana -> cara as backup, ack by 23 18:00
    5 23 16:00 escalated not_acknowledged step 0 normal to ana+cara, next 23 19:00
    6 23 18:00 acknowledgement_missed cara by 23 18:00, ladder 23 19:00
    7 23 19:00 escalated not_acknowledged step 1 normal to eve, next 23 22:00
    8 24 14:00 escalated not_acknowledged step 2 normal to eve, next never
    ");
}

#[test]
fn a_recovery_deadline_beyond_the_known_holidays_is_flagged_once() {
    let flow = FLOW
        .replace("recovery_sla: 24h", "recovery_sla: 8 business hours")
        .replace("within: 4h", "within: 60h");
    let mut files = bundle(&(flow + "calendar: office\n"));
    files.push(file("calendar.yaml", &format!("{CALENDAR}holidays: []\nknown_until: 2026-11-25\n")));
    let mut story = Story::from(&good(&files));
    // The tag is due at 16:00 in New York of the last day that is known.
    story.published("25 19:00").news();
    story.tick("25 21:00").tick("25 21:30");
    assert_snapshot!(story.news(), @"
    3 25 21:00 sla_warning crm-tag due 25 21:00, dev
    4 25 21:00 sla_breached crm-tag due 25 21:00, ladder 25 21:00
    5 25 21:00 exception_opened x5 sla_breached crm-tag for eve by 26 21:00: nothing that verifies it
    6 25 21:00 escalated breached crm-tag step 0 high to dev+eve, next 27 21:00
    7 25 21:00 exception_opened x7 calendar_unknown for eve by 26 21:00: they are known until 2026-11-25: the deadline may be too early
    ");
}
