//! The arrows between the crates (docs/ARCHITECTURE.md): what may depend on what.

#[path = "structure/documents.rs"]
mod documents;

use std::collections::BTreeSet;
use std::process::Command;

use meshline_core::api::{Function, Route};

/// The names of the packages that `package` is built from.
fn tree(package: &str) -> BTreeSet<String> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let output = Command::new(cargo)
        .args([
            "tree",
            "--offline",
            "--prefix",
            "none",
            "--edges",
            "normal",
            "--format",
            "{p}",
            "-p",
            package,
        ])
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8(output.stdout).expect("UTF-8");
    lines.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect()
}

fn ours(package: &str) -> BTreeSet<String> {
    tree(package).into_iter().filter(|name| name.starts_with("meshline") && name != package).collect()
}

fn names(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

const FUNCTIONS: [&str; 7] = [
    "meshline-ingest",
    "meshline-route",
    "meshline-sla-check",
    "meshline-relay",
    "meshline-notify",
    "meshline-ops-api",
    "meshline-report",
];

#[test]
fn the_core_and_the_sources_are_pure() {
    for package in ["meshline-core", "meshline-sources"] {
        for name in tree(package) {
            let impure = name.starts_with("aws-")
                || ["tokio", "hyper", "lambda_runtime", "reqwest"].contains(&name.as_str());
            assert!(!impure, "{package} is built from {name}");
        }
    }
    assert_eq!(ours("meshline-core"), names(&[]));
    assert_eq!(ours("meshline-sources"), names(&["meshline-core"]));
}

#[test]
fn a_function_depends_on_no_other_function_and_on_no_emulator() {
    let allowed = names(&["meshline-aws", "meshline-core", "meshline-sources"]);
    for function in FUNCTIONS {
        assert!(ours(function).is_subset(&allowed), "{function}: {:?}", ours(function));
        for name in tree(function) {
            let emulator = name.starts_with("dynoxide")
                || name.starts_with("rustack")
                || name == "axum"
                || name == "rusqlite";
            assert!(!emulator, "{function} is built from {name}");
        }
    }
    assert_eq!(ours("meshline-aws"), names(&["meshline-core"]));
}

/// `cargo run -p meshline` is what a newcomer waits for.
#[test]
fn the_tool_is_built_without_the_clients_of_the_deployed_vault() {
    for name in tree("meshline") {
        assert!(!["aws-sdk-s3", "aws-sdk-kms"].contains(&name.as_str()), "meshline is built from {name}");
    }
}

/// The emulated tables are the deployed ones: template.yaml names every index with the same key.
#[test]
fn the_local_tables_are_those_of_the_template() {
    let template = include_str!("../template.yaml");
    let squeezed: String = template.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut indexes = 0;
    for table in meshline_local::tables::tables() {
        for index in table.indexes {
            indexes += 1;
            let (_, after) = squeezed
                .split_once(&format!("IndexName: {} ", index.name))
                .or_else(|| squeezed.split_once(&format!("IndexName: {},", index.name)))
                .unwrap_or_else(|| panic!("template.yaml has no index `{}`", index.name));
            let definition = after.split("IndexName:").next().unwrap_or_default();
            for attribute in [index.key.pk, index.key.sk] {
                let named = format!("AttributeName: {attribute}");
                assert!(definition.contains(&named), "`{}` has not the key `{attribute}`", index.name);
            }
            let projection = format!("ProjectionType: {}", index.projection.as_str());
            assert!(definition.contains(&projection), "`{}` does not project {projection}", index.name);
        }
    }
    assert_eq!(
        squeezed.matches("IndexName:").count(),
        indexes,
        "the template has an index that is not emulated"
    );
}

/// Every route of the API leads to the function that answers it: of the routes of template.yaml that fit, the one with
/// the fewest free places counts, and a method before `ANY`.
#[test]
fn the_template_leads_every_route_to_its_function() {
    let template = include_str!("../template.yaml");
    let routes: Vec<(&str, &str, &str)> = template
        .lines()
        .filter_map(|line| {
            let (_, after) = line.split_once("RouteKey: ")?;
            let key = after.split(", ").next()?.trim_matches('"');
            let (_, target) = line.split_once("integrations/${")?;
            let (method, path) = key.split_once(' ')?;
            Some((method, path, target.split('}').next()?))
        })
        .collect();
    let fits = |path: &str, address: &str| match path.split_once("/{proxy+}") {
        Some((before, _)) => address.starts_with(&format!("{before}/")),
        None => path == address,
    };
    for route in Route::ALL {
        let (method, address) = (route.method(), route.address());
        let found =
            routes.iter().filter(|(by, path, _)| (*by == method || *by == "ANY") && fits(path, address));
        let most_precise = found.max_by_key(|(by, path, _)| (!path.contains('+'), path.len(), *by == method));
        let expected = match route.function() {
            Function::Ingest => "HooksIntegration",
            Function::OpsApi => "OpsIntegration",
            Function::Report => "ReportIntegration",
        };
        assert_eq!(most_precise.map(|(_, _, target)| *target), Some(expected), "{method} {address}");
    }
}
