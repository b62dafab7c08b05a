//! Signing in: who may see the console's pages where a provider says who people are.
//!
//! OpenID Connect's authorization code flow with PKCE, `state` and `nonce`, and after it a session that lies in the browser,
//! sealed. docs/adr/0018-ops-api-signs-people-in.md has why it is done here.

mod claims;
mod seal;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use maud::html;
use meshline_aws::browser;
use meshline_aws::http::{self, Problem, Response, encoded};
use meshline_aws::openid::{Code, OpenIdError, Provider};
use meshline_aws::outbound::Unanswered;
use meshline_aws::settings::Console;
use meshline_core::time::{Span, Time};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::form::see_other;
use super::layout::{bare_page, capital, problem_page};
use super::words::clean;
use super::{csrf, is_page};
use crate::Call;
use claims::Expected;
use seal::Seal;

/// Somebody's session.
const SESSION_COOKIE: Kept =
    Kept { name: "__Host-meshline-session", purpose: "session", lasts: Span::hours(12) };
/// A sign-in under way: from leaving for the provider to coming back.
const FLOW_COOKIE: Kept =
    Kept { name: "__Host-meshline-sign-in", purpose: "sign-in", lasts: Span::minutes(10) };
/// A client secret shorter than this could be guessed from a cookie. Providers make them of 24 characters and more.
const MIN_SECRET: usize = 16;
/// The longest address that is gone back to; a cookie has room for no more than 4,096 bytes.
const MAX_TO: usize = 1_000;

/// What a browser keeps for us.
///
/// `SameSite=Lax`: a person comes back from the provider, and from a link in a notice, by a navigation that another site began.
/// `Strict` would hide both cookies then. What `Lax` lets through are navigations, and no GET changes anything; forms are
/// kept apart by csrf.rs.
struct Kept {
    name: &'static str,
    purpose: &'static str,
    lasts: Span,
}

impl Kept {
    fn cookie(&self, value: &str) -> String {
        let seconds = if value.is_empty() { 0 } else { self.lasts.ms() / 1_000 };
        format!("{}={value}; Path=/; HttpOnly; Secure; SameSite=Lax; Max-Age={seconds}", self.name)
    }
}

/// Who a browser acts for.
#[derive(Serialize, Deserialize)]
struct Session {
    email: String,
    until: Time,
}

/// A sign-in under way.
#[derive(Serialize, Deserialize)]
struct Flow {
    state: String,
    nonce: String,
    verifier: String,
    /// Where the person wanted to go.
    to: String,
    begun: Time,
}

/// The door of a console where a provider says who people are, and who is at it.
struct Door<'c> {
    call: &'c Call<'c>,
    provider: &'c Provider,
}

impl Call<'_> {
    /// The e-mail address by which somebody is let in; none where the API in front says who is there.
    pub(super) async fn admitted(&self) -> Result<Option<String>, Problem> {
        if let Some(door) = self.door() {
            let session = door.session().await?;
            let session = session.ok_or_else(|| {
                Problem::new(401, "sign-in", "sign in first", "nobody is signed in here, or no longer")
            })?;
            door.known(&session.email).await?;
            return Ok(Some(session.email));
        }
        match self.app.settings.console {
            Console::Trusting(_) => Ok(None),
            Console::Closed | Console::OpenId(_) => Err(Problem::not_found("this Meshline has no console")),
        }
    }

    /// What somebody gets who is not let in: the way to the provider, or why not.
    pub(super) fn not_admitted(&self, problem: &Problem) -> Response {
        if problem.status == 404 {
            return problem_page(problem);
        }
        let is_get = self.request.request_context.http.method == "GET";
        let here = self.here();
        let to = if is_get { page_of(&here) } else { "/" };
        // A script that asks for a page anew must not begin a sign-in that nobody sees.
        let is_navigation =
            http::header(self.request, "sec-fetch-dest").is_none_or(|dest| dest == "document");
        if problem.status == 401 && is_get && is_navigation {
            return see_other(&sign_in_for(to));
        }
        refused(problem, to)
    }

    /// The address that is asked for. API Gateway has decoded its path, where it could.
    fn here(&self) -> String {
        let plain = |byte: u8| byte.is_ascii_graphic();
        let escape = |byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
        let path: String = self.path().bytes().map(escape).collect();
        match self.request.raw_query_string.as_deref().unwrap_or_default() {
            "" => path,
            query => format!("{path}?{query}"),
        }
    }

    /// `GET /sign-in`, `GET /sign-in/callback`, `POST /sign-out`.
    pub(super) async fn sign_in(&self, method: &str, segments: &[&str]) -> Result<Response, Problem> {
        let door = self.door().ok_or_else(|| Problem::not_found("nobody signs in to this Meshline"))?;
        match (method, segments) {
            ("GET", ["sign-in"]) => {
                let to = self.query("to").unwrap_or_default();
                Ok(door.leave(page_of(&to)).await.unwrap_or_else(|problem| refused(&problem, page_of(&to))))
            }
            ("GET", ["sign-in", "callback"]) => door.come_back().await,
            ("POST", ["sign-out"]) => {
                self.form()?;
                Ok(signed_out())
            }
            (_, _) => Err(Problem::not_found("the address may be mistyped")),
        }
    }

    fn door(&self) -> Option<Door<'_>> {
        Some(Door { call: self, provider: self.app.provider.as_ref()? })
    }
}

impl Door<'_> {
    async fn session(&self) -> Result<Option<Session>, Problem> {
        let session: Option<Session> = self.kept(&SESSION_COOKIE).await?;
        Ok(session.filter(|session| self.call.now < session.until))
    }

    /// Sends the person to the provider.
    async fn leave(&self, to: &str) -> Result<Response, Problem> {
        let description = self.provider.description(self.call.now).await.map_err(unusable)?;
        let chance = || {
            csrf::random().ok_or_else(|| {
                Problem::new(500, "internal", "Meshline could not do this", "no chance is to be had")
            })
        };
        let flow = Flow {
            state: chance()?,
            nonce: chance()?,
            verifier: format!("{}{}", chance()?, chance()?),
            to: to.to_owned(),
            begun: self.call.now,
        };
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(&flow.verifier));
        let query = [
            ("response_type", "code"),
            ("client_id", &self.provider.settings().client_id),
            ("redirect_uri", &self.redirect_uri()),
            ("scope", "openid email"),
            ("state", &flow.state),
            ("nonce", &flow.nonce),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ];
        let query: Vec<String> =
            query.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
        let endpoint = &description.authorization_endpoint;
        let separator = if endpoint.contains('?') { '&' } else { '?' };
        let mut response = see_other(&format!("{endpoint}{separator}{}", query.join("&")));
        self.keep(&FLOW_COOKIE, &flow, &mut response).await?;
        Ok(response)
    }

    /// Takes the person back from the provider, if it is this browser that left for it.
    async fn come_back(&self) -> Result<Response, Problem> {
        let state = self.call.query("state");
        let flow: Option<Flow> = self.kept(&FLOW_COOKIE).await?;
        let flow = flow.filter(|flow| {
            self.call.now < flow.begun + FLOW_COOKIE.lasts && state.as_deref() == Some(flow.state.as_str())
        });
        let Some(flow) = flow else {
            // Several pages of one browser may have left at once: the first that is back signs in all of them.
            if self.session().await?.is_some() {
                return Ok(see_other("/"));
            }
            let detail = "it did not begin in this browser, or more than ten minutes ago";
            return Ok(refused(&Problem::new(400, "sign-in", "this sign-in is void", detail), "/"));
        };
        let mut response = self.finish(&flow).await.unwrap_or_else(|problem| refused(&problem, &flow.to));
        response.cookies.push(FLOW_COOKIE.cookie(""));
        Ok(response)
    }

    async fn finish(&self, flow: &Flow) -> Result<Response, Problem> {
        if let Some(error) = self.call.query("error") {
            let is_code = |c: char| c.is_ascii_alphanumeric() || c == '_';
            let code: String = error.chars().filter(|c| is_code(*c)).take(60).collect();
            let detail = format!("the provider sent you back with `{code}`");
            return Err(Problem::new(403, "sign-in", "you did not sign in", detail));
        }
        let code =
            self.call.query("code").ok_or_else(|| Problem::bad_request("the provider sent no code"))?;
        let redirect_uri = self.redirect_uri();
        let code = Code { code: &code, verifier: &flow.verifier, redirect_uri: &redirect_uri };
        let token = self.redeem(&code).await?;
        let settings = self.provider.settings();
        let expected = Expected {
            issuer: &settings.issuer,
            client_id: &settings.client_id,
            nonce: &flow.nonce,
            begun: flow.begun,
            now: self.call.now,
        };
        let email = claims::email(&token, &expected).map_err(|why| {
            tracing::warn!(error = %why, "a sign-in was refused: its ID token is not believed");
            let detail = format!("what the provider says of you is not believed: {why}");
            Problem::new(403, "sign-in", "you could not be signed in", detail)
        })?;
        let person = self.known(&email).await?;
        tracing::info!(person, "somebody signed in to the console");
        let mut response = see_other(&flow.to);
        let session = Session { email, until: self.call.now + SESSION_COOKIE.lasts };
        self.keep(&SESSION_COOKIE, &session, &mut response).await?;
        Ok(response)
    }

    /// The ID token for a code.
    async fn redeem(&self, code: &Code<'_>) -> Result<String, Problem> {
        let now = self.call.now;
        let secret = self.secret(false).await?;
        let mut token = self.provider.redeem(code, &secret, now).await;
        if matches!(token, Err(OpenIdError::ClientRefused(_))) {
            // It may just have been rotated.
            let newer = self.secret(true).await?;
            if newer != secret {
                token = self.provider.redeem(code, &newer, now).await;
            }
        }
        token.map_err(unusable)
    }

    /// The person whose address it is. Looked up at the door and with each page, so that who leaves the directory is out at
    /// once.
    async fn known(&self, email: &str) -> Result<String, Problem> {
        let people = self.call.app.config.fresh().await?.config.people();
        if let Some(person) = people.identify(email) {
            return Ok(person.id.clone());
        }
        let detail = format!(
            "no person of the directory has the e-mail address {}. Have it written beside your name in the people's document \
             (`kind: Directory`) and applied, then sign in again",
            clean(email)
        );
        Err(Problem::new(403, "stranger", "you are signed in, and nobody here knows you", detail))
    }

    fn redirect_uri(&self) -> String {
        format!("{}/sign-in/callback", self.call.app.settings.public_url)
    }

    /// Has the browser keep `value`.
    async fn keep<T: Serialize>(
        &self,
        kept: &Kept,
        value: &T,
        response: &mut Response,
    ) -> Result<(), Problem> {
        let sealed = self.seal(kept, false).await?.close(value);
        let sealed = sealed.map_err(|error| Problem::bad_request(error.to_string()))?;
        response.cookies.push(kept.cookie(&sealed));
        Ok(())
    }

    /// What the browser has kept, if it is as it was given.
    async fn kept<T: DeserializeOwned>(&self, kept: &Kept) -> Result<Option<T>, Problem> {
        let Some(cookie) = browser::cookie(self.call.request, kept.name) else { return Ok(None) };
        // Sealed with a secret that was just rotated, it fits only the new one.
        for after_miss in [false, true] {
            if let Some(value) = self.seal(kept, after_miss).await?.open(cookie) {
                return Ok(Some(value));
            }
        }
        Ok(None)
    }

    async fn seal(&self, kept: &Kept, after_miss: bool) -> Result<Seal, Problem> {
        let secret = self.secret(after_miss).await?;
        let settings = self.provider.settings();
        let console = self.call.app.settings.public_url.as_str();
        let context = ["meshline console 1", kept.purpose, console, &settings.issuer, &settings.client_id];
        Seal::new(&secret, &context).ok_or_else(|| misconfigured("the client secret is no key"))
    }

    /// Our client secret.
    async fn secret(&self, after_miss: bool) -> Result<String, Problem> {
        let secret = self.provider.client_secret(self.call.now, after_miss).await?;
        let secret = secret.filter(|secret| secret.len() >= MIN_SECRET);
        secret.ok_or_else(|| misconfigured("the client secret is missing, or shorter than 16 characters"))
    }
}

/// Who knocks is a stranger: what is wrong stays in the log.
fn misconfigured(why: &str) -> Problem {
    tracing::error!(error = why, "nobody can sign in");
    Problem::new(500, "internal", "nobody can sign in at the moment", "the log of `ops-api` says why")
}

fn unusable(error: OpenIdError) -> Problem {
    if let OpenIdError::CodeRefused(why) = &error {
        tracing::warn!(error = why, "a sign-in was refused");
        let detail =
            "the provider does not take its own code any more: it is good once, and for a short time";
        return Problem::new(400, "sign-in", "this sign-in is void", detail);
    }
    tracing::error!(error = %error, "nobody can sign in");
    let (status, detail) = match error {
        OpenIdError::Unanswered(Unanswered::Late { .. }) => {
            (504, "the provider does not answer in time: try again")
        }
        OpenIdError::Unanswered(Unanswered::Unreachable { .. }) => {
            (502, "the provider cannot be reached: try again")
        }
        OpenIdError::Unanswered(Unanswered::Forbidden(_))
        | OpenIdError::Unusable(_)
        | OpenIdError::ClientRefused(_)
        | OpenIdError::CodeRefused(_) => {
            (502, "Meshline and the provider do not understand each other: the log of `ops-api` says why")
        }
    };
    Problem::new(status, "provider", "nobody can sign in at the moment", detail)
}

/// Why somebody is not let in, and the way to try again.
fn refused(problem: &Problem, to: &str) -> Response {
    let main = html! {
        h1 { (capital(problem.title)) }
        p.lead { (capital(&problem.detail)) "." }
        p { a.button href=(sign_in_for(to)) { "Sign in" } }
    };
    bare_page(problem.status, problem.title, main)
}

/// The provider's own session goes on: it is not ours to end.
fn signed_out() -> Response {
    let main = html! {
        h1 { "You are signed out" }
        p.lead { "Of this console. Your provider may still know you, and let you in again without asking." }
        p { a.button href="/sign-in" { "Sign in" } }
    };
    let mut response = bare_page(200, "Signed out", main);
    response.cookies.push(SESSION_COOKIE.cookie(""));
    response
}

fn sign_in_for(to: &str) -> String {
    format!("/sign-in?to={}", encoded(to))
}

/// `to`, if it is the address of a page of the console, else Today's. Nothing leads to another host: neither `//host` nor
/// what browsers read as that, `/\host` and `/<tab>/host`.
fn page_of(to: &str) -> &str {
    let is_plain = to.len() <= MAX_TO && to.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    let path = to.split(['?', '#']).next().unwrap_or_default();
    let first = path.split('/').find(|segment| !segment.is_empty());
    let is_local = to.starts_with('/') && !to.starts_with("//");
    if is_plain && is_local && is_page(first) { to } else { "/" }
}
