//! What people see: tables, times and words. Pure: text in, text out.

mod exception;
mod record;
mod run;
mod time;

use comfy_table::presets::NOTHING;
use meshline_core::config::Problem;
use serde::Serialize;
use serde_json::Value;

pub(crate) use exception::{exceptions, exceptions_by_group, exceptions_of_run};
pub(crate) use record::{records, sentence, tone, who};
pub(crate) use run::{run, run_line, runs};
pub(crate) use time::{at, at_or_dash, span};

/// Characters of a title, a reason or a body in a table.
pub(crate) const MAX_CELL: usize = 60;

/// How a row looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    /// Like any other.
    Plain,
    /// Somebody should look at it.
    Alarm,
    /// It is over.
    Faint,
}

/// Rows under a header; one line each.
#[derive(Debug)]
pub(crate) struct Table {
    table: comfy_table::Table,
    tones: Vec<Tone>,
}

impl Table {
    /// A table with these columns.
    pub(crate) fn new(columns: &[&str]) -> Self {
        let mut table = Self::headless();
        table.table.set_header(columns.to_vec());
        table.tones.push(Tone::Plain);
        table
    }

    /// A table without a header: names and values.
    pub(crate) fn headless() -> Self {
        let mut table = comfy_table::Table::new();
        table.load_style(NOTHING);
        Self { table, tones: Vec::new() }
    }

    /// Adds a row.
    pub(crate) fn row(&mut self, tone: Tone, cells: Vec<String>) {
        self.table.add_row(cells.iter().map(|cell| clean(cell)).collect::<Vec<_>>());
        self.tones.push(tone);
    }

    /// Adds a name and its value.
    pub(crate) fn pair(&mut self, name: &str, value: impl Into<String>) {
        self.row(Tone::Plain, vec![name.to_owned(), value.into()]);
    }

    /// Its lines.
    pub(crate) fn render(&self, colour: bool) -> String {
        let mut text = String::new();
        for (line, tone) in self.table.lines().zip(&self.tones) {
            let line = line.trim_end();
            let line = line.strip_prefix(' ').unwrap_or(line);
            match tone {
                Tone::Alarm if colour => text.push_str(&format!("\x1b[31m{line}\x1b[0m")),
                Tone::Faint if colour => text.push_str(&format!("\x1b[2m{line}\x1b[0m")),
                Tone::Plain | Tone::Alarm | Tone::Faint => text.push_str(line),
            }
            text.push('\n');
        }
        text
    }
}

/// Text from outside on one line, without what a terminal would act on.
pub(crate) fn clean(text: &str) -> String {
    let is_hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let one_line = text.replace(['\n', '\r', '\t'], " ");
    one_line.chars().map(|c| if is_hidden(c) { '\u{fffd}' } else { c }).collect()
}

/// The beginning of a text, with `…` where it was cut.
pub(crate) fn short(text: &str) -> String {
    match text.char_indices().nth(MAX_CELL) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or(text)),
        None => text.to_owned(),
    }
}

/// The word that stands for a value in JSON: `outcome_failed`.
pub(crate) fn word(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(Value::String(word)) => word,
        Ok(other) => other.to_string(),
        Err(_) => String::new(),
    }
}

/// A text, or a dash.
pub(crate) fn or_dash(text: Option<&str>) -> String {
    text.filter(|text| !text.is_empty()).unwrap_or("-").to_owned()
}

/// A problem of a configuration: `file:line: field: reason (mend)`.
pub(crate) fn problem(problem: &Problem) -> String {
    let Problem { file, line, field, reason, mend } = problem;
    let field = if field.is_empty() { String::new() } else { format!("{field}: ") };
    let mend = if mend.is_empty() { String::new() } else { format!(" ({mend})") };
    clean(&format!("{file}:{line}: {field}{reason}{mend}"))
}

/// `1 run`, `2 runs`.
pub(crate) fn count(n: usize, noun: &str) -> String {
    if n == 1 { format!("1 {noun}") } else { format!("{n} {noun}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_cannot_act_on_the_terminal_or_break_a_row() {
        assert_eq!(clean("a\x1b]0;owned\x07\nb\u{202e}c"), "a\u{fffd}]0;owned\u{fffd} b\u{fffd}c");
        let mut table = Table::new(&["TITLE", "STATUS"]);
        table.row(Tone::Alarm, vec!["two\nlines".to_owned(), "open".to_owned()]);
        table.row(Tone::Faint, vec!["over".to_owned(), "closed".to_owned()]);
        insta::assert_snapshot!(table.render(false), @r#"
        TITLE      STATUS
        two lines  open
        over       closed
        "#);
        let coloured = table.render(true);
        assert!(coloured.contains("\x1b[31mtwo lines") && coloured.contains("\x1b[2mover"), "{coloured}");
    }

    #[test]
    fn long_texts_are_cut_between_characters() {
        assert_eq!(short(&"é".repeat(MAX_CELL)), "é".repeat(MAX_CELL));
        assert_eq!(short(&"é".repeat(MAX_CELL + 1)), format!("{}…", "é".repeat(MAX_CELL)));
    }

    #[test]
    fn a_problem_says_where_what_and_how_to_mend_it() {
        let found = Problem {
            file: "flows/blog.yaml".to_owned(),
            line: 12,
            field: "outcomes[0].sla".to_owned(),
            reason: "`2x` is not a duration".to_owned(),
            mend: "write `2h`".to_owned(),
        };
        assert_eq!(
            problem(&found),
            "flows/blog.yaml:12: outcomes[0].sla: `2x` is not a duration (write `2h`)"
        );
    }
}
