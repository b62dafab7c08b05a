//! Channels: how a message is given to each kind of receiver.

mod jira;
mod pagerduty;
mod slack;
mod webhook;

use meshline_aws::App;
use meshline_aws::mail::{Email, Mail, MailError};
use meshline_core::config::directory::ChannelKind;
use meshline_core::time::Time;
use serde_json::json;

use crate::message::Message;
use crate::post::{Call, Poster, Trouble};
use crate::target::Way;
use crate::text::Words;

/// What sends: over HTTP, by mail, and where to instead of receivers that are not real.
#[derive(Debug)]
pub(crate) struct Senders<M> {
    pub(crate) poster: Poster,
    pub(crate) mail: M,
    /// Takes what has no real address, in a stack on somebody's machine.
    pub(crate) catch_all: Option<String>,
}

/// One message on its way to one receiver.
pub(crate) struct Parcel<'a> {
    pub(crate) app: &'a App,
    pub(crate) message: &'a Message,
    pub(crate) target: &'a str,
    pub(crate) way: &'a Way,
    /// What people read.
    pub(crate) words: &'a Words,
    pub(crate) now: Time,
}

impl<M: Mail> Senders<M> {
    /// Gives the message to the receiver.
    ///
    /// # Errors
    /// Why it was not taken.
    pub(crate) async fn send(&self, parcel: &Parcel<'_>) -> Result<(), Trouble> {
        if let Some(catch_all) = self.catch_all.as_deref().filter(|_| !is_real(parcel.way)) {
            return self.catch(catch_all, parcel).await;
        }
        let secret = secret(parcel, false).await?;
        let sent = self.send_with(secret.as_deref(), parcel).await;
        if !matches!(sent, Err(Trouble::Refused { .. })) {
            return sent;
        }
        // The key may just have been rotated.
        let newer = self::secret(parcel, true).await?;
        if newer == secret { sent } else { self.send_with(newer.as_deref(), parcel).await }
    }

    async fn send_with(&self, secret: Option<&str>, parcel: &Parcel<'_>) -> Result<(), Trouble> {
        let Parcel { message, way, words, .. } = parcel;
        let needed = || secret.ok_or_else(|| Trouble::refused("the channel names no secret"));
        match way.kind {
            ChannelKind::Webhook => self.poster.send(webhook::call(parcel, secret)?, secret).await.map(drop),
            ChannelKind::Slack => {
                let posted = slack::call(way, needed()?, words)?;
                slack::taken(&self.poster.send(posted, secret).await?)
            }
            ChannelKind::Pagerduty => {
                let alert = pagerduty::call(way, needed()?, message, words);
                self.poster.send(alert, secret).await.map(drop)
            }
            ChannelKind::Jira => jira::send(&self.poster, parcel, needed()?).await,
            ChannelKind::Email => self.write(way, words).await,
        }
    }

    async fn write(&self, way: &Way, words: &Words) -> Result<(), Trouble> {
        let to = way.to.clone().ok_or_else(|| Trouble::refused("the channel has no address"))?;
        let email = Email { to, subject: words.headline.clone(), text: words.plain() };
        self.mail.send(&email).await.map_err(|error| match error {
            MailError::Later(why) => Trouble::later(why),
            MailError::Refused(why) => Trouble::refused(why),
        })
    }

    /// Shows in the catch-all what would have been sent, and to whom.
    async fn catch(&self, catch_all: &str, parcel: &Parcel<'_>) -> Result<(), Trouble> {
        let Parcel { message, target, way, words, .. } = parcel;
        let sent = json!({
            "to": target, "by": way.kind, "address": way.to.as_ref().or(way.url.as_ref()),
            "subject": words.headline, "text": words.plain(), "message": message.event,
        });
        self.poster.send(Call::post(catch_all, Vec::new(), sent.to_string()), None).await.map(drop)
    }
}

/// Whether a way leads to somebody: it has an address, and not one of the names that stand for an example.
/// <https://www.rfc-editor.org/rfc/rfc2606>
fn is_real(way: &Way) -> bool {
    let Some(host) =
        way.url.as_deref().and_then(|url| url.parse::<http::Uri>().ok()?.host().map(str::to_owned))
    else {
        return false;
    };
    let examples = ["example.com", "example.net", "example.org", "example", "test", "invalid"];
    !examples.iter().any(|name| host == *name || host.ends_with(&format!(".{name}")))
}

/// The value of the way's secret, if it names one, read anew after a refusal. One that is named has to be there.
async fn secret(parcel: &Parcel<'_>, refused: bool) -> Result<Option<String>, Trouble> {
    let Some(name) = &parcel.way.secret else { return Ok(None) };
    let found = parcel.app.secrets.read(std::slice::from_ref(name), parcel.now, refused).await;
    let value = found.map_err(|error| Trouble::later(error.to_string()))?.into_iter().next();
    value.map(Some).ok_or_else(|| Trouble::refused(format!("there is no secret `{name}`")))
}
