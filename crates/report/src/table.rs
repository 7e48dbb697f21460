//! Tables as text.

use std::ops::Range;

use files::printable;
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// Formats rows as columns that are as wide as their widest cell. The columns of `figures` are
/// aligned to the right, all others to the left. Cells are made [`printable`].
pub fn table(rows: &[Vec<String>], figures: &Range<usize>) -> String {
    let rows: Vec<Vec<String>> = rows
        .iter()
        .map(|row| {
            row.iter()
                .map(|cell| printable(cell).into_owned())
                .collect()
        })
        .collect();
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.width()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    for row in &rows {
        let mut line = String::new();
        for (column, (cell, &width)) in row.iter().zip(&widths).enumerate() {
            let space = " ".repeat(width.saturating_sub(cell.width()));
            line += &match figures.contains(&column) {
                true => format!("{space}{cell}  "),
                false => format!("{cell}{space}  "),
            };
        }
        text += line.trim_end();
        text.push('\n');
    }
    text
}

/// Shortens a text to at most the given width, with an ellipsis if its end is cut off.
pub fn shortened(text: &str, width: usize) -> String {
    // Characters of zero width could go on without end.
    let is_short = text.chars().nth(4 * width).is_none();
    if is_short && text.width() <= width {
        return text.to_owned();
    }
    let mut short = String::new();
    let mut left = width.saturating_sub(1);
    for character in text.chars().take(4 * width) {
        let Some(rest) = left.checked_sub(character.width().unwrap_or(1)) else {
            break;
        };
        left = rest;
        short.push(character);
    }
    short.push('…');
    short
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn words_align_left_and_numbers_right() {
        let rows = [["a", "1", "b"], ["bcd", "20", "cd"], ["犬", "3", ""]];
        let rows = rows.map(|row| row.map(str::to_owned).to_vec());
        assert_eq!(table(&rows, &(1..2)), "a     1  b\nbcd  20  cd\n犬    3\n");
        assert_eq!(table(&[], &(0..1)), "");
    }

    #[test]
    fn long_texts_are_truncated_at_end() {
        assert_eq!(shortened("resnet", 6), "resnet");
        assert_eq!(shortened("resnet20", 6), "resne…");
        assert_eq!(shortened("犬犬犬犬", 6), "犬犬…");
        let marks = "\u{301}".repeat(1000);
        assert!(shortened(&marks, 6).chars().count() < 30);
    }

    proptest! {
        /// Whatever the cells contain, every row is one line without control characters.
        #[test]
        fn cells_are_escaped(rows in prop::collection::vec(prop::collection::vec(".{0,6}|\\PC*|\u{1b}\\[2J\n", 0..4), 0..5)) {
            let text = table(&rows, &(1..2));
            prop_assert_eq!(text.lines().count(), rows.len());
            prop_assert!(!text.contains(|letter: char| letter.is_control() && letter != '\n'));
            let turns = text.contains('\u{202e}');
            prop_assert!(!turns);
        }

        #[test]
        fn short_texts_are_unchanged(text in "\\PC{0,40}", width in 1_usize..20) {
            prop_assert!(shortened(&text, width).width() <= width);
        }
    }
}
