//! Seals: what a browser keeps for us and cannot change.
//!
//! `<JSON>.<HMAC-SHA256>`, both base64url. The key is made of the client secret, so nothing is stored, and a new client secret
//! breaks every seal.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::Sha256;

/// A key for one purpose of one console.
pub(super) struct Seal {
    mac: Hmac<Sha256>,
}

impl Seal {
    /// The key that `secret` makes for `context`: one key for each, so that what was sealed for one is worth nothing for
    /// another. None where the secret is no key.
    pub(super) fn new(secret: &str, context: &[&str]) -> Option<Self> {
        let mut derived = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).ok()?;
        for part in context {
            derived.update(&(part.len() as u64).to_be_bytes());
            derived.update(part.as_bytes());
        }
        let mac = Hmac::new_from_slice(&derived.finalize().into_bytes()).ok()?;
        Some(Self { mac })
    }

    /// `value`, sealed.
    pub(super) fn close<T: Serialize>(&self, value: &T) -> Result<String, serde_json::Error> {
        let text = URL_SAFE_NO_PAD.encode(serde_json::to_vec(value)?);
        let tag = self.over(&text).finalize().into_bytes();
        Ok(format!("{text}.{}", URL_SAFE_NO_PAD.encode(tag)))
    }

    /// What was sealed, if nobody has touched it. Tags are compared in constant time.
    pub(super) fn open<T: DeserializeOwned>(&self, sealed: &str) -> Option<T> {
        let (text, tag) = sealed.split_once('.')?;
        self.over(text).verify_slice(&URL_SAFE_NO_PAD.decode(tag).ok()?).ok()?;
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).ok()?).ok()
    }

    fn over(&self, text: &str) -> Hmac<Sha256> {
        let mut mac = self.mac.clone();
        mac.update(text.as_bytes());
        mac
    }
}
