//! Unpacks an archive into a temporary folder, which is then renamed.

use std::cell::Cell;
use std::fs::{self, File};
use std::io::{self, BufReader, Read, Write as _};
use std::ops::ControlFlow;
use std::path::{Component, Path, PathBuf};
use std::rc::Rc;

use download::DownloadError;
use flate2::read::GzDecoder;
use tar::{Archive, Entry, EntryType};

use super::Names;

/// Maximum number of bytes that an archive may unpack to; the publishers' largest has 184 MB.
const MAX_UNPACKED: u64 = 1 << 29;
/// Maximum number of archive members; the publishers' archives have at most nine.
const MAX_MEMBERS: usize = 1000;

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
///
/// `progress` receives the number of bytes of the archive processed so far, and the total.
pub(super) fn unpack(
    unpacking: &Unpacking<'_>,
    progress: &mut dyn FnMut(u64, u64) -> ControlFlow<()>,
) -> Result<(), UnpackError> {
    let Unpacking {
        archive,
        folder,
        needed,
    } = *unpacking;
    let (Some(base), Some(name)) = (folder.parent(), folder.file_name()) else {
        return Err(DownloadError::Path {
            path: folder.to_owned(),
        }
        .into());
    };
    let prefix = format!(".{}.unpacking-", name.display());
    remove_leftovers(base, &prefix);
    let temporary = tempfile::Builder::new()
        .prefix(&prefix)
        .tempdir_in(base)
        .map_err(|source| DownloadError::writing(base, source))?;
    write_members(archive, name.as_ref(), temporary.path(), progress)?;

    let unpacked = temporary.path().join(name);
    let missing = needed
        .iter()
        .filter_map(|names| names.first())
        .find(|file| !unpacked.join(file).is_file());
    if let Some(file) = missing {
        return Err(damaged(archive, format!("it has no {file}")));
    }
    // A non-empty folder cannot be replaced.
    if fs::rename(&unpacked, folder).is_err() {
        merge(&unpacked, folder).map_err(|source| DownloadError::writing(folder, source))?;
    }
    Ok(())
}

/// Removes the leftovers of a process that was killed while unpacking.
fn remove_leftovers(base: &Path, prefix: &str) {
    let Ok(entries) = fs::read_dir(base) else {
        return;
    };
    for entry in entries.flatten() {
        if entry.file_name().to_string_lossy().starts_with(prefix) {
            // A remaining leftover is harmless.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
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

fn write_members(
    archive: &Path,
    folder: &Path,
    into: &Path,
    progress: &mut dyn FnMut(u64, u64) -> ControlFlow<()>,
) -> Result<(), UnpackError> {
    let cannot_read = |source| DownloadError::Read {
        path: archive.to_owned(),
        source,
    };
    let file = files::open_file(archive).map_err(cannot_read)?;
    let total = file.metadata().map_err(cannot_read)?.len();
    let done = Rc::new(Cell::new(0));
    let counted = Counted {
        file,
        done: Rc::clone(&done),
    };
    let mut tar = Archive::new(GzDecoder::new(BufReader::new(counted)));
    let mut left = MAX_UNPACKED;
    for (number, member) in tar.entries().map_err(cannot_read)?.enumerate() {
        let mut member = member.map_err(|error| unreadable(archive, &error))?;
        if number >= MAX_MEMBERS {
            return Err(damaged(archive, "it has too many members".to_owned()));
        }
        let Some(path) = checked(archive, folder, &member)? else {
            continue;
        };
        left = left
            .checked_sub(member.size())
            .ok_or_else(|| damaged(archive, format!("{} is too large", path.display())))?;
        let path = into.join(path);
        let cannot_write = |source| DownloadError::writing(&path, source);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(cannot_write)?;
        }
        let mut target = File::create(&path).map_err(cannot_write)?;
        let mut buffer = vec![0; 1 << 16];
        loop {
            if progress(done.get(), total).is_break() {
                return Err(DownloadError::Interrupted.into());
            }
            let length = member
                .read(&mut buffer)
                .map_err(|error| unreadable(archive, &error))?;
            if length == 0 {
                break;
            }
            target.write_all(&buffer[..length]).map_err(cannot_write)?;
        }
        // Ensures that a machine crash leaves no empty file in a complete-looking folder.
        target.sync_all().map_err(cannot_write)?;
    }
    Ok(())
}

/// Returns the path of a member file below `folder`, rejecting paths that escape it. Returns `None`
/// for members to skip, and an error for members that no published archive has.
fn checked(
    archive: &Path,
    folder: &Path,
    member: &Entry<'_, impl Read>,
) -> Result<Option<PathBuf>, UnpackError> {
    let path = member
        .path()
        .map_err(|error| unreadable(archive, &error))?
        .into_owned();
    let is_file = match member.header().entry_type() {
        EntryType::XGlobalHeader => return Ok(None),
        EntryType::Directory => false,
        EntryType::Regular => true,
        _ => {
            let reason = format!("{} is not a file", path.display());
            return Err(damaged(archive, reason));
        }
    };
    // `./a/b` is the same as `a/b`.
    let mut parts = path.components().filter(|part| *part != Component::CurDir);
    let plain = parts
        .clone()
        .all(|part| matches!(part, Component::Normal(_)));
    let starts_well = parts.next().is_none_or(|part| part.as_os_str() == folder);
    if !plain || !starts_well || (is_file && parts.next().is_none()) {
        let reason = format!("{} is outside of {}", path.display(), folder.display());
        return Err(damaged(archive, reason));
    }
    Ok(is_file.then_some(path))
}

fn damaged(archive: &Path, reason: String) -> UnpackError {
    UnpackError::Archive {
        path: archive.to_owned(),
        reason,
    }
}

/// Returns the error for an archive that cannot be read further.
fn unreadable(archive: &Path, error: &io::Error) -> UnpackError {
    let reason = match error.kind() {
        io::ErrorKind::UnexpectedEof => "it is cut off".to_owned(),
        _ => format!("it is damaged: {error}"),
    };
    damaged(archive, reason)
}

/// A file that counts the bytes read.
struct Counted {
    file: File,
    done: Rc<Cell<u64>>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.file.read(buffer)?;
        self.done.set(self.done.get() + length as u64);
        Ok(length)
    }
}
