//! Who is on duty, and who is told.

use super::Draft;
use crate::config::directory::{Directory, Person};
use crate::config::flow::{Flow, Party, Target};
use crate::record::{OwnerRole, Recipient};
use crate::time::Time;

/// Who owns a run from its opening.
pub(crate) struct Opening {
    pub(crate) owner: String,
    pub(crate) role: OwnerRole,
    pub(super) backup: Option<String>,
    /// Neither owner nor backup is there.
    pub(super) gap: bool,
}

/// The owner on duty, once their turn is accepted; else the backup; else, with a gap, whoever answers for exceptions; else somebody by name.
pub(crate) fn at_opening(flow: &Flow, directory: &Directory, at: Time) -> Opening {
    let duty =
        |party: &Party, except: Option<&str>| directory.on_duty(party, at, except).map(|p| p.id.clone());
    let cover =
        directory.awaited(&flow.owner, at).and_then(|awaited| duty(&flow.backup_owner, Some(&awaited.id)));
    if let Some(owner) = cover {
        let backup = duty(&flow.owner, Some(&owner));
        return Opening { owner, role: OwnerRole::Backup, backup, gap: false };
    }
    if let Some(owner) = duty(&flow.owner, None) {
        let backup = duty(&flow.backup_owner, Some(&owner));
        return Opening { owner, role: OwnerRole::Owner, backup, gap: false };
    }
    if let Some(owner) = duty(&flow.backup_owner, None) {
        return Opening { owner, role: OwnerRole::Backup, backup: None, gap: false };
    }
    let owner = answerable(directory, &flow.exception_policy().owner, at);
    Opening { owner, role: OwnerRole::Assigned, backup: None, gap: true }
}

/// One id that stands for a party, whatever happens: on duty, else the first member, else the party's own name.
pub(crate) fn answerable(directory: &Directory, party: &Party, at: Time) -> String {
    let on_duty =
        directory.on_duty(party, at, None).or_else(|| directory.duty_order(party, at).into_iter().next());
    on_duty.map_or_else(|| party.to_string(), |person| person.id.clone())
}

pub(crate) fn recipient(person: &Person) -> Recipient {
    Recipient {
        id: person.id.clone(),
        name: Some(person.name.clone()),
        email: person.email.clone(),
        slack: person.slack.clone(),
        channel: None,
    }
}

/// Everybody that `targets` of the flow stand for at `at`, with this `owner`, and who can be reached, each once.
pub(super) fn recipients(
    flow: &Flow,
    directory: &Directory,
    at: Time,
    targets: &[Target],
    owner: Option<&Recipient>,
) -> Vec<Recipient> {
    let on_duty = |party: &Party| directory.on_duty(party, at, None).map(recipient);
    let mut found: Vec<Recipient> = Vec::new();
    for target in targets {
        let new = match target {
            Target::Owner => owner.cloned(),
            Target::BackupOwner => on_duty(&flow.backup_owner),
            Target::Party(party) => on_duty(party),
            Target::Channel(id) => directory.channel(id).map(|channel| Recipient {
                id: id.clone(),
                name: None,
                email: None,
                slack: None,
                channel: Some(channel.kind),
            }),
        };
        found.extend(new.filter(|new| !found.contains(new)));
    }
    found
}

/// The person of that id, to be told.
pub(super) fn reachable(directory: &Directory, id: &str) -> Option<Recipient> {
    directory.person(id).filter(|person| person.is_reachable()).map(recipient)
}

impl Draft<'_> {
    /// Everybody that `targets` stand for, with this `owner`, and who can be reached, each once.
    pub(super) fn recipients(&self, targets: &[Target], owner: Option<&Recipient>) -> Vec<Recipient> {
        recipients(&self.context.flow.document, self.context.directory, self.at, targets, owner)
    }

    /// Whoever answers for the flow's exceptions, to be told; all of them when nobody of them is there.
    pub(super) fn exceptions_owner(&self) -> Vec<Recipient> {
        let party = self.context.flow.document.exception_policy().owner;
        let on_duty = self.on_duty(&party);
        if on_duty.is_some() {
            return on_duty.into_iter().collect();
        }
        let members = self.context.directory.members(&party).into_iter();
        members.filter(|person| person.is_reachable()).map(recipient).collect()
    }

    /// The person of that id, to be told.
    pub(super) fn reachable(&self, id: &str) -> Option<Recipient> {
        reachable(self.context.directory, id)
    }

    /// Whoever of the party is on duty, to be told.
    pub(super) fn on_duty(&self, party: &Party) -> Option<Recipient> {
        self.context.directory.on_duty(party, self.at, None).map(recipient)
    }
}
