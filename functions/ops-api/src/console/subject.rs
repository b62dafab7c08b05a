//! `GET /subjects/{subject}`: the life of one asset, across systems and runs.

use maud::{Markup, html};
use meshline_aws::http::{Problem, Response};
use meshline_core::api::Moment;

use super::layout::Tab;
use super::reader::{Frame, Reader, foreign};
use super::record::{Teller, tone};
use super::words::encoded;
use crate::Call;

/// Moments that are shown, the newest ones.
const MAX_MOMENTS: usize = 100;

impl Call<'_> {
    pub(super) async fn subject_page(&self, subject: &str) -> Result<Response, Problem> {
        let reader = self.reader().await?;
        let moments = self.moments(subject).await?;
        if moments.is_empty() {
            return Err(Problem::not_found("nothing was heard of an asset of that name"));
        }
        let cut = moments.len().saturating_sub(MAX_MOMENTS);
        let newest = moments.get(cut..).unwrap_or_default();
        let caption = "Events of every system and all decisions, oldest first";
        let main = html! {
            p.eyebrow { "Asset" }
            h1 { (foreign(subject)) }
            div.wide role="region" aria-label=(caption) tabindex="0" {
                table.trail {
                    caption { (caption) }
                    thead { tr { th scope="col" { "When" } th scope="col" { "Where" } th scope="col" { "What" } } }
                    tbody { @for moment in newest { (row(&reader, moment)) } }
                }
            }
            @if cut > 0 {
                p.more { "The newest " (MAX_MOMENTS) " of " (moments.len()) ". "
                    a href=(format!("/v1/subjects/{}/timeline", encoded(subject))) { "All of them, as JSON" } }
            }
        };
        Ok(self.page(200, &reader, &Frame { title: subject, tab: Tab::Elsewhere }, main))
    }
}

fn row(reader: &Reader, moment: &Moment) -> Markup {
    match moment {
        Moment::Event { at, event } => html! {
            tr.event {
                td { (reader.time(*at)) }
                td { (foreign(&event.source)) }
                td { (foreign(&event.kind)) @if let Some(alias) = &event.alias { ", about " (foreign(alias)) }
                    @if let Some(actor) = &event.actor { ", by " (foreign(actor)) } }
            }
        },
        Moment::Record { at, record } => {
            let flow = reader.config.flows.get(&record.flow).map(|flow| flow.document.as_ref());
            let teller = Teller { reader, flow };
            html! {
                tr class=(tone(&record.fact).class()) {
                    td { (reader.time(*at)) }
                    td {
                        a href=(format!("/runs/{}", encoded(&record.run))) { (reader.flow_title(&record.flow)) }
                        ", " (teller.actor(&record.actor))
                    }
                    td { (teller.sentence(&record.fact)) }
                }
            }
        }
    }
}
