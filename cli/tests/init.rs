//! `meshline init`: a folder that plans clean, and that is never written over.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Output};

use meshline_core::config::{Config, File};

fn init(folder: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_meshline")).arg("init").arg(folder).output().unwrap()
}

fn files(folder: &Path) -> Vec<File> {
    let all = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let names = all.filter(|path| path.extension().is_some_and(|ext| ext == "yaml"));
    let file = |path: std::path::PathBuf| File {
        name: path.file_name().unwrap().to_string_lossy().into_owned(),
        text: std::fs::read_to_string(&path).unwrap(),
    };
    names.map(file).collect()
}

#[test]
fn a_new_folder_has_the_pilot_of_one_flow_and_plans_clean() {
    let folder = std::env::temp_dir().join(format!("meshline-init-{}", std::process::id()));
    let made = init(&folder);
    assert_eq!(made.status.code(), Some(0), "{}", String::from_utf8_lossy(&made.stderr));
    let written = files(&folder);
    for file in &written {
        // An editor finds the schema beside the file.
        let schema =
            file.text.lines().next().unwrap().strip_prefix("# yaml-language-server: $schema=").unwrap();
        let text = std::fs::read_to_string(folder.join(schema)).unwrap();
        let schema: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(schema, meshline_core::config::schema::documents());
    }
    // As the API asks the adapters.
    let of_source = |source: &_| {
        let problems = meshline_sources::problems(source).into_iter();
        problems.map(|problem| (problem.field.to_owned(), problem.reason, problem.mend)).collect()
    };
    let plan = Config::default().plan(&written, &of_source, "2026-11-23T09:00:00Z".parse().unwrap());
    let ids: BTreeSet<String> = plan.unwrap().changes.into_iter().map(|change| change.id).collect();
    assert_eq!(ids, ["pilot", "directory", "cms", "crm"].map(str::to_owned).into());

    std::fs::write(folder.join("pilot.yaml"), "mine").unwrap();
    std::fs::remove_file(folder.join("sources.yaml")).unwrap();
    let again = init(&folder);
    assert_eq!(again.status.code(), Some(2), "{}", String::from_utf8_lossy(&again.stdout));
    assert_eq!(std::fs::read_to_string(folder.join("pilot.yaml")).unwrap(), "mine");
    assert!(!folder.join("sources.yaml").exists(), "all files or none");
    std::fs::remove_dir_all(&folder).unwrap();
}
