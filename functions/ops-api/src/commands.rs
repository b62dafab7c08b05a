//! Commands of people to a run.

use meshline_aws::execute::{self, ExecuteError};
use meshline_aws::http::{self, Problem, Response};
use meshline_aws::{exception, telemetry};
use meshline_core::api::CommandFields;
use meshline_core::command::{Action, Command, Rejection};
use meshline_core::config::flow::{ExceptionKind, Party};
use meshline_core::flow_exception::FlowException;
use meshline_core::record::{Actor, ExceptionResolved};
use meshline_core::run::Run;
use meshline_core::view::{ExceptionView, RunView};
use serde_json::json;
use tracing::Instrument;

use crate::Call;

impl Call<'_> {
    /// `POST /v1/runs/{run}/…`: the run as it is afterwards.
    pub(crate) async fn command(&self, run: &str, rest: &[&str]) -> Result<Response, Problem> {
        let run = self.commanded(run, rest, self.fields()?).await?;
        Ok(http::json(200, &json!(RunView::of(&run, self.now))))
    }

    /// Gives a run the command that address and fields say: the run afterwards.
    pub(crate) async fn commanded(
        &self,
        run: &str,
        rest: &[&str],
        fields: CommandFields,
    ) -> Result<Run, Problem> {
        self.executed(run, rest, fields).instrument(telemetry::run_span(run)).await
    }

    async fn executed(&self, run: &str, rest: &[&str], fields: CommandFields) -> Result<Run, Problem> {
        let if_version = fields.if_version;
        let action = action(rest, fields)
            .ok_or_else(|| Problem::not_found(format!("POST {} is no command of a run", self.path())))??;
        let directory = self.app.config.fresh().await?.config.people();
        let actor = self.actor(&directory);
        let cause = self.cause(&actor);
        let command = Command { action, actor, if_version, cause };
        match execute::execute(self.app, run, &command, &directory, self.now).await {
            Ok(decision) => Ok(decision.run),
            Err(error) => Err(self.not_executed(run, error).await?),
        }
    }

    /// `POST /v1/flows/{flow}/exceptions/{exception}/resolve`: the exception as it is afterwards.
    pub(crate) async fn resolve_of_flow(&self, flow: &str, id: &str) -> Result<Response, Problem> {
        let exception = self.resolved_of_flow(flow, id, self.fields()?).await?;
        Ok(http::json(200, &json!(ExceptionView::of_flow(flow, &exception))))
    }

    /// Resolves an exception of a flow itself: the exception afterwards.
    pub(crate) async fn resolved_of_flow(
        &self,
        flow: &str,
        id: &str,
        fields: CommandFields,
    ) -> Result<FlowException, Problem> {
        let config = self.app.config.fresh().await?.config;
        let Some(flow) = config.flows.get(flow) else {
            return Err(Problem::not_found(format!("there is no flow `{flow}`")));
        };
        let resolved = ExceptionResolved {
            exception: id.to_owned(),
            resolution: fields.resolution.unwrap_or_default(),
            evidence: fields.evidence,
        };
        let actor = self.actor(&config.people());
        match exception::resolve(self.app, flow, &actor, &resolved, self.now).await {
            Ok(exception) => Ok(exception),
            Err(error) => Err(self.not_executed(id, error).await?),
        }
    }

    /// What must not act twice: the caller's idempotency key, which is nobody else's; else this very request, whose commit
    /// may succeed without our hearing of it, and is then tried again.
    fn cause(&self, caller: &Actor) -> Option<String> {
        let key = http::header(self.request, "idempotency-key");
        let key = key.map(|key| format!("key:{}:{key}", caller.id));
        key.or_else(|| self.request.request_context.request_id.as_ref().map(|id| format!("request:{id}")))
    }

    fn fields(&self) -> Result<CommandFields, Problem> {
        let body = http::body(self.request).map_err(|_| Problem::bad_request("the body is not base64"))?;
        if body.trim_ascii().is_empty() {
            return Ok(CommandFields::default());
        }
        serde_json::from_slice(&body).map_err(|error| Problem::bad_request(format!("the body: {error}")))
    }

    /// Why a command to `what` was not carried out.
    pub(crate) async fn not_executed(&self, what: &str, error: ExecuteError) -> Result<Problem, Problem> {
        match error {
            ExecuteError::NoRun(id) => Ok(Problem::not_found(format!("there is no run `{id}`"))),
            ExecuteError::Store(error) => Ok(error.into()),
            ExecuteError::Rejected(rejection) => self.refused(what, rejection).await,
        }
    }

    /// Why a command was refused; for a person who saw an older version, with what changed since.
    async fn refused(&self, run: &str, rejection: Rejection) -> Result<Problem, Problem> {
        let detail = rejection.to_string();
        Ok(match rejection {
            Rejection::Stale { seen, current } => {
                let changes = self.app.audit.trail(run, seen).await?;
                let title = "the run has changed since you saw it";
                let more = json!({"seen": seen, "current": current, "changes": changes});
                Problem::new(409, "stale-version", title, detail).with(more)
            }
            Rejection::Over { status } => Problem::new(409, "run-over", "the run is over", detail)
                .with(json!({"status_of_run": status})),
            Rejection::WrongState(_) => Problem::new(409, "wrong-state", "not in this state", detail),
            Rejection::Unknown { .. } => Problem::not_found(detail),
            Rejection::Invalid { field, .. } => {
                Problem::new(422, "invalid", "a field is missing or wrong", detail)
                    .with(json!({"field": field}))
            }
        })
    }
}

/// What the address and the fields ask for; `None` when the address is no command.
fn action(rest: &[&str], fields: CommandFields) -> Option<Result<Action, Problem>> {
    let reason = fields.reason.unwrap_or_default();
    let evidence = fields.evidence;
    Some(Ok(match rest {
        ["acknowledge"] => Action::Acknowledge,
        ["reassign"] => {
            let to = fields.to.unwrap_or_default();
            match to.parse::<Party>() {
                Ok(to) => Action::Reassign { to, reason: or_default(reason, "reassigned by hand") },
                Err(error) => {
                    let problem =
                        Problem::new(422, "invalid", "a field is missing or wrong", format!("`to`: {error}"));
                    return Some(Err(problem.with(json!({"field": "to"}))));
                }
            }
        }
        ["pause"] => Action::Pause(reason),
        ["resume"] => Action::Resume,
        ["note"] => Action::Note(fields.text.unwrap_or_default()),
        ["cancel"] => Action::Cancel(reason),
        ["close"] => Action::Close(reason),
        ["outcomes", outcome, "complete"] => {
            Action::CompleteOutcome { outcome: (*outcome).to_owned(), evidence: evidence.unwrap_or_default() }
        }
        ["outcomes", outcome, "fail"] => Action::FailOutcome { outcome: (*outcome).to_owned(), reason },
        ["checks", check, "pass"] => Action::PassCheck { check: (*check).to_owned(), evidence },
        ["checks", check, "fail"] => Action::FailCheck { check: (*check).to_owned(), reason },
        ["exceptions"] => {
            let kind = fields.kind.unwrap_or(ExceptionKind::Manual);
            Action::OpenException { kind, outcome: fields.outcome, reason }
        }
        ["exceptions", exception, "resolve"] => Action::ResolveException {
            exception: (*exception).to_owned(),
            resolution: fields.resolution.unwrap_or_default(),
            evidence,
        },
        _ => return None,
    }))
}

fn or_default(text: String, default: &str) -> String {
    if text.trim().is_empty() { default.to_owned() } else { text }
}
