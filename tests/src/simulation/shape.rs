//! The flows, people and systems of a world; as configuration, and as the oracle knows them.

use std::collections::BTreeMap;

use meshline_core::run::Run;
use meshline_core::time::{Span, Time};
use serde_json::{Value, json};

use super::chance::Chance;

/// The day on which the office is closed.
const HOLIDAY: &str = "2026-12-01";
/// The people; the last one has no address.
pub(super) const PEOPLE: [&str; 5] = ["ana", "ben", "cara", "dan", "eve"];

/// A world's configuration.
pub(super) struct Shape {
    /// The flows in force.
    pub(super) flows: Vec<FlowShape>,
    /// The first member of the role `owners` changes each week.
    rotates: bool,
    /// Every version that ever was in force.
    versions: BTreeMap<(String, u32), FlowShape>,
}

/// A flow.
#[derive(Clone)]
pub(super) struct FlowShape {
    pub(super) id: String,
    /// How long the owner has to acknowledge.
    pub(super) within: Option<Span>,
    /// How long an acknowledgement holds without progress.
    pub(super) lease: Option<Span>,
    pub(super) outcomes: Vec<OutcomeShape>,
    /// The content check that outcomes wait for.
    pub(super) checked: bool,
    /// Whether a routing check holds up its end.
    pub(super) routed: bool,
    /// When the steps of the ladder `breached` fire, after the deadline.
    pub(super) breached: Vec<Span>,
    pub(super) pause: bool,
    document: Value,
}

/// An outcome.
#[derive(Clone)]
pub(super) struct OutcomeShape {
    pub(super) id: String,
    pub(super) sla: Span,
    /// Only time counts at which [`is_open`] says so.
    pub(super) business: bool,
    pub(super) after: Vec<String>,
    pub(super) manual: bool,
}

impl Shape {
    pub(super) fn draw(chance: &mut Chance) -> Self {
        let count = 1 + chance.below(3);
        let flows: Vec<FlowShape> = (0..count).map(|n| FlowShape::draw(chance, n)).collect();
        Self { flows, rotates: chance.one_in(3), versions: BTreeMap::new() }
    }

    /// Thinks one of the flows out anew.
    pub(super) fn redraw(&mut self, chance: &mut Chance) {
        let n = chance.below(self.flows.len() as u64);
        self.flows[n as usize] = FlowShape::draw(chance, n);
    }

    /// What is in force has these versions.
    pub(super) fn is_applied(&mut self, version: impl Fn(&str) -> u32) {
        let versions = self.flows.iter().map(|flow| ((flow.id.clone(), version(&flow.id)), flow.clone()));
        self.versions.extend(versions);
    }

    /// The flow of a run, as it was when the run was opened.
    pub(super) fn flow(&self, run: &Run) -> Option<&FlowShape> {
        self.versions.get(&(run.flow.clone(), run.flow_version))
    }

    /// All documents; JSON is YAML. `automation` is the address of the execution layer.
    pub(super) fn yaml(&self, automation: &str) -> String {
        let people = PEOPLE.map(|id| match id {
            "eve" => json!({"id": id, "name": id}),
            _ => json!({"id": id, "name": id, "email": format!("{id}@example.com")}),
        });
        let mut roles = json!([
            {"id": "owners", "members": ["ana", "ben"]},
            {"id": "backups", "members": ["cara", "dan"]},
        ]);
        if self.rotates {
            roles[0]["rotate"] = json!({"every": "week", "starting": "2026-11-02", "timezone": "UTC"});
        }
        let source = |id: &str| {
            json!({
                "kind": "Source", "id": id, "provider": "generic", "secrets": ["forms-token"],
                "verify": {"scheme": "token", "header": "x-forms-token"}, "subject": "${data.about}",
                "event_id": "${data.delivery}", "type": "${data.event}", "aliases": ["contact:${data.contact}"],
            })
        };
        let channels = json!([{"id": "automation", "kind": "webhook", "url": automation}]);
        let mut documents = vec![
            json!({"kind": "Directory", "people": people, "roles": roles, "channels": channels}),
            source("cms"),
            source("crm"),
            json!({
                "kind": "Calendar", "id": "office", "timezone": "UTC", "known_until": "2027-12-31",
                "hours": {"mon-fri": ["09:00-17:00"]}, "holidays": [HOLIDAY],
            }),
        ];
        documents.extend(self.flows.iter().map(|flow| flow.document.clone()));
        let documents: Vec<String> = documents.iter().map(Value::to_string).collect();
        documents.join("\n---\n")
    }
}

impl FlowShape {
    fn draw(chance: &mut Chance, n: u64) -> Self {
        let id = format!("flow-{n}");
        let within =
            chance.one_of([None, Some(Span::minutes(30)), Some(Span::hours(4)), Some(Span::days(1))]);
        let outcomes: Vec<OutcomeShape> =
            (0..=chance.below(3)).map(|n| OutcomeShape::draw(chance, n)).collect();
        let checked = chance.one_in(4);
        let routed = chance.one_in(5);
        let pause = chance.one_in(3);
        let lease = chance
            .one_of([None, None, Some(Span::hours(5)), Some(Span::days(2))])
            .filter(|_| within.is_some());
        let mut breached = vec![Span::ZERO];
        if chance.one_in(2) {
            breached.push(chance.one_of([Span::hours(2), Span::days(2)]));
        }
        let mut flow = json!({
            "kind": "Flow", "id": id, "title": id, "owner": "role:owners", "backup_owner": "role:backups",
            "trigger": {
                "source": "cms", "match": {"type": [format!("{id}.publish"), "all.publish"]},
                "cancel_on": {"type": [format!("{id}.unpublish")]},
                "on_retrigger": chance.one_of(["join", "join", "restart", "new"]),
            },
            "outcomes": outcomes.iter().map(|outcome| outcome.document(&id)).collect::<Vec<_>>(),
            "escalation": {
                "breached": breached.iter().enumerate().map(|(n, after)| json!({
                    "after": after, "notify": [if n == 0 { "owner" } else { chance.one_of(["role:backups", "person:dan"]) }],
                })).collect::<Vec<_>>(),
            },
        });
        if let Some(within) = within {
            flow["acknowledge"] = json!({"within": within, "notify": ["owner"]});
        }
        if let Some(lease) = lease {
            flow["acknowledge"]["lease"] = json!(lease);
        }
        if checked {
            flow["qa"]["content"] = json!([{"id": "editorial", "pass_when": "manual", "within": "6h"}]);
        }
        if routed {
            flow["qa"]["routing"] = json!([{"id": "attribution", "pass_when": "manual", "within": "3h"}]);
        }
        if outcomes.iter().any(|outcome| outcome.business) {
            flow["calendar"] = json!("office");
        }
        if chance.one_in(4) {
            flow["expect"] = json!({"at_least_every": chance.one_of(["8h", "3d"])});
        }
        if pause {
            flow["pause"] = json!({"budget": "20h"});
        }
        Self { id, within, lease, outcomes, checked, routed, breached, pause, document: flow }
    }
}

impl OutcomeShape {
    fn draw(chance: &mut Chance, n: u64) -> Self {
        let id = format!("o{n}");
        let sla = chance.one_of([Span::minutes(30), Span::hours(4), Span::hours(26), Span::days(5)]);
        let after = (0..n).filter(|_| chance.one_in(2)).map(|before| format!("o{before}")).collect();
        let business = chance.one_in(4);
        Self { id, sla, business, after, manual: chance.one_in(4) }
    }

    fn document(&self, flow: &str) -> Value {
        let Self { id, sla, business, after, manual } = self;
        let event = |what: &str| json!({"source": ["crm"], "type": [format!("{flow}.{id}.{what}")]});
        let mut document = json!({
            "id": id, "sla": if *business { json!(format!("{} business minutes", sla.ms() / 60_000)) } else { json!(sla) }, "warn_at": "75%", "after": after, "failed_when": event("failed"),
            "done_when": if *manual { json!("manual") } else { event("done") },
        });
        if !manual {
            document["request"] = json!({"channel": "automation", "payload": {"asset": "${subject}"}});
        }
        document
    }
}

/// Whether the office is open: Monday to Friday from nine to five.
pub(super) fn is_open(at: Time) -> bool {
    let (days, hour) = (at.unix_ms().div_euclid(86_400_000), at.unix_ms().rem_euclid(86_400_000) / 3_600_000);
    // 1970-01-01 was a Thursday.
    let weekday = (days + 3).rem_euclid(7);
    weekday < 5 && (9..17).contains(&hour) && !at.to_string().starts_with(HOLIDAY)
}
