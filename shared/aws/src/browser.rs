//! What browsers send and API Gateway hands on: forms, cookies, and which page a request comes from.

use crate::http::{self, Request, decode};

/// The fields of a form (`application/x-www-form-urlencoded`) in their order; none when the body is not text.
pub fn form(request: &Request) -> Vec<(String, String)> {
    let body = http::body(request).ok().and_then(|body| String::from_utf8(body).ok()).unwrap_or_default();
    let plain = |text: &str| decode(&text.replace('+', " "));
    let pairs = body.split('&').filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| (plain(name), plain(value))).collect()
}

/// The value of a cookie, as it was set.
pub fn cookie<'r>(request: &'r Request, name: &str) -> Option<&'r str> {
    let mut pairs = request.cookies.iter().flatten().filter_map(|pair| pair.split_once('='));
    pairs.find(|(found, _)| *found == name).map(|(_, value)| value)
}

/// Whether a request that is to change something comes from a page of `public_url`, or of the very host that it names: what
/// stands in front may call us by another name. What no browser sent says nothing of its origin and passes: it carries no
/// cookies that its sender does not know.
pub fn is_from_own_page(request: &Request, public_url: &str) -> bool {
    let site = http::header(request, "sec-fetch-site");
    let origin = http::header(request, "origin");
    let host = http::header(request, "host").unwrap_or_default();
    let of_host = |origin: &str| origin.split_once("://").is_some_and(|(_, found)| found == host);
    let own = |origin: &str| origin == public_url || of_host(origin);
    site.is_none_or(|site| site == "same-origin") && origin.is_none_or(own)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(headers: &[(&'static str, &'static str)]) -> Request {
        let mut request = Request::default();
        for (name, value) in headers {
            request.headers.insert(*name, value.parse().unwrap());
        }
        request
    }

    #[test]
    fn a_form_and_a_cookie_are_read() {
        let mut request = Request::default();
        request.body = Some("evidence=https%3A%2F%2Fdrive.example.com%2Fa+b&empty=&lone".to_owned());
        request.cookies = Some(vec!["a=1".to_owned(), "token=x=y".to_owned()]);
        let field = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(form(&request), [field("evidence", "https://drive.example.com/a b"), field("empty", "")]);
        assert_eq!(cookie(&request, "token"), Some("x=y"));
        assert_eq!(cookie(&request, "b"), None);
    }

    #[test]
    fn a_page_of_another_host_is_told_from_our_own() {
        let host = ("host", "meshline.example.com");
        for (own, headers) in [
            (true, vec![host]),
            (true, vec![host, ("origin", "https://meshline.example.com"), ("sec-fetch-site", "same-origin")]),
            (true, vec![("host", "api.example.net"), ("origin", "https://public.example.com")]),
            (false, vec![("host", "api.example.net"), ("origin", "https://meshline.example.com")]),
            (false, vec![host, ("sec-fetch-site", "cross-site")]),
            (false, vec![host, ("sec-fetch-site", "same-site")]),
            (false, vec![host, ("origin", "https://meshline.example.com.evil.example")]),
            (false, vec![host, ("origin", "null")]),
        ] {
            assert_eq!(
                is_from_own_page(&request(&headers), "https://public.example.com"),
                own,
                "{headers:?}"
            );
        }
    }
}
