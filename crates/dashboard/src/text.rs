//! Fits text from files to the screen.
//!
//! Names and messages come from untrusted files, so unprintable characters are escaped.

use files::printable_chars;
use unicode_width::UnicodeWidthChar;

/// Replacement for a character without a width.
const HIDDEN: char = '\u{fffd}';
/// Maximum number of combining marks per letter; more could leave the line.
const MARKS: usize = 2;

/// Returns whether a character is drawn over the previous letter.
fn is_mark(character: char) -> bool {
    matches!(character, '\u{300}'..='\u{36f}')
}

/// Returns the text cut to at most `width` columns, and its width. Cut text ends with `…`.
pub(crate) fn fit(text: &str, width: usize) -> (String, usize) {
    let mut fitted = String::new();
    let mut used = 0;
    let mut marks = 0;
    for character in printable_chars(text) {
        if is_mark(character) && used > 0 {
            marks += 1;
            if marks <= MARKS {
                fitted.push(character);
            }
            continue;
        }
        marks = 0;
        let (character, own) = match character.width() {
            None | Some(0) => (HIDDEN, 1),
            Some(own) => (character, own),
        };
        if used + own > width {
            return cut(fitted, width);
        }
        fitted.push(character);
        used += own;
    }
    (fitted, used)
}

/// Like [`fit`], but keeps the end of the text, which matters most in a path: cut text starts with
/// `…`.
pub(crate) fn fit_end(text: &str, width: usize) -> (String, usize) {
    let (whole, used) = fit(text, usize::MAX);
    if used <= width {
        return (whole, used);
    }
    if width == 0 {
        return (String::new(), 0);
    }
    let (mut start, mut used) = (whole.len(), 1);
    for (place, character) in whole.char_indices().rev() {
        let own = character.width().unwrap_or(0);
        if used + own > width {
            break;
        }
        (start, used) = (place, used + own);
    }
    (format!("…{}", &whole[start..]), used)
}

/// Makes room for the ellipsis.
fn cut(mut fitted: String, width: usize) -> (String, usize) {
    if width == 0 {
        return (String::new(), 0);
    }
    let columns = |text: &str| text.chars().map(|c| c.width().unwrap_or(0)).sum::<usize>();
    let mut used = columns(&fitted);
    while used >= width {
        let Some(last) = fitted.pop() else {
            break;
        };
        used -= last.width().unwrap_or(0);
    }
    fitted.push('…');
    (fitted, used + 1)
}

/// Returns the width of a text in columns.
pub(crate) fn width(text: &str) -> usize {
    fit(text, usize::MAX).1
}

/// Wraps a text into at most `most` lines of at most `width` columns, between words where possible.
pub(crate) fn wrap(text: &str, width: usize, most: usize) -> Vec<String> {
    let mut lines = Vec::new();
    if width == 0 {
        return lines;
    }
    for paragraph in text.split('\n') {
        let mut rest = paragraph.trim_end();
        loop {
            if lines.len() == most {
                if let Some(last) = lines.pop() {
                    lines.push(fit(&format!("{last}…"), width).0);
                }
                return lines;
            }
            let end = break_at(rest, width);
            let (line, next) = rest.split_at(end);
            lines.push(fit(line.trim_end(), width).0);
            rest = next.trim_start();
            if rest.is_empty() {
                break;
            }
        }
    }
    lines
}

/// Returns the byte index at which a line of the given width ends.
fn break_at(text: &str, width: usize) -> usize {
    let mut used = 0;
    let mut space = None;
    for (place, character) in text.char_indices() {
        if character == ' ' {
            space = Some(place);
        }
        used += fit(character.encode_utf8(&mut [0; 4]), usize::MAX).1;
        if used > width {
            let hard = if place == 0 {
                character.len_utf8()
            } else {
                place
            };
            return space.filter(|&space| space > 0).unwrap_or(hard);
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn control_characters_are_escaped() {
        for (text, shown) in [
            ("\u{1b}[2J", r"\u{1b}[2J"),
            ("a\tb\nc\r\0\u{7f}", r"a\tb\nc\r\u{0}\u{7f}"),
            ("\u{9b}31m", r"\u{9b}31m"),
            ("\u{202e}evil\u{2066}", r"\u{202e}evil\u{2066}"),
            ("a\u{200b}b\u{feff}", r"a\u{200b}b\u{feff}"),
            ("cafe\u{301}", "cafe\u{301}"),
            ("日本", "日本"),
        ] {
            assert_eq!(fit(text, 80).0, shown);
        }
        let tower = "x".to_owned() + &"\u{301}".repeat(1000);
        assert_eq!(fit(&tower, 80).0.chars().count(), 3);
    }

    #[test]
    fn long_text_is_truncated_with_ellipsis() {
        assert_eq!(fit("ankle boot", 10), ("ankle boot".to_owned(), 10));
        assert_eq!(fit("ankle boot", 6), ("ankle…".to_owned(), 6));
        assert_eq!(fit("日本語", 4), ("日…".to_owned(), 3));
        assert_eq!(fit("日本語", 1), ("…".to_owned(), 1));
        assert_eq!(fit("ankle", 0), (String::new(), 0));
    }

    #[test]
    fn paths_are_truncated_at_start() {
        assert_eq!(fit_end("a/b.png", 7), ("a/b.png".to_owned(), 7));
        assert_eq!(fit_end("cat/001.png", 8), ("…001.png".to_owned(), 8));
        assert_eq!(fit_end("日本語", 4), ("…語".to_owned(), 3));
        assert_eq!(fit_end("日本語", 0), (String::new(), 0));
    }

    #[test]
    fn lines_break_between_words() {
        assert_eq!(wrap("the loss is high", 8, 9), ["the loss", "is high"]);
        assert_eq!(wrap("a\nb", 8, 9), ["a", "b"]);
        assert_eq!(wrap("abcdefgh", 3, 2), ["abc", "de…"]);
        assert_eq!(wrap("", 3, 2), [""]);
        assert_eq!(wrap("日本", 1, 4), ["…", "…"]);
    }

    proptest! {
        #[test]
        fn text_is_escaped_and_fits_width(text in "\\PC*|[\\x00-\\x{ffff}]*", columns in 0_usize..30) {
            let (fitted, used) = fit(&text, columns);
            prop_assert!(used <= columns);
            prop_assert!(!fitted.contains(char::is_control));
            prop_assert_eq!(width(&fitted), used);
            for line in wrap(&text, columns, 5) {
                prop_assert!(width(&line) <= columns);
                prop_assert!(!line.contains(char::is_control));
            }
        }
    }
}
