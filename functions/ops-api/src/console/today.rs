//! `GET /`: what needs somebody now.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::{try_join_all, try_join4};
use maud::{Markup, html};
use meshline_aws::due::{Due, Subject};
use meshline_aws::http::{Problem, Response};
use meshline_aws::runs::List;
use meshline_core::flow_exception::FlowException;
use meshline_core::run::{CheckStatus, Outcome, OutcomeStatus, Run};
use meshline_core::time::{Span, Time};
use meshline_core::view::ExceptionView;

use super::layout::Tab;
use super::list::{Filter, MAX_ROWS, due, filters, is_unacknowledged, section};
use super::reader::{Frame, Reader, foreign};
use super::words::{self, encoded};
use crate::Call;

/// What is due within this time is due soon.
const SOON: Span = Span::hours(24);
/// Runs that are looked at, those that are due next; and those that are overdue and those with an open exception, of each
/// flow the newest.
const MAX_RUNS: usize = 60;
/// How many entries of each partition are read to find them.
const PER_SHARD: i32 = 25;

/// What is to be done, most urgent first.
struct Today {
    overdue: Vec<Run>,
    soon: Vec<Run>,
    unacknowledged: Vec<Run>,
    exceptions: Vec<(Option<Run>, ExceptionView)>,
    mine: Vec<Run>,
    /// Whether there are more open runs than were looked at.
    is_cut: bool,
}

/// The beginning of a list.
struct Found<T> {
    items: Vec<T>,
    /// Whether there are more.
    is_cut: bool,
}

impl Call<'_> {
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
        let (due, listed, mine, of_flows) = try_join4(
            self.due_next(filter),
            self.listed(reader, filter),
            self.mine(reader),
            self.of_flows(reader, filter),
        )
        .await?;
        let is_cut = due.is_cut || listed.is_cut;
        let known: BTreeSet<&str> = listed.items.iter().map(|run| run.run.as_str()).collect();
        let missing: Vec<String> =
            due.items.into_iter().filter(|run| !known.contains(run.as_str())).collect();
        let runs = self.app.runs.load_all(&missing).await?.into_iter().chain(listed.items);
        let runs = runs.filter(|run| run.is_open() && filter.wants(run));
        let open: BTreeMap<String, Run> = runs.map(|run| (run.run.clone(), run)).collect();
        let mut mine: Vec<Run> = mine.into_iter().filter(|run| run.is_open() && filter.wants(run)).collect();
        let urgency = |run: &Run| overdue_since(run).or_else(|| next_deadline(run));
        mine.sort_by_key(|run| (urgency(run).is_none(), urgency(run)));
        let mut today = Today::of(open.into_values().collect(), mine, filter, self.now);
        today.is_cut = is_cut;
        today.exceptions.extend(of_flows.into_iter().map(|view| (None, view)));
        today.exceptions.sort_by_key(|(_, exception)| exception.recovery_due_at);
        Ok(today)
    }

    /// The newest runs of each flow that are overdue or have an open exception, and those of the flow and owner that are
    /// asked for.
    async fn listed(&self, reader: &Reader, filter: &Filter) -> Result<Found<Run>, Problem> {
        let flows = reader.config.flows.keys();
        let flows = flows.filter(|id| filter.flow.as_ref().is_none_or(|flow| flow == *id));
        let asked = filter
            .owner
            .as_deref()
            .map(List::Owner)
            .into_iter()
            .chain(filter.flow.as_deref().map(List::Flow));
        let lists: Vec<List<'_>> =
            flows.flat_map(|flow| List::excepted(flow.as_str())).chain(asked).collect();
        let pages = lists.iter().map(|list| self.app.runs.list(list, MAX_RUNS as i32, None));
        let pages = try_join_all(pages).await?;
        let is_cut = pages.iter().any(|page| page.cursor.is_some());
        Ok(Found { items: pages.into_iter().flat_map(|page| page.runs).collect(), is_cut })
    }

    /// The reader's own runs, the newest.
    async fn mine(&self, reader: &Reader) -> Result<Vec<Run>, Problem> {
        if !reader.is_person() {
            return Ok(Vec::new());
        }
        Ok(self.app.runs.list(&List::Owner(&reader.id), MAX_ROWS as i32 + 1, None).await?.runs)
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
        Ok(open.filter(|view| filter.wants_owner(&view.owner)).collect())
    }

    /// The open runs that are due next, whoever owns them; an owner's are listed.
    async fn due_next(&self, filter: &Filter) -> Result<Found<String>, Problem> {
        if filter.owner.is_some() {
            return Ok(Found { items: Vec::new(), is_cut: false });
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
        Ok(Found { items: runs, is_cut })
    }
}

/// The next deadline that somebody can still keep.
fn next_deadline(run: &Run) -> Option<Time> {
    let open = |outcome: &&Outcome| outcome.status != OutcomeStatus::Done && outcome.breached_at.is_none();
    let outcomes =
        run.outcomes.iter().filter(open).filter_map(|outcome| Some(outcome.clock.as_ref()?.due_at));
    let checks = run.checks.iter().filter(|check| check.status == CheckStatus::Pending);
    let checks = checks.filter_map(|check| check.due_at);
    outcomes.filter(|at| !run.stands_still(*at)).chain(checks).min()
}

fn overdue_since(run: &Run) -> Option<Time> {
    let late = run.outcomes.iter().filter(|outcome| outcome.status != OutcomeStatus::Done);
    late.filter_map(|outcome| outcome.breached_at).min()
}

impl Today {
    fn of(runs: Vec<Run>, mine: Vec<Run>, filter: &Filter, now: Time) -> Self {
        let open: Vec<&Run> = runs.iter().filter(|run| filter.wants_owner(&run.owner.id)).collect();
        let cloned = |wanted: &dyn Fn(&Run) -> bool| -> Vec<Run> {
            open.iter().filter(|run| wanted(run)).map(|run| Run::clone(run)).collect()
        };
        let mut overdue = cloned(&Run::is_overdue);
        overdue.sort_by_key(overdue_since);
        let is_soon = |at: Time| now <= at && at <= now + SOON;
        let mut soon = cloned(&|run| next_deadline(run).is_some_and(is_soon));
        soon.sort_by_key(next_deadline);
        let mut unacknowledged = cloned(&is_unacknowledged);
        unacknowledged.sort_by_key(|run| run.ack.as_ref().map(|ack| ack.due_at));
        let of_run = |run: &Run| {
            let views = run.open_exceptions().map(|exception| ExceptionView::of(run, exception));
            let views = views.filter(|view| filter.wants_owner(&view.owner));
            views.map(|view| (Some(run.clone()), view)).collect::<Vec<_>>()
        };
        let exceptions = runs.iter().flat_map(of_run).collect();
        Self { overdue, soon, unacknowledged, exceptions, mine, is_cut: false }
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
                p.hint {
                    "Counted among the " (MAX_RUNS) " runs that are due next, and the newest with exceptions; there are more. "
                    a href="/runs" { "All runs" }
                }
            }
        }
    }

    fn lists(&self, reader: &Reader, filter: &Filter) -> Markup {
        let all = |more: &str| format!("/runs?{more}{}", filter.query());
        let mine = format!("/runs?status=active&owner={}", encoded(&reader.id));
        let deadline = |run: &Run| next_deadline(run).map(|at| due(reader, at, "due"));
        let late = |run: &Run| overdue_since(run).map(|at| due(reader, at, "was due"));
        let either = |run: &Run| late(run).or_else(|| deadline(run));
        let acknowledge = |run: &Run| {
            let what = |open| if open { "to acknowledge" } else { "should have acknowledged" };
            run.ack.as_ref().map(|ack| due(reader, ack.due_at, what(ack.window.is_some())))
        };
        html! {
            @if self.is_empty() && filter.is_none() { (idle()) }
            @if !self.mine.is_empty() {
                (section(reader, ("mine", "Yours"), &self.mine, &mine, &either, ""))
            }
            (section(reader, ("overdue", "Overdue"), &self.overdue, &all("overdue=true"), &late, "Nothing is late."))
            (section(reader, ("soon", "Due within 24 hours"), &self.soon, &all("status=active"), &deadline,
                "No deadline falls within the next 24 hours."))
            (section(reader, ("unacknowledged", "Not acknowledged"), &self.unacknowledged, &all("status=active"),
                &acknowledge, "Of every open run somebody has said \u{201c}I have it\u{201d}."))
            (self.exceptions(reader, filter))
        }
    }

    fn is_empty(&self) -> bool {
        let runs = [&self.mine, &self.overdue, &self.soon, &self.unacknowledged];
        runs.iter().all(|runs| runs.is_empty()) && self.exceptions.is_empty()
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
                                    p.meta {
                                        (words::kind(exception.kind)) " · " (reader.flow_title(&exception.flow))
                                        " · for " (reader.name(&exception.owner))
                                    }
                                }
                                (due(reader, exception.recovery_due_at, "to resolve"))
                            }
                        }
                    }
                    p.more {
                        @if self.exceptions.len() > MAX_ROWS { (MAX_ROWS) " of " (self.exceptions.len()) ". " }
                        a href=(all) { "The whole queue, with playbooks" }
                    }
                }
            }
        }
    }
}

/// What somebody does who has no flow yet.
fn newcomer() -> Markup {
    html! {
        div.empty {
            h2 { "Nothing is watched yet" }
            p {
                "A flow says what must come true after a trigger, until when, and who owns it. "
                "Three commands put a first one in force:"
            }
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
            p {
                "A run opens with the first trigger that a source delivers. Which events those are is on the page of each "
                a href="/flows" { "flow" } "; what was delivered and could not be read is listed by "
                code { "meshline rejections" } "."
            }
            p { "To see a whole life of one: " code { "meshline up --demo" } "." }
        }
    }
}
