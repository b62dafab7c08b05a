//! Messages as they are read from the queues: what `core::message` made of a record.

use meshline_core::alert::{self, Matter, Settlement};
use meshline_core::config::directory::ChannelKind;
use meshline_core::config::flow::{ExceptionKind, Ladder, Severity};
use meshline_core::delivery::About;
use meshline_core::message::Queue;
use meshline_core::record::{Checked, Recipient};
use meshline_core::report::Late;
use meshline_core::time::Time;
use serde::Deserialize;
use serde_json::Value;

/// One message.
#[derive(Debug)]
pub(crate) struct Message {
    /// The run, or `FLOW#<id>`.
    pub(crate) run: String,
    /// Sequence number of its record.
    pub(crate) seq: u64,
    /// When that was decided.
    pub(crate) at: Time,
    /// All of it, as a receiver of webhooks gets it.
    pub(crate) event: Value,
    /// What it says.
    pub(crate) content: Content,
}

/// What a message says.
#[derive(Debug)]
pub(crate) enum Content {
    /// Something is due, and somebody has to know.
    Notice(Box<Notice>),
    /// A case that automation cannot resolve.
    Ticket(Box<Ticket>),
    /// The execution layer is asked for an outcome.
    Request(Request),
    /// What a pager or tracker holds open is settled.
    Settlement(Box<Settled>),
}

/// `data` of an escalation.
#[derive(Debug, Deserialize)]
pub(crate) struct Notice {
    pub(crate) flow: String,
    pub(crate) title: String,
    pub(crate) url: Option<String>,
    /// A ladder's name, `opened`, `stalled`, `rotation` or `monday`.
    pub(crate) ladder: String,
    pub(crate) severity: Severity,
    pub(crate) reason: String,
    pub(crate) outcome: Option<String>,
    pub(crate) exception: Option<String>,
    pub(crate) owner: Option<String>,
    pub(crate) notify: Vec<Recipient>,
    pub(crate) due_at: Option<Time>,
    /// For `monday` only, like what follows.
    #[serde(default)]
    pub(crate) checks: Vec<Checked>,
    #[serde(default)]
    pub(crate) late: Option<Late>,
    /// The command that drafts the post-mortem.
    #[serde(default)]
    pub(crate) postmortem: Option<String>,
    pub(crate) links: Links,
}

/// `data` of a ticket.
#[derive(Debug, Deserialize)]
pub(crate) struct Ticket {
    pub(crate) exception: String,
    pub(crate) flow: String,
    pub(crate) subject: String,
    pub(crate) title: String,
    pub(crate) url: Option<String>,
    pub(crate) kind: ExceptionKind,
    pub(crate) expected: String,
    pub(crate) seen: String,
    pub(crate) owner: String,
    pub(crate) custody: Vec<meshline_core::record::Custody>,
    pub(crate) recovery_due_at: Time,
    pub(crate) playbook: Option<String>,
    pub(crate) group: String,
    pub(crate) links: Links,
}

/// `data` of a request, as far as it is not for the receiver only.
#[derive(Debug, Deserialize)]
pub(crate) struct Request {
    pub(crate) flow: String,
    pub(crate) outcome: String,
    pub(crate) channel: String,
}

/// `data` of a settlement.
#[derive(Debug, Deserialize)]
pub(crate) struct Settled {
    pub(crate) flow: String,
    pub(crate) title: String,
    pub(crate) matter: Matter,
    pub(crate) to: String,
    pub(crate) settlement: Settlement,
    pub(crate) how: String,
    pub(crate) group: Option<String>,
    pub(crate) links: Links,
}

/// Where more is to be seen.
#[derive(Debug, Deserialize)]
pub(crate) struct Links {
    pub(crate) run: Option<String>,
    pub(crate) trail: Option<String>,
    pub(crate) timeline: Option<String>,
    pub(crate) flow: Option<String>,
    /// The page for people, where there is a console.
    pub(crate) console: Option<String>,
    pub(crate) checklist: Option<String>,
}

/// The CloudEvent around it.
#[derive(Debug, Deserialize)]
struct Envelope {
    id: String,
    time: Time,
    dataschema: String,
    data: Value,
}

impl Message {
    /// Reads the body of a message.
    ///
    /// # Errors
    /// What is wrong with it, as text for the log.
    pub(crate) fn read(body: &str) -> Result<Self, String> {
        let event: Value = serde_json::from_str(body).map_err(|error| error.to_string())?;
        let envelope: Envelope = serde_json::from_value(event.clone()).map_err(|error| error.to_string())?;
        let id = envelope.id.rsplit_once(':').and_then(|(run, seq)| Some((run, seq.parse().ok()?)));
        let (run, seq) = id.ok_or_else(|| format!("`{}` is no id of a record", envelope.id))?;
        let content = match envelope.dataschema.as_str() {
            "urn:meshline:schema:escalation:1" => Content::Notice(read(envelope.data)?),
            "urn:meshline:schema:exception:1" => Content::Ticket(read(envelope.data)?),
            "urn:meshline:schema:request:1" => Content::Request(read(envelope.data)?),
            "urn:meshline:schema:settlement:1" => Content::Settlement(read(envelope.data)?),
            other => return Err(format!("`{other}` is no message for people or systems")),
        };
        Ok(Self { run: run.to_owned(), seq, at: envelope.time, event, content })
    }

    /// What it is about, to be asked whether it is still wanted.
    pub(crate) fn about(&self) -> About<'_> {
        match &self.content {
            Content::Settlement(_) => About::Settlement,
            Content::Notice(notice) => match notice.ladder.as_str() {
                "opened" | "not_acknowledged" => About::Step(Ladder::NotAcknowledged, None, self.at),
                "breached" => About::Step(Ladder::Breached, notice.outcome.as_deref(), self.at),
                "recovery" => About::Step(Ladder::Recovery, notice.exception.as_deref(), self.at),
                _ => About::Whole,
            },
            Content::Ticket(ticket) => About::Exception(&ticket.exception),
            Content::Request(request) => About::Request(&request.outcome),
        }
    }

    /// Its id, which is that of its record.
    pub(crate) fn id(&self) -> String {
        format!("{}:{}", self.run, self.seq)
    }

    /// The flow that it is about.
    pub(crate) fn flow(&self) -> &str {
        match &self.content {
            Content::Notice(notice) => &notice.flow,
            Content::Ticket(ticket) => &ticket.flow,
            Content::Request(request) => &request.flow,
            Content::Settlement(settled) => &settled.flow,
        }
    }

    /// The queue that it came from.
    pub(crate) fn queue(&self) -> Queue {
        match &self.content {
            Content::Notice(_) | Content::Settlement(_) => Queue::Escalations,
            Content::Ticket(_) => Queue::Exceptions,
            Content::Request(_) => Queue::Requests,
        }
    }

    /// The outcome that it requests.
    pub(crate) fn requested(&self) -> Option<String> {
        match &self.content {
            Content::Request(request) => Some(request.outcome.clone()),
            Content::Notice(_) | Content::Ticket(_) | Content::Settlement(_) => None,
        }
    }

    /// What a pager's alert or a tracker's issue is about that this message raises or settles.
    pub(crate) fn matter(&self) -> Matter {
        match &self.content {
            Content::Notice(notice) => match (&notice.outcome, &notice.exception, notice.ladder.as_str()) {
                (Some(outcome), _, _) => Matter::Outcome(outcome.clone()),
                (None, Some(exception), _) => Matter::Exception(exception.clone()),
                (None, None, "opened" | "not_acknowledged") => Matter::Acknowledgement,
                (None, None, _) => Matter::Whole,
            },
            Content::Ticket(ticket) => Matter::Exception(ticket.exception.clone()),
            Content::Request(request) => Matter::Outcome(request.outcome.clone()),
            Content::Settlement(settled) => settled.matter.clone(),
        }
    }

    /// What a receiver of that kind holds open once it has this message, until it hears that it is settled.
    pub(crate) fn raises(&self, kind: ChannelKind) -> Option<Matter> {
        match &self.content {
            Content::Notice(_) | Content::Ticket(_) if alert::is_held_by(kind) => Some(self.matter()),
            Content::Notice(_) | Content::Ticket(_) | Content::Request(_) | Content::Settlement(_) => None,
        }
    }
}

fn read<T: serde::de::DeserializeOwned>(data: Value) -> Result<T, String> {
    serde_json::from_value(data).map_err(|error| error.to_string())
}
