//! Monday: the checklist goes out once a week, what it found becomes an exception once, and one that nobody got as well.

use std::collections::BTreeMap;

use meshline_core::checklist::{Answer, Checklist, Example, Item, Question};
use meshline_core::config::directory::ChannelKind;
use meshline_core::config::flow::ExceptionKind;
use meshline_core::delivery::{Delivery, DeliveryResult};
use meshline_core::duties::{Deed, Duties};
use meshline_core::flow_exception::FlowException;
use meshline_core::monday::{Scene, Shown, Wanted};
use meshline_core::record::{ChecklistSent, ExceptionOpened, ExceptionResolved, Fact};
use meshline_core::time::{Span, Time};
use proptest::prelude::*;

use crate::support::{FLOW, at, bundle, good};

/// A flow with its Mondays, and all that was ever done about them.
struct World {
    config: meshline_core::config::Config,
    duties: Duties,
    exceptions: BTreeMap<String, FlowException>,
    /// Questions that are answered wrong, and since when there is the newest case.
    wrong: BTreeMap<Question, Time>,
    /// What becomes of messages; `None` while nothing is known.
    arrives: Option<bool>,
    told: Vec<ChecklistSent>,
    opened: Vec<ExceptionOpened>,
    now: Time,
}

impl World {
    /// The example flow, with everything right, which the clock has looked at on a Monday at nine.
    fn new() -> Self {
        Self::of(FLOW)
    }

    fn of(flow: &str) -> Self {
        let mut world = Self {
            config: good(&bundle(flow)),
            duties: Duties::default(),
            exceptions: BTreeMap::new(),
            wrong: BTreeMap::new(),
            arrives: Some(true),
            told: Vec::new(),
            opened: Vec::new(),
            now: at("23 09:00"),
        };
        world.look();
        world
    }

    fn checklist(&self) -> Checklist {
        use Question::{BothSystems, Exceptions, MissesExplained, Outcomes, People, RoutingQa};
        let questions = [People, Outcomes, RoutingQa, BothSystems, Exceptions, MissesExplained];
        let checks = questions.map(|check| {
            let wrong = self.wrong.get(&check).map(|at| Example {
                run: Some("uqy-01".to_owned()),
                subject: None,
                at: *at,
                what: "no event of hubspot".to_owned(),
                trail: None,
            });
            Item {
                check,
                status: if wrong.is_some() { Answer::Fail } else { Answer::Pass },
                sentence: "so it is".to_owned(),
                passed: 1,
                failed: usize::from(wrong.is_some()),
                undecided: 0,
                examples: wrong.into_iter().collect(),
            }
        });
        Checklist {
            flow: "blog-launch".to_owned(),
            at: self.now,
            checks: checks.into(),
            triggers: Vec::new(),
        }
    }

    /// Looks as the shell does, until there is nothing to be done.
    fn look(&mut self) {
        let flow = self.config.flows["blog-launch"].document.clone();
        let people = self.config.people();
        let checklist = self.checklist();
        for _ in 0..10 {
            let exceptions: Vec<FlowException> = self.exceptions.values().cloned().collect();
            let scene = Scene {
                flow: &flow,
                calendar: self.config.hours_of(&flow),
                directory: &people,
                exceptions: &exceptions,
                now: self.now,
            };
            let known: Vec<Delivery> = self.deliveries();
            let shown = match self.duties.monday.wanted(scene) {
                Wanted::Nothing => Shown::Nothing,
                Wanted::Deliveries(_) => Shown::Deliveries(&known),
                Wanted::Findings(..) => Shown::Findings(&checklist, None),
            };
            let duties = Duties { next_due_at: None, ..self.duties.clone() };
            let (next, deed) = duties.on_monday(scene, &shown);
            self.duties = next;
            match deed {
                None => return,
                Some(Deed::Open(opened)) => self.open(&opened),
                Some(Deed::Resolve(resolved)) => self.resolve(&resolved.exception),
                Some(Deed::Tell(sent)) => {
                    self.told.push(*sent);
                    self.duties.monday.mark_sent(self.now, self.told.len() as u64);
                }
            }
        }
        panic!("it never comes to rest");
    }

    fn deliveries(&self) -> Vec<Delivery> {
        let to = "person:ana".to_owned();
        let result = self.arrives.map(|arrives| match arrives {
            true => DeliveryResult::Succeeded { to, by: ChannelKind::Email, raised: None, together: None },
            false => {
                DeliveryResult::Failed { to, by: None, attempts: 8, error: "no such mailbox".to_owned() }
            }
        });
        let message = self.told.len() as u64;
        result.map(|result| Delivery { message, result, requested: None }).into_iter().collect()
    }

    fn open(&mut self, opened: &ExceptionOpened) {
        let before =
            self.exceptions.insert(opened.exception.clone(), FlowException::opened(self.now, opened));
        assert_eq!(before, None, "each exception is opened once");
        self.opened.push(opened.clone());
    }

    fn resolve(&mut self, id: &str) {
        let exception = id.to_owned();
        let fact = Fact::ExceptionResolved(ExceptionResolved {
            exception,
            resolution: "done".to_owned(),
            evidence: None,
        });
        self.exceptions.get_mut(id).unwrap().apply(self.now, &fact);
    }

    /// Lets time pass, with a look whenever one is due.
    fn pass(&mut self, span: Span) {
        let until = self.now + span;
        while let Some(due_at) = self.duties.next_due_at.filter(|due_at| *due_at <= until) {
            self.now = self.now.max(due_at);
            self.look();
            assert!(self.duties.next_due_at.unwrap() > self.now);
        }
        self.now = until;
    }

    fn open_ones(&self, kind: ExceptionKind) -> Vec<&str> {
        self.exceptions
            .values()
            .filter(|it| it.kind == kind && it.is_open())
            .map(|it| it.id.as_str())
            .collect()
    }

    fn weeks(&self) -> Vec<String> {
        self.told.iter().map(|sent| sent.week.to_string()).collect()
    }
}

#[test]
fn the_owner_is_told_at_eight_each_monday_from_the_next_one_on() {
    let mut world = World::new();
    world.pass(Span::days(7) - Span::minutes(61));
    assert_eq!(world.weeks(), [""; 0]);
    world.pass(Span::minutes(1));
    assert_eq!(world.weeks(), ["2026-W49"]);
    assert_eq!(world.told[0].due_at, at("30 08:00"));
    assert_eq!(world.told[0].notify[0].id, "ana");
    assert_eq!(world.told[0].checks.len(), 6);
    world.pass(Span::days(14));
    assert_eq!(world.weeks(), ["2026-W49", "2026-W50", "2026-W51"]);
}

#[test]
fn the_flow_s_calendar_says_whose_monday_it_is() {
    let calendar = "---\nkind: Calendar\nid: office\ntimezone: America/New_York\nhours: {mon-fri: [\"09:00-17:00\"]}\nknown_until: 2027-12-31\n";
    let mut world = World::of(&format!("{FLOW}calendar: office\n{calendar}"));
    world.pass(Span::days(7));
    // Nine o'clock on the 23rd was before eight there: that Monday was still to come.
    let due: Vec<Time> = world.told.iter().map(|sent| sent.due_at).collect();
    assert_eq!(due, [at("23 13:00")]);
    world.pass(Span::hours(4));
    assert_eq!(world.told[1].due_at, at("30 13:00"));
}

#[test]
fn after_an_absence_of_weeks_only_the_present_week_is_told() {
    let mut world = World::new();
    world.now = at("23 09:00") + Span::days(24);
    world.look();
    assert_eq!(world.weeks(), ["2026-W51"], "on Thursday, three Mondays later");
    world.look();
    assert_eq!(world.told.len(), 1);
}

#[test]
fn what_the_checklist_found_is_opened_once_again_only_for_a_newer_case_and_resolved_when_it_is_right() {
    let mut world = World::new();
    world.wrong.insert(Question::BothSystems, at("26 10:00"));
    world.pass(Span::days(15));
    assert_eq!(world.weeks().len(), 2);
    assert_eq!(world.open_ones(ExceptionKind::ChecklistFailed), ["checklist_failed-both_systems-2026-W49"]);
    assert_eq!(world.opened[0].seen, "so it is: uqy-01: no event of hubspot");
    assert_eq!(world.opened[0].owner, "eve");

    world.resolve("checklist_failed-both_systems-2026-W49");
    world.pass(Span::days(7));
    assert_eq!(world.opened.len(), 1, "somebody has answered for that run");
    world.wrong.insert(Question::BothSystems, world.now);
    world.pass(Span::days(7));
    assert_eq!(world.open_ones(ExceptionKind::ChecklistFailed), ["checklist_failed-both_systems-2026-W52"]);
    world.wrong.clear();
    world.pass(Span::days(7));
    assert_eq!(world.open_ones(ExceptionKind::ChecklistFailed), [""; 0]);
}

#[test]
fn what_has_an_exception_of_its_own_gets_no_other() {
    let mut world = World::new();
    for question in [Question::Outcomes, Question::RoutingQa, Question::Exceptions] {
        world.wrong.insert(question, at("26 10:00"));
    }
    world.wrong.insert(Question::MissesExplained, at("26 10:00"));
    let flow = world.config.flows["blog-launch"].document.clone();
    let about = ("the run's clock to be looked at".to_owned(), "it cannot be read".to_owned());
    let parked = meshline_core::decide::exception_of_flow(
        &flow,
        None,
        &world.config.people(),
        ExceptionKind::RunParked,
        "uqy-01".to_owned(),
        about,
        world.now,
    );
    world.open(&parked);
    world.pass(Span::days(7));
    assert_eq!(world.open_ones(ExceptionKind::ChecklistFailed), [""; 0]);
}

#[test]
fn a_checklist_that_reached_nobody_is_an_exception_after_an_hour_until_one_arrives() {
    let mut world = World::new();
    world.arrives = None;
    world.pass(Span::days(7) - Span::minutes(1));
    assert_eq!((world.told.len(), world.opened.len()), (1, 0));
    world.pass(Span::minutes(1));
    assert_eq!(world.open_ones(ExceptionKind::ChecklistUndelivered), ["checklist_undelivered-2026-W49"]);
    assert_eq!(world.opened[0].seen, "it is recorded of nobody that they got it");

    world.arrives = Some(false);
    world.pass(Span::days(7));
    assert_eq!(world.opened.len(), 1, "one is open");
    world.arrives = Some(true);
    world.pass(Span::days(7));
    assert_eq!(world.open_ones(ExceptionKind::ChecklistUndelivered), [""; 0]);
    world.arrives = Some(false);
    world.pass(Span::days(7));
    assert_eq!(world.opened[1].seen, "person:ana was not reached: no such mailbox");
}

#[test]
fn a_checklist_that_can_never_be_made_is_an_exception_at_once_and_the_next_week_begins_anew() {
    let mut world = World::new();
    world.now = at("30 08:00");
    let flow = world.config.flows["blog-launch"].document.clone();
    let people = world.config.people();
    let scene = Scene { flow: &flow, calendar: None, directory: &people, exceptions: &[], now: world.now };
    let shown = Shown::Unknowable("a run cannot be read".to_owned());
    let (next, deed) = world.duties.clone().on_monday(scene, &shown);
    let Some(Deed::Open(opened)) = deed else { panic!("{deed:?}") };
    assert_eq!(opened.kind, ExceptionKind::ChecklistUndelivered);
    assert_eq!(opened.seen, "it could not be made: a run cannot be read");
    world.duties = next;
    world.open(&opened);
    world.pass(Span::days(7) - Span::from_ms(1));
    assert_eq!(world.told.len(), 0);
    world.pass(Span::from_ms(1));
    assert_eq!(world.weeks(), ["2026-W50"]);
}

#[test]
fn nobody_is_told_of_a_flow_that_is_off_nor_later_of_the_weeks_it_was() {
    let mut world = World::of(&FLOW.replace("id: blog-launch", "id: blog-launch\nenabled: false"));
    world.pass(Span::days(15));
    world.config = good(&bundle(FLOW));
    world.look();
    assert_eq!(world.weeks(), [""; 0]);
    world.pass(Span::days(7));
    assert_eq!(world.weeks(), ["2026-W51"]);
}

/// What can happen around Mondays.
#[derive(Debug, Clone)]
enum Happening {
    Pass(i64),
    Absent(i64),
    LookAgain,
    Wrong(Question, bool),
    Arrives(Option<bool>),
    ResolveAll,
}

fn happening() -> impl Strategy<Value = Happening> {
    let question =
        prop::sample::select(vec![Question::People, Question::BothSystems, Question::MissesExplained]);
    prop_oneof![
        4 => (1..12_000_i64).prop_map(Happening::Pass),
        1 => (1..40_000_i64).prop_map(Happening::Absent),
        1 => Just(Happening::LookAgain),
        3 => (question, any::<bool>()).prop_map(|(question, wrong)| Happening::Wrong(question, wrong)),
        1 => prop::option::of(any::<bool>()).prop_map(Happening::Arrives),
        1 => Just(Happening::ResolveAll),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever happens, and whenever the clock looks: no week is told twice or after a later one, each is that of its
    /// moment, and what was found wrong on a Monday has at most one open exception for each question.
    #[test]
    fn each_week_is_told_once_in_its_time(happenings in prop::collection::vec(happening(), 1..40)) {
        let mut world = World::new();
        for happening in happenings {
            match happening {
                Happening::Pass(minutes) => world.pass(Span::minutes(minutes)),
                Happening::Absent(minutes) => {
                    world.now = world.now + Span::minutes(minutes);
                    world.look();
                }
                Happening::LookAgain => world.look(),
                Happening::Wrong(question, true) => {
                    world.wrong.insert(question, world.now);
                }
                Happening::Wrong(question, false) => {
                    world.wrong.remove(&question);
                }
                Happening::Arrives(arrives) => world.arrives = arrives,
                Happening::ResolveAll => {
                    let open: Vec<String> =
                        world.exceptions.values().filter(|it| it.is_open()).map(|it| it.id.clone()).collect();
                    open.iter().for_each(|id| world.resolve(id));
                }
            }
            let weeks: Vec<_> = world.told.iter().map(|sent| sent.week).collect();
            prop_assert!(weeks.is_sorted_by(|a, b| a < b), "{weeks:?}");
            for question in ["people", "both_systems", "misses_explained"] {
                let open = world.open_ones(ExceptionKind::ChecklistFailed);
                prop_assert!(open.iter().filter(|id| id.contains(question)).count() <= 1, "{:?}", open);
            }
            prop_assert!(world.open_ones(ExceptionKind::ChecklistUndelivered).len() <= 1);
        }
        world.pass(Span::days(8));
        prop_assert!(world.told.last().is_some_and(|sent| world.now.since(sent.due_at) < Span::days(8)));
    }
}
