//! Plays every file of tests/scenarios: against a local stack each, or, where MESHLINE_DEPLOYED names the description
//! of a deployed stack, all at once against that one.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use libtest_mimic::{Arguments, Failed, Trial};
use meshline_core::config::flow::ExceptionKind;
use meshline_core::record::Fact;
use meshline_tests::scenario::{Deployed, Scenario, Stage, World, apply, people, play};
use meshline_tests::{EXAMPLES, Local};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// How many flows are applied in one transaction.
const AT_ONCE: usize = 20;

fn main() -> ExitCode {
    let scenarios = scenarios();
    let stage = std::env::var_os("MESHLINE_DEPLOYED").map(|path| Stage::read(&PathBuf::from(path)));
    if let Some(stage) = &stage {
        let known = scenarios.iter().filter_map(|(_, read)| read.as_ref().ok());
        let played: Vec<&Scenario> = known.filter(|scenario| scenario.only_local.is_none()).collect();
        block_on(apply_all(stage.clone(), &played));
    }
    let known = scenarios.iter().filter_map(|(_, read)| read.as_ref().ok());
    let shown: BTreeSet<String> = known.flat_map(Scenario::shows).collect();
    let complete = Trial::test("every-kind-is-shown", move || every_kind_is_shown(&shown))
        .with_kind("Each kind of record and exception is shown by a scenario.");
    let trial = |(name, scenario): (String, Result<Scenario, String>)| {
        let stage = stage.clone();
        let promise = scenario.as_ref().map_or_else(|_| String::new(), |known| known.promise.clone());
        let only_local = scenario.as_ref().ok().and_then(|known| known.only_local.clone());
        let skipped = only_local.filter(|_| stage.is_some()).map(|why| format!("only local: {why}"));
        let ignored = skipped.is_some();
        let trial = Trial::test(name, move || one(stage, scenario?));
        trial.with_kind(skipped.unwrap_or(promise)).with_ignored_flag(ignored)
    };
    let trials = scenarios.into_iter().map(trial).chain([complete]).collect();
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn every_kind_is_shown(shown: &BTreeSet<String>) -> Result<(), Failed> {
    let records = words::<Fact>(json!({"kind": "", "detail": null}));
    let exceptions = words::<ExceptionKind>(json!(""));
    let kinds = records.iter().map(|kind| format!("record {kind}"));
    let kinds = kinds.chain(exceptions.iter().map(|kind| format!("exception {kind}")));
    let missing: Vec<String> = kinds.filter(|kind| !shown.contains(kind)).collect();
    if missing.is_empty() {
        Ok(())
    } else {
        Err(format!("no scenario expects: {}", missing.join(", ")).into())
    }
}

/// The words that a type takes, as it names them when it refuses one.
fn words<T: DeserializeOwned + Debug>(refused: Value) -> Vec<String> {
    let refusal = serde_json::from_value::<T>(refused).expect_err("no such kind").to_string();
    let (_, words) = refusal.split_once("expected one of ").expect("the kinds that there are");
    words.split(", ").map(|word| word.trim_matches('`').to_owned()).collect()
}

/// The files, by name, in order.
fn scenarios() -> Vec<(String, Result<Scenario, String>)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let mut files: Vec<PathBuf> = std::fs::read_dir(&folder)
        .expect("the folder of scenarios")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "txt"))
        .collect();
    files.sort();
    let read = |path: PathBuf| {
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&path).expect("a text");
        let scenario = Scenario::read(&name, &text);
        (name, scenario)
    };
    files.into_iter().map(read).collect()
}

fn one(stage: Option<Arc<Stage>>, scenario: Scenario) -> Result<(), Failed> {
    block_on(async {
        match stage {
            Some(stage) => play(&Deployed::on(stage).await, &scenario).await?,
            None => {
                let local = Local::start().await;
                in_force(&local, &[people(&[], local.now()), scenario.file(&local)]).await;
                play(&local, &scenario).await?;
            }
        }
        Ok(())
    })
}

/// The deployed stack gets all flows before the first story: they would only get into each other's way.
async fn apply_all(stage: Arc<Stage>, scenarios: &[&Scenario]) {
    let world = Deployed::on(stage).await;
    let examples = EXAMPLES.map(|(name, text)| json!({"name": name, "text": text}));
    in_force(&world, &examples).await;
    in_force(&world, &[people(&[], world.now())]).await;
    for scenarios in scenarios.chunks(AT_ONCE) {
        let files: Vec<Value> = scenarios.iter().map(|scenario| scenario.file(&world)).collect();
        in_force(&world, &files).await;
    }
}

async fn in_force(world: &impl World, files: &[Value]) {
    let (status, body) = apply(world, "ana", files).await;
    assert_eq!(status, 200, "the flows are not in force: {body:#}");
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(future)
}
