//! The proof of coverage: owner and backup are two people, and on each of the next days one of them is there.

use std::collections::BTreeSet;

use crate::config::check::Found;
use crate::config::directory::Directory;
use crate::config::flow::{Flow, Party};
use crate::time::{Span, Time};

/// How many days ahead coverage is proved.
pub const DAYS: i64 = 30;
/// More days than this are told by the first, the last and their number.
const MAX_DAYS_LISTED: usize = 10;

/// What keeps the people of `flow` from covering each of the next days, in words; `None` when they do.
pub fn gap(flow: &Flow, directory: &Directory, now: Time) -> Option<String> {
    let reasons: Vec<String> =
        problems(flow, directory, now).into_iter().map(|(_, reason, _)| reason).collect();
    (!reasons.is_empty()).then(|| reasons.join("; "))
}

/// The same as problems of the flow's document.
pub(super) fn problems(flow: &Flow, directory: &Directory, now: Time) -> Vec<Found> {
    let (owner, backup) = (&flow.owner, &flow.backup_owner);
    let ids = |party: &Party| -> BTreeSet<&str> {
        let members = directory.members(party);
        members.into_iter().filter(|p| p.is_reachable()).map(|p| p.id.as_str()).collect()
    };
    if ids(backup).is_empty() {
        return Vec::new(); // an empty role, which is a problem of the directory
    }
    if owner == backup || ids(owner).union(&ids(backup)).count() < 2 {
        let reason = format!("`{owner}` and `{backup}` are the same person");
        let mend = "name a backup who can stand in for the owner".to_owned();
        return vec![("backup_owner".to_owned(), reason, mend)];
    }
    let (mut gaps, mut alone) = (Vec::new(), Vec::new());
    for day in (0..DAYS).map(|n| now + Span::days(n)) {
        let on_duty = directory.on_duty(owner, day, None).map(|person| person.id.as_str());
        match on_duty {
            None if directory.on_duty(backup, day, None).is_none() => gaps.push(day.day()),
            Some(id) if ids(backup).iter().all(|other| *other == id) => alone.push(day.day()),
            None | Some(_) => {}
        }
    }
    let mend = "change the days off, or name another backup";
    let problem = |days: &[String], reason: String| {
        let when = match days {
            [] => return None,
            [first, .., last] if days.len() > MAX_DAYS_LISTED => {
                format!("{first} and {} more days until {last}", days.len() - 1)
            }
            _ => days.join(", "),
        };
        Some(("backup_owner".to_owned(), format!("{reason} on {when}"), mend.to_owned()))
    };
    let nobody = problem(&gaps, format!("neither `{owner}` nor `{backup}` is there"));
    let same = problem(&alone, format!("nobody of `{backup}` is another person than the owner on duty"));
    nobody.into_iter().chain(same).collect()
}
