//! A directory: people, roles and channels, and who of them is there on a day.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::config::flow::Party;
use crate::config::rotation::Rotation;
use crate::time::Time;

/// The people, roles and channels that flows name. YAML: `kind: Directory`; there is one.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Directory {
    /// Everybody who can own or be told.
    #[serde(default)]
    pub people: Vec<Person>,
    /// Groups, of which the first available member is on duty.
    #[serde(default)]
    pub roles: Vec<Role>,
    /// Where requests and notices go.
    #[serde(default)]
    pub channels: Vec<Channel>,
}

/// Somebody who can own a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Person {
    /// Form as of a flow's id.
    #[cfg_attr(feature = "schema", schemars(with = "crate::config::schema::Id"))]
    pub id: String,
    /// For people.
    pub name: String,
    /// A way to be reached; also how a signed-in person is found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// A way to be reached: a Slack member id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slack: Option<String>,
    /// Days off, both ends included.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub away: Vec<Away>,
}

/// Days off: UTC calendar days, `2026-12-20`, both included.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Away {
    /// First day.
    #[cfg_attr(feature = "schema", schemars(with = "crate::day::Day"))]
    pub from: String,
    /// Last day.
    #[cfg_attr(feature = "schema", schemars(with = "crate::day::Day"))]
    pub to: String,
}

/// A group of people.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Role {
    /// Form as of a flow's id.
    #[cfg_attr(feature = "schema", schemars(with = "crate::config::schema::Id"))]
    pub id: String,
    /// Ids of people, the first available is on duty.
    #[cfg_attr(feature = "schema", schemars(with = "Vec<crate::config::schema::Id>"))]
    pub members: Vec<String>,
    /// How they take turns in being the first; without it the first is always the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotate: Option<Rotation>,
    /// Turns that their incumbents have accepted. No part of the document: it is what people said since.
    #[serde(skip)]
    pub accepted: BTreeSet<u32>,
}

/// Where requests and notices go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Channel {
    /// Form as of a flow's id.
    #[cfg_attr(feature = "schema", schemars(with = "crate::config::schema::Id"))]
    pub id: String,
    /// By which way.
    pub kind: ChannelKind,
    /// Where to: of `webhook` the receiver, of `jira` the site; the others have their provider's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Name in the secret store: of `webhook` the signing secret, of `pagerduty` the routing key, of `slack` a bot token or
    /// the address of an incoming webhook, of `jira` `address:API token`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    /// To whom there: of `slack` a channel's id, of `email` an address, of `jira` a project's key. A Slack channel without
    /// it is how people with a Slack id are reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
}

/// A way to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ChannelKind {
    /// A signed POST.
    Webhook,
    /// PagerDuty Events v2.
    Pagerduty,
    /// A Slack channel.
    Slack,
    /// E-mail.
    Email,
    /// One Jira issue for each exception.
    Jira,
}

impl Person {
    /// Whether the person is there at `at`.
    pub fn is_there(&self, at: Time) -> bool {
        let day = at.day();
        !self.away.iter().any(|away| away.from <= day && day <= away.to)
    }

    /// Whether a notice can reach the person.
    pub fn is_reachable(&self) -> bool {
        self.email.is_some() || self.slack.is_some()
    }
}

impl Directory {
    /// The person of that id.
    pub fn person(&self, id: &str) -> Option<&Person> {
        self.people.iter().find(|person| person.id == id)
    }

    /// The channel of that id.
    pub fn channel(&self, id: &str) -> Option<&Channel> {
        self.channels.iter().find(|channel| channel.id == id)
    }

    /// Everybody a party stands for, as the directory lists them. Unknown names stand for nobody.
    pub fn members(&self, party: &Party) -> Vec<&Person> {
        match party {
            Party::Person(id) => self.person(id).into_iter().collect(),
            Party::Role(id) => {
                let members = self.role(id).into_iter().flat_map(|role| &role.members);
                members.filter_map(|id| self.person(id)).collect()
            }
        }
    }

    /// Everybody a party stands for, in order of duty at `at`.
    pub fn duty_order(&self, party: &Party, at: Time) -> Vec<&Person> {
        match party {
            Party::Person(_) => self.members(party),
            Party::Role(id) => {
                let order = self.role(id).into_iter().flat_map(|role| role.order_at(at));
                order.filter_map(|id| self.person(id)).collect()
            }
        }
    }

    /// Who of a party is on duty at `at`: the first who is there, can be reached and is not `except`.
    pub fn on_duty(&self, party: &Party, at: Time, except: Option<&str>) -> Option<&Person> {
        let mut members = self.duty_order(party, at).into_iter();
        members
            .find(|person| person.is_there(at) && person.is_reachable() && Some(person.id.as_str()) != except)
    }

    /// The person whom a signed-in identity stands for: an id, or an e-mail address in any case.
    pub fn identify(&self, identity: &str) -> Option<&Person> {
        self.person(identity).or_else(|| {
            let mut people = self.people.iter();
            people.find(|person| {
                person.email.as_deref().is_some_and(|email| email.eq_ignore_ascii_case(identity))
            })
        })
    }
}
