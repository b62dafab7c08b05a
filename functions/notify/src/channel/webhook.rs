//! Webhooks: the message as it is, signed by the scheme of Standard Webhooks.
//! <https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>

use meshline_sources::signature;

use super::Parcel;
use crate::post::{Call, Trouble};

pub(super) fn call(parcel: &Parcel<'_>, secret: Option<&str>) -> Result<Call, Trouble> {
    let Parcel { message, way, now, .. } = parcel;
    let url = way.url.clone().ok_or_else(|| Trouble::refused("the channel has no address"))?;
    let body = message.event.to_string();
    // The same however often it is sent. Dots and colons are not for ids there.
    let id = format!("{}_{}", message.run, message.seq)
        .replace(|c: char| !c.is_ascii_alphanumeric() && c != '-', "_");
    let mut headers = vec![("webhook-id", id.clone())];
    if let Some(secret) = secret {
        let signature = signature(secret, &id, *now, body.as_bytes());
        let signature = signature.map_err(|error| Trouble::refused(error.to_string()))?;
        headers.push(("webhook-timestamp", now.unix_ms().div_euclid(1_000).to_string()));
        headers.push(("webhook-signature", signature));
    }
    Ok(Call::post(url, headers, body))
}
