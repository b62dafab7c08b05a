//! Duties: what a flow owes without any run. Its playbooks are reviewed, and somebody is there on each of the next days.

use std::collections::BTreeMap;
use std::sync::Arc;

use insta::assert_snapshot;
use meshline_core::config::coverage;
use meshline_core::config::directory::Directory;
use meshline_core::config::flow::{ExceptionKind, Flow};
use meshline_core::duties::{Deed, Duties};
use meshline_core::flow_exception::FlowException;
use meshline_core::record::{ExceptionResolved, Fact};
use meshline_core::time::{Span, Time};
use proptest::prelude::*;
use serde_json::json;

use crate::support::{FLOW, at, bundle, good};

const PLAYBOOK: &str = "outcome_failed: {url: \"https://wiki.example.com/playbooks/crm\", owner: role:revops";
/// The kinds whose playbooks the tests have reviewed, and after how many days each.
const REVIEWED: [(ExceptionKind, i64); 2] =
    [(ExceptionKind::OutcomeFailed, 20), (ExceptionKind::SlaBreached, 7)];

/// The example flow, whose playbooks are at these places.
fn flow(crm: &str, late: &str) -> Flow {
    assert!(FLOW.contains(PLAYBOOK));
    let [(_, slow), (_, fast)] = REVIEWED;
    let playbooks = format!(
        "outcome_failed: {{url: \"https://x.io/{crm}\", owner: role:revops, review_every: {slow}d}}\n    \
         sla_breached: {{url: \"https://x.io/{late}\", review_every: {fast}d}}\n    \
         manual: {{url: \"https://x.io/any\""
    );
    let config = good(&bundle(&FLOW.replace(PLAYBOOK, &playbooks)));
    config.flows["blog-launch"].document.as_ref().clone()
}

/// The example directory, in which nobody of owner and backup is there on this day, and all are on others.
fn directory(off: Option<&str>) -> Arc<Directory> {
    let mut directory = good(&bundle(FLOW)).people().as_ref().clone();
    for person in directory.people.iter_mut().filter(|it| ["ana", "ben", "cara"].contains(&it.id.as_str())) {
        let days = |day: &str| serde_json::from_value(json!({"from": day, "to": day})).unwrap();
        person.away = off.into_iter().map(days).collect();
    }
    Arc::new(directory)
}

/// A flow, what it owes, and all that was ever asked of anybody.
#[derive(Debug, Clone)]
struct Owed {
    flow: Flow,
    directory: Arc<Directory>,
    duties: Duties,
    exceptions: BTreeMap<String, FlowException>,
    now: Time,
}

impl Owed {
    fn applied() -> Self {
        let now = at("23 09:00");
        Self {
            flow: flow("crm", "late"),
            directory: directory(None),
            duties: Duties::applied(None, now),
            exceptions: BTreeMap::new(),
            now,
        }
    }

    /// A new version of the flow is put in force.
    fn apply(&mut self, flow: Flow) {
        self.flow = flow;
        self.duties = Duties::applied(Some(&self.duties), self.now);
    }

    /// Looks at what is owed until there is nothing to do, as the shell does; gives what was done.
    fn look(&mut self) -> Vec<Deed> {
        let mut deeds = Vec::new();
        loop {
            let asked: Vec<FlowException> =
                self.duties.asked().filter_map(|id| self.exceptions.get(id).cloned()).collect();
            let (next, deed) = self.duties.look(&self.flow, None, &self.directory, &asked, self.now);
            self.duties = next;
            let Some(deed) = deed else { return deeds };
            match &deed {
                Deed::Open(opened) => {
                    let opened = FlowException::opened(self.now, opened);
                    let before = self.exceptions.insert(opened.id.clone(), opened);
                    assert!(before.is_none_or(|before| !before.is_open()), "it was asked already");
                }
                Deed::Resolve(resolved) => self.resolve(&resolved.exception.clone()),
                Deed::Tell(sent) => panic!("no Monday is looked at here: {sent:?}"),
            }
            deeds.push(deed);
            assert!(deeds.len() <= REVIEWED.len() + 1, "it never comes to rest: {deeds:#?}");
        }
    }

    fn resolve(&mut self, id: &str) {
        let exception = self.exceptions.get_mut(id).unwrap();
        let resolution =
            ExceptionResolved { exception: id.to_owned(), resolution: "done".to_owned(), evidence: None };
        exception.apply(self.now, &Fact::ExceptionResolved(resolution));
    }

    /// Lets time pass, with a look whenever one is due.
    fn pass(&mut self, span: Span) {
        let until = self.now + span;
        while let Some(due_at) = self.duties.next_due_at.filter(|due_at| *due_at <= until) {
            self.now = self.now.max(due_at);
            self.look();
            let next = self.duties.next_due_at.unwrap();
            assert!(next > self.now && next <= self.now + Span::days(1), "the next look is at {next}");
        }
        self.now = until;
    }

    fn of(&self, kind: ExceptionKind) -> Vec<&FlowException> {
        self.exceptions.values().filter(|it| it.kind == kind).collect()
    }

    fn open(&self) -> Vec<String> {
        self.exceptions.values().filter(|it| it.is_open()).map(|it| it.id.clone()).collect()
    }

    /// All that was asked, a line each, by time.
    fn told(&self) -> String {
        let line = |it: &FlowException| {
            let resolved = it.resolved_at.map_or("open".to_owned(), |at| format!("resolved {at}"));
            format!("{} {} asks {}, {resolved}", it.opened_at, it.id, it.owner)
        };
        let mut lines: Vec<String> = self.exceptions.values().map(line).collect();
        lines.sort();
        lines.join("\n")
    }
}

#[test]
fn a_review_is_asked_for_at_its_moment_and_once_until_somebody_did_it() {
    let mut owed = Owed::applied();
    owed.pass(Span::days(7) - Span::from_ms(1));
    assert_eq!(owed.told(), "");
    owed.pass(Span::days(18));
    assert_snapshot!(owed.told(), @"
    2026-11-30T09:00:00.000Z playbook_review-sla_breached-1795424400000 asks eve, open
    2026-12-13T09:00:00.000Z playbook_review-outcome_failed-1795424400000 asks dev, open
    ");
}

#[test]
fn the_ticket_names_the_playbook_and_goes_to_whoever_owns_it() {
    let mut owed = Owed::applied();
    owed.look();
    owed.now = owed.now + Span::days(20);
    let deeds = owed.look();
    let [Deed::Open(crm), Deed::Open(late)] = deeds.as_slice() else { panic!("{deeds:#?}") };
    assert_eq!((crm.owner.as_str(), crm.playbook.as_deref()), ("dev", Some("https://x.io/crm")));
    assert_eq!((late.owner.as_str(), late.playbook.as_deref()), ("eve", Some("https://x.io/late")));
    assert_eq!(crm.expected, "a review of the playbook for `outcome_failed` every 20d");
    assert_eq!(crm.seen, "none since 2026-11-23T09:00:00.000Z");
}

#[test]
fn the_next_review_is_counted_from_the_one_that_was_done() {
    let mut owed = Owed::applied();
    owed.pass(Span::days(7));
    owed.pass(Span::hours(5));
    let [open] = owed.open().try_into().unwrap();
    owed.resolve(&open);
    owed.pass(Span::days(7) - Span::from_ms(1));
    assert_eq!(owed.of(ExceptionKind::PlaybookReview).len(), 1);
    owed.pass(Span::from_ms(1));
    assert_eq!(owed.of(ExceptionKind::PlaybookReview).len(), 2);
}

#[test]
fn a_new_version_goes_on_counting_and_a_playbook_in_another_place_counts_anew() {
    let mut owed = Owed::applied();
    owed.pass(Span::days(5));
    owed.apply(flow("crm", "late"));
    owed.pass(Span::days(2));
    assert_eq!(owed.open().len(), 1, "seven days from the first version on");

    owed.apply(flow("crm", "elsewhere"));
    owed.pass(Span::days(7) - Span::from_ms(1));
    assert_eq!(owed.exceptions.len(), 1);
    owed.pass(Span::from_ms(1));
    assert_eq!(owed.exceptions.len(), 2);
}

#[test]
fn a_playbook_that_nobody_must_review_any_more_is_not_asked_for() {
    let mut owed = Owed::applied();
    owed.pass(Span::days(1));
    owed.apply(good(&bundle(FLOW)).flows["blog-launch"].document.as_ref().clone());
    owed.pass(Span::days(60));
    assert_eq!(owed.told(), "");
}

#[test]
fn a_day_that_nobody_covers_is_told_once_as_it_comes_near_and_over_when_somebody_is_there() {
    let mut owed = Owed::applied();
    owed.directory = directory(Some("2026-12-25"));
    owed.apply(good(&bundle(FLOW)).flows["blog-launch"].document.as_ref().clone());
    owed.pass(Span::days(2));
    assert_eq!(owed.told(), "", "more than thirty days ahead");
    owed.pass(Span::days(5));
    assert_snapshot!(owed.told(), @"2026-11-26T09:00:00.000Z ownership_gap-2026-11-26 asks eve, open");
    owed.directory = directory(None);
    owed.pass(Span::days(1));
    assert_eq!(owed.open(), [""; 0]);

    owed.directory = directory(Some("2026-12-24"));
    owed.pass(Span::days(1));
    assert_snapshot!(owed.told(), @"
    2026-11-26T09:00:00.000Z ownership_gap-2026-11-26 asks eve, resolved 2026-12-01T09:00:00.000Z
    2026-12-02T09:00:00.000Z ownership_gap-2026-12-02 asks eve, open
    ");
}

#[test]
fn a_gap_that_somebody_resolved_by_hand_is_not_told_again_while_it_lasts() {
    let mut owed = Owed::applied();
    owed.directory = directory(Some("2026-12-10"));
    owed.look();
    let [gap] = owed.open().try_into().unwrap();
    owed.resolve(&gap);
    owed.pass(Span::days(6));
    assert_eq!(owed.of(ExceptionKind::OwnershipGap).len(), 1);
}

/// What can happen to what a flow owes.
#[derive(Debug, Clone)]
enum Happening {
    Pass(i64),
    Resolve(usize),
    Apply(bool, bool),
    Away(Option<i64>),
}

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        4 => (1..6_000_i64).prop_map(Happening::Pass),
        2 => (0..4_usize).prop_map(Happening::Resolve),
        1 => any::<(bool, bool)>().prop_map(|(crm, late)| Happening::Apply(crm, late)),
        1 => prop::option::of(0..60_i64).prop_map(Happening::Away),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever happens: after each look, a review is open if and only if it is due, counted from the last one that was
    /// done or from when the playbook was first there; and nobody is there on a day if and only if that was told.
    #[test]
    fn what_is_owed_is_asked_for_and_nothing_else(happenings in prop::collection::vec(happening(), 1..25)) {
        let mut owed = Owed::applied();
        owed.look();
        // The model: when each playbook, by its place, was reviewed last.
        let mut reviewed = REVIEWED.map(|_| owed.now);
        let mut places = [false, false];
        for happening in happenings {
            match happening {
                Happening::Pass(minutes) => owed.pass(Span::minutes(minutes)),
                Happening::Resolve(n) => {
                    let open = owed.open();
                    let Some(id) = open.get(n) else { continue };
                    owed.resolve(id);
                    for ((kind, _), reviewed) in REVIEWED.iter().zip(&mut reviewed) {
                        let asked = owed.duties.playbooks.get(kind).and_then(|review| review.asked.as_ref());
                        if asked == Some(id) {
                            *reviewed = owed.now;
                        }
                    }
                }
                Happening::Apply(crm, late) => {
                    let place = |other: bool, name: &str| if other { format!("{name}-2") } else { name.to_owned() };
                    owed.apply(flow(&place(crm, "crm"), &place(late, "late")));
                    for ((before, now), reviewed) in places.iter_mut().zip([crm, late]).zip(&mut reviewed) {
                        if *before != now {
                            (*before, *reviewed) = (now, owed.now);
                        }
                    }
                }
                Happening::Away(day) => {
                    let day = day.map(|day| (at("23 09:00") + Span::days(day)).day());
                    owed.directory = directory(day.as_deref());
                    owed.duties.next_due_at = Some(owed.now);
                }
            }
            owed.look();
            for ((kind, days), reviewed) in REVIEWED.iter().zip(reviewed) {
                let asked = owed.duties.playbooks[kind].asked.as_ref();
                prop_assert_eq!(asked.is_some(), reviewed + Span::days(*days) <= owed.now, "{:?}", kind);
            }
            let gap = coverage::gap(&owed.flow, &owed.directory, owed.now);
            prop_assert_eq!(owed.duties.gap.is_some(), gap.is_some(), "{:?}", gap);
        }
    }
}
