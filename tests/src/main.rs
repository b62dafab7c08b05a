//! `meshline-tests`: simulates the whole system, seed by seed, and says which seeds do not hold.

use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use meshline_tests::simulation::{Broken, Lived, live};

const USAGE: &str = "\
Usage: meshline-tests [--seeds N | --seeds A,B,C] [--from N] [--within SECONDS]
       meshline-tests --seed N

  --seeds N       lives through N seeds (default 200), from --from on (default 1)
  --seeds A,B,C   lives through these
  --within S      begins no further seed after S seconds
  --seed N        replays one, and tells what happens";

/// After so many seeds that held it is said how many did.
const TOLD_EVERY: usize = 100;

/// Which seeds, and how.
struct Wanted {
    seeds: Vec<u64>,
    within: Duration,
    told: bool,
}

fn main() -> ExitCode {
    let wanted = match wanted(std::env::args().skip(1)) {
        Ok(wanted) => wanted,
        Err(why) => {
            eprintln!("{why}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    if simulate(&wanted).failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn wanted(mut arguments: impl Iterator<Item = String>) -> Result<Wanted, String> {
    let mut wanted = Wanted { seeds: Vec::new(), within: Duration::MAX, told: false };
    let (mut count, mut from) = (200, 1);
    while let Some(argument) = arguments.next() {
        let value = arguments.next().ok_or_else(|| format!("`{argument}` needs a value"))?;
        let number =
            |text: &str| text.trim().parse::<u64>().map_err(|error| format!("`{argument} {value}`: {error}"));
        match argument.as_str() {
            "--seeds" if value.contains(',') => {
                wanted.seeds = value.split(',').map(number).collect::<Result<_, _>>()?;
            }
            "--seeds" => count = number(&value)?,
            "--from" => from = number(&value)?,
            "--within" => wanted.within = Duration::from_secs(number(&value)?),
            "--seed" => (wanted.seeds, wanted.told) = (vec![number(&value)?], true),
            _ => return Err(format!("there is no `{argument}`")),
        }
    }
    if wanted.seeds.is_empty() {
        wanted.seeds = (from..from + count).collect();
    }
    Ok(wanted)
}

/// How it went so far.
#[derive(Default)]
struct Tally {
    held: usize,
    failed: usize,
    all: Lived,
}

/// Lives through the seeds on all cores, and says how it went.
fn simulate(wanted: &Wanted) -> Tally {
    #[expect(clippy::disallowed_methods, reason = "the edge: how long it may take, and took")]
    let begun = Instant::now();
    let next = AtomicU64::new(0);
    let tally = Mutex::new(Tally::default());
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(wanted.seeds.len());
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while begun.elapsed() < wanted.within {
                    let index = next.fetch_add(1, Ordering::Relaxed) as usize;
                    let Some(seed) = wanted.seeds.get(index) else { break };
                    let lived = live_alone(*seed, wanted.told);
                    tally.lock().expect("no panic").add(lived, begun.elapsed());
                }
            });
        }
    });
    let tally = tally.into_inner().expect("no panic");
    println!("{}", tally.summary(begun.elapsed()));
    let said = if tally.failed == 0 { "ok" } else { "FAILED" };
    println!("test result: {said}. {} passed; {} failed; 0 ignored", tally.held, tally.failed);
    tally
}

/// Lives through one seed, which keeps what it breaks to itself: a panic is found of that seed, and ends no other.
fn live_alone(seed: u64, told: bool) -> Result<Lived, Broken> {
    let lived = std::panic::catch_unwind(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime").block_on(live(seed, told))
    });
    lived.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("a panic");
        Err(Broken { seed, found: vec![text.to_owned()] })
    })
}

impl Tally {
    /// Takes a seed in; one that does not hold is told at once, of the others every so many.
    fn add(&mut self, lived: Result<Lived, Broken>, within: Duration) {
        match lived {
            Ok(lived) => {
                self.held += 1;
                self.all.add(lived);
                if self.held.is_multiple_of(TOLD_EVERY) {
                    eprintln!("{}", self.summary(within));
                }
            }
            Err(broken) => {
                self.failed += 1;
                println!("{broken}\n  replay it: make simulate SEED={}", broken.seed);
            }
        }
    }

    fn summary(&self, within: Duration) -> String {
        let Self { held, all, .. } = self;
        format!(
            "{held} seeds held: {} webhooks accepted, {} runs, {} records, {} outcomes verified by events, {} events \
             passed on by aliases, {} faults, {} simulated days; {:.0} s",
            all.accepted,
            all.runs,
            all.records,
            all.verified,
            all.passed_on,
            all.faults,
            all.days,
            within.as_secs_f64(),
        )
    }
}
