//! Forms of other sites: kept out by what the browser says of a request's origin, and by a token that only our own
//! pages know.
//!
//! The token is a double submit: a random text in a cookie (`SameSite=Strict`, `HttpOnly`) and in each form. A page of
//! another site can neither read nor, given the prefix `__Host-`, set the cookie, so it cannot send the same text twice.
//! Nothing is stored and no secret is needed. Without TLS, on a local stack, browsers refuse that prefix; there the
//! cookie goes without it.

use meshline_aws::browser;
use meshline_aws::http::Problem;

use crate::Call;

/// Bytes of chance in a token.
const TOKEN_BYTES: usize = 16;

/// What the forms of one browser send back.
pub(super) struct Token {
    pub(super) text: String,
    /// Whether the browser does not have it yet.
    pub(super) is_new: bool,
}

impl Token {
    /// The browser's own, or a new one.
    pub(super) fn of(cookie: Option<&str>) -> Self {
        let known = cookie.filter(|text| is_token(text));
        let text = known.map(str::to_owned).or_else(random).unwrap_or_default();
        Self { text, is_new: known.is_none() }
    }
}

/// 32 hexadecimal characters of the system's chance; none where it has none to give.
pub(super) fn random() -> Option<String> {
    let mut bytes = [0_u8; TOKEN_BYTES];
    getrandom::fill(&mut bytes).ok()?;
    Some(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn is_token(text: &str) -> bool {
    text.len() == 2 * TOKEN_BYTES && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

impl Call<'_> {
    fn has_tls(&self) -> bool {
        self.app.settings.public_url.starts_with("https://")
    }

    pub(super) fn token_name(&self) -> &'static str {
        if self.has_tls() { "__Host-meshline-token" } else { "meshline-token" }
    }

    /// The cookie that gives the browser its token.
    pub(super) fn token_cookie(&self, token: &Token) -> String {
        let secure = if self.has_tls() { "; Secure" } else { "" };
        format!("{}={}; Path=/; HttpOnly; SameSite=Strict{secure}", self.token_name(), token.text)
    }

    /// Refuses a form that was not sent from a page of the console.
    pub(super) fn sent_from_console(&self, token: Option<&str>) -> Result<(), Problem> {
        let cookie = browser::cookie(self.request, self.token_name()).filter(|text| is_token(text));
        let is_own = browser::is_from_own_page(self.request, &self.app.settings.public_url);
        if is_own && cookie.is_some() && token == cookie {
            return Ok(());
        }
        let detail =
            "nothing was changed: open the page anew and send the form from there, with cookies allowed";
        Err(Problem::new(403, "forged", "this form was not sent from a page of the console", detail))
    }
}
