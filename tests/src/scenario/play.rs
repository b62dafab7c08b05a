//! Playing a scenario: doing what it says when it says it, and looking whether what it expects comes true.

use std::time::{Duration, Instant};

use meshline_core::time::{Span, Time};
use serde_json::{Value, json};

use super::config::{apply, people};
use super::read::time_of_day;
use super::world::{Request, World};
use super::{Action, Expectation, Noun, Scenario, Step, Verb, What};
use crate::senders::{self, Delivery, header};

/// How often a world that needs time is looked at: all scenarios look at it at once.
const LOOK: Duration = Duration::from_secs(2);

/// Plays a scenario whose flow is in force.
///
/// # Errors
/// The first step that could not be taken, or what it expected and what there was.
pub async fn play(world: &impl World, scenario: &Scenario) -> Result<(), String> {
    let first = scenario.steps.first().map(|step| step.at).unwrap_or_default();
    let begin = world.now() - world.lasts(first);
    let mut player = Player {
        world,
        scenario,
        begin,
        midnight: begin,
        flow: scenario.flow.clone(),
        last: None,
        answer: Value::Null,
    };
    for step in &scenario.steps {
        let place = format!("tests/scenarios/{}.txt:{}", scenario.name, step.line);
        player.step(step).await.map_err(|why| format!("{place}: {why}"))?;
    }
    Ok(())
}

struct Player<'w, W> {
    world: &'w W,
    scenario: &'w Scenario,
    /// Midnight of the story's first day, here.
    begin: Time,
    /// Midnight of its present day, here.
    midnight: Time,
    /// The flow's text that is in force.
    flow: String,
    last: Option<Delivery>,
    answer: Value,
}

impl<W: World> Player<'_, W> {
    async fn step(&mut self, step: &Step) -> Result<(), String> {
        self.midnight = self.begin + self.world.lasts(step.midnight);
        let at = self.time(step.at);
        self.world.reach(at).await;
        match &step.what {
            What::Do(action) => self.act(action, at).await,
            What::Expect(expectation) => self.expect(expectation).await.map(|_| ()),
        }
    }

    /// A time of the present day of the story, here.
    fn time(&self, of_day: Span) -> Time {
        self.midnight + self.world.lasts(of_day)
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
            Action::Crm { source, kind, post, fields } => {
                let mut event = json!({"subscriptionType": kind});
                for (name, value) in fields {
                    event[name] = json!(value);
                }
                let asset = post.as_deref().map(|post| self.asset(post));
                self.deliver(senders::crm(&url, at, source, asset.as_deref(), &[event])).await;
            }
            Action::Change { person, from, to } => {
                self.flow = self.flow.replace(from, to);
                self.apply(person, self.scenario.file_with(&self.flow, self.world)).await;
            }
            Action::Away(away) => self.apply("ana", people(away, self.begin)).await,
            Action::Accept { person, role } => {
                self.post(person, format!("/v1/rotations/{role}/accept"), &json!({})).await;
            }
            Action::Resolve { person, kind, resolution } => self.resolve(person, kind, resolution).await?,
            Action::Person { person, verb } => self.command(person, verb).await?,
            Action::Damage => {
                let run = self.run_of_post_a().await?;
                self.world.damage(run["run"].as_str().unwrap_or_default()).await?;
            }
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
        let view = self.run_of_post_a().await?;
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
            Verb::Raise(reason) => ("exceptions".to_owned(), json!({"reason": reason})),
            Verb::Cancel(reason) => ("cancel".to_owned(), json!({"reason": reason})),
            Verb::Close(reason) => ("close".to_owned(), json!({"reason": reason})),
            Verb::Pause(reason) => ("pause".to_owned(), json!({"reason": reason})),
            Verb::Resume => ("resume".to_owned(), json!({})),
            Verb::Note(text) => ("note".to_owned(), json!({"text": text})),
        };
        self.post(person, format!("/v1/runs/{run}/{path}"), &body).await;
        Ok(())
    }

    async fn resolve(&mut self, person: &str, kind: &str, resolution: &str) -> Result<(), String> {
        let members = vec![("status".to_owned(), "open".to_owned())];
        let open = Expectation { noun: Noun::Exception(kind.to_owned()), members, count: None };
        let found = self.expect(&open).await?;
        let text = |name: &str| found[name].as_str().unwrap_or_default();
        let of = match text("run") {
            "" => format!("flows/{}", text("flow")),
            run => format!("runs/{run}"),
        };
        let path = format!("/v1/{of}/exceptions/{}/resolve", text("id"));
        self.post(person, path, &json!({"resolution": resolution})).await;
        Ok(())
    }

    async fn post(&mut self, person: &str, path: String, body: &Value) {
        let request = Request {
            method: "POST",
            path,
            headers: vec![header("content-type", "application/json")],
            body: body.to_string().into_bytes(),
            person: Some(person.to_owned()),
        };
        self.answer = answer(self.world.call(request).await);
    }

    async fn apply(&mut self, person: &str, file: Value) {
        self.answer = answer(apply(self.world, person, &[file]).await);
    }

    async fn run_of_post_a(&self) -> Result<Value, String> {
        let members = vec![("subject".to_owned(), format!("contentful:{}", self.asset("A")))];
        self.expect(&Expectation { noun: Noun::Run, members, count: None }).await
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
            Noun::FlowRecord(kind) => {
                let records = self.list(&format!("/v1/runs/FLOW%23{flow}/audit?limit=200")).await?;
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
