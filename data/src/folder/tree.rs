//! Content of folders.

use std::collections::{HashSet, VecDeque};
use std::ffi::OsStr;
use std::fs::{self, FileType};
use std::io;
use std::path::{Path, PathBuf};

use files::{printable, shown_path};

use super::listing::is_image_name;
use super::names::name_of;
use crate::archive::is_archive;
use crate::decode::other_format;
use crate::error::{DataError, quoted};

/// Maximum depth of the folder search.
pub(super) const DEEPEST: usize = 12;
/// Folders created by systems and programs, in lower case.
const OF_THE_SYSTEM: [&str; 20] = [
    "__macosx",
    "$recycle.bin",
    "system volume information",
    "lost+found",
    "@eadir",
    ".git",
    ".svn",
    ".hg",
    ".dvc",
    ".cache",
    ".venv",
    ".idea",
    ".vscode",
    ".ipynb_checkpoints",
    ".thumbnails",
    ".picasaoriginals",
    ".appledouble",
    ".spotlight-v100",
    ".fseventsd",
    ".temporaryitems",
];
/// Maximum number of folders in a message.
const NAMED: usize = 3;

/// Content of a folder, each list sorted by name, without hidden and system entries.
#[derive(Debug, Default)]
pub(super) struct Contents {
    pub folders: Vec<PathBuf>,
    /// Files with an image extension.
    pub images: Vec<PathBuf>,
    /// Everything else.
    pub others: Vec<PathBuf>,
    /// Folders whose names start with a dot.
    pub hidden: Vec<PathBuf>,
}

/// Kind of a folder entry.
enum Entry {
    Folder(PathBuf),
    Image(PathBuf),
    Other(PathBuf),
    Hidden(PathBuf),
}

impl Contents {
    pub(super) fn of(path: &Path) -> Result<Self, DataError> {
        let mut contents = Self::default();
        for entry in entries(path)? {
            match entry? {
                Entry::Folder(path) => contents.folders.push(path),
                Entry::Image(path) => contents.images.push(path),
                Entry::Other(path) => contents.others.push(path),
                Entry::Hidden(path) if path.is_dir() => {
                    contents.hidden.push(path);
                }
                Entry::Hidden(_) => {}
            }
        }
        for entries in [
            &mut contents.folders,
            &mut contents.images,
            &mut contents.others,
            &mut contents.hidden,
        ] {
            entries.sort();
        }
        Ok(contents)
    }

    /// Returns the folders that hold images, directly or deeper down.
    pub(super) fn folders_with_images(&self) -> Result<Vec<PathBuf>, DataError> {
        with_images(&self.folders)
    }
}

/// Returns those of several folders that hold images, directly or deeper down.
pub(super) fn with_images(folders: &[PathBuf]) -> Result<Vec<PathBuf>, DataError> {
    let mut found = Vec::new();
    for folder in folders {
        if holds_images(folder)? {
            found.push(folder.clone());
        }
    }
    Ok(found)
}

/// Returns the entries of a folder, in file system order. Symbolic links are followed, except for
/// those that lead back.
fn entries(path: &Path) -> Result<impl Iterator<Item = Result<Entry, DataError>> + '_, DataError> {
    let entries = fs::read_dir(path).map_err(|source| cannot_read(path, source))?;
    Ok(entries.filter_map(move |entry| {
        let entry = match entry {
            Ok(entry) => entry,
            Err(source) => return Some(Err(cannot_read(path, source))),
        };
        let kind = entry.file_type();
        let entry = entry.path();
        let name = entry.file_name().unwrap_or_default();
        if is_of_the_system(name) {
            return None;
        }
        if name.as_encoded_bytes().starts_with(b".") {
            return Some(Ok(Entry::Hidden(entry)));
        }
        let kind = match kind {
            Ok(kind) if !kind.is_symlink() => Some(kind),
            _ => fs::metadata(&entry)
                .ok()
                .map(|metadata| metadata.file_type()),
        };
        if kind.is_some_and(|kind| kind.is_dir()) {
            (!leads_back(path, &entry)).then_some(Ok(Entry::Folder(entry)))
        } else if is_image_name(&entry) && kind.as_ref().is_none_or(FileType::is_file) {
            Some(Ok(Entry::Image(entry)))
        } else {
            Some(Ok(Entry::Other(entry)))
        }
    }))
}

/// Returns whether a folder holds images, directly or deeper down. Stops at the first one.
fn holds_images(path: &Path) -> Result<bool, DataError> {
    let mut way = Way::from(path);
    while let Some(folder) = way.next() {
        for entry in entries(&folder)? {
            match entry? {
                Entry::Image(_) => return Ok(true),
                Entry::Folder(path) => way.add(path),
                Entry::Other(_) | Entry::Hidden(_) => {}
            }
        }
    }
    Ok(false)
}

/// Returns all images below a folder, sorted by path. A folder that several links lead to is listed
/// once.
pub(super) fn all_images(path: &Path) -> Result<Vec<PathBuf>, DataError> {
    let mut found = Vec::new();
    let mut way = Way::from(path);
    while let Some(folder) = way.next() {
        let contents = Contents::of(&folder)?;
        found.extend(contents.images);
        contents.folders.into_iter().for_each(|path| way.add(path));
    }
    found.sort();
    Ok(found)
}

/// Traversal of a folder and its subfolders. Each folder is visited once, however many links lead
/// to it; links are followed last.
struct Way {
    folders: Vec<PathBuf>,
    links: VecDeque<PathBuf>,
    visited: HashSet<PathBuf>,
    /// Number of names in the path of the first folder.
    start: usize,
}

impl Way {
    fn from(path: &Path) -> Self {
        Self {
            folders: vec![path.to_owned()],
            links: VecDeque::new(),
            visited: HashSet::new(),
            start: path.iter().count(),
        }
    }

    fn next(&mut self) -> Option<PathBuf> {
        loop {
            let folder = self.folders.pop().or_else(|| self.links.pop_front())?;
            let real = fs::canonicalize(&folder).unwrap_or_else(|_| folder.clone());
            if self.visited.insert(real) {
                return Some(folder);
            }
        }
    }

    fn add(&mut self, path: PathBuf) {
        if path.iter().count() - self.start > DEEPEST {
            return;
        }
        match path.is_symlink() {
            true => self.links.push_back(path),
            false => self.folders.push(path),
        }
    }
}

/// Returns the first descendant folder that holds several folders with images, which may be the
/// classes.
pub(crate) fn likely_set(path: &Path) -> Option<PathBuf> {
    let folders = Contents::of(path).ok()?.folders;
    folders.into_iter().find(|folder| {
        let inner = Contents::of(folder).and_then(|inner| inner.folders_with_images());
        inner.is_ok_and(|inner| inner.len() > 1)
    })
}

/// Returns the path of the first file in a folder without images.
pub(crate) fn first_other_file(path: &Path) -> Option<PathBuf> {
    Contents::of(path).ok()?.others.into_iter().next()
}

/// Returns the only archive in a folder without subfolders.
pub(crate) fn only_archive(path: &Path) -> Option<PathBuf> {
    let contents = Contents::of(path).ok()?;
    let mut archives = contents.others.into_iter().filter(|path| is_archive(path));
    match (archives.next(), archives.next()) {
        (Some(only), None) if contents.folders.is_empty() => Some(only),
        _ => None,
    }
}

/// Describes the content of a folder in words, such as "2 folders (`a` with 3 images, `b` with 2
/// folders) and 1 other file".
pub(super) fn in_words(path: &Path) -> String {
    let Ok(contents) = Contents::of(path) else {
        return "nothing readable".to_owned();
    };
    let mut parts = counts(&contents);
    if !contents.folders.is_empty() {
        let named = contents.folders.iter().take(NAMED).map(|folder| {
            let inside = Contents::of(folder).map(|inside| counts(&inside));
            match inside.unwrap_or_default().first() {
                Some(first) => format!("{} with {first}", quoted(&name_of(folder))),
                None => format!("{}, empty", quoted(&name_of(folder))),
            }
        });
        let more = (contents.folders.len() > NAMED).then(|| "...".to_owned());
        let named: Vec<String> = named.chain(more).collect();
        parts[0] = format!("{} ({})", parts[0], named.join(", "));
    }
    if let Some(others) = parts.last_mut().filter(|_| !contents.others.is_empty()) {
        others.push_str(&first_other(&contents));
    }
    match parts.pop() {
        None => "nothing".to_owned(),
        Some(last) if parts.is_empty() => last,
        Some(last) => format!("{} and {last}", parts.join(", ")),
    }
}

/// Returns the name of the only other file or, if there are no images, of the first one.
fn first_other(contents: &Contents) -> String {
    let Some(first) = contents.others.first() else {
        return String::new();
    };
    let name = quoted(&name_of(first));
    let has_images = !contents.images.is_empty() || !contents.folders.is_empty();
    let format = other_format(first).filter(|_| !has_images);
    match (format, contents.others.len()) {
        (Some(format), 1) => format!(" ({name}, {})", format.name),
        (Some(format), _) => format!(" (the first, {name}, is {})", format.name),
        (None, 1) => format!(" ({name})"),
        (None, _) => String::new(),
    }
}

/// Describes the number of folders, images and other files, in this order; zero counts are omitted.
fn counts(contents: &Contents) -> Vec<String> {
    [
        (contents.folders.len(), "folder", "folders"),
        (contents.images.len(), "image", "images"),
        (contents.others.len(), "other file", "other files"),
    ]
    .into_iter()
    .filter(|(count, ..)| *count > 0)
    .map(|(count, one, many)| format!("{count} {}", if count == 1 { one } else { many }))
    .collect()
}

/// Returns a path relative to a folder for a message, or the whole path if it is elsewhere.
pub(super) fn below(root: &Path, path: &Path) -> String {
    let relative = path.strip_prefix(root).unwrap_or(path);
    match relative.as_os_str().is_empty() {
        true => printable(&shown_path(root)).into_owned(),
        false => printable(&shown_path(relative)).into_owned(),
    }
}

fn cannot_read(path: &Path, source: io::Error) -> DataError {
    DataError::Read {
        path: path.to_owned(),
        source,
    }
}

/// Returns whether a name is that of a folder created by systems or programs.
fn is_of_the_system(name: &OsStr) -> bool {
    name.to_str().is_some_and(|name| {
        let name = name.to_lowercase();
        OF_THE_SYSTEM.contains(&name.as_str()) || name.starts_with(".trash")
    })
}

/// Returns whether a symbolic link in a folder leads to that folder or to an ancestor.
fn leads_back(folder: &Path, link: &Path) -> bool {
    let is_link = fs::symlink_metadata(link).is_ok_and(|metadata| metadata.is_symlink());
    let real = |path: &Path| fs::canonicalize(path).ok();
    match (is_link.then(|| real(link)).flatten(), real(folder)) {
        (Some(link), Some(folder)) => folder.starts_with(link),
        _ => false,
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn folder_links_are_followed_once() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path();
        let names: Vec<String> = (0..9).map(|place| format!("d{place}")).collect();
        for name in &names {
            fs::create_dir(path.join(name)).unwrap();
            for other in names.iter().filter(|other| *other != name) {
                symlink(format!("../{other}"), path.join(name).join(other)).unwrap();
            }
        }
        assert!(!holds_images(path).unwrap());
        for name in &names {
            fs::write(path.join(name).join("1.png"), "").unwrap();
        }
        let images = all_images(path).unwrap();
        let expected: Vec<PathBuf> = names
            .iter()
            .map(|name| path.join(name).join("1.png"))
            .collect();
        assert_eq!(images, expected);
    }
}
