//! The screen: everything a command prints goes through here.

use std::io::{self, IsTerminal, Write};

use meshline_core::time::Time;
use serde_json::Value;

use crate::failure::Failure;
use crate::show;

/// Standard output, and how to write on it.
#[derive(Debug)]
pub(crate) struct Screen {
    json: bool,
    colour: bool,
}

impl Screen {
    /// The screen of this process.
    pub(crate) fn new(json: bool) -> Self {
        let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let is_dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        Self { json, colour: io::stdout().is_terminal() && !is_set("NO_COLOR") && !is_dumb }
    }

    /// Whether machines read it.
    pub(crate) fn is_json(&self) -> bool {
        self.json
    }

    /// Whether colours are seen.
    pub(crate) fn has_colour(&self) -> bool {
        self.colour
    }

    /// Replaces what a terminal shows, line by line so that it does not flicker.
    pub(crate) fn redraw(&self, text: &str) -> Result<(), Failure> {
        self.text(&format!("\x1b[H{}\x1b[J", text.replace('\n', "\x1b[K\n")))
    }

    /// Prints text, with a newline at the end.
    pub(crate) fn text(&self, text: &str) -> Result<(), Failure> {
        let mut out = io::stdout().lock();
        out.write_all(text.as_bytes())?;
        if !text.ends_with('\n') {
            out.write_all(b"\n")?;
        }
        out.flush()?;
        Ok(())
    }

    /// Prints a table.
    pub(crate) fn table(&self, table: &show::Table) -> Result<(), Failure> {
        self.text(&table.render(self.colour))
    }

    /// Prints a JSON document.
    pub(crate) fn document(&self, value: &Value) -> Result<(), Failure> {
        self.text(&format!("{value:#}"))
    }

    /// Says on standard error what went wrong. A machine also gets the API's own words on standard output.
    pub(crate) fn failure(&self, failure: &Failure, now: Time) {
        let mut lines = Vec::new();
        match failure {
            Failure::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => return,
            Failure::Refused(refusal) => {
                if self.json {
                    // A reader that is gone needs no answer.
                    self.document(refusal.body()).unwrap_or_default();
                }
                lines.extend(refusal.problems().iter().map(show::problem));
                lines.push(format!("meshline: {}", show::clean(&failure.to_string())));
                let changes = refusal.changes();
                if !changes.is_empty() {
                    lines.push("since then:".to_owned());
                    lines.push(show::records(&changes, refusal.now().unwrap_or(now)).render(false));
                }
            }
            Failure::Usage(_) | Failure::Unreachable(_) | Failure::Unreadable { .. } | Failure::Output(_) => {
                lines.push(format!("meshline: {}", show::clean(&failure.to_string())));
            }
        }
        eprintln!("{}", lines.join("\n"));
    }
}

/// Writes a line of a story to standard output. That nobody reads it (`meshline up | head`) is no reason to stop.
pub(crate) fn say(line: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}
