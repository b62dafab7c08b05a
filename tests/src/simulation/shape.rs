//! The flows, people and systems of a world; as configuration, and as the oracle knows them.

use meshline_core::time::Span;
use serde_json::{Value, json};

use super::chance::Chance;

/// The people; the last one has no address.
pub(super) const PEOPLE: [&str; 5] = ["ana", "ben", "cara", "dan", "eve"];

/// A world's configuration.
pub(super) struct Shape {
    pub(super) flows: Vec<FlowShape>,
}

/// A flow.
pub(super) struct FlowShape {
    pub(super) id: String,
    /// How long the owner has to acknowledge.
    pub(super) within: Option<Span>,
    pub(super) outcomes: Vec<OutcomeShape>,
    /// The content check that outcomes wait for.
    pub(super) checked: bool,
    /// When the steps of the ladder `breached` fire, after the deadline.
    pub(super) breached: Vec<Span>,
    pub(super) pause: bool,
    document: Value,
}

/// An outcome.
pub(super) struct OutcomeShape {
    pub(super) id: String,
    pub(super) sla: Span,
    pub(super) after: Vec<String>,
    pub(super) manual: bool,
}

impl Shape {
    pub(super) fn draw(chance: &mut Chance) -> Self {
        let count = 1 + chance.below(3);
        Self { flows: (0..count).map(|n| FlowShape::draw(chance, n)).collect() }
    }

    pub(super) fn flow(&self, id: &str) -> Option<&FlowShape> {
        self.flows.iter().find(|flow| flow.id == id)
    }

    /// All documents; JSON is YAML. `automation` is the address of the execution layer.
    pub(super) fn yaml(&self, automation: &str) -> String {
        let people = PEOPLE.map(|id| match id {
            "eve" => json!({"id": id, "name": id}),
            _ => json!({"id": id, "name": id, "email": format!("{id}@example.com")}),
        });
        let roles = json!([
            {"id": "owners", "members": ["ana", "ben"]},
            {"id": "backups", "members": ["cara", "dan"]},
        ]);
        let source = |id: &str| {
            json!({
                "kind": "Source", "id": id, "provider": "generic", "secrets": ["forms-token"],
                "verify": {"scheme": "token", "header": "x-forms-token"}, "subject": "${data.asset}",
                "event_id": "${data.delivery}", "type": "${data.event}",
            })
        };
        let channels = json!([{"id": "automation", "kind": "webhook", "url": automation}]);
        let mut documents = vec![
            json!({"kind": "Directory", "people": people, "roles": roles, "channels": channels}),
            source("cms"),
            source("crm"),
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
        let pause = chance.one_in(3);
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
        if checked {
            flow["qa"] = json!({"content": [{"id": "editorial", "pass_when": "manual", "within": "6h"}]});
        }
        if pause {
            flow["pause"] = json!({"budget": "20h"});
        }
        Self { id, within, outcomes, checked, breached, pause, document: flow }
    }
}

impl OutcomeShape {
    fn draw(chance: &mut Chance, n: u64) -> Self {
        let id = format!("o{n}");
        let sla = chance.one_of([Span::minutes(30), Span::hours(4), Span::hours(26), Span::days(5)]);
        let after = (0..n).filter(|_| chance.one_in(2)).map(|before| format!("o{before}")).collect();
        Self { id, sla, after, manual: chance.one_in(4) }
    }

    fn document(&self, flow: &str) -> Value {
        let Self { id, sla, after, manual } = self;
        let event = |what: &str| json!({"source": ["crm"], "type": [format!("{flow}.{id}.{what}")]});
        let mut document = json!({
            "id": id, "sla": sla, "warn_at": "75%", "after": after, "failed_when": event("failed"),
            "done_when": if *manual { json!("manual") } else { event("done") },
        });
        if !manual {
            document["request"] = json!({"channel": "automation", "payload": {"asset": "${subject}"}});
        }
        document
    }
}
