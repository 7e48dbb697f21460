//! Parts of Markdown: tables, code, and escaped text.

use std::ops::Range;

use unicode_width::UnicodeWidthStr as _;

/// A table with columns as wide as their widest cell, so that the source is readable too.
pub(super) struct Table {
    rows: Vec<Vec<String>>,
    /// Columns that are aligned to the right.
    right: Range<usize>,
}

impl Table {
    pub(super) fn new(
        head: impl IntoIterator<Item = impl AsRef<str>>,
        right: Range<usize>,
    ) -> Self {
        let mut table = Self {
            rows: Vec::new(),
            right,
        };
        table.row(head);
        table
    }

    pub(super) fn row(&mut self, cells: impl IntoIterator<Item = impl AsRef<str>>) {
        let cells = cells.into_iter().map(|cell| escaped(cell.as_ref()));
        self.rows.push(cells.collect());
    }

    /// Returns the table, followed by an empty line.
    pub(super) fn text(&self) -> String {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let cell = |row: &[String], column: usize| row.get(column).cloned().unwrap_or_default();
        let width = |column: usize| {
            let widths = self.rows.iter().map(|row| cell(row, column).width());
            widths.max().unwrap_or(0).max(3)
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
        let padded = |row: &[String]| {
            let cells = widths.iter().enumerate().map(|(column, &width)| {
                let cell = cell(row, column);
                let space = " ".repeat(width.saturating_sub(cell.width()));
                match self.right.contains(&column) {
                    true => space + &cell,
                    false => cell + &space,
                }
            });
            line(cells.collect())
        };
        let rule =
            widths
                .iter()
                .enumerate()
                .map(|(column, &width)| match self.right.contains(&column) {
                    true => "-".repeat(width - 1) + ":",
                    false => "-".repeat(width),
                });
        let mut text = String::new();
        for (place, row) in self.rows.iter().enumerate() {
            text += &padded(row);
            if place == 0 {
                text += &line(rule.clone().collect());
            }
        }
        text + "\n"
    }
}

/// Returns a text on one line that is shown literally: nothing in it is taken for Markdown or HTML.
pub(super) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '<' | '>' | '#' | '|' | '~' | '&'
            | '$' => {
                escaped.extend(['\\', character]);
            }
            '\n' | '\r' | '\t' => escaped.push(' '),
            other => escaped.push(other),
        }
    }
    escaped
}

/// Returns a code block, with fences that are longer than any in the text.
pub(super) fn code(language: &str, text: &str) -> String {
    let runs = text.split(|character| character != '`');
    let longest = runs.map(str::len).max().unwrap_or(0);
    let fence = "`".repeat((longest + 1).max(3));
    format!("{fence}{language}\n{text}\n{fence}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_aligned() {
        let mut table = Table::new(["class", "n"], 1..2);
        table.row(["a|b", "12,345"]);
        table.row(["犬"]);
        assert_eq!(
            table.text(),
            "| class |      n |\n| ----- | -----: |\n| a\\|b  | 12,345 |\n| 犬    |        |\n\n"
        );
    }

    #[test]
    fn code_spans_are_escaped() {
        assert_eq!(code("sh", "a ```` b"), "`````sh\na ```` b\n`````\n");
        assert_eq!(escaped("<b>*x*\n# [a](b)"), "\\<b\\>\\*x\\* \\# \\[a\\](b)");
    }
}
