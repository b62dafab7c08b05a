//! Playing a scenario: doing what it says when it says it, and looking whether what it expects comes true.

use std::time::{Duration, Instant};

use meshline_core::time::{Span, Time};
use serde_json::{Value, json};

use super::read::time_of_day;
use super::world::{Request, World};
use super::{Action, Expectation, Noun, Scenario, Step, Verb, What};
use crate::senders::{self, Delivery, header};

/// How often a world that needs time is looked at: all scenarios look at it at once.
const LOOK: Duration = Duration::from_secs(2);

impl Scenario {
    /// The flow's document, with durations as long as they last in `world`.
    pub fn flow(&self, world: &impl World) -> String {
        let name = &self.name;
        let head = format!(
            "kind: Flow\nid: {name}\ntitle: {name}\nowner: role:product-marketing\nbackup_owner: role:marketing-ops\n\
             trigger:\n  source: contentful\n  match: {{type: [Entry.publish], data: {{sys: {{contentType: {{sys: {{id: [{name}]}}}}}}}}}}\n  \
             cancel_on: {{type: [Entry.unpublish]}}\n"
        );
        head + &lasting(&self.flow, |span| world.lasts(span))
    }
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

/// Plays a scenario whose flow is in force.
///
/// # Errors
/// The first step that could not be taken, or what it expected and what there was.
pub async fn play(world: &impl World, scenario: &Scenario) -> Result<(), String> {
    let first = scenario.steps.first().map(|step| step.at).unwrap_or_default();
    let mut player = Player { world, scenario, begin: world.now(), first, last: None, answer: Value::Null };
    for step in &scenario.steps {
        let place = format!("tests/scenarios/{}.txt:{}", scenario.name, step.line);
        player.step(step).await.map_err(|why| format!("{place}: {why}"))?;
    }
    Ok(())
}

struct Player<'w, W> {
    world: &'w W,
    scenario: &'w Scenario,
    /// When the story began here.
    begin: Time,
    /// The time of day at which it began.
    first: Span,
    last: Option<Delivery>,
    answer: Value,
}

impl<W: World> Player<'_, W> {
    async fn step(&mut self, step: &Step) -> Result<(), String> {
        let at = self.time(step.at);
        self.world.reach(at).await;
        match &step.what {
            What::Do(action) => self.act(action, at).await,
            What::Expect(expectation) => self.expect(expectation).await.map(|_| ()),
        }
    }

    /// A time of day of the story, here.
    fn time(&self, of_day: Span) -> Time {
        self.begin + self.world.lasts(of_day - self.first)
    }

    /// The asset that a post is here: no other scenario has it.
    fn asset(&self, post: &str) -> String {
        format!("{}-{post}", self.scenario.name)
    }

    async fn act(&mut self, action: &Action, at: Time) -> Result<(), String> {
        let url = self.world.public_url().to_owned();
        match action {
            Action::Cms { topic, post } => {
                let asset = self.asset(post);
                self.deliver(senders::entry(&url, at, topic, &asset, &self.scenario.name)).await;
            }
            Action::Redeliver => {
                let last = self.last.clone().ok_or("no webhook was sent before")?;
                self.deliver(last).await;
            }
            Action::Forge => {
                let mut forged = senders::entry(&url, at, "publish", &self.asset("A"), &self.scenario.name);
                forged.body.push(b' ');
                self.deliver(forged).await;
            }
            Action::Crm { kind, post, fields } => {
                let mut event = json!({"subscriptionType": kind});
                for (name, value) in fields {
                    event[name] = json!(value);
                }
                self.deliver(senders::crm(&url, at, &self.asset(post), &[event])).await;
            }
            Action::Person { person, verb } => self.command(person, verb).await?,
            Action::Garbage { queue } => self.world.put(queue, "this is no message").await,
            Action::Killed { function, posts } => {
                self.world.kill(function).await;
                for n in 0..*posts {
                    let asset = self.asset(&n.to_string());
                    self.deliver(senders::entry(&url, at, "publish", &asset, &self.scenario.name)).await;
                }
            }
        }
        Ok(())
    }

    async fn deliver(&mut self, delivery: Delivery) {
        let Delivery { path, headers, body } = delivery.clone();
        self.last = Some(delivery);
        let request = Request { method: "POST", path, headers, body, person: None };
        self.answer = answer(self.world.call(request).await);
    }

    async fn command(&mut self, person: &str, verb: &Verb) -> Result<(), String> {
        let run = Expectation { noun: Noun::Run, members: vec![self.of_post_a()], count: None };
        let view = self.expect(&run).await?;
        let run = view["run"].as_str().unwrap_or_default();
        let (path, body) = match verb {
            Verb::Acknowledge => ("acknowledge".to_owned(), json!({})),
            Verb::Reassign { to, reason } => {
                ("reassign".to_owned(), json!({"to": format!("person:{to}"), "reason": reason}))
            }
            Verb::Complete { outcome, evidence } => {
                (format!("outcomes/{outcome}/complete"), json!({"evidence": evidence}))
            }
            Verb::Fail { what, reason } => {
                let has = |checks: &Vec<Value>| checks.iter().any(|check| check["id"] == what.as_str());
                let is_check = view["checks"].as_array().is_some_and(has);
                let list = if is_check { "checks" } else { "outcomes" };
                (format!("{list}/{what}/fail"), json!({"reason": reason}))
            }
            Verb::Pass { check, evidence } => (format!("checks/{check}/pass"), json!({"evidence": evidence})),
            Verb::Resolve { kind, resolution } => {
                let members = vec![("status".to_owned(), "open".to_owned())];
                let open = Expectation { noun: Noun::Exception(kind.clone()), members, count: None };
                let exception = self.expect(&open).await?["id"].as_str().unwrap_or_default().to_owned();
                (format!("exceptions/{exception}/resolve"), json!({"resolution": resolution}))
            }
            Verb::Cancel(reason) => ("cancel".to_owned(), json!({"reason": reason})),
            Verb::Close(reason) => ("close".to_owned(), json!({"reason": reason})),
            Verb::Pause(reason) => ("pause".to_owned(), json!({"reason": reason})),
            Verb::Resume => ("resume".to_owned(), json!({})),
            Verb::Note(text) => ("note".to_owned(), json!({"text": text})),
        };
        let request = Request {
            method: "POST",
            path: format!("/v1/runs/{run}/{path}"),
            headers: vec![header("content-type", "application/json")],
            body: body.to_string().into_bytes(),
            person: Some(person.to_owned()),
        };
        self.answer = answer(self.world.call(request).await);
        Ok(())
    }

    fn of_post_a(&self) -> (String, String) {
        ("subject".to_owned(), format!("contentful:{}", self.asset("A")))
    }

    /// Looks until what is expected is there, for as long as this world may need; gives the first that was found.
    async fn expect(&self, expectation: &Expectation) -> Result<Value, String> {
        #[expect(clippy::disallowed_methods, reason = "a deployed world's time is the real one")]
        let begin = Instant::now();
        loop {
            let all = self.find(&expectation.noun).await?;
            let fitting: Vec<&Value> =
                all.iter().filter(|one| self.fits(one, &expectation.members)).collect();
            if expectation.count.map_or(!fitting.is_empty(), |count| fitting.len() == count) {
                return Ok(fitting.first().map(|found| (*found).clone()).unwrap_or_default());
            }
            if begin.elapsed() >= self.world.patience() {
                let wanted = expectation.count.map_or("some".to_owned(), |count| count.to_string());
                return Err(format!("expected {wanted}, found {} of {:#}", fitting.len(), json!(all)));
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    fn fits(&self, one: &Value, members: &[(String, String)]) -> bool {
        members.iter().all(|(path, wanted)| {
            let found = one.pointer(&format!("/{}", path.replace('.', "/"))).unwrap_or(&Value::Null);
            let text = found.as_str().map_or_else(|| found.to_string(), str::to_owned);
            match (time_of_day(wanted), text.parse::<Time>()) {
                (Some(of_day), Ok(time)) => {
                    let wanted = self.time(of_day);
                    let off = wanted.since(time).max(time.since(wanted));
                    off <= self.world.tolerance()
                }
                (_, _) => text == *wanted,
            }
        })
    }

    async fn find(&self, noun: &Noun) -> Result<Vec<Value>, String> {
        let flow = &self.scenario.name;
        let kind_is = |kind: &str| {
            let kind = kind.to_owned();
            move |one: &Value| one["kind"] == kind.as_str()
        };
        Ok(match noun {
            Noun::Answer => vec![self.answer.clone()],
            Noun::Run => self.list(&format!("/v1/runs?flow={flow}&limit=200")).await?,
            Noun::Outcome(id) => self.parts("outcomes", id).await?,
            Noun::Check(id) => self.parts("checks", id).await?,
            Noun::Record(kind) => {
                let mut records = Vec::new();
                for run in self.runs().await? {
                    records.extend(self.list(&format!("/v1/runs/{run}/audit")).await?);
                }
                records.into_iter().filter(kind_is(kind)).collect()
            }
            Noun::Trail => {
                let mut verified = Vec::new();
                for run in self.runs().await? {
                    verified.push(self.get(&format!("/v1/runs/{run}/audit/verify")).await?);
                }
                verified
            }
            Noun::Exception(kind) => {
                let all = self.list(&format!("/v1/exceptions?flow={flow}&limit=200")).await?;
                all.into_iter().filter(kind_is(kind)).collect()
            }
            Noun::Message(queue) => self
                .once_each(self.world.messages(queue).await)
                .into_iter()
                .map(|m| m["data"].clone())
                .collect(),
            Noun::Bus(kind) => {
                let details =
                    self.world.bus().await.into_iter().map(|event| event["detail"].clone()).collect();
                let wanted = format!("meshline.{kind}");
                self.once_each(details).into_iter().filter(|event| event["type"] == wanted.as_str()).collect()
            }
            Noun::DeadLetter(queue) => self.world.dead_letters(queue).await,
            Noun::Timeline => {
                self.list(&format!("/v1/subjects/contentful:{}/timeline", self.asset("A"))).await?
            }
        })
    }

    /// What has this id in that list of each run.
    async fn parts(&self, list: &str, id: &str) -> Result<Vec<Value>, String> {
        let runs = self.list(&format!("/v1/runs?flow={}&limit=200", self.scenario.name)).await?;
        let parts = runs.iter().filter_map(|run| run[list].as_array()).flatten();
        Ok(parts.filter(|part| part["id"] == id).cloned().collect())
    }

    async fn runs(&self) -> Result<Vec<String>, String> {
        let runs = self.list(&format!("/v1/runs?flow={}&limit=200", self.scenario.name)).await?;
        Ok(runs.iter().filter_map(|run| run["run"].as_str()).map(str::to_owned).collect())
    }

    /// The messages about this flow, each as often as a consumer that deduplicates sees it.
    fn once_each(&self, messages: Vec<Value>) -> Vec<Value> {
        let mut seen = std::collections::BTreeSet::new();
        let ours =
            messages.into_iter().filter(|message| message["data"]["flow"] == self.scenario.name.as_str());
        ours.filter(|message| seen.insert(message["id"].to_string())).collect()
    }

    async fn list(&self, path: &str) -> Result<Vec<Value>, String> {
        Ok(self.get(path).await?["items"].as_array().cloned().unwrap_or_default())
    }

    async fn get(&self, path: &str) -> Result<Value, String> {
        let person = Some("ana".to_owned());
        let request = Request { method: "GET", path: path.to_owned(), person, ..Request::default() };
        match self.world.call(request).await {
            (200, body) => Ok(body),
            (status, body) => Err(format!("GET {path}: {status} {body}")),
        }
    }
}

/// An answer as one value, so that its status can be looked at like any member.
fn answer((status, body): (u16, Value)) -> Value {
    let mut answer = json!({"status": status});
    if let (Some(members), Value::Object(body)) = (answer.as_object_mut(), body) {
        // A run has a `status` of its own; what was answered is the HTTP status.
        members.extend(body.into_iter().filter(|(name, _)| name != "status"));
    }
    answer
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
