//! The sign-in of a local stack: a browser says whom of the directory it acts for. It proves nothing, as
//! `Authorization: Local` proves nothing: who reaches this stack may be anybody.

use aws_lambda_events::http::{HeaderName, HeaderValue};
use maud::html;
use meshline_aws::browser;
use meshline_aws::http::{self, Problem, Request, Response};

use crate::stack::Stack;

/// Where the page is.
pub(crate) const PATH: &str = "/_local/sign-in";
/// The cookie that keeps the choice.
const COOKIE: &str = "meshline-local-person";

/// The person that a browser acts for.
pub(crate) fn person(request: &Request) -> Option<&str> {
    browser::cookie(request, COOKIE).filter(|person| !person.is_empty())
}

/// `GET` shows the people of the directory, `POST` takes one.
pub(crate) async fn answer(stack: &Stack, request: &Request) -> Result<Response, Problem> {
    let people = stack.app.config.fresh().await?.config.people();
    if request.request_context.http.method == "POST" {
        let form = browser::form(request);
        let chosen = form.iter().find(|(name, _)| name == "person").map_or("", |(_, id)| id);
        let is_known = chosen.is_empty() || people.person(chosen).is_some();
        if !browser::is_from_own_page(request, &stack.app.settings.public_url) || !is_known {
            return Err(Problem::bad_request("choose somebody of the directory, on the page itself"));
        }
        let mut response = http::text(303, "text/plain; charset=utf-8", String::new());
        response.headers.insert(HeaderName::from_static("location"), HeaderValue::from_static("/"));
        response.cookies.push(format!("{COOKIE}={chosen}; Path=/; HttpOnly; SameSite=Strict"));
        return Ok(response);
    }
    let main = html! {
        h1 { "Who are you?" }
        p.lead { "This stack runs on a laptop and believes what you say. What you do in the console stands in the trail under this name." }
        form method="post" action=(PATH) {
            ul.rows {
                @for someone in &people.people {
                    li {
                        div { span.title { (someone.name) } p.meta { (someone.id) } }
                        button name="person" value=(someone.id) { "Act as " (someone.name) }
                    }
                }
                li { div { span.title { "Nobody" } p.meta { "local" } } button name="person" value="" { "Act as nobody" } }
            }
        }
    };
    Ok(meshline_ops_api::bare_page(200, "Sign in", main))
}
