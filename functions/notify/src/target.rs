//! Targets: whom a message goes to, and by which ways they can be reached.

use meshline_core::config::directory::{Channel, ChannelKind, Directory, Person};
use meshline_core::config::flow::Party;

use crate::message::{Content, Message};

/// A receiver of a message.
#[derive(Debug)]
pub(crate) struct Target {
    /// `person:ana` or `channel:crm-automation`.
    pub(crate) id: String,
    /// How they can be reached, the best way first.
    pub(crate) ways: Vec<Way>,
}

/// One way to reach a receiver.
#[derive(Debug, Clone)]
pub(crate) struct Way {
    /// By what.
    pub(crate) kind: ChannelKind,
    /// Its address, where it has one of its own.
    pub(crate) url: Option<String>,
    /// The secret's name.
    pub(crate) secret: Option<String>,
    /// To whom there.
    pub(crate) to: Option<String>,
}

/// Everybody that `message` goes to; `ticket_channel` is where the flow has its tickets.
pub(crate) fn targets(message: &Message, directory: &Directory, ticket_channel: Option<&str>) -> Vec<Target> {
    let person = |id: &str| directory.person(id).map(|person| of_person(person, directory));
    match &message.content {
        Content::Notice(notice) => notice
            .notify
            .iter()
            .filter_map(|told| {
                if told.channel.is_some() { Some(of_channel(&told.id, directory)) } else { person(&told.id) }
            })
            .collect(),
        Content::Ticket(ticket) => {
            let mut targets: Vec<Target> =
                ticket_channel.iter().map(|id| of_channel(id, directory)).collect();
            // A role stands there when nobody of it was on duty: then all of it is told.
            let owners = match ticket.owner.parse::<Party>() {
                Ok(party) => directory.members(&party),
                Err(_) => directory.person(&ticket.owner).into_iter().collect(),
            };
            targets.extend(owners.into_iter().map(|owner| of_person(owner, directory)));
            targets
        }
        Content::Request(request) => vec![of_channel(&request.channel, directory)],
    }
}

/// A channel that the directory does not have any more has no way.
fn of_channel(id: &str, directory: &Directory) -> Target {
    Target { id: format!("channel:{id}"), ways: directory.channel(id).map(Way::of).into_iter().collect() }
}

/// A person is reached by Slack where the directory has a bot for it, else by e-mail.
fn of_person(person: &Person, directory: &Directory) -> Target {
    let is_bot = |channel: &&Channel| channel.kind == ChannelKind::Slack && channel.to.is_none();
    let bot = directory.channels.iter().find(is_bot);
    let slack =
        person.slack.as_ref().zip(bot).map(|(member, bot)| Way { to: Some(member.clone()), ..Way::of(bot) });
    let email = person.email.as_ref().map(|address| Way {
        kind: ChannelKind::Email,
        url: None,
        secret: None,
        to: Some(address.clone()),
    });
    Target { id: format!("person:{}", person.id), ways: slack.into_iter().chain(email).collect() }
}

impl Way {
    fn of(channel: &Channel) -> Self {
        let Channel { id: _, kind, url, secret, to } = channel.clone();
        Self { kind, url, secret, to }
    }
}
