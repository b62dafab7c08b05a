//! SigV4: signs requests to a deployed stack, service `execute-api`.

use std::time::{Duration, SystemTime};

use aws_config::{BehaviorVersion, Region};
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4::SigningParams;
use http::{HeaderMap, HeaderName, HeaderValue};
use meshline_core::time::Time;

use crate::failure::Failure;
use crate::target::Target;

/// The name that API Gateway is signed for.
const SERVICE: &str = "execute-api";

/// Signs requests as an AWS caller.
#[derive(Debug)]
pub(crate) struct Signer {
    credentials: SharedCredentialsProvider,
    region: String,
}

impl Signer {
    /// A signer for `target`, with the credentials that the environment and the AWS profile give.
    ///
    /// The region is the one that was asked for, else that of the host name, which is the only one that
    /// API Gateway takes there, else that of the environment or the profile.
    pub(crate) async fn from_env(target: &Target, region: Option<&str>) -> Result<Self, Failure> {
        let known = region.or_else(|| target.region()).map(str::to_owned);
        let loader = aws_config::defaults(BehaviorVersion::latest());
        let config = match &known {
            Some(region) => loader.region(Region::new(region.clone())).load().await,
            None => loader.load().await,
        };
        let region = known.or_else(|| config.region().map(ToString::to_string)).ok_or_else(|| {
            Failure::Usage("no AWS region to sign for: give `--region` or set AWS_REGION".to_owned())
        })?;
        let credentials = config.credentials_provider().ok_or_else(no_credentials)?;
        Ok(Self { credentials, region })
    }

    /// Adds the headers of the signature.
    pub(crate) async fn sign(
        &self,
        method: &str,
        url: &str,
        headers: &mut HeaderMap,
        body: &[u8],
        now: Time,
    ) -> Result<(), Failure> {
        let found = self.credentials.provide_credentials().await;
        let identity = found.map_err(|_| no_credentials())?.into();
        let since = Duration::from_millis(u64::try_from(now.unix_ms()).unwrap_or_default());
        let cannot =
            |error: &dyn std::error::Error| Failure::Usage(format!("cannot sign the request: {error}"));
        let params = SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name(SERVICE)
            .time(SystemTime::UNIX_EPOCH + since)
            .settings(SigningSettings::default())
            .build()
            .map_err(|error| cannot(&error))?
            .into();
        let pairs: Vec<(String, String)> = headers
            .iter()
            .filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned())))
            .collect();
        let pairs = pairs.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let request = SignableRequest::new(method, url, pairs, SignableBody::Bytes(body))
            .map_err(|error| cannot(&error))?;
        let (instructions, _) = sign(request, &params).map_err(|error| cannot(&error))?.into_parts();
        for (name, value) in instructions.headers() {
            let name: HeaderName = name.parse().map_err(|error| cannot(&error))?;
            headers.insert(name, HeaderValue::from_str(value).map_err(|error| cannot(&error))?);
        }
        Ok(())
    }
}

fn no_credentials() -> Failure {
    Failure::Usage(
        "no AWS credentials: set AWS_PROFILE or AWS_ACCESS_KEY_ID, or see `meshline --help`".to_owned(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_credential_types::Credentials;

    #[tokio::test]
    async fn a_request_is_signed_for_the_service_and_region_with_the_session_token() {
        let credentials = Credentials::new("AKIDEXAMPLE", "secret", Some("token".to_owned()), None, "test");
        let credentials = SharedCredentialsProvider::new(credentials);
        let signer = Signer { credentials, region: "eu-west-1".to_owned() };
        let mut headers = HeaderMap::new();
        headers.insert("idempotency-key", HeaderValue::from_static("k1"));
        let url =
            "https://a1.execute-api.eu-west-1.amazonaws.com/v1/subjects/contentful%3A5K/timeline?limit=2";
        let now = "2026-11-23T09:00:00Z".parse().unwrap();
        signer.sign("GET", url, &mut headers, b"", now).await.unwrap();
        assert_eq!(headers["x-amz-date"], "20261123T090000Z");
        assert_eq!(headers["x-amz-security-token"], "token");
        // The signature was computed independently, with botocore's SigV4Auth.
        insta::assert_snapshot!(headers["authorization"].to_str().unwrap(), @"AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261123/eu-west-1/execute-api/aws4_request, SignedHeaders=host;idempotency-key;x-amz-date;x-amz-security-token, Signature=5a057c17c38abe1625e658a3bd4d398b4bb7016c1fb40b43cd5dd66db8c0b792");
    }
}
