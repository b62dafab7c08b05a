//! Duties: what a flow owes whether or not it has runs. Its playbooks are reviewed, on each of the next days somebody is
//! there to own its runs, and on Mondays its owner gets the checklist.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::config::calendar::Calendar;
use crate::config::coverage;
use crate::config::directory::Directory;
use crate::config::flow::{ExceptionKind, Flow, Playbook};
use crate::day::Day;
use crate::decide;
use crate::flow_exception::FlowException;
use crate::monday::Monday;
use crate::record::{ChecklistSent, ExceptionOpened, ExceptionResolved};
use crate::time::{Span, Time};

/// How often a flow's duties are looked at.
const EVERY: Span = Span::days(1);

/// The duties of a flow, as they stand.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Duties {
    /// The playbooks that are to be reviewed, by the kind of exception they are for.
    #[serde(default)]
    pub playbooks: BTreeMap<ExceptionKind, Review>,
    /// Id of the exception that says that nobody is there on some day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gap: Option<String>,
    /// The checklists that its owner gets.
    #[serde(default)]
    pub monday: Monday,
    /// When they are looked at next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_due_at: Option<Time>,
}

/// The reviews of one playbook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Review {
    /// Where the playbook is: another one counts anew.
    pub url: String,
    /// When it was reviewed last; before the first time, when it was applied.
    pub since: Time,
    /// Id of the exception that asks for the review, until that was resolved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<String>,
}

/// What is to be done about duties, one thing at a time: a flow's records follow one another.
#[derive(Debug, Clone, PartialEq)]
pub enum Deed {
    /// Somebody is to be asked.
    Open(Box<ExceptionOpened>),
    /// What was asked is over.
    Resolve(ExceptionResolved),
    /// The owner is to be told.
    Tell(Box<ChecklistSent>),
}

impl Duties {
    /// The duties of a flow that is applied at `now`. What was owed before goes on as it was.
    pub fn applied(before: Option<&Self>, now: Time) -> Self {
        Self { next_due_at: Some(now), ..before.cloned().unwrap_or_default() }
    }

    /// Whether they are to be looked at.
    pub fn is_due(&self, now: Time) -> bool {
        self.next_due_at.is_some_and(|due_at| due_at <= now)
    }

    /// Ids of the exceptions that ask for a review.
    pub fn asked(&self) -> impl Iterator<Item = &str> {
        self.playbooks.values().filter_map(|review| review.asked.as_deref())
    }

    /// Looks at what is owed at `now`: the duties afterwards, and the first thing that is to be done; while there is one
    /// they are to be looked at again at once. `exceptions` are those that asked for reviews: a resolved one is a review.
    pub fn look(
        &self,
        flow: &Flow,
        calendar: Option<&Calendar>,
        directory: &Directory,
        exceptions: &[FlowException],
        now: Time,
    ) -> (Self, Option<Deed>) {
        let case =
            |kind, id, about| decide::exception_of_flow(flow, calendar, directory, kind, id, about, now);
        let mut next = Self {
            gap: self.gap.clone(),
            monday: self.monday.clone(),
            next_due_at: Some(now),
            ..Self::default()
        };
        let playbooks = flow.exception_policy().playbooks;
        let watched =
            playbooks.iter().filter_map(|(kind, playbook)| Some((*kind, playbook, playbook.review_every?)));
        for (kind, playbook, _) in watched.clone() {
            next.playbooks.insert(kind, self.review(kind, &playbook.url, exceptions, now));
        }
        let mut due = vec![now + EVERY];
        for (kind, playbook, every) in watched {
            let Some(review) = next.playbooks.get_mut(&kind).filter(|review| review.asked.is_none()) else {
                continue;
            };
            if review.since + every > now {
                due.push(review.since + every);
                continue;
            }
            let id = format!("playbook_review-{kind}-{}", review.since.unix_ms());
            let expected = format!("a review of the playbook for `{kind}` every {every}");
            let about = (expected, format!("none since {}", review.since));
            review.asked = Some(id.clone());
            let opened = case(ExceptionKind::PlaybookReview, id, about);
            return (next, Some(Deed::Open(Box::new(about_playbook(opened, playbook, directory, now)))));
        }
        let expected = format!(
            "`{}` and `{}` to cover each of the next {} days",
            flow.owner,
            flow.backup_owner,
            coverage::DAYS
        );
        let deed = match (coverage::gap(flow, directory, now), next.gap.take()) {
            (Some(seen), None) => {
                let id = format!("ownership_gap-{}", Day::of(now));
                next.gap = Some(id.clone());
                Some(Deed::Open(Box::new(case(ExceptionKind::OwnershipGap, id, (expected, seen)))))
            }
            (None, Some(exception)) => {
                let resolution = "each of the next days is covered".to_owned();
                Some(Deed::Resolve(ExceptionResolved { exception, resolution, evidence: None }))
            }
            (_, told) => {
                next.gap = told;
                next.next_due_at = due.into_iter().min();
                None
            }
        };
        (next, deed)
    }

    /// The reviews of the playbook for `kind` that is at `url`, with one that was done since it was asked for.
    fn review(&self, kind: ExceptionKind, url: &str, exceptions: &[FlowException], now: Time) -> Review {
        let url = url.to_owned();
        let Some(known) = self.playbooks.get(&kind).filter(|known| known.url == url) else {
            return Review { url, since: now, asked: None };
        };
        let asked = exceptions.iter().find(|it| Some(&it.id) == known.asked.as_ref());
        match asked.and_then(|exception| exception.resolved_at) {
            Some(reviewed_at) => Review { url, since: reviewed_at, asked: None },
            None => known.clone(),
        }
    }
}

/// The case with the playbook that it is about, given to whoever answers for that.
fn about_playbook(
    mut opened: ExceptionOpened,
    playbook: &Playbook,
    directory: &Directory,
    now: Time,
) -> ExceptionOpened {
    if let Some(owner) = &playbook.owner {
        opened.owner = decide::answerable(directory, owner, now);
    }
    opened.playbook = Some(playbook.url.clone());
    opened
}
