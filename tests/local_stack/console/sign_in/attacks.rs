//! What somebody else brings to the sign-in, or has a person bring: nobody is let in by it.

use meshline_core::time::Span;
use meshline_tests::nine;
use meshline_tests::provider::{CLIENT_ID, CLIENT_SECRET, DENIED, Provider};
use serde_json::json;

use super::super::browser::Browser;
use super::{CONSOLE, FLOW, SESSION, asking, asking_with, back_from_provider, signs_in};
use crate::telemetry::{start_logging, written};

#[tokio::test]
async fn a_callback_counts_only_in_the_browser_that_left_for_it() {
    let provider = Provider::start(nine(), "ana@example.com").await;
    let local = asking(&provider).await;
    let mut attacker = Browser::new(&local);
    let leaving = attacker.get("/sign-in").await;
    let back = back_from_provider(&leaving).await;
    let without_state = back.split("&state=").next().unwrap();
    let other_state = format!("{without_state}&state=00000000000000000000000000000000");

    let stranger = Browser::new(&local);
    let mut busy = Browser::new(&local);
    busy.get("/sign-in").await;
    for (browser, url) in [
        (&stranger, back.as_str()),
        (&busy, back.as_str()),
        (&busy, without_state),
        (&attacker, without_state),
        (&attacker, &other_state),
        (&attacker, &format!("{without_state}&state=")),
    ] {
        let mut after = browser.clone();
        let refused = after.arrive(url).await;
        assert_eq!(refused.status, 400, "{url}");
        assert!(refused.says("This sign-in is void"), "{}", refused.text());
        assert_eq!(after.cookie(SESSION), None);
        assert_eq!(after.cookie(FLOW), browser.cookie(FLOW), "nobody's own sign-in is ended by it");
    }
    assert_eq!(attacker.arrive(&back).await.status, 303, "and what was missing is all that was");
}

#[tokio::test]
async fn a_callback_counts_once_and_for_ten_minutes() {
    let provider = Provider::start(nine(), "ana@example.com").await;
    let local = asking(&provider).await;
    let mut browser = Browser::new(&local);
    let leaving = browser.get("/sign-in").await;
    let back = back_from_provider(&leaving).await;
    let mut copy = browser.clone();
    assert_eq!(browser.arrive(&back).await.status, 303);
    let again = copy.arrive(&back).await;
    assert_eq!(again.status, 400, "{}", again.text());
    assert!(again.says("does not take its own code any more"), "{}", again.text());
    assert_eq!((copy.cookie(SESSION), copy.cookie(FLOW)), (None, None));

    let mut slow = Browser::new(&local);
    let leaving = slow.get("/sign-in").await;
    let back = back_from_provider(&leaving).await;
    local.advance(Span::minutes(10)).await;
    assert!(slow.arrive(&back).await.says("This sign-in is void"));
}

#[tokio::test]
async fn an_id_token_that_is_not_for_this_sign_in_is_not_believed() {
    let seconds = nine().unix_ms() / 1_000;
    for (claims, says) in [
        (json!({"nonce": "00000000000000000000000000000000"}), "belongs to another sign-in"),
        (json!({"nonce": null}), "belongs to another sign-in"),
        (json!({"iss": "https://id.example.com"}), "is of another issuer"),
        (json!({"iss": null}), "cannot be read"),
        (json!({"aud": "another-client"}), "for somebody else"),
        (json!({"aud": []}), "for somebody else"),
        (json!({"aud": ["another-client", CLIENT_ID]}), "for somebody else"),
        (json!({"aud": [CLIENT_ID, "another-client"], "azp": "another-client"}), "for somebody else"),
        (json!({"azp": "another-client"}), "for somebody else"),
        (json!({"exp": seconds - 121}), "has expired"),
        (json!({"exp": "tomorrow"}), "cannot be read"),
        (json!({"iat": seconds + 121}), "not issued for this sign-in"),
        (json!({"iat": seconds - 121}), "not issued for this sign-in"),
        (json!({"email_verified": false}), "is not verified"),
        (json!({"email_verified": "false"}), "is not verified"),
        (json!({"email": null}), "tells no e-mail address"),
        (json!({"email": "ana@example.com\nben@example.com"}), "tells no e-mail address"),
        (json!({"email": ["ana@example.com"]}), "cannot be read"),
    ] {
        let provider = Provider::start(nine(), "ana@example.com").await;
        provider.claims(claims.clone());
        let local = asking(&provider).await;
        let mut browser = Browser::new(&local);
        let refused = signs_in(&mut browser, "/").await;
        assert_eq!(refused.status, 403, "{claims}");
        assert!(
            refused.says("You could not be signed in") && refused.says(says),
            "{claims}: {}",
            refused.text()
        );
        assert_eq!(browser.cookie(SESSION), None);
    }
}

#[tokio::test]
async fn a_session_that_was_made_or_changed_by_hand_is_none() {
    let provider = Provider::start(nine(), "ana@example.com").await;
    let local = asking(&provider).await;
    let mut browser = Browser::new(&local);
    let leaving = browser.get("/sign-in").await;
    let flow = browser.cookie(FLOW).unwrap().to_owned();
    browser.arrive(&back_from_provider(&leaving).await).await;
    let session = browser.cookie(SESSION).unwrap().to_owned();
    let (text, tag) = session.split_once('.').unwrap();
    let other = asking_with(&provider, "another secret of the console").await;
    let mut elsewhere = Browser::new(&other);
    elsewhere.get("/sign-in").await;
    // `{"email":"cleo@example.com","until":"2027-01-01T00:00:00.000Z"}`
    let wished = "eyJlbWFpbCI6ImNsZW9AZXhhbXBsZS5jb20iLCJ1bnRpbCI6IjIwMjctMDEtMDFUMDA6MDA6MDAuMDAwWiJ9";
    for forged in [
        "",
        "x",
        text,
        &format!("{text}."),
        &format!("{text}.{}", &tag[..tag.len() - 4]),
        &format!("{wished}.{tag}"),
        &format!("{wished}."),
        &format!("{session}.{tag}"),
        &format!("A{session}"),
        &flow,
        elsewhere.cookie(FLOW).unwrap(),
    ] {
        let mut forger = Browser::new(&local);
        forger.set_cookie(SESSION, forged);
        assert_eq!(forger.get("/").await.status, 303, "{forged}");
    }
    browser.set_cookie(FLOW, &session);
    let refused = browser.arrive(&format!("{CONSOLE}/sign-in/callback?code=code-0&state=")).await;
    assert_eq!(refused.header("location"), "/", "a session is no sign-in under way");
    assert_eq!(browser.get("/").await.status, 200, "and nothing was wrong with the session itself");
}

#[tokio::test]
async fn a_sign_in_leads_to_no_other_site() {
    let provider = Provider::start(nine(), "ana@example.com").await;
    let local = asking(&provider).await;
    let long = format!("/runs?flow={}", "x".repeat(1_000));
    for to in [
        "https://evil.example",
        "//evil.example",
        "///evil.example/runs",
        "/%5Cevil.example",
        "/%09/evil.example",
        "%2F%2Fevil.example",
        "runs",
        "javascript:alert(1)",
        "/sign-in",
        "/sign-out",
        "/v1/runs",
        "/assets/console.css",
        "/runs%0d%0aset-cookie:%20a=1",
        "/.//evil.example",
        "@evil.example",
        &long,
        "",
    ] {
        let mut browser = Browser::new(&local);
        let leaving = browser.get(&format!("/sign-in?to={to}")).await;
        let back = browser.arrive(&back_from_provider(&leaving).await).await;
        assert_eq!((back.status, back.header("location")), (303, "/"), "{to}");
    }
}

#[tokio::test]
async fn who_does_not_consent_gets_a_plain_page() {
    let provider = Provider::start(nine(), DENIED).await;
    let local = asking(&provider).await;
    let mut browser = Browser::new(&local);
    let refused = signs_in(&mut browser, "/runs").await;
    assert_eq!(refused.status, 403);
    assert!(
        refused.says("You did not sign in") && refused.says("sent you back with `access_denied`"),
        "{}",
        refused.text()
    );
    assert_eq!((browser.cookie(SESSION), browser.cookie(FLOW)), (None, None));
    // Whoever has somebody follow a link cannot have the page say what they like.
    let lure = format!("{CONSOLE}/sign-in/callback?error=call+0900-123&state=1");
    assert!(!browser.arrive(&lure).await.says("0900"));
}

#[tokio::test]
async fn a_secret_that_could_be_guessed_is_not_used() {
    let provider = Provider::start(nine(), "ana@example.com").await;
    for secret in ["", "fifteen letters"] {
        let local = asking_with(&provider, secret).await;
        let page = Browser::new(&local).get("/sign-in").await;
        assert_eq!(page.status, 500, "{}", page.text());
        assert!(page.says("Nobody can sign in at the moment") && !page.says("fifteen"), "{}", page.text());
    }
}

#[tokio::test]
async fn a_wrong_client_secret_lets_nobody_in() {
    let provider = Provider::start(nine(), "ana@example.com").await;
    let local = asking_with(&provider, "not the secret of the console").await;
    let mut browser = Browser::new(&local);
    let refused = signs_in(&mut browser, "/").await;
    assert_eq!((refused.status, browser.cookie(SESSION)), (502, None), "{}", refused.text());
}

#[tokio::test]
async fn what_lets_somebody_in_is_neither_logged_nor_printed_nor_on_a_page() {
    let provider = Provider::start(nine(), "ana@example.com").await;
    let local = asking(&provider).await;
    let mut browser = Browser::new(&local);
    start_logging();
    let back = back_from_provider(&browser.get("/sign-in").await).await;
    let code = back.split("code=").nth(1).unwrap().split('&').next().unwrap();
    let flow = browser.cookie(FLOW).unwrap().to_owned();
    let signed_in = browser.arrive(&back).await;
    assert_eq!(signed_in.status, 303, "{}", signed_in.text());
    let session = browser.cookie(SESSION).unwrap().to_owned();
    let spent = browser.arrive(&back).await;
    browser.set_cookie(SESSION, &format!("{session}x"));
    let (page, app) = (browser.get("/").await, format!("{:?}", local.stack.app));
    browser.set_cookie(SESSION, &session);
    let inside = browser.get("/").await;
    assert!(inside.says("You are Ana Reyes"), "{}", inside.text());
    let all = [written(), app, signed_in.html, spent.html, page.html, inside.html].concat();
    for secret in [CLIENT_SECRET, "s3cret", code, &flow, &session] {
        assert!(!all.contains(secret), "`{secret}` is in {all}");
    }
}
