//! Lists of runs: their rows, and what narrows them down.

use std::collections::BTreeSet;

use maud::{Markup, html};
use meshline_core::run::{OutcomeStatus, Run};
use meshline_core::time::{Span, Time};

use super::reader::{Reader, foreign};
use super::words::{self, count, encoded};
use crate::Call;

/// Rows of a list on a page of several, so that it is read at a glance; the rest is behind a link.
pub(super) const MAX_ROWS: usize = 20;

/// What the reader asked for.
pub(super) struct Filter {
    pub(super) flow: Option<String>,
    pub(super) client: Option<String>,
    pub(super) owner: Option<String>,
}

impl Filter {
    /// Whether a run is of the flow and client.
    pub(super) fn wants(&self, run: &Run) -> bool {
        let is =
            |wanted: &Option<String>, found: Option<&str>| wanted.is_none() || wanted.as_deref() == found;
        is(&self.flow, Some(&run.flow)) && is(&self.client, run.client.as_deref())
    }

    /// Whether what this person owns is asked for.
    pub(super) fn wants_owner(&self, owner: &str) -> bool {
        self.owner.as_deref().is_none_or(|wanted| wanted == owner)
    }

    /// As a query, to go on with: `&flow=x`.
    pub(super) fn query(&self) -> String {
        let part = |name: &str, value: &Option<String>| {
            value.as_ref().map(|value| format!("&{name}={}", encoded(value))).unwrap_or_default()
        };
        part("flow", &self.flow) + &part("client", &self.client) + &part("owner", &self.owner)
    }

    pub(super) fn is_none(&self) -> bool {
        self.flow.is_none() && self.client.is_none() && self.owner.is_none()
    }
}

impl Call<'_> {
    pub(super) fn filter(&self) -> Filter {
        Filter { flow: self.query("flow"), client: self.query("client"), owner: self.query("owner") }
    }
}

/// Whether its owner has not said that they have it.
pub(super) fn is_unacknowledged(run: &Run) -> bool {
    run.ack.as_ref().is_some_and(|ack| ack.at.is_none())
}

/// What a list says at the end of a run's row.
type Aside<'a> = &'a dyn Fn(&Run) -> Option<Markup>;

/// A list of runs under a heading; behind `all` is the rest.
pub(super) fn section(
    reader: &Reader,
    (id, title): (&str, &str),
    runs: &[Run],
    all: &str,
    aside: Aside<'_>,
    none: &str,
) -> Markup {
    html! {
        section aria-labelledby=(id) {
            h2 id=(id) { (title) " " @if !runs.is_empty() { span.n { (runs.len()) } } }
            @if runs.is_empty() { p.none { (none) } }
            @else {
                ul.rows { @for run in runs.iter().take(MAX_ROWS) { (row(reader, run, aside(run))) } }
                @if runs.len() > MAX_ROWS {
                    p.more { (MAX_ROWS) " of " (runs.len()) ". " a href=(all) { "All of them" } }
                }
            }
        }
    }
}

/// A run in a list.
pub(super) fn row(reader: &Reader, run: &Run, aside: Option<Markup>) -> Markup {
    let done = run.outcomes.iter().filter(|outcome| outcome.status == OutcomeStatus::Done).count();
    html! {
        li {
            div {
                a.title href=(format!("/runs/{}", run.run)) { (foreign(&run.title)) }
                p.meta {
                    (reader.flow_title(&run.flow))
                    @if let Some(client) = &run.client { " · " (foreign(client)) }
                    " · " (reader.name(&run.owner.id))
                    " · " (done) " of " (count(run.outcomes.len(), "outcome")) " done"
                    @if !run.is_open() { " · " (words::status(run.status)) }
                    @if run.is_open() && is_unacknowledged(run) { " · " span.soon { "not acknowledged" } }
                    @if run.pause().is_some() { " · paused" }
                    @if run.suppressed { " · nobody is told" }
                }
            }
            @if let Some(aside) = aside { (aside) }
        }
    }
}

/// When something is or was due, by colour and in words.
pub(super) fn due(reader: &Reader, at: Time, what: &str) -> Markup {
    let tone = if at <= reader.now {
        "late"
    } else if at <= reader.now + Span::hours(2) {
        "soon"
    } else {
        "calm"
    };
    html! { p.due { span class=(tone) { (what) " " (reader.distance(at)) } br; (reader.time(at)) } }
}

/// When a run opened.
pub(super) fn opened(reader: &Reader, run: &Run) -> Markup {
    html! { p.due { "opened " (reader.distance(run.opened_at)) br; (reader.time(run.opened_at)) } }
}

/// A form that narrows a list down, by GET.
pub(super) fn filters(reader: &Reader, filter: &Filter, action: &str) -> Markup {
    let clients: BTreeSet<&str> =
        reader.config.flows.values().filter_map(|flow| flow.document.client.as_deref()).collect();
    html! {
        form.filters method="get" action=(action) {
            label { "Flow " select name="flow" {
                option value="" { "all" }
                @for (id, flow) in &reader.config.flows {
                    option value=(id) selected[filter.flow.as_ref() == Some(id)] { (words::clean(&flow.document.title)) }
                }
            } }
            @if !clients.is_empty() {
                label { "Client " select name="client" {
                    option value="" { "all" }
                    @for client in clients {
                        option value=(client) selected[filter.client.as_deref() == Some(client)] { (words::clean(client)) }
                    }
                } }
            }
            label { "Owner " select name="owner" {
                option value="" { "all" }
                @for person in &reader.people.people {
                    option value=(person.id) selected[filter.owner.as_ref() == Some(&person.id)] { (words::clean(&person.name)) }
                }
            } }
            button { "Show" }
            @if !filter.is_none() { a href=(action) { "Show all" } }
        }
    }
}
