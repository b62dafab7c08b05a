//! Whether something can be sent through a channel.

use super::Found;
use crate::config::directory::{Channel, ChannelKind};

/// What is missing or wrong, `at` the channel.
pub(super) fn problems(at: &str, channel: &Channel) -> Vec<Found> {
    let Channel { id, kind, url, secret, to } = channel;
    let needed: &[(&str, &Option<String>, &str)] = match kind {
        ChannelKind::Webhook => &[("url", url, "the address of its receiver")],
        ChannelKind::Pagerduty => &[("secret", secret, "the name of the secret that holds its routing key")],
        ChannelKind::Slack => {
            &[("secret", secret, "the name of the secret that holds a bot token or a webhook's address")]
        }
        ChannelKind::Email => &[("to", to, "an address")],
        ChannelKind::Jira => &[
            ("url", url, "the site, as `https://example.atlassian.net`"),
            ("secret", secret, "the name of the secret that holds `address:API token`"),
            ("to", to, "the key of a project"),
        ],
    };
    let missing = needed.iter().filter(|(_, value, _)| value.is_none());
    let mut found: Vec<Found> = missing
        .map(|(field, _, what)| {
            let reason = format!("channel `{id}` has no `{field}`");
            (format!("{at}.{field}"), reason, format!("write `{field}:` with {what}"))
        })
        .collect();
    let is_address = |text: &&String| text.starts_with("https://") || text.starts_with("http://");
    if let Some(text) = url.iter().find(|text| !is_address(text)) {
        let reason = format!("`{text}` is no address");
        found.push((format!("{at}.url"), reason, "begin it with `https://`".to_owned()));
    }
    found
}
