//! The storm brake: what is too much at once for somebody is held, and told together. It stops no clock, and the trail of
//! each run says how its notice was told.

use futures_util::future::join_all;
use meshline_aws::brake::{Held, Lane, Passage};
use meshline_aws::delivery::{self, Origin};
use meshline_aws::error::StoreError;
use meshline_aws::execute::ExecuteError;
use meshline_core::config::directory::ChannelKind;
use meshline_core::config::flow::Severity;
use meshline_core::delivery::{Delivery, DeliveryResult, cause};
use meshline_core::message::outgoing;
use meshline_core::time::Span;

use crate::Work;
use crate::message::{Content, Message};
use crate::target::Target;
use crate::text::Words;

/// How long to wait for somebody else who is sending what is held.
const WAIT: Span = Span::from_ms(30_000);
/// As many notices as a digest shows; it says how many there are.
const MAX_LINES: usize = 15;

/// How a message goes to a receiver.
pub(crate) enum Turn {
    /// By itself.
    Alone,
    /// With all that is held, now.
    Together(Box<Digest>),
    /// Later.
    Later(Span),
    /// Not at all: it is only counted.
    Counted,
}

/// What was held for somebody, to be told together.
pub(crate) struct Digest {
    /// In words.
    pub(crate) words: Words,
    /// How many it says there are.
    pub(crate) together: usize,
    /// The messages that are in it beside the one that it goes out with: run and sequence number.
    others: Vec<(String, u64)>,
    held: Held,
}

/// Whether people read it there: those are the ones that a storm is too much for.
fn is_for_people(message: &Message, target: &Target) -> bool {
    let is_notice = match &message.content {
        Content::Notice(_) | Content::Ticket(_) => true,
        Content::Request(_) | Content::Settlement(_) => false,
    };
    is_notice
        && target.ways.first().is_some_and(|way| match way.kind {
            ChannelKind::Slack | ChannelKind::Email => true,
            ChannelKind::Webhook | ChannelKind::Pagerduty | ChannelKind::Jira => false,
        })
}

/// Whose turn it is, as far as this receiver goes.
///
/// # Errors
/// The tables are not available.
pub(crate) async fn turn(work: Work<'_>, message: &Message, target: &Target) -> Result<Turn, ExecuteError> {
    if !is_for_people(message, target) {
        return Ok(Turn::Alone);
    }
    let lane = lane(message, target);
    match work.app.brakes.pass(lane, &message.id(), work.now).await? {
        Passage::Through => Ok(Turn::Alone),
        Passage::Held(until) => Ok(Turn::Later(until.since(work.now))),
        Passage::Counted => Ok(Turn::Counted),
        Passage::Digest => match work.app.brakes.take(lane, work.now).await? {
            Some(held) => Ok(Turn::Together(Box::new(Digest::of(work, message, target, held).await?))),
            None => Ok(Turn::Later(WAIT)),
        },
    }
}

fn lane<'a>(message: &'a Message, target: &'a Target) -> Lane<'a> {
    Lane { flow: message.flow(), to: &target.id }
}

impl Digest {
    /// All of what is held that is still wanted.
    async fn of(
        work: Work<'_>,
        message: &Message,
        target: &Target,
        held: Held,
    ) -> Result<Self, ExecuteError> {
        let ids = held.messages.iter().filter(|id| **id != message.id());
        let others = join_all(ids.map(|id| wanted(work, id, target))).await;
        let others: Vec<Message> =
            others.into_iter().filter_map(Result::transpose).collect::<Result<_, _>>()?;
        let together = 1 + others.len() + usize::try_from(held.counted).unwrap_or(usize::MAX);
        let words = words(work, message, &others, together);
        let others = others.into_iter().map(|message| (message.run, message.seq)).collect();
        Ok(Self { words, together, others, held })
    }

    /// Writes down, for each message in it, what became of it.
    ///
    /// # Errors
    /// The tables are not available.
    pub(crate) async fn told(
        &self,
        work: Work<'_>,
        message: &Message,
        target: &Target,
        by: ChannelKind,
    ) -> Result<(), ExecuteError> {
        let Work { app, directory, now } = work;
        let report = |(run, seq): &(String, u64)| {
            let (to, together) = (target.id.clone(), Some(self.together));
            let result = DeliveryResult::Succeeded { to, by, raised: None, together };
            let (run, delivery) = (run.clone(), Delivery { message: *seq, result, requested: None });
            async move { delivery::report(app, &run, delivery, directory, now).await }
        };
        // One that cannot be written down is told again, later.
        for reported in join_all(self.others.iter().map(report)).await {
            if let Err(error) = reported {
                tracing::warn!(error = %error, "what was told in a digest could not be written down");
            }
        }
        Ok(app.brakes.told(lane(message, target), &self.held, now).await?)
    }

    /// It could not be sent: each of its messages may try again.
    ///
    /// # Errors
    /// The tables are not available.
    pub(crate) async fn give_back(
        &self,
        work: Work<'_>,
        message: &Message,
        target: &Target,
    ) -> Result<(), StoreError> {
        work.app.brakes.give_back(lane(message, target)).await
    }
}

/// The message of that id, made anew from its record, if `target` still has to be told.
async fn wanted(work: Work<'_>, id: &str, target: &Target) -> Result<Option<Message>, ExecuteError> {
    let Some((run, seq)) = id.rsplit_once(':').and_then(|(run, seq)| Some((run, seq.parse::<u64>().ok()?)))
    else {
        return Ok(None);
    };
    let origin = Origin::load(work.app, run, seq).await?;
    if origin.is_reported(&cause(seq, Some(&target.id))) || origin.is_reported(&cause(seq, None)) {
        return Ok(None);
    }
    let settings = &work.app.settings;
    let record = work.app.audit.trail(run, seq.saturating_sub(1)).await?.into_iter().next();
    let sent = record
        .and_then(|record| outgoing(&record, &settings.public_url, settings.console_url.as_deref()).queue);
    let message = sent.and_then(|(_, body)| Message::read(&body.to_string()).ok());
    // What became moot is written down when its own message is seen.
    Ok(message.filter(|message| origin.moot(message.about()).is_none()))
}

fn words(work: Work<'_>, message: &Message, others: &[Message], together: usize) -> Words {
    let all: Vec<Words> = std::iter::once(message).chain(others).map(Words::of).collect();
    let mut lines: Vec<String> = all.iter().take(MAX_LINES).map(|words| words.headline.clone()).collect();
    if lines.len() < together {
        lines.push(format!("and {} more", together - lines.len()));
    }
    let flow = message.flow();
    let settings = &work.app.settings;
    let runs = match &settings.console_url {
        Some(console) => format!("{console}/runs?flow={flow}"),
        None => format!("{}/v1/runs?flow={flow}&status=open", settings.public_url),
    };
    Words {
        headline: format!("{together} notices about the flow `{flow}` were held, to be told together"),
        severity: all.iter().map(|words| words.severity).max().unwrap_or(Severity::Normal),
        lines,
        facts: Vec::new(),
        links: vec![("Open", runs)],
    }
}
