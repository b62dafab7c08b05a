//! The picture of a run: from its trigger to its end, one lane for each system and each outcome.

use std::collections::BTreeMap;

use maud::{Markup, html};
use meshline_core::event::Event;
use meshline_core::record::{ActorKind, Record};
use meshline_core::run::{Outcome, OutcomeStatus, Run};
use meshline_core::time::{Span, Time};

use super::reader::Reader;
use super::record::{Teller, Tone, tone};
use super::words;

const WIDTH: i64 = 1100;
/// Where time begins; before it are the names of the lanes.
const LEFT: i64 = 190;
const RIGHT: i64 = 1070;
const LANE: i64 = 30;
/// Characters of a lane's name.
const MAX_NAME: usize = 22;
/// Marks in a lane; more could not be told apart.
const MAX_MARKS: usize = 60;
/// Ticks of the axis at most, and how far apart they can be.
const MAX_TICKS: i64 = 6;
const STEPS: [Span; 11] = [
    Span::minutes(5),
    Span::minutes(15),
    Span::minutes(30),
    Span::hours(1),
    Span::hours(2),
    Span::hours(4),
    Span::hours(12),
    Span::days(1),
    Span::days(7),
    Span::days(30),
    Span::days(365),
];

/// One row of the picture.
struct Lane {
    name: String,
    bar: Option<Bar>,
    marks: Vec<Mark>,
}

/// A stretch of time: a clock that ran.
struct Bar {
    from: Time,
    to: Time,
    class: &'static str,
}

/// Something that happened, or is due.
struct Mark {
    at: Time,
    class: &'static str,
    text: String,
}

/// The stretch of time that is drawn.
#[derive(Clone, Copy)]
struct Axis {
    from: Time,
    to: Time,
}

impl Axis {
    fn x(self, at: Time) -> i64 {
        let whole = self.to.since(self.from).ms().max(1);
        LEFT + (RIGHT - LEFT) * at.min(self.to).since(self.from).ms() / whole
    }

    /// Round times, few enough to be read.
    fn ticks(self) -> (Vec<Time>, bool) {
        let whole = self.to.since(self.from).ms();
        let step =
            STEPS.iter().find(|step| whole / step.ms() <= MAX_TICKS).map_or(Span::MAX.ms(), |s| s.ms());
        let first = (self.from.unix_ms() / step + 1) * step;
        let ticks = (0..=MAX_TICKS).map(|n| Time::from_unix_ms(first + n * step));
        (ticks.filter(|at| *at <= self.to).collect(), step >= Span::days(1).ms())
    }
}

/// Draws a run with the events about its subject.
pub(super) fn picture(teller: Teller<'_>, run: &Run, records: &[Record], events: &[Event]) -> Markup {
    let reader = teller.reader;
    let due =
        run.outcomes.iter().filter_map(|outcome| outcome.clock.as_ref()).map(|clock| clock.due_at).max();
    let end = run.closed_at.unwrap_or_else(|| due.map_or(reader.now, |due| due.max(reader.now)));
    let from = events.iter().map(Event::effective_at).filter(|at| *at >= run.opened_at - Span::minutes(15));
    let from = from.min().map_or(run.opened_at, |at| at.min(run.opened_at));
    let axis = Axis { from, to: end.max(from + Span::minutes(5)) };
    let mut lanes = lanes_of_systems(reader, axis, events);
    lanes.extend(lanes_of_records(teller, records));
    lanes.extend(run.outcomes.iter().map(|outcome| lane_of_outcome(teller, run, outcome)));
    draw(reader, run, axis, &lanes)
}

fn lanes_of_systems(reader: &Reader, axis: Axis, events: &[Event]) -> Vec<Lane> {
    let mut systems: BTreeMap<&str, Vec<Mark>> = BTreeMap::new();
    for event in events.iter().filter(|event| (axis.from..=axis.to).contains(&event.effective_at())) {
        let at = event.effective_at();
        let text = format!("{}, {} UTC", words::clean(&event.kind), reader.clock(at));
        systems.entry(&event.source).or_default().push(Mark { at, class: "event", text });
    }
    systems.into_iter().map(|(name, marks)| Lane { name: words::clean(name), bar: None, marks }).collect()
}

/// What people did, and what Meshline found.
fn lanes_of_records(teller: Teller<'_>, records: &[Record]) -> Vec<Lane> {
    let lane = |name: &str, kind: ActorKind, class: &'static str| {
        let of_kind = records.iter().filter(|record| record.actor.kind == kind);
        let marks = of_kind.map(|record| {
            let alarm = tone(&record.fact) == Tone::Alarm;
            let what = record.fact.kind().replace('_', " ");
            let text =
                format!("{}: {what}, {} UTC", teller.actor(&record.actor), teller.reader.clock(record.at));
            Mark { at: record.at, class: if alarm { "alarm" } else { class }, text }
        });
        Lane { name: name.to_owned(), bar: None, marks: marks.collect() }
    };
    let lanes = [lane("People", ActorKind::Person, "person"), lane("Meshline", ActorKind::System, "system")];
    lanes.into_iter().filter(|lane| !lane.marks.is_empty()).collect()
}

fn lane_of_outcome(teller: Teller<'_>, run: &Run, outcome: &Outcome) -> Lane {
    let reader = teller.reader;
    let name = teller.outcome(&outcome.id);
    let Some(clock) = &outcome.clock else { return Lane { name, bar: None, marks: Vec::new() } };
    let to = outcome.done_at.or(run.closed_at).unwrap_or(reader.now);
    let is_late = outcome.breached_at.is_some();
    let class = match outcome.status {
        OutcomeStatus::Done if is_late => "run late",
        OutcomeStatus::Done => "run good",
        OutcomeStatus::Failed => "run late",
        OutcomeStatus::Open | OutcomeStatus::Waiting if is_late => "run late",
        OutcomeStatus::Open | OutcomeStatus::Waiting => "run open",
    };
    let due =
        Mark { at: clock.due_at, class: "deadline", text: format!("due {} UTC", reader.clock(clock.due_at)) };
    let done =
        outcome.done_at.map(|at| Mark { at, class: "done", text: format!("done {} UTC", reader.clock(at)) });
    let marks = std::iter::once(due).chain(done).collect();
    Lane { name, bar: Some(Bar { from: clock.started_at, to, class }), marks }
}

fn draw(reader: &Reader, run: &Run, axis: Axis, lanes: &[Lane]) -> Markup {
    let bottom = i64::try_from(lanes.len()).unwrap_or(0) * LANE + 8;
    let (ticks, are_days) = axis.ticks();
    let told: Vec<String> = lanes.iter().map(told).collect();
    html! {
        figure {
            div.wide role="region" aria-label="Picture of the run" tabindex="0" {
                svg.picture viewBox=(format!("0 0 {WIDTH} {}", bottom + 26)) role="img" aria-labelledby="picture-title picture-text" {
                    title #picture-title { "The run from its trigger to " (if run.is_open() { "its last deadline" } else { "its end" }) }
                    desc #picture-text { (told.join(". ")) "." }
                    @for at in ticks {
                        line.grid x1=(axis.x(at)) x2=(axis.x(at)) y1="4" y2=(bottom) {}
                        text.tick x=(axis.x(at)) y=(bottom + 18) text-anchor="middle" data-at=(at.to_string())
                            data-form=(if are_days { "day" } else { "clock" }) { (tick(reader, at, are_days)) }
                    }
                    @for (n, lane) in (0_i64..).zip(lanes) { (drawn(lane, axis, 8 + n * LANE)) }
                    @if run.is_open() {
                        line.now x1=(axis.x(reader.now)) x2=(axis.x(reader.now)) y1="4" y2=(bottom) { title { "now" } }
                    }
                }
            }
            figcaption {
                span.key.event {} "event of a system " span.key.person {} "a person " span.key.system {} "Meshline "
                span.key.alarm {} "went wrong " span.key.deadline {} "deadline. Times in " span data-zone { "UTC" } "."
            }
        }
    }
}

fn tick(reader: &Reader, at: Time, is_day: bool) -> String {
    let text = reader.clock(at);
    let (day, clock) = text.rsplit_once(' ').unwrap_or_default();
    if is_day { day.to_owned() } else { clock.to_owned() }
}

fn drawn(lane: &Lane, axis: Axis, top: i64) -> Markup {
    let middle = top + LANE / 2;
    let is_long = lane.name.chars().count() > MAX_NAME;
    let name: String = lane.name.chars().take(MAX_NAME).chain(is_long.then_some('…')).collect();
    html! {
        line.lane x1=(LEFT) x2=(RIGHT) y1=(middle) y2=(middle) {}
        text.name x=(LEFT - 12) y=(middle + 4) text-anchor="end" { (name) }
        @if let Some(bar) = &lane.bar {
            rect class=(bar.class) x=(axis.x(bar.from)) y=(middle - 5) height="10" rx="3"
                width=((axis.x(bar.to) - axis.x(bar.from)).max(3)) {}
        }
        @for mark in lane.marks.iter().filter(|mark| mark.at <= axis.to).rev().take(MAX_MARKS) {
            @if mark.class == "deadline" {
                line.deadline x1=(axis.x(mark.at)) x2=(axis.x(mark.at)) y1=(middle - 10) y2=(middle + 10) { title { (mark.text) } }
            } @else {
                circle class=(mark.class) cx=(axis.x(mark.at)) cy=(middle) r="5" { title { (mark.text) } }
            }
        }
    }
}

/// A lane in words.
fn told(lane: &Lane) -> String {
    let marks: Vec<&str> = lane.marks.iter().take(MAX_MARKS).map(|mark| mark.text.as_str()).collect();
    if marks.is_empty() {
        format!("{}: has not begun", lane.name)
    } else {
        format!("{}: {}", lane.name, marks.join("; "))
    }
}
