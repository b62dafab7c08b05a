//! A naive count over the records of runs: it knows nothing of the fold, of measures or of reports.

use std::collections::BTreeMap;

use meshline_core::time::Time;
use meshline_tests::Local;
use serde_json::{Value, json};

/// What the records of one run tell.
pub(crate) struct Life {
    opened_at: i64,
    end: Option<End>,
    outcomes: Vec<(String, Outcome)>,
    /// Seconds from the opening to each owner's acknowledgement.
    pub(crate) acknowledged: Vec<i64>,
    /// Whether the last owner has acknowledged.
    is_acknowledged: bool,
    pub(crate) exceptions: BTreeMap<String, Exception>,
}

#[derive(PartialEq, Eq, Clone, Copy)]
enum End {
    Closed,
    Cancelled,
}

#[derive(Default)]
struct Outcome {
    started_at: Option<i64>,
    due_at: Option<i64>,
    done_at: Option<i64>,
    was_breached: bool,
}

pub(crate) struct Exception {
    opened_at: i64,
    recover_by: i64,
    resolved_at: Option<i64>,
}

fn at(value: &Value) -> Option<i64> {
    Some(value.as_str()?.parse::<Time>().unwrap().unix_ms() / 1000)
}

impl Life {
    /// The runs of a flow, newest first.
    pub(crate) async fn all(local: &Local, flow: &str) -> Vec<Self> {
        let (mut lives, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = local.get(&format!("/v1/runs?flow={flow}&limit=200{cursor}")).await;
            for run in page["items"].as_array().unwrap() {
                let run = run["run"].as_str().unwrap();
                let trail = local.get(&format!("/v1/runs/{run}/audit?limit=200")).await;
                assert!(trail["cursor"].is_null(), "{run} has more records than a page");
                lives.push(Self::of(trail["items"].as_array().unwrap()));
            }
            match page["cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return lives,
            }
        }
    }

    fn of(records: &[Value]) -> Self {
        let mut life = Self {
            opened_at: at(&records[0]["at"]).unwrap(),
            end: None,
            outcomes: Vec::new(),
            acknowledged: Vec::new(),
            is_acknowledged: false,
            exceptions: BTreeMap::new(),
        };
        for record in records {
            life.take(record, &record["detail"], at(&record["at"]).unwrap());
        }
        life
    }

    fn take(&mut self, record: &Value, detail: &Value, now: i64) {
        match record["kind"].as_str().unwrap() {
            "run_opened" => self.opened(detail),
            "outcome_done" => {
                self.outcome(&detail["outcome"]).done_at = at(&detail["done_at"]);
                for started in detail["starts"].as_array().into_iter().flatten() {
                    self.start(started);
                }
            }
            "sla_breached" => self.outcome(&detail["outcome"]).was_breached = true,
            "acknowledged" if !self.is_acknowledged => {
                self.acknowledged.push(now - self.opened_at);
                self.is_acknowledged = true;
            }
            "reassigned" => self.is_acknowledged = false,
            "exception_opened" => {
                let recover_by = at(&detail["recovery_due_at"]).unwrap();
                let exception = Exception { opened_at: now, recover_by, resolved_at: None };
                self.exceptions.insert(detail["exception"].as_str().unwrap().to_owned(), exception);
            }
            "exception_resolved" => {
                let id = detail["exception"].as_str().unwrap();
                self.exceptions.get_mut(id).unwrap().resolved_at = Some(now);
            }
            "run_closed" => self.end = Some(End::Closed),
            "run_cancelled" => self.end = Some(End::Cancelled),
            _ => {}
        }
    }

    fn opened(&mut self, detail: &Value) {
        for expected in detail["outcomes"].as_array().unwrap() {
            self.outcomes.push((expected["id"].as_str().unwrap().to_owned(), Outcome::default()));
            self.start(expected);
        }
    }

    fn start(&mut self, started: &Value) {
        let outcome = self.outcome(&started["id"]);
        outcome.started_at = at(&started["started_at"]);
        outcome.due_at = at(&started["due_at"]);
    }

    fn outcome(&mut self, id: &Value) -> &mut Outcome {
        self.outcomes.iter_mut().find(|(known, _)| id == known).map(|(_, outcome)| outcome).unwrap()
    }

    pub(crate) fn met(&self) -> usize {
        self.outcomes.iter().filter(|(_, outcome)| outcome.is_met()).count()
    }

    /// Outcomes that were promised in vain: the deadline passed without them, or the run was closed without them.
    pub(crate) fn breached(&self) -> usize {
        let is_closed = self.end == Some(End::Closed);
        let breached = |outcome: &Outcome| {
            !outcome.is_met() && (outcome.was_breached || (is_closed && outcome.done_at.is_none()))
        };
        self.outcomes.iter().filter(|(_, outcome)| breached(outcome)).count()
    }

    pub(crate) fn latencies(&self) -> Vec<i64> {
        self.outcomes.iter().filter_map(|(_, outcome)| outcome.latency()).collect()
    }

    pub(crate) fn remediations(&self) -> Vec<i64> {
        self.exceptions.values().filter_map(|it| Some(it.resolved_at? - it.opened_at)).collect()
    }
}

impl Outcome {
    fn is_met(&self) -> bool {
        self.done_at.is_some_and(|done| self.due_at.is_none_or(|due| done <= due))
    }

    fn latency(&self) -> Option<i64> {
        Some((self.done_at? - self.started_at?).max(0))
    }

    /// Met, missed or neither yet.
    fn verdict(&self, is_over: bool, now: i64) -> Option<bool> {
        let is_late = self.due_at.is_some_and(|due| due <= now);
        match self.done_at {
            Some(_) => Some(self.is_met()),
            None => (is_over || is_late).then_some(false),
        }
    }
}

/// The figures of a flow's runs, without those that were cancelled.
#[derive(Debug)]
pub(crate) struct Counted {
    pub(crate) met: usize,
    pub(crate) missed: usize,
    pub(crate) pending: usize,
    pub(crate) cancelled: usize,
    outcomes: Vec<OutcomeCount>,
    to_acknowledge: Vec<i64>,
    remediations: Vec<i64>,
    opened: usize,
    open: usize,
    recovered: usize,
}

#[derive(Debug)]
struct OutcomeCount {
    id: String,
    done: usize,
    verdicts: [usize; 3],
    latencies: Vec<i64>,
}

impl Counted {
    pub(crate) fn of(lives: &[Life], now: Time) -> Self {
        let now = now.unix_ms() / 1000;
        let is_cancelled = |life: &&Life| life.end == Some(End::Cancelled);
        let (cancelled, lives): (Vec<&Life>, Vec<&Life>) = lives.iter().partition(is_cancelled);
        let verdicts = |life: &Life| -> Vec<Option<bool>> {
            life.outcomes.iter().map(|(_, it)| it.verdict(life.end.is_some(), now)).collect()
        };
        let missed = lives.iter().filter(|life| verdicts(life).contains(&Some(false))).count();
        let met = lives.iter().filter(|life| verdicts(life).iter().all(|it| *it == Some(true))).count();
        let mut outcomes: Vec<OutcomeCount> = Vec::new();
        for (n, (id, _)) in lives[0].outcomes.iter().enumerate() {
            let each = || lives.iter().map(|life| &life.outcomes[n].1);
            let count = |wanted| lives.iter().filter(|life| verdicts(life)[n] == wanted).count();
            outcomes.push(OutcomeCount {
                id: id.clone(),
                done: each().filter(|it| it.done_at.is_some()).count(),
                verdicts: [count(Some(true)), count(Some(false)), count(None)],
                latencies: each().filter_map(Outcome::latency).collect(),
            });
        }
        let exceptions = || lives.iter().flat_map(|life| life.exceptions.values());
        let standing = lives.iter().filter(|life| life.is_acknowledged);
        Self {
            met,
            missed,
            pending: lives.len() - met - missed,
            cancelled: cancelled.len(),
            outcomes,
            to_acknowledge: standing.map(|life| *life.acknowledged.last().unwrap()).collect(),
            remediations: lives.iter().flat_map(|life| life.remediations()).collect(),
            opened: exceptions().count(),
            open: lives
                .iter()
                .filter(|life| life.end.is_none())
                .flat_map(|life| life.exceptions.values())
                .filter(|it| it.resolved_at.is_none())
                .count(),
            recovered: exceptions().filter(|it| it.resolved_at.is_some_and(|at| at <= it.recover_by)).count(),
        }
    }

    fn mean_remediation(&self) -> Option<i64> {
        let n = self.remediations.len() as i64;
        (n > 0).then(|| self.remediations.iter().sum::<i64>() / n)
    }

    /// As the API shows them.
    pub(crate) fn as_report(&self) -> Value {
        let percentiles = |seconds: &[i64]| json!({"p50": nearest(seconds, 50), "p95": nearest(seconds, 95), "p99": nearest(seconds, 99)});
        let outcomes: Vec<Value> = self
            .outcomes
            .iter()
            .map(|it| {
                let [met, missed, pending] = it.verdicts;
                json!([it.id, it.done, met, missed, pending, percentiles(&it.latencies)])
            })
            .collect();
        json!({
            "triggers": self.met + self.missed + self.pending, "met": self.met, "missed": self.missed,
            "pending": self.pending, "cancelled": self.cancelled, "outcomes": outcomes,
            "time_to_acknowledge_s": percentiles(&self.to_acknowledge),
            "mean_time_to_remediation_s": self.mean_remediation(),
            "exceptions": {"opened": self.opened, "open": self.open, "within_recovery_sla": self.recovered},
        })
    }

    /// As the console's page says them.
    pub(crate) fn on_page(&self) -> Vec<String> {
        let thousandths = 1000 * self.met / (self.met + self.missed);
        let percent = thousandths as f64 / 10.0;
        let counted = self.met + self.missed + self.pending;
        let mut words = vec![
            format!(": {counted} runs, {} cancelled besides. Only the newest were counted", self.cancelled),
            format!("{percent} % of decided runs met"),
            format!("{} met {} missed {} pending", self.met, self.missed, self.pending),
            format!("{} to acknowledge, median", span(nearest(&self.to_acknowledge, 50))),
            format!("{} to resolve an exception, on average", span(self.mean_remediation())),
        ];
        words.extend(self.outcomes.iter().map(|it| {
            let [met, missed, pending] = it.verdicts;
            let (median, most) = (span(nearest(&it.latencies, 50)), span(nearest(&it.latencies, 95)));
            format!("{met} {missed} {pending} {median} {most}")
        }));
        words
    }
}

/// The least that so many of a hundred do not exceed.
fn nearest(seconds: &[i64], percent: usize) -> Option<i64> {
    let enough =
        |it: &&i64| 100 * seconds.iter().filter(|other| other <= it).count() >= percent * seconds.len();
    seconds.iter().filter(enough).min().copied()
}

/// `5 h 10 min`, as the console says it.
fn span(seconds: Option<i64>) -> String {
    let Some(seconds) = seconds else { return "–".to_owned() };
    let (hours, minutes) = (seconds / 3600, seconds % 3600 / 60);
    match (hours, minutes) {
        (0, 0) => format!("{seconds} s"),
        (0, _) => format!("{minutes} min"),
        (_, 0) => format!("{hours} h"),
        _ => format!("{hours} h {minutes} min"),
    }
}
