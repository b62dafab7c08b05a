//! Plays every file of tests/scenarios: against a local stack each, or, where MESHLINE_DEPLOYED names the description
//! of a deployed stack, all at once against that one.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use libtest_mimic::{Arguments, Failed, Trial};
use meshline_tests::scenario::{Deployed, Request, Scenario, Stage, World, play};
use meshline_tests::{EXAMPLES, Local, header};
use serde_json::{Value, json};

/// How many flows are applied in one transaction.
const AT_ONCE: usize = 20;

fn main() -> ExitCode {
    let scenarios = scenarios();
    let stage = std::env::var_os("MESHLINE_DEPLOYED").map(|path| Stage::read(&PathBuf::from(path)));
    if let Some(stage) = &stage {
        let known: Vec<&Scenario> = scenarios.iter().filter_map(|(_, read)| read.as_ref().ok()).collect();
        block_on(apply_all(stage.clone(), &known));
    }
    let trial = |(name, scenario): (String, Result<Scenario, String>)| {
        let stage = stage.clone();
        let promise = scenario.as_ref().map_or_else(|_| String::new(), |known| known.promise.clone());
        Trial::test(name, move || one(stage, scenario?)).with_kind(promise)
    };
    libtest_mimic::run(&Arguments::from_args(), scenarios.into_iter().map(trial).collect()).exit_code()
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
                apply(&local, vec![people(), file(&scenario, &local)]).await;
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
    apply(&world, examples.to_vec()).await;
    apply(&world, vec![people()]).await;
    for scenarios in scenarios.chunks(AT_ONCE) {
        apply(&world, scenarios.iter().map(|scenario| file(scenario, &world)).collect()).await;
    }
}

/// The people of the examples, and one who is never there.
fn people() -> Value {
    let away = "  - {id: gone, name: Gone Fishing, email: gone@example.com, away: [{from: 2020-01-01, to: 2099-12-31}]}";
    let role = "  - {id: night-shift, members: [gone]}";
    let (name, examples) = EXAMPLES[0];
    let text = examples.replace("roles:\n", &format!("{away}\nroles:\n{role}\n"));
    json!({"name": name, "text": text})
}

fn file(scenario: &Scenario, world: &impl World) -> Value {
    json!({"name": format!("{}.yaml", scenario.name), "text": scenario.flow(world)})
}

async fn apply(world: &impl World, files: Vec<Value>) {
    let request = Request {
        method: "PUT",
        path: "/v1/config".to_owned(),
        headers: vec![header("content-type", "application/json")],
        body: json!({"files": files}).to_string().into_bytes(),
        person: Some("ana".to_owned()),
    };
    let (status, body) = world.call(request).await;
    assert_eq!(status, 200, "the flows are not in force: {body:#}");
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(future)
}
