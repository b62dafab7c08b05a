//! A browser: cookies, pages as text, and forms as pages hold them.

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request};
use meshline_local::gateway;
use meshline_tests::Local;

/// Somebody's browser.
#[derive(Clone)]
pub(crate) struct Browser<'l> {
    local: &'l Local,
    cookies: Vec<Cookie>,
}

/// A cookie as a browser keeps it.
#[derive(Clone)]
struct Cookie {
    name: String,
    value: String,
    /// Kept from requests that another site's page began.
    is_strict: bool,
}

/// Where a request comes from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum From {
    /// This site, or the person's own hand.
    Here,
    /// Another site's page, or one that led here.
    Elsewhere,
}

/// An answer as a browser has it.
pub(crate) struct Page {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) html: String,
}

impl<'l> Browser<'l> {
    pub(crate) fn new(local: &'l Local) -> Self {
        Self { local, cookies: Vec::new() }
    }

    /// The browser of somebody who has signed in to the local stack.
    pub(crate) async fn of(person: &str, local: &'l Local) -> Self {
        let mut browser = Self::new(local);
        let fields = [("person", person)];
        assert_eq!(browser.post("/_local/sign-in", &fields, &[]).await.status, 303);
        browser
    }

    pub(crate) async fn get(&mut self, path: &str) -> Page {
        self.request(From::Here, "GET", path, &[], String::new()).await
    }

    /// `GET` as a script on a page does it.
    pub(crate) async fn fetch(&mut self, path: &str) -> Page {
        self.request(From::Here, "GET", path, &[("sec-fetch-dest", "empty")], String::new()).await
    }

    /// Follows a link of another site, a message or a redirect that begins there.
    pub(crate) async fn arrive(&mut self, url: &str) -> Page {
        let path = url.strip_prefix(&self.url()).unwrap_or(url).to_owned();
        let headers = [("sec-fetch-site", "cross-site"), ("sec-fetch-dest", "document")];
        self.request(From::Elsewhere, "GET", &path, &headers, String::new()).await
    }

    /// What the browser keeps under that name.
    pub(crate) fn cookie(&self, name: &str) -> Option<&str> {
        self.cookies.iter().find(|cookie| cookie.name == name).map(|cookie| cookie.value.as_str())
    }

    /// Has the browser keep `value`, as a person with its developer's tools can.
    pub(crate) fn set_cookie(&mut self, name: &str, value: &str) {
        self.cookies.retain(|cookie| cookie.name != name);
        self.cookies.push(Cookie { name: name.to_owned(), value: value.to_owned(), is_strict: false });
    }

    fn url(&self) -> String {
        self.local.stack.app.settings.public_url.clone()
    }

    /// Sends the form of `page` that posts to `path`, with what it holds already and `fields`.
    pub(crate) async fn send(&mut self, page: &Page, path: &str, fields: &[(&str, &str)]) -> Page {
        let hidden = page.hidden(path);
        let all: Vec<(&str, &str)> = hidden
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .chain(fields.iter().copied())
            .collect();
        let origin = self.url();
        self.post(path, &all, &[("origin", &origin), ("sec-fetch-site", "same-origin")]).await
    }

    pub(crate) async fn post(
        &mut self,
        path: &str,
        fields: &[(&str, &str)],
        headers: &[(&str, &str)],
    ) -> Page {
        let body: Vec<String> =
            fields.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value))).collect();
        self.request(From::Here, "POST", path, headers, body.join("&")).await
    }

    async fn request(
        &mut self,
        from: From,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: String,
    ) -> Page {
        let url = self.url();
        let (_, host) = url.split_once("://").unwrap();
        let mut request = Request::builder().method(method).uri(path).header("host", host);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let sent = self.cookies.iter().filter(|cookie| from == From::Here || !cookie.is_strict);
        let pairs: Vec<String> = sent.map(|cookie| format!("{}={}", cookie.name, cookie.value)).collect();
        if !pairs.is_empty() {
            request = request.header("cookie", pairs.join("; "));
        }
        if method == "POST" {
            request = request.header("content-type", "application/x-www-form-urlencoded");
        }
        let response = gateway::call(&self.local.stack, request.body(Body::from(body)).unwrap()).await;
        let (parts, body) = response.into_parts();
        for cookie in parts.headers.get_all("set-cookie") {
            self.take(cookie.to_str().unwrap());
        }
        let html = String::from_utf8(to_bytes(body, usize::MAX).await.unwrap().to_vec()).unwrap();
        Page { status: parts.status.as_u16(), headers: parts.headers, html }
    }

    /// Keeps a cookie, or forgets it. One that could leak or be set by a neighbour is a fault of the console.
    fn take(&mut self, cookie: &str) {
        let has = |attribute: &str| cookie.split("; ").any(|found| found == attribute);
        assert!(has("HttpOnly") && has("Path=/"), "{cookie}");
        assert!(has("SameSite=Strict") || has("SameSite=Lax"), "{cookie}");
        let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
        if self.url().starts_with("https://") {
            assert!(name.starts_with("__Host-") && has("Secure") && !cookie.contains("Domain"), "{cookie}");
        }
        self.cookies.retain(|known| known.name != name);
        if !has("Max-Age=0") {
            let (name, value) = (name.to_owned(), value.to_owned());
            self.cookies.push(Cookie { name, value, is_strict: has("SameSite=Strict") });
        }
    }
}

impl Page {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// What a person reads, without the folds of the source.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        for part in self.html.split('<').skip(1) {
            let (tag, after) = part.split_once('>').unwrap();
            let is_word = ["bdi", "/bdi", "a ", "/a", "strong", "/strong", "span", "/span", "time", "/time"];
            if !is_word.iter().any(|start| tag.starts_with(start)) {
                text.push(' ');
            }
            text.push_str(after);
        }
        let plain =
            text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&");
        plain.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    pub(crate) fn says(&self, words: &str) -> bool {
        self.text().contains(words)
    }

    /// Where its forms post to.
    pub(crate) fn actions(&self) -> Vec<String> {
        let forms = self.html.split("<form method=\"post\" action=\"").skip(1);
        forms.map(|form| form.split('"').next().unwrap().to_owned()).collect()
    }

    /// What the form that posts to `path` holds without anybody's doing.
    fn hidden(&self, path: &str) -> Vec<(String, String)> {
        let start = format!("action=\"{path}\">");
        // A form that the page does not offer is sent with what any of its forms holds.
        let form = self.html.split(&start).nth(1).unwrap_or(&self.html).split("</form>").next().unwrap();
        let inputs = form.split("<input type=\"hidden\" name=\"").skip(1);
        inputs
            .map(|input| {
                let mut parts = input.split('"');
                let name = parts.next().unwrap().to_owned();
                (name, parts.nth(1).unwrap().to_owned())
            })
            .collect()
    }
}

fn encoded(text: &str) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~".contains(byte);
    text.bytes()
        .map(|byte| if plain(&byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}
