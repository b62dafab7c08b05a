//! Jira Cloud: two kinds of webhooks, two kinds of proof.
//!
//! What is relied on, and where it was read:
//!
//! - An administrator's webhook: `X-Hub-Signature: sha256=<hex>` over the body, SHA-256 under the name that elsewhere
//!   means SHA-1 (a public guide that cites Atlassian; its known answer was recomputed). Other methods under that
//!   name are refused.
//! - An OAuth app's webhook: `Authorization: Bearer <JWT>`, HS256 with the client secret (public guides). Nothing of
//!   the body is signed; only the algorithm HS256 is taken, and the token must not have expired.
//! - `X-Atlassian-Webhook-Identifier` is the same on each retry and not signed: an event is told by its body, which
//!   has the time.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use meshline_core::time::{Span, Time};
use serde::Deserialize;

use crate::adapter::{Accepted, Adapter, Ask, Facts, Heard, Reading, no_greeting};
use crate::draft::{Draft, Unreadable, needed, parse, text_at, time};
use crate::proof::{Unverified, after, fingerprint, hub_sha256, signed_sha256};

const SIGNATURE: &str = "x-hub-signature";
const AUTHORIZATION: &str = "authorization";
/// How far Atlassian's clock may be behind ours.
const CLOCK_BEHIND: Span = Span::minutes(1);

pub(crate) const ADAPTER: Adapter = Adapter {
    verify,
    read,
    greet: no_greeting,
    accepted: Accepted::Success,
    facts: Facts {
        title: "Jira Cloud",
        scheme: "HMAC-SHA256 over the body, `sha256=` and hex, in `X-Hub-Signature`; of an OAuth app a JWT (HS256) in `Authorization`",
        replay: "no time is signed with the body, which has one: the same body is the same event. A JWT holds until it expires",
        retries: "5, 5 to 15 minutes apart, after 408, 409, 425, 429 and 5xx",
        deduplication: "the body",
        subject: "`jira:` and the issue's key",
        setup: &[
            "Jira settings, System, WebHooks, Create: the address, the events, a JQL filter",
            "Secret: a new random one, the same in the secret store; Jira never shows it again",
            "An OAuth app's webhook: its client secret in the secret store",
        ],
        lossy: None,
        quirks: &[
            "Data Center promises none of this: write `provider: generic`",
            "A webhook over 25 MB is dropped",
        ],
    },
};

#[derive(Deserialize)]
struct Header {
    alg: String,
}

#[derive(Deserialize)]
struct Claims {
    exp: i64,
}

fn verify(ask: &Ask<'_>) -> Result<(), Unverified> {
    if ask.delivery.header(SIGNATURE).is_some() {
        return hub_sha256(ask, SIGNATURE);
    }
    match ask.delivery.at_most_one(AUTHORIZATION)? {
        Some(bearer) => verify_token(ask, bearer),
        None => Err(Unverified::MissingHeader(SIGNATURE.to_owned())),
    }
}

/// <https://www.rfc-editor.org/rfc/rfc7519>, signed by HS256 and nothing else.
fn verify_token(ask: &Ask<'_>, bearer: &str) -> Result<(), Unverified> {
    let token = after(AUTHORIZATION, bearer, "Bearer ")?;
    let unreadable = || Unverified::BadToken("no JSON Web Token");
    let (signed, signature) = token.rsplit_once('.').ok_or_else(unreadable)?;
    let (header, claims) = signed.split_once('.').ok_or_else(unreadable)?;
    let header: Header = part(header).ok_or_else(unreadable)?;
    if header.alg != "HS256" {
        return Err(Unverified::BadToken("not signed by HS256"));
    }
    let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| unreadable())?;
    signed_sha256(ask.secrets, &signature, &[signed.as_bytes()])?;
    let claims: Claims = part(claims).ok_or_else(unreadable)?;
    let expired = Time::from_unix_ms(claims.exp.saturating_mul(1_000)) + CLOCK_BEHIND;
    if ask.now < expired { Ok(()) } else { Err(Unverified::BadToken("expired")) }
}

fn part<T: serde::de::DeserializeOwned>(text: &str) -> Option<T> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).ok()?).ok()
}

fn read(heard: &Heard<'_>) -> Result<Reading, Unreadable> {
    let data = parse(heard.delivery.body)?;
    Ok(Reading::one(Draft {
        id: Ok(fingerprint(&[heard.delivery.body])),
        kind: needed("type", &data, "/webhookEvent"),
        subject: needed("subject", &data, "/issue/key").map(|key| format!("jira:{key}")),
        occurred_at: text_at(&data, "/timestamp").as_deref().and_then(time),
        actor: text_at(&data, "/user/accountId"),
        title: text_at(&data, "/issue/fields/summary"),
        url: browse(&text_at(&data, "/issue/self").unwrap_or_default(), text_at(&data, "/issue/key")),
        data,
    }))
}

/// The page: `self` is its address in the API.
fn browse(own: &str, key: Option<String>) -> Option<String> {
    let (site, _) = own.split_once("/rest/")?;
    Some(format!("{site}/browse/{}", key?))
}
