//! What lies in folders.

use std::fs::{self, FileType};
use std::io;
use std::path::{Path, PathBuf};

use files::printable;

use super::listing::is_picture_name;
use super::names::{name_of, quoted};
use crate::error::DataError;

/// How deep folders are searched.
pub(super) const DEEPEST: usize = 12;
/// Folders that systems make by themselves, in lower case.
const OF_THE_SYSTEM: [&str; 5] = [
    "__macosx",
    "$recycle.bin",
    "system volume information",
    "lost+found",
    "@eadir",
];
/// How many folders a message names.
const NAMED: usize = 3;

/// What a folder holds, each sorted by name, without hidden entries and what systems put there.
#[derive(Debug, Default)]
pub(super) struct Contents {
    pub folders: Vec<PathBuf>,
    /// Files with the name of an image.
    pub images: Vec<PathBuf>,
    /// Everything else.
    pub others: Vec<PathBuf>,
}

impl Contents {
    pub(super) fn of(path: &Path) -> Result<Self, DataError> {
        let mut contents = Self::default();
        for entry in read(path)? {
            let entry = entry.map_err(|source| cannot_read(path, source))?;
            let kind = entry.file_type();
            let entry = entry.path();
            if is_hidden(&entry) {
                continue;
            }
            // Of a symbolic link, what it leads to counts.
            let kind = match kind {
                Ok(kind) if !kind.is_symlink() => Some(kind),
                _ => fs::metadata(&entry)
                    .ok()
                    .map(|metadata| metadata.file_type()),
            };
            if kind.is_some_and(|kind| kind.is_dir()) {
                if !leads_back(path, &entry) {
                    contents.folders.push(entry);
                }
            } else if is_picture_name(&entry) && kind.as_ref().is_none_or(FileType::is_file) {
                contents.images.push(entry);
            } else {
                contents.others.push(entry);
            }
        }
        for entries in [
            &mut contents.folders,
            &mut contents.images,
            &mut contents.others,
        ] {
            entries.sort();
        }
        Ok(contents)
    }

    /// The folders that hold images, themselves or deeper down.
    pub(super) fn folders_with_images(&self) -> Result<Vec<PathBuf>, DataError> {
        let mut found = Vec::new();
        for folder in &self.folders {
            if holds_images(folder, DEEPEST)? {
                found.push(folder.clone());
            }
        }
        Ok(found)
    }
}

/// Whether a folder holds images, itself or deeper down. Stops at the first one.
fn holds_images(path: &Path, depth: usize) -> Result<bool, DataError> {
    let mut folders = Vec::new();
    for entry in read(path)? {
        let entry = entry.map_err(|source| cannot_read(path, source))?;
        let kind = entry.file_type();
        let entry = entry.path();
        if is_hidden(&entry) {
            continue;
        }
        let is_folder = match kind {
            Ok(kind) if !kind.is_symlink() => kind.is_dir(),
            _ => entry.is_dir() && !leads_back(path, &entry),
        };
        if is_folder {
            folders.push(entry);
        } else if is_picture_name(&entry) {
            return Ok(true);
        }
    }
    for folder in folders {
        if depth > 0 && holds_images(&folder, depth - 1)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// All images below a folder, sorted by path.
pub(super) fn all_images(path: &Path) -> Result<Vec<PathBuf>, DataError> {
    fn collect(path: &Path, depth: usize, found: &mut Vec<PathBuf>) -> Result<(), DataError> {
        let contents = Contents::of(path)?;
        found.extend(contents.images);
        for folder in &contents.folders {
            if depth > 0 {
                collect(folder, depth - 1, found)?;
            }
        }
        Ok(())
    }
    let mut found = Vec::new();
    collect(path, DEEPEST, &mut found)?;
    found.sort();
    Ok(found)
}

/// What a folder holds, in words, such as "2 folders (`a` with 3 images, `b` with 2 folders) and 1
/// other file".
pub(super) fn in_words(path: &Path) -> String {
    let Ok(contents) = Contents::of(path) else {
        return "nothing that can be read".to_owned();
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
    match parts.pop() {
        None => "nothing".to_owned(),
        Some(last) if parts.is_empty() => last,
        Some(last) => format!("{} and {last}", parts.join(", ")),
    }
}

/// How many folders, images and other files there are, folders first; none of zero.
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

/// A path below a folder for a message, or the whole path elsewhere.
pub(super) fn below(root: &Path, path: &Path) -> String {
    let relative = path.strip_prefix(root).unwrap_or(path);
    match relative.as_os_str().is_empty() {
        true => printable(&root.display().to_string()).into_owned(),
        false => printable(&relative.display().to_string()).into_owned(),
    }
}

fn read(path: &Path) -> Result<fs::ReadDir, DataError> {
    fs::read_dir(path).map_err(|source| cannot_read(path, source))
}

fn cannot_read(path: &Path, source: io::Error) -> DataError {
    DataError::Read {
        path: path.to_owned(),
        source,
    }
}

/// Whether an entry's name starts with a dot, or is that of a folder that systems make.
fn is_hidden(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default();
    name.as_encoded_bytes().starts_with(b".")
        || name
            .to_str()
            .is_some_and(|name| OF_THE_SYSTEM.contains(&name.to_lowercase().as_str()))
}

/// Whether a symbolic link in a folder leads to that folder, or to one that holds it.
fn leads_back(folder: &Path, link: &Path) -> bool {
    let is_link = fs::symlink_metadata(link).is_ok_and(|metadata| metadata.is_symlink());
    let real = |path: &Path| fs::canonicalize(path).ok();
    match (is_link.then(|| real(link)).flatten(), real(folder)) {
        (Some(link), Some(folder)) => folder.starts_with(link),
        _ => false,
    }
}
