//! The vault: where checkpoints of the audit trail are kept and signed, out of reach of whoever can write the tables.

#[cfg(feature = "vault")]
mod deployed;

use std::future::Future;

use base64::Engine;
use meshline_core::checkpoint::{ALGORITHM, Checkpoint, Envelope, PublicKey};
use meshline_core::day::Day;

use crate::error::StoreError;

#[cfg(feature = "vault")]
pub use deployed::DeployedVault;

/// A place that keeps one checkpoint a day, never to be changed, and a key that signs it.
pub trait Vault: Sync {
    /// The days that have a checkpoint, the first one first.
    ///
    /// # Errors
    /// The place cannot be read.
    fn days(&self) -> impl Future<Output = Result<Vec<Day>, StoreError>> + Send;

    /// The stored envelope of a day, byte for byte.
    ///
    /// # Errors
    /// The place cannot be read.
    fn read(&self, day: Day) -> impl Future<Output = Result<Option<String>, StoreError>> + Send;

    /// Keeps an envelope, if its day has none; `false` when it has one already.
    ///
    /// # Errors
    /// The place cannot be written.
    fn keep(&self, envelope: &Envelope) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Signs a checkpoint.
    ///
    /// # Errors
    /// The key cannot be used.
    fn sign(&self, checkpoint: &Checkpoint) -> impl Future<Output = Result<Signed, StoreError>> + Send;

    /// The key to verify with.
    ///
    /// # Errors
    /// The key cannot be read.
    fn public_key(&self) -> impl Future<Output = Result<PublicKey, StoreError>> + Send;
}

/// A signature, and the id of the key that made it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// The key.
    pub key: String,
    /// ECDSA on P-256 over SHA-256 of the checkpoint's canonical JSON, ASN.1 DER.
    pub signature: Vec<u8>,
}

/// The public key `key`, whose `SubjectPublicKeyInfo` is `der`.
pub fn public_key(key: String, der: &[u8]) -> PublicKey {
    let base64 = base64::engine::general_purpose::STANDARD.encode(der);
    let mut public_key_pem = "-----BEGIN PUBLIC KEY-----\n".to_owned();
    let mut rest = base64.as_str();
    while !rest.is_empty() {
        // RFC 7468: lines of 64 characters.
        let (line, after) = rest.split_at_checked(64).unwrap_or((rest, ""));
        public_key_pem += &format!("{line}\n");
        rest = after;
    }
    public_key_pem += "-----END PUBLIC KEY-----\n";
    PublicKey { key, algorithm: ALGORITHM.to_owned(), public_key_pem }
}
