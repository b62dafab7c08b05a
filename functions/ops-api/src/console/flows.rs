//! `GET /flows` and `GET /flows/{flow}`: what is promised, drawn as its steps, and how it was kept.

use maud::{Markup, html};
use meshline_aws::http::{Problem, Response};
use meshline_aws::runs::List;
use meshline_core::config::flow::{Flow, Ladder};
use meshline_core::config::qa::{CheckKind, CheckSpec};
use serde_json::json;

use super::layout::{Tab, capital};
use super::list::{opened, row};
use super::reader::{Frame, Reader, foreign};
use super::record;
use super::reports::{MAX_RUNS, figures};
use super::words::{self, clean, count, encoded};
use crate::Call;

/// Triggers that the page of a flow shows.
const LAST: i32 = 10;

impl Call<'_> {
    pub(super) async fn flows_page(&self) -> Result<Response, Problem> {
        let reader = self.reader().await?;
        let main = html! {
            h1 { "Flows" }
            @if reader.config.flows.is_empty() {
                p.none {
                    "No flow is in force. " code { "meshline init my-flows" } " writes a first one, "
                    code { "meshline apply my-flows" } " puts it in force."
                }
            }
            ul.rows {
                @for (id, flow) in &reader.config.flows {
                    li {
                        div {
                            a.title href=(format!("/flows/{}", encoded(id))) { (foreign(&flow.document.title)) }
                            p.meta {
                                (reader.name(&flow.document.owner.to_string())) ", then " (reader.name(&flow.document.backup_owner.to_string()))
                                " · " (count(flow.document.outcomes.len(), "outcome"))
                                " · trigger from " (flow.document.trigger.source)
                                @if let Some(client) = &flow.document.client { " · " (foreign(client)) }
                            }
                        }
                        p.due { @if !flow.document.enabled { span.badge.soon { "off" } " " } "version " (flow.version) }
                    }
                }
            }
        };
        Ok(self.page(200, &reader, &Frame { title: "Flows", tab: Tab::Flows }, main))
    }

    pub(super) async fn flow_page(&self, id: &str) -> Result<Response, Problem> {
        let reader = self.reader().await?;
        let config = reader.config.clone();
        let unknown = || Problem::not_found(format!("there is no flow `{id}`"));
        let flow = config.flows.get(id).ok_or_else(unknown)?;
        let report = self.sla(&flow.document, MAX_RUNS).await?;
        let last = self.app.runs.list(&List::Flow(id), LAST, None).await?.runs;
        let document = &flow.document;
        let main = html! {
            p.eyebrow { a href="/flows" { "Flows" } @if let Some(client) = &document.client { " · " (foreign(client)) } }
            h1 { (foreign(&document.title)) }
            p.badges {
                @if document.enabled { span.badge.open { "in force" } } @else { span.badge.soon { "off: nobody is told" } }
                " version " (flow.version)
            }
            (steps(&reader, document))
            (ladders(&reader, document))
            section aria-labelledby="promises" { h2 #promises { "Promises" } (figures(&reader, document, &report)) }
            section aria-labelledby="last" {
                h2 #last { "Last triggers" }
                @if last.is_empty() { p.none { "No trigger has come yet. It opens a run " (trigger(document)) "." } }
                @else { ul.rows { @for run in &last { (row(&reader, run, Some(opened(&reader, run)))) } } }
                p.more { a href=(format!("/runs?flow={}", encoded(id))) { "All its runs" } }
            }
        };
        Ok(self.page(200, &reader, &Frame { title: &document.title, tab: Tab::Flows }, main))
    }
}

/// What opens a run: `when contentful sends Entry.publish that matches`.
fn trigger(flow: &Flow) -> String {
    let mut pattern = json!(flow.trigger.matches);
    if let Some(members) = pattern.as_object_mut() {
        members.insert("source".to_owned(), json!([flow.trigger.source]));
        return format!("when {}", words::event(&pattern));
    }
    format!("when {} sends one of several events", flow.trigger.source)
}

/// The way of a run: trigger → checks → outcomes → end.
fn steps(reader: &Reader, flow: &Flow) -> Markup {
    let of_kind =
        |kind| flow.checks().filter(move |(k, _)| *k == kind).map(|(_, check)| check).collect::<Vec<_>>();
    let (owner, backup) = (reader.name(&flow.owner.to_string()), reader.name(&flow.backup_owner.to_string()));
    let (content, routing) = (of_kind(CheckKind::Content), of_kind(CheckKind::Routing));
    html! {
        section aria-labelledby="way" {
            h2 #way { "From trigger to close" }
            ol.way {
                li {
                    h3 { "Trigger" }
                    p { "A run opens " (trigger(flow)) "." }
                    p.meta { "It is " (owner) "\u{2019}s, then " (backup) "\u{2019}s" }
                    @if let Some(ack) = &flow.acknowledge {
                        p {
                            span.sla { (ack.within.to_string()) } " to acknowledge"
                            @if let Some(lease) = ack.lease { ", again after " (lease.to_string()) " without progress" }
                        }
                    }
                }
                (checks("Content checks", &content))
                li {
                    h3 { (count(flow.outcomes.len(), "outcome")) }
                    ul {
                        @for outcome in &flow.outcomes {
                            li {
                                p {
                                    span.sla { (outcome.sla.to_string()) } " "
                                    strong { (clean(outcome.title.as_deref().unwrap_or(&outcome.id))) }
                                }
                                p.meta {
                                    "Done " (words::done_when(&outcome.done_when))
                                    @if !outcome.after.is_empty() { "; starts after " (outcome.after.join(", ")) }
                                    @if let Some(owner) = &outcome.owner { "; " (reader.name(&owner.to_string())) "\u{2019}s" }
                                    @if let Some(request) = &outcome.request { "; asked for over " (request.channel) }
                                }
                            }
                        }
                    }
                }
                (checks("Routing checks", &routing))
                li {
                    h3 { "Close" }
                    p { "When every outcome is done" @if !routing.is_empty() { ", every check passed" } " and every exception is resolved." }
                    @if let Some(objective) = &flow.objective {
                        p { span.sla { (objective.met.to_string()) } " of runs to be met within " (objective.window.to_string()) }
                    }
                }
            }
        }
    }
}

fn checks(title: &str, checks: &[&CheckSpec]) -> Markup {
    html! {
        @if !checks.is_empty() {
            li {
                h3 { (title) }
                ul {
                    @for check in checks {
                        li {
                            p { span.sla { (check.within.to_string()) } " " strong { (clean(check.title.as_deref().unwrap_or(&check.id))) } }
                            p.meta { "Passes " (words::done_when(&check.pass_when)) }
                        }
                    }
                }
            }
        }
    }
}

/// What happens when it does not come true.
fn ladders(reader: &Reader, flow: &Flow) -> Markup {
    let acknowledged = flow.acknowledge.is_some().then_some(Ladder::NotAcknowledged);
    let ladders = acknowledged.into_iter().chain([Ladder::Breached, Ladder::Recovery]);
    html! {
        section aria-labelledby="ladders" {
            h2 #ladders { "When it does not" }
            div.wide role="region" aria-label="Escalation steps" tabindex="0" {
                table {
                    caption { "Escalation steps" }
                    thead { tr { @for head in ["When", "After", "What happens", "How loudly"] { th scope="col" { (head) } } } }
                    tbody {
                        @for ladder in ladders {
                            @for step in flow.ladder(ladder) {
                                tr {
                                    td { (capital(record::ladder(ladder))) }
                                    td { (if step.after.is_zero() { "at once".to_owned() } else { step.after.to_string() }) }
                                    td { (capital(&reader.step(&step))) }
                                    td { (step.severity.as_str()) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
