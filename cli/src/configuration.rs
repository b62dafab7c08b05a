//! `plan` and `apply`: configuration files, checked and put in force.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use clap::Args;
use meshline_core::config::{Action, Change, File};
use serde::Deserialize;
use serde_json::json;

use crate::client::Client;
use crate::failure::{Exit, Failure};
use crate::screen::Screen;
use crate::show;

/// How deep folders are looked through.
const MAX_DEPTH: usize = 16;

/// Arguments of `plan` and `apply`.
#[derive(Debug, Args)]
pub(crate) struct Files {
    /// A folder, of which every *.yaml and *.yml below is read, hidden ones left out; a file; or `-` for standard input
    #[arg(value_name = "DIR")]
    path: PathBuf,
}

/// What the API answers.
#[derive(Debug, Deserialize)]
struct Planned {
    applied: bool,
    generation: u64,
    changes: Vec<Change>,
    #[serde(default)]
    notes: Vec<Note>,
}

/// Something to be known of a document.
#[derive(Debug, Deserialize)]
struct Note {
    kind: String,
    id: String,
    text: String,
}

/// Sends the files, to be planned only or to be applied.
pub(crate) async fn put(
    client: &Client,
    args: &Files,
    is_plan: bool,
    screen: &Screen,
) -> Result<Exit, Failure> {
    let files = files(&args.path)?;
    let query = [("dry_run", is_plan.then_some("true"))];
    let answer = client.put(&["v1", "config"], &query, &json!({"files": files})).await?;
    if screen.is_json() {
        screen.document(&answer.read("the plan")?)?;
        return Ok(Exit::Done);
    }
    let planned: Planned = answer.read("the plan")?;
    screen.text(&show_plan(&planned))?;
    Ok(Exit::Done)
}

fn show_plan(planned: &Planned) -> String {
    let mut lines = Vec::new();
    let (mut added, mut updated, mut unchanged) = (0, 0, 0);
    for change in &planned.changes {
        let (mark, counter) = match change.action {
            Action::Add => ('+', &mut added),
            Action::Update => ('~', &mut updated),
            Action::Unchanged => ('=', &mut unchanged),
        };
        *counter += 1;
        lines.push(format!("{mark} {} {}, version {}", change.kind.as_str(), change.id, change.version));
        lines.extend(change.diff.iter().map(|line| format!("    {line}")));
    }
    lines.extend(planned.notes.iter().map(|note| format!("! {} {}: {}", note.kind, note.id, note.text)));
    let counts = format!("{added} added, {updated} updated, {unchanged} unchanged");
    lines.push(if planned.applied {
        format!("applied as generation {}: {counts}", planned.generation)
    } else {
        format!("planned on generation {}, not applied: {counts}", planned.generation)
    });
    lines.iter().map(|line| show::clean(line) + "\n").collect()
}

/// The files that `path` stands for, sorted by name.
pub(crate) fn files(path: &Path) -> Result<Vec<File>, Failure> {
    if path == Path::new("-") {
        let mut text = String::new();
        io::stdin().read_to_string(&mut text).map_err(|error| unreadable(path, &error))?;
        return Ok(vec![File { name: "-".to_owned(), text }]);
    }
    let mut paths = Vec::new();
    if fs::metadata(path).map_err(|error| unreadable(path, &error))?.is_dir() {
        collect(path, 0, &mut paths)?;
        paths.sort();
    } else {
        paths.push(path.to_owned());
    }
    if paths.is_empty() {
        return Err(Failure::Usage(format!("there is no *.yaml or *.yml below `{}`", path.display())));
    }
    let file = |path: &PathBuf| {
        let text = fs::read_to_string(path).map_err(|error| unreadable(path, &error))?;
        Ok(File { name: path.display().to_string(), text })
    };
    paths.iter().map(file).collect()
}

/// Collects the YAML files below a folder. A link is followed to a file, never to a folder: no loops.
fn collect(folder: &Path, depth: usize, paths: &mut Vec<PathBuf>) -> Result<(), Failure> {
    if depth > MAX_DEPTH {
        return Err(Failure::Usage(format!("`{}` is more than {MAX_DEPTH} folders deep", folder.display())));
    }
    for entry in fs::read_dir(folder).map_err(|error| unreadable(folder, &error))? {
        let entry = entry.map_err(|error| unreadable(folder, &error))?;
        let path = entry.path();
        let kind = entry.file_type().map_err(|error| unreadable(&path, &error))?;
        if entry.file_name().to_string_lossy().starts_with('.') {
            continue;
        }
        if kind.is_dir() {
            collect(&path, depth + 1, paths)?;
        } else if path.extension().is_some_and(|ext| ext == "yaml" || ext == "yml") && path.is_file() {
            paths.push(path);
        }
    }
    Ok(())
}

fn unreadable(path: &Path, error: &io::Error) -> Failure {
    Failure::Usage(format!("cannot read `{}`: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use meshline_core::config::Kind;

    #[test]
    fn a_folder_is_its_yaml_files_in_order() {
        let folder = std::env::temp_dir().join(format!("meshline-plan-{}", std::process::id()));
        fs::create_dir_all(folder.join("sub")).unwrap();
        fs::create_dir_all(folder.join(".hidden")).unwrap();
        for name in ["b.yaml", "a.yml", "notes.md", "sub/c.yaml", ".hidden/d.yaml"] {
            fs::write(folder.join(name), name).unwrap();
        }
        let found = files(&folder).unwrap();
        let one = files(&folder.join("notes.md")).unwrap();
        fs::remove_dir_all(&folder).unwrap();
        let texts: Vec<&str> = found.iter().map(|file| file.text.as_str()).collect();
        assert_eq!(texts, ["a.yml", "b.yaml", "sub/c.yaml"]);
        assert!(found.iter().all(|file| Path::new(&file.name).starts_with(&folder)));
        assert_eq!(one.len(), 1, "a file that is named is read, whatever its name");
        assert!(matches!(files(&folder), Err(Failure::Usage(_))));
    }

    #[test]
    fn a_plan_shows_what_differs() {
        let change = |id: &str, action, version, diff: &[&str]| Change {
            kind: Kind::Flow,
            id: id.to_owned(),
            action,
            version,
            hash: String::new(),
            diff: diff.iter().map(|line| (*line).to_owned()).collect(),
            document: json!(null),
        };
        let changes = vec![
            change("blog-launch", Action::Update, 4, &["outcomes[0].sla: \"2h\" -> \"4h\""]),
            change("webinar", Action::Add, 1, &[]),
            change("old", Action::Unchanged, 2, &[]),
        ];
        insta::assert_snapshot!(show_plan(&Planned { applied: false, generation: 3, changes, notes: Vec::new() }), @r#"
        ~ flow blog-launch, version 4
            outcomes[0].sla: "2h" -> "4h"
        + flow webinar, version 1
        = flow old, version 2
        planned on generation 3, not applied: 1 added, 1 updated, 1 unchanged
        "#);
    }
}
