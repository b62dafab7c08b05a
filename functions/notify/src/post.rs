//! Posting: one HTTP call to somebody else's system, with limits on time, size and where it may go.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::OnceLock;
use std::time::Duration;

use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_http_client::{Connector, ConnectorBuilder};
use aws_smithy_runtime_api::client::dns::{DnsFuture, ResolveDns, ResolveDnsError};
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorSettings};
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use http::{HeaderMap, HeaderName, HeaderValue, Uri};
use meshline_core::time::Span;

/// How long a connection may take to come about.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// As much of an answer as is read: enough for any that says something.
const MAX_ANSWER_BYTES: usize = 64 * 1024;
/// As much of an answer as a record shows.
const MAX_SHOWN: usize = 200;
/// A receiver that asks for more patience than this is asked again earlier.
const MAX_RETRY_AFTER: Span = Span::minutes(15);

/// Sends requests out.
#[derive(Debug)]
pub(crate) struct Poster {
    secure: OnceLock<Connector>,
    plain: Connector,
    timeout: Duration,
    allow_private: bool,
}

/// A request to be sent.
#[derive(Debug)]
pub(crate) struct Call {
    /// `POST` or `GET`.
    pub(crate) method: http::Method,
    /// Where to.
    pub(crate) url: String,
    /// With these headers; JSON is declared by itself.
    pub(crate) headers: Vec<(&'static str, String)>,
    /// What.
    pub(crate) body: String,
}

/// Why something was not delivered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Trouble {
    /// It may work later: at once on the next attempt, or after the time that the receiver asked for.
    #[error("{why}")]
    Later {
        /// What happened.
        why: String,
        /// How long the receiver asked to wait.
        after: Option<Span>,
    },
    /// It will not work, however often it is tried.
    #[error("{why}")]
    Refused {
        /// What happened.
        why: String,
        /// The status of the answer, if there was one.
        status: Option<u16>,
    },
}

impl Trouble {
    pub(crate) fn later(why: impl Into<String>) -> Self {
        Self::Later { why: why.into(), after: None }
    }

    pub(crate) fn refused(why: impl Into<String>) -> Self {
        Self::Refused { why: why.into(), status: None }
    }
}

impl Call {
    /// A `POST` of JSON.
    pub(crate) fn post(url: impl Into<String>, headers: Vec<(&'static str, String)>, body: String) -> Self {
        Self { method: http::Method::POST, url: url.into(), headers, body }
    }
}

impl Poster {
    /// A poster that gives each call so much time, and reaches machines of its own network only if that is allowed.
    pub(crate) fn new(timeout: Duration, allow_private: bool) -> Self {
        Self { secure: OnceLock::new(), plain: connector().build_http(), timeout, allow_private }
    }

    /// Built when first used: it reads the root certificates.
    fn secure(&self) -> &Connector {
        self.secure.get_or_init(|| {
            let builder = connector().tls_provider(Provider::Rustls(CryptoMode::AwsLc));
            builder.build_with_resolver(Resolver { allow_private: self.allow_private })
        })
    }

    /// Makes the call; gives the body of a 2xx answer.
    pub(crate) async fn send(&self, call: Call) -> Result<String, Trouble> {
        let uri = self.checked(&call.url)?;
        let host = uri.host().unwrap_or_default().to_owned();
        let connector = if uri.scheme_str() == Some("http") { &self.plain } else { self.secure() };
        let request = request(call, uri)?;
        let answer = tokio::time::timeout(self.timeout, exchange(connector, request)).await;
        let answer =
            answer.map_err(|_| Trouble::later(format!("{host} did not answer within {:?}", self.timeout)))?;
        judge(&host, answer.map_err(|why| Trouble::later(format!("cannot reach {host}: {why}")))?)
    }

    /// An address that may be called.
    fn checked(&self, url: &str) -> Result<Uri, Trouble> {
        let refused = |why: &str| Trouble::refused(format!("the channel's address cannot be called: {why}"));
        let uri: Uri = url.parse().map_err(|_| refused("it is no URL"))?;
        let authority = uri.authority().ok_or_else(|| refused("it has no host"))?;
        if authority.as_str().contains('@') {
            return Err(refused("it has a user name: put credentials into a secret"));
        }
        match uri.scheme_str() {
            Some("https") => {}
            Some("http") if self.allow_private => {}
            Some(_) | None => return Err(refused("it does not begin with `https://`")),
        }
        let host = authority.host().trim_matches(['[', ']']);
        if !self.allow_private && host.parse::<IpAddr>().is_ok_and(|ip| !is_public(ip)) {
            return Err(refused("it is a private address (MESHLINE_ALLOW_PRIVATE)"));
        }
        Ok(uri)
    }
}

fn connector() -> ConnectorBuilder {
    let settings = HttpConnectorSettings::builder().connect_timeout(CONNECT_TIMEOUT).build();
    Connector::builder().connector_settings(settings).proxy_config(ProxyConfig::disabled())
}

/// What came back.
struct Answer {
    status: u16,
    retry_after: Option<Span>,
    body: String,
}

fn request(call: Call, uri: Uri) -> Result<http::Request<SdkBody>, Trouble> {
    let mut headers = HeaderMap::new();
    headers.insert("user-agent", HeaderValue::from_static(concat!("meshline/", env!("CARGO_PKG_VERSION"))));
    headers.insert("accept", HeaderValue::from_static("application/json"));
    if !call.body.is_empty() {
        headers.insert("content-type", HeaderValue::from_static("application/json"));
    }
    for (name, value) in &call.headers {
        let unusable =
            |_| Trouble::refused(format!("the value of `{name}` has a character that no header may have"));
        headers.insert(HeaderName::from_static(name), HeaderValue::from_str(value).map_err(unusable)?);
    }
    let mut request = http::Request::new(SdkBody::from(call.body));
    *request.method_mut() = call.method;
    *request.uri_mut() = uri;
    *request.headers_mut() = headers;
    Ok(request)
}

/// One exchange. Redirects are not followed: who redirects could send us anywhere.
async fn exchange(connector: &Connector, request: http::Request<SdkBody>) -> Result<Answer, String> {
    let request = request.try_into().map_err(|error| format!("{error}"))?;
    let mut response = connector.call(request).await.map_err(|error| innermost(&error))?;
    let status = response.status().as_u16();
    let retry_after = response.headers().get("retry-after").and_then(seconds);
    let mut stream = ByteStream::new(response.take_body());
    let mut body = Vec::new();
    while let Some(chunk) = stream.next().await {
        body.extend_from_slice(&chunk.map_err(|error| innermost(&error))?);
        if body.len() > MAX_ANSWER_BYTES {
            body.truncate(MAX_ANSWER_BYTES);
            break;
        }
    }
    Ok(Answer { status, retry_after, body: String::from_utf8_lossy(&body).into_owned() })
}

/// `Retry-After` in seconds; a date is what nobody asks of a machine.
fn seconds(value: &str) -> Option<Span> {
    let seconds: i64 = value.trim().parse().ok()?;
    Some(Span::from_ms(seconds.clamp(0, MAX_RETRY_AFTER.ms() / 1_000) * 1_000))
}

/// What an answer means, by RFC 9110 section 15.
fn judge(host: &str, answer: Answer) -> Result<String, Trouble> {
    let Answer { status, retry_after, body } = answer;
    let shown: String = body.chars().filter(|c| !c.is_control()).take(MAX_SHOWN).collect();
    match status {
        200..=299 => Ok(body),
        300..=399 => {
            Err(Trouble::refused(format!("{host} answered {status}: it redirects, write the final address")))
        }
        408 | 425 | 429 | 500..=599 => {
            Err(Trouble::Later { why: format!("{host} answered {status}: {shown}"), after: retry_after })
        }
        _ => {
            Err(Trouble::Refused { why: format!("{host} answered {status}: {shown}"), status: Some(status) })
        }
    }
}

/// The innermost cause says it best.
fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

/// Resolves names, and hides what is not public: a name that points into our own network must lead nowhere, also
/// when it points there only at the second look.
#[derive(Debug, Clone)]
struct Resolver {
    allow_private: bool,
}

impl ResolveDns for Resolver {
    fn resolve_dns<'a>(&'a self, name: &'a str) -> DnsFuture<'a> {
        DnsFuture::new(async move {
            let found = tokio::net::lookup_host((name, 0)).await.map_err(ResolveDnsError::new)?;
            let all: Vec<IpAddr> = found.map(|address| address.ip()).collect();
            if self.allow_private || all.iter().all(|ip| is_public(*ip)) {
                return Ok(all);
            }
            let private = format!("`{name}` is in a private network (MESHLINE_ALLOW_PRIVATE)");
            Err(ResolveDnsError::new(std::io::Error::other(private)))
        })
    }
}

/// Whether an address belongs to the public internet: the registries of
/// <https://www.iana.org/assignments/iana-ipv4-special-registry> and its IPv6 sister.
fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    let shared = a == 100 && (64..128).contains(&b);
    let benchmark = a == 198 && (b == 18 || b == 19);
    let protocol = a == 192 && b == 0 && c == 0;
    !(a == 0
        || a >= 224
        || ip.is_private()
        || ip.is_loopback()
        || ip.is_link_local()
        || ip.is_documentation()
        || shared
        || benchmark
        || protocol)
}

fn is_public_v6(ip: Ipv6Addr) -> bool {
    let [a, b, ..] = ip.segments();
    // Global unicast is 2000::/3; in it 2001::/23 (with Teredo), 2001:db8::/32 and 2002::/16 (6to4) lead elsewhere.
    let elsewhere = a == 0x2001 && (b < 0x200 || b == 0xdb8) || a == 0x2002;
    (0x2000..0x4000).contains(&a) && !elsewhere
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What becomes of a call to `url` where private networks are closed. None of these gets as far as a network.
    async fn refused(url: &str) -> String {
        let poster = Poster::new(Duration::from_secs(5), false);
        poster.send(Call::post(url, Vec::new(), "{}".to_owned())).await.unwrap_err().to_string()
    }

    #[tokio::test]
    async fn no_address_leads_into_a_private_network() {
        let private = [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.0.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "224.0.0.1",
            "255.255.255.255",
            "198.18.0.1",
            "192.0.0.1",
            "[::1]",
            "[::]",
            "[fe80::1]",
            "[fd00:ec2::254]",
            "[::ffff:169.254.169.254]",
            "[64:ff9b::a9fe:a9fe]",
            "[2002:a9fe:a9fe::1]",
        ];
        for host in private {
            let why = refused(&format!("https://{host}/latest/meta-data")).await;
            assert!(why.contains("private"), "{host}: {why}");
        }
    }

    #[tokio::test]
    async fn no_name_leads_there_either() {
        let why = refused("https://localhost/").await;
        assert!(why.contains("`localhost` is in a private network"), "{why}");
    }

    #[tokio::test]
    async fn an_address_is_secure_and_has_no_credentials() {
        for (url, says) in [
            ("http://hooks.example.com/", "`https://`"),
            ("ftp://hooks.example.com/", "`https://`"),
            ("https://user:secret@hooks.example.com/", "user name"),
            ("hooks", "`https://`"),
            ("https://", "no URL"),
        ] {
            let why = refused(url).await;
            assert!(why.contains(says) && !why.contains("secret@"), "{url}: {why}");
        }
    }

    #[test]
    fn public_addresses_are_public() {
        for ip in ["1.1.1.1", "52.95.110.1", "100.128.0.1", "172.32.0.1", "2606:4700::1111", "2a05:d018::1"] {
            assert!(is_public(ip.parse().unwrap()), "{ip}");
        }
    }

    #[test]
    fn a_receiver_is_given_as_long_as_it_asks_but_not_for_ever() {
        assert_eq!(seconds("120"), Some(Span::minutes(2)));
        assert_eq!(seconds("86400"), Some(MAX_RETRY_AFTER));
        assert_eq!(seconds("-1"), Some(Span::from_ms(0)));
        assert_eq!(seconds("Wed, 21 Oct 2026 07:28:00 GMT"), None);
    }
}
