//! Salesforce outbound messages: SOAP, up to 100 notifications, and an acknowledgement that has to be SOAP too.
//!
//! What is relied on (developer.salesforce.com, outbound messaging and its WSDL):
//!
//! - Nothing is signed. A client certificate is for the load balancer; here the proof is a secret in the address
//!   (`?secret=…`), which only Salesforce's setup and we know.
//! - Each `Notification` has an `Id`, the same however often it is sent; the record is read anew when it is sent, so
//!   a later state can come first.
//! - Whatever is not answered with `<Ack>true</Ack>` is sent again for 24 hours.

use serde_json::{Map, Value, json};

use crate::adapter::{Accepted, Adapter, Ask, Facts, Heard, Reading, Reply, no_greeting};
use crate::draft::{Draft, Unreadable, needed, text_at, time};
use crate::proof::{Unverified, in_address};
use crate::xml::{Element, parse};

pub(crate) const ADAPTER: Adapter = Adapter {
    verify: |ask: &Ask<'_>| -> Result<(), Unverified> { in_address(ask.secrets, ask.delivery) },
    read,
    greet: no_greeting,
    accepted: Accepted::With(acknowledged),
    facts: Facts {
        title: "Salesforce (outbound messages)",
        scheme: "a secret in the address; nothing is signed",
        replay: "none: the same notification is the same event",
        retries: "for 24 hours, up to 2 hours apart; 60 s",
        deduplication: "the notification's `Id`",
        subject: "`salesforce:`, the type of record and its id",
        setup: &[
            "Setup, Outbound Messages, New: the object, and the address with `?secret=` and a new random text, the same in the secret store",
            "Choose the fields to send; do not send the session id",
            "Use it in a Flow: Action, Outbound Message",
        ],
        lossy: None,
        quirks: &[
            "Up to 100 notifications come at once, in any order",
            "A secret in an address can stand in logs on the way: use one for this source alone",
        ],
    },
};

/// The acknowledgement.
fn acknowledged() -> Reply {
    let body = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\">\
        <soapenv:Body><notificationsResponse xmlns=\"http://soap.sforce.com/2005/09/outbound\"><Ack>true</Ack></notificationsResponse>\
        </soapenv:Body></soapenv:Envelope>";
    Reply {
        status: 200,
        headers: vec![("content-type", "text/xml; charset=utf-8".to_owned())],
        body: body.to_owned(),
    }
}

fn read(heard: &Heard<'_>) -> Result<Reading, Unreadable> {
    let envelope = parse(heard.delivery.body)?;
    let message = envelope.find("Body").and_then(|body| body.find("notifications"));
    let message =
        message.ok_or_else(|| Unreadable::NotXml("there are no `notifications` in it".to_owned()))?;
    let organization = message.find("OrganizationId").map(|it| it.text.clone());
    let notifications: Vec<&Element> = message.all("Notification").collect();
    Reading::batch(notifications, |notification| Ok(draft(notification, organization.as_deref())))
}

fn draft(notification: &Element, organization: Option<&str>) -> Draft {
    let object = notification.find("sObject");
    let fields: Map<String, Value> = object
        .iter()
        .flat_map(|object| &object.children)
        .map(|field| (field.name.clone(), json!(field.text)))
        .collect();
    // `xsi:type="sf:Opportunity"`
    let kind = object.and_then(|object| object.attribute("type"));
    let kind = kind.map(|kind| kind.rsplit(':').next().unwrap_or(kind).to_owned());
    let id = notification.find("Id").map(|id| id.text.clone()).filter(|id| !id.is_empty());
    let data = json!({"organization": organization, "notification": id, "type": kind, "fields": fields});
    let missing = |field: &'static str, path: &str| Unreadable::Missing { field, path: path.to_owned() };
    Draft {
        id: id.ok_or_else(|| missing("id", "Notification.Id")),
        subject: needed("subject", &data, "/fields/Id").and_then(|record| {
            let kind = kind.as_ref().ok_or_else(|| missing("subject", "sObject"))?;
            Ok(format!("salesforce:{kind}:{record}"))
        }),
        kind: kind.clone().ok_or_else(|| missing("type", "sObject")),
        occurred_at: text_at(&data, "/fields/LastModifiedDate").as_deref().and_then(time),
        actor: text_at(&data, "/fields/LastModifiedById"),
        title: text_at(&data, "/fields/Name"),
        url: None,
        data,
    }
}
