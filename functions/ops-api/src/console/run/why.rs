//! Why a run is as it is, in plain words.

use maud::{Markup, html};
use meshline_core::config::flow::{Ladder, Step};
use meshline_core::config::qa::CheckKind;
use meshline_core::record::Fact;
use meshline_core::run::{CheckStatus, Climb, Outcome, OutcomeStatus, Status};

use super::RunPage;
use crate::console::words;

impl RunPage {
    /// What is late and why, what is next, and who is to act.
    pub(super) fn situation(&self) -> Markup {
        let late: Vec<&Outcome> = self
            .run
            .outcomes
            .iter()
            .filter(|outcome| outcome.breached_at.is_some() && outcome.status != OutcomeStatus::Done)
            .collect();
        let tone = if !self.run.is_open() {
            "calm"
        } else if late.is_empty() {
            "open"
        } else {
            "late"
        };
        html! {
            section.situation.(tone) aria-label="Where it stands" {
                @match self.run.status {
                    Status::Closed | Status::Cancelled => (self.ended()),
                    Status::AwaitingQa | Status::Active | Status::Verifying => {
                        @for outcome in &late { (self.overdue(outcome)) }
                        (self.unacknowledged())
                        (self.paused())
                        @if late.is_empty() { (self.next()) }
                        @if self.run.ack.as_ref().is_some_and(|ack| ack.at.is_none()) { (self.acknowledge("I have it", "primary")) }
                    }
                }
            }
        }
    }

    fn ended(&self) -> Markup {
        let fact = self.records.iter().rev().map(|record| &record.fact);
        let mut end = fact.filter(|fact| matches!(fact, Fact::RunClosed(_) | Fact::RunCancelled(_)));
        html! {
            @if let Some(fact) = end.next() { p { (self.teller().sentence(fact)) "." } }
            @if let Some(at) = self.run.closed_at {
                p.meta { "It took " (words::span(at.since(self.run.opened_at))) " from the trigger to the end." }
            }
        }
    }

    fn overdue(&self, outcome: &Outcome) -> Markup {
        let reader = &self.reader;
        let spec = self.flow().and_then(|flow| flow.outcome(&outcome.id));
        let whose = outcome.owner.as_deref().unwrap_or(&self.run.owner.id);
        html! {
            p {
                strong { (self.teller().outcome(&outcome.id)) } " is overdue: it was due "
                @if let Some(at) = outcome.breached_at { (reader.when(at)) }
                "."
                @if let Some(spec) = spec { " It counts as done " (words::done_when(&spec.done_when)) "; that has not come." }
                (self.last_word(outcome))
                " It is " (reader.name(whose)) "\u{2019}s to bring about."
            }
            (self.climbing(Ladder::Breached, outcome.ladder))
        }
    }

    /// What was last heard about an outcome: that it was asked for, or failed.
    fn last_word(&self, outcome: &Outcome) -> Markup {
        let heard = self.records.iter().rev().find_map(|record| {
            let ago = self.reader.distance(record.at);
            if let Fact::OutcomeFailed(it) = &record.fact
                && it.outcome == outcome.id
            {
                return Some(
                    html! { " It was reported as failed " (ago) ": " (self.teller().prose(&it.reason)) "." },
                );
            }
            if let Fact::OutcomeRequested(it) = &record.fact
                && it.outcome == outcome.id
            {
                return Some(html! { " " (it.channel) " was asked for it " (ago) "." });
            }
            None
        });
        heard.unwrap_or_default()
    }

    /// What the ladder does next.
    fn climbing(&self, ladder: Ladder, climb: Climb) -> Markup {
        let steps: Vec<Step> = self.flow().map(|flow| flow.ladder(ladder)).unwrap_or_default();
        html! {
            @match (climb.at, steps.get(climb.next)) {
                (Some(at), Some(step)) => p.meta { "Escalation goes on " (self.reader.when(at)) ": " (self.reader.step(step)) "." },
                (Some(_), None) | (None, _) if climb.next > 0 => p.meta { "Every step of the escalation was taken." },
                (Some(_), None) | (None, _) => {},
            }
        }
    }

    fn unacknowledged(&self) -> Markup {
        html! {
            @if let Some(ack) = self.run.ack.as_ref().filter(|ack| ack.at.is_none()) {
                p {
                    (self.reader.name(&self.run.owner.id)) " has not said that they have it"
                    @if ack.window.is_some() { "; due " (self.reader.when(ack.due_at)) }
                    @else { ", and should have by " (self.reader.when(ack.due_at)) }
                    "."
                }
                @if ack.ladder.at.is_some() { (self.climbing(Ladder::NotAcknowledged, ack.ladder)) }
            }
        }
    }

    fn paused(&self) -> Markup {
        html! {
            @if let Some(pause) = self.run.pause() {
                p { "Paused " (self.reader.distance(pause.from)) ": the outcomes\u{2019} clocks stand still until "
                    (self.reader.time(pause.to)) " at the latest." }
            }
        }
    }

    fn next(&self) -> Markup {
        let teller = self.teller();
        let waiting = |kind| {
            let open =
                self.run.checks.iter().filter(move |c| c.kind == kind && c.status != CheckStatus::Passed);
            open.map(|check| teller.check(&check.id)).collect::<Vec<_>>().join(", ")
        };
        let next = self.run.outcomes.iter().filter(|outcome| outcome.status != OutcomeStatus::Done);
        let next = next
            .filter_map(|outcome| Some((outcome.clock.as_ref()?.due_at, outcome)))
            .min_by_key(|(at, _)| *at);
        html! {
            @match self.run.status {
                Status::AwaitingQa => p { "Outcomes wait until the content is checked: " strong { (waiting(CheckKind::Content)) } "." },
                Status::Verifying => {
                    p { "Every outcome is done. Before it can close: " }
                    ul {
                        @if !waiting(CheckKind::Routing).is_empty() { li { "to be checked: " (waiting(CheckKind::Routing)) } }
                        @for exception in self.run.open_exceptions() {
                            li {
                                "to be resolved: " a href=(format!("#{}", exception.id)) { (words::kind(exception.kind)) }
                                ", for " (self.reader.name(&exception.owner))
                            }
                        }
                    }
                },
                Status::Active | Status::Closed | Status::Cancelled => {
                    @if let Some((at, outcome)) = next {
                        p { "Next: " strong { (teller.outcome(&outcome.id)) } " is due " (self.reader.when(at)) "." }
                    } @else if self.run.outcomes.iter().any(|outcome| outcome.status == OutcomeStatus::Waiting) {
                        p { "What is left waits for another outcome." }
                    }
                }
            }
        }
    }
}
