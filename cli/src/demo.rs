//! `meshline up --demo`: from a publish to an escalation, a ticket and its resolution, narrated.

use anyhow::{Context, bail};
use meshline_core::time::{Span, Time};
use meshline_local::Stack;
use meshline_sources::{contentful, hubspot};
use serde_json::{Value, json};

use crate::screen::say;
use crate::up::{EXAMPLE_SECRETS, call};

/// The story's asset.
const ASSET: &str = "5KsDBWseXY6";

/// The story, and where it has come to.
struct Story<'a> {
    stack: &'a Stack,
    url: &'a str,
}

/// Plays the story; the stack stays as it leaves it.
pub(crate) async fn play(stack: &Stack, url: &str) -> anyhow::Result<()> {
    let story = Story { stack, url };
    say("");
    let run = story.publish().await?;
    story.verified_by_the_crm(&run).await?;
    story.missed(&run).await?;
    story.recovered(&run).await?;
    story.left_over().await?;
    story.proof(&run).await
}

impl Story<'_> {
    fn say(&self, text: &str) {
        let now: Time = self.stack.clock.now();
        let minute: String = now.to_string().replace('T', " ").chars().take(16).collect();
        say(&format!("{minute}  {text}"));
    }

    fn detail(&self, text: &str) {
        say(&format!("                  {text}"));
    }

    /// A publish in Contentful, delivered twice.
    async fn publish(&self) -> anyhow::Result<String> {
        let body = self.contentful_entry().to_string();
        let headers = [
            ("X-Contentful-Topic", "ContentManagement.Entry.publish"),
            ("Content-Type", "application/vnd.contentful.management.v1+json"),
        ];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let secret = secret("contentful-current");
        let address = format!("{}/hooks/contentful", self.url);
        let now = self.stack.clock.now();
        let signed = contentful::sign(secret, "POST", &address, &headers, body.as_bytes(), now);
        self.say("Contentful publishes \"Spring launch\", a blog post, and signs its webhook");
        let first = self.post("/hooks/contentful", &signed, &body).await?;
        let second = self.post("/hooks/contentful", &signed, &body).await?;
        let duplicate = |answer: &Value| answer.pointer("/events/0/duplicate").cloned().unwrap_or_default();
        self.detail(&format!(
            "202, duplicate: {}; delivered again: duplicate: {}",
            duplicate(&first),
            duplicate(&second)
        ));
        self.stack.settle().await?;
        let runs = self.get("/v1/runs?flow=blog-launch&limit=1").await?;
        let run = runs.pointer("/items/0").context("no run was opened")?;
        let id = text(run, "/run").to_owned();
        self.say(&format!("a run is open: {id}"));
        self.detail(&format!(
            "owner {}, to be acknowledged by {}",
            text(run, "/owner/id"),
            text(run, "/acknowledgement/due_at")
        ));
        for outcome in run.pointer("/outcomes").and_then(Value::as_array).into_iter().flatten() {
            let due = outcome.get("due_at").and_then(Value::as_str).unwrap_or("waits for crm-tag");
            self.detail(&format!("expects {:<14} {due}", text(outcome, "/id")));
        }
        let asked = self.messages("requests").await?;
        let payload = asked.last().and_then(|asked| asked.pointer("/body/data/payload").cloned());
        self.detail(&format!("asked the CRM automation through SQS: {}", payload.unwrap_or_default()));
        Ok(id)
    }

    /// The owner acknowledges, and the CRM's own webhook verifies the first outcome.
    async fn verified_by_the_crm(&self, run: &str) -> anyhow::Result<()> {
        self.advance(Span::minutes(10)).await?;
        self.command("ana", &format!("/v1/runs/{run}/acknowledge"), &json!({})).await?;
        self.say("ana acknowledges; the SLA clocks run on");
        self.advance(Span::minutes(30)).await?;
        let change = json!({"subscriptionType": "contact.propertyChange", "propertyName": "campaign_tag", "propertyValue": "spring"});
        self.hubspot(&change).await?;
        self.say("HubSpot's webhook shows the campaign tag: crm-tag is verified in time, sales-deck's clock starts");
        Ok(())
    }

    /// The second outcome does not come.
    async fn missed(&self, run: &str) -> anyhow::Result<()> {
        self.advance(Span::hours(6)).await?;
        let run = self.get(&format!("/v1/runs/{run}")).await?;
        let breached =
            run.pointer("/outcomes/1/breached_at").and_then(Value::as_str).context("no breach was found")?;
        self.say(&format!("nurture-email did not come: breached at {breached}"));
        for message in self.messages("escalations").await? {
            let told =
                message.pointer("/body/data/notify").and_then(Value::as_array).cloned().unwrap_or_default();
            let names: Vec<&str> = told.iter().map(|who| text(who, "/name")).collect();
            self.detail(&format!(
                "escalated through SQS to {}, severity {}",
                names.join(" and "),
                text(&message, "/body/data/severity")
            ));
        }
        for message in self.messages("exceptions").await? {
            let ticket = |name: &str| text(&message, &format!("/body/data/{name}")).to_owned();
            self.detail(&format!(
                "ticket {} for {}, to be recovered by {}",
                ticket("exception"),
                ticket("owner"),
                ticket("recovery_due_at")
            ));
            self.detail(&format!("playbook {}", ticket("playbook")));
        }
        Ok(())
    }

    /// The signal comes late, and the last outcome by hand.
    async fn recovered(&self, run: &str) -> anyhow::Result<()> {
        self.advance(Span::hours(1)).await?;
        self.hubspot(&json!({"subscriptionType": "email.sent"})).await?;
        self.say("HubSpot reports the e-mail after all: done, but late; the ticket resolves itself");
        self.advance(Span::hours(3)).await?;
        let evidence = json!({"evidence": "https://drive.example.com/spring-deck"});
        self.command("ana", &format!("/v1/runs/{run}/outcomes/sales-deck/complete"), &evidence).await?;
        let run = self.get(&format!("/v1/runs/{run}")).await?;
        self.say(&format!(
            "ana completes sales-deck with a link as evidence: the run is {}",
            text(&run, "/status")
        ));
        Ok(())
    }

    /// A lead that nobody answers: somebody who opens the console has something to do.
    async fn left_over(&self) -> anyhow::Result<()> {
        let form = json!({
            "event": "form.submitted", "delivery": "demo", "asset": "form:demo", "title": "Demo request, Nordlicht GmbH",
        });
        let headers = [("x-forms-token", secret("forms-token")), ("content-type", "application/json")];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
        self.post("/hooks/forms", &headers, &form.to_string()).await?;
        self.stack.settle().await?;
        self.advance(Span::hours(5)).await?;
        self.say("a lead form of five hours ago has no answer: it is late, and left for you to find");
        Ok(())
    }

    /// The trail, and the report.
    async fn proof(&self, run: &str) -> anyhow::Result<()> {
        say("");
        let trail = self.get(&format!("/v1/runs/{run}/audit")).await?;
        for record in trail.pointer("/items").and_then(Value::as_array).into_iter().flatten() {
            let hash: String = text(record, "/hash").chars().take(8).collect();
            let seq = record.get("seq").and_then(Value::as_u64).unwrap_or_default();
            let actor = format!("{} {}", text(record, "/actor/type"), text(record, "/actor/id"));
            say(&format!(
                "  {seq:>3}  {}  {:<20} {actor:<20} {hash}",
                text(record, "/at"),
                text(record, "/kind")
            ));
        }
        let verified = self.get(&format!("/v1/runs/{run}/audit/verify")).await?;
        if verified.get("valid") != Some(&Value::Bool(true)) {
            bail!("the trail is broken: {verified}");
        }
        let records = trail.pointer("/items").and_then(Value::as_array).map_or(0, Vec::len);
        say(&format!("trail verified: {records} records, unbroken from the first to the run's head"));
        let report = self.get("/v1/reports/sla?flow=blog-launch").await?;
        let figure = |pointer: &str| report.pointer(pointer).map(Value::to_string).unwrap_or_default();
        say(&format!(
            "report blog-launch: {} trigger, {} met, {} missed, {} pending; mean time to remediation {} s; exceptions {} opened, {} open",
            figure("/triggers"),
            figure("/met"),
            figure("/missed"),
            figure("/pending"),
            figure("/mean_time_to_remediation_s"),
            figure("/exceptions/opened"),
            figure("/exceptions/open"),
        ));
        say(&format!(
            "\nthe stack stays up at {}: open it in a browser, or look around with `meshline runs`, `meshline audit show {run}`; stop with Ctrl-C",
            self.url
        ));
        Ok(())
    }

    fn contentful_entry(&self) -> Value {
        let link = |kind: &str, id: &str| json!({"sys": {"type": "Link", "linkType": kind, "id": id}});
        json!({
            "sys": {
                "type": "Entry", "id": ASSET, "space": link("Space", "acme"), "environment": link("Environment", "master"),
                "contentType": link("ContentType", "blogPost"), "updatedBy": link("User", "author-1"), "revision": 1,
                "updatedAt": self.stack.clock.now(),
            },
            "fields": {"title": {"en-US": "Spring launch"}, "campaign": {"en-US": "spring"}},
        })
    }

    /// One batch of HubSpot's, of one event.
    async fn hubspot(&self, event: &Value) -> anyhow::Result<()> {
        let now = self.stack.clock.now();
        let mut full = json!({"portalId": 62515, "subscriptionId": 1, "objectId": 901, "occurredAt": now.unix_ms(), "asset_id": ASSET, "attemptNumber": 0});
        if let (Some(members), Some(more)) = (full.as_object_mut(), event.as_object()) {
            members.extend(more.clone());
        }
        let body = json!([full]).to_string();
        let address = format!("{}/hooks/hubspot", self.url);
        let mut headers = hubspot::sign(secret("hubspot-current"), "POST", &address, body.as_bytes(), now);
        headers.push(("content-type".to_owned(), "application/json".to_owned()));
        self.post("/hooks/hubspot", &headers, &body).await?;
        self.stack.settle().await?;
        Ok(())
    }

    async fn advance(&self, by: Span) -> anyhow::Result<()> {
        self.stack.advance_to(self.stack.clock.now() + by).await?;
        Ok(())
    }

    async fn messages(&self, queue: &str) -> anyhow::Result<Vec<Value>> {
        let found = self.get(&format!("/_local/queues/{queue}")).await?;
        Ok(found.pointer("/messages").and_then(Value::as_array).cloned().unwrap_or_default())
    }

    async fn command(&self, person: &str, path: &str, body: &Value) -> anyhow::Result<()> {
        let headers =
            [("authorization", format!("Local {person}")), ("content-type", "application/json".to_owned())];
        let headers = headers.map(|(name, value)| (name.to_owned(), value));
        self.post(path, &headers, &body.to_string()).await?;
        self.stack.settle().await?;
        Ok(())
    }

    async fn get(&self, path: &str) -> anyhow::Result<Value> {
        self.answered("GET", path, call(self.stack, "GET", path, &[], Vec::new()).await?)
    }

    async fn post(&self, path: &str, headers: &[(String, String)], body: &str) -> anyhow::Result<Value> {
        self.answered("POST", path, call(self.stack, "POST", path, headers, body.as_bytes().to_vec()).await?)
    }

    fn answered(&self, method: &str, path: &str, answer: (u16, Value)) -> anyhow::Result<Value> {
        match answer {
            (200..=299, value) => Ok(value),
            (status, value) => bail!("{method} {path} answered {status}: {value}"),
        }
    }
}

fn secret(name: &str) -> &'static str {
    EXAMPLE_SECRETS.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| value)
}

/// The text at a JSON pointer; empty where there is none.
fn text<'v>(value: &'v Value, pointer: &str) -> &'v str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}
