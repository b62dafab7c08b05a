//! Secrets: read from Secrets Manager, kept in memory for a few minutes, never logged.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use meshline_core::time::{Span, Time};

use crate::clients::Clients;
use crate::error::StoreError;

/// How long a value is used without asking again.
const KEEP: Span = Span::minutes(5);
/// How often at most a signature miss makes us ask again: a stranger must not be able to run up the bill.
const ASK_AGAIN: Span = Span::from_ms(30_000);

/// The secret store, with its cache.
#[derive(Debug)]
pub struct Secrets {
    clients: Arc<Clients>,
    prefix: String,
    cache: Mutex<BTreeMap<String, (Time, Option<String>)>>,
}

impl Secrets {
    /// A store that puts `prefix` before every name.
    pub fn new(clients: Arc<Clients>, prefix: String) -> Self {
        Self { clients, prefix, cache: Mutex::default() }
    }

    /// The values of `names`; those that do not exist are left out. With `after_miss` values are read again,
    /// unless that was done moments ago: a key may just have been rotated.
    ///
    /// # Errors
    /// The secret store cannot be asked now.
    pub async fn read(
        &self,
        names: &[String],
        now: Time,
        after_miss: bool,
    ) -> Result<Vec<String>, StoreError> {
        let keep = if after_miss { ASK_AGAIN } else { KEEP };
        let mut values = Vec::new();
        for name in names {
            let known = self
                .cache()
                .get(name)
                .filter(|(at, _)| now.since(*at) < keep)
                .map(|(_, value)| value.clone());
            let value = match known {
                Some(value) => value,
                None => {
                    let value = self.fetch(name).await?;
                    self.cache().insert(name.clone(), (now, value.clone()));
                    value
                }
            };
            values.extend(value);
        }
        Ok(values)
    }

    fn cache(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, (Time, Option<String>)>> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn fetch(&self, name: &str) -> Result<Option<String>, StoreError> {
        let id = format!("{}{name}", self.prefix);
        match self.clients.secrets().get_secret_value().secret_id(id).send().await {
            Ok(secret) => Ok(secret.secret_string),
            Err(error) if error.as_service_error().is_some_and(|e| e.is_resource_not_found_exception()) => {
                Ok(None)
            }
            Err(error) => Err(StoreError::from_sdk("read a secret", error)),
        }
    }
}
