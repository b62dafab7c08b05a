//! A target: the Meshline that is called, on this machine or deployed.

use std::net::IpAddr;

use http::Uri;

use crate::failure::Failure;

/// The base address of a Meshline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    /// `https://abc.execute-api.eu-west-1.amazonaws.com`, without a slash at the end.
    base: String,
    scheme_is_http: bool,
    host: String,
}

impl Target {
    /// Reads `text`.
    ///
    /// # Errors
    /// It is no http(s) URL, or would be called in clear over a network.
    pub(crate) fn parse(text: &str) -> Result<Self, Failure> {
        let bad = |reason: &str| Failure::Usage(format!("`{text}` is not where a Meshline can be: {reason}"));
        let uri: Uri = text.parse().map_err(|_| bad("write a URL, like `http://127.0.0.1:8080`"))?;
        let scheme_is_http = match uri.scheme_str() {
            Some("http") => true,
            Some("https") => false,
            Some(_) | None => return Err(bad("it must begin with `http://` or `https://`")),
        };
        let host = uri.host().unwrap_or_default().trim_matches(['[', ']']).to_ascii_lowercase();
        if host.is_empty()
            || uri.query().is_some()
            || uri.authority().is_some_and(|it| it.as_str().contains('@'))
        {
            return Err(bad("write scheme, host and, where needed, port and path"));
        }
        let target = Self { base: text.trim_end_matches('/').to_owned(), scheme_is_http, host };
        if scheme_is_http && !target.is_loopback() {
            return Err(bad("beyond this machine it must begin with `https://`"));
        }
        Ok(target)
    }

    /// The base address, without a slash at the end.
    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    /// Whether it is called without TLS.
    pub(crate) fn is_plain(&self) -> bool {
        self.scheme_is_http
    }

    /// Whether it is on this machine.
    pub(crate) fn is_loopback(&self) -> bool {
        let name = self.host.trim_end_matches('.');
        name == "localhost"
            || name.ends_with(".localhost")
            || self.host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
    }

    /// The region in an API Gateway host name, `<id>.execute-api.<region>.amazonaws.com`.
    pub(crate) fn region(&self) -> Option<&str> {
        let host = self.host.strip_suffix(".cn").unwrap_or(&self.host);
        let host = host.strip_suffix(".amazonaws.com")?;
        let mut labels = host.split('.').skip_while(|label| *label != "execute-api");
        labels.nth(1)
    }
}

/// A path of `segments`, each percent-encoded: `/v1/subjects/contentful%3A5K`.
pub(crate) fn path(segments: &[&str]) -> String {
    segments.iter().map(|segment| format!("/{}", encode(segment))).collect()
}

/// A query of the pairs that have a value, percent-encoded, with its question mark; else nothing.
pub(crate) fn query(pairs: &[(&str, Option<&str>)]) -> String {
    let pairs: Vec<String> = pairs
        .iter()
        .filter_map(|(name, value)| Some(format!("{}={}", encode(name), encode((*value)?))))
        .collect();
    if pairs.is_empty() { String::new() } else { format!("?{}", pairs.join("&")) }
}

/// Percent-encodes all but the unreserved characters of RFC 3986.
fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(char::from(byte));
            }
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_is_told_from_others() {
        for url in
            ["http://127.0.0.1:8080", "http://localhost:1/", "http://[::1]:8080", "https://a.localhost"]
        {
            assert!(Target::parse(url).unwrap().is_loopback(), "{url}");
        }
        for url in ["https://api.example.com", "https://127.0.0.1.example.com", "https://10.0.0.1"] {
            assert!(!Target::parse(url).unwrap().is_loopback(), "{url}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for url in [
            "",
            "127.0.0.1:8080",
            "ftp://localhost",
            "http://",
            "http://api.example.com",
            "https://u:p@x.com",
        ] {
            assert!(matches!(Target::parse(url), Err(Failure::Usage(_))), "{url}");
        }
    }

    #[test]
    fn the_region_is_in_the_host_name() {
        let region = |url: &str| Target::parse(url).unwrap().region().map(str::to_owned);
        assert_eq!(
            region("https://a1b2.execute-api.eu-west-1.amazonaws.com/prod/").as_deref(),
            Some("eu-west-1")
        );
        assert_eq!(
            region("https://a1.execute-api.cn-north-1.amazonaws.com.cn").as_deref(),
            Some("cn-north-1")
        );
        assert_eq!(
            region("https://a1-vpce-0f.execute-api.us-east-1.vpce.amazonaws.com").as_deref(),
            Some("us-east-1")
        );
        assert_eq!(region("https://execute-api.amazonaws.com"), None);
        assert_eq!(region("https://meshline.example.com"), None);
        assert_eq!(region("http://127.0.0.1:8080"), None);
    }

    #[test]
    fn addresses_are_encoded() {
        assert_eq!(
            path(&["v1", "subjects", "contentful:5K/é", "timeline"]),
            "/v1/subjects/contentful%3A5K%2F%C3%A9/timeline"
        );
        assert_eq!(query(&[("flow", Some("a b")), ("owner", None)]), "?flow=a%20b");
        assert_eq!(query(&[("owner", None)]), "");
    }
}
