//! A flow: the outcome contract of a trigger.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::Value;

pub use crate::config::party::{Assignee, NotA, Party, Target};
use crate::config::qa::Qa;
use crate::duration::Duration;
use crate::pattern::Pattern;
use crate::time::{Span, text_serde};

/// The outcome contract: trigger, expected outcomes, and who answers for them. YAML: `kind: Flow`.
/// A version of it never changes; the field reference is docs/FLOWS.md.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Flow {
    /// `[a-z0-9][a-z0-9-]{0,62}`.
    #[cfg_attr(feature = "schema", schemars(with = "crate::config::schema::Id"))]
    pub id: String,
    /// What people call it.
    pub title: String,
    /// Label for agencies; filters lists and reports.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// Whether anybody is told of its runs; those of a flow that is off are opened and watched in silence.
    #[serde(default = "on", skip_serializing_if = "is_on")]
    pub enabled: bool,
    /// The system that holds the truth about the asset; for people, not acted on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system_of_record: Option<String>,
    /// Who is accountable for each run.
    pub owner: Party,
    /// Who takes over.
    pub backup_owner: Party,
    /// What opens a run.
    pub trigger: Trigger,
    /// How soon the owner must say "I have it"; without it nobody is asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledge: Option<Acknowledge>,
    /// What must be looked at before outcomes are requested, and before a run may close.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub qa: Option<Qa>,
    /// What must come true, at least one.
    pub outcomes: Vec<OutcomeSpec>,
    /// What happens when it does not.
    #[serde(default)]
    pub escalation: Escalation,
    /// Who answers for what automation cannot resolve; default: the backup owner, within 24 hours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exceptions: Option<ExceptionPolicy>,
    /// How often a trigger must come at the least.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expect: Option<Expect>,
    /// The share of runs that must be met.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub objective: Option<Objective>,
    /// How long its runs may be paused; without it, not at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pause: Option<PausePolicy>,
    /// Id of the calendar that counts business time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<crate::config::schema::Id>"))]
    pub calendar: Option<String>,
}

/// What opens a run, and what cancels it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Trigger {
    /// Id of the source whose events are looked at.
    #[cfg_attr(feature = "schema", schemars(with = "crate::config::schema::Id"))]
    pub source: String,
    /// Events that open a run.
    #[serde(rename = "match")]
    pub matches: Pattern,
    /// Events about the same subject that cancel its open runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancel_on: Option<Pattern>,
    /// What a second trigger for a subject with an open run does.
    #[serde(default)]
    pub on_retrigger: OnRetrigger,
    /// A trigger later than this after the opening opens a new run instead of joining.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub join_within: Option<Span>,
}

/// What a second trigger for a subject with an open run does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum OnRetrigger {
    /// It belongs to the open run.
    #[default]
    Join,
    /// The open run is cancelled and a new one opens.
    Restart,
    /// A new run opens beside the open one.
    New,
}

/// How soon an owner must acknowledge.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Acknowledge {
    /// From the opening, and again from each reassignment and each lapse.
    pub within: Duration,
    /// How long an acknowledgement holds without progress; default: for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease: Option<Span>,
    /// Who is told that a run has opened and waits for it; default: nobody.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notify: Vec<Target>,
}

/// One expected result of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct OutcomeSpec {
    /// Unique in the flow; form as of a flow's id.
    #[cfg_attr(feature = "schema", schemars(with = "crate::config::schema::Id"))]
    pub id: String,
    /// What people call it; default: the id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// From its start to its deadline.
    pub sla: Duration,
    /// When to warn, as a share of the SLA.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warn_at: Option<Percent>,
    /// Who is told about it; default: the run's owner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<Party>,
    /// Its clock starts when these outcomes are done.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<crate::config::schema::Id>"))]
    pub after: Vec<String>,
    /// Asks the execution layer to make it come true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<RequestSpec>,
    /// What verifies it.
    pub done_when: DoneWhen,
    /// Events that say it went wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed_when: Option<Pattern>,
}

/// What the execution layer is asked to do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RequestSpec {
    /// Id of a channel in the directory.
    #[cfg_attr(feature = "schema", schemars(with = "crate::config::schema::Id"))]
    pub channel: String,
    /// Any JSON; its `${…}` places are filled from the trigger event.
    #[serde(default)]
    pub payload: Value,
}

/// What verifies an outcome.
#[derive(Debug, Clone, PartialEq)]
pub enum DoneWhen {
    /// A person, who must give evidence. YAML: `manual`.
    Manual,
    /// An event of another system.
    Event(Pattern),
}

/// The two ladders of a run, which are climbed side by side. Steps are ordered by `after`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Escalation {
    /// From a missed acknowledgement on; default: reassign to the backup owner and tell both, at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_acknowledged: Option<Vec<Step>>,
    /// From an outcome's breach on; default: tell the owner, at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub breached: Option<Vec<Step>>,
}

/// One step of a ladder.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// From the missed acknowledgement, or from the deadline.
    pub after: Duration,
    /// Who takes over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reassign: Option<Assignee>,
    /// Who is told.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notify: Vec<Target>,
    /// How loudly.
    #[serde(default)]
    pub severity: Severity,
}

/// How loudly a notice is given, the quietest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// For the record.
    Low,
    /// A message.
    #[default]
    Normal,
    /// Somebody should look now.
    High,
    /// Somebody is woken.
    Critical,
}

/// Who answers for exceptions, how soon, and by which playbook.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ExceptionPolicy {
    /// Who gets the ticket.
    pub owner: Party,
    /// How soon it must be resolved.
    pub recovery_sla: Duration,
    /// The directory's channel that gets the ticket, beside its owner: a tracker, say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    /// From the recovery deadline on; default: tell the exception's owner and this policy's, at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub escalation: Option<Vec<Step>>,
    /// What to do, by exception kind.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[cfg_attr(feature = "schema", schemars(schema_with = "crate::config::schema::playbooks"))]
    pub playbooks: BTreeMap<ExceptionKind, Playbook>,
}

/// What to do about one kind of exception.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Playbook {
    /// Where it is written down.
    pub url: String,
    /// Who gets the ticket instead of the policy's owner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<Party>,
    /// How long after it was reviewed, or applied, it must be reviewed again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub review_every: Option<Span>,
}

/// Why a case left the automation's hands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case", remote = "Self")]
pub enum ExceptionKind {
    /// The other system, or a person, said that the outcome failed.
    OutcomeFailed,
    /// The execution layer could not be asked.
    RequestFailed,
    /// Nobody is available to own the run.
    OwnershipGap,
    /// The ticket that goes with a breach.
    SlaBreached,
    /// A check found something wrong, or can never pass by itself.
    QaFailed,
    /// Nobody said by its deadline how a check came out.
    QaNotReported,
    /// A deadline lies beyond the days whose holidays the calendar knows.
    CalendarUnknown,
    /// Opened by a person.
    Manual,
    /// No trigger came for longer than the flow expects.
    SilentTrigger,
    /// A signal came, and no trigger for it.
    OrphanSignal,
    /// The run could not be processed several times in a row and waits for a person.
    RunParked,
    /// A playbook has not been reviewed for longer than the flow allows.
    PlaybookReview,
    /// The Monday checklist found something that no other exception stands for.
    ChecklistFailed,
    /// The Monday checklist reached nobody.
    ChecklistUndelivered,
}

/// How often a trigger must come at the least.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Expect {
    /// No trigger for this long is an exception.
    pub at_least_every: Duration,
}

/// How long a run may be paused.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PausePolicy {
    /// All its pauses together; elapsed time.
    pub budget: Span,
}

/// The share of runs that must be met within a window.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Objective {
    /// Share of the decided runs.
    pub met: Percent,
    /// How far back it looks.
    pub window: Span,
}

/// Whole hundredths, 1 to 100. Text form: `75%`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Percent(u8);

/// A flow that does not say is on.
fn on() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_on(enabled: &bool) -> bool {
    *enabled
}

/// How many days' grace an exception has when the flow names none.
const DEFAULT_RECOVERY: Duration = Duration::Elapsed(Span::hours(24));
/// At once.
const NOW: Duration = Duration::Elapsed(Span::ZERO);

impl Flow {
    /// The exception policy, with the default filled in.
    pub fn exception_policy(&self) -> ExceptionPolicy {
        self.exceptions.clone().unwrap_or_else(|| ExceptionPolicy {
            owner: self.backup_owner.clone(),
            recovery_sla: DEFAULT_RECOVERY,
            channel: None,
            escalation: None,
            playbooks: BTreeMap::new(),
        })
    }

    /// The steps of a ladder, with the default filled in.
    pub fn ladder(&self, ladder: Ladder) -> Vec<Step> {
        let (given, default) = match ladder {
            Ladder::NotAcknowledged => (
                self.escalation.not_acknowledged.clone(),
                Step {
                    after: NOW,
                    reassign: Some(Assignee::BackupOwner),
                    notify: vec![Target::Owner, Target::BackupOwner],
                    severity: Severity::Normal,
                },
            ),
            Ladder::Breached => (
                self.escalation.breached.clone(),
                Step { after: NOW, reassign: None, notify: vec![Target::Owner], severity: Severity::High },
            ),
            Ladder::Recovery => {
                let policy = self.exception_policy();
                let notify = vec![Target::Owner, Target::Party(policy.owner)];
                (policy.escalation, Step { after: NOW, reassign: None, notify, severity: Severity::High })
            }
        };
        given.unwrap_or_else(|| vec![default])
    }

    /// The outcome of that id.
    pub fn outcome(&self, id: &str) -> Option<&OutcomeSpec> {
        self.outcomes.iter().find(|outcome| outcome.id == id)
    }
}

/// Which ladder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Ladder {
    /// Climbed while nobody acknowledges.
    NotAcknowledged,
    /// Climbed while an outcome is past its deadline.
    Breached,
    /// Climbed while an exception is past its recovery deadline.
    Recovery,
}

impl Severity {
    /// Its word in a flow.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Normal => "normal",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

impl Percent {
    /// Whole hundredths.
    pub fn hundredths(self) -> u8 {
        self.0
    }
}

impl FromStr for Percent {
    type Err = NotA;
    fn from_str(text: &str) -> Result<Self, NotA> {
        let number = text.strip_suffix('%').and_then(|n| n.parse().ok());
        match number {
            Some(n @ 1..=100) => Ok(Self(n)),
            Some(_) | None => NotA::err(text, "a percentage: write a whole number from `1%` to `100%`"),
        }
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}%", self.0)
    }
}

text_serde!(Percent, "a percentage, like `75%`", "^([1-9][0-9]?|100)%$", ["75%", "90%"]);

impl DoneWhen {
    /// The events that verify it; none when a person must.
    pub fn pattern(&self) -> Option<&Pattern> {
        match self {
            Self::Manual => None,
            Self::Event(pattern) => Some(pattern),
        }
    }
}

impl Serialize for DoneWhen {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Manual => serializer.serialize_str("manual"),
            Self::Event(pattern) => pattern.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for DoneWhen {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::String(word) if word == "manual" => Ok(Self::Manual),
            pattern @ (Value::Object(_) | Value::Array(_)) => {
                serde_json::from_value(pattern).map(Self::Event).map_err(de::Error::custom)
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                Err(de::Error::custom("this verifies nothing: write `manual` or an event pattern"))
            }
        }
    }
}

impl fmt::Display for ExceptionKind {
    /// Its word: `outcome_failed`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Self::serialize(self, f)
    }
}

impl Serialize for ExceptionKind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Self::serialize(self, serializer)
    }
}

// By way of a string, not an enum: as a key of `playbooks` it is then named in the path of a problem.
impl<'de> Deserialize<'de> for ExceptionKind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl de::Visitor<'_> for Text {
            type Value = ExceptionKind;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a kind of exception, like `outcome_failed`")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<ExceptionKind, E> {
                ExceptionKind::deserialize(de::value::StrDeserializer::new(text))
            }
        }
        deserializer.deserialize_str(Text)
    }
}
