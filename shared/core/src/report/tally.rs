//! A tally: runs counted one by one, whatever the report is about.

use super::{ExceptionCounts, Percentiles, ratio, seconds, verdict_of_run};
use crate::run::{Run, Status};
use crate::time::Time;

/// What is counted of some runs.
#[derive(Debug, Clone, Default)]
pub(super) struct Tally {
    pub(super) met: usize,
    pub(super) missed: usize,
    pub(super) pending: usize,
    pub(super) cancelled: usize,
    pub(super) suppressed: usize,
    pub(super) exceptions: ExceptionCounts,
    acknowledged_s: Vec<i64>,
    /// How many exceptions were resolved, and how long that took in all.
    remediated: (i64, i64),
}

impl Tally {
    /// Counts a run as it stands at `now`. Of one that was called off, or that opened while its flow was off, nothing else
    /// is counted.
    pub(super) fn add(&mut self, run: &Run, now: Time) {
        if run.suppressed {
            self.suppressed += 1;
            return;
        }
        if run.status == Status::Cancelled {
            self.cancelled += 1;
            return;
        }
        match verdict_of_run(run, now) {
            Some(true) => self.met += 1,
            Some(false) => self.missed += 1,
            None => self.pending += 1,
        }
        let acknowledged_at = run.ack.as_ref().and_then(|ack| ack.at);
        self.acknowledged_s.extend(acknowledged_at.map(|at| seconds(run.opened_at, at)));
        self.exceptions.opened += run.exceptions.len();
        for exception in &run.exceptions {
            let Some(at) = exception.resolved_at else {
                self.exceptions.open += 1;
                continue;
            };
            self.exceptions.within_recovery_sla += usize::from(at <= exception.recovery_due_at);
            self.remediated.0 += 1;
            self.remediated.1 += seconds(exception.opened_at, at);
        }
    }

    /// Runs, without the cancelled and the suppressed ones.
    pub(super) fn triggers(&self) -> usize {
        self.met + self.missed + self.pending
    }

    /// Met of decided, three decimals.
    pub(super) fn met_ratio(&self) -> Option<f64> {
        ratio(self.met, self.met + self.missed)
    }

    pub(super) fn time_to_acknowledge_s(&self) -> Percentiles {
        Percentiles::of(self.acknowledged_s.clone())
    }

    pub(super) fn mean_time_to_remediation_s(&self) -> Option<i64> {
        self.remediated.1.checked_div(self.remediated.0)
    }
}
