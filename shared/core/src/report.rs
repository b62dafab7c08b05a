//! The SLA report: how many promises of a flow were kept.

mod average;
mod group;
mod tally;

use serde::{Deserialize, Serialize};

use crate::config::flow::{Flow, Objective};
use crate::run::{Outcome, OutcomeStatus, Run, Status};
use crate::time::{Span, Time};

pub use average::{Averages, Late, LateOutcome};
pub use group::{By, Group, GroupedReport, Groups, NotCounted};

use tally::Tally;

/// The least part of a window, one in so many, that says something about the rest of it.
const FORECAST_FROM: i64 = 10;

/// How many promises of a flow were kept in a window. Absent figures are `null`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SlaReport {
    /// The flow.
    pub flow: String,
    /// Start of the window, included; by the opening of the runs.
    pub from: Time,
    /// End of the window, excluded.
    pub to: Time,
    /// Runs opened, without the cancelled and the suppressed ones.
    pub triggers: usize,
    /// Runs whose every outcome was in time.
    pub met: usize,
    /// Runs with an outcome that was late, or is now.
    pub missed: usize,
    /// Runs that are still in time and not done.
    pub pending: usize,
    /// Runs called off.
    pub cancelled: usize,
    /// Runs opened while the flow was off; nothing else here counts them.
    #[serde(default)]
    pub suppressed: usize,
    /// Met of decided, three decimals.
    pub met_ratio: Option<f64>,
    /// What was promised.
    pub objective: Option<ObjectiveReport>,
    /// By outcome, in the order of the flow.
    pub outcomes: Vec<OutcomeReport>,
    /// From the opening to the acknowledgement, in seconds.
    pub time_to_acknowledge_s: Percentiles,
    /// From the opening of an exception to its resolution, in seconds.
    pub mean_time_to_remediation_s: Option<i64>,
    /// Exceptions of these runs.
    pub exceptions: ExceptionCounts,
    /// The share of the allowed misses that is left; negative when overdrawn.
    pub error_budget_left: Option<f64>,
    /// Where it leads until the objective's window ends; absent where that cannot be said.
    #[serde(default)]
    pub forecast: Option<Forecast>,
}

/// What is to be expected when the objective's window ends, which begins with the report's, if triggers keep coming
/// as they do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Forecast {
    /// The end of the window.
    pub until: Time,
    /// Triggers by then, those that came included.
    pub triggers: i64,
    /// How many of them the objective allows to miss.
    pub allowed: i64,
    /// How many more may miss; none when the allowed ones did.
    pub may_miss: i64,
    /// How many will have missed if they keep missing as they do.
    pub expected_misses: i64,
}

/// What was promised.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ObjectiveReport {
    /// Share of the decided runs, 0 to 1.
    pub met: f64,
    /// How far back it looks.
    pub window: Span,
}

/// One outcome over all runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct OutcomeReport {
    /// Its id.
    pub id: String,
    /// Runs in which it was verified.
    pub done: usize,
    /// In time.
    pub met: usize,
    /// Late, done or not.
    pub missed: usize,
    /// Undecided.
    pub pending: usize,
    /// From its start to its verification, in seconds.
    pub latency_s: Percentiles,
    /// Likewise, without the time in which the run was paused.
    #[serde(default)]
    pub net_latency_s: Percentiles,
}

/// Nearest-rank percentiles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Percentiles {
    /// Median.
    pub p50: Option<i64>,
    /// Nineteen of twenty are no longer.
    pub p95: Option<i64>,
    /// Ninety-nine of a hundred are no longer.
    pub p99: Option<i64>,
}

/// Exceptions of the runs in a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ExceptionCounts {
    /// All of them.
    pub opened: usize,
    /// Not resolved.
    pub open: usize,
    /// Resolved before their recovery deadline.
    pub within_recovery_sla: usize,
}

impl Percentiles {
    fn of(mut seconds: Vec<i64>) -> Self {
        seconds.sort_unstable();
        let rank = |percent: usize| {
            let n = (seconds.len() * percent).div_ceil(100);
            n.checked_sub(1).and_then(|n| seconds.get(n)).copied()
        };
        Self { p50: rank(50), p95: rank(95), p99: rank(99) }
    }
}

fn seconds(from: Time, to: Time) -> i64 {
    to.since(from).ms() / 1000
}

/// `part / whole` with three decimals.
fn ratio(part: usize, whole: usize) -> Option<f64> {
    (whole > 0).then(|| (part as f64 / whole as f64 * 1000.0).trunc() / 1000.0)
}

/// Whether an outcome was met, was missed (now, if its deadline is over), or is undecided.
pub(crate) fn verdict(run: &Run, outcome: &Outcome, now: Time) -> Option<bool> {
    let late =
        outcome.clock.as_ref().is_some_and(|clock| clock.due_at <= now && !run.stands_still(clock.due_at));
    match outcome.met {
        Some(met) => Some(met),
        None => (late || !run.is_open()).then_some(false),
    }
}

/// Whether every outcome of a run was met, one was missed, or that is undecided.
pub(crate) fn verdict_of_run(run: &Run, now: Time) -> Option<bool> {
    let verdicts: Vec<Option<bool>> = run.outcomes.iter().map(|outcome| verdict(run, outcome, now)).collect();
    if verdicts.contains(&Some(false)) {
        return Some(false);
    }
    verdicts.iter().all(|verdict| *verdict == Some(true)).then_some(true)
}

/// The report over the runs of `flow` that were opened from `from` to `to`, as it stands at `now`.
pub fn sla(flow: &Flow, runs: &[Run], from: Time, to: Time, now: Time) -> SlaReport {
    let in_window = |run: &&Run| run.flow == flow.id && from <= run.opened_at && run.opened_at < to;
    let runs: Vec<&Run> = runs.iter().filter(in_window).collect();
    let mut tally = Tally::default();
    runs.iter().for_each(|run| tally.add(run, now));
    let (triggers, met, missed) = (tally.triggers(), tally.met, tally.missed);
    let asked: Vec<&Run> =
        runs.into_iter().filter(|run| !run.suppressed && run.status != Status::Cancelled).collect();
    let objective = flow.objective.as_ref().map(|objective| ObjectiveReport {
        met: f64::from(objective.met.hundredths()) / 100.0,
        window: objective.window,
    });
    let left = objective.as_ref().and_then(|objective| budget_left(objective.met, met, missed));
    SlaReport {
        flow: flow.id.clone(),
        from,
        to,
        triggers,
        met,
        missed,
        pending: tally.pending,
        cancelled: tally.cancelled,
        suppressed: tally.suppressed,
        met_ratio: tally.met_ratio(),
        objective,
        outcomes: flow.outcomes.iter().map(|spec| outcome_report(&spec.id, &asked, now)).collect(),
        time_to_acknowledge_s: tally.time_to_acknowledge_s(),
        mean_time_to_remediation_s: tally.mean_time_to_remediation_s(),
        exceptions: tally.exceptions,
        error_budget_left: left,
        forecast: flow.objective.as_ref().and_then(|objective| {
            forecast(objective, from, to.min(now), [triggers, met, missed].map(|n| n as i64))
        }),
    }
}

/// Where triggers, met and missed ones of the time from `from` to `until` lead. Nothing is said of a report that is
/// longer than the window, or covers too little of it, or has nothing decided.
fn forecast(
    objective: &Objective,
    from: Time,
    until: Time,
    [triggers, met, missed]: [i64; 3],
) -> Option<Forecast> {
    let (window, passed) = (objective.window.ms(), until.since(from).ms());
    let decided = met + missed;
    if passed > window || passed * FORECAST_FROM < window || decided == 0 {
        return None;
    }
    let expected = (triggers * window).checked_div(passed)?;
    let allowed = expected * (100 - i64::from(objective.met.hundredths())) / 100;
    let may_miss = (allowed - missed).max(0);
    let expected_misses = (missed * expected).checked_div(decided)?;
    Some(Forecast { until: from + objective.window, triggers: expected, allowed, may_miss, expected_misses })
}

fn budget_left(objective: f64, met: usize, missed: usize) -> Option<f64> {
    let allowed = (1.0 - objective) * (met + missed) as f64;
    (allowed > 0.0).then(|| ((1.0 - missed as f64 / allowed) * 100.0).round() / 100.0)
}

fn outcome_report(id: &str, runs: &[&Run], now: Time) -> OutcomeReport {
    let found: Vec<_> =
        runs.iter().filter_map(|run| Some((*run, run.outcomes.iter().find(|o| o.id == id)?))).collect();
    let count = |wanted: Option<bool>| found.iter().filter(|(run, o)| verdict(run, o, now) == wanted).count();
    let spans = || found.iter().filter_map(|(run, o)| Some((*run, o.clock.as_ref()?.started_at, o.done_at?)));
    let latency = spans().map(|(_, from, to)| seconds(from, to));
    let net = spans().map(|(run, from, to)| (to.since(from) - run.paused_within(from, to)).ms() / 1000);
    OutcomeReport {
        id: id.to_owned(),
        done: found.iter().filter(|(_, o)| o.status == OutcomeStatus::Done).count(),
        met: count(Some(true)),
        missed: count(Some(false)),
        pending: count(None),
        latency_s: Percentiles::of(latency.collect()),
        net_latency_s: Percentiles::of(net.collect()),
    }
}
