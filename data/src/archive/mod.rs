//! Images in an archive, which is unpacked once.
//!
//! An archive is unpacked under a lock into a temporary folder next to the target folder, and then
//! renamed, so the target is either complete or missing. Its name contains a hash of the archive's
//! path, size and modification time.

mod tar;
mod unpacked;
mod zip;

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, Read, Write as _};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use crate::error::quoted;
use crate::options::FetchProgress;

pub(crate) use unpacked::{Unpacked, unpacked};

/// File name endings of supported archives, in lower case.
const ENDINGS: [&str; 4] = [".zip", ".tar", ".tar.gz", ".tgz"];
/// File name endings of unsupported archives.
const OTHER_ENDINGS: [&str; 9] = [
    ".7z", ".rar", ".tar.bz2", ".tar.xz", ".tar.zst", ".tbz2", ".txz", ".tar.lz", ".gz",
];
/// Maximum number of members of an archive.
const MAX_MEMBERS: usize = 20_000_000;
/// Maximum number of bytes that an archive may unpack to, unless a multiple of its own size is
/// larger.
const MAX_BYTES: u64 = 1 << 30;
const MAX_RATIO: u64 = 100;
/// Maximum number of names in a member's path.
const MAX_DEPTH: usize = 32;

/// Returns whether a path has the name of an archive, including unsupported ones.
pub(crate) fn is_archive(path: &Path) -> bool {
    let name = path
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .to_lowercase();
    ENDINGS
        .iter()
        .chain(&OTHER_ENDINGS)
        .any(|ending| name.len() > ending.len() && name.ends_with(ending))
}

/// The error type for unpacking an archive.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The archive is invalid.
    Archive(String),
    /// The archive is intact, but of an unsupported kind.
    Unknown(String),
    /// A file could not be written.
    Write(PathBuf, io::Error),
    /// The caller canceled.
    Interrupted,
}

/// Destination of an archive's members, and the remaining limits.
struct Target<'a> {
    folder: &'a Path,
    members: usize,
    bytes: u64,
    /// Folders already created, by relative path.
    made: HashSet<PathBuf>,
}

impl<'a> Target<'a> {
    /// Creates a target for an archive of `size` bytes.
    fn new(folder: &'a Path, size: u64) -> Self {
        Self {
            folder,
            members: MAX_MEMBERS,
            bytes: MAX_BYTES.max(size.saturating_mul(MAX_RATIO)),
            made: HashSet::new(),
        }
    }

    /// Reserves room for a member with the given declared size in bytes.
    fn announce(&mut self, name: &str, bytes: u64) -> Result<(), Failure> {
        self.members = self
            .members
            .checked_sub(1)
            .ok_or_else(|| Failure::Archive("it has too many members".to_owned()))?;
        match bytes > self.bytes {
            true => Err(self.too_large(name)),
            false => Ok(()),
        }
    }

    fn too_large(&self, name: &str) -> Failure {
        Failure::Archive(format!(
            "with {}, it would unpack to more than {MAX_RATIO} times its size",
            quoted(name)
        ))
    }

    /// Creates the folder of a member, and its parents.
    fn folder(&mut self, path: &Path) -> Result<(), Failure> {
        let mut relative = PathBuf::new();
        for part in path.iter() {
            relative.push(part);
            if self.made.contains(&relative) {
                continue;
            }
            let here = self.folder.join(&relative);
            fs::create_dir(&here).map_err(|error| match error.kind() {
                // Nothing existed before, so this file system treats two names as the same.
                io::ErrorKind::AlreadyExists => Failure::Archive(format!(
                    "its member {} has the same name as another on this file system",
                    quoted(&relative.to_string_lossy())
                )),
                _ => Failure::Write(here.clone(), error),
            })?;
            self.made.insert(relative.clone());
        }
        Ok(())
    }

    /// Writes a member.
    fn file(
        &mut self,
        path: &Path,
        member: &mut dyn Read,
        progress: &mut dyn FnMut() -> ControlFlow<()>,
    ) -> Result<(), Failure> {
        if let Some(parent) = path.parent() {
            self.folder(parent)?;
        }
        let name = path.to_string_lossy();
        let target = self.folder.join(path);
        let mut file = File::create_new(&target).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => Failure::Archive(format!(
                "it has two members {}, or two that are one on this file system",
                quoted(&name)
            )),
            _ => Failure::Write(target.clone(), error),
        })?;
        let mut buffer = vec![0; 1 << 16];
        loop {
            if progress().is_break() {
                return Err(Failure::Interrupted);
            }
            let length = member
                .read(&mut buffer)
                .map_err(|error| tar::damaged(&error))?;
            if length == 0 {
                return Ok(());
            }
            self.bytes = match self.bytes.checked_sub(length as u64) {
                Some(bytes) => bytes,
                None => return Err(self.too_large(&name)),
            };
            file.write_all(&buffer[..length])
                .map_err(|error| Failure::Write(target.clone(), error))?;
        }
    }
}

/// Returns the path of a member below the folder; `None` for the folder itself.
///
/// # Errors
///
/// If the path escapes the folder, or is deeper than in any data set.
fn checked(path: &Path) -> Result<Option<PathBuf>, Failure> {
    use std::path::Component;
    let refuse = |what: &str| {
        let name = quoted(&path.to_string_lossy());
        Err(Failure::Archive(format!("its member {name} {what}")))
    };
    let mut checked = PathBuf::new();
    for part in path.components() {
        match part {
            Component::Normal(name) => checked.push(name),
            Component::CurDir => {}
            _ => return refuse("is outside of the archive"),
        }
    }
    if checked.iter().count() > MAX_DEPTH {
        return refuse("is nested too deep");
    }
    Ok((!checked.as_os_str().is_empty()).then_some(checked))
}

/// Returns whether a member was added by an operating system and is useless for a data set.
fn is_of_the_system(path: &Path) -> bool {
    path.iter()
        .any(|name| name == "__MACOSX" || name == ".DS_Store")
}

/// Progress of unpacking, for [`FetchProgress`].
struct Progress<'a> {
    name: &'a str,
    total: u64,
    report: &'a mut dyn FnMut(FetchProgress<'_>) -> ControlFlow<()>,
}

impl Progress<'_> {
    fn at(&mut self, done: u64) -> ControlFlow<()> {
        (self.report)(FetchProgress::Unpacking {
            file: self.name,
            done: done.min(self.total),
            total: self.total,
        })
    }
}

#[cfg(test)]
mod tests;
