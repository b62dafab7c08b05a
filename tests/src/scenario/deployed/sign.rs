//! SigV4, as the HTTP API asks of people.

use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4::SigningParams;
use aws_smithy_types::body::SdkBody;
use http::HeaderValue;
use meshline_core::time::Time;
use serde::Deserialize;

/// The access key of a person.
#[derive(Debug, Deserialize)]
pub(super) struct Keys {
    id: String,
    secret: String,
}

impl Keys {
    /// Adds the signature's headers.
    pub(super) fn sign(&self, request: &mut http::Request<SdkBody>, region: &str, now: Time) {
        let identity = Credentials::new(&self.id, &self.secret, None, None, "tests").into();
        let since = Duration::from_millis(now.unix_ms().unsigned_abs());
        let params = SigningParams::builder()
            .identity(&identity)
            .region(region)
            .name("execute-api")
            .time(SystemTime::UNIX_EPOCH + since)
            .settings(SigningSettings::default())
            .build()
            .expect("all parameters are there")
            .into();
        let headers: Vec<(String, String)> = request
            .headers()
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_str().expect("text").to_owned()))
            .collect();
        let headers = headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let body = SignableBody::Bytes(request.body().bytes().unwrap_or_default());
        let (method, uri) = (request.method().to_string(), request.uri().to_string());
        let signable = SignableRequest::new(&method, &uri, headers, body).expect("a request");
        let (instructions, _) = sign(signable, &params).expect("it can be signed").into_parts();
        for (name, value) in instructions.headers() {
            let name: http::HeaderName = name.parse().expect("a header's name");
            request.headers_mut().insert(name, HeaderValue::from_str(value).expect("a header's value"));
        }
    }
}
