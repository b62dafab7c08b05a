//! A browser: cookies, pages as text, and forms as pages hold them.

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request};
use meshline_local::gateway;
use meshline_tests::Local;

/// Somebody's browser.
pub(crate) struct Browser<'l> {
    local: &'l Local,
    cookies: Vec<(String, String)>,
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
        self.request("GET", path, &[], String::new()).await
    }

    /// Sends the form of `page` that posts to `path`, with what it holds already and `fields`.
    pub(crate) async fn send(&mut self, page: &Page, path: &str, fields: &[(&str, &str)]) -> Page {
        let hidden = page.hidden(path);
        let all: Vec<(&str, &str)> = hidden
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .chain(fields.iter().copied())
            .collect();
        self.post(path, &all, &[("origin", "http://127.0.0.1:8080"), ("sec-fetch-site", "same-origin")]).await
    }

    pub(crate) async fn post(
        &mut self,
        path: &str,
        fields: &[(&str, &str)],
        headers: &[(&str, &str)],
    ) -> Page {
        let body: Vec<String> =
            fields.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value))).collect();
        self.request("POST", path, headers, body.join("&")).await
    }

    async fn request(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: String) -> Page {
        let mut request = Request::builder().method(method).uri(path).header("host", "127.0.0.1:8080");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if !self.cookies.is_empty() {
            let pairs: Vec<String> =
                self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            request = request.header("cookie", pairs.join("; "));
        }
        if method == "POST" {
            request = request.header("content-type", "application/x-www-form-urlencoded");
        }
        let response = gateway::call(&self.local.stack, request.body(Body::from(body)).unwrap()).await;
        let (parts, body) = response.into_parts();
        for cookie in parts.headers.get_all("set-cookie") {
            let cookie = cookie.to_str().unwrap();
            assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
            let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
            self.cookies.retain(|(known, _)| known != name);
            self.cookies.push((name.to_owned(), value.to_owned()));
        }
        let html = String::from_utf8(to_bytes(body, usize::MAX).await.unwrap().to_vec()).unwrap();
        Page { status: parts.status.as_u16(), headers: parts.headers, html }
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
