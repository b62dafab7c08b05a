//! The reader: who looks at a page and when, and how people, times and texts are shown to them.

use std::sync::Arc;

use maud::{Markup, html};
use meshline_aws::browser;
use meshline_core::config::Config;
use meshline_core::config::directory::Directory;
use meshline_core::config::flow::{Assignee, Step, Target};
use meshline_core::time::{Span, Time};

use super::words::{clean, followable, span};
use super::{csrf, layout::Tab};
use crate::Call;

/// Who looks at a page and when, and what is in force then.
pub(super) struct Reader {
    pub(super) config: Arc<Config>,
    pub(super) people: Arc<Directory>,
    pub(super) now: Time,
    /// Their id.
    pub(super) id: String,
    /// What their forms send back.
    pub(super) token: csrf::Token,
}

/// What stands around a page.
pub(super) struct Frame<'a> {
    pub(super) title: &'a str,
    pub(super) tab: Tab,
}

impl Call<'_> {
    pub(super) async fn reader(&self) -> Result<Reader, meshline_aws::http::Problem> {
        let config = self.app.config.fresh().await?.config;
        let people = config.people();
        Ok(Reader {
            now: self.now,
            id: self.actor(&people).id,
            token: csrf::Token::of(browser::cookie(self.request, self.token_name())),
            config,
            people,
        })
    }
}

impl Reader {
    /// Whether the directory knows them: then something can be theirs.
    pub(super) fn is_person(&self) -> bool {
        self.people.person(&self.id).is_some()
    }

    /// A person's name, or what a role, a channel or an unknown id is called.
    pub(super) fn name(&self, id: &str) -> String {
        if let Some(role) = id.strip_prefix("role:") {
            return clean(role);
        }
        let id = id.strip_prefix("person:").unwrap_or(id);
        clean(self.people.person(id).map_or(id, |person| &person.name))
    }

    /// What a flow is called.
    pub(super) fn flow_title(&self, id: &str) -> String {
        clean(self.config.flows.get(id).map_or(id, |flow| &flow.document.title))
    }

    /// What a step of a ladder does: `handed to the backup owner; ops-lead told`.
    pub(super) fn step(&self, step: &Step) -> String {
        let target = |target: &Target| match target {
            Target::Owner => "the owner".to_owned(),
            Target::BackupOwner => "the backup owner".to_owned(),
            Target::Party(party) => self.name(&party.to_string()),
            Target::Channel(id) => clean(id),
        };
        let handed = step.reassign.as_ref().map(|to| match to {
            Assignee::BackupOwner => "handed to the backup owner".to_owned(),
            Assignee::Party(party) => format!("handed to {}", self.name(&party.to_string())),
        });
        let told: Vec<String> = step.notify.iter().map(target).collect();
        let told = (!told.is_empty()).then(|| format!("{} told", told.join(" and ")));
        handed.into_iter().chain(told).collect::<Vec<_>>().join("; ")
    }

    /// A time, which the script shows in the reader's zone.
    pub(super) fn time(&self, at: Time) -> Markup {
        let text = at.to_string();
        html! { time datetime=(text) title=(format!("{} UTC", minute(&text))) { (self.clock(at)) " UTC" } }
    }

    /// A time with how far it is from now: `23 Nov 09:00 UTC, 2 h ago`.
    pub(super) fn when(&self, at: Time) -> Markup {
        html! { (self.time(at)) ", " (self.distance(at)) }
    }

    /// How far a time is from now: `in 2 h`, `2 h ago`.
    pub(super) fn distance(&self, at: Time) -> String {
        if at > self.now {
            return format!("in {}", span(at.since(self.now)));
        }
        let ago = self.now.since(at);
        if ago < Span::minutes(1) { "just now".to_owned() } else { format!("{} ago", span(ago)) }
    }

    /// `23 Nov 09:00`; with the year where it is another one.
    pub(super) fn clock(&self, at: Time) -> String {
        let (text, now) = (at.to_string(), self.now.to_string());
        let part = |range: std::ops::Range<usize>| text.get(range).unwrap_or_default();
        let year = if text.get(..4) == now.get(..4) { String::new() } else { format!(" {}", part(0..4)) };
        let day = part(8..10).trim_start_matches('0');
        format!("{day} {}{year} {}", month(part(5..7)), part(11..16))
    }
}

/// Text that others wrote, which keeps its direction to itself.
pub(super) fn foreign(text: &str) -> Markup {
    html! { bdi { (clean(text)) } }
}

/// Text that may be an address: a link where a browser may follow it.
pub(super) fn linked(text: &str) -> Markup {
    match followable(text.trim()).filter(|url| !url.contains(char::is_whitespace)) {
        Some(url) => html! { a href=(url) rel="noopener noreferrer" { (foreign(text)) } },
        None => foreign(text),
    }
}

/// `2026-11-23 09:00`.
fn minute(text: &str) -> String {
    text.chars().take(16).collect::<String>().replace('T', " ")
}

fn month(number: &str) -> &'static str {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let index = number.parse::<usize>().ok().and_then(|n| n.checked_sub(1));
    index.and_then(|n| MONTHS.get(n)).copied().unwrap_or_default()
}
