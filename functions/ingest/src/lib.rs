//! Ingest: a webhook comes in; it is verified, normalised and kept. 2xx only after that.

use aws_lambda_events::http::{HeaderName, HeaderValue};
use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use futures_util::StreamExt;
use futures_util::future::join;
use meshline_aws::events::Put;
use meshline_aws::http::{self, Problem, Request, Response};
use meshline_aws::listening::Heard;
use meshline_aws::telemetry::{self, event_span};
use meshline_aws::{App, StoreError, secrets};
use meshline_core::api::{Delivered, Rejected, Taken};
use meshline_core::config::source::Source;
use meshline_core::event::Event;
use meshline_core::time::Time;
use meshline_core::trace::TraceId;
use meshline_sources::{
    Delivery, Normalised, Reply, Unreadable, Unverified, accepted, greeting, normalise, verify,
};
use serde_json::json;
use tracing::{Instrument, Span};

/// The largest body taken in.
const MAX_BODY_BYTES: usize = 1024 * 1024;
/// How much of an unreadable body is kept for people to look at.
const KEPT_BODY_BYTES: usize = 8 * 1024;
/// Events of one batch that are stored at the same time.
const AT_ONCE: usize = 10;

/// Answers `POST /hooks/{source}`.
pub async fn handle(app: &App, request: Request, now: Time) -> Response {
    take_in(app, &request, now).await.unwrap_or_else(Problem::response)
}

/// Stores events that were put aside while the table was not available.
pub async fn drain(app: &App, batch: SqsEvent, now: Time) -> SqsBatchResponse {
    let mut answer = SqsBatchResponse::default();
    for message in batch.records {
        let event = serde_json::from_str::<Event>(message.body.as_deref().unwrap_or_default());
        let span = event.as_ref().map_or(Span::none(), event_span);
        let kept = match &event {
            Ok(event) => app.events.put(event).await.map_err(|error| error.to_string()),
            Err(error) => Err(format!("not an event: {error}")),
        };
        if let Err(error) = kept {
            let _in_event = span.entered();
            tracing::error!(error, message = message.message_id, at = %now, "a spilled event could not be kept");
            answer.add_failure(message.message_id.unwrap_or_default());
        }
    }
    answer
}

async fn take_in(app: &App, request: &Request, now: Time) -> Result<Response, Problem> {
    let segments = http::segments(request);
    let [hooks, id] = segments.as_slice() else { return Err(unknown_source("")) };
    if hooks != "hooks" {
        return Err(unknown_source(id));
    }
    let body = http::body(request)
        .map_err(|_| Problem::bad_request("the body is not base64, as it is said to be"))?;
    if body.len() > MAX_BODY_BYTES {
        return Err(too_large(format!(
            "the body has {} bytes, at most {MAX_BODY_BYTES} are taken in",
            body.len()
        )));
    }
    let source = app.config.source(id, now).await?.ok_or_else(|| unknown_source(id))?;
    let headers: Vec<(String, String)> = request
        .headers
        .iter()
        .map(|(name, value)| {
            (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        })
        .collect();
    let (urls, method) = (urls(app, request), request.request_context.http.method.as_str());
    let deliveries: Vec<Delivery<'_>> =
        urls.iter().map(|url| Delivery { method, url, headers: &headers, body: &body }).collect();
    let heard = |status: u16, why: Option<String>, events: &[Event]| Heard {
        at: now,
        method: method.to_owned(),
        headers: headers.iter().map(|(name, _)| name.clone()).collect(),
        bytes: body.len(),
        status,
        why,
        events: events.to_vec(),
    };
    let delivery = match authenticate(app, &source, &deliveries, now).await? {
        Known::Greeting(reply) => {
            let why = "a probe, a ping or a handshake: it was answered as the provider wants it";
            hear(app, &source, &heard(reply.status, Some(why.to_owned()), &[])).await;
            return Ok(answer(reply));
        }
        Known::Stranger(why) => {
            hear(app, &source, &heard(401, Some(why.to_string()), &[])).await;
            return Err(unverified(&source, &why, now));
        }
        Known::Believed(delivery) => delivery,
    };
    let mut read = match normalise(&source, delivery, now) {
        Ok(read) => read,
        Err(unreadable) => Normalised { events: Vec::new(), unreadable: vec![unreadable], reply: None },
    };
    let trace = TraceId::of_request(|name| http::header(request, name));
    read.events.iter_mut().for_each(|event| event.trace = trace);
    let why: Vec<String> = read.unreadable.iter().map(ToString::to_string).collect();
    let status = if read.events.is_empty() && !why.is_empty() { 422 } else { accepted(source.provider) };
    let heard = heard(status, Some(why.join("; ")).filter(|why| !why.is_empty()), &read.events);
    // Beside the work that the sender waits for.
    let kept = Box::pin(take(app, &source, read, &body, now));
    let (answer, ()) = join(kept, Box::pin(hear(app, &source, &heard))).await;
    answer
}

/// Keeps what was read: the events, and what cannot be understood.
async fn take(
    app: &App,
    source: &Source,
    read: Normalised,
    body: &[u8],
    now: Time,
) -> Result<Response, Problem> {
    for unreadable in &read.unreadable {
        reject(app, source, unreadable, body, now).await?;
    }
    match (read.events.as_slice(), read.unreadable.first()) {
        ([], Some(unreadable)) => Err(Problem::new(
            422,
            "unreadable",
            "the delivery is authentic and cannot be understood; it is kept under /v1/rejections",
            unreadable.to_string(),
        )),
        (events, _) => {
            let kept = keep(app, events, accepted(source.provider)).await?;
            Ok(read.reply.map_or(kept, answer))
        }
    }
}

/// The answer that a provider prescribes.
fn answer(reply: Reply) -> Response {
    let mut response = http::text(reply.status, "text/plain; charset=utf-8", reply.body);
    for (name, value) in reply.headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers.insert(HeaderName::from_static(name), value);
        }
    }
    response
}

/// What became known of who sent a delivery.
enum Known<'d> {
    /// The provider asks whether somebody is there.
    Greeting(Reply),
    /// It is the provider's.
    Believed(&'d Delivery<'d>),
    /// It cannot be believed.
    Stranger(Unverified),
}

/// Tells whoever listens. That nobody could be told is no matter of the sender's.
async fn hear(app: &App, source: &Source, heard: &Heard) {
    if let Err(error) = app.listening.hear(&source.id, heard).await {
        tracing::warn!(error = %error, source = source.id, "what was heard could not be kept");
    }
}

fn unknown_source(id: &str) -> Problem {
    Problem::not_found(format!("there is no source `{id}`: apply a `kind: Source` of that id first"))
}

fn too_large(detail: String) -> Problem {
    Problem::new(413, "too-large", "the delivery is too large", detail)
}

/// The addresses that the sender may have called and signed: the public one, and the one the request names.
fn urls(app: &App, request: &Request) -> Vec<String> {
    let path = request.raw_path.as_deref().unwrap_or_default();
    let query = request.raw_query_string.as_deref().filter(|query| !query.is_empty());
    let tail = query.map_or_else(|| path.to_owned(), |query| format!("{path}?{query}"));
    let domain = request.request_context.domain_name.as_deref().unwrap_or_default();
    let public = &app.settings.public_url;
    let scheme = public.split_once("://").map_or("https", |(scheme, _)| scheme);
    let mut urls = vec![
        format!("{public}{tail}"),
        format!("https://{domain}{tail}"),
        format!("{scheme}://{domain}{tail}"),
    ];
    urls.dedup();
    urls
}

/// The delivery that one of the source's secrets verifies, or the answer to one that is not signed and need not be. After
/// a miss the secrets are read again: one may just have been rotated.
async fn authenticate<'d>(
    app: &App,
    source: &Source,
    deliveries: &'d [Delivery<'d>],
    now: Time,
) -> Result<Known<'d>, Problem> {
    let mut why = Unverified::NoSecret;
    for after_miss in [false, true] {
        let secrets = app.secrets.read(&source.secrets, now, after_miss).await?;
        for delivery in deliveries {
            if let Some(reply) = greeting(source, &secrets, delivery, now) {
                return Ok(Known::Greeting(reply));
            }
            match verify(source, &secrets, delivery, now) {
                Ok(()) if delivery.method == "POST" => return Ok(Known::Believed(delivery)),
                Ok(()) => return Err(only_post(source)),
                Err(error) => why = error,
            }
        }
    }
    if deliveries.iter().any(|delivery| delivery.method != "POST") {
        return Err(only_post(source));
    }
    Ok(Known::Stranger(why))
}

fn unverified(source: &Source, why: &Unverified, now: Time) -> Problem {
    telemetry::metric_of_source(&source.id, "UnverifiedWebhooks", "Count", 1.0, now);
    tracing::warn!(source = source.id, reason = %why, "a delivery was not believed");
    let detail = "its signature is missing or wrong; nothing was stored";
    Problem::new(401, "unverified", "the delivery cannot be believed", detail)
}

fn only_post(source: &Source) -> Problem {
    Problem::other_method(&["POST"], format!("send webhooks of `{}` with POST", source.id))
}

async fn reject(
    app: &App,
    source: &Source,
    why: &Unreadable,
    body: &[u8],
    now: Time,
) -> Result<(), StoreError> {
    // Some providers put the source's secret into the body, which whoever may list rejections need not know.
    let secrets = app.secrets.read(&source.secrets, now, false).await?;
    let mut text = secrets::hide(&String::from_utf8_lossy(body), secrets.iter().map(String::as_str));
    let mut end = KEPT_BODY_BYTES.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.truncate(end);
    let rejected =
        Rejected { source: source.id.clone(), received_at: now, reason: why.to_string(), body: text };
    app.events.reject(&rejected).await
}

/// Keeps every event, in the table or else on the spill queue.
async fn keep(app: &App, events: &[Event], status: u16) -> Result<Response, Problem> {
    let puts: Vec<_> =
        events.iter().map(|event| keep_one(app, event).instrument(event_span(event))).collect();
    let kept: Vec<Result<Taken, Problem>> =
        futures_util::stream::iter(puts).buffered(AT_ONCE).collect().await;
    let events: Vec<Taken> = kept.into_iter().collect::<Result<_, _>>()?;
    Ok(http::json(status, &json!(Delivered { events })))
}

async fn keep_one(app: &App, event: &Event) -> Result<Taken, Problem> {
    let duplicate = match app.events.put(event).await {
        Ok(Put::New) => false,
        Ok(Put::Duplicate) => true,
        Ok(Put::TooLarge) => {
            return Err(too_large("the event does not fit one item, even compressed".to_owned()));
        }
        Err(error) if error.is_passing() => {
            let body = serde_json::to_string(event).unwrap_or_default();
            app.outbox.spill(body).await?;
            tracing::warn!(error = %error, "an event was put aside");
            false
        }
        Err(error) => return Err(error.into()),
    };
    let Event { id, subject, kind, .. } = event.clone();
    Ok(Taken { id, subject, kind, duplicate })
}
