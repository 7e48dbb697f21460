//! Index of image files by the names used in tables.

use std::collections::HashMap;
use std::path::{Component, Path, PathBuf};

use unicode_normalization::UnicodeNormalization as _;

/// The images below a folder by name, ignoring case, Unicode normalization and, if a table omits
/// it, the extension.
pub(super) struct FileIndex<'a> {
    root: &'a Path,
    files: &'a [PathBuf],
    /// Indices by path relative to the folder.
    by_path: HashMap<String, Vec<usize>>,
    /// Indices by file name, with and without extension.
    by_name: HashMap<String, Vec<usize>>,
}

/// Result of looking up a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Named {
    One(usize),
    Several,
    Nothing,
}

impl<'a> FileIndex<'a> {
    pub(super) fn new(root: &'a Path, files: &'a [PathBuf]) -> Self {
        let mut by_path: HashMap<String, Vec<usize>> = HashMap::new();
        let mut by_name: HashMap<String, Vec<usize>> = HashMap::new();
        for (index, file) in files.iter().enumerate() {
            let Some(name) = file.file_name().and_then(|name| name.to_str()) else {
                continue; // cannot be named in a text table
            };
            let relative = file.strip_prefix(root).unwrap_or(file);
            let relative = parts(&relative.to_string_lossy()).join("/");
            by_path.entry(relative).or_default().push(index);
            by_name.entry(folded(name)).or_default().push(index);
            if let Some(stem) = file.file_stem().and_then(|stem| stem.to_str()) {
                by_name.entry(folded(stem)).or_default().push(index);
            }
        }
        Self {
            root,
            files,
            by_path,
            by_name,
        }
    }

    /// Returns whether a text names any file.
    pub(super) fn names_file(&self, text: &str) -> bool {
        self.find(text) != Named::Nothing
    }

    /// Returns whether a text ends with the full name of any file, including the extension.
    pub(super) fn names_exactly(&self, text: &str) -> bool {
        let is_one = |text: &str| {
            let wanted = parts(text);
            let found = wanted
                .last()
                .and_then(|last| Some((last, self.by_name.get(last)?)));
            found.is_some_and(|(last, files)| {
                let names = files.iter().map(|&index| self.files[index].file_name());
                names
                    .flatten()
                    .any(|name| folded(&name.to_string_lossy()) == *last)
            })
        };
        is_one(text) || text.contains('\\') && is_one(&text.replace('\\', "/"))
    }

    /// Finds the file that a text names: by its path relative to the folder, by a path that ends
    /// with it, or by the end of the path. A backslash is part of a name, or else separates
    /// folders.
    pub(super) fn find(&self, text: &str) -> Named {
        match self.find_path(text) {
            Named::Nothing if text.contains('\\') => self.find_path(&text.replace('\\', "/")),
            named => named,
        }
    }

    fn find_path(&self, text: &str) -> Named {
        let wanted = parts(text);
        let Some(last) = wanted.last() else {
            return Named::Nothing;
        };
        if let Some(files) = self.by_path.get(&wanted.join("/")) {
            return self.by_case(text, files);
        }
        let candidates = self.by_name.get(last).map_or(&[][..], Vec::as_slice);
        let ends: Vec<usize> = candidates
            .iter()
            .copied()
            .filter(|&index| self.lies_in(index, &wanted))
            .collect();
        self.by_case(text, &ends)
    }

    /// Returns whether the folders of a file match those of a path, as far as both have any.
    fn lies_in(&self, index: usize, wanted: &[String]) -> bool {
        let file = &self.files[index];
        let file = file.strip_prefix(self.root).unwrap_or(file);
        let file = parts(&file.to_string_lossy());
        let [one, other] = [wanted, &file].map(|parts| parts[..parts.len() - 1].iter().rev());
        one.zip(other).all(|(one, other)| one == other)
    }

    /// Returns the only file or, of several, the only one whose name matches with case.
    fn by_case(&self, text: &str, files: &[usize]) -> Named {
        match files {
            [] => Named::Nothing,
            [only] => Named::One(*only),
            several => {
                let text = text.trim();
                let is_named =
                    |index: &&usize| self.files[**index].to_string_lossy().ends_with(text);
                let mut fitting = several.iter().filter(is_named);
                match (fitting.next(), fitting.next()) {
                    (Some(only), None) => Named::One(*only),
                    _ => Named::Several,
                }
            }
        }
    }
}

/// Returns the case-folded names in a path; empty for a path that leads up.
fn parts(path: &str) -> Vec<String> {
    let mut names = Vec::new();
    for part in Path::new(path.trim()).components() {
        match part {
            Component::Normal(name) => names.push(folded(&name.to_string_lossy())),
            Component::ParentDir => return Vec::new(),
            _ => {}
        }
    }
    names
}

fn folded(name: &str) -> String {
    name.nfc().collect::<String>().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_name_files_in_several_ways() {
        let root = Path::new("photos");
        let files = [
            "train/1.jpg",
            "test/1.jpg",
            "a/b/IMG_2.JPG",
            "3.png",
            "caf\u{e9}.png",
            "x/cat.jpg",
            "x/Cat.jpg",
            #[cfg(unix)]
            "x\\y.png",
        ]
        .map(|file| root.join(file));
        let index = FileIndex::new(root, &files);
        for (text, named) in [
            ("train/1.jpg", Named::One(0)),
            ("./test/1.jpg", Named::One(1)),
            ("test\\1.jpg", Named::One(1)),
            ("/home/other/photos/test/1.jpg", Named::One(1)),
            ("1.jpg", Named::Several),
            ("val/1.jpg", Named::Nothing),
            ("img_2.jpg", Named::One(2)),
            ("b/IMG_2", Named::One(2)),
            (" 3 ", Named::One(3)),
            ("images/3.png", Named::One(3)),
            ("../3.png", Named::Nothing),
            ("cafe\u{301}.png", Named::One(4)),
            ("x/cat.jpg", Named::One(5)),
            ("Cat.jpg", Named::One(6)),
            ("x/CAT.jpg", Named::Several),
            ("", Named::Nothing),
            #[cfg(unix)]
            ("x\\y.png", Named::One(7)),
        ] {
            assert_eq!(index.find(text), named, "{text}");
        }
    }
}
