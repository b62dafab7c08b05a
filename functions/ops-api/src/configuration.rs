//! Flows, sources, calendars and the directory: planned, applied and shown.

use meshline_aws::config::too_large;
use meshline_aws::http::{self, Problem, Response};
use meshline_aws::watch::{Seen, Watch};
use meshline_aws::{StoreError, execute, rotation};
use meshline_core::api::{Applied, Files, FlowItem, FlowVersion, Note, Page};
use meshline_core::config::flow::Flow;
use meshline_core::config::source::Source;
use meshline_core::config::{Action, Config, File, Kind, Plan, Versioned};
use meshline_core::duties::Duties;
use meshline_core::record::{Fact, FlowApplied};
use meshline_core::silence::Silence;
use serde_json::json;

use crate::Call;

/// How often a plan is made again because somebody else applied meanwhile.
const ATTEMPTS: usize = 3;

impl Call<'_> {
    /// `PUT /v1/config`: adds and updates; what is not in it stays.
    pub(crate) async fn configure(&self) -> Result<Response, Problem> {
        let files = self.files()?;
        let dry_run = self.query("dry_run").is_some_and(|value| value != "false");
        for _ in 0..ATTEMPTS {
            let before = self.app.config.fresh().await?.config;
            let plan = self.plan(&before, &files)?;
            if let Some(why) = too_large(&before, &plan) {
                return Err(Problem::new(422, "too-many-changes", "too much at once", why));
            }
            if dry_run {
                return Ok(planned(&plan, false, before.generation));
            }
            let actor = self.actor(&plan.next.people());
            let mut more = Vec::new();
            for change in
                plan.changes.iter().filter(|c| c.kind == Kind::Flow && c.action != Action::Unchanged)
            {
                let Some(flow) = plan.next.flows.get(&change.id) else { continue };
                let fact = Fact::FlowApplied(FlowApplied { diff: change.diff.clone() });
                let record =
                    execute::flow_record(self.app, flow, actor.clone(), fact, None, self.now).await?;
                more.push(self.app.audit.put(&record)?);
                let watch = Watch::Duties(change.id.clone());
                let seen: Option<Seen<Duties>> = self.app.watches.load(&watch).await?;
                let duties = Duties::applied(seen.as_ref().map(|seen| &seen.value), self.now);
                more.push(self.app.watches.put(&watch, seen.as_ref(), &duties)?);
                if flow.document.expect.is_some() {
                    let watch = Watch::Silence(change.id.clone());
                    let seen: Option<Seen<Silence>> = self.app.watches.load(&watch).await?;
                    let expected =
                        before.flows.get(&change.id).is_some_and(|flow| flow.document.expect.is_some());
                    let silence = Silence::applied(
                        seen.as_ref().filter(|_| expected).map(|seen| &seen.value),
                        self.now,
                    );
                    more.push(self.app.watches.put(&watch, seen.as_ref(), &silence)?);
                }
            }
            more.extend(rotation::begun(self.app, &before, &plan.next, self.now).await?);
            match self.app.config.apply(&before, &plan, more, self.now).await {
                Ok(()) => {
                    let generation = self.app.config.fresh().await?.config.generation;
                    return Ok(planned(&plan, true, generation));
                }
                Err(StoreError::Moved { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Problem::unavailable("somebody else applies at the same time"))
    }

    /// What applying `files` to what is in force would do.
    pub(crate) fn plan(&self, before: &Config, files: &[File]) -> Result<Plan, Problem> {
        before.plan(files, &check_source, self.now).map_err(|problems| {
            let detail = format!("{} to mend; nothing was applied", problems.len());
            let title = "the configuration has problems";
            Problem::new(422, "bad-configuration", title, detail).with(json!({"problems": problems}))
        })
    }

    /// The files of the body; one that is no JSON is one file.
    pub(crate) fn files(&self) -> Result<Vec<File>, Problem> {
        let body = http::body(self.request).map_err(|_| Problem::bad_request("the body is not base64"))?;
        let text = String::from_utf8(body).map_err(|_| Problem::bad_request("the body is not UTF-8 text"))?;
        let content_type = http::header(self.request, "content-type").unwrap_or_default();
        if content_type.starts_with("application/json") {
            let files = serde_json::from_str::<Files>(&text).map(|files| files.files);
            return files.map_err(|error| {
                Problem::bad_request(format!(
                    "write {{\"files\": [{{\"name\", \"text\"}}]}}, or send YAML: {error}"
                ))
            });
        }
        Ok(vec![File { name: "request body".to_owned(), text }])
    }

    /// `GET /v1/flows`
    pub(crate) async fn flows(&self) -> Result<Response, Problem> {
        let config = self.app.config.fresh().await?.config;
        let item = |flow: &Versioned<Flow>| {
            let Flow { id, title, client, owner, backup_owner, outcomes, .. } =
                flow.document.as_ref().clone();
            let outcomes = outcomes.into_iter().map(|outcome| outcome.id).collect();
            let (version, hash) = (flow.version, flow.hash.clone());
            FlowItem { id, title, client, version, hash, owner, backup_owner, outcomes }
        };
        Ok(http::json(200, &json!(Page::whole(config.flows.values().map(item).collect()))))
    }

    /// `GET /v1/flows/{id}?version=`
    pub(crate) async fn flow(&self, id: &str) -> Result<Response, Problem> {
        let config = self.app.config.fresh().await?.config;
        let unknown = || Problem::not_found(format!("there is no flow `{id}` of that version"));
        let current = config.flows.get(id).ok_or_else(unknown)?;
        let wanted = match self.query("version") {
            None => current.version,
            Some(text) => {
                text.parse().map_err(|_| Problem::bad_request("`version` is not a whole number"))?
            }
        };
        if wanted == 0 || wanted > current.version {
            return Err(unknown());
        }
        let flow = self.app.config.flow(id, wanted).await?;
        let Versioned { version, hash, document } = flow.as_ref().clone();
        Ok(http::json(200, &json!(FlowVersion { id: id.to_owned(), version, hash, definition: &document })))
    }
}

fn check_source(source: &Source) -> Vec<(String, String, String)> {
    let problems = meshline_sources::problems(source).into_iter();
    problems.map(|problem| (problem.field.to_owned(), problem.reason, problem.mend)).collect()
}

fn planned(plan: &Plan, applied: bool, generation: u64) -> Response {
    let (changes, notes) = (plan.changes.clone(), notes(plan));
    http::json(200, &json!(Applied { applied, generation, changes, notes }))
}

/// What is to be known of the sources in the plan: those whose senders lose what is not taken at once.
fn notes(plan: &Plan) -> Vec<Note> {
    let sources = plan.changes.iter().filter(|change| change.kind == Kind::Source);
    let lossy = sources.filter_map(|change| {
        let source = plan.next.sources.get(&change.id)?;
        let text = meshline_sources::facts(source.document.provider).lossy?;
        Some(Note { kind: Kind::Source, id: change.id.clone(), text })
    });
    lossy.collect()
}
