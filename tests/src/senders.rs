//! The systems that send webhooks: deliveries as they would make and sign them.

use meshline_core::time::Time;
use meshline_sources::{contentful, hubspot};
use serde_json::{Value, json};

/// The signing secret of the Contentful space.
pub const CONTENTFUL_SECRET: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
/// The client secret of the HubSpot app.
pub const HUBSPOT_SECRET: &str = "hubspot-client-secret";
/// The token of the forms.
pub const FORMS_TOKEN: &str = "forms-token";

/// The values of the secrets that the example sources name.
pub fn secrets() -> [(String, String); 3] {
    [
        ("contentful-current", CONTENTFUL_SECRET),
        ("hubspot-current", HUBSPOT_SECRET),
        ("forms-token", FORMS_TOKEN),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
}

/// One webhook as it is sent: the same value twice is the same delivery twice.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// Where it is posted to: `/hooks/contentful`.
    pub path: String,
    /// Its headers, signature included.
    pub headers: Vec<(String, String)>,
    /// Its body.
    pub body: Vec<u8>,
}

/// A Contentful webhook of the topic `action` (`publish`, `unpublish`) about an entry; `url` is what is signed.
pub fn entry(url: &str, now: Time, action: &str, asset: &str, content_type: &str) -> Delivery {
    let body = json!({
        "sys": {"type": "Entry", "id": asset, "contentType": {"sys": {"id": content_type}}, "updatedAt": now},
        "fields": {"title": {"en-US": "Spring launch"}, "campaign": {"en-US": "spring"}},
    });
    let body = body.to_string().into_bytes();
    let headers = [
        header("X-Contentful-Topic", &format!("ContentManagement.Entry.{action}")),
        header("Content-Type", "application/vnd.contentful.management.v1+json"),
    ];
    let path = "/hooks/contentful".to_owned();
    let address = format!("{url}{path}");
    let headers = contentful::sign(CONTENTFUL_SECRET, "POST", &address, &headers, &body, now);
    Delivery { path, headers, body }
}

/// A HubSpot batch for a source, about one asset or none; each event is given what the sender always adds.
pub fn crm(url: &str, now: Time, source: &str, asset: Option<&str>, events: &[Value]) -> Delivery {
    let batch: Vec<Value> = events
        .iter()
        .map(|event| {
            let mut full = json!({
                "portalId": 1, "subscriptionId": 2, "objectId": 3, "occurredAt": now.unix_ms(),
            });
            let (members, more) =
                (full.as_object_mut().expect("an object"), event.as_object().expect("an object"));
            members.extend(asset.map(|asset| ("asset_id".to_owned(), json!(asset))));
            members.extend(more.clone());
            full
        })
        .collect();
    crm_raw(url, now, source, json!(batch).to_string().into_bytes())
}

/// A signed HubSpot delivery of any bytes.
pub fn crm_raw(url: &str, now: Time, source: &str, body: Vec<u8>) -> Delivery {
    let path = format!("/hooks/{source}");
    let mut headers = hubspot::sign(HUBSPOT_SECRET, "POST", &format!("{url}{path}"), &body, now);
    headers.push(header("content-type", "application/json"));
    Delivery { path, headers, body }
}

/// A header as name and value.
pub fn header(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}
