//! The tool as a process.

use std::process::{Command, Output};

/// The tool, told that the stack is at `url`.
pub(crate) fn meshline(url: &str, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_meshline"))
        .args(args)
        .env("MESHLINE_URL", url)
        .env_remove("MESHLINE_AS")
        .output()
        .unwrap()
}

/// What it wrote.
pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}
