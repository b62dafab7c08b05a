//! `meshline completions` and `meshline man`: they know every command.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

use std::process::Command;

fn meshline(args: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_meshline")).args(args).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The commands that `--help` lists.
fn commands() -> Vec<String> {
    let help = meshline(&["--help"]);
    let (_, list) = help.split_once("Commands:\n").unwrap();
    let lines = list.lines().take_while(|line| !line.is_empty());
    let names: Vec<String> =
        lines.filter_map(|line| line.split_whitespace().next().map(str::to_owned)).collect();
    assert!(names.iter().any(|name| name == "ack") && names.iter().any(|name| name == "man"), "{names:?}");
    names
}

#[test]
fn the_completions_of_each_shell_know_every_command() {
    let commands = commands();
    for shell in ["bash", "zsh", "fish"] {
        let script = meshline(&["completions", shell]);
        for command in &commands {
            assert!(
                script.split(|c: char| !c.is_alphanumeric()).any(|word| word == command),
                "{shell}: {command}"
            );
        }
    }
}

#[test]
fn the_manual_has_a_page_for_the_tool_and_one_for_each_command() {
    let commands = commands();
    let page = meshline(&["man"]);
    assert!(page.contains(".TH meshline 1"), "{page}");
    let folder = std::env::temp_dir().join(format!("meshline-man-{}", std::process::id()));
    assert_eq!(meshline(&["man", "--dir", folder.to_str().unwrap()]), "");
    for command in commands.iter().filter(|command| *command != "help") {
        assert!(page.contains(&format!("meshline\\-{command}(1)")), "{command}");
        let page = std::fs::read_to_string(folder.join(format!("meshline-{command}.1"))).unwrap();
        assert!(page.contains("Examples"), "{command}: {page}");
    }
    std::fs::remove_dir_all(&folder).unwrap();
}
