//! Public keys that checkpoints are verified with.

use std::fs;
use std::path::Path;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1, ParsedPublicKey};
use base64::Engine;

use crate::failure::Failure;

const BEGIN: &str = "-----BEGIN PUBLIC KEY-----";
const END: &str = "-----END PUBLIC KEY-----";

/// One key, or several: after a key was replaced, checkpoints of both are to be believed.
#[derive(Debug)]
pub(crate) struct Keys {
    keys: Vec<ParsedPublicKey>,
    /// SHA-256 of each key's `SubjectPublicKeyInfo`, hexadecimal.
    pub(crate) fingerprints: Vec<String>,
    /// Whether somebody chose them; else they are what the stack says that its key is.
    pub(crate) are_pinned: bool,
}

impl Keys {
    /// The keys that somebody keeps in a file.
    pub(crate) fn pinned(file: &Path) -> Result<Self, Failure> {
        let text = fs::read_to_string(file)
            .map_err(|error| Failure::Usage(format!("cannot read `{}`: {error}", file.display())))?;
        let keys = Self::read(&text, true);
        keys.map_err(|reason| Failure::Usage(format!("`{}`: {reason}", file.display())))
    }

    /// The key that the stack, or an export of it, says it has.
    pub(crate) fn claimed(pem: &str) -> Result<Self, Failure> {
        Self::read(pem, false).map_err(|reason| Failure::Unreadable { what: "the public key", reason })
    }

    fn read(pem: &str, are_pinned: bool) -> Result<Self, String> {
        let (mut keys, mut fingerprints) = (Vec::new(), Vec::new());
        for block in pem.split(BEGIN).skip(1) {
            let (base64, _) = block.split_once(END).ok_or("a public key has no end")?;
            let base64: String = base64.split_whitespace().collect();
            let der = base64::engine::general_purpose::STANDARD.decode(base64);
            let der = der.map_err(|error| format!("a public key is not base64: {error}"))?;
            let key = ParsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, &der);
            keys.push(key.map_err(|_| "a public key is not one of ECDSA on P-256")?);
            let fingerprint = digest(&SHA256, &der);
            fingerprints.push(fingerprint.as_ref().iter().map(|byte| format!("{byte:02x}")).collect());
        }
        if keys.is_empty() {
            return Err(format!("there is no public key: it begins with `{BEGIN}`"));
        }
        Ok(Self { keys, fingerprints, are_pinned })
    }

    /// Whether one of the keys made this signature over these bytes.
    pub(crate) fn signed(&self, bytes: &[u8], signature: &[u8]) -> bool {
        self.keys.iter().any(|key| key.verify_sig(bytes, signature).is_ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made with `openssl ecparam -genkey -name prime256v1`, and signed with `openssl dgst -sha256 -sign`.
    const PEM: &str = include_str!("../../tests/fixtures/openssl.pem");
    const SIGNATURE: &str = include_str!("../../tests/fixtures/openssl.sig.base64");

    #[test]
    fn a_signature_by_openssl_fits_its_key_and_its_bytes_only() {
        let keys = Keys::claimed(PEM).unwrap();
        let signature = base64::engine::general_purpose::STANDARD.decode(SIGNATURE.trim()).unwrap();
        assert!(keys.signed(b"a checkpoint", &signature));
        assert!(!keys.signed(b"another", &signature));
        assert!(!keys.signed(b"a checkpoint", b""));
        // openssl pkey -pubin -in openssl.pem -outform DER | sha256sum
        assert_eq!(keys.fingerprints, ["6df62bebe455d15e6d1a0c8c9cd86392d96b5e9d3205c7fa0a55daf7eb785f49"]);
    }

    #[test]
    fn a_file_may_hold_several_keys_and_must_hold_one() {
        assert_eq!(Keys::claimed(&format!("former\n{PEM}\n{PEM}")).unwrap().fingerprints.len(), 2);
        for text in
            ["", "ssh-rsa AAAA", BEGIN, &format!("{BEGIN}\n!\n{END}"), &format!("{BEGIN}\nAAAA\n{END}")]
        {
            assert!(Keys::claimed(text).is_err(), "{text}");
        }
        assert!(matches!(Keys::pinned(Path::new("/no/such/file")), Err(Failure::Usage(_))));
    }
}
