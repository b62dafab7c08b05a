//! The frame around each page: head, navigation, assets, and the headers that keep foreign code out.

use std::sync::LazyLock;

use aws_lambda_events::http::{HeaderName, HeaderValue};
use maud::{DOCTYPE, Markup, html};
use meshline_aws::http::{self, Problem, Response};
use meshline_aws::settings::Console;
use meshline_core::id;

use super::reader::{Frame, Reader, foreign};
use crate::Call;

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("live.js");
/// Changes whenever an asset does, so that browsers may keep them for good.
static VERSION: LazyLock<String> = LazyLock::new(|| id::mark(&format!("{STYLE}{SCRIPT}")));

/// No script and no style but our own files, no frame, no form to elsewhere.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; \
    connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Where in the navigation a page is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Tab {
    Today,
    Runs,
    Exceptions,
    Flows,
    Reports,
    Elsewhere,
}

const TABS: [(Tab, &str, &str); 5] = [
    (Tab::Today, "/", "Today"),
    (Tab::Runs, "/runs", "Runs"),
    (Tab::Exceptions, "/exceptions", "Exceptions"),
    (Tab::Flows, "/flows", "Flows"),
    (Tab::Reports, "/reports", "Reports"),
];

impl Call<'_> {
    /// A page with everything around it.
    pub(super) fn page(&self, status: u16, reader: &Reader, frame: &Frame<'_>, main: Markup) -> Response {
        let person = html! {
            p.who {
                @if reader.is_person() { "You are " strong { (reader.name(&reader.id)) } }
                @else { "You are " strong { (foreign(&reader.id)) } }
                @if let Console::Trusting(sign_in) = self.app.settings.console { " · " a href=(sign_in) { "Change" } }
            }
            @if let Console::OpenId(_) = self.app.settings.console {
                form.out method="post" action="/sign-out" {
                    input type="hidden" name="token" value=(reader.token.text);
                    button { "Sign out" }
                }
            }
        };
        let mut response = document(status, frame, person, main);
        if reader.token.is_new {
            response.cookies.push(self.token_cookie(&reader.token));
        }
        response
    }
}

/// A page without a reader: what went wrong before there was one, and the sign-in of a local stack.
pub fn bare_page(status: u16, title: &str, main: Markup) -> Response {
    document(status, &Frame { title, tab: Tab::Elsewhere }, html! {}, main)
}

/// What went wrong, as a page.
pub(super) fn problem_page(problem: &Problem) -> Response {
    let main = html! {
        h1 { (capital(problem.title)) }
        p.lead { (capital(&problem.detail)) "." }
        p { a.button href="/" { "Back to Today" } }
    };
    bare_page(problem.status, problem.title, main)
}

/// `Text` of `text`.
pub(super) fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

fn document(status: u16, frame: &Frame<'_>, person: Markup, main: Markup) -> Response {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (super::words::clean(frame.title)) " · Meshline" }
                link rel="icon" href="data:,";
                link rel="stylesheet" href=(format!("/assets/console.css?v={}", *VERSION));
                script src=(format!("/assets/console.js?v={}", *VERSION)) defer {}
            }
            body {
                a.skip href="#main" { "Skip to content" }
                header.top {
                    a.brand href="/" { "Meshline" }
                    nav aria-label="Console" {
                        ul {
                            @for (tab, path, name) in TABS {
                                li { a href=(path) aria-current=[(tab == frame.tab).then_some("page")] { (name) } }
                            }
                        }
                    }
                    (person)
                }
                main #main tabindex="-1" { (main) }
            }
        }
    };
    secured(http::text(status, "text/html; charset=utf-8", page.into_string()))
}

fn secured(mut response: Response) -> Response {
    for (name, value) in [
        ("content-security-policy", POLICY),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "same-origin"),
        ("cross-origin-opener-policy", "same-origin"),
    ] {
        response.headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    response
}

/// `GET /assets/{name}`: a year for the version that pages name, nothing for any other.
pub(super) fn asset(name: &str, version: Option<&str>) -> Result<Response, Problem> {
    let (kind, text) = match name {
        "console.css" => ("text/css; charset=utf-8", STYLE),
        "console.js" => ("text/javascript; charset=utf-8", SCRIPT),
        _ => return Err(Problem::not_found(format!("there is no asset `{name}`"))),
    };
    let mut response = secured(http::text(200, kind, text.to_owned()));
    if version == Some(VERSION.as_str()) {
        let keep = HeaderValue::from_static("public, max-age=31536000, immutable");
        response.headers.insert(HeaderName::from_static("cache-control"), keep);
    }
    Ok(response)
}
