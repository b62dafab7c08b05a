//! Jira: one issue for all exceptions of one cause, a comment for each more, and closed with the last.
//! <https://developer.atlassian.com/cloud/jira/platform/rest/v3/>
//!
//! Which issue that is stands in the state table: Jira's own search lags behind, and many fail at the same moment.

use base64::Engine;
use meshline_aws::issues;
use meshline_core::alert::Settlement;
use meshline_core::issue::{Issue, Step};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::Parcel;
use crate::message::Content;
use crate::post::{Call, Poster, Trouble};
use crate::text::Words;

/// A summary longer than this is refused.
const MAX_SUMMARY: usize = 255;
/// The key of the category in which all statuses are that mean the end, whatever a project calls them.
const DONE: &str = "done";

/// What a search finds.
#[derive(Deserialize)]
struct Found {
    #[serde(default)]
    issues: Vec<Named>,
}

/// An issue, as it is named when it is found or created.
#[derive(Deserialize)]
struct Named {
    key: String,
}

/// An issue, as it is now.
#[derive(Deserialize)]
struct Ticket {
    fields: Fields,
}

#[derive(Deserialize)]
struct Fields {
    status: Status,
    #[serde(default)]
    labels: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    status_category: Category,
}

#[derive(Deserialize)]
struct Category {
    key: String,
}

/// The ways on from an issue's status.
#[derive(Deserialize)]
struct Transitions {
    transitions: Vec<Transition>,
}

#[derive(Deserialize)]
struct Transition {
    id: String,
    to: Status,
}

/// A Jira site, as one account sees it.
struct Site<'a> {
    poster: &'a Poster,
    url: &'a str,
    /// `address:API token`.
    account: &'a str,
}

/// What is said of one case.
struct Case<'a> {
    /// `<run>:<exception>`, or the message's own id for what is no exception.
    id: String,
    /// What it has in common with others.
    group: String,
    /// The message that says it.
    by: String,
    words: &'a Words,
}

/// Creates an issue or adds to that of the same cause; closes it when the message says that the last case of it is over.
/// `account` is `address:API token`.
pub(super) async fn send(poster: &Poster, parcel: &Parcel<'_>, account: &str) -> Result<(), Trouble> {
    let url = parcel.way.url.as_deref().ok_or_else(|| Trouble::refused("the channel has no address"))?;
    let site = Site { poster, url: url.trim_end_matches('/'), account };
    let case = case(parcel);
    match &parcel.message.content {
        Content::Settlement(settled) if settled.settlement == Settlement::Resolved => {
            close(&site, parcel, &case).await
        }
        // An issue is nobody's alarm: that somebody has it is in the run.
        Content::Settlement(_) => Ok(()),
        Content::Notice(_) | Content::Ticket(_) | Content::Request(_) => open(&site, parcel, &case).await,
    }
}

fn case<'a>(parcel: &Parcel<'a>) -> Case<'a> {
    let message = parcel.message;
    let by = message.id();
    let id = format!("{}:{}", message.run, message.matter().key());
    let group = match &message.content {
        Content::Ticket(ticket) => Some(ticket.group.clone()),
        Content::Settlement(settled) => settled.group.clone(),
        Content::Notice(_) | Content::Request(_) => None,
    };
    Case { group: group.unwrap_or_else(|| id.clone()), id, by, words: parcel.words }
}

async fn open(site: &Site<'_>, parcel: &Parcel<'_>, case: &Case<'_>) -> Result<(), Trouble> {
    let project = parcel.way.to.as_deref();
    let project = project.ok_or_else(|| Trouble::refused("the channel has no `to`: which project?"))?;
    let join = |issue: &mut Issue| issue.join(&case.id, &case.by, parcel.now);
    let mut step = change(parcel, case, join).await?;
    if let Step::Add(key) = &step {
        if site.tell(key, case).await? {
            return Ok(());
        }
        change(parcel, case, |issue| issue.lost(key)).await?;
        step = change(parcel, case, join).await?;
    }
    match step {
        Step::Create => match site.create(project, case).await {
            Ok(key) => change(parcel, case, |issue| issue.created(&key)).await,
            Err(trouble) => {
                if matches!(trouble, Trouble::Refused { .. }) {
                    change(parcel, case, |issue| issue.release(&case.by)).await?;
                }
                Err(trouble)
            }
        },
        // Somebody else was faster: what is there now is looked at on the next attempt.
        Step::Add(_) | Step::Close(_) | Step::Nothing | Step::Wait => Err(busy()),
    }
}

async fn close(site: &Site<'_>, parcel: &Parcel<'_>, case: &Case<'_>) -> Result<(), Trouble> {
    let leave =
        |said: bool| change(parcel, case, move |issue| issue.leave(&case.id, &case.by, said, parcel.now));
    let mut step = leave(false).await?;
    if let Step::Add(key) = &step {
        if !site.tell(key, case).await? {
            return change(parcel, case, |issue| issue.lost(key)).await;
        }
        step = leave(true).await?;
    }
    match step {
        Step::Close(key) => {
            site.finish(&key).await?;
            change(parcel, case, |issue| issue.lost(&key)).await
        }
        Step::Nothing | Step::Create | Step::Add(_) => Ok(()),
        Step::Wait => Err(busy()),
    }
}

fn busy() -> Trouble {
    Trouble::later("another case of the same cause is being written down in Jira")
}

async fn change<T>(
    parcel: &Parcel<'_>,
    case: &Case<'_>,
    change: impl Fn(&mut Issue) -> T,
) -> Result<T, Trouble> {
    let done = issues::change(parcel.app, parcel.target, &case.group, change).await;
    done.map_err(|error| Trouble::later(error.to_string()))
}

impl Site<'_> {
    /// The open issue that has this label.
    async fn find(&self, label: &str) -> Result<Option<String>, Trouble> {
        let query = format!("labels%3D{label}%20AND%20statusCategory%20%21%3D%20Done");
        let path = format!("search/jql?fields=key&maxResults=1&jql={query}");
        let found: Found = self.read(&path).await?;
        Ok(found.issues.into_iter().next().map(|issue| issue.key))
    }

    /// The issue as it is; `None` when it is not there any more.
    async fn look(&self, key: &str) -> Result<Option<Ticket>, Trouble> {
        match self.read(&format!("issue/{key}?fields=status,labels")).await {
            Ok(ticket) => Ok(Some(ticket)),
            Err(Trouble::Refused { status: Some(404), .. }) => Ok(None),
            Err(trouble) => Err(trouble),
        }
    }

    /// Creates the issue, unless it was created and not written down.
    async fn create(&self, project: &str, case: &Case<'_>) -> Result<String, Trouble> {
        if let Some(key) = self.find(&label(&case.group)).await? {
            return Ok(key);
        }
        let issue = json!({"fields": {
            "project": {"key": project},
            "issuetype": {"name": "Task"},
            "summary": case.words.headline.chars().take(MAX_SUMMARY).collect::<String>(),
            "description": document(case.words),
            "labels": ["meshline", label(&case.by), label(&case.group)],
        }});
        let created: Named = read(&self.write(http::Method::POST, "issue", &issue).await?)?;
        Ok(created.key)
    }

    /// Says in an issue what is said of a case, once; false when the issue is done or not there any more. The comment
    /// comes first: without the label it is written again, without the comment it would never be.
    async fn tell(&self, key: &str, case: &Case<'_>) -> Result<bool, Trouble> {
        let Some(ticket) = self.look(key).await? else { return Ok(false) };
        if ticket.fields.status.status_category.key == DONE {
            return Ok(false);
        }
        let label = label(&case.by);
        if !ticket.fields.labels.contains(&label) {
            let comment = json!({"body": document(case.words)});
            self.write(http::Method::POST, &format!("issue/{key}/comment"), &comment).await?;
            let update = json!({"update": {"labels": [{"add": label}]}});
            self.write(http::Method::PUT, &format!("issue/{key}"), &update).await?;
        }
        Ok(true)
    }

    /// Takes an issue to a status that means the end. A workflow that has no way there leaves it to people.
    async fn finish(&self, key: &str) -> Result<(), Trouble> {
        let ways: Transitions = self.read(&format!("issue/{key}/transitions")).await?;
        let mut ways = ways.transitions.into_iter();
        let Some(way) = ways.find(|way| way.to.status_category.key == DONE) else { return Ok(()) };
        let body = json!({"transition": {"id": way.id}});
        self.write(http::Method::POST, &format!("issue/{key}/transitions"), &body).await.map(drop)
    }

    async fn read<T: serde::de::DeserializeOwned>(&self, path: &str) -> Result<T, Trouble> {
        read(&self.call(http::Method::GET, path, String::new()).await?)
    }

    async fn write(&self, method: http::Method, path: &str, body: &Value) -> Result<String, Trouble> {
        self.call(method, path, body.to_string()).await
    }

    async fn call(&self, method: http::Method, path: &str, body: String) -> Result<String, Trouble> {
        let url = format!("{}/rest/api/3/{path}", self.url);
        let authorization =
            format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(self.account));
        let headers = vec![("authorization", authorization)];
        self.poster.send(Call { method, url, headers, body }, Some(self.account)).await
    }
}

fn read<T: serde::de::DeserializeOwned>(answer: &str) -> Result<T, Trouble> {
    serde_json::from_str(answer).map_err(|_| Trouble::later("Jira gave an answer that cannot be read"))
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
