//! `GET /exceptions`: what automation could not resolve, by flow and kind, each kind with its playbook.

use std::collections::{BTreeMap, HashMap};

use maud::{Markup, html};
use meshline_aws::http::{Problem, Response};
use meshline_core::config::flow::ExceptionKind;
use meshline_core::view::{ExceptionStatus, ExceptionView};

use super::layout::Tab;
use super::list::filters;
use super::reader::{Frame, Reader, foreign};
use super::record::Teller;
use super::run::resolution;
use super::words::{self, encoded, followable};
use crate::Call;

impl Call<'_> {
    pub(super) async fn exceptions_page(&self) -> Result<Response, Problem> {
        let reader = self.reader().await?;
        let filter = self.filter();
        let is_open = self.query("status").as_deref() != Some("resolved");
        let status = if is_open { ExceptionStatus::Open } else { ExceptionStatus::Resolved };
        let (mut exceptions, cursor) = self.wanted_exceptions(Some(status)).await?;
        let client = |flow: &str| reader.config.flows.get(flow).and_then(|flow| flow.document.client.clone());
        exceptions.retain(|exception| {
            filter.wants_owner(&exception.owner)
                && (filter.client.is_none() || filter.client == client(&exception.flow))
        });
        let runs: Vec<String> = exceptions.iter().filter_map(|exception| exception.run.clone()).collect();
        let runs = self.app.runs.load_all(&runs).await?;
        let titles: HashMap<String, String> = runs.into_iter().map(|run| (run.run, run.title)).collect();
        let mut groups: BTreeMap<(String, ExceptionKind), Vec<ExceptionView>> = BTreeMap::new();
        for exception in exceptions {
            groups.entry((exception.flow.clone(), exception.kind)).or_default().push(exception);
        }
        let list = if is_open { "" } else { "&status=resolved" };
        let main = html! {
            h1 { "Exceptions" }
            @if self.query("done").is_some() { div.flash role="status" { p { "The exception is resolved." } } }
            ul.tabs {
                li { a href="/exceptions" aria-current=[is_open.then_some("true")] { "Open" } }
                li { a href="/exceptions?status=resolved" aria-current=[(!is_open).then_some("true")] { "Resolved" } }
            }
            (filters(&reader, &filter, "/exceptions"))
            @if groups.is_empty() {
                p.none { @if is_open { "Nothing waits for a person: automation copes." } @else { "No exception was resolved yet." } }
            }
            @for ((flow, kind), exceptions) in &groups { (group(&reader, flow, *kind, exceptions, &titles)) }
            @if let Some(cursor) = cursor {
                p.more { a href=(format!("/exceptions?cursor={}{list}{}", encoded(&cursor), filter.query())) { "Older ones" } }
            }
        };
        Ok(self.page(200, &reader, &Frame { title: "Exceptions", tab: Tab::Exceptions }, main))
    }
}

/// Exceptions of one flow and kind: they have one playbook, and often one cause.
fn group(
    reader: &Reader,
    flow: &str,
    kind: ExceptionKind,
    exceptions: &[ExceptionView],
    titles: &HashMap<String, String>,
) -> Markup {
    let policy = reader.config.flows.get(flow).map(|flow| flow.document.exception_policy());
    let playbook = policy.and_then(|policy| policy.playbooks.get(&kind).map(|playbook| playbook.url.clone()));
    let id = format!("{flow}-{kind}");
    html! {
        section aria-labelledby=(id) {
            h2 id=(id) { (words::kind(kind)) " " span.n { (exceptions.len()) } }
            p.meta {
                a href=(format!("/flows/{}", encoded(flow))) { (reader.flow_title(flow)) }
                " · "
                @match playbook.as_deref().and_then(followable) {
                    Some(url) => a href=(url) rel="noopener noreferrer" { "Playbook" },
                    None => "no playbook: name one under exceptions.playbooks of the flow",
                }
            }
            ul.rows { @for exception in exceptions { (row(reader, exception, titles)) } }
        }
    }
}

fn row(reader: &Reader, exception: &ExceptionView, titles: &HashMap<String, String>) -> Markup {
    let flow = reader.config.flows.get(&exception.flow).map(|flow| flow.document.as_ref());
    let teller = Teller { reader, flow };
    let is_late = exception.resolved_at.is_none() && exception.recovery_due_at <= reader.now;
    html! {
        li {
            div {
                @match &exception.run {
                    Some(run) => {
                        a.title href=(format!("/runs/{}#{}", encoded(run), exception.id)) {
                            (foreign(titles.get(run).map_or(run.as_str(), String::as_str)))
                        }
                    },
                    None => span.title { "The flow itself" },
                }
                p.meta {
                    @if let Some(id) = &exception.outcome { (teller.outcome(id)) " · " }
                    @if let Some(id) = &exception.check { (teller.check(id)) " · " }
                    "for " (reader.name(&exception.owner)) " · opened " (reader.distance(exception.opened_at))
                }
                @if exception.run.is_none() && exception.resolved_at.is_none() { (resolve(reader, exception)) }
            }
            p.due {
                @match exception.resolved_at {
                    Some(at) => { span.good { "resolved " (reader.distance(at)) } br; (reader.time(at)) },
                    None => {
                        span class=(if is_late { "late" } else { "calm" }) { "to resolve " (reader.distance(exception.recovery_due_at)) }
                        br; (reader.time(exception.recovery_due_at))
                    },
                }
            }
        }
    }
}

/// An exception of a flow has no page of its own: it is resolved here.
fn resolve(reader: &Reader, exception: &ExceptionView) -> Markup {
    let path = format!("/flows/{}/exceptions/{}/resolve", encoded(&exception.flow), encoded(&exception.id));
    html! {
        details.act {
            summary { "Resolve" }
            form method="post" action=(path) {
                input type="hidden" name="token" value=(reader.token.text);
                (resolution(&exception.id))
                button { "Resolve" }
            }
        }
    }
}
