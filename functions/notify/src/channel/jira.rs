//! Jira: one issue for all exceptions of one cause, found again by its labels. Jira's search lags a moment behind: what
//! is opened at the same time can become issues of its own, each with the label of the cause.
//! <https://developer.atlassian.com/cloud/jira/platform/rest/v3/>

use base64::Engine;
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::message::{Content, Message};
use crate::post::{Call, Poster, Trouble};
use crate::target::Way;
use crate::text::Words;

/// A summary longer than this is refused.
const MAX_SUMMARY: usize = 255;

/// What a search finds.
#[derive(Deserialize)]
struct Found {
    #[serde(default)]
    issues: Vec<Issue>,
}

#[derive(Deserialize)]
struct Issue {
    key: String,
}

/// A Jira site, as one account sees it.
struct Site<'a> {
    poster: &'a Poster,
    url: &'a str,
    authorization: String,
}

/// Creates an issue, or adds to that of the same cause; what is there already is left as it is. `account` is
/// `address:API token`.
pub(super) async fn send(
    poster: &Poster,
    way: &Way,
    account: &str,
    message: &Message,
    words: &Words,
) -> Result<(), Trouble> {
    let url = way.url.as_deref().ok_or_else(|| Trouble::refused("the channel has no address"))?;
    let project =
        way.to.as_deref().ok_or_else(|| Trouble::refused("the channel has no `to`: which project?"))?;
    let authorization = format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(account));
    let site = Site { poster, url: url.trim_end_matches('/'), authorization };
    let own = label(&format!("{}:{}", message.run, message.seq));
    if site.find(&own).await?.is_some() {
        return Ok(());
    }
    let cause = match &message.content {
        Content::Ticket(ticket) => label(&ticket.group),
        Content::Notice(_) | Content::Request(_) => own.clone(),
    };
    match site.find(&cause).await? {
        Some(issue) => site.add(&issue, &own, words).await,
        None => site.create(project, &[&own, &cause], words).await,
    }
}

impl Site<'_> {
    async fn find(&self, label: &str) -> Result<Option<String>, Trouble> {
        let call = Call {
            method: http::Method::GET,
            url: format!("{}/rest/api/3/search/jql?fields=key&maxResults=1&jql=labels%3D{label}", self.url),
            headers: self.headers(),
            body: String::new(),
        };
        let answer = self.poster.send(call).await?;
        let found: Found = serde_json::from_str(&answer)
            .map_err(|_| Trouble::later("Jira gave an answer that cannot be read"))?;
        Ok(found.issues.into_iter().next().map(|issue| issue.key))
    }

    async fn create(&self, project: &str, labels: &[&str], words: &Words) -> Result<(), Trouble> {
        let labels: Vec<&str> = ["meshline"].iter().chain(labels).copied().collect();
        let issue = json!({"fields": {
            "project": {"key": project},
            "issuetype": {"name": "Task"},
            "summary": words.headline.chars().take(MAX_SUMMARY).collect::<String>(),
            "description": document(words),
            "labels": labels,
        }});
        self.post("issue", &issue).await
    }

    /// Adds a case to an issue. The comment comes first: without the label it is written again, without the comment
    /// it would never be.
    async fn add(&self, issue: &str, label: &str, words: &Words) -> Result<(), Trouble> {
        self.post(&format!("issue/{issue}/comment"), &json!({"body": document(words)})).await?;
        let update = json!({"update": {"labels": [{"add": label}]}});
        let url = format!("{}/rest/api/3/issue/{issue}", self.url);
        let mut call = Call::post(url, self.headers(), update.to_string());
        call.method = http::Method::PUT;
        self.poster.send(call).await.map(drop)
    }

    async fn post(&self, path: &str, body: &Value) -> Result<(), Trouble> {
        let call = Call::post(format!("{}/rest/api/3/{path}", self.url), self.headers(), body.to_string());
        self.poster.send(call).await.map(drop)
    }

    fn headers(&self) -> Vec<(&'static str, String)> {
        vec![("authorization", self.authorization.clone())]
    }
}

/// A label that stands for `key`: labels have no spaces, and a search must not have to escape it.
fn label(key: &str) -> String {
    let hash = Sha256::digest(key.as_bytes());
    let hex: String = hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    format!("meshline-{hex}")
}

/// The words as Atlassian's document format.
/// <https://developer.atlassian.com/cloud/jira/platform/apis/document/structure/>
fn document(words: &Words) -> Value {
    let paragraph = |content: Vec<Value>| json!({"type": "paragraph", "content": content});
    let strong = |text: &str| json!({"type": "text", "text": text, "marks": [{"type": "strong"}]});
    let mut content = vec![paragraph(vec![strong(&words.headline)])];
    for (label, value) in &words.facts {
        let text = json!({"type": "text", "text": format!(": {value}")});
        content.push(paragraph(vec![strong(label), text]));
    }
    for (label, url) in &words.links {
        let link =
            json!({"type": "text", "text": label, "marks": [{"type": "link", "attrs": {"href": url}}]});
        content.push(paragraph(vec![link]));
    }
    json!({"type": "doc", "version": 1, "content": content})
}
