//! Senders and people: what they do, and what they were told.

use std::collections::{BTreeMap, BTreeSet};

use meshline_core::run::Run;
use meshline_core::time::Time;
use serde_json::{Value, json};

use super::Log;
use super::chance::Chance;
use super::seen::stored_runs;
use super::shape::{FlowShape, Shape};
use crate::senders::FORMS_TOKEN;
use crate::{Local, header};

/// Assets of a world: few, so that triggers and signals meet.
const ASSETS: u64 = 4;
/// Contacts of a world; webhooks of the CMS say which asset each belongs to.
const CONTACTS: u64 = 3;
/// How often a sender tries, and a person.
const ATTEMPTS: usize = 6;

/// All of them, and what they know.
#[derive(Default)]
pub(super) struct Actors {
    /// Every webhook that was ever sent, oldest first.
    sent: Vec<Webhook>,
    /// When each was sent, by key: `cms#17`.
    pub(super) attempts: BTreeMap<String, Vec<Time>>,
    /// Keys of the webhooks that were answered with 2xx.
    pub(super) accepted: BTreeSet<String>,
    commands: u64,
}

#[derive(Clone)]
struct Webhook {
    source: &'static str,
    delivery: String,
    event: String,
    /// The asset that it is about, or a contact that may stand for one.
    about: String,
    /// The contact that belongs to the asset from now on.
    contact: Option<String>,
}

impl Webhook {
    fn key(&self) -> String {
        format!("{}#{}", self.source, self.delivery)
    }
}

impl Actors {
    /// One of them does something.
    pub(super) async fn act(&mut self, local: &Local, chance: &mut Chance, shape: &Shape, log: &Log) {
        let Some(flow) = chance.pick(&shape.flows) else { return };
        let asset = format!("asset:{}", chance.below(ASSETS));
        let contact = format!("contact:{}", chance.below(CONTACTS));
        match chance.below(20) {
            0..=4 => self.sends(local, chance, log, "cms", format!("{}.publish", flow.id), asset).await,
            5 => self.sends(local, chance, log, "cms", "all.publish".to_owned(), asset).await,
            6 => self.sends(local, chance, log, "cms", format!("{}.unpublish", flow.id), asset).await,
            7..=10 => {
                let outcome = chance.pick(&flow.outcomes).map_or("o0", |outcome| outcome.id.as_str());
                let what = if chance.one_in(5) { "failed" } else { "done" };
                let event = format!("{}.{outcome}.{what}", flow.id);
                let published = self.published(chance, flow).unwrap_or(asset);
                let about = if chance.one_in(4) { contact } else { published };
                self.sends(local, chance, log, "crm", event, about).await;
            }
            11 => {
                let Some(old) = chance.pick(&self.sent).cloned() else { return };
                self.posts(local, log, &old, "again").await;
            }
            _ => self.commands(local, chance, shape, log).await,
        }
    }

    /// An asset that was published for the flow; now and then none, so that what has no run is signalled about, too.
    fn published(&self, chance: &mut Chance, flow: &FlowShape) -> Option<String> {
        let trigger = format!("{}.publish", flow.id);
        let published: Vec<&Webhook> = self.sent.iter().filter(|it| it.event == trigger).collect();
        chance.pick(&published).filter(|_| !chance.one_in(4)).map(|it| it.about.clone())
    }

    /// A sender sends a webhook, up to three times, now and then at once.
    async fn sends(
        &mut self,
        local: &Local,
        chance: &mut Chance,
        log: &Log,
        source: &'static str,
        event: String,
        about: String,
    ) {
        let contact = (source == "cms" && chance.one_in(3)).then(|| chance.below(CONTACTS).to_string());
        let webhook = Webhook { source, delivery: self.sent.len().to_string(), event, about, contact };
        self.sent.push(webhook.clone());
        if chance.one_in(4) {
            let (one, other) = tokio::join!(post(local, &webhook), post(local, &webhook));
            self.told(local, log, &webhook, one, "with a double");
            self.told(local, log, &webhook, other, "the double");
        }
        for n in 0..=chance.below(5).saturating_sub(2) {
            self.posts(local, log, &webhook, if n == 0 { "" } else { "duplicate" }).await;
        }
    }

    /// Posts until it is taken, or the sender gives up.
    async fn posts(&mut self, local: &Local, log: &Log, webhook: &Webhook, how: &str) {
        for _ in 0..ATTEMPTS {
            let status = post(local, webhook).await;
            self.told(local, log, webhook, status, how);
            if status < 500 {
                return;
            }
        }
    }

    fn told(&mut self, local: &Local, log: &Log, webhook: &Webhook, status: u16, how: &str) {
        let (key, now) = (webhook.key(), local.stack.clock.now());
        assert!(status == 202 || status >= 500, "{key} was answered {status}");
        let links = webhook.contact.as_ref().map(|contact| format!("and contact:{contact} "));
        let about = format!("{} {}{how}", webhook.about, links.unwrap_or_default());
        log.say(now, &format!("{key} {} about {about} -> {status}", webhook.event));
        self.attempts.entry(key.clone()).or_default().push(now);
        if status == 202 {
            self.accepted.insert(key);
        }
    }

    /// A person does something with a run, most often with the newest; or two do it at once.
    async fn commands(&mut self, local: &Local, chance: &mut Chance, shape: &Shape, log: &Log) {
        let runs = stored_runs(local).await;
        let open: Vec<&Run> = runs.values().filter(|run| run.is_open() || chance.one_in(10)).collect();
        let Some(run) = chance.pick(&open) else { return };
        let Some(flow) = shape.flow(run) else { return };
        let Some((path, body)) = command(chance, flow, run) else { return };
        self.commands += 1;
        let key = format!("key-{}", self.commands);
        let person = chance.one_of(["ana", "ben", "cara"]);
        let path = format!("/v1/runs/{}/{path}", run.run);
        if chance.one_in(5) {
            tokio::join!(give(local, &path, &body, person, &key), give(local, &path, &body, person, &key));
        }
        for _ in 0..ATTEMPTS {
            let status = give(local, &path, &body, person, &key).await;
            log.say(local.stack.clock.now(), &format!("{person} POST {path} {body} -> {status}"));
            assert!(matches!(status, 200 | 404 | 409 | 422 | 500..), "{path} {body}: {status}");
            if status < 500 {
                break;
            }
        }
    }
}

async fn post(local: &Local, webhook: &Webhook) -> u16 {
    let mut body = json!({"delivery": webhook.delivery, "event": webhook.event, "about": webhook.about});
    if let Some(contact) = &webhook.contact {
        body["contact"] = json!(contact);
    }
    let headers = [header("content-type", "application/json"), header("x-forms-token", FORMS_TOKEN)];
    let path = format!("/hooks/{}", webhook.source);
    local.send("POST", &path, &headers, body.to_string().into_bytes()).await.0
}

async fn give(local: &Local, path: &str, body: &Value, person: &str, key: &str) -> u16 {
    let headers = [
        header("content-type", "application/json"),
        header("authorization", &format!("Local {person}")),
        header("idempotency-key", key),
    ];
    local.send("POST", path, &headers, body.to_string().into_bytes()).await.0
}

/// What somebody may want of a run.
fn command(chance: &mut Chance, flow: &FlowShape, run: &Run) -> Option<(String, Value)> {
    let reason = json!({"reason": "because"});
    let outcome = chance.pick(&flow.outcomes)?;
    let mut command = match chance.below(14) {
        0..=3 => ("acknowledge".to_owned(), json!({})),
        4 => {
            let to = format!("person:{}", chance.one_of(["ana", "ben", "cara", "dan"]));
            ("reassign".to_owned(), json!({"to": to, "reason": "because"}))
        }
        5 | 6 => {
            let path = format!("outcomes/{}/complete", outcome.id);
            (path, json!({"evidence": "https://example.com/evidence"}))
        }
        7 => (format!("outcomes/{}/fail", outcome.id), reason),
        8 if flow.pause => ("pause".to_owned(), reason),
        9 if flow.pause => ("resume".to_owned(), json!({})),
        8 | 9 => ("note".to_owned(), json!({"text": "looked at"})),
        10 if flow.checked && chance.one_in(2) => ("checks/editorial/pass".to_owned(), json!({})),
        10 if flow.routed => ("checks/attribution/pass".to_owned(), json!({})),
        10 => ("exceptions".to_owned(), reason),
        11 => {
            let open: Vec<_> = run.open_exceptions().collect();
            let id = &chance.pick(&open)?.id;
            (format!("exceptions/{id}/resolve"), json!({"resolution": "mended"}))
        }
        12 => ("close".to_owned(), reason),
        _ => ("cancel".to_owned(), reason),
    };
    if chance.one_in(3) {
        command.1["if_version"] = json!(run.version);
    }
    Some(command)
}
