//! Class names from folders and tables.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use files::{is_printable, printable, shortened, shown_path};
use unicode_normalization::UnicodeNormalization as _;

use crate::error::{DataError, SHOWN, quoted};
use crate::set::Reading;

/// Maximum number of bytes of a class name: the limit for a folder's name.
const LONGEST: usize = 255;

/// Returns the class name of a folder. Bytes that are not UTF-8 are written as `\xE9`, so that
/// names that differ only in such bytes stay distinct.
pub(super) fn name_of(path: &Path) -> String {
    shown_path(Path::new(path.file_name().unwrap_or_default())).into_owned()
}

/// Quotes the names of the first few of several folders for a message.
pub(super) fn listed(folders: &[std::path::PathBuf]) -> String {
    const NAMED: usize = 3;
    let names = folders
        .iter()
        .take(NAMED)
        .map(|path| quoted(&name_of(path)));
    let names = names.collect::<Vec<_>>().join(", ");
    match folders.len().saturating_sub(NAMED) {
        0 => names,
        more => format!("{names} and {more} more"),
    }
}

/// Quotes a name with everything but plain characters escaped, to distinguish it from one that
/// looks the same.
fn escaped(name: &str) -> String {
    format!("`{}`", shortened(&name.escape_default().to_string(), SHOWN))
}

/// Returns an error for names that cannot be distinguished where they are shown or written, and
/// warns of names that some file systems merge. `place` is the source of the names.
pub(super) fn check(
    names: &[String],
    place: &Path,
    reading: &mut Reading,
) -> Result<(), DataError> {
    let refuse = |reason: String| {
        Err(DataError::ClassName {
            path: place.to_owned(),
            reason,
        })
    };
    let mut looks = HashMap::new();
    let mut folded: HashMap<String, &String> = HashMap::new();
    for name in names {
        // Names of folders with non-UTF-8 bytes are longer when written.
        if name.len() - 3 * escapes(name).count() > LONGEST {
            return refuse(format!(
                "{} has {} bytes, but at most {LONGEST} are possible",
                quoted(name),
                name.len()
            ));
        }
        let look = look(name);
        if look.is_empty() {
            return refuse(format!("{} has no visible character", escaped(name)));
        }
        if let Some(other) = looks.insert(look.clone(), name) {
            if let Some(escape) = escapes(name).next().filter(|_| other == name) {
                return refuse(format!(
                    "{} stands for the folder with the byte {}, and for the one whose name has \
                     the text `{escape}`",
                    quoted(name),
                    &escape[2..]
                ));
            }
            let [one, other] = [other, name].map(|name| escaped(name));
            return refuse(format!("{one} and {other} look the same"));
        }
        if let Some(other) = folded.insert(look.to_lowercase(), name) {
            reading.warnings.push(format!(
                "the classes {} and {} of {} differ only in case: they are separate classes \
                 here, but file systems of macOS and Windows merge such folders",
                quoted(other),
                quoted(name),
                printable(&shown_path(place))
            ));
        }
    }
    // A name that is written like another one is escaped.
    let all: HashSet<&String> = names.iter().collect();
    for name in names {
        let written = printable(name).into_owned();
        if written != *name && all.contains(&written) {
            return refuse(format!(
                "{} and another name look the same when printed",
                quoted(&written)
            ));
        }
    }
    Ok(())
}

/// Returns the escapes of non-UTF-8 bytes in a name, as [`name_of`] writes them.
fn escapes(name: &str) -> impl Iterator<Item = &str> {
    let is_digit = |digit: u8| digit.is_ascii_digit() || (b'A'..=b'F').contains(&digit);
    name.match_indices("\\x").filter_map(move |(start, _)| {
        let escape = name.get(start..start + 4)?;
        escape.bytes().skip(2).all(is_digit).then_some(escape)
    })
}

/// Returns the visible form of a name: composed characters, single spaces, nothing invisible.
fn look(name: &str) -> String {
    let visible = name.nfc().filter(|&letter| is_printable(letter));
    let visible: String = visible.collect();
    visible.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Index of class names that ignores case and Unicode normalization.
#[derive(Clone, Debug)]
pub struct ClassIndex {
    exact: HashMap<String, usize>,
    /// Index by case-folded name; `None` if several names fold to it.
    folded: HashMap<String, Option<usize>>,
}

impl ClassIndex {
    /// Creates an index of class names.
    pub fn new(names: &[String]) -> Self {
        let mut folded: HashMap<String, Option<usize>> = HashMap::new();
        for (index, name) in names.iter().enumerate() {
            folded
                .entry(look(name).to_lowercase())
                .and_modify(|place| *place = None)
                .or_insert(Some(index));
        }
        let numbered = names.iter().enumerate();
        Self {
            exact: numbered
                .map(|(index, name)| (name.clone(), index))
                .collect(),
            folded,
        }
    }

    /// Returns the class with this name or, if there is none, the only class whose name differs
    /// only in case, Unicode normalization and invisible characters.
    pub fn place(&self, name: &str) -> Option<usize> {
        self.exact(name).or_else(|| {
            self.folded
                .get(&look(name).to_lowercase())
                .copied()
                .flatten()
        })
    }

    /// Returns the class with exactly this name.
    pub fn exact(&self, name: &str) -> Option<usize> {
        self.exact.get(name).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    fn checked(list: &[&str]) -> Result<Reading, String> {
        let mut reading = Reading::default();
        match check(&names(list), Path::new("photos"), &mut reading) {
            Ok(()) => Ok(reading),
            Err(error) => {
                let text = error.to_string();
                assert!(text.len() <= 300, "{text}");
                Err(text)
            }
        }
    }

    #[test]
    fn lookalike_names_are_rejected() {
        for pair in [
            ["caf\u{e9}", "cafe\u{301}"],
            ["cat", "cat "],
            ["big cat", "big  cat"],
            ["big cat", "big\u{a0}cat"],
            ["cat", "cat\u{200b}"],
            ["cat\u{1}", "cat\u{2}"],
            ["cat\u{202e}", "cat\u{202d}"],
            ["a\u{200b}b", "a\\u{200b}b"],
            ["a\nb", "a\\nb"],
        ] {
            let error = checked(&pair).unwrap_err();
            assert!(error.contains("photos"), "{error}");
            assert!(error.contains("the same"), "{error}");
            assert!(!error.contains(char::is_control), "{error}");
        }
        let error = checked(&["caf\\xE9", "caf\\xE9"]).unwrap_err();
        assert!(error.contains("the byte E9, and for the one"), "{error}");
        let error = checked(&["caf\u{e9}", "cafe\u{301}"]).unwrap_err();
        assert!(error.contains("`caf\\u{e9}` and `cafe\\u{301}`"), "{error}");
    }

    #[test]
    fn empty_and_long_names_are_rejected() {
        for name in ["", " ", "\u{3000}", "\u{200b}", "\t"] {
            let error = checked(&["cat", name]).unwrap_err();
            assert!(error.contains("no visible character"), "{name:?}: {error}");
        }
        assert!(checked(&["cat", &"\u{e9}".repeat(127)]).is_ok());
        assert!(checked(&["cat", &"\\xE9".repeat(255)]).is_ok());
        let error = checked(&["cat", &"x".repeat(100_000)]).unwrap_err();
        assert!(error.contains("100000 bytes"), "{error}");
    }

    #[test]
    fn names_differing_in_case_are_kept_with_warning() {
        let reading = checked(&["Cat", "cat", "dog"]).unwrap();
        assert_eq!(reading.warnings.len(), 1, "{reading:?}");
        assert!(reading.warnings[0].contains("`Cat` and `cat`"));
        assert_eq!(checked(&["1", "10", "2"]).unwrap(), Reading::default());
    }

    #[test]
    fn classes_match_ignoring_case_and_normalization() {
        let index = ClassIndex::new(&names(&["Cat", "caf\u{e9}", "A", "a"]));
        for (name, place) in [
            ("Cat", Some(0)),
            ("cat", Some(0)),
            ("CAT ", Some(0)),
            ("cafe\u{301}", Some(1)),
            ("CAFE\u{301}", Some(1)),
            ("A", Some(2)),
            ("a", Some(3)),
            ("A ", None), // of two
            ("dog", None),
        ] {
            assert_eq!(index.place(name), place, "{name:?}");
        }
        assert_eq!(index.exact("cat"), None);
    }

    #[cfg(unix)]
    #[test]
    fn non_utf8_names_stay_distinct() {
        use std::ffi::OsStr;
        use std::os::unix::ffi::OsStrExt as _;
        let name = |bytes: &[u8]| name_of(Path::new(OsStr::from_bytes(bytes)));
        assert_eq!(name(b"photos/caf\xe9"), "caf\\xE9");
        assert_eq!(name(b"photos/caf\xe8"), "caf\\xE8");
        assert_eq!(name("photos/caf\u{e9}".as_bytes()), "caf\u{e9}");
        assert_eq!(name(b"\xff\xfe"), "\\xFF\\xFE");
    }
}
