//! Signing in with a provider, as on AWS: who is let in, for how long, and who is not.

mod attacks;

use std::time::Duration;

use meshline_aws::http::Request;
use meshline_aws::outbound::Outbound;
use meshline_aws::settings::OpenId;
use meshline_core::time::Span;
use meshline_tests::provider::{CLIENT_ID, CLIENT_SECRET, Failure, Provider};
use meshline_tests::{Local, nine};
use serde_json::json;

use super::browser::{Browser, Page};
use super::late;

const CONSOLE: &str = "https://meshline.example.com";
const SESSION: &str = "__Host-meshline-session";
const FLOW: &str = "__Host-meshline-sign-in";
/// How long the provider has for an answer; it is on this machine.
const PATIENCE: Duration = Duration::from_millis(500);

/// A stack whose console asks this provider who people are.
async fn asking(provider: &Provider) -> Local {
    asking_with(provider, CLIENT_SECRET).await
}

async fn asking_with(provider: &Provider, secret: &str) -> Local {
    let name = "meshline/console".to_owned();
    let (issuer, client_id) = (provider.url.clone(), CLIENT_ID.to_owned());
    let provider = OpenId { issuer, client_id, secret: name, timeout: PATIENCE };
    Local::with_provider(CONSOLE, provider, &[("console", secret)]).await
}

/// Has the browser leave for the provider from the console's sign-in, and gives where it is sent back to.
async fn back_from_provider(page: &Page) -> String {
    assert_eq!(page.status, 303, "{}", page.text());
    let browser = Outbound::new(Duration::from_secs(5), true);
    let there =
        browser.exchange("GET".parse().unwrap(), page.header("location"), Default::default(), String::new());
    let there = there.await.unwrap();
    assert_eq!(there.status, 302, "{}", there.body);
    there.headers["location"].to_str().unwrap().to_owned()
}

/// The whole way, from a page to what the console answers when the person is back.
async fn signs_in(browser: &mut Browser<'_>, to: &str) -> Page {
    let asked = browser.get(to).await;
    assert_eq!(asked.status, 303, "{to}: {}", asked.text());
    let leaving = browser.get(asked.header("location")).await;
    browser.arrive(&back_from_provider(&leaving).await).await
}

#[tokio::test]
async fn a_person_signs_in_lands_where_they_wanted_to_go_and_acts_as_themselves() {
    let provider = Provider::start(nine() + Span::hours(3), "Ana@example.com").await;
    let local = asking(&provider).await;
    let run = late(&local).await;
    let mut browser = Browser::new(&local);
    let wanted = format!("/runs/{run}?done=note");
    // A link in a message: no cookie that is kept from other sites would come along.
    let asked = browser.arrive(&format!("{CONSOLE}{wanted}")).await;
    let leaving = browser.get(asked.header("location")).await;
    let back = back_from_provider(&leaving).await;
    assert!(back.starts_with(&format!("{CONSOLE}/sign-in/callback?code=")), "{back}");
    let done = browser.arrive(&back).await;
    assert_eq!((done.status, done.header("location")), (303, wanted.as_str()), "{}", done.text());
    assert!(browser.cookie(SESSION).is_some() && browser.cookie(FLOW).is_none());

    let page = browser.arrive(&format!("{CONSOLE}{wanted}")).await;
    assert!(page.says("You are Ana Reyes") && page.says("Sign out"), "{}", page.text());
    let acknowledged = browser.send(&page, &format!("/runs/{run}/acknowledge"), &[]).await;
    assert_eq!(acknowledged.status, 303, "{}", acknowledged.text());
    let trail = local.get(&format!("/v1/runs/{run}/audit")).await;
    let last = trail["items"].as_array().unwrap().last().unwrap().clone();
    assert_eq!((&last["kind"], &last["actor"]["id"]), (&json!("acknowledged"), &json!("ana")));
}

#[tokio::test]
async fn without_a_session_nothing_is_shown_and_nothing_changed() {
    let provider = Provider::start(nine(), "ana@example.com").await;
    let local = asking(&provider).await;
    let run = late(&local).await;
    let mut browser = Browser::new(&local);
    for path in [
        "/",
        "/?flow=blog-launch",
        "/runs",
        &format!("/runs/{run}"),
        "/exceptions",
        "/flows",
        "/flows/blog-launch",
        "/subjects/contentful%3A5Ks",
        "/reports",
    ] {
        let asked = browser.get(path).await;
        let to = path.replace('/', "%2F").replace('?', "%3F").replace('=', "%3D").replace("%3A", "%253A");
        assert_eq!((asked.status, asked.header("location")), (303, format!("/sign-in?to={to}").as_str()));
        let fetched = browser.fetch(path).await;
        assert_eq!(fetched.status, 401, "a script begins no sign-in: {path}");
        assert!(fetched.says("Sign in first") && !fetched.says("Spring launch"), "{}", fetched.text());
    }
    assert_eq!(browser.get("/runs/x/unknown").await.status, 303, "nobody learns which addresses there are");
    assert_eq!(browser.post(&format!("/runs/{run}/acknowledge"), &[], &[]).await.status, 401);
    assert!(!local.trail(&run).await.contains(&"acknowledged".to_owned()));
    assert_eq!(browser.get("/assets/console.css").await.status, 200);
}

#[tokio::test]
async fn the_api_answers_nobody_for_whom_no_authorizer_speaks() {
    let provider = Provider::start(nine(), "ana@example.com").await;
    let local = asking(&provider).await;
    let mut browser = Browser::new(&local);
    assert_eq!(signs_in(&mut browser, "/").await.status, 303);
    for path in ["/v1/runs", "//v1/flows", "/v1"] {
        let mut request = Request::default();
        request.raw_path = Some(path.to_owned());
        request.cookies = Some(vec![format!("{SESSION}={}", browser.cookie(SESSION).unwrap())]);
        let answer = meshline_ops_api::handle(&local.stack.app, request, nine()).await;
        assert_eq!(answer.status_code, 401, "{path}");
    }
}

#[tokio::test]
async fn who_is_no_person_of_the_directory_is_told_what_to_do() {
    let provider = Provider::start(nine(), "mallory@example.com").await;
    let local = asking(&provider).await;
    let mut browser = Browser::new(&local);
    let refused = signs_in(&mut browser, "/").await;
    assert_eq!(refused.status, 403);
    let words = "No person of the directory has the e-mail address mallory@example.com. Have it written";
    assert!(refused.says(words), "{}", refused.text());
    assert_eq!(browser.cookie(SESSION), None);
    // The id of a person is no address.
    provider.claims(json!({"email": "ana"}));
    assert_eq!(signs_in(&mut browser, "/").await.status, 403);
    assert_eq!(browser.cookie(SESSION), None);
}

#[tokio::test]
async fn who_leaves_the_directory_is_out_at_once() {
    let provider = Provider::start(nine(), "dev@example.com").await;
    let local = asking(&provider).await;
    let mut browser = Browser::new(&local);
    signs_in(&mut browser, "/").await;
    assert!(browser.get("/").await.says("You are Dev Patel"));
    let [(name, directory), ..] = meshline_tests::EXAMPLES;
    let without = directory.replace("email: dev@example.com", "email: dev.patel@example.com");
    assert_eq!(local.apply(&[(name, &without)]).await.0, 200);
    let refused = browser.get("/").await;
    assert_eq!(refused.status, 403);
    assert!(refused.says("dev@example.com") && !refused.says("Overdue"), "{}", refused.text());
}

#[tokio::test]
async fn a_session_is_over_after_twelve_hours_whatever_the_browser_keeps() {
    let provider = Provider::start(nine(), "ana@example.com").await;
    let local = asking(&provider).await;
    let mut browser = Browser::new(&local);
    signs_in(&mut browser, "/").await;
    local.advance(Span::hours(12) - Span::minutes(1)).await;
    assert_eq!(browser.get("/").await.status, 200);
    local.advance(Span::minutes(1)).await;
    assert_eq!(browser.get("/").await.header("location"), "/sign-in?to=%2F");
}

#[tokio::test]
async fn who_signs_out_is_out_and_no_other_site_can_do_it_for_them() {
    let provider = Provider::start(nine(), "ana@example.com").await;
    let local = asking(&provider).await;
    let mut browser = Browser::new(&local);
    signs_in(&mut browser, "/").await;
    let page = browser.get("/").await;
    assert_eq!(browser.post("/sign-out", &[], &[("sec-fetch-site", "cross-site")]).await.status, 403);
    assert_eq!(browser.get("/").await.status, 200);
    let done = browser.send(&page, "/sign-out", &[]).await;
    assert!(done.status == 200 && done.says("You are signed out"), "{}", done.text());
    assert_eq!(browser.cookie(SESSION), None);
    assert_eq!(browser.get("/").await.status, 303);
}

#[tokio::test]
async fn a_new_client_secret_ends_every_session() {
    let provider = Provider::start(nine(), "ana@example.com").await;
    let local = asking(&provider).await;
    let mut browser = Browser::new(&local);
    signs_in(&mut browser, "/").await;
    let rotated = asking_with(&provider, "another secret of the console").await;
    let mut later = Browser::new(&rotated);
    later.set_cookie(SESSION, browser.cookie(SESSION).unwrap());
    assert_eq!(later.get("/").await.status, 303);
}

#[tokio::test]
async fn pages_that_left_for_the_provider_at_once_are_all_let_in_by_the_first_that_is_back() {
    let provider = Provider::start(nine(), "ana@example.com").await;
    let local = asking(&provider).await;
    let mut browser = Browser::new(&local);
    let first = browser.get("/sign-in?to=%2Fruns").await;
    let second = browser.get("/sign-in?to=%2Fflows").await;
    assert_eq!(browser.arrive(&back_from_provider(&second).await).await.header("location"), "/flows");
    let late = browser.arrive(&back_from_provider(&first).await).await;
    assert_eq!((late.status, late.header("location")), (303, "/"));
}

#[tokio::test]
async fn a_provider_that_takes_the_secret_in_the_form_only_is_given_it_there() {
    let provider = Provider::start(nine(), "ana@example.com").await;
    provider.describes(json!({"token_endpoint_auth_methods_supported": ["client_secret_post"]}));
    let local = asking(&provider).await;
    let mut browser = Browser::new(&local);
    assert_eq!(signs_in(&mut browser, "/runs").await.header("location"), "/runs");
}

#[tokio::test]
async fn claims_may_come_as_providers_write_them() {
    let provider = Provider::start(nine(), "ana@example.com").await;
    let local = asking(&provider).await;
    let seconds = nine().unix_ms() as f64 / 1_000.0;
    for claims in [
        json!({"email_verified": null}),
        json!({"email_verified": "true"}),
        json!({"aud": [CLIENT_ID]}),
        json!({"aud": [CLIENT_ID, "others"], "azp": CLIENT_ID}),
        json!({"iat": seconds - 60.5, "exp": seconds - 60.5}),
    ] {
        provider.claims(claims.clone());
        let mut browser = Browser::new(&local);
        assert_eq!(signs_in(&mut browser, "/runs").await.header("location"), "/runs", "{claims}");
    }
}

#[tokio::test]
async fn a_provider_that_is_down_slow_or_somebody_else_is_said_so_in_a_page() {
    for (path, failure, status) in [
        ("/.well-known/openid-configuration", Failure::Hang, 504),
        ("/.well-known/openid-configuration", Failure::Status(503), 502),
        ("/token", Failure::Hang, 504),
        ("/token", Failure::Status(500), 502),
    ] {
        let provider = Provider::start(nine(), "ana@example.com").await;
        provider.fails(path, failure);
        let local = asking(&provider).await;
        let mut browser = Browser::new(&local);
        let leaving = browser.get("/sign-in?to=%2Fruns").await;
        let page = if path == "/token" {
            browser.arrive(&back_from_provider(&leaving).await).await
        } else {
            leaving
        };
        assert_eq!(page.status, status, "{path} {failure:?}: {}", page.text());
        assert!(
            page.says("Nobody can sign in at the moment")
                && page.html.contains("href=\"/sign-in?to=%2Fruns\"")
        );
        assert_eq!(browser.cookie(SESSION), None);
    }
    let provider = Provider::start(nine(), "ana@example.com").await;
    let local = asking(&provider).await;
    drop(provider);
    let down = Browser::new(&local).get("/sign-in").await;
    assert_eq!(down.status, 502, "{}", down.text());
    assert!(down.says("The provider cannot be reached"), "{}", down.text());
}

#[tokio::test]
async fn what_a_provider_says_of_itself_must_be_true_and_secure() {
    for description in [
        json!({"issuer": "https://id.example.com"}),
        json!({"issuer": null}),
        json!({"authorization_endpoint": "http://id.example.com/authorize"}),
        json!({"authorization_endpoint": "javascript:alert(1)"}),
        json!({"token_endpoint": "http://id.example.com/token"}),
        json!({"token_endpoint": null}),
    ] {
        let provider = Provider::start(nine(), "ana@example.com").await;
        provider.describes(description.clone());
        let local = asking(&provider).await;
        let mut browser = Browser::new(&local);
        let page = browser.get("/sign-in").await;
        assert_eq!((page.status, page.header("location")), (502, ""), "{description}");
        assert_eq!(browser.cookie(FLOW), None);
    }
}
