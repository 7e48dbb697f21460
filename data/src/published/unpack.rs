//! Unpacking an archive: to a temporary folder, which is then renamed.

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

/// The most bytes that an archive may unpack to; the publishers' largest has 184 MB.
const MAX_UNPACKED: u64 = 1 << 29;
/// The most members of an archive; the publishers' have nine at most.
const MAX_MEMBERS: usize = 1000;

/// A `.tar.gz` and what shall become of it.
pub(super) struct Unpacking<'a> {
    pub archive: &'a Path,
    /// The folder that is to come of it. The archive holds nothing that is not in a folder of this
    /// name.
    pub folder: &'a Path,
    /// Files that are to be in it.
    pub needed: &'a [Names<'a>],
}

/// Why an archive is not unpacked.
#[derive(Debug)]
pub(super) enum UnpackError {
    /// Reading or writing here failed, or the caller wants no more.
    Here(DownloadError),
    /// The archive is not what it should be.
    Archive { path: PathBuf, reason: String },
}

impl From<DownloadError> for UnpackError {
    fn from(error: DownloadError) -> Self {
        Self::Here(error)
    }
}

/// Unpacks an archive. What is there of its folder stays as it is, and gets the files that it
/// lacks; what another process has unpacked meanwhile is taken.
///
/// `progress` is told of the archive's bytes that are done, and of all of them.
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
        return Err(damaged(archive, format!("it lacks {file}")));
    }
    // A folder that is not empty cannot be replaced.
    if fs::rename(&unpacked, folder).is_err() {
        merge(&unpacked, folder).map_err(|source| DownloadError::writing(folder, source))?;
    }
    Ok(())
}

/// Removes what a process left that was killed while it unpacked.
fn remove_leftovers(base: &Path, prefix: &str) {
    let Ok(entries) = fs::read_dir(base) else {
        return;
    };
    for entry in entries.flatten() {
        if entry.file_name().to_string_lossy().starts_with(prefix) {
            // A leftover that stays does no harm.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// Moves the files of one folder that another lacks.
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
        // So that a crash of the machine leaves no empty file under a whole folder's name.
        target.sync_all().map_err(cannot_write)?;
    }
    Ok(())
}

/// The path of a member that is a file: below `folder`, without a way out of it. None for one that
/// is not to be written; an error for one that no publisher's archive has.
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
            let reason = format!("{} is no file", path.display());
            return Err(damaged(archive, reason));
        }
    };
    // `./a/b` is as good as `a/b`.
    let mut parts = path.components().filter(|part| *part != Component::CurDir);
    let plain = parts
        .clone()
        .all(|part| matches!(part, Component::Normal(_)));
    let starts_well = parts.next().is_none_or(|part| part.as_os_str() == folder);
    if !plain || !starts_well || (is_file && parts.next().is_none()) {
        let reason = format!("{} does not lie in {}", path.display(), folder.display());
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

/// What is wrong with an archive that cannot be read on.
fn unreadable(archive: &Path, error: &io::Error) -> UnpackError {
    let reason = match error.kind() {
        io::ErrorKind::UnexpectedEof => "it is cut off".to_owned(),
        _ => format!("it is damaged: {error}"),
    };
    damaged(archive, reason)
}

/// A file, and how much of it is read.
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
