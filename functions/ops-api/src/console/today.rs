//! `GET /`: what needs somebody now.

use std::collections::BTreeMap;

use futures_util::future::try_join_all;
use maud::{Markup, html};
use meshline_aws::due::{Due, Subject};
use meshline_aws::http::{Problem, Response};
use meshline_aws::runs::List;
use meshline_core::flow_exception::FlowException;
use meshline_core::run::{OutcomeStatus, Run};
use meshline_core::time::{Span, Time};
use meshline_core::view::ExceptionView;

use super::layout::Tab;
use super::reader::{Frame, Reader, foreign};
use super::words::{self, count, encoded};
use crate::Call;

/// What is due within this time is due soon.
const SOON: Span = Span::hours(24);
/// Runs that are looked at, those that are due next; and those with an open exception, of each flow the newest.
const MAX_RUNS: usize = 100;
/// How many entries of each partition are read to find them.
const PER_SHARD: i32 = 25;
/// Rows of a list, so that a page is read at a glance; the rest is behind a link.
const MAX_ROWS: usize = 20;

/// What the reader asked for.
#[derive(Default)]
pub(super) struct Filter {
    pub(super) flow: Option<String>,
    pub(super) client: Option<String>,
    pub(super) owner: Option<String>,
}

impl Filter {
    fn wants(&self, run: &Run) -> bool {
        let is =
            |wanted: &Option<String>, found: Option<&str>| wanted.is_none() || wanted.as_deref() == found;
        is(&self.flow, Some(&run.flow))
            && is(&self.client, run.client.as_deref())
            && is(&self.owner, Some(&run.owner.id))
    }

    /// As a query, to go on with: `&flow=x`.
    pub(super) fn query(&self) -> String {
        let part = |name: &str, value: &Option<String>| {
            value.as_ref().map(|value| format!("&{name}={}", encoded(value))).unwrap_or_default()
        };
        part("flow", &self.flow) + &part("client", &self.client) + &part("owner", &self.owner)
    }

    fn is_none(&self) -> bool {
        self.flow.is_none() && self.client.is_none() && self.owner.is_none()
    }
}

/// What is to be done, most urgent first.
struct Today {
    overdue: Vec<Run>,
    soon: Vec<(Time, Run)>,
    unacknowledged: Vec<Run>,
    exceptions: Vec<(Option<Run>, ExceptionView)>,
    mine: Vec<Run>,
    /// Whether there are more open runs than were looked at.
    is_cut: bool,
}

impl Call<'_> {
    pub(super) fn filter(&self) -> Filter {
        Filter { flow: self.query("flow"), client: self.query("client"), owner: self.query("owner") }
    }

    pub(super) async fn today_page(&self) -> Result<Response, Problem> {
        let reader = self.reader().await?;
        let filter = self.filter();
        let today = self.today(&reader, &filter).await?;
        let main = html! {
            h1 { "Today" }
            @if reader.config.flows.is_empty() { (newcomer()) }
            @else {
                (filters(&reader, &filter, "/"))
                (today.summary())
                (today.lists(&reader, &filter))
            }
        };
        Ok(self.page(200, &reader, &Frame { title: "Today", tab: Tab::Today }, main))
    }

    async fn today(&self, reader: &Reader, filter: &Filter) -> Result<Today, Problem> {
        let (mut open, mut is_cut) = self.next_runs(filter).await?;
        let flows =
            reader.config.flows.keys().filter(|id| filter.flow.as_ref().is_none_or(|flow| flow == *id));
        let lists: Vec<List<'_>> = flows.map(|flow| List::Exceptions(flow)).collect();
        let pages = lists.iter().map(|list| self.app.runs.list(list, MAX_RUNS as i32, None));
        for page in try_join_all(pages).await? {
            is_cut |= page.cursor.is_some();
            open.extend(page.runs);
        }
        let open: BTreeMap<String, Run> = open
            .into_iter()
            .filter(|run| run.is_open() && filter.wants(run))
            .map(|run| (run.run.clone(), run))
            .collect();
        let mine = if reader.is_person() {
            self.app.runs.list(&List::Owner(&reader.id), MAX_ROWS as i32 + 1, None).await?.runs
        } else {
            Vec::new()
        };
        let mine = mine.into_iter().filter(|run| run.is_open() && filter.wants(run)).collect();
        let mut today = Today::of(open.into_values().collect(), mine, is_cut, self.now);
        today.exceptions.extend(self.of_flows(reader, filter).await?.into_iter().map(|view| (None, view)));
        today.exceptions.sort_by_key(|(_, exception)| exception.recovery_due_at);
        Ok(today)
    }

    /// The open exceptions of the flows themselves.
    async fn of_flows(&self, reader: &Reader, filter: &Filter) -> Result<Vec<ExceptionView>, Problem> {
        let flows = reader.config.flows.iter().filter(|(id, flow)| {
            filter.flow.as_ref().is_none_or(|flow| flow == *id)
                && filter.client.as_ref().is_none_or(|client| Some(client) == flow.document.client.as_ref())
        });
        let flows: Vec<&String> = flows.map(|(id, _)| id).collect();
        let found = flows.iter().map(|flow| self.app.watches.exceptions_of::<FlowException>(flow));
        let found = try_join_all(found).await?;
        let open = flows.iter().zip(&found).flat_map(|(flow, exceptions)| {
            let open = exceptions.iter().filter(|exception| exception.is_open());
            open.map(|exception| ExceptionView::of_flow(flow, exception))
        });
        Ok(open.filter(|view| filter.owner.as_ref().is_none_or(|owner| *owner == view.owner)).collect())
    }

    /// The open runs that are due next, and whether there are more.
    async fn next_runs(&self, filter: &Filter) -> Result<(Vec<Run>, bool), Problem> {
        if let Some(owner) = &filter.owner {
            let page = self.app.runs.list(&List::Owner(owner), MAX_RUNS as i32, None).await?;
            return Ok((page.runs, page.cursor.is_some()));
        }
        let shards = self.app.due.shards();
        let until = self.now + Span::days(366);
        let found =
            try_join_all(shards.iter().map(|shard| self.app.due.until(shard, until, PER_SHARD))).await?;
        let is_full = |shard: &&Vec<Due>| shard.len() >= PER_SHARD as usize;
        // Beyond the first end of a partition that was not read to its end, something earlier may be missing.
        let known_until =
            found.iter().filter(is_full).filter_map(|shard| shard.last()).map(|due| due.at).min();
        let mut due: Vec<Due> = found.into_iter().flatten().collect();
        due.retain(|due| known_until.is_none_or(|until| due.at <= until));
        due.sort_by_key(|due| due.at);
        let mut runs: Vec<String> = due
            .into_iter()
            .filter_map(|due| match due.what {
                Subject::Run(run) => Some(run),
                Subject::Parked(_) | Subject::Watch(_) => None,
            })
            .collect();
        let is_cut = known_until.is_some() || runs.len() > MAX_RUNS;
        runs.truncate(MAX_RUNS);
        Ok((self.app.runs.load_all(&runs).await?, is_cut))
    }
}

/// The next deadline that somebody can still keep.
fn next_deadline(run: &Run) -> Option<Time> {
    let outcomes = run
        .outcomes
        .iter()
        .filter(|outcome| outcome.status != OutcomeStatus::Done && outcome.breached_at.is_none());
    let outcomes = outcomes.filter_map(|outcome| Some(outcome.clock.as_ref()?.due_at));
    let checks = run.checks.iter().filter(|check| check.passed_at.is_none()).filter_map(|check| check.due_at);
    outcomes.chain(checks).min()
}

fn overdue_since(run: &Run) -> Option<Time> {
    let late = run.outcomes.iter().filter(|outcome| outcome.status != OutcomeStatus::Done);
    late.filter_map(|outcome| outcome.breached_at).min()
}

fn is_unacknowledged(run: &Run) -> bool {
    run.ack.as_ref().is_some_and(|ack| ack.at.is_none())
}

impl Today {
    fn of(open: Vec<Run>, mine: Vec<Run>, is_cut: bool, now: Time) -> Self {
        let mut overdue: Vec<Run> = open.iter().filter(|run| run.is_overdue()).cloned().collect();
        overdue.sort_by_key(overdue_since);
        let soon = open.iter().filter_map(|run| Some((next_deadline(run)?, run)));
        let mut soon: Vec<(Time, Run)> = soon
            .filter(|(at, _)| now <= *at && *at <= now + SOON)
            .map(|(at, run)| (at, run.clone()))
            .collect();
        soon.sort_by_key(|(at, _)| *at);
        let mut unacknowledged: Vec<Run> =
            open.iter().filter(|run| is_unacknowledged(run)).cloned().collect();
        unacknowledged.sort_by_key(|run| run.ack.as_ref().map(|ack| ack.due_at));
        let of_run = |run: &Run| {
            let views = run.open_exceptions().map(|exception| ExceptionView::of(run, exception));
            views.map(|view| (Some(run.clone()), view)).collect::<Vec<_>>()
        };
        let exceptions = open.iter().flat_map(of_run).collect();
        Self { overdue, soon, unacknowledged, exceptions, mine, is_cut }
    }

    fn summary(&self) -> Markup {
        let figures = [
            ("#overdue", self.overdue.len(), "Overdue", "late"),
            ("#soon", self.soon.len(), "Due within 24 h", "soon"),
            ("#unacknowledged", self.unacknowledged.len(), "Not acknowledged", "soon"),
            ("#exceptions", self.exceptions.len(), "Open exceptions", "late"),
        ];
        html! {
            ul.figures {
                @for (anchor, n, name, tone) in figures {
                    li { a href=(anchor) class=[(n > 0).then_some(tone)] { strong { (n) } " " span { (name) } } }
                }
            }
            @if self.is_cut {
                p.hint { "Of the runs that are due next; there are more. " a href="/runs" { "All runs" } }
            }
        }
    }

    fn lists(&self, reader: &Reader, filter: &Filter) -> Markup {
        let all = |more: &str| format!("/runs?{more}{}", filter.query());
        let deadline = |run: &Run| next_deadline(run).map(|at| (at, "due"));
        let late = |run: &Run| overdue_since(run).map(|at| (at, "was due"));
        let nothing_open = self.overdue.is_empty()
            && self.soon.is_empty()
            && self.mine.is_empty()
            && self.unacknowledged.is_empty()
            && self.exceptions.is_empty();
        html! {
            @if nothing_open && filter.is_none() { (idle()) }
            @if reader.is_person() && !self.mine.is_empty() {
                (section(reader, "mine", "Yours", &self.mine, &format!("/runs?owner={}", encoded(&reader.id)),
                    &|run| late(run).or_else(|| deadline(run)), ""))
            }
            (section(reader, "overdue", "Overdue", &self.overdue, &all("overdue=true"), &late,
                "Nothing is late."))
            (section(reader, "soon", "Due within 24 hours", &self.soon.iter().map(|(_, run)| run.clone()).collect::<Vec<_>>(),
                &all("status=active"), &deadline, "No deadline falls within the next 24 hours."))
            (section(reader, "unacknowledged", "Not acknowledged", &self.unacknowledged, &all("status=active"),
                &|run| run.ack.as_ref().map(|ack| (ack.due_at, if ack.window.is_some() { "to acknowledge" } else { "should have acknowledged" })),
                "Every open run has somebody who said \u{201c}I have it\u{201d}."))
            (self.exceptions(reader, filter))
        }
    }

    fn exceptions(&self, reader: &Reader, filter: &Filter) -> Markup {
        let all = format!("/exceptions?{}", filter.query().trim_start_matches('&'));
        html! {
            section aria-labelledby="exceptions" {
                h2 #exceptions { "Open exceptions " @if !self.exceptions.is_empty() { span.n { (self.exceptions.len()) } } }
                @if self.exceptions.is_empty() { p.none { "No exception waits for anybody." } }
                @else {
                    ul.rows {
                        @for (run, exception) in self.exceptions.iter().take(MAX_ROWS) {
                            li {
                                div {
                                    @match run {
                                        Some(run) => a.title href=(format!("/runs/{}#{}", run.run, exception.id)) { (foreign(&run.title)) },
                                        None => a.title href=(format!("/exceptions?flow={}", encoded(&exception.flow))) { "The flow itself" },
                                    }
                                    p.meta { (words::kind(exception.kind)) " · " (reader.flow_title(&exception.flow)) " · for " (reader.name(&exception.owner)) }
                                }
                                (due(reader, exception.recovery_due_at, "to resolve"))
                            }
                        }
                    }
                    p.more { a href=(all) { "The whole queue, with playbooks" } }
                }
            }
        }
    }
}

type DueOf<'a> = &'a dyn Fn(&Run) -> Option<(Time, &'static str)>;

/// A list of runs under a heading; behind `all` is the rest.
fn section(
    reader: &Reader,
    id: &str,
    title: &str,
    runs: &[Run],
    all: &str,
    due_of: DueOf<'_>,
    none: &str,
) -> Markup {
    html! {
        section aria-labelledby=(id) {
            h2 id=(id) { (title) " " @if !runs.is_empty() { span.n { (runs.len()) } } }
            @if runs.is_empty() { p.none { (none) } }
            @else {
                ul.rows { @for run in runs.iter().take(MAX_ROWS) { (row(reader, run, due_of(run))) } }
                @if runs.len() > MAX_ROWS {
                    p.more { (MAX_ROWS) " of " (runs.len()) ". " a href=(all) { "All of them" } }
                }
            }
        }
    }
}

/// A run in a list.
pub(super) fn row(reader: &Reader, run: &Run, at: Option<(Time, &str)>) -> Markup {
    let done = run.outcomes.iter().filter(|outcome| outcome.status == OutcomeStatus::Done).count();
    html! {
        li {
            div {
                a.title href=(format!("/runs/{}", run.run)) { (foreign(&run.title)) }
                p.meta {
                    (reader.flow_title(&run.flow))
                    @if let Some(client) = &run.client { " · " (foreign(client)) }
                    " · " (reader.name(&run.owner.id))
                    " · " (done) " of " (count(run.outcomes.len(), "outcome")) " done"
                    @if !run.is_open() { " · " (words::status(run.status)) }
                    @if is_unacknowledged(run) && run.is_open() { " · " span.soon { "not acknowledged" } }
                    @if run.pause().is_some() { " · paused" }
                    @if run.suppressed { " · nobody is told" }
                }
            }
            @match at {
                Some((at, what)) => (due(reader, at, what)),
                None => { span.due {} }
            }
        }
    }
}

/// When something is or was due, by colour and in words.
fn due(reader: &Reader, at: Time, what: &str) -> Markup {
    let tone = if at <= reader.now {
        "late"
    } else if at <= reader.now + Span::hours(2) {
        "soon"
    } else {
        "calm"
    };
    html! { p.due { span class=(tone) { (what) " " (reader.distance(at)) } br; (reader.time(at)) } }
}

/// A form that narrows a list down, by GET.
pub(super) fn filters(reader: &Reader, filter: &Filter, action: &str) -> Markup {
    let clients: std::collections::BTreeSet<&str> =
        reader.config.flows.values().filter_map(|flow| flow.document.client.as_deref()).collect();
    html! {
        form.filters method="get" action=(action) {
            label { "Flow " select name="flow" {
                option value="" { "all" }
                @for (id, flow) in &reader.config.flows {
                    option value=(id) selected[filter.flow.as_ref() == Some(id)] { (words::clean(&flow.document.title)) }
                }
            } }
            @if !clients.is_empty() {
                label { "Client " select name="client" {
                    option value="" { "all" }
                    @for client in clients {
                        option value=(client) selected[filter.client.as_deref() == Some(client)] { (words::clean(client)) }
                    }
                } }
            }
            label { "Owner " select name="owner" {
                option value="" { "all" }
                @for person in &reader.people.people {
                    option value=(person.id) selected[filter.owner.as_ref() == Some(&person.id)] { (words::clean(&person.name)) }
                }
            } }
            button { "Show" }
            @if !filter.is_none() { a href=(action) { "Show all" } }
        }
    }
}

/// What somebody does who has no flow yet.
fn newcomer() -> Markup {
    html! {
        div.empty {
            h2 { "Nothing is watched yet" }
            p { "A flow says what must come true after a trigger, until when, and who owns it. Three commands put a first one in force:" }
            ol {
                li { code { "meshline init my-flows" } " writes a flow, its people and its sources, with comments" }
                li { code { "meshline plan my-flows" } " shows what would change, or what to mend" }
                li { code { "meshline apply my-flows" } " puts it in force" }
            }
        }
    }
}

/// What somebody does who has flows, and no open run.
fn idle() -> Markup {
    html! {
        div.empty {
            h2 { "No run is open" }
            p { "A run opens with the first trigger that a source delivers. Which events those are is on the page of each " a href="/flows" { "flow" } "; what was delivered and could not be read is listed by " code { "meshline rejections" } "." }
            p { "To see a whole life of one: " code { "meshline up --demo" } "." }
        }
    }
}
