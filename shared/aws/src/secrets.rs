//! Secrets: read from Secrets Manager, kept in memory for a few minutes, never logged.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use meshline_core::time::{Span, Time};
use serde_json::json;

use crate::clients::Clients;
use crate::error::StoreError;
use crate::http::encoded;

/// How long a value is used without asking again.
const KEEP: Span = Span::minutes(5);
/// How often at most a signature miss makes us ask again: a stranger must not be able to run up the bill.
const ASK_AGAIN: Span = Span::from_ms(30_000);

/// A form of a secret that is shorter than this is not looked for: it would be found in texts that have nothing to do with it.
const SHORTEST: usize = 4;
/// What stands where a secret stood.
const HIDDEN: &str = "[secret]";

/// The secret store, with its cache.
pub struct Secrets {
    clients: Arc<Clients>,
    prefix: String,
    cache: Mutex<BTreeMap<String, (Time, Option<String>)>>,
}

impl fmt::Debug for Secrets {
    /// The names that were asked for, without their values.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<String> = self.cache().keys().cloned().collect();
        f.debug_struct("Secrets").field("prefix", &self.prefix).field("known", &names).finish_non_exhaustive()
    }
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

/// `text` without these secrets, for a text that somebody else wrote who knows them: a receiver may repeat what it was sent, a
/// provider puts its secret into the body. Found are a secret as it is, in JSON, in a URL and in HTTP Basic, its password, and the
/// path of one that is an address.
pub fn hide<'s>(text: &str, secrets: impl IntoIterator<Item = &'s str>) -> String {
    let mut forms: Vec<String> = secrets.into_iter().flat_map(forms).collect();
    forms.retain(|form| form.len() >= SHORTEST);
    // Where one begins with another, all of it goes.
    forms.sort_by_key(|form| std::cmp::Reverse(form.len()));
    let (mut hidden, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(c) = rest.chars().next() {
        if let Some(after) = forms.iter().find_map(|form| rest.strip_prefix(form.as_str())) {
            hidden.push_str(HIDDEN);
            rest = after;
        } else {
            hidden.push(c);
            rest = rest.get(c.len_utf8()..).unwrap_or_default();
        }
    }
    hidden
}

fn forms(secret: &str) -> Vec<String> {
    let in_json = json!(secret).to_string();
    let mut forms = vec![
        secret.to_owned(),
        in_json.trim_matches('"').to_owned(),
        encoded(secret),
        STANDARD.encode(secret),
    ];
    match (secret.split_once("://"), secret.split_once(':')) {
        (Some((_, address)), _) => forms.extend(address.split_once('/').map(|(_, path)| path.to_owned())),
        (None, Some((_, password))) => forms.extend([password.to_owned(), encoded(password)]),
        (None, None) => {}
    }
    forms
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_hidden_in_whatever_form_it_comes_back() {
        for (secret, text) in [
            ("wh/sec+1", "you sent wh/sec+1!"),
            ("a\"b\\c", r#"{"key":"a\"b\\c"}"#),
            ("wh/sec+1", "/hooks?secret=wh%2Fsec%2B1"),
            ("bot@example.com:t0ken", "authorization: Basic Ym90QGV4YW1wbGUuY29tOnQwa2Vu"),
            ("bot@example.com:t0ken", "the API token t0ken is revoked"),
            ("https://hooks.example.com/services/T0/B0/X0", "no route /services/T0/B0/X0"),
        ] {
            let hidden = hide(text, [secret]);
            let left = forms(secret).into_iter().find(|form| hidden.contains(form.as_str()));
            assert!(hidden.contains(HIDDEN) && left.is_none(), "{secret}: {hidden}");
        }
        assert_eq!(hide("a text about nothing", ["a", "", "n0thing"]), "a text about nothing");
        assert_eq!(hide("longer-secret", ["secret", "longer-secret"]), HIDDEN);
    }
}
