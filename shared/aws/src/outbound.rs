//! Outbound: one HTTP exchange with somebody else's system, with limits on time, size and where it may go.

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
use http::{HeaderMap, HeaderValue, Method, Request, Uri};

/// How long a connection may take to come about.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// As much of an answer as is read: enough for any that says something.
const MAX_ANSWER_BYTES: usize = 64 * 1024;

/// Makes exchanges.
#[derive(Debug)]
pub struct Outbound {
    secure: OnceLock<Connector>,
    plain: OnceLock<Connector>,
    timeout: Duration,
    allow_private: bool,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    /// Who answered.
    pub host: String,
    /// The HTTP status.
    pub status: u16,
    /// All headers.
    pub headers: HeaderMap,
    /// The first 64 KiB of the body, as text.
    pub body: String,
}

/// Why nothing came back.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unanswered {
    /// The address may not be called: somebody must mend it.
    #[error("{0}")]
    Forbidden(&'static str),
    /// It may work later.
    #[error("cannot reach {host}: {why}")]
    Unreachable {
        /// Who was called.
        host: String,
        /// What the network says.
        why: String,
    },
    /// It may work later.
    #[error("{host} did not answer within {timeout:?}")]
    Late {
        /// Who was called.
        host: String,
        /// How long it was given.
        timeout: Duration,
    },
}

impl Outbound {
    /// One that gives each exchange so much time, and reaches machines of its own network, also without TLS, only if
    /// that is allowed.
    pub fn new(timeout: Duration, allow_private: bool) -> Self {
        Self { secure: OnceLock::new(), plain: OnceLock::new(), timeout, allow_private }
    }

    /// One exchange. Redirects are not followed: who redirects could send us anywhere.
    ///
    /// # Errors
    /// Nothing came back, or the address may not be called.
    pub async fn exchange(
        &self,
        method: Method,
        url: &str,
        headers: HeaderMap,
        body: String,
    ) -> Result<Answer, Unanswered> {
        let uri = self.checked(url)?;
        let host = uri.host().unwrap_or_default().to_owned();
        let connector = if uri.scheme_str() == Some("http") { self.plain() } else { self.secure() };
        let answer = tokio::time::timeout(self.timeout, call(connector, request(method, uri, headers, body)));
        match answer.await {
            Ok(Ok((status, headers, body))) => Ok(Answer { host, status, headers, body }),
            Ok(Err(why)) => Err(Unanswered::Unreachable { host, why }),
            Err(_) => Err(Unanswered::Late { host, timeout: self.timeout }),
        }
    }

    /// Built when first used: it reads the root certificates.
    fn secure(&self) -> &Connector {
        self.secure.get_or_init(|| {
            let builder = connector().tls_provider(Provider::Rustls(CryptoMode::AwsLc));
            builder.build_with_resolver(Resolver { allow_private: self.allow_private })
        })
    }

    fn plain(&self) -> &Connector {
        self.plain.get_or_init(|| connector().build_http())
    }

    /// An address that may be called.
    fn checked(&self, url: &str) -> Result<Uri, Unanswered> {
        let forbidden = Unanswered::Forbidden;
        let uri: Uri = url.parse().map_err(|_| forbidden("it is no URL"))?;
        let authority = uri.authority().ok_or(forbidden("it has no host"))?;
        if authority.as_str().contains('@') {
            return Err(forbidden("it has a user name: put credentials into a secret"));
        }
        match uri.scheme_str() {
            Some("https") => {}
            Some("http") if self.allow_private => {}
            Some(_) | None => return Err(forbidden("it does not begin with `https://`")),
        }
        let host = authority.host().trim_matches(['[', ']']);
        if !self.allow_private && host.parse::<IpAddr>().is_ok_and(|ip| !is_public(ip)) {
            return Err(forbidden("it is a private address (MESHLINE_ALLOW_PRIVATE)"));
        }
        Ok(uri)
    }
}

fn connector() -> ConnectorBuilder {
    let settings = HttpConnectorSettings::builder().connect_timeout(CONNECT_TIMEOUT).build();
    Connector::builder().connector_settings(settings).proxy_config(ProxyConfig::disabled())
}

fn request(method: Method, uri: Uri, mut headers: HeaderMap, body: String) -> Request<SdkBody> {
    headers.insert("user-agent", HeaderValue::from_static(concat!("meshline/", env!("CARGO_PKG_VERSION"))));
    headers.insert("accept", HeaderValue::from_static("application/json"));
    let mut request = Request::new(SdkBody::from(body));
    *request.method_mut() = method;
    *request.uri_mut() = uri;
    *request.headers_mut() = headers;
    request
}

async fn call(connector: &Connector, request: Request<SdkBody>) -> Result<(u16, HeaderMap, String), String> {
    let request = request.try_into().map_err(|error| format!("{error}"))?;
    let response = connector.call(request).await.map_err(|error| innermost(&error))?;
    let (parts, body) = response.try_into_http1x().map_err(|error| innermost(&error))?.into_parts();
    let mut stream = ByteStream::new(body);
    let mut body = Vec::new();
    while let Some(chunk) = stream.next().await {
        body.extend_from_slice(&chunk.map_err(|error| innermost(&error))?);
        if body.len() > MAX_ANSWER_BYTES {
            body.truncate(MAX_ANSWER_BYTES);
            break;
        }
    }
    Ok((parts.status.as_u16(), parts.headers, String::from_utf8_lossy(&body).into_owned()))
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
        let outbound = Outbound::new(Duration::from_secs(5), false);
        let exchange = outbound.exchange(Method::GET, url, HeaderMap::new(), String::new());
        exchange.await.unwrap_err().to_string()
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
        // Addresses to some resolvers: decimal, hexadecimal, octal, short. TLS takes most of them for no name at all.
        for host in ["2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "127.1", "LOCALHOST", "2852039166"] {
            let why = refused(&format!("https://{host}/")).await;
            let is_closed = why.contains("is in a private network") || why.contains("invalid dns name");
            assert!(is_closed, "{host}: {why}");
        }
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
}
