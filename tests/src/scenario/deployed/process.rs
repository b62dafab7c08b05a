//! The processes that an emulator runs functions in: its children, told apart by their environment.

use std::process::Command;
use std::thread;
use std::time::Duration;

/// How often it is killed.
const KILLS: usize = 3;
/// How often a process is looked for, before it is believed not to come.
const LOOKS: usize = 500;
/// The time between looks, and the time that a process is left to begin something.
const MOMENT: Duration = Duration::from_millis(20);

/// Kills the processes of a function with SIGKILL as soon as they are there, three times, from now on.
pub(super) fn kill_often(emulator: u32, function: &str) {
    let wanted = format!("AWS_LAMBDA_FUNCTION_NAME={function}");
    thread::spawn(move || {
        let mut kills = 0;
        for _ in 0..LOOKS {
            thread::sleep(MOMENT);
            for pid in children(emulator).filter(|pid| has(*pid, &wanted)) {
                let killed = Command::new("kill").args(["-9", &pid.to_string()]).status();
                kills += usize::from(killed.is_ok_and(|status| status.success()));
            }
            if kills >= KILLS {
                return;
            }
        }
    });
}

/// The processes that `parent` started.
fn children(parent: u32) -> impl Iterator<Item = u32> {
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    pids.filter(move |pid| parent_of(*pid) == Some(parent))
}

/// Its parent: the second field behind the command's closing bracket (proc(5)).
fn parent_of(pid: u32) -> Option<u32> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(") ")?.1.split(' ').nth(1)?.parse().ok()
}

/// Whether its environment has the line.
fn has(pid: u32, wanted: &str) -> bool {
    let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
    environment.split(|byte| *byte == 0).any(|line| line == wanted.as_bytes())
}
