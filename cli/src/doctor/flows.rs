//! Flows: in force and on, with people who are there, and with triggers that come.

use meshline_core::config::flow::ExceptionKind;
use meshline_core::rotation::RotationView;
use meshline_core::view::{ExceptionView, RunView};
use serde_json::{Value, json};

use super::{Finding, InForce, named};
use crate::client::{Client, Pages};
use crate::failure::Failure;
use crate::show;

/// Whether there are flows, and all are on.
pub(super) fn enabled(flows: &[InForce]) -> Finding {
    if flows.is_empty() {
        let mend = "`meshline init DIR` writes a first one, `meshline apply DIR` puts it in force";
        return Finding::problem("flows", "none is in force", mend);
    }
    let count = show::count(flows.len(), "flow");
    let off = flows.iter().filter(|flow| !flow.document.enabled).map(|flow| format!("`{}`", flow.id));
    let off: Vec<String> = off.collect();
    if off.is_empty() {
        return Finding::ok("flows", format!("{count} in force, all on"));
    }
    let seen = format!("{count} in force; nobody is told of what is off: {}", named(&off));
    Finding::warning("flows", seen, "write `enabled: true` and apply, once people shall be told")
}

/// Whether each flow would still be accepted as it is: its owner and backup are two reachable people of whom one is
/// there today and on each of the next 30 days, and its calendar knows the holidays. A plan of what is in force
/// proves that.
pub(super) async fn people(client: &Client, flows: &[InForce]) -> Result<Finding, Failure> {
    let file = |flow: &InForce| {
        let mut text = json!(flow.document);
        if let Some(members) = text.as_object_mut() {
            members.insert("kind".to_owned(), json!("Flow"));
        }
        json!({"name": flow.id, "text": text.to_string()})
    };
    let files: Vec<Value> = flows.iter().map(file).collect();
    let planned = client.put(&["v1", "config"], &[("dry_run", Some("true"))], &json!({"files": files})).await;
    let problems = match planned {
        Ok(_) => {
            let rotations = client.list(&["v1", "rotations"], &[("turns", Some("0"))], Pages::One).await?;
            return Ok(turns(&rotations.items("a rotation")?));
        }
        Err(Failure::Refused(refusal)) if !refusal.problems().is_empty() => refusal.problems(),
        Err(failure) => return Err(failure),
    };
    let told: Vec<String> = problems.iter().map(|it| format!("`{}`: {}", it.file, it.reason)).collect();
    let mut mends: Vec<String> = problems.into_iter().map(|it| it.mend).collect();
    mends.sort();
    mends.dedup();
    Ok(Finding::problem("people", named(&told), format!("{}, and apply", named(&mends))))
}

/// Whether those whose turn it is have taken over, where everybody is covered.
fn turns(rotations: &[RotationView]) -> Finding {
    let seen = "owners and backups cover today and the next 30 days";
    let open = rotations.iter().filter(|it| !it.accepted);
    let told: Vec<String> = open.map(|it| format!("`{}` ({})", it.role, it.incumbent)).collect();
    if told.is_empty() {
        return Finding::ok("people", seen);
    }
    let seen = format!("{seen}; turns that were not accepted: {}", named(&told));
    Finding::warning(
        "people",
        seen,
        "`meshline rotation accept ROLE --as PERSON`; the backup gets new runs until then",
    )
}

/// When each flow was triggered last, and whether one waits longer than it expects to.
pub(super) async fn triggers(
    client: &Client,
    flows: &[InForce],
    exceptions: &[ExceptionView],
) -> Result<Finding, Failure> {
    let (mut last, mut silent) = (Vec::new(), Vec::new());
    for InForce { id, document } in flows {
        let query = [("flow", Some(id.as_str())), ("limit", Some("1"))];
        let listed = client.list(&["v1", "runs"], &query, Pages::One).await?;
        let newest = listed.items::<RunView>("a run")?.into_iter().next();
        let came = newest.map_or_else(|| "none yet".to_owned(), |run| show::at(run.opened_at, listed.now));
        let is_silent = exceptions.iter().any(|it| it.flow == *id && it.kind == ExceptionKind::SilentTrigger);
        match &document.expect {
            Some(expect) if is_silent => {
                silent.push(format!("`{id}` expects one every {}: {came}", expect.at_least_every));
            }
            Some(_) | None => last.push(format!("`{id}` {came}")),
        }
    }
    Ok(if silent.is_empty() {
        Finding::ok("triggers", format!("the last runs were opened: {}", last.join("; ")))
    } else {
        let mend = "does the provider still send? Its webhook's log, then docs/RUNBOOK.md, \"A delivery that does nothing\"";
        Finding::problem("triggers", named(&silent), mend)
    })
}

#[cfg(test)]
mod tests {
    use super::super::Status;
    use super::*;

    #[test]
    fn a_turn_that_was_not_accepted_is_a_warning() {
        let rotation = |accepted: bool| -> RotationView {
            serde_json::from_value(json!({
                "role": "revops", "every": "week", "starting": "2026-11-02", "timezone": "Europe/Berlin",
                "incumbent": "ana", "turn_at": "2026-11-22T23:00:00.000Z", "accepted": accepted, "covers": "ben",
                "upcoming": []
            }))
            .unwrap()
        };
        assert_eq!(turns(&[rotation(true)]).status, Status::Ok);
        let finding = turns(&[rotation(true), rotation(false)]);
        assert_eq!(finding.status, Status::Warning);
        assert!(finding.seen.ends_with("; turns that were not accepted: `revops` (ana)"), "{}", finding.seen);
    }
}
