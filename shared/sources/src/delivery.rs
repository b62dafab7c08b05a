//! A delivery: one HTTP request as the sender made it.

use std::fmt;

use crate::proof::Unverified;

/// One HTTP request as the sender made it.
#[derive(Clone, Copy)]
pub struct Delivery<'a> {
    /// The method, in upper case: `POST`.
    pub method: &'a str,
    /// The full URL that the sender called, `scheme://public-host/path?query`, escapes untouched.
    pub url: &'a str,
    /// Header names in any case, and values. API Gateway joins the values of a repeated header with commas.
    pub headers: &'a [(String, String)],
    /// The raw bytes of the body, never re-encoded.
    pub body: &'a [u8],
}

impl fmt::Debug for Delivery<'_> {
    /// What can be printed: no value of a header, no query and no body, for a secret may be in each of them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let headers: Vec<&str> = self.headers.iter().map(|(name, _)| name.as_str()).collect();
        let path = self.target().split('?').next().unwrap_or_default();
        let mut shown = f.debug_struct("Delivery");
        shown.field("method", &self.method).field("path", &path);
        shown.field("headers", &headers).field("bytes", &self.body.len()).finish()
    }
}

impl<'a> Delivery<'a> {
    /// The value of the first header of that name, in any case, without surrounding white space.
    pub fn header(&self, name: &str) -> Option<&'a str> {
        self.all(name).next()
    }

    /// The value of the one header of that name.
    ///
    /// # Errors
    /// [`Unverified::MissingHeader`] when it is absent or empty, [`Unverified::RepeatedHeader`] when it is
    /// there twice.
    pub(crate) fn only(&self, name: &str) -> Result<&'a str, Unverified> {
        let value = self.at_most_one(name)?.filter(|value| !value.is_empty());
        value.ok_or_else(|| Unverified::MissingHeader(name.to_owned()))
    }

    /// The value of the header of that name, if it is there. One that is there twice is refused: which of
    /// the two was checked, and which is read later, must not be a matter of order.
    ///
    /// # Errors
    /// [`Unverified::RepeatedHeader`].
    pub(crate) fn at_most_one(&self, name: &str) -> Result<Option<&'a str>, Unverified> {
        let mut values = self.all(name);
        let first = values.next();
        if values.next().is_some() { Err(Unverified::RepeatedHeader(name.to_owned())) } else { Ok(first) }
    }

    fn all(&self, name: &str) -> impl Iterator<Item = &'a str> {
        let named = self.headers.iter().filter(move |(key, _)| key.trim().eq_ignore_ascii_case(name));
        named.map(|(_, value)| value.trim())
    }

    /// Path and query of the URL: what stands in an HTTP request line.
    pub(crate) fn target(&self) -> &'a str {
        let after_scheme = self.url.split_once("://").map_or(self.url, |(_, rest)| rest);
        let start = after_scheme.find('/');
        start.and_then(|at| after_scheme.get(at..)).unwrap_or("/")
    }
}
