//! What operators can look at.

use meshline_aws::http::{self, MAX_LIMIT, Problem, Response};
use meshline_aws::runs::List;
use meshline_aws::verify;
use meshline_core::api::{Moment, Page, Timeline, Verified};
use meshline_core::config::Config;
use meshline_core::config::flow::Flow;
use meshline_core::day::Day;
use meshline_core::flow_exception::FlowException;
use meshline_core::report::{self, SlaReport};
use meshline_core::run::Run;
use meshline_core::time::{Span, Time, TimeError};
use meshline_core::view::{ExceptionStatus, ExceptionView, RunView};
use serde_json::json;

use crate::Call;

/// Pages read from one index for one answer; a filter that finds little must not read for ever.
const MAX_PAGES: usize = 20;
/// Runs that a report looks at, the newest ones.
pub(crate) const MAX_REPORT_RUNS: usize = 10_000;
/// Entries of a history in an answer that names no limit: Lambda hands on 6 MB, and an entry takes about 1 KB.
const MAX_HISTORY: usize = 1_000;
/// What a report covers where neither the caller nor the flow's objective says.
pub(crate) const DEFAULT_WINDOW: Span = Span::days(60);

impl Call<'_> {
    pub(crate) fn time(&self, name: &str) -> Result<Option<Time>, Problem> {
        let time = self.query(name).map(|text| time_or_day(&text));
        time.transpose().map_err(|error| Problem::bad_request(format!("`{name}`: {error}")))
    }

    /// `GET /v1/runs`
    pub(crate) async fn runs(&self) -> Result<Response, Problem> {
        let (runs, cursor) = self.wanted_runs(MAX_PAGES).await?;
        let items: Vec<RunView> = runs.iter().map(|run| RunView::of(run, self.now)).collect();
        Ok(http::json(200, &json!(Page { items, cursor })))
    }

    /// The newest runs that the query asks for, found in so many pages of an index, and where the next page starts.
    pub(crate) async fn wanted_runs(&self, pages: usize) -> Result<(Vec<Run>, Option<String>), Problem> {
        let config = self.app.config.fresh().await?.config;
        let (flow, owner) = (self.query("flow"), self.query("owner"));
        let (client, status, overdue) = (self.query("client"), self.query("status"), self.query("overdue"));
        let suppressed = self.query("suppressed");
        let wanted = |run: &Run| {
            let is_asked = |asked: &Option<String>, is: bool| {
                asked.as_deref().is_none_or(|asked| (asked != "false") == is)
            };
            let is =
                |wanted: &Option<String>, found: Option<&str>| wanted.is_none() || wanted.as_deref() == found;
            let word = serde_json::to_value(run.status).unwrap_or_default();
            is(&flow, Some(&run.flow))
                && is(&owner, Some(&run.owner.id))
                && is(&client, run.client.as_deref())
                && is(&status, word.as_str())
                && is_asked(&overdue, run.is_overdue())
                && is_asked(&suppressed, run.suppressed)
        };
        let flows = one_or_all(flow.as_deref(), &config);
        let only_overdue = overdue.as_deref() == Some("true");
        let only_open =
            only_overdue || matches!(status.as_deref(), Some("awaiting_qa" | "active" | "verifying"));
        let lists = match &owner {
            Some(owner) if only_open => vec![List::Owner(owner)],
            Some(_) | None if only_overdue => flows.into_iter().map(List::Overdue).collect(),
            Some(_) | None => flows.into_iter().map(List::Flow).collect(),
        };
        self.newest(&lists, &wanted, http::limit(self.request)?, pages).await
    }

    /// The newest runs of several lists that `wanted` wants, and where the next page starts.
    async fn newest(
        &self,
        lists: &[List<'_>],
        wanted: &(dyn Fn(&Run) -> bool + Sync),
        limit: usize,
        pages: usize,
    ) -> Result<(Vec<Run>, Option<String>), Problem> {
        let start = self.query("cursor");
        let (mut runs, mut unread) = (Vec::new(), None::<String>);
        for list in lists {
            let (mut cursor, mut found) = (start.clone(), 0);
            for n in 0..pages {
                // Without a filter that leaves something out, the first page is enough.
                let size = if n == 0 { limit + 1 } else { MAX_LIMIT };
                let page = self.app.runs.list(list, size as i32, cursor.as_deref()).await?;
                let before = runs.len();
                runs.extend(page.runs.into_iter().filter(|run| wanted(run)));
                found += runs.len() - before;
                cursor = page.cursor;
                if cursor.is_none() || found > limit {
                    break;
                }
            }
            // The newest point from which a list was not read on: what is older is for the next page.
            unread = unread.max(cursor);
        }
        let position = |run: &Run| format!("{}_{}", run.opened_at, run.run);
        runs.sort_by_key(|run| std::cmp::Reverse(position(run)));
        runs.retain(|run| unread.as_ref().is_none_or(|unread| position(run) >= *unread));
        if runs.len() > limit {
            runs.truncate(limit);
            unread = runs.last().map(position);
        }
        Ok((runs, unread))
    }

    pub(crate) async fn loaded(&self, run: &str) -> Result<Run, Problem> {
        let found = self.app.runs.load(run).await?;
        found.ok_or_else(|| Problem::not_found(format!("there is no run `{run}`")))
    }

    /// `GET /v1/runs/{run}`
    pub(crate) async fn run(&self, run: &str) -> Result<Response, Problem> {
        Ok(http::json(200, &json!(RunView::of(&self.loaded(run).await?, self.now))))
    }

    /// Which part of a history is wanted: after how many entries, and at most how many.
    fn part(&self) -> Result<(u64, usize), Problem> {
        let after = self.query("cursor").map_or(Ok(0), |cursor| cursor.parse());
        let after = after.map_err(|_| Problem::bad_request("`cursor` is none of this list"))?;
        let most = self.query("limit").map_or(Ok(MAX_HISTORY), |_| http::limit(self.request))?;
        Ok((after, most))
    }

    /// `GET /v1/runs/{run}/audit`: all of it, up to a number that an answer can hold; the rest by its cursor.
    pub(crate) async fn trail(&self, run: &str) -> Result<Response, Problem> {
        let (after, most) = self.part()?;
        let mut records = self.app.audit.trail(run, after).await?;
        if records.is_empty() && after == 0 {
            return Err(Problem::not_found(format!("there is no run `{run}`")));
        }
        match self.query("format").as_deref() {
            None | Some("json") => {
                let is_cut = records.len() > most;
                records.truncate(most);
                let cursor = records.last().filter(|_| is_cut).map(|last| last.seq.to_string());
                Ok(http::json(200, &json!(Page { items: records, cursor })))
            }
            Some("jsonl") => {
                let lines: String = records.iter().map(|record| format!("{}\n", json!(record))).collect();
                Ok(http::text(200, "application/jsonl", lines))
            }
            Some(_) => Err(Problem::bad_request("`format` is `json` or `jsonl`")),
        }
    }

    /// `GET /v1/runs/{run}/audit/verify`
    pub(crate) async fn verify(&self, run: &str) -> Result<Response, Problem> {
        let found = verify::verify(self.app, run).await?;
        if found.records == 0 && found.fault.is_none() {
            return Err(Problem::not_found(format!("there is no run `{run}`")));
        }
        let (records, fault) = (found.records, found.fault);
        Ok(http::json(200, &json!(Verified { valid: fault.is_none(), records, fault })))
    }

    /// `GET /v1/audit?flow=&day=`: every record of a flow on a day, as it is stored.
    pub(crate) async fn records(&self) -> Result<Response, Problem> {
        let flow = self.query("flow").ok_or_else(|| Problem::bad_request("say which: `?flow=ID`"))?;
        let day = self.query("day").ok_or_else(|| Problem::bad_request("say when: `&day=2026-11-23`"))?;
        let day: Day = day.parse().map_err(|error| Problem::bad_request(format!("`day`: {error}")))?;
        let cursor = self.query("cursor");
        let page =
            self.app.audit.of_flow_day(&flow, day, http::limit(self.request)?, cursor.as_deref()).await?;
        Ok(http::json(200, &json!(Page { items: page.records, cursor: page.cursor })))
    }

    /// `GET /v1/subjects/{subject}/timeline`: events of every system and all decisions on one asset, in order.
    pub(crate) async fn timeline(&self, subject: &str) -> Result<Response, Problem> {
        let (after, most) = self.part()?;
        let moments = self.moments(subject).await?;
        let begin = usize::try_from(after).unwrap_or(usize::MAX).min(moments.len());
        let end = begin.saturating_add(most).min(moments.len());
        let cursor = (end < moments.len()).then(|| end.to_string());
        let items = moments.into_iter().skip(begin).take(most).collect();
        Ok(http::json(200, &json!(Timeline { subject: subject.to_owned(), items, cursor })))
    }

    /// What happened about one asset, in order.
    pub(crate) async fn moments(&self, subject: &str) -> Result<Vec<Moment>, Problem> {
        let events = self.app.events.of_subject(subject).await?;
        let mut moments: Vec<Moment> = events.into_iter().map(Moment::of_event).collect();
        for run in self.app.runs.of_subject(subject).await? {
            moments.extend(self.app.audit.trail(&run.run, 0).await?.into_iter().map(Moment::of_record));
        }
        moments.sort_by_key(Moment::at);
        Ok(moments)
    }

    /// `GET /v1/exceptions?status=&flow=&group=`
    pub(crate) async fn exceptions(&self) -> Result<Response, Problem> {
        let status = match self.query("status").as_deref() {
            None => None,
            Some("open") => Some(ExceptionStatus::Open),
            Some("resolved") => Some(ExceptionStatus::Resolved),
            Some(_) => return Err(Problem::bad_request("`status` is `open` or `resolved`")),
        };
        let (items, cursor) = self.wanted_exceptions(status).await?;
        Ok(http::json(200, &json!(Page { items, cursor })))
    }

    /// The exceptions of a status, or of any, that the query asks for, newest first, and where the next page starts.
    pub(crate) async fn wanted_exceptions(
        &self,
        status: Option<ExceptionStatus>,
    ) -> Result<(Vec<ExceptionView>, Option<String>), Problem> {
        let config = self.app.config.fresh().await?.config;
        let group = self.query("group");
        let flow = self.query("flow").or_else(|| Some(group.as_ref()?.split('/').next()?.to_owned()));
        let flows = one_or_all(flow.as_deref(), &config);
        let is_wanted = |item: &ExceptionView| {
            status.is_none_or(|status| item.status == status)
                && group.as_ref().is_none_or(|group| item.group == *group)
        };
        let of_run = |run: &Run| -> Vec<ExceptionView> {
            let views = run.exceptions.iter().map(|exception| ExceptionView::of(run, exception));
            views.filter(is_wanted).collect()
        };
        let of_flows = flows.iter().copied();
        let lists: Vec<List<'_>> = match status {
            Some(ExceptionStatus::Open) => of_flows.flat_map(List::excepted).collect(),
            Some(ExceptionStatus::Resolved) | None => of_flows.map(List::Flow).collect(),
        };
        let (runs, cursor) = self
            .newest(&lists, &|run| !of_run(run).is_empty(), http::limit(self.request)?, MAX_PAGES)
            .await?;
        let mut items: Vec<ExceptionView> = runs.iter().flat_map(of_run).collect();
        if self.query("cursor").is_none() {
            for flow in flows {
                let of_flow: Vec<FlowException> = self.app.watches.exceptions_of(flow).await?;
                let views = of_flow.iter().map(|exception| ExceptionView::of_flow(flow, exception));
                items.extend(views.filter(is_wanted));
            }
        }
        items.sort_by_key(|item| std::cmp::Reverse(item.opened_at));
        Ok((items, cursor))
    }

    /// `GET /v1/rejections`
    pub(crate) async fn rejections(&self) -> Result<Response, Problem> {
        let items = self.app.events.rejections(http::limit(self.request)?, self.now).await?;
        Ok(http::json(200, &json!(Page::whole(items))))
    }

    /// `GET /v1/reports/sla?flow=&by=&from=&to=`
    pub(crate) async fn sla_report(&self) -> Result<Response, Problem> {
        if let Some(by) = self.query("by") {
            return self.grouped_report(&by).await;
        }
        let which = "say which: `?flow=ID`, or `?by=client` or `?by=owner` for all of them";
        let id = self.query("flow").ok_or_else(|| Problem::bad_request(which))?;
        let config = self.app.config.fresh().await?.config;
        let flow =
            config.flows.get(&id).ok_or_else(|| Problem::not_found(format!("there is no flow `{id}`")))?;
        Ok(http::json(200, &json!(self.sla(&flow.document, MAX_REPORT_RUNS).await?)))
    }

    /// How many promises of `flow` were kept in the window that the query asks for, in its newest `most` runs.
    pub(crate) async fn sla(&self, flow: &Flow, most: usize) -> Result<SlaReport, Problem> {
        let window = flow.objective.as_ref().map_or(DEFAULT_WINDOW, |objective| objective.window);
        // What was opened at this very moment belongs to the report.
        let to = self.time("to")?.unwrap_or(self.now + Span::from_ms(1));
        let from = self.time("from")?.unwrap_or(to - window);
        let mut runs = Vec::new();
        self.app.runs.opened_since(&flow.id, from, most, |run| runs.push(run)).await?;
        Ok(report::sla(flow, &runs, from, to, self.now))
    }
}

/// A time, or a day, which is its start.
pub(crate) fn time_or_day(text: &str) -> Result<Time, TimeError> {
    let day = format!("{text}T00:00:00Z");
    if text.len() == 10 { day.parse() } else { text.parse() }
}

pub(crate) fn one_or_all<'a>(flow: Option<&'a str>, config: &'a Config) -> Vec<&'a str> {
    match flow {
        Some(flow) => vec![flow],
        None => config.flows.keys().map(String::as_str).collect(),
    }
}
