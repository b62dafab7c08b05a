//! Silence: a flow that expects triggers, and gets none.

use serde::{Deserialize, Serialize};

use crate::config::calendar::Calendar;
use crate::config::directory::Directory;
use crate::config::flow::{ExceptionKind, Expect, Flow};
use crate::decide;
use crate::record::{ExceptionOpened, ExceptionResolved};
use crate::time::Time;

/// How long a flow that expects triggers has had none, and whether that was told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Silence {
    /// When its last trigger was taken in; before the first one, when the expectation was applied.
    pub since: Time,
    /// The `since` of the silence that an exception was opened about, until the next trigger.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told: Option<Time>,
    /// When the clock must look at it; not while it has been told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_due_at: Option<Time>,
}

/// What the clock makes of a silence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It has not lasted too long yet: look again then.
    Listen(Silence),
    /// It has lasted too long, and is to be told.
    Tell(Silence),
    /// Nothing is expected any more.
    Forget,
}

impl Silence {
    /// Whether and since when `expect` is to be watched once it is applied at `now`: one that was in force before goes
    /// on from its last trigger. The clock looks at it at once, whatever the expectation was before.
    pub fn applied(before: Option<&Self>, now: Time) -> Self {
        let since = before.map_or(now, |before| before.since);
        Self { since, told: before.and_then(|before| before.told), next_due_at: Some(now) }
    }

    /// What to make of it at `now`. Business time is counted by the flow's calendar of the moment.
    pub fn at(&self, now: Time, expect: Option<&Expect>, calendar: Option<&Calendar>) -> Verdict {
        let Some(expect) = expect else { return Verdict::Forget };
        let due_at = expect.at_least_every.end(self.since, calendar);
        match self.told {
            Some(_) => Verdict::Listen(Self { next_due_at: None, ..self.clone() }),
            None if now < due_at => Verdict::Listen(Self { next_due_at: Some(due_at), ..self.clone() }),
            None => Verdict::Tell(Self { told: Some(self.since), next_due_at: None, ..self.clone() }),
        }
    }

    /// The silence after a trigger that was taken in at `heard_at` ended the one that was told of; `None` when there
    /// was none, or when the trigger is from before it.
    pub fn ended(&self, heard_at: Time, expect: &Expect, calendar: Option<&Calendar>) -> Option<Self> {
        self.told.filter(|told| *told < heard_at)?;
        let next_due_at = Some(expect.at_least_every.end(self.since, calendar));
        Some(Self { told: None, next_due_at, ..self.clone() })
    }

    /// The exception about it in the flow's trail.
    pub fn exception(
        &self,
        flow: &Flow,
        expect: &Expect,
        calendar: Option<&Calendar>,
        directory: &Directory,
        now: Time,
    ) -> ExceptionOpened {
        let expected = format!("a trigger at least every {}", expect.at_least_every);
        let seen = format!("none since {}", self.since);
        let id = exception_id(self.since);
        let kind = ExceptionKind::SilentTrigger;
        decide::exception_of_flow(flow, calendar, directory, kind, id, (expected, seen), now)
    }

    /// The resolution of the exception that was opened about it; `None` when there was none.
    pub fn resolved(&self, why: &str) -> Option<ExceptionResolved> {
        let exception = exception_id(self.told?);
        Some(ExceptionResolved { exception, resolution: why.to_owned(), evidence: None })
    }
}

/// One silence has one exception.
fn exception_id(since: Time) -> String {
    format!("silent_trigger-{}", since.unix_ms())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::duration::Duration;
    use crate::time::Span;

    const HOUR: Expect = Expect { at_least_every: Duration::Elapsed(Span::hours(1)) };

    #[test]
    fn a_silence_is_told_once_when_it_has_lasted_and_ends_with_the_next_trigger() {
        let start = Time::from_unix_ms(0);
        let silence = Silence::applied(None, start);
        let end = start + Span::hours(1);
        let Verdict::Listen(listening) = silence.at(start, Some(&HOUR), None) else { panic!("too early") };
        assert_eq!(listening.next_due_at, Some(end));
        let Verdict::Tell(told) = listening.at(end, Some(&HOUR), None) else { panic!("too late") };
        assert_eq!(
            told.at(end + Span::days(9), Some(&HOUR), None),
            Verdict::Listen(told.clone()),
            "told is told"
        );
        assert_eq!(told.ended(start, &HOUR, None), None, "a trigger from before is no news");

        let heard = Silence { since: end + Span::hours(2), ..told };
        let ended = heard.ended(heard.since, &HOUR, None).unwrap();
        assert_eq!((ended.told, ended.next_due_at), (None, Some(end + Span::hours(3))));
    }

    #[test]
    fn business_time_of_silence_passes_only_while_the_calendar_is_open() {
        let calendar: Calendar = serde_json::from_value(serde_json::json!({
            "id": "office", "timezone": "UTC", "hours": {"mon-fri": ["09:00-17:00"]}, "known_until": "2026-12-31",
        }))
        .unwrap();
        let expect = Expect { at_least_every: "4 business hours".parse().unwrap() };
        let friday: Time = "2026-11-27T15:00:00Z".parse().unwrap();
        let monday: Time = "2026-11-30T11:00:00Z".parse().unwrap();
        let silence = Silence::applied(None, friday);
        let Verdict::Listen(listening) = silence.at(friday, Some(&expect), Some(&calendar)) else {
            panic!("too early")
        };
        assert_eq!(listening.next_due_at, Some(monday));
        assert!(matches!(listening.at(monday, Some(&expect), Some(&calendar)), Verdict::Tell(_)));
    }

    #[test]
    fn applying_again_does_not_start_it_anew() {
        let start = Time::from_unix_ms(0);
        let silence = Silence::applied(None, start);
        let later = start + Span::minutes(50);
        assert_eq!(Silence::applied(Some(&silence), later).since, start);
        assert_eq!(silence.at(later, None, None), Verdict::Forget);
    }
}
