//! What a person can do about a run. Each form carries the version of the run that the person saw, and the token.

use maud::{Markup, html};
use meshline_core::config::directory::Directory;
use meshline_core::run::{CheckStatus, OutcomeStatus};
use meshline_core::view::{CheckView, ExceptionView, OutcomeView};

use super::{RunPage, run_path};
use crate::console::words;

/// A field in which something is written.
struct Field<'a> {
    name: &'a str,
    label: &'a str,
    is_required: bool,
}

const EVIDENCE: Field<'_> =
    Field { name: "evidence", label: "Evidence: a link or a text", is_required: true };
const REASON: Field<'_> = Field { name: "reason", label: "Reason", is_required: true };
const WRONG: Field<'_> = Field { label: "What is wrong", ..REASON };
const NOTE: Field<'_> = Field { name: "text", label: "Note", is_required: true };

impl RunPage {
    /// A form that is open from the beginning.
    fn form(&self, path: &str, fields: Markup, button: &str, tone: &str) -> Markup {
        html! {
            form method="post" action=(format!("/runs/{}/{path}", run_path(&self.run))) {
                input type="hidden" name="token" value=(self.reader.token.text);
                input type="hidden" name="if_version" value=(self.run.version);
                (fields)
                button class=(tone) { (button) }
            }
        }
    }

    /// "I have it."
    pub(super) fn acknowledge(&self, word: &str, tone: &str) -> Markup {
        self.form("acknowledge", html! {}, word, tone)
    }

    /// A form behind a word.
    fn folded(&self, path: &str, word: &str, fields: Markup) -> Markup {
        html! {
            details.act {
                summary { (word) }
                (self.form(path, fields, word, ""))
            }
        }
    }

    /// What an outcome that is not done needs.
    pub(super) fn outcome_actions(&self, outcome: &OutcomeView) -> Markup {
        let path = |what: &str| format!("outcomes/{}/{what}", outcome.id);
        html! {
            @if self.run.is_open() {
                div.acts {
                    (self.folded(&path("complete"), "Complete", input(&path("complete"), &EVIDENCE)))
                    @if outcome.status != OutcomeStatus::Failed {
                        (self.folded(&path("fail"), "Report a failure", input(&path("fail"), &REASON)))
                    }
                }
            }
        }
    }

    pub(super) fn check_actions(&self, check: &CheckView) -> Markup {
        let path = |what: &str| format!("checks/{}/{what}", check.id);
        let evidence = Field { is_required: false, label: "Evidence, if there is any", ..EVIDENCE };
        html! {
            @if self.run.is_open() {
                div.acts {
                    (self.folded(&path("pass"), "Pass", input(&path("pass"), &evidence)))
                    @if check.status != CheckStatus::Failed {
                        (self.folded(&path("fail"), "Fail", input(&path("fail"), &REASON)))
                    }
                }
            }
        }
    }

    pub(super) fn exception_actions(&self, exception: &ExceptionView) -> Markup {
        let path = format!("exceptions/{}/resolve", exception.id);
        html! { div.acts { (self.folded(&path, "Resolve", resolution(&path))) } }
    }

    /// What can be done about the run as a whole.
    pub(super) fn actions(&self) -> Markup {
        html! {
            @if self.run.is_open() {
                section.actions aria-labelledby="actions" {
                    h2 #actions { "Actions" }
                    @if self.run.ack.as_ref().is_some_and(|ack| ack.at.is_some() && ack.lease.is_some()) { (self.acknowledge("I still have it", "")) }
                    (self.folded("note", "Write a note", area("note", &NOTE)))
                    (self.folded("reassign", "Reassign", html! { (parties(&self.reader.people)) (input("reassign", &REASON)) }))
                    (self.pauses())
                    (self.folded("exceptions", "Raise an exception", html! { (self.about()) (input("exceptions", &WRONG)) }))
                    (self.endings())
                }
            }
        }
    }

    fn pauses(&self) -> Markup {
        let may = self.flow().is_some_and(|flow| flow.pause.is_some());
        html! {
            @if self.run.pause().is_some() { (self.form("resume", html! {}, "Resume", "")) }
            @else if may { (self.folded("pause", "Pause the clocks", input("pause", &REASON))) }
        }
    }

    /// Both cannot be undone: a typed word confirms them.
    fn endings(&self) -> Markup {
        let is_decided = self
            .run
            .outcomes
            .iter()
            .all(|outcome| matches!(outcome.status, OutcomeStatus::Done | OutcomeStatus::Failed));
        let is_checked = self.run.checks.iter().all(|check| check.status == CheckStatus::Passed);
        let fields = |word: &str| html! { (input(word, &REASON)) (confirm(word)) };
        html! {
            @if is_decided && is_checked { (self.folded("close", "Close the run", fields("close"))) }
            (self.folded("cancel", "Cancel the run", fields("cancel")))
        }
    }

    fn about(&self) -> Markup {
        html! {
            label for="about" { "About" }
            select #about name="outcome" {
                option value="" { "the run as a whole" }
                @for outcome in &self.run.outcomes { option value=(outcome.id) { (self.teller().outcome(&outcome.id)) } }
            }
        }
    }
}

/// How an exception was resolved.
pub(in crate::console) fn resolution(path: &str) -> Markup {
    html! {
        (area(path, &Field { name: "resolution", label: "How it was resolved", is_required: true }))
        (input(path, &Field { is_required: false, label: "Evidence, if there is any", ..EVIDENCE }))
    }
}

fn input(path: &str, field: &Field<'_>) -> Markup {
    let id = format!("{}-{}", path.replace('/', "-"), field.name);
    html! { label for=(id) { (field.label) } input id=(id) name=(field.name) required[field.is_required] autocomplete="off"; }
}

fn area(path: &str, field: &Field<'_>) -> Markup {
    let id = format!("{}-{}", path.replace('/', "-"), field.name);
    html! { label for=(id) { (field.label) } textarea id=(id) name=(field.name) rows="3" required[field.is_required] {} }
}

fn confirm(word: &str) -> Markup {
    let id = format!("{word}-confirm");
    html! {
        label for=(id) { "Type " strong { (word) } " to confirm; it cannot be undone" }
        input id=(id) name="confirm" required pattern=(word) autocomplete="off";
    }
}

fn parties(people: &Directory) -> Markup {
    html! {
        label for="to" { "To" }
        select #to name="to" required {
            option value="" { "choose" }
            optgroup label="People" {
                @for person in &people.people { option value=(format!("person:{}", person.id)) { (words::clean(&person.name)) } }
            }
            optgroup label="Whoever of a role is on duty" {
                @for role in &people.roles { option value=(format!("role:{}", role.id)) { (role.id) } }
            }
        }
    }
}
