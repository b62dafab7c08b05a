//! The SLA report by client or by owner: the runs of all flows, counted by whose they are.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::tally::Tally;
use super::{ExceptionCounts, Percentiles};
use crate::run::Run;
use crate::time::Time;

/// By what runs are counted together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// The label that the run's flow had when it opened.
    Client,
    /// Who owns the run, or owned it at its end.
    Owner,
}

/// The text is neither.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not what runs are counted by: write `client` or `owner`")]
pub struct NotCounted(String);

/// How many promises were kept in a window, to or by each.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct GroupedReport {
    /// Whether each is a client or an owner.
    pub by: By,
    /// Start of the window, included; by the opening of the runs.
    pub from: Time,
    /// End of the window, excluded.
    pub to: Time,
    /// By id; first the runs without a client.
    pub items: Vec<Group>,
}

/// The runs of one client or owner. They count as in [`super::SlaReport`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[expect(missing_docs, reason = "the figures are those of the report of a flow")]
pub struct Group {
    /// The client's label or the owner's id; absent for flows without a client.
    pub id: Option<String>,
    /// The flows whose runs these are.
    pub flows: BTreeSet<String>,
    pub triggers: usize,
    pub met: usize,
    pub missed: usize,
    pub pending: usize,
    pub cancelled: usize,
    pub suppressed: usize,
    pub met_ratio: Option<f64>,
    pub time_to_acknowledge_s: Percentiles,
    pub mean_time_to_remediation_s: Option<i64>,
    pub exceptions: ExceptionCounts,
}

/// Runs, as they are counted one after the other.
#[derive(Debug, Clone)]
pub struct Groups {
    by: By,
    from: Time,
    to: Time,
    now: Time,
    groups: BTreeMap<Option<String>, (BTreeSet<String>, Tally)>,
}

impl By {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Owner => "owner",
        }
    }
}

impl FromStr for By {
    type Err = NotCounted;
    fn from_str(text: &str) -> Result<Self, NotCounted> {
        let all = [Self::Client, Self::Owner];
        all.into_iter().find(|by| by.as_str() == text).ok_or_else(|| NotCounted(text.to_owned()))
    }
}

impl Groups {
    /// No run yet, of those that opened from `from` to `to`, as they stand at `now`.
    pub fn new(by: By, from: Time, to: Time, now: Time) -> Self {
        Self { by, from, to, now, groups: BTreeMap::new() }
    }

    /// Counts a run that opened in the window, each once.
    pub fn add(&mut self, run: &Run) {
        if run.opened_at < self.from || self.to <= run.opened_at {
            return;
        }
        let id = match self.by {
            By::Client => run.client.clone(),
            By::Owner => Some(run.owner.id.clone()),
        };
        let (flows, tally) = self.groups.entry(id).or_default();
        flows.insert(run.flow.clone());
        tally.add(run, self.now);
    }

    /// What they come to.
    pub fn report(self) -> GroupedReport {
        let Self { by, from, to, groups, .. } = self;
        let items = groups.into_iter().map(|(id, (flows, tally))| Group::of(id, flows, &tally)).collect();
        GroupedReport { by, from, to, items }
    }
}

impl Group {
    fn of(id: Option<String>, flows: BTreeSet<String>, tally: &Tally) -> Self {
        Self {
            id,
            flows,
            triggers: tally.triggers(),
            met: tally.met,
            missed: tally.missed,
            pending: tally.pending,
            cancelled: tally.cancelled,
            suppressed: tally.suppressed,
            met_ratio: tally.met_ratio(),
            time_to_acknowledge_s: tally.time_to_acknowledge_s(),
            mean_time_to_remediation_s: tally.mean_time_to_remediation_s(),
            exceptions: tally.exceptions,
        }
    }
}
