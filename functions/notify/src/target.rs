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
    match &message.content {
        Content::Notice(notice) => notice
            .notify
            .iter()
            .map(|told| match told.channel {
                Some(_) => of_channel(&told.id, directory),
                None => of_person(&told.id, told.slack.as_deref(), told.email.as_deref(), directory),
            })
            .collect(),
        Content::Ticket(ticket) => {
            let channel = ticket_channel.iter().map(|id| of_channel(id, directory));
            channel.chain(of_owner(&ticket.owner, directory)).collect()
        }
        Content::Request(request) => vec![of_channel(&request.channel, directory)],
        Content::Settlement(settled) => {
            let channel = settled.to.strip_prefix("channel:").unwrap_or(&settled.to);
            vec![of_channel(channel, directory)]
        }
    }
}

/// The owner of an exception. A role stands there when nobody of it was on duty: then all of it is told. Somebody who has
/// left the directory cannot be reached, which the trail has to say.
fn of_owner(owner: &str, directory: &Directory) -> Vec<Target> {
    let of =
        |person: &Person| of_person(&person.id, person.slack.as_deref(), person.email.as_deref(), directory);
    let known: Vec<Target> = match owner.parse::<Party>() {
        Ok(party) => directory.members(&party).into_iter().map(of).collect(),
        Err(_) => directory.person(owner).map(of).into_iter().collect(),
    };
    if known.is_empty() {
        let id = if owner.contains(':') { owner.to_owned() } else { format!("person:{owner}") };
        return vec![Target { id, ways: Vec::new() }];
    }
    known
}

/// A channel that the directory does not have any more has no way.
fn of_channel(id: &str, directory: &Directory) -> Target {
    Target { id: format!("channel:{id}"), ways: directory.channel(id).map(Way::of).into_iter().collect() }
}

/// A person is reached by Slack where the directory has a bot for it, else by e-mail.
fn of_person(id: &str, slack: Option<&str>, email: Option<&str>, directory: &Directory) -> Target {
    let is_bot = |channel: &&Channel| channel.kind == ChannelKind::Slack && channel.to.is_none();
    let bot = directory.channels.iter().find(is_bot);
    let slack = slack.zip(bot).map(|(member, bot)| Way { to: Some(member.to_owned()), ..Way::of(bot) });
    let email = email.map(|address| Way {
        kind: ChannelKind::Email,
        url: None,
        secret: None,
        to: Some(address.to_owned()),
    });
    Target { id: format!("person:{id}"), ways: slack.into_iter().chain(email).collect() }
}

impl Way {
    fn of(channel: &Channel) -> Self {
        let Channel { id: _, kind, url, secret, to } = channel.clone();
        Self { kind, url, secret, to }
    }
}
