//! A source: a system that sends webhooks, and how its deliveries are read.

use serde::{Deserialize, Serialize};

use crate::template::Template;

/// A system that sends webhooks. YAML: `kind: Source`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// Names it, also in its address: `POST /hooks/{id}`.
    #[cfg_attr(feature = "schema", schemars(with = "crate::config::schema::Id"))]
    pub id: String,
    /// The built-in adapter that verifies and normalises its deliveries.
    pub provider: Provider,
    /// Names in the secret store; a delivery is authentic when any of them verifies it.
    #[serde(default)]
    pub secrets: Vec<String>,
    /// How deliveries are verified; for `provider: generic` only, and required there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verify: Option<Verify>,
    /// How the asset is found: overrides the provider's default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Template>,
    /// Other names of the asset that an event tells of: from then on events about them belong to the asset.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<Template>,
    /// Deduplication key of an event: overrides the provider's default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_id: Option<Template>,
    /// What happened: overrides the provider's default.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<Template>,
    /// When it happened (RFC 3339, or Unix seconds or milliseconds): overrides the provider's default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub occurred_at: Option<Template>,
    /// The asset's title: overrides the provider's default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<Template>,
    /// Where the asset can be seen: overrides the provider's default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<Template>,
    /// Who did it: overrides the provider's default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<Template>,
}

/// A built-in adapter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Provider {
    /// Asana: signed body, many events at once, a handshake.
    Asana,
    /// Contentful: signed canonical request, 64-character secret.
    Contentful,
    /// Customer.io's reporting webhooks.
    Customerio,
    /// DatoCMS: HTTP Basic.
    Datocms,
    /// Directus: a request of a Flow, with a header of your own.
    Directus,
    /// Drupal, by the module Webhooks.
    Drupal,
    /// Ghost: signed body and time, one try.
    Ghost,
    /// Ghost(Pro)'s own webhooks.
    GhostPro,
    /// GitHub.
    Github,
    /// HubSpot webhooks, signature version 3; batches of up to 100 events.
    Hubspot,
    /// Hygraph.
    Hygraph,
    /// Jira Cloud: webhooks of administrators and of OAuth apps.
    Jira,
    /// Kontent.ai: lists of notifications.
    KontentAi,
    /// Mailchimp: forms, with a secret in the address.
    Mailchimp,
    /// Pipedrive: HTTP Basic.
    Pipedrive,
    /// Prismic: a secret in the body.
    Prismic,
    /// Salesforce outbound messages, with a secret in the address.
    Salesforce,
    /// Sanity: a projection, signed with the time.
    Sanity,
    /// Slack: events, buttons and commands.
    Slack,
    /// Standard Webhooks (symmetric, `v1`).
    StandardWebhooks,
    /// Storyblok.
    Storyblok,
    /// Strapi: a header of your own.
    Strapi,
    /// Svix: Standard Webhooks under its own names.
    Svix,
    /// Webflow: webhooks made by its API.
    Webflow,
    /// WooCommerce.
    Woocommerce,
    /// WP Webhooks, the WordPress plugin.
    WpWebhooks,
    /// Anything else, described by [`Verify`] and templates.
    Generic,
}

impl Provider {
    /// All of them, by name; the one for anything else last.
    pub const ALL: [Self; 27] = [
        Self::Asana,
        Self::Contentful,
        Self::Customerio,
        Self::Datocms,
        Self::Directus,
        Self::Drupal,
        Self::Ghost,
        Self::GhostPro,
        Self::Github,
        Self::Hubspot,
        Self::Hygraph,
        Self::Jira,
        Self::KontentAi,
        Self::Mailchimp,
        Self::Pipedrive,
        Self::Prismic,
        Self::Salesforce,
        Self::Sanity,
        Self::Slack,
        Self::StandardWebhooks,
        Self::Storyblok,
        Self::Strapi,
        Self::Svix,
        Self::Webflow,
        Self::Woocommerce,
        Self::WpWebhooks,
        Self::Generic,
    ];
}

/// How a generic source proves that a delivery is its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Verify {
    /// What kind of proof.
    pub scheme: Scheme,
    /// The header that carries it. Default: `authorization` for `basic` and `token`; required for the HMACs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header: Option<String>,
    /// How the signature is written; for the HMACs. Default: `hex`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoding: Option<Encoding>,
    /// Text before the signature or token in the header: `sha256=`, `Bearer `.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
}

/// A proof of origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Scheme {
    /// HMAC-SHA256 over the raw body.
    HmacSha256,
    /// HMAC-SHA1 over the raw body.
    HmacSha1,
    /// HTTP Basic; the secret is `user:password`.
    Basic,
    /// The header is the secret.
    Token,
    /// Standard Webhooks (symmetric, `v1`).
    StandardWebhooks,
}

/// How signature bytes are written as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Encoding {
    /// Lower- or upper-case hexadecimal.
    Hex,
    /// Base64 with padding.
    Base64,
}
