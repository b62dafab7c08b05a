//! OpenID: what a provider says about itself, and what it gives for the code that a person brings back from it.
//!
//! <https://openid.net/specs/openid-connect-discovery-1_0.html>, <https://openid.net/specs/openid-connect-core-1_0.html>

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine;
use http::{HeaderMap, HeaderValue, Method, Uri};
use meshline_core::time::{Span, Time};
use serde::Deserialize;

use crate::clients::Clients;
use crate::error::StoreError;
use crate::http::encoded;
use crate::outbound::{Answer, Outbound, Unanswered};
use crate::secrets::{self, Secrets};
use crate::settings::OpenId;

/// How long a provider's description of itself is used without asking again.
const KEEP: Span = Span::hours(1);
/// As much of a provider's error code as is logged.
const MAX_SHOWN: usize = 60;

/// The provider that people of the console sign in with. Nothing is asked of it before somebody does.
#[derive(Debug)]
pub struct Provider {
    settings: OpenId,
    outbound: Outbound,
    secrets: Secrets,
    known: Mutex<Option<(Time, Arc<Description>)>>,
}

/// What a provider says about itself.
#[derive(Debug, Deserialize)]
pub struct Description {
    issuer: String,
    /// Where people sign in.
    pub authorization_endpoint: String,
    token_endpoint: String,
    /// How clients may say who they are. Left out, it is `client_secret_basic` (Discovery, section 3).
    #[serde(default = "basic")]
    token_endpoint_auth_methods_supported: Vec<String>,
}

fn basic() -> Vec<String> {
    vec!["client_secret_basic".to_owned()]
}

/// A code that a person brought back, and what proves that they left for it from here. Nothing to be printed.
pub struct Code<'a> {
    /// The code itself.
    pub code: &'a str,
    /// What the challenge was made of (RFC 7636).
    pub verifier: &'a str,
    /// Where they were sent back to.
    pub redirect_uri: &'a str,
}

/// Why a provider was of no use.
#[derive(Debug, Clone, thiserror::Error)]
pub enum OpenIdError {
    /// It did not answer: it may later.
    #[error(transparent)]
    Unanswered(#[from] Unanswered),
    /// Nobody can work with what it answered: somebody must mend it, or the settings.
    #[error("the provider cannot be used: {0}")]
    Unusable(String),
    /// The code is spent, too old, or was not meant for us: the person begins anew.
    #[error("the provider does not take the code: {0}")]
    CodeRefused(String),
    /// It does not know our client id with this secret, which may just have been rotated.
    #[error("the provider does not take the client secret: {0}")]
    ClientRefused(String),
}

impl Provider {
    /// A provider that may be in a private network only if that is allowed.
    pub fn new(clients: Arc<Clients>, settings: OpenId, allow_private: bool) -> Self {
        let outbound = Outbound::new(settings.timeout, allow_private);
        // Its secret has a name of its own: what is under the prefix can be sent out by whoever writes the directory.
        let secrets = Secrets::new(clients, String::new());
        Self { settings, outbound, secrets, known: Mutex::default() }
    }

    /// Who it is, and what we are called there.
    pub fn settings(&self) -> &OpenId {
        &self.settings
    }

    /// Our secret there; none when there is none. With `after_miss` it is read again, as [`Secrets::read`] does.
    ///
    /// # Errors
    /// The secret store cannot be asked now.
    pub async fn client_secret(&self, now: Time, after_miss: bool) -> Result<Option<String>, StoreError> {
        let name = std::slice::from_ref(&self.settings.secret);
        Ok(self.secrets.read(name, now, after_miss).await?.into_iter().next())
    }

    /// What it says about itself.
    ///
    /// # Errors
    /// It does not answer, or describes somebody else, or addresses that are not secure.
    pub async fn description(&self, now: Time) -> Result<Arc<Description>, OpenIdError> {
        let kept = self.known().clone().filter(|(at, _)| now.since(*at) < KEEP);
        if let Some((_, description)) = kept {
            return Ok(description);
        }
        let url = format!("{}/.well-known/openid-configuration", self.settings.issuer.trim_end_matches('/'));
        all_secure(&[("the issuer", &url)])?;
        let answer = self.outbound.exchange(Method::GET, &url, HeaderMap::new(), String::new()).await?;
        let description = Arc::new(self.described(&answer)?);
        *self.known() = Some((now, Arc::clone(&description)));
        Ok(description)
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Option<(Time, Arc<Description>)>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn described(&self, answer: &Answer) -> Result<Description, OpenIdError> {
        if answer.status != 200 {
            let why = format!("{} answers {} when asked to describe itself", answer.host, answer.status);
            return Err(OpenIdError::Unusable(why));
        }
        let found: Description = serde_json::from_str(&answer.body)
            .map_err(|error| OpenIdError::Unusable(format!("its description cannot be read: {error}")))?;
        // Discovery, section 4.3: or another provider could speak for this one.
        if found.issuer != self.settings.issuer {
            let why = format!("its issuer is `{}`, not `{}`", found.issuer, self.settings.issuer);
            return Err(OpenIdError::Unusable(why));
        }
        all_secure(&[
            ("the authorization endpoint", &found.authorization_endpoint),
            ("the token endpoint", &found.token_endpoint),
        ])?;
        Ok(found)
    }

    /// The ID token that it gives for a code, as it stands in its answer.
    ///
    /// # Errors
    /// It does not answer, or gives none.
    pub async fn redeem(&self, code: &Code<'_>, secret: &str, now: Time) -> Result<String, OpenIdError> {
        let description = self.description(now).await?;
        let mut fields = vec![
            ("grant_type", "authorization_code"),
            ("code", code.code),
            ("redirect_uri", code.redirect_uri),
            ("code_verifier", code.verifier),
        ];
        let mut headers = HeaderMap::new();
        headers.insert("content-type", HeaderValue::from_static("application/x-www-form-urlencoded"));
        let client_id = self.settings.client_id.as_str();
        let methods = &description.token_endpoint_auth_methods_supported;
        let takes = |method: &str| methods.iter().any(|known| known == method);
        if takes("client_secret_basic") {
            headers.insert("authorization", basic_credentials(client_id, secret)?);
        } else if takes("client_secret_post") {
            fields.extend([("client_id", client_id), ("client_secret", secret)]);
        } else {
            let why =
                "it takes the client secret neither as `client_secret_basic` nor as `client_secret_post`";
            return Err(OpenIdError::Unusable(why.to_owned()));
        }
        let body: Vec<String> =
            fields.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
        let url = &description.token_endpoint;
        let answer = self.outbound.exchange(Method::POST, url, headers, body.join("&")).await?;
        id_token(&Answer { body: secrets::hide(&answer.body, [secret]), ..answer })
    }
}

/// RFC 6749, section 2.3.1: both halves are form-encoded before they are joined.
fn basic_credentials(client_id: &str, secret: &str) -> Result<HeaderValue, OpenIdError> {
    let pair = format!("{}:{}", encoded(client_id), encoded(secret));
    let text = format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair));
    let mut value = HeaderValue::from_str(&text).map_err(|error| OpenIdError::Unusable(error.to_string()))?;
    value.set_sensitive(true);
    Ok(value)
}

/// What a token endpoint answers, well or ill.
#[derive(Default, Deserialize)]
#[serde(default)]
struct TokenAnswer {
    id_token: Option<String>,
    error: Option<String>,
}

/// RFC 6749, section 5.
fn id_token(answer: &Answer) -> Result<String, OpenIdError> {
    let found: TokenAnswer = serde_json::from_str(&answer.body).unwrap_or_default();
    let error: String = found.error.unwrap_or_default().chars().take(MAX_SHOWN).collect();
    let why = || format!("{} answered {} {}", answer.host, answer.status, error.escape_debug());
    match (answer.status, error.as_str(), found.id_token) {
        (200, "", Some(token)) => Ok(token),
        (200, "", None) => Err(OpenIdError::Unusable(format!("{} gives no ID token", answer.host))),
        (400, "invalid_grant", _) => Err(OpenIdError::CodeRefused(why())),
        (401, _, _) | (_, "invalid_client" | "unauthorized_client", _) => {
            Err(OpenIdError::ClientRefused(why()))
        }
        _ => Err(OpenIdError::Unusable(why())),
    }
}

/// Refuses addresses without TLS. That of this very machine is for a provider that somebody tries out there.
fn all_secure(addresses: &[(&str, &str)]) -> Result<(), OpenIdError> {
    for (what, url) in addresses {
        let uri: Option<Uri> = url.parse().ok();
        let host = uri.as_ref().and_then(Uri::host).unwrap_or_default().trim_matches(['[', ']']);
        let is_own = host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
        let is_secure = match uri.as_ref().and_then(Uri::scheme_str) {
            Some("https") => !host.is_empty(),
            Some("http") => is_own,
            Some(_) | None => false,
        };
        if !is_secure {
            return Err(OpenIdError::Unusable(format!("{what} does not begin with `https://`")));
        }
    }
    Ok(())
}
