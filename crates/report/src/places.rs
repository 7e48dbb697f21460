//! Paths as shown in reports: relative to the folder that the run was started in, and without the
//! names of home folders, so that a report can be shared.

use events::History;

/// Folders that contain a home folder for each user.
const HOMES: [&str; 3] = ["home", "Users", "users"];
/// Home folder of the superuser.
const ROOT: &str = "root";
/// Number of components kept of a path that shares nothing with the start.
const STAY: usize = 2;

/// The folder that paths are relative to.
#[derive(Clone, Debug, Default)]
pub(crate) struct RelativePaths {
    /// The folder as recorded, without a trailing separator.
    start: String,
    /// Its components; `None` if unknown.
    components: Option<Vec<String>>,
}

impl RelativePaths {
    /// Uses the folder that a run was started in, or else the one that it was first resumed in.
    pub(crate) fn of(history: &History) -> Self {
        let sessions = history.sittings.iter();
        let started = history.started.as_ref();
        let folder = started
            .and_then(|started| started.folder.as_deref())
            .or_else(|| {
                sessions
                    .filter_map(|session| session.folder.as_deref())
                    .next()
            });
        Self::from(folder.unwrap_or_default())
    }

    fn from(folder: &str) -> Self {
        match is_absolute(folder) {
            true => Self {
                start: folder.trim_end_matches(is_separator).to_owned(),
                components: Some(components(folder).map(str::to_owned).collect()),
            },
            false => Self::default(),
        }
    }

    /// Returns whether a folder is the one that paths are relative to.
    pub(crate) fn is_start(&self, folder: &str) -> bool {
        !self.start.is_empty() && folder.trim_end_matches(is_separator) == self.start
    }

    /// Returns a path relative to the folder; a path that is not absolute is unchanged. If the path
    /// shares nothing with the folder, only its last components are kept: a relative path through
    /// the root would reveal the absolute path.
    pub(crate) fn path(&self, path: &str) -> String {
        if !is_absolute(path) {
            return path.to_owned();
        }
        let path: Vec<&str> = components(path).collect();
        let start = self.components.iter().flatten();
        let start: Vec<&str> = start.map(String::as_str).collect();
        let common = path.iter().zip(&start).take_while(|(a, b)| a == b).count();
        let home = home(&path);
        if let Some(home) = home
            && common < home
        {
            return ["~"]
                .iter()
                .chain(&path[home..])
                .copied()
                .collect::<Vec<_>>()
                .join("/");
        }
        let is_from_root = self.components.as_ref().is_some_and(Vec::is_empty);
        if common == 0 && !is_from_root {
            let left_out = path.len().saturating_sub(STAY);
            return ["…"]
                .iter()
                .chain(&path[left_out..])
                .copied()
                .collect::<Vec<_>>()
                .join("/");
        }
        let up = std::iter::repeat_n("..", start.len() - common);
        let relative: Vec<&str> = up.chain(path[common..].iter().copied()).collect();
        match relative.is_empty() {
            true => ".".to_owned(),
            false => relative.join("/"),
        }
    }

    /// Converts a text that may be a path, or a data set with a path after `folder:`; otherwise
    /// works like [`text`](Self::text).
    pub(crate) fn value(&self, value: &str) -> String {
        let (kind, path) = match value.split_once(':') {
            Some((kind @ "folder", path)) => (Some(kind), path),
            _ => (None, value),
        };
        match (kind, is_absolute(path)) {
            (_, false) => self.text(value),
            (Some(kind), true) => format!("{kind}:{}", self.path(path)),
            (None, true) => self.path(path),
        }
    }

    /// Returns a text with every absolute path in it converted. An unquoted path ends at
    /// whitespace, except for one inside the run's own folder.
    pub(crate) fn text(&self, text: &str) -> String {
        let mut changed = String::with_capacity(text.len());
        let mut rest = text;
        let mut before = None;
        while let Some(character) = rest.chars().next() {
            let is_beginning = before.is_none_or(|before: char| !is_in_word(before));
            let length = match is_beginning && is_absolute(rest) {
                true => self.length(rest, before),
                false => 0,
            };
            if length > 0 {
                changed += match &self.path(&rest[..length])[..] {
                    "." => "./",
                    path => path,
                };
                before = rest[..length].chars().next_back();
                rest = &rest[length..];
                continue;
            }
            changed.push(character);
            before = Some(character);
            rest = &rest[character.len_utf8()..];
        }
        changed
    }

    /// Returns the length in bytes of the path that a text starts with, or 0 if it only looks like
    /// a path.
    fn length(&self, text: &str, before: Option<char>) -> usize {
        let own = match &self.start[..] {
            "" => None,
            start => text.strip_prefix(start),
        };
        let is_own = own.is_some_and(|rest| {
            // A period may end the sentence.
            let rest = rest.strip_prefix('.').unwrap_or(rest);
            rest.chars().next().is_none_or(is_end_of_component)
        });
        let skipped = match is_own {
            true => self.start.len(),
            // The colon of a drive does not end a path.
            false => text.find(is_separator).unwrap_or(0),
        };
        let rest = &text[skipped..];
        // An apostrophe without a matching one is not a quote.
        let quote = before
            .filter(|before| matches!(before, '"' | '\'' | '`'))
            .filter(|quote| rest.contains(*quote));
        let ends = |(place, character): &(usize, char)| match quote {
            // Whitespace is part of a quoted path, unless another path follows.
            Some(quote) => {
                let behind = &rest[place + character.len_utf8()..];
                *character == quote || (!is_in_word(*character) && is_absolute(behind))
            }
            None => character.is_whitespace() || "\"'`,;:()[]{}<>|*?".contains(*character),
        };
        let end = rest.char_indices().find(ends);
        let end = end.map_or(text.len(), |(place, _)| skipped + place);
        let path = text[..end].trim_end_matches(['.', ':']);
        // `/s` and `//host` are not files.
        let is_path = is_own || (components(path).count() > 1 && !path.starts_with("//"));
        match is_path {
            true => path.len().max(if is_own { self.start.len() } else { 0 }),
            false => 0,
        }
    }
}

fn is_separator(character: char) -> bool {
    matches!(character, '/' | '\\')
}

fn is_end_of_component(character: char) -> bool {
    is_separator(character) || character.is_whitespace() || "\"'`,;:()[]{}<>|".contains(character)
}

/// Returns whether no path can start after a character.
fn is_in_word(character: char) -> bool {
    character.is_alphanumeric()
        || is_separator(character)
        || matches!(character, '_' | '-' | '.' | '~' | '…')
}

fn components(path: &str) -> impl Iterator<Item = &str> {
    let parts = path.split(is_separator);
    parts.filter(|part| !part.is_empty() && *part != ".")
}

/// Recognizes the paths of all operating systems, because the run may be from another one.
fn is_absolute(path: &str) -> bool {
    let has_drive =
        matches!(path.as_bytes(), [drive, b':', b'/' | b'\\', ..] if drive.is_ascii_alphabetic());
    path.starts_with('/') || path.starts_with("\\\\") || has_drive
}

/// Returns the number of components that lead to the home folder containing a path, if any.
fn home(path: &[&str]) -> Option<usize> {
    let behind_drive = usize::from(path.first().is_some_and(|first| first.ends_with(':')));
    match path.get(behind_drive) {
        Some(&first) if first == ROOT => Some(behind_drive + 1),
        Some(first) if HOMES.contains(first) && path.len() > behind_drive + 1 => {
            Some(behind_drive + 2)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn paths_are_relative_to_start_folder() {
        let places = RelativePaths::from("/home/joe/my work");
        for (path, shown) in [
            ("/home/joe/my work", "."),
            ("/home/joe/my work/runs/mine", "runs/mine"),
            ("/home/joe/photos", "../photos"),
            ("/home/joe", ".."),
            ("/home/ann/photos", "~/photos"),
            ("/home/ann", "~"),
            ("/root/photos", "~/photos"),
            ("/data/photos", "…/data/photos"),
            ("/data/sets/photos", "…/sets/photos"),
            ("photos/cats", "photos/cats"),
            ("~/photos", "~/photos"),
        ] {
            assert_eq!(places.path(path), shown, "{path}");
        }
        let system = RelativePaths::from("/srv/work/");
        assert_eq!(system.path("/home/joe/photos"), "~/photos");
        assert_eq!(system.path("/srv/photos"), "../photos");
        let root = RelativePaths::from("/");
        assert_eq!(root.path("/runs/mine"), "runs/mine");
        assert_eq!(root.path("/home/joe/photos"), "~/photos");
        let unknown = RelativePaths::default();
        assert_eq!(unknown.path("/data/sets/photos"), "…/sets/photos");
        assert_eq!(unknown.path("/Users/joe/photos"), "~/photos");
        let windows = RelativePaths::from(r"C:\Users\joe\work");
        assert_eq!(windows.path(r"C:\Users\joe\work\runs\mine"), "runs/mine");
        assert_eq!(windows.path(r"C:\Users\ann\photos"), "~/photos");
        assert_eq!(windows.path(r"D:\sets\photos\cats"), "…/photos/cats");
    }

    #[test]
    fn paths_are_found_in_texts() {
        let places = RelativePaths::from("/home/joe/my work");
        for (text, shown) in [
            (
                "cannot read /home/joe/my work/a b/1.png: it ends too early",
                "cannot read a b/1.png: it ends too early",
            ),
            (
                "cannot read `/data/my sets/1.png`",
                "cannot read `…/my sets/1.png`",
            ),
            ("/home/ann/1.png, /home/ann/2.png.", "~/1.png, ~/2.png."),
            ("folder:/home/joe/photos", "folder:../photos"),
            (
                "100 images /s, and/or 3/4 of T-shirt/top",
                "100 images /s, and/or 3/4 of T-shirt/top",
            ),
            (
                "see https://burn.dev/docs/book",
                "see https://burn.dev/docs/book",
            ),
            (
                r#""C:\Users\joe\x y\z" is damaged"#,
                r#""~/x y/z" is damaged"#,
            ),
            ("/home/joe/my workers/1", "../my workers/1"),
            ("in /home/joe/my work.", "in ./."),
            ("", ""),
        ] {
            assert_eq!(places.text(text), shown, "{text}");
        }
        assert_eq!(places.value("folder:/home/ann b/photos"), "folder:~/photos");
        assert_eq!(places.value("/x"), "…/x");
        assert_eq!(places.value("sample"), "sample");
    }

    proptest! {
        #[test]
        fn home_folder_is_not_shown(
            start in "(/(home|Users|root|data)(/[a-z]{1,3}){0,3})?",
            text in "(([a-z]{2,3}:)? ?/home/[a-z]{12}(/[a-z]{1,3}){0,2}[.]?[ ,]){0,4}",
        ) {
            let shown = RelativePaths::from(&start).text(&text);
            prop_assert!(!shown.contains("home/"), "{start} {text} {shown}");
        }

        #[test]
        fn any_text_is_rewritten_without_panic(start in "\\PC{0,20}|/.{0,10}", text in ".{0,40}|[/\\\\a:.\" …]{0,40}") {
            let places = RelativePaths::from(&start);
            places.text(&text);
            places.value(&text);
        }
    }
}
