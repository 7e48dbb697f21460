//! Makes untrusted text safe to print.
//!
//! Names, values and messages come from files, arguments and other programs. Control characters in
//! them could move the cursor or rewrite the screen, bidirectional characters could reorder a line,
//! and a value can be megabytes long. Everything that the programs print goes through this module.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::path::Path;

/// Maximum length of an error or a hint, in characters.
pub const LONGEST_SENTENCE: usize = 300;
/// [`brief`] does not shorten words below this number of characters if the text can be cut
/// elsewhere.
const SHORTEST_WORD: usize = 40;
const ELLIPSIS: char = '…';

/// Returns whether a character is displayed as itself: it does not control a terminal, change the
/// text direction, or hide or join its neighbors.
pub fn is_printable(character: char) -> bool {
    !character.is_control()
        && !matches!(
            character,
            '\u{ad}'
                | '\u{61c}'
                | '\u{115f}'..='\u{1160}'
                | '\u{17b4}'..='\u{17b5}'
                | '\u{180b}'..='\u{180f}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{3164}'
                | '\u{fe00}'..='\u{fe0f}'
                | '\u{feff}'
                | '\u{ffa0}'
                | '\u{fff0}'..='\u{fffb}'
                | '\u{fffe}'..='\u{ffff}'
                | '\u{1d173}'..='\u{1d17a}'
                | '\u{e0000}'..='\u{e0fff}'
        )
}

/// Returns the characters of a text, with characters that are not [printable](is_printable) escaped
/// as in Rust: `\n`, `\u{1b}`.
pub fn printable_chars(text: &str) -> impl Iterator<Item = char> {
    text.chars().flat_map(|character| {
        let is_printable = is_printable(character);
        let own = is_printable.then_some(character);
        let escape = (!is_printable).then(|| character.escape_default());
        own.into_iter().chain(escape.into_iter().flatten())
    })
}

/// Returns a path as text. Bytes that are not UTF-8 become `\xE9`, so that different paths stay
/// distinct. Characters that are not [printable](is_printable) are kept.
pub fn shown_path(path: &Path) -> Cow<'_, str> {
    if let Some(text) = path.to_str() {
        return Cow::Borrowed(text);
    }
    let mut shown = String::new();
    for chunk in path.as_os_str().as_encoded_bytes().utf8_chunks() {
        shown.push_str(chunk.valid());
        for byte in chunk.invalid() {
            // Writing to a string cannot fail.
            let _ = write!(shown, "\\x{byte:02X}");
        }
    }
    Cow::Owned(shown)
}

/// Escapes every character that is not [printable](is_printable), as in Rust: `\n`, `\u{1b}`.
pub fn printable(text: &str) -> Cow<'_, str> {
    escape(text, is_printable, |character, text| {
        text.extend(character.escape_default());
    })
}

/// Like [`printable`], but keeps line breaks: for multi-line text such as a table.
pub fn printable_lines(text: &str) -> Cow<'_, str> {
    escape(
        text,
        |character| character == '\n' || is_printable(character),
        |character, text| text.extend(character.escape_default()),
    )
}

/// Escapes the same characters in serialized JSON as `\uXXXX`: the document stays valid and its
/// data unchanged.
///
/// A serializer escapes line breaks within strings, so the remaining ones are between tokens and
/// are kept.
pub fn printable_json(json: &str) -> Cow<'_, str> {
    escape(
        json,
        |character| character == '\n' || is_printable(character),
        |character, text| {
            for unit in character.encode_utf16(&mut [0; 2]) {
                // Writing to a string cannot fail.
                let _ = write!(text, "\\u{unit:04x}");
            }
        },
    )
}

/// Makes a text printable on one line of at most `most` characters. It first cuts the middle of the
/// longest words, which are values and paths, then the middle of the text.
pub fn brief(text: &str, most: usize) -> String {
    let text = printable(text);
    if text.chars().nth(most).is_none() {
        return text.into_owned();
    }
    let lengths: Vec<usize> = text.split(' ').map(|word| word.chars().count()).collect();
    let length = |longest: usize| {
        let words: usize = lengths.iter().map(|length| length.min(&longest)).sum();
        words + lengths.len() - 1
    };
    let longest = match length(SHORTEST_WORD) <= most {
        true => (SHORTEST_WORD..=most)
            .rev()
            .find(|&longest| length(longest) <= most),
        false => None,
    };
    let words: Vec<_> = text
        .split(' ')
        .map(|word| shortened(word, longest.unwrap_or(SHORTEST_WORD)))
        .collect();
    shortened(&words.join(" "), most).into_owned()
}

/// Converts an error or a hint to one printable sentence of at most [`LONGEST_SENTENCE`]
/// characters.
pub fn sentence(text: &str) -> String {
    brief(text, LONGEST_SENTENCE)
}

/// Shortens a text to `most` characters by replacing its middle with an ellipsis.
pub fn shortened(text: &str, most: usize) -> Cow<'_, str> {
    if text.chars().nth(most).is_none() {
        return Cow::Borrowed(text);
    }
    let kept = most.saturating_sub(1);
    let tail = kept / 2;
    let head = text.chars().take(kept - tail);
    let start = match tail {
        0 => text.len(),
        tail => text
            .char_indices()
            .rev()
            .nth(tail - 1)
            .map_or(0, |(start, _)| start),
    };
    let ellipsis = (most > 0).then_some(ELLIPSIS);
    Cow::Owned(head.chain(ellipsis).chain(text[start..].chars()).collect())
}

/// Escapes the characters that are not kept.
fn escape(
    text: &str,
    is_kept: impl Fn(char) -> bool,
    replace: impl Fn(char, &mut String),
) -> Cow<'_, str> {
    let Some(first) = text.find(|character| !is_kept(character)) else {
        return Cow::Borrowed(text);
    };
    let mut escaped = String::with_capacity(text.len() + 16);
    escaped.push_str(&text[..first]);
    for character in text[first..].chars() {
        match is_kept(character) {
            true => escaped.push(character),
            false => replace(character, &mut escaped),
        }
    }
    Cow::Owned(escaped)
}

/// Returns a path as text, with `\xFF` for each byte that is not UTF-8, so that different paths
/// stay distinct.
pub fn path_text(path: &Path) -> String {
    let mut text = String::new();
    for chunk in path.as_os_str().as_encoded_bytes().utf8_chunks() {
        text += chunk.valid();
        for byte in chunk.invalid() {
            text += &format!("\\x{byte:02X}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_and_bidirectional_characters_are_escaped() {
        for (text, expected) in [
            ("Stra\u{df}e \u{72ac}.png", "Stra\u{df}e \u{72ac}.png"),
            ("cafe\u{301} 日本", "cafe\u{301} 日本"),
            ("a\u{1b}[31mred\n\r\t\0", r"a\u{1b}[31mred\n\r\t\u{0}"),
            ("\u{202e}gpj.\u{2066}", r"\u{202e}gpj.\u{2066}"),
            ("\u{9b}31m\u{7f}", r"\u{9b}31m\u{7f}"),
            (
                "a\u{200b}b\u{feff}\u{e0041}",
                r"a\u{200b}b\u{feff}\u{e0041}",
            ),
        ] {
            assert_eq!(printable(text), expected);
            let again = printable(expected).into_owned();
            assert_eq!(again, expected, "escaping an escaped text changes nothing");
        }
        assert_eq!(printable_lines("a\n\u{1b}b\n"), "a\n\\u{1b}b\n");
    }

    #[cfg(unix)]
    #[test]
    fn paths_with_different_bytes_print_differently() {
        use std::ffi::OsStr;
        use std::os::unix::ffi::OsStrExt as _;
        let shown = |bytes: &'static [u8]| shown_path(Path::new(OsStr::from_bytes(bytes)));
        assert_eq!(shown(b"a/caf\xe9/1.png"), "a/caf\\xE9/1.png");
        assert_eq!(shown(b"a/caf\xe8/1.png"), "a/caf\\xE8/1.png");
        assert_eq!(shown("a/caf\u{e9}\n".as_bytes()), "a/caf\u{e9}\n");
        assert_eq!(shown(b"\xff\xfe"), "\\xFF\\xFE");
    }

    /// Returns all code points of the planes that contain characters.
    fn characters() -> impl Iterator<Item = char> {
        (0..=0x1_ffff)
            .chain(0xd_fff0..=0xe_100f)
            .filter_map(char::from_u32)
    }

    #[test]
    fn all_control_characters_are_escaped() {
        for character in characters() {
            let text = character.to_string();
            let escaped = printable(&text);
            assert!(escaped.chars().all(is_printable), "{character:?}");
            assert!(!escaped.contains(char::is_control), "{character:?}");
            assert_eq!(escaped == text, is_printable(character));
        }
    }

    #[test]
    fn escaped_json_keeps_its_data() {
        for character in characters() {
            let text = format!("a{character}b");
            let json = serde_json::to_string_pretty(&[&text]).unwrap();
            let safe = printable_json(&json);
            assert!(
                safe.chars().all(|own| own == '\n' || is_printable(own)),
                "{character:?}"
            );
            let read: [String; 1] = serde_json::from_str(&safe).unwrap();
            assert_eq!(read, [text]);
        }
    }

    #[test]
    fn long_text_is_cut_in_the_middle() {
        assert_eq!(shortened("resnet20", 8), "resnet20");
        assert_eq!(shortened("resnet20", 6), "res…20");
        assert_eq!(shortened("日本語日本語", 3), "日…語");
        assert_eq!(shortened("resnet20", 2), "r…");
        assert_eq!(shortened("resnet20", 1), "…");
        assert_eq!(shortened("resnet20", 0), "");
    }

    #[test]
    fn long_value_does_not_hide_rest_of_sentence() {
        let value = "x".repeat(100_000);
        let text = sentence(&format!(
            "`{value}` is not a model; did you mean `resnet20`?"
        ));
        assert_eq!(text.chars().count(), LONGEST_SENTENCE);
        assert!(text.starts_with("`xxx"), "{text}");
        assert!(
            text.ends_with("` is not a model; did you mean `resnet20`?"),
            "{text}"
        );

        let [one, other] = ["a", "b"].map(|letter| letter.repeat(500));
        let text = sentence(&format!("cannot rename {one} to {other}"));
        assert!(text.chars().count() <= LONGEST_SENTENCE);
        assert!(
            text.starts_with("cannot rename aaa") && text.contains("a to bbb"),
            "{text}"
        );
        let longest = text.split(' ').map(|word| word.chars().count()).max();
        assert!(longest.unwrap() > 100, "{text}");

        let text = sentence(&format!(
            "cannot read {}: no such file",
            "a b ".repeat(50_000)
        ));
        assert_eq!(text.chars().count(), LONGEST_SENTENCE);
        assert!(
            text.starts_with("cannot read a b") && text.ends_with(": no such file"),
            "{text}"
        );

        let fits = "y".repeat(LONGEST_SENTENCE);
        assert_eq!(sentence(&fits), fits);
        assert_eq!(
            sentence(&"\u{1b}".repeat(1000)).chars().count(),
            LONGEST_SENTENCE
        );
        assert_eq!(brief("", 10), "");
    }

    #[cfg(unix)]
    #[test]
    fn non_utf8_paths_print_differently() {
        use std::ffi::OsStr;
        use std::os::unix::ffi::OsStrExt as _;
        let text = |bytes: &[u8]| path_text(Path::new(OsStr::from_bytes(bytes)));
        assert_eq!(text("Straße/é.png".as_bytes()), "Straße/é.png");
        assert_eq!(text(b"a\xff.png"), "a\\xFF.png");
        assert_ne!(text(b"a\xff.png"), text(b"a\xfe.png"));
    }
}
