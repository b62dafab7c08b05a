//! The parts of a run: outcomes with their clocks, checks, exceptions.

use maud::{Markup, html};
use meshline_core::record::{ExceptionOpened, Fact};
use meshline_core::run::{CheckStatus, OutcomeStatus};
use meshline_core::time::Span;
use meshline_core::view::{CheckView, ClockView, ExceptionStatus, ExceptionView, OutcomeView};

use super::RunPage;
use crate::console::reader::linked;
use crate::console::words::{self, followable};

impl RunPage {
    pub(super) fn outcomes(&self) -> Markup {
        html! {
            section aria-labelledby="outcomes" {
                h2 #outcomes { "Outcomes" }
                ul.cards { @for outcome in &self.view.outcomes { (self.outcome(outcome)) } }
            }
        }
    }

    fn outcome(&self, outcome: &OutcomeView) -> Markup {
        let spec = self.flow().and_then(|flow| flow.outcome(&outcome.id));
        let is_late = outcome.breached_at.is_some();
        let (tone, status) = match outcome.status {
            OutcomeStatus::Done if is_late => ("late", "done late"),
            OutcomeStatus::Done => ("good", "done in time"),
            OutcomeStatus::Failed => ("late", "failed"),
            OutcomeStatus::Open if is_late => ("late", "overdue"),
            OutcomeStatus::Open | OutcomeStatus::Waiting => ("calm", words::outcome(outcome.status)),
        };
        html! {
            li.card {
                div.cardhead { h3 { (self.teller().outcome(&outcome.id)) } span.badge.(tone) { (status) } }
                p.meta {
                    @match (outcome.done_at, outcome.due_at) {
                        (Some(done), Some(due)) => { "Done " (self.reader.time(done)) ", was due " (self.reader.time(due)) },
                        (Some(done), None) => { "Done " (self.reader.time(done)) },
                        (None, Some(due)) => { (if is_late { "Was due " } else { "Due " }) (self.reader.when(due)) },
                        (None, None) => (self.waits_for(outcome)),
                    }
                    @if outcome.owner != self.run.owner.id { " · " (self.reader.name(&outcome.owner)) }
                }
                @if let Some(clock) = &outcome.clock { (bar(clock, tone)) }
                @if let Some(evidence) = &outcome.evidence { p { "Evidence: " (linked(evidence)) } }
                @if outcome.status != OutcomeStatus::Done {
                    @if let Some(spec) = spec { p.meta { "Done " (words::done_when(&spec.done_when)) } }
                    (self.outcome_actions(outcome))
                }
            }
        }
    }

    fn waits_for(&self, outcome: &OutcomeView) -> Markup {
        let after = self.flow().and_then(|flow| flow.outcome(&outcome.id)).map(|spec| spec.after.clone());
        let after: Vec<String> =
            after.unwrap_or_default().iter().map(|id| self.teller().outcome(id)).collect();
        html! {
            @if after.is_empty() { "Its clock has not started" } @else { "Starts when done: " (after.join(", ")) }
        }
    }

    pub(super) fn checks(&self) -> Markup {
        html! {
            @if !self.view.checks.is_empty() {
                section aria-labelledby="checks" {
                    h2 #checks { "Checks" }
                    ul.cards { @for check in &self.view.checks { (self.check(check)) } }
                }
            }
        }
    }

    fn check(&self, check: &CheckView) -> Markup {
        let tone = match check.status {
            CheckStatus::Pending => "calm",
            CheckStatus::Passed => "good",
            CheckStatus::Failed | CheckStatus::Overdue => "late",
        };
        html! {
            li.card {
                div.cardhead { h3 { (self.teller().check(&check.id)) } span.badge.(tone) { (words::check(check.status)) } }
                p.meta {
                    @match (check.passed_at, check.due_at) {
                        (Some(at), _) => { "Passed " (self.reader.time(at)) },
                        (None, Some(due)) => { "To be reported by " (self.reader.when(due)) },
                        (None, None) => "Waits for the content checks",
                    }
                }
                @if check.status != CheckStatus::Passed { (self.check_actions(check)) }
            }
        }
    }

    pub(super) fn exceptions(&self) -> Markup {
        html! {
            @if !self.view.exceptions.is_empty() {
                section aria-labelledby="run-exceptions" {
                    h2 #run-exceptions { "Exceptions" }
                    ul.cards { @for exception in &self.view.exceptions { (self.exception(exception)) } }
                }
            }
        }
    }

    fn exception(&self, exception: &ExceptionView) -> Markup {
        let is_open = exception.status == ExceptionStatus::Open;
        let tone = match exception.status {
            ExceptionStatus::Resolved => "good",
            ExceptionStatus::Open => "late",
        };
        let opened = self.opened(&exception.id);
        let playbook = opened.and_then(|opened| opened.playbook.as_deref()).and_then(followable);
        html! {
            li.card id=(exception.id) {
                div.cardhead {
                    h3 {
                        (words::kind(exception.kind))
                        @if let Some(id) = &exception.outcome { ": " (self.teller().outcome(id)) }
                        @if let Some(id) = &exception.check { ": " (self.teller().check(id)) }
                    }
                    span.badge.(tone) { @if is_open { "open" } @else { "resolved" } }
                }
                @if let Some(opened) = opened { p { "Expected " (self.teller().prose(&opened.expected)) "; seen " (self.teller().prose(&opened.seen)) "." } }
                p.meta {
                    @match exception.resolved_at {
                        Some(at) => { "Resolved " (self.reader.time(at)) ", " (self.resolution(&exception.id)) },
                        None => {
                            "For " (self.reader.name(&exception.owner)) " to resolve by "
                            (self.reader.when(exception.recovery_due_at))
                        },
                    }
                }
                @if is_open {
                    @if let Some(url) = playbook { p { a href=(url) rel="noopener noreferrer" { "Open the playbook" } } }
                    @if self.run.is_open() { (self.exception_actions(exception)) }
                }
            }
        }
    }

    fn opened(&self, exception: &str) -> Option<&ExceptionOpened> {
        let mut opened = self.records.iter().filter_map(|record| {
            if let Fact::ExceptionOpened(it) = &record.fact { Some(it.as_ref()) } else { None }
        });
        opened.find(|opened| opened.exception == exception)
    }

    fn resolution(&self, exception: &str) -> Markup {
        let mut resolved = self.records.iter().rev().filter_map(|record| {
            if let Fact::ExceptionResolved(it) = &record.fact { Some(it) } else { None }
        });
        let resolved = resolved.find(|resolved| resolved.exception == exception);
        html! {
            @if let Some(it) = resolved {
                (self.teller().prose(&it.resolution))
                @if let Some(evidence) = &it.evidence { ", see " (linked(evidence)) }
            }
        }
    }
}

/// A clock: how much of its budget is used, and how much more than that.
fn bar(clock: &ClockView, tone: &str) -> Markup {
    let (budget, consumed) = (clock.budget_s.max(1), clock.consumed_s.max(0));
    let whole = budget.max(consumed);
    let share = |seconds: i64| seconds * 1000 / whole;
    let span = |seconds: i64| words::span(Span::from_ms(seconds * 1000));
    let text = if consumed > budget {
        format!("{} used, {} more than there were", span(consumed), span(consumed - budget))
    } else {
        format!("{} of {} used", span(consumed), span(budget))
    };
    html! {
        div.clock {
            svg.bar viewBox="0 0 1000 10" preserveAspectRatio="none" aria-hidden="true" {
                rect.track width="1000" height="10" {}
                rect class=(format!("used {tone}")) width=(share(consumed.min(budget))) height="10" {}
                @if consumed > budget {
                    rect.over x=(share(budget)) width=(1000 - share(budget)) height="10" {}
                }
            }
            span { (text) }
        }
    }
}
