//! Records as people read them: one sentence each, with names, titles and times.

use maud::{Markup, html};
use meshline_core::checklist::Answer;
use meshline_core::config::directory::ChannelKind;
use meshline_core::config::flow::{Flow, Ladder};
use meshline_core::record::{
    Actor, ActorKind, ChecklistSent, Closed, Done, Escalated, ExceptionOpened, Fact, Opened, OwnerRole,
    Recipient, Record, StartedOutcome,
};
use meshline_core::time::Time;

use super::reader::{Reader, foreign, linked};
use super::words;

/// What the sentences of a trail need: who reads, and what the flow calls its outcomes and checks.
#[derive(Clone, Copy)]
pub(super) struct Teller<'a> {
    pub(super) reader: &'a Reader,
    pub(super) flow: Option<&'a Flow>,
}

/// How a record stands out.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    /// Something went wrong.
    Alarm,
    /// Something came true.
    Good,
    Plain,
}

impl Tone {
    pub(super) fn class(self) -> &'static str {
        match self {
            Self::Alarm => "late",
            Self::Good => "good",
            Self::Plain => "calm",
        }
    }
}

impl Teller<'_> {
    /// Records in a table under a caption.
    pub(super) fn table(self, caption: &str, records: &[Record]) -> Markup {
        html! {
            div.wide role="region" aria-label=(caption) tabindex="0" {
                table.trail {
                    caption { (caption) }
                    thead { tr { th scope="col" { "When" } th scope="col" { "Who" } th scope="col" { "What" } } }
                    tbody { @for record in records { (self.row(record)) } }
                }
            }
        }
    }

    fn row(self, record: &Record) -> Markup {
        html! {
            tr class=(tone(&record.fact).class()) {
                td { (self.reader.time(record.at)) }
                td { (self.actor(&record.actor)) }
                td { (self.sentence(&record.fact)) }
            }
        }
    }

    pub(super) fn actor(self, actor: &Actor) -> String {
        match actor.kind {
            ActorKind::Person => self.reader.name(&actor.id),
            ActorKind::Source => words::clean(&actor.id),
            ActorKind::System => "Meshline".to_owned(),
        }
    }

    /// What the flow calls an outcome.
    pub(super) fn outcome(self, id: &str) -> String {
        let spec = self.flow.and_then(|flow| flow.outcome(id));
        words::clean(spec.and_then(|spec| spec.title.as_deref()).unwrap_or(id))
    }

    /// What the flow calls a check.
    pub(super) fn check(self, id: &str) -> String {
        let spec = self.flow.and_then(|flow| flow.checks().find(|(_, check)| check.id == id));
        words::clean(spec.and_then(|(_, check)| check.title.as_deref()).unwrap_or(id))
    }

    /// What a record says.
    pub(super) fn sentence(self, fact: &Fact) -> Markup {
        let name = |id: &str| self.reader.name(id);
        let time = |at: Time| self.reader.time(at);
        match fact {
            Fact::RunOpened(it) => self.opened(it),
            Fact::Retriggered(it) => html! { (foreign(&it.event_type)) " joined this run" },
            Fact::OutcomeRequested(it) => {
                html! { "Asked for " (quoted(&self.outcome(&it.outcome))) " over " (it.channel) }
            }
            Fact::OutcomeDone(it) => html! {
                (quoted(&self.outcome(&it.outcome))) " is done, " (if it.met { "in time" } else { "late" })
                (self.evidence(it.evidence.as_deref())) (self.starts(&it.starts))
            },
            Fact::OutcomeFailed(it) => {
                html! { (quoted(&self.outcome(&it.outcome))) " failed: " (self.prose(&it.reason)) }
            }
            Fact::SlaWarning(it) => {
                html! { (quoted(&self.outcome(&it.outcome))) " is due " (time(it.due_at)) "; " (name(&it.owner)) " should know" }
            }
            Fact::SlaBreached(it) => {
                html! { (quoted(&self.outcome(&it.outcome))) " was due " (time(it.due_at)) " and is not done" }
            }
            Fact::Acknowledged(it) => html! {
                "Has it" @if let Some(until) = it.lease_until { ", until " (time(until)) }
            },
            Fact::AcknowledgementMissed(it) => {
                html! { (name(&it.owner)) " should have acknowledged by " (time(it.due_at)) }
            }
            Fact::AcknowledgementLapsed(it) => {
                let (until, by) = (time(it.due_at), time(it.acknowledge_by));
                html! { "No progress until " (until) "; " (name(&it.owner)) " has to acknowledge again by " (by) }
            }
            Fact::Reassigned(it) => {
                html! { (name(&it.from)) " handed over to " (name(&it.to)) (as_what(it.role)) ": " (self.prose(&it.reason)) }
            }
            Fact::Escalated(it) => self.escalated(it),
            Fact::StepEmpty(it) => {
                html! { "Step " (it.step + 1) " of " (quoted(ladder(it.ladder))) " told nobody: " (self.prose(&it.reason)) }
            }
            Fact::ExceptionOpened(it) => self.exception_opened(it),
            Fact::ExceptionResolved(it) => html! {
                "Exception " (it.exception) " resolved: " (self.prose(&it.resolution)) (self.evidence(it.evidence.as_deref()))
            },
            Fact::RecoveryBreached(it) => {
                html! { (name(&it.owner)) " should have resolved exception " (it.exception) " by " (time(it.due_at)) }
            }
            Fact::Stalled(it) => html! { "Nothing happened since " (time(it.since)) },
            Fact::CheckPassed(it) => html! {
                "Check " (quoted(&self.check(&it.check))) " passed" (self.evidence(it.evidence.as_deref())) (self.starts(&it.starts))
            },
            Fact::CheckFailed(it) => {
                html! { "Check " (quoted(&self.check(&it.check))) " failed: " (self.prose(&it.reason)) }
            }
            Fact::CheckOverdue(it) => {
                html! { "Check " (quoted(&self.check(&it.check))) " should have been reported by " (time(it.due_at)) }
            }
            Fact::Paused(it) => {
                html! { "Paused until " (time(it.until)) " at the latest: " (self.prose(&it.reason)) }
            }
            Fact::Resumed(it) => html! { "Clocks run again since " (time(it.resumed_at)) },
            Fact::RunVerifying(_) => html! { "Every outcome is done; checks or exceptions are open" },
            Fact::RunClosed(it) => html! {
                "Closed: " (if it.met { "every promise was kept" } else { "not every promise was kept" })
                @if let Some(reason) = &it.reason { " (" (foreign(reason)) ")" }
            },
            Fact::RunCancelled(it) => html! { "Cancelled: " (self.prose(&it.reason)) },
            Fact::NoteAdded(it) => html! { span.note { (linked(&it.text)) } },
            Fact::DeliverySucceeded(it) => {
                html! {
                    (self.receiver(&it.to)) " was told by " (way(it.by))
                    @if let Some(all) = it.together { ", together with " (words::count(all.saturating_sub(1), "other notice")) }
                }
            }
            Fact::DeliveryFailed(it) => html! {
                (self.receiver(&it.to)) " could not be reached, after "
                (it.attempts) (if it.attempts == 1 { " attempt" } else { " attempts" }) ": " (words::clean(&it.error))
            },
            Fact::DeliverySkipped(it) => {
                html! {
                    @match &it.to {
                        Some(to) => { (self.receiver(to)) " was not told: " }
                        None => { "Nobody needed to be told any more: " }
                    }
                    (self.prose(&it.reason))
                }
            }
            Fact::AlertSettled(it) => {
                html! { (self.receiver(&it.to)) " is to show it as " (it.settlement.as_str()) ": " (self.prose(&it.how)) }
            }
            Fact::FlowApplied(it) => html! { "A new version, with " (words::count(it.diff.len(), "change")) },
            Fact::OwnerRotated(it) => {
                let accepted = if it.accepted { "" } else { ", who has not accepted it" };
                html! { (it.role) ": the turn passed from " (name(&it.from)) " to " (name(&it.to)) (accepted) }
            }
            Fact::HandoverAccepted(it) => {
                html! { (name(&it.to)) " accepted the turn of " (it.role) " from " (time(it.turn_at)) }
            }
            Fact::HandoverReminded(it) => {
                html! { (name(&it.to)) " has not accepted the turn of " (it.role) " since " (time(it.turn_at)) }
            }
            Fact::ChecklistSent(it) => checklist_sent(it),
        }
    }

    fn opened(self, it: &Opened) -> Markup {
        html! {
            (foreign(&it.event_type)) " opened the run for " (self.reader.name(&it.owner)) (as_what(it.role))
            @if let Some(by) = it.acknowledge_by { ", to acknowledge by " (self.reader.time(by)) }
        }
    }

    fn exception_opened(self, it: &ExceptionOpened) -> Markup {
        html! {
            (words::kind(it.kind)) ": expected " (self.prose(&it.expected)) ", seen " (self.prose(&it.seen)) "; for "
            (self.reader.name(&it.owner)) " to resolve by " (self.reader.time(it.recovery_due_at))
        }
    }

    /// The clocks that a fact starts.
    fn starts(self, starts: &[StartedOutcome]) -> Markup {
        html! { @for next in starts { "; " (quoted(&self.outcome(&next.id))) " is due " (self.reader.time(next.clock.due_at)) } }
    }

    fn escalated(self, it: &Escalated) -> Markup {
        let told: Vec<String> = it.notify.iter().map(recipient).collect();
        let about = it.outcome.as_deref().map(|id| format!(" for {}", quoted(&self.outcome(id))));
        html! {
            "Step " (it.step + 1) " of " (quoted(ladder(it.ladder))) (about.unwrap_or_default()) ", " (it.severity.as_str()) ": "
            @if told.is_empty() { "nobody was told" } @else { (told.join(", ")) " told" }
        }
    }

    /// Text that the core may have made: `` `answered` by 2026-11-23T11:00:00.000Z `` with titles, names and times.
    pub(super) fn prose(self, text: &str) -> Markup {
        html! {
            bdi {
                @for (n, word) in text.split(' ').enumerate() {
                    @if n > 0 { " " }
                    @let bare = word.trim_end_matches(['.', ',', ';', ':']);
                    @let after = word.get(bare.len()..).unwrap_or_default();
                    @match (bare.parse::<Time>(), bare.strip_prefix('`').and_then(|rest| rest.strip_suffix('`'))) {
                        (Ok(at), _) => { (self.reader.time(at)) (after) },
                        (Err(_), Some(id)) => { (self.called(id)) (after) },
                        (Err(_), None) => (words::clean(word)),
                    }
                }
            }
        }
    }

    /// What an id in a sentence stands for: an outcome, a check, a person.
    fn called(self, id: &str) -> String {
        let mut titles = [self.outcome(id), self.check(id)].into_iter().filter(|title| title != id);
        titles.next().map_or_else(|| self.reader.name(id), |title| quoted(&title))
    }

    /// Who gets a message: `person:ana`, `channel:ops-pager`.
    fn receiver(self, to: &str) -> String {
        match to.strip_prefix("person:") {
            Some(person) => self.reader.name(person),
            None => words::clean(to.strip_prefix("channel:").unwrap_or(to)),
        }
    }

    fn evidence(self, evidence: Option<&str>) -> Markup {
        html! { @if let Some(evidence) = evidence { ", see " (linked(evidence)) } }
    }
}

/// By which way somebody is told.
fn checklist_sent(it: &ChecklistSent) -> Markup {
    let wrong = it.checks.iter().filter(|check| check.status == Answer::Fail).count();
    let told: Vec<String> = it.notify.iter().map(recipient).collect();
    html! {
        "The checklist of " (it.week) ", with " (wrong) " of " (words::count(it.checks.len(), "check")) " not right"
        @if let Some(late) = &it.late { ", and " (words::count(late.outcomes.len(), "outcome")) " late on average" }
        @if told.is_empty() { "; nobody is there to be told" } @else { "; for " (told.join(", ")) }
    }
}

fn way(kind: ChannelKind) -> &'static str {
    match kind {
        ChannelKind::Webhook => "webhook",
        ChannelKind::Pagerduty => "PagerDuty",
        ChannelKind::Slack => "Slack",
        ChannelKind::Email => "e-mail",
        ChannelKind::Jira => "Jira",
    }
}

fn quoted(title: &str) -> String {
    format!("\u{201c}{title}\u{201d}")
}

fn recipient(recipient: &Recipient) -> String {
    words::clean(recipient.name.as_deref().unwrap_or(&recipient.id))
}

fn as_what(role: OwnerRole) -> &'static str {
    match role {
        OwnerRole::Owner => "",
        OwnerRole::Backup => ", as backup",
        OwnerRole::Assigned => ", by assignment",
    }
}

/// What a ladder is climbed for.
pub(super) fn ladder(ladder: Ladder) -> &'static str {
    match ladder {
        Ladder::NotAcknowledged => "nobody acknowledged",
        Ladder::Breached => "deadline passed",
        Ladder::Recovery => "exception not resolved",
    }
}

/// What went wrong stands out, and what came true.
pub(super) fn tone(fact: &Fact) -> Tone {
    match fact {
        Fact::OutcomeFailed(_)
        | Fact::SlaBreached(_)
        | Fact::AcknowledgementMissed(_)
        | Fact::AcknowledgementLapsed(_)
        | Fact::StepEmpty(_)
        | Fact::RecoveryBreached(_)
        | Fact::ExceptionOpened(_)
        | Fact::CheckFailed(_)
        | Fact::CheckOverdue(_)
        | Fact::HandoverReminded(_)
        | Fact::DeliveryFailed(_)
        | Fact::Stalled(_) => Tone::Alarm,
        Fact::OutcomeDone(Done { met: true, .. })
        | Fact::RunClosed(Closed { met: true, .. })
        | Fact::Acknowledged(_)
        | Fact::ExceptionResolved(_)
        | Fact::CheckPassed(_)
        | Fact::HandoverAccepted(_) => Tone::Good,
        Fact::RunOpened(_)
        | Fact::OutcomeDone(_)
        | Fact::RunClosed(_)
        | Fact::Retriggered(_)
        | Fact::OutcomeRequested(_)
        | Fact::SlaWarning(_)
        | Fact::Reassigned(_)
        | Fact::Escalated(_)
        | Fact::Paused(_)
        | Fact::Resumed(_)
        | Fact::RunVerifying(_)
        | Fact::RunCancelled(_)
        | Fact::NoteAdded(_)
        | Fact::DeliverySucceeded(_)
        | Fact::DeliverySkipped(_)
        | Fact::AlertSettled(_)
        | Fact::FlowApplied(_)
        | Fact::OwnerRotated(_)
        | Fact::ChecklistSent(_) => Tone::Plain,
    }
}
