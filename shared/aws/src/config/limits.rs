//! What one application of a configuration can hold at most, because DynamoDB stores it at once.

use meshline_core::config::{Action, Change, Config, Kind, Plan};

use super::{PLAIN_BYTES, entries};
use crate::packed;

/// A transaction takes a hundred items: three for a flow, four if it expects triggers, one for each rotation that
/// begins, one for anything else, one for the index.
const MAX_ITEMS: usize = 100;
/// A transaction takes 4 MB; less room for records and keys.
const MAX_BYTES: usize = 3_500 * 1024;

/// Why a plan changes more than one transaction can, or makes more than can be stored; `None` when it does not.
pub fn too_large(before: &Config, plan: &Plan) -> Option<String> {
    too_many(before, plan).or_else(|| too_long(plan))
}

fn changed(plan: &Plan) -> impl Iterator<Item = &Change> {
    plan.changes.iter().filter(|change| change.action != Action::Unchanged)
}

fn too_many(before: &Config, plan: &Plan) -> Option<String> {
    let expects = |id: &str| plan.next.flows.get(id).is_some_and(|flow| flow.document.expect.is_some());
    let items = changed(plan).fold(1, |items, change| match change.kind {
        Kind::Flow => items + 3 + usize::from(expects(&change.id)),
        Kind::Directory => items + 1 + plan.next.people().begun(&before.people()).count(),
        Kind::Source | Kind::Calendar => items + 1,
    });
    let why =
        || format!("{items} items would change at once, at most {MAX_ITEMS} can: apply fewer documents");
    (items > MAX_ITEMS).then(why)
}

fn too_long(plan: &Plan) -> Option<String> {
    let most = packed::MAX_STORED_BYTES;
    let stored =
        |text: &str| packed::pack("document", text, PLAIN_BYTES).map(|packed| packed::bytes(&packed));
    let index = stored(&entries(&plan.next)).ok()?;
    if index > most {
        return Some(format!(
            "the list of all documents would take {index} bytes, at most {most} can be stored: there are too many flows"
        ));
    }
    let mut total = index;
    for change in changed(plan) {
        let bytes = stored(&change.document.to_string()).ok()?;
        if bytes > most {
            let (kind, id) = (change.kind.as_str(), &change.id);
            return Some(format!(
                "the {kind} `{id}` would take {bytes} bytes, compressed, at most {most} can be stored: make it smaller"
            ));
        }
        total += bytes;
    }
    let why =
        || format!("{total} bytes would change at once, at most {MAX_BYTES} can: apply fewer documents");
    (total > MAX_BYTES).then(why)
}
