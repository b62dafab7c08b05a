//! Exceptions that are not resolved in time.

use insta::assert_snapshot;
use meshline_core::command::Action;
use meshline_core::config::flow::ExceptionKind;
use meshline_core::decide::{exception_of_flow, recovery_of_flow};
use meshline_core::flow_exception::FlowException;
use meshline_core::record::{ExceptionResolved, Fact};

use crate::support::story::Story;
use crate::support::{DIRECTORY, FLOW, SOURCES, at, file, good, lines};

/// The example flow, whose tickets are to be resolved within four hours, and whose third step finds nobody.
fn laddered() -> Story {
    let flow = FLOW.replace(
        "  recovery_sla: 24h\n",
        "  recovery_sla: 4h
  escalation:
    - {after: 0m, notify: [owner]}
    - {after: 2h, reassign: backup_owner, notify: [role:head-of-ops], severity: critical}
    - {after: 3h, notify: [person:zed]}
    - {after: 9h, notify: [owner]}
    - {after: 20h, notify: [owner]}\n",
    );
    let zed = "people:\n  - {id: zed, name: Zed, email: z@example.com, away: [{from: 2026-11-20, to: 2026-12-20}]}\n";
    Story::from(&good(&[
        file("flow.yaml", &flow),
        file("directory.yaml", &DIRECTORY.replace("people:\n", zed)),
        file("sources.yaml", SOURCES),
    ]))
}

#[test]
fn a_ticket_that_nobody_resolves_climbs_its_own_ladder_and_is_handed_over_with_it() {
    let mut s = laddered();
    s.published("23 09:00").person("23 09:10", "ana", Action::Acknowledge).tick("23 11:00").news();
    s.tick("23 15:00").tick("23 17:00").tick("23 18:00").tick("24 00:00");
    s.resolves("24 01:00", "cara", "x6").tick("24 12:00");
    assert_snapshot!(s.news(), @"
    8 23 15:00 recovery_breached x6 due 23 15:00, ladder 23 15:00
    9 23 15:00 escalated recovery x6 step 0 normal to eve, next 23 17:00
    10 23 17:00 escalated recovery x6 step 1 critical to fay, next 23 18:00
    11 23 18:00 step_empty recovery x6 step 2: nobody can be reached, next 23 18:00
    12 23 18:00 escalated recovery x6 step 3 normal to cara, next 24 11:00
    13 24 01:00 exception_resolved by cara x6: done by hand
    ");
    let exception = &s.run().exceptions[0];
    assert_eq!((exception.owner.as_str(), s.run().owner.id.as_str()), ("cara", "ana"));
}

/// A ticket of the flow itself, opened at nine on Monday.
fn of_flow(story: &Story) -> FlowException {
    let about = ("a trigger".to_owned(), "none".to_owned());
    let (flow, kind, now) = (&story.flow.document, ExceptionKind::SilentTrigger, at("23 09:00"));
    let opened = exception_of_flow(flow, None, &story.directory, kind, "silent-1".to_owned(), about, now);
    FlowException::opened(now, &opened)
}

#[test]
fn a_ticket_of_the_flow_itself_climbs_the_same_ladder() {
    let story = laddered();
    let mut case = of_flow(&story);
    let mut told = Vec::new();
    for now in
        ["23 12:59", "23 13:00", "23 13:00", "23 14:59", "23 15:00", "23 16:00", "23 16:00", "24 09:00"]
    {
        let fact = recovery_of_flow(&case, &story.flow.document, None, &story.directory, at(now));
        told.push(format!("{now} {}", fact.as_ref().map_or("nothing".to_owned(), lines::facts)));
        fact.iter().for_each(|fact| case.apply(at(now), fact));
    }
    assert_snapshot!(told.join("\n"), @"
    23 12:59 nothing
    23 13:00 silent-1 due 23 13:00, ladder 23 13:00
    23 13:00 recovery silent-1 step 0 normal to eve, next 23 15:00
    23 14:59 nothing
    23 15:00 recovery silent-1 step 1 critical to fay, next 23 16:00
    23 16:00 recovery silent-1 step 2: nobody can be reached, next 23 16:00
    23 16:00 recovery silent-1 step 3 normal to cara, next 24 09:00
    24 09:00 recovery silent-1 step 4 normal to cara, next never
    ");
    assert_eq!((case.owner.as_str(), case.next_due_at), ("cara", None));
    assert!(case.is_open() && case.recovery_breached);
}

#[test]
fn a_ticket_of_the_flow_itself_is_resolved_once_and_in_words() {
    let story = laddered();
    let mut case = of_flow(&story);
    let by = |resolution: &str| ExceptionResolved {
        exception: String::new(),
        resolution: resolution.to_owned(),
        evidence: None,
    };
    assert_snapshot!(case.resolve(&by(" ")).unwrap_err(), @"`resolution` must not be empty");
    let fact = case.resolve(&by(" switched on again ")).unwrap();
    let Fact::ExceptionResolved(resolved) = &fact else { panic!("{fact:?}") };
    assert_eq!(
        (resolved.exception.as_str(), resolved.resolution.as_str()),
        ("silent-1", "switched on again")
    );
    case.apply(at("23 10:00"), &fact);
    assert_eq!((case.is_open(), case.next_due_at), (false, None));
    assert_snapshot!(case.resolve(&by("again")).unwrap_err(), @"exception `silent-1` was resolved at 2026-11-23T10:00:00.000Z");
}
