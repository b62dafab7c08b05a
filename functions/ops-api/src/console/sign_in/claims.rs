//! Claims: what an ID token says of a person, and whether it says it to us, now, and about this sign-in.
//!
//! <https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation>

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use meshline_core::time::{Span, Time};
use serde::Deserialize;
use serde_json::{Number, Value};

/// How far the provider's clock may be from ours.
const SKEW: Span = Span::minutes(2);
/// The longest address that can be mailed to (RFC 3696, erratum 1690).
const MAX_EMAIL: usize = 254;

/// What an ID token must fit.
pub(super) struct Expected<'a> {
    pub(super) issuer: &'a str,
    pub(super) client_id: &'a str,
    pub(super) nonce: &'a str,
    /// When the person left for the provider.
    pub(super) begun: Time,
    pub(super) now: Time,
}

/// Why an ID token is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum NotBelieved {
    #[error("it cannot be read")]
    Unreadable,
    #[error("it is of another issuer")]
    Issuer,
    #[error("it is for somebody else than this console")]
    Audience,
    #[error("it has expired")]
    Expired,
    #[error("it was not issued for this sign-in: the clocks differ, or it is an old one")]
    Issued,
    #[error("it belongs to another sign-in")]
    Nonce,
    #[error("it tells no e-mail address: the scope `email` must be allowed")]
    NoEmail,
    #[error("the e-mail address is not verified")]
    Unverified,
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    aud: Audience,
    azp: Option<String>,
    exp: Number,
    iat: Number,
    nonce: Option<String>,
    email: Option<String>,
    email_verified: Option<Value>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

/// The verified e-mail address of whom the token is about.
///
/// Its signature is not looked at. The token came straight from the token endpoint, and TLS says whose that is, which
/// "MAY be used to validate the issuer in place of checking the token signature" (OpenID Connect Core, 3.1.3.7, item 6).
/// So no token may come here that was not fetched there.
pub(super) fn email(token: &str, expected: &Expected<'_>) -> Result<String, NotBelieved> {
    let claims = read(token).ok_or(NotBelieved::Unreadable)?;
    if claims.iss != expected.issuer {
        return Err(NotBelieved::Issuer);
    }
    if !is_for(&claims, expected.client_id) {
        return Err(NotBelieved::Audience);
    }
    if expected.now >= time(&claims.exp)? + SKEW {
        return Err(NotBelieved::Expired);
    }
    let issued = time(&claims.iat)?;
    if issued > expected.now + SKEW || issued < expected.begun - SKEW {
        return Err(NotBelieved::Issued);
    }
    if claims.nonce.as_deref() != Some(expected.nonce) {
        return Err(NotBelieved::Nonce);
    }
    let email = claims.email.filter(|email| is_address(email)).ok_or(NotBelieved::NoEmail)?;
    // Providers whose addresses are the organisation's own leave it out; some write it as text.
    match claims.email_verified {
        None | Some(Value::Bool(true)) => Ok(email),
        Some(Value::String(text)) if text == "true" => Ok(email),
        Some(_) => Err(NotBelieved::Unverified),
    }
}

fn read(token: &str) -> Option<Claims> {
    let mut parts = token.split('.');
    let (_header, claims, _signature) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()
}

/// Items 3 to 5: we are among the audiences, and where there are several, or a party is named, it is us that the token was
/// issued to.
fn is_for(claims: &Claims, client_id: &str) -> bool {
    let (is_ours, is_only_ours) = match &claims.aud {
        Audience::One(one) => (one == client_id, true),
        Audience::Many(all) => (all.iter().any(|one| one == client_id), all.len() == 1),
    };
    let party = claims.azp.as_deref();
    is_ours && (is_only_ours || party.is_some()) && party.is_none_or(|party| party == client_id)
}

/// Seconds since 1970, perhaps with a fraction (RFC 7519, section 2).
fn time(seconds: &Number) -> Result<Time, NotBelieved> {
    let whole = seconds.as_i64().or_else(|| seconds.as_f64().map(|fraction| fraction as i64));
    whole.and_then(|whole| whole.checked_mul(1_000)).map(Time::from_unix_ms).ok_or(NotBelieved::Unreadable)
}

/// Whether a text can be nothing but an e-mail address: without its `@` it could be the id of a person.
fn is_address(text: &str) -> bool {
    text.len() <= MAX_EMAIL
        && text.contains('@')
        && !text.contains(|c: char| c.is_control() || c.is_whitespace())
}
