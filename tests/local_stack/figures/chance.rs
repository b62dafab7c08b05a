//! What happens to runs by chance; the same for the same seed.

use meshline_core::time::Span;
use meshline_tests::senders::FORMS_TOKEN;
use meshline_tests::{Local, campaign_tag, header};
use serde_json::{Value, json};

/// The runs that something happens to, the newest.
const YOUNG: usize = 120;

/// Chance, and the runs that it plays with.
pub(crate) struct Chance {
    state: u64,
    runs: Vec<Opened>,
    deliveries: usize,
}

struct Opened {
    flow: &'static str,
    asset: String,
    run: String,
}

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        Self { state: seed, runs: Vec::new(), deliveries: 0 }
    }

    /// A number below `n`: xorshift64*.
    fn below(&mut self, n: u64) -> u64 {
        self.state ^= self.state >> 12;
        self.state ^= self.state << 25;
        self.state ^= self.state >> 27;
        (self.state.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) % n
    }

    /// So many triggers arrive, of one flow and the other in turn.
    pub(crate) async fn opens(&mut self, local: &Local, n: usize) {
        let first = self.runs.len();
        for n in first..first + n {
            let asset = format!("asset-{n}");
            if n % 2 == 0 {
                assert_eq!(local.publish(&asset).await.0, 202);
            } else {
                self.form(local, "form.submitted", &asset).await;
            }
        }
        local.settle().await;
        for (flow, before) in [("blog-launch", "contentful:"), ("lead-form", "")] {
            for run in
                local.get(&format!("/v1/runs?flow={flow}&limit={n}")).await["items"].as_array().unwrap()
            {
                let run = |member: &str| run[member].as_str().unwrap().to_owned();
                let asset = run("subject")[before.len()..].to_owned();
                if self.runs.iter().all(|known| known.asset != asset) {
                    self.runs.push(Opened { flow, asset, run: run("run") });
                }
            }
        }
        assert_eq!(self.runs.len(), first + n);
        self.runs[first..].sort_by(|one, other| one.asset.cmp(&other.asset));
    }

    /// An hour's worth of signals and people, for about half of the runs that are young. What is refused is refused.
    pub(crate) async fn acts(&mut self, local: &Local) {
        let young = self.runs.len().saturating_sub(YOUNG)..self.runs.len();
        for n in young {
            let Opened { flow, asset, run } = &self.runs[n];
            let (flow, asset, run) = (*flow, asset.clone(), run.clone());
            let late = json!(local.stack.clock.now() - Span::hours(3)).as_str().map(millis);
            match (self.below(16), flow) {
                (0 | 1, _) => self.command(local, &run, "acknowledge", json!({})).await,
                (2, _) => {
                    self.command(local, &run, "reassign", json!({"to": "person:cleo", "reason": "x"})).await
                }
                (3, _) if self.below(3) == 0 => {
                    self.command(local, &run, "exceptions", json!({"reason": "something is wrong"})).await;
                }
                (4, _) => self.resolves(local, &run).await,
                (5, _) if self.below(4) == 0 => {
                    self.command(local, &run, "cancel", json!({"reason": "x"})).await
                }
                (6, _) => self.command(local, &run, "close", json!({"reason": "x"})).await,
                (7, "blog-launch") => {
                    self.command(local, &run, "outcomes/crm-tag/fail", json!({"reason": "x"})).await;
                }
                (7, _) => self.command(local, &run, "outcomes/answered/fail", json!({"reason": "x"})).await,
                (8 | 9, "lead-form") => self.form(local, "form.answered", &asset).await,
                (8 | 9, _) => _ = local.hubspot(&asset, &[campaign_tag()]).await,
                (10, "blog-launch") => {
                    _ = local.hubspot(&asset, &[json!({"subscriptionType": "email.sent"})]).await
                }
                // On its way for three hours: what it tells of may have been in time.
                (11, "blog-launch") => {
                    let sent = json!({"subscriptionType": "email.sent", "occurredAt": late});
                    let mut tagged = campaign_tag();
                    tagged["occurredAt"] = json!(late);
                    local.hubspot(&asset, &[sent, tagged]).await;
                }
                (12, "blog-launch") => {
                    let evidence = json!({"evidence": "https://drive.example.com/deck"});
                    self.command(local, &run, "outcomes/sales-deck/complete", evidence).await;
                }
                _ => {}
            }
        }
        local.settle().await;
    }

    async fn form(&mut self, local: &Local, event: &str, asset: &str) {
        self.deliveries += 1;
        let body =
            json!({"delivery": self.deliveries.to_string(), "event": event, "asset": asset, "title": asset});
        let headers = [header("content-type", "application/json"), header("x-forms-token", FORMS_TOKEN)];
        let answer = local.send("POST", "/hooks/forms", &headers, body.to_string().into_bytes()).await;
        assert_eq!(answer.0, 202, "{}", answer.1);
    }

    async fn command(&self, local: &Local, run: &str, path: &str, body: Value) {
        let (status, answer) = local.post(&format!("/v1/runs/{run}/{path}"), &body).await;
        assert!(matches!(status, 200 | 409 | 422), "{path}: {answer}");
    }

    async fn resolves(&self, local: &Local, run: &str) {
        let exceptions = local.get(&format!("/v1/runs/{run}")).await["exceptions"].take();
        let open = exceptions.as_array().unwrap().iter().find(|it| it["status"] == "open");
        if let Some(id) = open.and_then(|it| it["id"].as_str()) {
            self.command(local, run, &format!("exceptions/{id}/resolve"), json!({"resolution": "x"})).await;
        }
    }
}

/// A time as HubSpot writes it.
fn millis(text: &str) -> i64 {
    text.parse::<meshline_core::time::Time>().unwrap().unix_ms()
}
