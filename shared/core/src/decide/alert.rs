//! Telling pagers and trackers what became of what they hold open.

use super::{Draft, group};
use crate::alert::{self, Alert, Matter};
use crate::record::{AlertSettled, Fact};

impl Draft<'_> {
    /// Has every holder of an alert told that its matter is settled, or taken on. It is looked at after each decision:
    /// also after the report that an alert was raised, whose matter may have been settled on the way.
    pub(super) fn settle_alerts(&mut self) {
        for alert in self.run.alerts.clone() {
            let Some((settlement, how)) = alert::news(&self.run, &alert) else { continue };
            let group = self.group_of(&alert.matter);
            let Alert { matter, to, by, acknowledged: _ } = alert;
            let title = self.run.title.clone();
            let settled = AlertSettled { matter, to, by, settlement, how, group, title };
            self.follow(Fact::AlertSettled(Box::new(settled)));
        }
    }

    fn group_of(&self, matter: &Matter) -> Option<String> {
        let Matter::Exception(id) = matter else { return None };
        let exception = self.run.exceptions.iter().find(|exception| exception.id == *id)?;
        let about = exception.outcome.as_deref().or(exception.check.as_deref());
        Some(group(&self.run.flow, about, exception.kind, exception.opened_at))
    }
}
