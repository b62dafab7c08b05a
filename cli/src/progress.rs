//! Progress: what is shown on standard error, to somebody at a terminal, of work that takes more than a second.

use std::cell::Cell;
use std::io::{self, IsTerminal, Write};
use std::pin::pin;
use std::time::Duration;

use tokio::time::{Instant, interval_at};

/// What is done sooner shows no progress.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often it is drawn.
const EVERY: Duration = Duration::from_millis(100);
/// Cells of a bar.
const CELLS: usize = 24;

/// How far some work has come.
#[derive(Debug)]
pub(crate) struct Progress {
    words: &'static str,
    done: Cell<usize>,
    /// How much there is, where that is known.
    total: Cell<Option<usize>>,
}

impl Progress {
    /// Work that `words` describe: `reading days`.
    pub(crate) fn of(words: &'static str) -> Self {
        Self { words, done: Cell::new(0), total: Cell::new(None) }
    }

    /// How much there is to do.
    pub(crate) fn expect(&self, total: usize) {
        self.total.set(Some(total));
    }

    /// So much more is done.
    pub(crate) fn step(&self, more: usize) {
        self.done.set(self.done.get() + more);
    }

    /// Does the work, and shows how far it has come.
    pub(crate) async fn during<T>(&self, work: impl Future<Output = T>) -> T {
        let is_dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        if !io::stderr().is_terminal() || is_dumb {
            return work.await;
        }
        let mut work = pin!(work);
        let mut beat = interval_at(Instant::now() + PATIENCE, EVERY);
        let mut is_drawn = false;
        let done = loop {
            tokio::select! {
                done = &mut work => break done,
                _ = beat.tick() => {
                    draw(&self.line());
                    is_drawn = true;
                }
            }
        };
        if is_drawn {
            draw("");
        }
        done
    }

    /// `reading days [######            ] 7 of 31`
    fn line(&self) -> String {
        let (words, done) = (self.words, self.done.get());
        match self.total.get() {
            Some(total) if total > 0 => {
                let full = done.min(total) * CELLS / total;
                format!("{words} [{}{}] {done} of {total}", "#".repeat(full), " ".repeat(CELLS - full))
            }
            Some(_) | None if done > 0 => format!("{words}: {done}"),
            Some(_) | None => format!("{words} …"),
        }
    }
}

/// Replaces the line. That it cannot be written is no reason to stop the work.
fn draw(line: &str) {
    let mut out = io::stderr().lock();
    let _ = write!(out, "\r{line}\x1b[K").and_then(|()| out.flush());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_as_full_as_the_work_is_done() {
        let progress = Progress::of("reading days");
        assert_eq!(progress.line(), "reading days …");
        progress.step(2);
        assert_eq!(progress.line(), "reading days: 2");
        progress.expect(8);
        assert_eq!(progress.line(), "reading days [######                  ] 2 of 8");
        progress.step(6);
        assert_eq!(progress.line(), "reading days [########################] 8 of 8");
    }
}
