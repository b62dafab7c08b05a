//! The providers, one module each.

pub(crate) mod asana;
pub mod contentful;
pub(crate) mod customerio;
pub(crate) mod datocms;
pub(crate) mod directus;
pub(crate) mod drupal;
pub(crate) mod generic;
pub(crate) mod ghost;
pub(crate) mod ghost_pro;
pub(crate) mod github;
pub mod hubspot;
pub(crate) mod hygraph;
pub(crate) mod jira;
pub(crate) mod kontent_ai;
pub(crate) mod mailchimp;
pub(crate) mod pipedrive;
pub(crate) mod prismic;
pub(crate) mod salesforce;
pub(crate) mod sanity;
pub(crate) mod slack;
pub(crate) mod standard_webhooks;
pub(crate) mod storyblok;
pub(crate) mod strapi;
pub(crate) mod svix;
pub(crate) mod webflow;
pub(crate) mod woocommerce;
pub(crate) mod wp_webhooks;

use meshline_core::config::source::Provider;

use crate::adapter::Adapter;

/// The adapter of a provider.
pub(crate) fn adapter(provider: Provider) -> &'static Adapter {
    match provider {
        Provider::Asana => &asana::ADAPTER,
        Provider::Contentful => &contentful::ADAPTER,
        Provider::Customerio => &customerio::ADAPTER,
        Provider::Datocms => &datocms::ADAPTER,
        Provider::Directus => &directus::ADAPTER,
        Provider::Drupal => &drupal::ADAPTER,
        Provider::Generic => &generic::ADAPTER,
        Provider::Ghost => &ghost::ADAPTER,
        Provider::GhostPro => &ghost_pro::ADAPTER,
        Provider::Github => &github::ADAPTER,
        Provider::Hubspot => &hubspot::ADAPTER,
        Provider::Hygraph => &hygraph::ADAPTER,
        Provider::Jira => &jira::ADAPTER,
        Provider::KontentAi => &kontent_ai::ADAPTER,
        Provider::Mailchimp => &mailchimp::ADAPTER,
        Provider::Pipedrive => &pipedrive::ADAPTER,
        Provider::Prismic => &prismic::ADAPTER,
        Provider::Salesforce => &salesforce::ADAPTER,
        Provider::Sanity => &sanity::ADAPTER,
        Provider::Slack => &slack::ADAPTER,
        Provider::StandardWebhooks => &standard_webhooks::ADAPTER,
        Provider::Storyblok => &storyblok::ADAPTER,
        Provider::Strapi => &strapi::ADAPTER,
        Provider::Svix => &svix::ADAPTER,
        Provider::Webflow => &webflow::ADAPTER,
        Provider::Woocommerce => &woocommerce::ADAPTER,
        Provider::WpWebhooks => &wp_webhooks::ADAPTER,
    }
}
