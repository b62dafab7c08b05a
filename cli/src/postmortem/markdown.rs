//! Markdown: tables, and text of others that stays text.

use crate::show;

/// Text on one line, in which nothing is markup (CommonMark, 2.4: a backslash before ASCII punctuation).
pub(super) fn text(of_others: &str) -> String {
    let is_markup = |c: char| "\\`*_{}[]<>|~#&!@".contains(c);
    show::clean(of_others)
        .chars()
        .flat_map(|c| is_markup(c).then_some('\\').into_iter().chain(std::iter::once(c)))
        .collect()
}

/// A table; nothing where there are no rows.
pub(super) fn table<const N: usize>(columns: [&str; N], rows: &[[String; N]]) -> String {
    if rows.is_empty() {
        return "None.\n".to_owned();
    }
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let mut table = line(&columns.map(str::to_owned)) + &line(&columns.map(|_| "---".to_owned()));
    rows.iter().for_each(|row| table.push_str(&line(row)));
    table
}
