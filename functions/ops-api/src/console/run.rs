//! `GET /runs/{run}`: one run, why it is as it is, and what can be done about it.

mod actions;
mod parts;
mod why;

pub(super) use actions::resolution;

use std::sync::Arc;

use maud::{Markup, html};
use meshline_aws::http::{Problem, Response};
use meshline_aws::verify::{self, Verification};
use meshline_core::config::Versioned;
use meshline_core::config::flow::Flow;
use meshline_core::event::Event;
use meshline_core::record::Record;
use meshline_core::run::{Run, Status};
use meshline_core::view::RunView;

use super::form::Refused;
use super::layout::Tab;
use super::picture::picture;
use super::reader::{Frame, Reader, foreign};
use super::record::Teller;
use super::words::{self, count, encoded, followable};
use crate::Call;

/// Records of a trail and events of a subject that are shown, the newest ones.
const MAX_RECORDS: usize = 100;
const MAX_EVENTS: usize = 100;

/// What the page of a run shows.
struct RunPage {
    reader: Reader,
    run: Run,
    view: RunView,
    /// The version of the flow that the run was opened with, where it can be read.
    flow: Option<Arc<Versioned<Flow>>>,
    records: Vec<Record>,
    events: Vec<Event>,
    verification: Verification,
}

impl Call<'_> {
    /// The run's page, with why a form was refused.
    pub(super) async fn run_page(
        &self,
        run: &str,
        status: u16,
        refused: Option<&Refused<'_>>,
    ) -> Result<Response, Problem> {
        let reader = self.reader().await?;
        let run = self.loaded(run).await?;
        // A run that cannot be processed, because its flow has no such version, must still be seen.
        let flow = self.app.config.flow(&run.flow, run.flow_version).await.ok();
        let mut events = self.app.events.of_subject(&run.subject).await?;
        events.drain(..events.len().saturating_sub(MAX_EVENTS));
        // A record that was changed by hand is left out here and named by the verification.
        let records = self.app.audit.strict_trail(&run.run).await?.into_iter().filter_map(Result::ok);
        let page = RunPage {
            view: RunView::of(&run, self.now),
            records: records.collect(),
            verification: verify::verify(self.app, &run.run).await?,
            reader,
            flow,
            events,
            run,
        };
        let alert = refused.map(|refused| refused.alert(page.teller()));
        let alert = alert.or_else(|| self.query("done").and_then(|done| said(&done)));
        let frame = Frame { title: &page.run.title, tab: Tab::Runs };
        Ok(self.page(status, &page.reader, &frame, page.main(alert)))
    }
}

/// What is said once after a form did what it should.
fn said(done: &str) -> Option<Markup> {
    let text = match done {
        "acknowledge" => "Acknowledged. The deadlines run on; the ladder rests.",
        "complete" => "The outcome is done, with your evidence in the trail.",
        "fail" => "Recorded as failed, and handed to whoever answers for exceptions.",
        "pass" => "The check passed.",
        "reassign" => "The run has a new owner, who was given a new window to acknowledge.",
        "pause" => "Paused. The outcomes' clocks stand still.",
        "resume" => "Resumed. The clocks run again.",
        "note" => "Your note is in the trail.",
        "exceptions" => "The exception is open, and its owner is told.",
        "resolve" => "The exception is resolved.",
        "cancel" => "The run is cancelled.",
        "close" => "The run is closed.",
        _ => return None,
    };
    Some(html! { div.flash role="status" { p { (text) } } })
}

impl RunPage {
    fn flow(&self) -> Option<&Flow> {
        self.flow.as_ref().map(|flow| flow.document.as_ref())
    }

    fn teller(&self) -> Teller<'_> {
        Teller { reader: &self.reader, flow: self.flow() }
    }

    fn main(&self, alert: Option<Markup>) -> Markup {
        html! {
            (self.head())
            @if let Some(alert) = alert { (alert) }
            (self.situation())
            div.columns {
                div {
                    (self.outcomes())
                    (self.checks())
                    (self.exceptions())
                }
                aside aria-label="Owner and actions" { (self.custody()) (self.actions()) (self.facts()) }
            }
            section aria-labelledby="course" {
                h2 #course { "Course" }
                (picture(self.teller(), &self.run, &self.records, &self.events))
            }
            (self.trail())
        }
    }

    fn head(&self) -> Markup {
        let run = &self.run;
        let (tone, status) = match run.status {
            Status::Cancelled => ("calm", "cancelled"),
            Status::Closed if run.met() == Some(true) => ("good", "closed, promises kept"),
            Status::Closed => ("late", "closed, promises missed"),
            Status::AwaitingQa | Status::Active | Status::Verifying => ("open", words::status(run.status)),
        };
        html! {
            p.eyebrow {
                a href=(format!("/flows/{}", encoded(&run.flow))) { (self.reader.flow_title(&run.flow)) }
                @if let Some(client) = &run.client { " · " (foreign(client)) }
            }
            h1 { (foreign(&run.title)) }
            p.badges {
                span.badge.(tone) { (status) }
                @if run.is_overdue() { " " span.badge.late { "overdue" } }
                @if run.pause().is_some() { " " span.badge.soon { "paused" } }
                @if run.suppressed { " " span.badge.calm { "flow was off: nobody is told" } }
                @if let Some(url) = run.url.as_deref().and_then(followable) {
                    " " a href=(url) rel="noopener noreferrer" { "Open the asset" }
                }
            }
        }
    }

    fn custody(&self) -> Markup {
        let view = &self.view;
        html! {
            section aria-labelledby="owner" {
                h2 #owner { "Owner" }
                p.owner { (self.reader.name(&view.owner.id)) }
                p.meta {
                    @if let Some(ack) = &view.acknowledgement {
                        @match (ack.acknowledged_at, &ack.by) {
                            (Some(at), Some(by)) => { "Acknowledged by " (self.reader.name(by)) ", " (self.reader.time(at)) },
                            (Some(at), None) => { "Acknowledged " (self.reader.time(at)) },
                            (None, _) => { "Not acknowledged" @if self.run.is_open() { ", to be by " (self.reader.time(ack.due_at)) } },
                        }
                        @if let Some(until) = ack.lease_until { ", holds until " (self.reader.time(until)) }
                    } @else { "This flow asks for no acknowledgement" }
                }
                @if view.custody.len() > 1 {
                    ol.custody {
                        @for held in &view.custody {
                            li { strong { (self.reader.name(&held.owner)) } " for "
                                (words::span(meshline_core::time::Span::from_ms(held.seconds * 1000))) ", from " (self.reader.time(held.from)) }
                        }
                    }
                }
            }
        }
    }

    fn facts(&self) -> Markup {
        let run = &self.run;
        html! {
            section aria-labelledby="facts" {
                h2 #facts { "Facts" }
                dl {
                    dt { "Asset" }
                    dd { a href=(format!("/subjects/{}", encoded(&run.subject))) { (foreign(&run.subject)) } }
                    dt { "Opened" } dd { (self.reader.when(run.opened_at)) }
                    @if let Some(at) = run.closed_at { dt { "Ended" } dd { (self.reader.when(at)) } }
                    dt { "Flow" } dd { (run.flow) ", version " (run.flow_version) }
                    dt { "Run" } dd { code { (run.run) } }
                    dt { "Version" } dd { (run.version) }
                }
            }
        }
    }

    fn trail(&self) -> Markup {
        let shown = self.records.len().saturating_sub(MAX_RECORDS);
        let newest = self.records.get(shown..).unwrap_or_default();
        html! {
            section aria-labelledby="trail" {
                h2 #trail { "Trail" }
                @match &self.verification.fault {
                    None => p.mark { span.badge.good { "verified" } " " (count(self.verification.records, "record"))
                        ", unbroken from the first to where the run stands now" },
                    Some(fault) => p.mark { span.badge.late { "broken" } " at record " (fault.seq) ": " (foreign(&fault.reason)) },
                }
                (self.teller().table("Every decision, oldest first", newest))
                @if shown > 0 {
                    p.more { "The newest " (MAX_RECORDS) " of " (self.records.len()) ". "
                        a href=(format!("/v1/runs/{}/audit?format=jsonl", run_path(&self.run))) { "All of them, as JSON lines" } }
                }
            }
        }
    }
}

fn run_path(run: &Run) -> String {
    encoded(&run.run)
}
