//! QA checks: what must be looked at before outcomes are requested, and before a run may close.

use serde::{Deserialize, Serialize};

use crate::config::flow::{DoneWhen, Flow};
use crate::time::Span;

/// The checks of a flow. YAML: `qa: {content: […], routing: […]}`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Qa {
    /// All must pass before outcomes are requested and their clocks start.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub content: Vec<CheckSpec>,
    /// All must pass before the run may close.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub routing: Vec<CheckSpec>,
}

/// One check.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct CheckSpec {
    /// Unique among the flow's checks; form as of a flow's id.
    #[cfg_attr(feature = "schema", schemars(with = "crate::config::schema::Id"))]
    pub id: String,
    /// What people call it; default: the id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// What passes it: a person, or an event.
    pub pass_when: DoneWhen,
    /// How soon it must be reported.
    pub within: Span,
}

/// What a check holds up until it passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum CheckKind {
    /// The outcomes.
    Content,
    /// The end of the run.
    Routing,
}

impl Flow {
    /// Whether content is to be checked before anything else begins.
    pub fn awaits_qa(&self) -> bool {
        self.qa.as_ref().is_some_and(|qa| !qa.content.is_empty())
    }

    /// All checks, those of the content first.
    pub fn checks(&self) -> impl Iterator<Item = (CheckKind, &CheckSpec)> {
        self.qa.iter().flat_map(|qa| {
            let content = qa.content.iter().map(|check| (CheckKind::Content, check));
            content.chain(qa.routing.iter().map(|check| (CheckKind::Routing, check)))
        })
    }
}
