//! Events of API Gateway that the functions are handed without the gateway: addresses that are none, bodies that are no
//! base64, nobody who speaks for the caller.

use aws_lambda_events::apigw::{
    ApiGatewayRequestAuthorizer, ApiGatewayRequestAuthorizerIamDescription, ApiGatewayV2httpRequest,
};
use axum::http::{HeaderName, HeaderValue, Method};
use meshline_tests::Local;
use proptest::prelude::*;

use super::http::{Call, call, known};
use super::{Chance, cases, in_time, wild};

fn event(call: &Call, raw: Option<String>, is_base64: bool, is_vouched_for: bool) -> ApiGatewayV2httpRequest {
    let mut event = ApiGatewayV2httpRequest::default();
    event.raw_path = Some(raw.clone().unwrap_or_else(|| call.path.clone()));
    event.raw_query_string = Some(raw.unwrap_or_else(|| call.query.clone()));
    event.body = Some(String::from_utf8_lossy(&call.body).into_owned());
    event.is_base64_encoded = is_base64;
    event.request_context.http.method = Method::from_bytes(call.method.as_bytes()).unwrap();
    for (name, value) in &call.headers {
        event.headers.append(HeaderName::from_static(name), HeaderValue::from_bytes(value).unwrap());
    }
    if is_vouched_for {
        let mut authorizer = ApiGatewayRequestAuthorizer::default();
        authorizer.iam = Some(ApiGatewayRequestAuthorizerIamDescription::default());
        event.request_context.authorizer = Some(authorizer);
    }
    event
}

#[tokio::test]
async fn no_event_of_the_gateway_gets_a_5xx() {
    let local = Local::start().await;
    let known = known(&local).await;
    let mut chance = Chance::new();
    let raw = proptest::option::weighted(0.3, wild());
    let strategy = (call(&known), raw, any::<bool>(), prop::bool::weighted(0.8));
    for _ in 0..cases(100) {
        let (call, raw, is_base64, is_vouched_for) = chance.draw(&strategy);
        println!("{call:?} {raw:?} {is_base64} {is_vouched_for}");
        let event = event(&call, raw, is_base64, is_vouched_for);
        let (app, now) = (&local.stack.app, local.stack.clock.now());
        for answer in [
            in_time(meshline_ingest::handle(app, event.clone(), now)).await,
            in_time(meshline_report::handle(&local.stack.vault, event.clone())).await,
            in_time(meshline_ops_api::handle(app, event, now)).await,
        ] {
            assert!((200..500).contains(&answer.status_code), "{answer:?}");
        }
    }
}
