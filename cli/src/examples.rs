//! Examples: how each command is called, at the end of its `--help`.

use clap::Command;

/// A command by its path, and lines that call it.
const EXAMPLES: [(&str, &[&str]); 51] = [
    ("up", &["meshline up --demo", "meshline up --config flows --data .meshline --port 8080"]),
    ("init", &["meshline init flows"]),
    ("plan", &["meshline plan flows"]),
    ("apply", &["meshline apply flows --as ana", "cat flows/*.yaml | meshline apply -"]),
    (
        "schema",
        &["meshline schema > meshline.schema.json", "meshline schema openapi > meshline.openapi.json"],
    ),
    ("runs", &["meshline runs --overdue --owner ben", "meshline runs --all --json | jq '.items[].run'"]),
    ("run", &["meshline run show RUN"]),
    ("run show", &["meshline run show RUN"]),
    ("ack", &["meshline ack RUN --as ana"]),
    ("reassign", &["meshline reassign RUN --to role:revops --reason 'on leave'"]),
    ("complete", &["meshline complete RUN sales-deck --evidence https://drive.example.com/deck"]),
    ("fail", &["meshline fail RUN crm-tag --reason 'the workflow is switched off'"]),
    ("check", &["meshline check pass RUN editorial"]),
    ("check pass", &["meshline check pass RUN editorial --evidence https://docs.example.com/checklist"]),
    ("check fail", &["meshline check fail RUN editorial --reason 'two typing errors'"]),
    ("exception", &["meshline exception open RUN --reason 'the deck is of last year'"]),
    (
        "exception open",
        &["meshline exception open RUN --outcome sales-deck --reason 'the deck is of last year'"],
    ),
    (
        "resolve",
        &[
            "meshline resolve RUN x5 --resolution 'tagged by hand' --evidence https://crm.example.com/1",
            "meshline resolve flow:lead-form EXCEPTION --resolution 'ben is back'",
        ],
    ),
    ("pause", &["meshline pause RUN --reason 'legal looks at it'"]),
    ("resume", &["meshline resume RUN"]),
    ("note", &["meshline note RUN 'called the customer'"]),
    ("cancel", &["meshline cancel RUN --reason 'published by mistake'"]),
    ("close", &["meshline close RUN --reason 'done elsewhere'"]),
    ("exceptions", &["meshline exceptions --status open", "meshline exceptions --flow lead-form --all"]),
    ("flows", &["meshline flows", "meshline flows lead-form --version 1 > lead-form.json"]),
    ("audit", &["meshline audit show RUN", "meshline audit verify --since 2026-11-01"]),
    ("audit show", &["meshline audit show RUN", "meshline audit show RUN --jsonl > trail.jsonl"]),
    (
        "audit verify",
        &[
            "meshline audit verify RUN",
            "meshline audit verify --file trail.jsonl",
            "meshline audit verify --since 2026-11-01 --public-key key.pem",
        ],
    ),
    ("audit export", &["meshline audit export --since 2026-11-01 --until 2026-11-30 --out november.jsonl"]),
    ("audit key", &["meshline audit key > key.pem"]),
    ("timeline", &["meshline timeline contentful:5KsDBWseXY6"]),
    (
        "report",
        &[
            "meshline report --flow lead-form --from 2026-11-01 --to 2026-12-01",
            "meshline report --html > report.html",
        ],
    ),
    ("checklist", &["meshline checklist lead-form"]),
    ("postmortem", &["meshline postmortem lead-form --from 2026-11-01 --to 2026-11-08 > draft.md"]),
    ("calendar", &["meshline calendar explain --flow blog-launch --sla '2 business days'"]),
    ("calendar explain", &["meshline calendar explain --flow blog-launch --sla crm-tag --from 2026-12-23"]),
    ("rotation", &["meshline rotation --turns 8", "meshline rotation accept product-marketing --as ana"]),
    ("rotation accept", &["meshline rotation accept product-marketing --as ana"]),
    (
        "replay",
        &[
            "meshline replay RUN",
            "meshline replay --source forms --from 2026-11-23 --to 2026-11-24 --dry-run",
        ],
    ),
    ("whatif", &["meshline whatif --flow flows/lead-form.yaml --last 20"]),
    ("rejections", &["meshline rejections --limit 20"]),
    ("source", &["meshline source providers", "meshline source add ghost"]),
    ("source providers", &["meshline source providers --markdown"]),
    ("source add", &["meshline source add sanity --id website --url https://meshline.example.com"]),
    ("source test", &["meshline source test ghost"]),
    ("webhook", &["meshline webhook check tests/fixtures/vectors.json"]),
    ("webhook check", &["meshline webhook check tests/fixtures/vectors.json --provider hubspot"]),
    ("doctor", &["meshline doctor", "meshline doctor --json | jq '.checks[] | select(.status != \"ok\")'"]),
    ("watch", &["meshline watch"]),
    ("completions", &["meshline completions bash > ~/.local/share/bash-completion/completions/meshline"]),
    ("man", &["meshline man | man -l -", "meshline man --dir ~/.local/share/man/man1"]),
];

/// The command with an example at the end of the help of each command below it.
pub(crate) fn added(command: Command) -> Command {
    below(command, "")
}

fn below(command: Command, path: &str) -> Command {
    command.mut_subcommands(|it| {
        let path = format!("{path} {}", it.get_name()).trim_start().to_owned();
        let it = match EXAMPLES.iter().find(|(name, _)| *name == path) {
            Some((_, lines)) => {
                let more = it.get_after_help().map(|text| format!("\n\n{text}")).unwrap_or_default();
                it.after_help(format!("Examples:\n  {}{more}", lines.join("\n  ")))
            }
            None => it,
        };
        below(it, &path)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every command below, by its path, with the end of its help.
    fn help(command: &Command, path: &str) -> Vec<(String, String)> {
        let each = command.get_subcommands().flat_map(|it| {
            let path = format!("{path} {}", it.get_name()).trim_start().to_owned();
            let end = it.get_after_help().map(ToString::to_string).unwrap_or_default();
            [vec![(path.clone(), end)], help(it, &path)].concat()
        });
        each.collect()
    }

    /// The words of a line as a shell sees them, up to where its output goes.
    fn words(line: &str) -> Vec<String> {
        let mut words = Vec::new();
        for (n, part) in line.split('\'').enumerate() {
            if n % 2 == 1 {
                words.push(part.to_owned());
            } else {
                words.extend(part.split_whitespace().map(str::to_owned));
            }
        }
        words.into_iter().take_while(|word| word != "|" && word != ">").collect()
    }

    #[test]
    fn every_command_has_examples_of_itself_that_are_understood() {
        let all = help(&crate::arguments(), "");
        assert_eq!(all.len(), EXAMPLES.len(), "each example is of a command that there is");
        for (path, end) in all {
            let lines = end.strip_prefix("Examples:\n").unwrap_or_default().lines();
            let lines: Vec<&str> = lines.take_while(|line| !line.is_empty()).map(str::trim).collect();
            assert!(!lines.is_empty(), "`{path}` has no example");
            for line in lines {
                let line = line
                    .rsplit_once(" | meshline")
                    .map_or(line.to_owned(), |(_, it)| format!("meshline{it}"));
                assert!(line.starts_with(&format!("meshline {path}")), "{path}: {line}");
                let parsed = crate::arguments().try_get_matches_from(words(&line));
                assert!(parsed.is_ok(), "{line}: {}", parsed.unwrap_err());
            }
        }
    }
}
