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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_wrote_cannot_break_a_table_or_become_markup() {
        let hostile = "a | b\n# head <img src=x> [x](javascript:y) `code` **bold**";
        assert_eq!(text(hostile), r"a \| b \# head \<img src=x\> \[x\](javascript:y) \`code\` \*\*bold\*\*");
    }

    #[test]
    fn a_table_without_rows_says_that_there_is_nothing() {
        assert_eq!(table(["A"], &[]), "None.\n");
        assert_eq!(
            table(["A", "B"], &[["1".to_owned(), "2".to_owned()]]),
            "| A | B |\n| --- | --- |\n| 1 | 2 |\n"
        );
    }
}
