//! Exceptions that are not resolved in time.

use insta::assert_snapshot;
use meshline_core::command::Action;

use crate::support::story::Story;
use crate::support::{DIRECTORY, FLOW, SOURCES, file, good};

#[test]
fn a_ticket_that_nobody_resolves_climbs_its_own_ladder_and_is_handed_over_with_it() {
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
    let mut s = Story::from(&good(&[
        file("flow.yaml", &flow),
        file("directory.yaml", &DIRECTORY.replace("people:\n", "people:\n  - {id: zed, name: Zed, email: z@example.com, away: [{from: 2026-11-20, to: 2026-12-20}]}\n")),
        file("sources.yaml", SOURCES),
    ]));
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
