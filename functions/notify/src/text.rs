//! The words of a message: what a person reads, whatever the way it comes.

mod monday;

use meshline_core::checklist::Answer;
use meshline_core::config::flow::Severity;
use meshline_core::time::Time;

use crate::message::{Content, Links, Message, Notice, Settled, Ticket};

/// A message in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Words {
    /// One line: what is the matter, with what.
    pub(crate) headline: String,
    /// How urgent.
    pub(crate) severity: Severity,
    /// What there is to say at more length: a line each.
    pub(crate) lines: Vec<String>,
    /// What else there is to know: label and value.
    pub(crate) facts: Vec<(&'static str, String)>,
    /// Where to go: label and address. A link only shows; what changes something asks who is there.
    pub(crate) links: Vec<(&'static str, String)>,
}

/// A headline longer than this is cut.
const MAX_HEADLINE: usize = 200;
/// A fact longer than this is cut.
const MAX_FACT: usize = 1_000;

impl Words {
    /// A message in words. A request speaks to a system: its words are for a log there.
    pub(crate) fn of(message: &Message) -> Self {
        match &message.content {
            Content::Notice(notice) => of_notice(notice),
            Content::Ticket(ticket) => of_ticket(ticket),
            Content::Request(request) => Self {
                headline: format!("`{}` is requested", request.outcome),
                severity: Severity::Normal,
                lines: Vec::new(),
                facts: Vec::new(),
                links: Vec::new(),
            },
            Content::Settlement(settled) => of_settlement(settled),
        }
    }

    /// Headline, facts and links, a line each.
    pub(crate) fn plain(&self) -> String {
        let named = self.facts.iter().chain(&self.links).map(|(label, value)| format!("{label}: {value}"));
        let lines: Vec<String> = self.lines.iter().map(|line| format!("- {line}")).chain(named).collect();
        format!("{}\n\n{}\n", self.headline, lines.join("\n"))
    }
}

fn of_notice(notice: &Notice) -> Words {
    let facts = [
        ("What", Some(notice.reason.clone())),
        ("Flow", Some(notice.flow.clone())),
        ("Outcome", notice.outcome.clone()),
        ("Exception", notice.exception.clone()),
        ("Owner", notice.owner.clone()),
        ("Due", notice.due_at.map(utc)),
        ("Severity", Some(notice.severity.as_str().to_owned())),
        ("Wrong", monday::answered(notice, Answer::Fail)),
        ("Not known", monday::answered(notice, Answer::Unknown)),
        ("Right", monday::answered(notice, Answer::Pass)),
        ("Late", notice.late.as_ref().map(monday::late)),
        ("Post-mortem", notice.postmortem.clone()),
    ];
    Words {
        headline: cut(&format!("{}: {}", notice.title, notice.reason), MAX_HEADLINE),
        severity: notice.severity,
        lines: Vec::new(),
        facts: given(facts),
        links: links(&notice.links, notice.url.as_deref(), None),
    }
}

fn of_ticket(ticket: &Ticket) -> Words {
    let held = ticket.custody.iter().map(|held| {
        let to = held.to.map_or_else(|| "now".to_owned(), utc);
        format!("{} from {} to {to}", held.owner, utc(held.from))
    });
    let held: Vec<String> = held.collect();
    let facts = [
        ("Expected", Some(ticket.expected.clone())),
        ("Seen", Some(ticket.seen.clone())),
        ("Flow", Some(ticket.flow.clone())),
        ("Asset", Some(ticket.subject.clone())),
        ("Exception", Some(ticket.exception.clone())),
        ("Owner", Some(ticket.owner.clone())),
        ("Resolve by", Some(utc(ticket.recovery_due_at))),
        ("Held by", Some(held.join(", ")).filter(|held| !held.is_empty())),
    ];
    Words {
        headline: cut(
            &format!("{}: {}", ticket.title, ticket.kind.to_string().replace('_', " ")),
            MAX_HEADLINE,
        ),
        severity: Severity::High,
        lines: Vec::new(),
        facts: given(facts),
        links: links(&ticket.links, ticket.url.as_deref(), ticket.playbook.as_deref()),
    }
}

fn of_settlement(settled: &Settled) -> Words {
    let facts = [("How", Some(settled.how.clone())), ("Flow", Some(settled.flow.clone()))];
    let headline = format!("{}: {}, {}", settled.title, settled.settlement.as_str(), settled.how);
    Words {
        headline: cut(&headline, MAX_HEADLINE),
        severity: Severity::Normal,
        lines: Vec::new(),
        facts: given(facts),
        links: links(&settled.links, None, None),
    }
}

fn given<const N: usize>(facts: [(&'static str, Option<String>); N]) -> Vec<(&'static str, String)> {
    facts.into_iter().filter_map(|(label, value)| Some((label, cut(&value?, MAX_FACT)))).collect()
}

/// Only what a browser may open: a title or an address comes from outside. The API asks for signatures, which browsers do
/// not make: where there is a console, its page is the one to open, and shows the trail as well.
fn links(links: &Links, asset: Option<&str>, playbook: Option<&str>) -> Vec<(&'static str, String)> {
    let open = links.console.as_deref().or(links.run.as_deref()).or(links.flow.as_deref());
    let of_api = |url: &Option<String>| url.clone().filter(|_| links.console.is_none());
    let all = [
        ("Open", open.map(str::to_owned)),
        ("Checklist", of_api(&links.checklist)),
        ("Playbook", playbook.map(str::to_owned)),
        ("Asset", asset.map(str::to_owned)),
        ("Trail", of_api(&links.trail)),
        ("Timeline", of_api(&links.timeline)),
    ];
    let is_address = |url: &String| url.starts_with("https://") || url.starts_with("http://");
    all.into_iter().filter_map(|(label, url)| Some((label, url.filter(is_address)?))).collect()
}

/// `2026-11-25 11:00 UTC`.
fn utc(at: Time) -> String {
    let text = at.to_string();
    let (day, time) = text.split_once('T').unwrap_or((&text, ""));
    format!("{day} {} UTC", time.chars().take(5).collect::<String>())
}

/// At most `max` characters, one line.
fn cut(text: &str, max: usize) -> String {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if line.chars().count() <= max {
        return line;
    }
    line.chars().take(max - 1).chain(['…']).collect()
}
