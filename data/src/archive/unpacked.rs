//! Folders of unpacked archives.

use std::fs;
use std::io::{self, Read as _, Seek as _};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use download::DownloadError;
use files::Hasher;
use tempfile::TempDir;

use super::{ENDINGS, Failure, OTHER_ENDINGS, Progress, Target, tar, zip};
use crate::error::DataError;
use crate::folders::writable;
use crate::options::FetchProgress;

/// Name of the folder in the cache folder that holds unpacked archives.
const FOLDER: &str = "archives";
/// Number of hash digits in a folder's name.
const DIGITS: usize = 16;
/// Maximum number of bytes of an archive's name in its folder's name.
const NAME: usize = 80;

/// Returns the folder that an archive is unpacked into, and unpacks it if necessary: in `data_dir`
/// or, if that is not writable, in the user's cache folder.
pub(crate) fn unpacked(
    archive: &Path,
    data_dir: Option<&Path>,
    progress: &mut dyn FnMut(FetchProgress<'_>) -> ControlFlow<()>,
) -> Result<PathBuf, DataError> {
    let read = |source| DataError::Read {
        path: archive.to_owned(),
        source,
    };
    let lower = archive.to_string_lossy().to_lowercase();
    if !ENDINGS.iter().any(|ending| lower.ends_with(ending)) {
        let ending = OTHER_ENDINGS.iter().find(|ending| lower.ends_with(*ending));
        return Err(DataError::Archive {
            path: archive.to_owned(),
            reason: format!(
                "archives that end in {} are not supported",
                ending.copied().unwrap_or_default()
            ),
            hint: "unpack it and name the folder, or pack it as .zip, .tar or .tar.gz",
        });
    }
    let metadata = match fs::metadata(archive) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(DataError::NotAFolder {
                path: archive.to_owned(),
            });
        }
        metadata => metadata.map_err(read)?,
    };
    if !metadata.is_file() {
        return Err(DataError::NotAFolder {
            path: archive.to_owned(),
        });
    }
    let name = name(archive, &metadata).map_err(read)?;
    let bases: Vec<PathBuf> = writable(data_dir)
        .into_iter()
        .map(|base| base.join(FOLDER))
        .collect();
    if let Some(there) = bases
        .iter()
        .map(|base| base.join(&name))
        .find(|path| path.is_dir())
    {
        return Ok(there);
    }
    let mut failed = None;
    for base in bases {
        match unpack(archive, &base.join(&name), progress) {
            Err(Failure::Write(path, error))
                if matches!(
                    error.kind(),
                    io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem
                ) =>
            {
                failed = Some(Failure::Write(path, error));
            }
            result => return result.map_err(|failure| told(archive, failure)),
        }
    }
    Err(told(
        archive,
        failed.unwrap_or_else(|| Failure::Unknown("this user has no cache folder".to_owned())),
    ))
}

/// Returns the folder name for an archive; it changes when the archive does.
fn name(archive: &Path, metadata: &fs::Metadata) -> io::Result<String> {
    let path = fs::canonicalize(archive)?;
    let changed = metadata
        .modified()?
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let mut hasher = Hasher::new();
    hasher.update(path.as_os_str().as_encoded_bytes());
    hasher.update(&[0]);
    hasher.update(&metadata.len().to_le_bytes());
    hasher.update(&changed.as_nanos().to_le_bytes());
    let name = archive.file_name().unwrap_or_default().to_string_lossy();
    let plain = name.replace(
        |letter: char| !letter.is_alphanumeric() && letter != '-',
        "_",
    );
    let end = (0..=NAME.min(plain.len()))
        .rev()
        .find(|&end| plain.is_char_boundary(end));
    let hash = hasher.sha256();
    Ok(format!(
        "{}-{}",
        &plain[..end.unwrap_or(0)],
        &hash[..DIGITS]
    ))
}

fn unpack(
    archive: &Path,
    folder: &Path,
    report: &mut dyn FnMut(FetchProgress<'_>) -> ControlFlow<()>,
) -> Result<PathBuf, Failure> {
    let file_name = archive.file_name().unwrap_or_default().to_string_lossy();
    let mut wait = |_| {
        report(FetchProgress::Unpacking {
            file: &file_name,
            done: 0,
            total: 0,
        })
    };
    let lock = download::lock(folder, &mut wait).map_err(|error| match error {
        DownloadError::Interrupted => Failure::Interrupted,
        DownloadError::Write { path, source } => Failure::Write(path, source),
        error => Failure::Unknown(error.to_string()),
    })?;
    // Another process may have unpacked it meanwhile.
    if folder.is_dir() {
        return Ok(folder.to_owned());
    }
    let unpacked = Unpacked::beside(folder, archive, report)?;
    fs::rename(unpacked.path(), folder)
        .map_err(|error| Failure::Write(folder.to_owned(), error))?;
    drop(lock);
    Ok(folder.to_owned())
}

/// A temporary folder with the members of an archive.
pub(crate) struct Unpacked(TempDir);

impl Unpacked {
    /// Unpacks an archive beside `folder`, whose lock ensures that no other process unpacks there.
    pub(crate) fn beside(
        folder: &Path,
        archive: &Path,
        report: &mut dyn FnMut(FetchProgress<'_>) -> ControlFlow<()>,
    ) -> Result<Self, Failure> {
        let (Some(base), Some(name)) = (folder.parent(), folder.file_name()) else {
            return Err(Failure::Unknown("its folder has no name".to_owned()));
        };
        let prefix = format!(".{}.unpacking-", name.to_string_lossy());
        remove_leftovers(base, &prefix);
        let cannot_write = |error| Failure::Write(base.to_owned(), error);
        let temporary = tempfile::Builder::new()
            .prefix(&prefix)
            .tempdir_in(base)
            .map_err(cannot_write)?;
        let unpacked = Self(temporary);
        fs::create_dir(unpacked.path()).map_err(cannot_write)?;
        write_members(archive, &unpacked.path(), report)?;
        Ok(unpacked)
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.0.path().join("archive")
    }
}

fn write_members(
    archive: &Path,
    folder: &Path,
    report: &mut dyn FnMut(FetchProgress<'_>) -> ControlFlow<()>,
) -> Result<(), Failure> {
    let cannot_read = |error: io::Error| Failure::Archive(files::reason(&error));
    let file = files::open_file(archive).map_err(cannot_read)?;
    let total = file.metadata().map_err(cannot_read)?.len();
    let name = archive.file_name().unwrap_or_default().to_string_lossy();
    let mut target = Target::new(folder, total);
    let mut progress = Progress {
        name: &name,
        total,
        report,
    };
    // Some archives have the name of another kind.
    let mut start = Vec::new();
    let mut head = file.take(2);
    head.read_to_end(&mut start).map_err(cannot_read)?;
    let mut file = head.into_inner();
    file.rewind().map_err(cannot_read)?;
    let is_zip = name.to_lowercase().ends_with(".zip");
    match start.as_slice() {
        [] => Err(Failure::Archive("it is empty".to_owned())),
        b"PK" => zip::unpack(file, &mut target, &mut progress),
        b"\x1f\x8b" => tar::unpack(file, true, &mut target, &mut progress),
        _ if is_zip => zip::unpack(file, &mut target, &mut progress),
        _ => tar::unpack(file, false, &mut target, &mut progress),
    }
}

/// Removes the leftovers of a process that was killed while unpacking.
fn remove_leftovers(base: &Path, prefix: &str) {
    for entry in fs::read_dir(base).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(prefix) {
            // A remaining leftover is harmless.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

fn told(archive: &Path, failure: Failure) -> DataError {
    let (reason, hint) = match failure {
        Failure::Archive(reason) => (
            reason,
            "unpack it with another program, and name the folder that holds the images",
        ),
        Failure::Unknown(reason) => (
            reason,
            "unpack it, and name the folder that holds the images",
        ),
        Failure::Write(path, error) => (
            format!(
                "cannot write {}: {}",
                files::shown_path(&path),
                files::reason(&error)
            ),
            "name a folder with enough space with --data-dir, or unpack it and name the folder",
        ),
        Failure::Interrupted => ("it was interrupted".to_owned(), "start again to continue"),
    };
    DataError::Archive {
        path: archive.to_owned(),
        reason,
        hint,
    }
}
