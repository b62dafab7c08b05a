//! One delivery to a source of any provider: nothing panics, what is not signed with its secret is not believed, and what
//! is read keeps to the limits.
//!
//! The input: a byte that chooses the provider, then the request: the address, headers, an empty line, the body.

#![no_main]

use libfuzzer_sys::fuzz_target;
use meshline_core::config::source::{Provider, Source};
use meshline_core::time::Time;
use meshline_sources::{Delivery, MAX_EVENTS, greeting, normalise, verify};
use serde_json::json;

fuzz_target!(|data: &[u8]| {
    let Some((which, request)) = data.split_first() else { return };
    let provider = Provider::ALL[usize::from(*which) % Provider::ALL.len()];
    let document = match provider {
        Provider::Generic => json!({"id": "s", "provider": provider, "secrets": ["s"], "subject": "x:${data.id}",
            "verify": {"scheme": "hmac-sha256", "header": "x-sig", "prefix": "sha256="}}),
        _ => json!({"id": "s", "provider": provider, "secrets": ["s"]}),
    };
    let source: Source = serde_json::from_value(document).expect("a source");
    let end = request.windows(2).position(|two| two == b"\n\n").unwrap_or(request.len());
    let head = String::from_utf8_lossy(&request[..end]);
    let body = request.get(end + 2..).unwrap_or_default();
    let mut lines = head.lines();
    let url = lines.next().unwrap_or_default();
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
        .collect();
    let delivery = Delivery { method: "POST", url, headers: &headers, body };
    let now = Time::from_unix_ms(1_772_450_000_000);
    let secret = "a secret that no input has in it: 6f1d0c".to_owned();
    greeting(&source, &[secret.clone()], &delivery, now);
    assert!(verify(&source, &[secret], &delivery, now).is_err());
    if let Ok(read) = normalise(&source, &delivery, now) {
        assert!(read.events.len() + read.unreadable.len() <= MAX_EVENTS);
        for event in read.events {
            assert!(!event.subject.is_empty() && event.subject.len() <= 512);
            assert!(!event.id.is_empty() && event.id.len() <= 256);
            assert!(!event.kind.is_empty() && event.kind.len() <= 256);
        }
    }
});
