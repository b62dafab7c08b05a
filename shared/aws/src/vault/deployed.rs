//! The vault of a deployed stack: a bucket whose objects cannot be changed or removed, and a key that never leaves KMS.

use std::sync::Arc;

use aws_sdk_kms::primitives::Blob;
use aws_sdk_kms::types::{MessageType, SigningAlgorithmSpec};
use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::primitives::{ByteStream, DateTime};
use aws_sdk_s3::types::ObjectLockMode;
use meshline_core::checkpoint::{Checkpoint, Envelope, PublicKey, day_of, path};
use meshline_core::day::Day;

use super::{Signed, Vault, public_key};
use crate::clients::Clients;
use crate::error::StoreError;
use crate::settings::Settings;

/// S3 under Object Lock, and KMS.
#[derive(Debug)]
pub struct DeployedVault {
    s3: aws_sdk_s3::Client,
    kms: aws_sdk_kms::Client,
    bucket: String,
    key: String,
    retention_days: u32,
    lock: ObjectLockMode,
}

impl DeployedVault {
    /// The vault that the settings name.
    pub fn new(clients: &Arc<Clients>, settings: &Settings) -> Self {
        Self {
            s3: aws_sdk_s3::Client::new(clients.config()),
            kms: aws_sdk_kms::Client::new(clients.config()),
            bucket: settings.checkpoints_bucket.clone(),
            key: settings.checkpoints_key.clone(),
            retention_days: settings.checkpoints_retention_days,
            // What is not known binds everybody.
            lock: ObjectLockMode::try_parse(&settings.checkpoints_retention_mode)
                .unwrap_or(ObjectLockMode::Compliance),
        }
    }
}

impl Vault for DeployedVault {
    async fn days(&self) -> Result<Vec<Day>, StoreError> {
        let list = self.s3.list_objects_v2().bucket(&self.bucket).prefix("checkpoints/");
        let mut pages = list.into_paginator().send();
        let mut days = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|e| StoreError::from_sdk("list checkpoints", e))?;
            days.extend(page.contents().iter().filter_map(|object| day_of(object.key()?)));
        }
        Ok(days) // S3 lists by name, and the names sort as the days do
    }

    async fn read(&self, day: Day) -> Result<Option<String>, StoreError> {
        let doing = "read a checkpoint";
        let got = match self.s3.get_object().bucket(&self.bucket).key(path(day)).send().await {
            Ok(got) => got,
            Err(error) if error.as_service_error().is_some_and(|e| e.is_no_such_key()) => return Ok(None),
            Err(error) => return Err(StoreError::from_sdk(doing, error)),
        };
        let bytes =
            got.body.collect().await.map_err(|e| StoreError::Later { doing, why: e.to_string() })?.to_vec();
        let text = String::from_utf8(bytes);
        text.map(Some).map_err(|e| StoreError::Corrupt { doing, what: path(day), why: e.to_string() })
    }

    async fn keep(&self, envelope: &Envelope) -> Result<bool, StoreError> {
        let Checkpoint { day, made_at, .. } = envelope.checkpoint;
        let until = made_at.unix_ms() / 1000 + i64::from(self.retention_days) * 86_400;
        let put = self
            .s3
            .put_object()
            .bucket(&self.bucket)
            .key(path(day))
            .if_none_match("*")
            .content_type("application/json")
            .object_lock_mode(self.lock.clone())
            .object_lock_retain_until_date(DateTime::from_secs(until))
            .body(ByteStream::from(envelope.text().into_bytes()));
        match put.send().await {
            Ok(_) => Ok(true),
            Err(error) if error.code() == Some("PreconditionFailed") => Ok(false),
            Err(error) => Err(StoreError::from_sdk("keep a checkpoint", error)),
        }
    }

    async fn sign(&self, checkpoint: &Checkpoint) -> Result<Signed, StoreError> {
        let doing = "sign a checkpoint";
        let sign = self
            .kms
            .sign()
            .key_id(&self.key)
            .signing_algorithm(SigningAlgorithmSpec::EcdsaSha256)
            // KMS signs at most 4096 bytes, and no more than their digest.
            .message_type(MessageType::Digest)
            .message(Blob::new(checkpoint.digest()));
        let signed = sign.send().await.map_err(|e| StoreError::from_sdk(doing, e))?;
        let (Some(key), Some(signature)) = (signed.key_id, signed.signature) else {
            return Err(StoreError::Refused { doing, why: "the answer has no signature".to_owned() });
        };
        Ok(Signed { key, signature: signature.into_inner() })
    }

    async fn public_key(&self) -> Result<PublicKey, StoreError> {
        let doing = "read the key of checkpoints";
        let got = self.kms.get_public_key().key_id(&self.key).send().await;
        let got = got.map_err(|e| StoreError::from_sdk(doing, e))?;
        let (Some(key), Some(der)) = (got.key_id, got.public_key) else {
            return Err(StoreError::Refused { doing, why: "the answer has no key".to_owned() });
        };
        Ok(public_key(key, der.as_ref()))
    }
}

#[cfg(test)]
mod tests;
