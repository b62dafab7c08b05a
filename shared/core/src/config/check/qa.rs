//! What must hold of a flow's checks.

use std::collections::BTreeSet;

use super::{FlowCheck, Found, positive, twice};
use crate::config::qa::CheckSpec;
use crate::duration::Duration;

/// Checks of one flow: what they start and resolve must fit one transaction with what fell due meanwhile.
const MAX_CHECKS: usize = 10;

impl FlowCheck<'_> {
    pub(super) fn qa(&self) -> Vec<Found> {
        let Some(qa) = &self.flow.qa else { return Vec::new() };
        let mut found = self.checks("qa.content", &qa.content);
        found.extend(self.checks("qa.routing", &qa.routing));
        let count = qa.content.len() + qa.routing.len();
        if count == 0 || count > MAX_CHECKS {
            let reason = format!("a flow has 1 to {MAX_CHECKS} checks, this one {count}");
            found.push(("qa".to_owned(), reason, "leave `qa` out if nothing is to be checked".to_owned()));
        }
        let content: BTreeSet<&str> = qa.content.iter().map(|check| check.id.as_str()).collect();
        for (n, check) in
            qa.routing.iter().enumerate().filter(|(_, check)| content.contains(check.id.as_str()))
        {
            let reason = format!("`{}` is a content check already", check.id);
            found.push((format!("qa.routing[{n}].id"), reason, "give each its own id".to_owned()));
        }
        found
    }

    fn checks(&self, field: &str, checks: &[CheckSpec]) -> Vec<Found> {
        let mut found = twice(field, checks.iter().map(|check| check.id.as_str()));
        for (n, check) in checks.iter().enumerate() {
            found.extend(positive(&format!("{field}[{n}].within"), Duration::Elapsed(check.within)));
            let pattern = check.pass_when.pattern();
            found.extend(pattern.iter().flat_map(|it| self.pattern(&format!("{field}[{n}].pass_when"), it)));
        }
        found
    }
}
