//! Reviews of playbooks and days that nobody covers: each asked for at its moment, once.

use meshline_core::config::flow::ExceptionKind;
use meshline_core::duties::{Deed, Duties};
use meshline_core::flow_exception::FlowException;
use meshline_core::record::{ExceptionOpened, ExceptionResolved, Fact};
use meshline_core::time::{Span, Time};
use serde_json::json;

use crate::support::story::Story;
use crate::support::{FLOW, at};

/// The example flow, whose playbook is to be reviewed every ten days; the one for `manual`, never.
fn reviewed() -> Story {
    Story::of(&FLOW.replace(
        "playbooks/crm\", owner: role:revops}",
        "playbooks/crm\", owner: role:revops, review_every: 10d}
    manual: {url: \"https://wiki.example.com/playbooks/odd\"}",
    ))
}

/// What the clock makes of the duties, when these exceptions asked for reviews.
fn look(story: &Story, duties: &Duties, asked: &[FlowException], now: Time) -> (Duties, Option<Deed>) {
    duties.look(&story.flow.document, None, &story.directory, asked, now)
}

/// What is asked; it must be something.
fn opened(deed: Option<Deed>) -> ExceptionOpened {
    let Some(Deed::Open(opened)) = deed else { unreachable!("{deed:?}") };
    *opened
}

#[test]
fn a_review_is_asked_for_once_it_is_due_and_counts_from_when_it_was_done() {
    let story = reviewed();
    let start = at("01 09:00");
    let (duties, nothing) = look(&story, &Duties::applied(None, start), &[], start);
    assert_eq!((nothing, duties.next_due_at), (None, Some(at("02 09:00"))), "looked at once a day");
    let (duties, nothing) = look(&story, &duties, &[], at("10 18:00"));
    assert_eq!(
        (nothing, duties.next_due_at),
        (None, Some(at("11 09:00"))),
        "the review is due before a day is over"
    );
    let (_, nothing) = look(&story, &duties, &[], at("11 08:59"));
    assert_eq!(nothing, None);

    let due = at("11 09:00");
    let (duties, deed) = look(&story, &duties, &[], due);
    let case = opened(deed);
    assert_eq!(
        (case.kind, case.owner.as_str()),
        (ExceptionKind::PlaybookReview, "dev"),
        "the playbook's owner"
    );
    assert_eq!(case.playbook.as_deref(), Some("https://wiki.example.com/playbooks/crm"));
    assert_eq!(duties.next_due_at, Some(due), "what else is owed is looked at at once");
    assert_eq!(duties.asked().collect::<Vec<_>>(), [case.exception.as_str()]);

    let mut asked = FlowException::opened(due, &case);
    let (duties, nothing) = look(&story, &duties, &[asked.clone()], at("12 09:00"));
    assert_eq!((nothing, duties.next_due_at), (None, Some(at("13 09:00"))), "it has been asked for");

    let resolved =
        ExceptionResolved { exception: case.exception, resolution: "read".to_owned(), evidence: None };
    asked.apply(at("13 12:00"), &Fact::ExceptionResolved(resolved));
    let (duties, nothing) = look(&story, &duties, &[asked.clone()], at("23 11:59"));
    assert_eq!(nothing, None, "reviewed on the 13th");
    let (_, deed) = look(&story, &duties, &[asked.clone()], at("23 12:00"));
    assert_ne!(opened(deed).exception, asked.id, "another review, another case");
}

#[test]
fn a_playbook_elsewhere_counts_anew_and_a_new_version_of_the_flow_goes_on_counting() {
    let story = reviewed();
    let (duties, _) = look(&story, &Duties::applied(None, at("01 09:00")), &[], at("01 09:00"));
    let again = Duties::applied(Some(&duties), at("09 09:00"));
    assert_eq!(again.next_due_at, Some(at("09 09:00")), "what is owed now is seen at once");
    assert!(look(&story, &again, &[], at("11 09:00")).1.is_some());

    let moved = Story::of(
        &FLOW.replace("playbooks/crm\", owner: role:revops}", "playbooks/new\", review_every: 10d}"),
    );
    let (again, _) = look(&moved, &again, &[], at("09 09:00"));
    assert!(look(&moved, &again, &[], at("11 09:00")).1.is_none());
    let case = opened(look(&moved, &again, &[], at("19 09:00")).1);
    assert_eq!(case.owner, "eve", "without an owner of its own it is for whoever answers for exceptions");
}

#[test]
fn days_that_nobody_covers_are_told_once_until_somebody_is_there_again() {
    let mut story = Story::new();
    let start = at("01 09:00");
    let away = json!([{"from": "2026-11-28", "to": "2026-11-29"}]);
    let gone = |story: &mut Story, who: &str| {
        let person = story.directory.people.iter_mut().find(|person| person.id == who).unwrap();
        person.away = serde_json::from_value(away.clone()).unwrap();
    };
    ["ana", "ben", "cara"].iter().for_each(|who| gone(&mut story, who));
    let (duties, deed) = look(&story, &Duties::applied(None, start), &[], start);
    let case = opened(deed);
    assert_eq!((case.kind, case.owner.as_str()), (ExceptionKind::OwnershipGap, "eve"));
    assert_eq!(
        case.seen,
        "neither `role:product-marketing` nor `role:marketing-ops` is there on 2026-11-28, 2026-11-29"
    );
    assert_eq!(duties.gap.as_deref(), Some(case.exception.as_str()));

    let (duties, nothing) = look(&story, &duties, &[], start + Span::days(1));
    assert_eq!((nothing, duties.next_due_at), (None, Some(start + Span::days(2))), "it has been told");

    story.directory.people.iter_mut().for_each(|person| person.away.clear());
    let (duties, deed) = look(&story, &duties, &[], start + Span::days(2));
    let Some(Deed::Resolve(over)) = deed else { panic!("{deed:?}") };
    assert_eq!((over.exception, duties.gap.clone()), (case.exception, None));
    let (_, nothing) = look(&story, &duties, &[], start + Span::days(3));
    assert_eq!(nothing, None, "over is over");
}
