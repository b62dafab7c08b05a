//! What a scenario puts in force: its flow, the documents beside it, and who there is.

use meshline_core::day::Day;
use meshline_core::time::{Span, Time};
use serde_json::{Value, json};

use super::world::{Request, World};
use super::{Away, Scenario};
use crate::{Answer, EXAMPLES, header};

impl Scenario {
    /// The file with its flow and what stands beside it, durations as long as they last in `world`.
    pub fn file(&self, world: &impl World) -> Value {
        self.file_with(&self.flow, world)
    }

    /// That file with another text of the flow.
    pub(super) fn file_with(&self, flow: &str, world: &impl World) -> Value {
        let name = &self.name;
        let owned = flow.lines().any(|line| line.starts_with("owner:"));
        let owner = if owned { "" } else { "owner: role:product-marketing\n" };
        let head = format!(
            "kind: Flow\nid: {name}\ntitle: {name}\n{owner}backup_owner: role:marketing-ops\n\
             trigger:\n  source: contentful\n  match: {{type: [Entry.publish], data: {{sys: {{contentType: {{sys: {{id: [{name}]}}}}}}}}}}\n  \
             cancel_on: {{type: [Entry.unpublish]}}\n"
        );
        let text = head + &lasting(flow, |span| world.lasts(span));
        json!({"name": format!("{name}.yaml"), "text": text + &self.beside})
    }
}

/// The file with the people of the examples, somebody who is never there, two who take turns, and a channel at whose
/// other end nobody listens; with these days off.
pub fn people(away: &[Away], begin: Time) -> Value {
    let gone = "  - {id: gone, name: Gone Fishing, email: gone@example.com, away: [{from: 2020-01-01, to: 2099-12-31}]}";
    let roles = "  - {id: night-shift, members: [gone]}\n  \
                 - {id: launch-desk, members: [dev, ana], rotate: {every: week, starting: 2026-11-02}}";
    let (name, examples) = EXAMPLES[0];
    let mut text = examples.replace("roles:\n", &format!("{gone}\nroles:\n{roles}\n"));
    text += "  - {id: unplugged, kind: webhook, url: \"http://127.0.0.1:9/\"}\n";
    text += "  - {id: pager, kind: pagerduty, secret: pager}\n";
    for Away { person, day } in away {
        let date = Day::of(begin + Span::days(day - 1));
        let id = format!("{{id: {person}, ");
        text = text.replace(&id, &format!("{id}away: [{{from: {date}, to: {date}}}], "));
    }
    json!({"name": name, "text": text})
}

/// Puts files in force.
pub async fn apply(world: &impl World, person: &str, files: &[Value]) -> Answer {
    let request = Request {
        method: "PUT",
        path: "/v1/config".to_owned(),
        headers: vec![header("content-type", "application/json")],
        body: json!({"files": files}).to_string().into_bytes(),
        person: Some(person.to_owned()),
    };
    world.call(request).await
}

/// The text with every duration in it (`4h`, `30m`) replaced.
fn lasting(text: &str, lasts: impl Fn(Span) -> Span) -> String {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_' || c == '.';
    let mut replaced = String::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let end =
            rest.find(|c| is_word(c) != is_word(rest.chars().next().unwrap_or(c))).unwrap_or(rest.len());
        let (token, after) = rest.split_at(end.max(c.len_utf8()));
        match token.parse::<Span>() {
            Ok(span) if token.starts_with(|c: char| c.is_ascii_digit()) => {
                replaced += &lasts(span).to_string();
            }
            Ok(_) | Err(_) => replaced += token,
        }
        rest = after;
    }
    replaced
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_and_nothing_else_are_replaced() {
        let text =
            "acknowledge: {within: 4h}\noutcomes:\n  - {id: h4-2d, sla: 1h30m, url: \"https://x.io/4h\"}\n";
        let tenth = |span: Span| Span::from_ms(span.ms() / 10);
        assert_eq!(
            lasting(text, tenth),
            "acknowledge: {within: 24m}\noutcomes:\n  - {id: h4-2d, sla: 9m, url: \"https://x.io/24m\"}\n"
        );
    }
}
