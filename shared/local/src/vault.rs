//! The vault of the local stack: checkpoints in a folder, or in memory, and a key beside them.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use meshline_aws::StoreError;
use meshline_aws::vault::{self, Signed, Vault};
use meshline_core::checkpoint::{Checkpoint, Envelope, PublicKey, day_of, path};
use meshline_core::day::Day;

use crate::lock;

/// What the key is called.
const KEY: &str = "local";

/// Where the local stack keeps and signs checkpoints.
pub struct LocalVault {
    /// The key itself.
    key: EcdsaKeyPair,
    /// The folder that has `checkpoints/`; `None` keeps them in memory.
    folder: Option<PathBuf>,
    memory: Mutex<BTreeMap<Day, String>>,
}

impl LocalVault {
    /// The vault of a data folder, whose key is made when it has none; or one in memory, with a new key.
    ///
    /// # Errors
    /// The folder cannot be used, or its key is none.
    pub fn open(folder: Option<PathBuf>) -> io::Result<Self> {
        let key = match &folder {
            Some(folder) => key_of(&folder.join("checkpoints-key.p8"))?,
            None => new_key()?.0,
        };
        Ok(Self { key, folder, memory: Mutex::default() })
    }

    fn file(&self, day: Day) -> Option<PathBuf> {
        self.folder.as_ref().map(|folder| folder.join(path(day)))
    }
}

fn no_key<E: std::fmt::Display>(error: E) -> io::Error {
    io::Error::other(format!("the key of checkpoints: {error}"))
}

fn new_key() -> io::Result<(EcdsaKeyPair, Vec<u8>)> {
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &SystemRandom::new());
    let pkcs8 = pkcs8.map_err(no_key)?.as_ref().to_vec();
    let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &pkcs8).map_err(no_key)?;
    Ok((key, pkcs8))
}

/// The key in `file`; a new one where there is no file.
fn key_of(file: &Path) -> io::Result<EcdsaKeyPair> {
    match fs::read(file) {
        Ok(pkcs8) => EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &pkcs8).map_err(no_key),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let (key, pkcs8) = new_key()?;
            write_once(file, &pkcs8)?;
            Ok(key)
        }
        Err(error) => Err(error),
    }
}

/// Writes a file that only its owner can read, whole or not at all, and never over another.
fn write_once(file: &Path, bytes: &[u8]) -> io::Result<()> {
    let new = file.with_extension("new");
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut out = options.open(&new)?;
    out.write_all(bytes)?;
    out.sync_all()?;
    let linked = fs::hard_link(&new, file);
    fs::remove_file(&new)?;
    linked
}

fn refused(doing: &'static str) -> impl Fn(io::Error) -> StoreError {
    move |error| StoreError::Refused { doing, why: error.to_string() }
}

impl Vault for LocalVault {
    async fn days(&self) -> Result<Vec<Day>, StoreError> {
        let Some(folder) = &self.folder else { return Ok(lock(&self.memory).keys().copied().collect()) };
        let mut days = Vec::new();
        let mut unread = vec![folder.join("checkpoints")];
        while let Some(next) = unread.pop() {
            let entries = match fs::read_dir(&next) {
                Ok(entries) => entries,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(refused("list checkpoints")(error)),
            };
            for entry in entries {
                let entry = entry.map_err(refused("list checkpoints"))?.path();
                let name = entry.strip_prefix(folder).ok().and_then(Path::to_str);
                match name.and_then(day_of) {
                    Some(day) => days.push(day),
                    None if entry.is_dir() => unread.push(entry),
                    None => {}
                }
            }
        }
        days.sort_unstable();
        Ok(days)
    }

    async fn read(&self, day: Day) -> Result<Option<String>, StoreError> {
        let Some(file) = self.file(day) else { return Ok(lock(&self.memory).get(&day).cloned()) };
        match fs::read_to_string(file) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(refused("read a checkpoint")(error)),
        }
    }

    async fn keep(&self, envelope: &Envelope) -> Result<bool, StoreError> {
        let day = envelope.checkpoint.day;
        let Some(file) = self.file(day) else {
            let mut memory = lock(&self.memory);
            let is_new = !memory.contains_key(&day);
            memory.entry(day).or_insert_with(|| envelope.text());
            return Ok(is_new);
        };
        let kept = file.parent().map_or(Ok(()), fs::create_dir_all);
        match kept.and_then(|()| write_once(&file, envelope.text().as_bytes())) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
            Err(error) => Err(refused("keep a checkpoint")(error)),
        }
    }

    async fn sign(&self, checkpoint: &Checkpoint) -> Result<Signed, StoreError> {
        let signature = self.key.sign(&SystemRandom::new(), &checkpoint.bytes());
        let signature = signature.map_err(no_key).map_err(refused("sign a checkpoint"))?;
        Ok(Signed { key: KEY.to_owned(), signature: signature.as_ref().to_vec() })
    }

    async fn public_key(&self) -> Result<PublicKey, StoreError> {
        let der = self.key.public_key().as_der().map_err(no_key);
        let der = der.map_err(refused("read the key of checkpoints"))?;
        Ok(vault::public_key(KEY.to_owned(), der.as_ref()))
    }
}
