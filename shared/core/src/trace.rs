//! A trace: everything that follows from one webhook, across systems.

use std::fmt;
use std::num::{NonZeroU64, NonZeroU128};
use std::str::FromStr;

use sha2::{Digest, Sha256};

use crate::time::text_serde;

/// The id of a trace, never zero. As text 32 hexadecimal characters, lower case.
/// <https://www.w3.org/TR/trace-context/#trace-id>
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TraceId(NonZeroU128);

/// One step of a trace. Its text is the value of a `traceparent` header, version 00, sampled.
/// <https://www.w3.org/TR/trace-context/#traceparent-header>
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceParent {
    /// The trace.
    pub trace: TraceId,
    /// The step within it.
    span: NonZeroU64,
}

/// A text that is no trace id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a trace id: write 32 hexadecimal characters in lower case, not all of them 0")]
pub struct TraceIdError(String);

impl TraceId {
    /// The trace that a request belongs to: of its `traceparent`, else of its `x-amzn-trace-id`. A header that is not
    /// as its standard says counts as absent.
    pub fn of_request<'h>(header: impl Fn(&str) -> Option<&'h str>) -> Option<Self> {
        let w3c = header("traceparent").and_then(of_traceparent);
        w3c.or_else(|| header("x-amzn-trace-id").and_then(of_xray))
    }

    /// The trace that begins with what `key` names: the same for the same key.
    pub fn derived(key: &str) -> Self {
        let digest = Sha256::digest(key.as_bytes());
        let bits = digest.iter().take(16).fold(0, |bits, byte| bits << 8 | u128::from(*byte));
        Self(NonZeroU128::new(bits).unwrap_or(NonZeroU128::MIN))
    }
}

impl TraceParent {
    /// The step of `trace` that `key` names: the same for the same key.
    pub fn derived(trace: TraceId, key: &str) -> Self {
        let digest = Sha256::digest(key.as_bytes());
        let bits = digest.iter().take(8).fold(0, |bits, byte| bits << 8 | u64::from(*byte));
        Self { trace, span: NonZeroU64::new(bits).unwrap_or(NonZeroU64::MIN) }
    }

    /// The value of an `X-Amzn-Trace-Id` header.
    /// <https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader>
    pub fn xray(self) -> String {
        let bits = self.trace.0.get();
        let (epoch, rest) = (bits >> 96, bits & (u128::MAX >> 32));
        format!("Root=1-{epoch:08x}-{rest:024x};Parent={:016x};Sampled=1", self.span)
    }
}

/// `00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01`. A higher version may have more fields at the end.
fn of_traceparent(header: &str) -> Option<TraceId> {
    let mut fields = header.split('-');
    let (version, trace) = (fields.next()?, fields.next()?);
    let (parent, flags) = (fields.next()?, fields.next()?);
    let known = is_hex(version, 2) && version != "ff" && (version != "00" || fields.next().is_none());
    let whole = is_hex(parent, 16) && parent.bytes().any(|byte| byte != b'0') && is_hex(flags, 2);
    (known && whole).then(|| trace.parse().ok())?
}

/// `Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1`, fields in any order.
fn of_xray(header: &str) -> Option<TraceId> {
    let root = header.split(';').find_map(|field| field.trim().strip_prefix("Root=1-"))?;
    let (epoch, rest) = root.split_once('-')?;
    (epoch.len() == 8).then(|| format!("{epoch}{rest}").parse().ok())?
}

fn is_hex(text: &str, len: usize) -> bool {
    text.len() == len && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl FromStr for TraceId {
    type Err = TraceIdError;
    fn from_str(text: &str) -> Result<Self, TraceIdError> {
        let bits = is_hex(text, 32).then(|| u128::from_str_radix(text, 16).ok()).flatten();
        bits.and_then(NonZeroU128::new).map(Self).ok_or_else(|| TraceIdError(text.to_owned()))
    }
}

text_serde!(
    TraceId,
    "a trace id of 32 hexadecimal characters",
    "^[0-9a-f]{32}$",
    ["4bf92f3577b34da6a3ce929d0e0e4736"]
);

impl fmt::Display for TraceParent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{}-{:016x}-01", self.trace, self.span)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    const PARENT: &str = "00f067aa0ba902b7";

    fn of(headers: &[(&str, &str)]) -> Option<String> {
        let find = |name: &str| headers.iter().find(|(n, _)| *n == name).map(|(_, value)| *value);
        TraceId::of_request(find).map(|trace| trace.to_string())
    }

    #[test]
    fn a_traceparent_is_taken_as_the_standard_says() {
        for valid in [
            format!("00-{TRACE}-{PARENT}-01"),
            format!("00-{TRACE}-{PARENT}-00"),
            format!("cc-{TRACE}-{PARENT}-01"),
            format!("cc-{TRACE}-{PARENT}-01-what-the-future-will-be-like"),
        ] {
            assert_eq!(of(&[("traceparent", &valid)]).as_deref(), Some(TRACE), "{valid}");
        }
        let zeros = "0".repeat(32);
        for invalid in [
            String::new(),
            TRACE.to_owned(),
            format!("ff-{TRACE}-{PARENT}-01"),
            format!("0-{TRACE}-{PARENT}-01"),
            format!("00-{TRACE}-{PARENT}-01-more"),
            format!("00-{TRACE}-{PARENT}"),
            format!("00-{TRACE}-{PARENT}-1"),
            format!("00-{zeros}-{PARENT}-01"),
            format!("00-{TRACE}-0000000000000000-01"),
            format!("00-{}-{PARENT}-01", TRACE.to_uppercase()),
            format!("00-{TRACE}-{PARENT}-01,00-{TRACE}-{PARENT}-01"),
            format!("00-+{}-{PARENT}-01", &TRACE[1..]),
            format!(" 00-{TRACE}-{PARENT}-01"),
        ] {
            assert_eq!(of(&[("traceparent", &invalid)]), None, "{invalid}");
        }
    }

    #[test]
    fn the_root_of_an_amazon_header_stands_in_for_a_traceparent_that_is_no_good() {
        let root = (
            "x-amzn-trace-id",
            "Self=1-67891234-aaaaaaaaaaaaaaaaaaaaaaaa;Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1",
        );
        assert_eq!(of(&[root]).as_deref(), Some("5759e988bd862e3fe1be46a994272793"));
        assert_eq!(of(&[root, ("traceparent", "00-x")]).as_deref(), Some("5759e988bd862e3fe1be46a994272793"));
        let w3c = format!("00-{TRACE}-{PARENT}-01");
        assert_eq!(of(&[root, ("traceparent", &w3c)]).as_deref(), Some(TRACE));
        for invalid in [
            "",
            "Root=",
            "Root=1-5759e988bd862e3fe1be46a994272793",
            "Root=1-5759e988bd-862e3fe1be46a994272793",
        ] {
            assert_eq!(of(&[("x-amzn-trace-id", invalid)]), None, "{invalid}");
        }
    }

    #[test]
    fn a_step_has_both_forms() {
        let step = TraceParent::derived(TRACE.parse().unwrap(), "run:1");
        let w3c = step.to_string();
        assert!(w3c.starts_with(&format!("00-{TRACE}-")) && w3c.ends_with("-01"), "{w3c}");
        assert_eq!(of(&[("traceparent", &w3c)]).as_deref(), Some(TRACE));
        assert_eq!(of(&[("x-amzn-trace-id", &step.xray())]).as_deref(), Some(TRACE));
        assert_eq!(step, TraceParent::derived(step.trace, "run:1"));
        assert_ne!(step, TraceParent::derived(step.trace, "run:2"));
    }

    proptest! {
        #[test]
        fn any_header_is_a_trace_id_or_nothing(text in ".{0,80}", root in "(Root=)?1-[0-9a-f]{0,9}-[0-9a-f]{0,25}") {
            for header in [("traceparent", text.as_str()), ("x-amzn-trace-id", &text), ("x-amzn-trace-id", &root)] {
                if let Some(trace) = of(&[header]) {
                    prop_assert_eq!(trace.parse::<TraceId>().unwrap().to_string(), trace);
                }
            }
        }
    }
}
