//! Unpacks an archive into a temporary folder, which is then renamed.

use std::fs::{self, File};
use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use download::DownloadError;

use super::{FetchProgress, Names};
use crate::archive::{Failure, Unpacked};

/// A `.tar.gz` archive and its target.
pub(super) struct Unpacking<'a> {
    pub archive: &'a Path,
    /// The target folder. All members of the archive are inside a folder of this name.
    pub folder: &'a Path,
    /// Files that the folder must contain.
    pub needed: &'a [Names<'a>],
}

/// The error type for unpacking an archive.
#[derive(Debug)]
pub(super) enum UnpackError {
    /// Local reading or writing failed, or the caller canceled.
    Here(DownloadError),
    /// The archive is invalid.
    Archive { path: PathBuf, reason: String },
}

impl From<DownloadError> for UnpackError {
    fn from(error: DownloadError) -> Self {
        Self::Here(error)
    }
}

/// Unpacks an archive. Existing files of the target folder are kept, and missing files are added.
/// If another process has unpacked the archive meanwhile, its result is used.
pub(super) fn unpack(
    unpacking: &Unpacking<'_>,
    progress: &mut dyn FnMut(FetchProgress<'_>) -> ControlFlow<()>,
) -> Result<(), UnpackError> {
    let Unpacking {
        archive,
        folder,
        needed,
    } = *unpacking;
    let damaged = |reason| UnpackError::Archive {
        path: archive.to_owned(),
        reason,
    };
    let temporary = Unpacked::beside(folder, archive, progress).map_err(|error| match error {
        Failure::Archive(reason) | Failure::Unknown(reason) => damaged(reason),
        Failure::Write(path, source) => DownloadError::writing(&path, source).into(),
        Failure::Interrupted => DownloadError::Interrupted.into(),
    })?;
    let name = folder.file_name().unwrap_or_default();
    let unpacked = temporary.path().join(name);
    let cannot_write = |source| DownloadError::writing(folder, source);
    for entry in fs::read_dir(temporary.path()).map_err(cannot_write)? {
        let entry = entry.map_err(cannot_write)?.file_name();
        if entry != name || !unpacked.is_dir() {
            let [entry, name] = [entry.display(), name.display()];
            return Err(damaged(format!("{entry} is outside of {name}")));
        }
    }
    let missing = needed
        .iter()
        .filter_map(|names| names.first())
        .find(|file| !unpacked.join(file).is_file());
    if let Some(file) = missing {
        return Err(damaged(format!("it has no {file}")));
    }
    synchronize(&unpacked).map_err(cannot_write)?;
    // A non-empty folder cannot be replaced.
    if fs::rename(&unpacked, folder).is_err() {
        merge(&unpacked, folder).map_err(cannot_write)?;
    }
    Ok(())
}

/// Ensures that a machine crash leaves no empty file in a complete-looking folder.
fn synchronize(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_file() {
            File::open(path)?.sync_all()?;
        }
    }
    Ok(())
}

/// Moves the files that exist in one folder and are missing in another.
fn merge(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if !target.exists() {
            fs::rename(entry.path(), target)?;
        }
    }
    Ok(())
}
