//! docs/SECURITY.md and docs/DEPENDENCIES.md say what is there: every test that proves a claim, every crate that is relied on. And
//! what deny.toml says of licences and of who may name a crate, for machines that have no `cargo deny`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
const SECURITY: &str = include_str!("../../docs/SECURITY.md");
const DEPENDENCIES: &str = include_str!("../../docs/DEPENDENCIES.md");
const DENY: &str = include_str!("../../deny.toml");
/// What is deployed, and with which features.
const DEPLOYED: [(&str, &[&str]); 7] = [
    ("meshline-ingest", &[]),
    ("meshline-route", &[]),
    ("meshline-sla-check", &[]),
    ("meshline-relay", &[]),
    ("meshline-notify", &["--features", "meshline-notify/lambda"]),
    ("meshline-ops-api", &[]),
    ("meshline-report", &["--features", "meshline-report/lambda"]),
];

fn cargo(arguments: &[&str]) -> String {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let output =
        Command::new(cargo).args(arguments).arg("--offline").current_dir(ROOT).output().expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}

fn packages(arguments: &[&str]) -> Vec<Value> {
    let metadata = cargo(&[&["metadata", "--format-version", "1"], arguments].concat());
    let metadata: Value = serde_json::from_str(&metadata).expect("JSON");
    metadata["packages"].as_array().expect("packages").clone()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// Names and versions of the crates of others that the functions are built from.
fn deployed() -> BTreeSet<String> {
    let tree = |(package, features): (&str, &[&str])| {
        let target = ["--target", "aarch64-unknown-linux-gnu"];
        let how = ["tree", "--edges", "normal", "--prefix", "none", "--format", "{p}", "-p", package];
        cargo(&[&how, &target[..], features].concat())
    };
    let trees: String = DEPLOYED.into_iter().map(tree).collect();
    let lines = trees.lines().filter(|line| !line.is_empty() && !line.starts_with("meshline"));
    lines.map(|line| line.split(' ').take(2).collect::<Vec<_>>().join(" ")).collect()
}

/// Every file of the tree that may have tests.
fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        if path.is_dir()
            && !name.starts_with('.')
            && !["target", "node_modules", "fixtures"].contains(&name.as_str())
        {
            files(&path, found);
        } else if [".rs", ".py", ".js"].iter().any(|end| name.ends_with(end)) {
            found.push(path);
        }
    }
}

/// The tests that SECURITY.md names, as `file::test`.
fn named() -> Vec<(&'static str, &'static str)> {
    let quoted = SECURITY.split('`').skip(1).step_by(2);
    quoted.filter_map(|text| text.split_once("::")).collect()
}

#[test]
fn every_test_that_the_security_document_names_exists() {
    let mut all = Vec::new();
    for folder in ["tests", "shared", "functions", "cli"] {
        files(&Path::new(ROOT).join(folder), &mut all);
    }
    assert!(named().len() > 60, "it names {} tests", named().len());
    for (file, test) in named() {
        let wanted = match Path::new(file).extension().and_then(|end| end.to_str()) {
            Some("rs") => format!("fn {test}("),
            Some("py") => format!("def {test}("),
            Some("js") => format!("test(\"{test}\""),
            _ => panic!("`{file}::{test}`: what kind of file is that?"),
        };
        let of_that_name: Vec<&PathBuf> = all.iter().filter(|path| path.ends_with(file)).collect();
        let has_it = |path: &&PathBuf| std::fs::read_to_string(path).expect("a file").contains(&wanted);
        assert!(of_that_name.iter().any(has_it), "`{file}::{test}` is not in {of_that_name:?}");
    }
}

#[test]
fn every_security_test_proves_something_that_the_document_claims() {
    let mut all = Vec::new();
    files(&Path::new(ROOT).join("tests/local_stack/security"), &mut all);
    let named: BTreeSet<&str> = named().into_iter().map(|(_, test)| test).collect();
    for path in all {
        let source = std::fs::read_to_string(&path).expect("a file");
        let tests =
            source.split("#[tokio::test]\nasync fn ").skip(1).filter_map(|rest| rest.split('(').next());
        for test in tests {
            assert!(named.contains(test), "docs/SECURITY.md does not name `{test}` of {}", path.display());
        }
    }
}

/// The rows of DEPENDENCIES.md by crate: where it is used, and whether it is deployed.
fn listed() -> BTreeMap<&'static str, (&'static str, &'static str)> {
    let rows = DEPENDENCIES.lines().filter_map(|line| line.strip_prefix("| `"));
    let rows = rows.map(|row| row.trim_end_matches(" |").split(" | ").collect::<Vec<_>>());
    rows.map(|row| (row[0].trim_end_matches('`'), (row[row.len() - 2], row[row.len() - 1]))).collect()
}

#[test]
fn every_direct_dependency_is_listed_and_nothing_else() {
    let mut used: BTreeMap<String, [BTreeSet<String>; 2]> = BTreeMap::new();
    for package in packages(&["--no-deps"]) {
        let by = match text(&package["name"]) {
            "meshline" => "cli",
            name => name.trim_start_matches("meshline-"),
        };
        for dependency in package["dependencies"].as_array().expect("dependencies") {
            let name = text(&dependency["name"]);
            if !name.starts_with("meshline") {
                let kind = usize::from(dependency["kind"] == "dev");
                used.entry(name.to_owned()).or_default()[kind].insert(by.to_owned());
            }
        }
    }
    let deployed = deployed();
    let is_deployed = |name: &str| deployed.iter().any(|known| known.split(' ').next() == Some(name));
    let listed = listed();
    for (name, [normal, dev]) in &used {
        let joined = |names: &BTreeSet<String>| names.iter().cloned().collect::<Vec<_>>().join(", ");
        let dev = if dev.is_empty() { String::new() } else { format!("dev: {}", joined(dev)) };
        let by =
            [joined(normal), dev].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("; ");
        let is = if is_deployed(name) { "yes" } else { "no" };
        let row = format!("docs/DEPENDENCIES.md needs | `{name}` | … | … | {by} | {is} |");
        assert_eq!(listed.get(name.as_str()), Some(&(by.as_str(), is)), "{row}");
    }
    let unused: Vec<&&str> = listed.keys().filter(|name| !used.contains_key(**name)).collect();
    assert!(unused.is_empty(), "docs/DEPENDENCIES.md lists what nobody uses: {unused:?}");
    let says = format!("**{}** crates", deployed.len());
    assert!(DEPENDENCIES.contains(&says), "docs/DEPENDENCIES.md says another number than {says}");
}

/// What deny.toml has in the brackets after `start`, or nothing where it has none.
fn bracketed<'t>(text: &'t str, start: &str) -> Vec<&'t str> {
    let inside = text.split_once(start).and_then(|(_, rest)| rest.split(']').next()).unwrap_or_default();
    inside.split('"').skip(1).step_by(2).collect()
}

#[test]
fn licences_and_bans_are_kept_where_there_is_no_cargo_deny() {
    let allowed = bracketed(DENY, "\nallow = [");
    assert!(allowed.contains(&"MIT"), "{allowed:?}");
    let platform = ["--filter-platform", "x86_64-unknown-linux-gnu"];
    let features = ["--features", "meshline-report/lambda,meshline-notify/lambda"];
    let packages = packages(&[&platform[..], &features].concat());
    for package in &packages {
        let licence = text(&package["license"]).replace(['(', ')'], "").replace('/', " OR ");
        let is_allowed = |part: &str| part.split(" AND ").all(|one| allowed.contains(&one.trim()));
        // Without brackets `A AND (B OR C)` reads `A AND B OR C`: what is refused wrongly is for a person to look at.
        assert!(licence.split(" OR ").any(is_allowed), "{}: `{licence}`", package["name"]);
    }
    let bans: Vec<&str> = DENY.lines().filter(|line| line.trim_start().starts_with("{ crate = ")).collect();
    assert!(bans.len() > 15, "{bans:?}");
    for ban in bans {
        let banned = ban.split('"').nth(1).unwrap_or_default();
        let wrappers = bracketed(ban, "wrappers = [");
        for package in &packages {
            let mut all = package["dependencies"].as_array().expect("dependencies").iter();
            let names_it =
                all.any(|it| it["name"] == banned && it["kind"].is_null() && it["optional"] == false);
            let name = text(&package["name"]);
            assert!(!names_it || wrappers.contains(&name), "{name} names `{banned}`: see deny.toml");
        }
    }
}
