//! Getting a file from the first mirror that has it.

use std::fs;
use std::io;
use std::ops::ControlFlow;
use std::path::Path;

use files::Hasher;

use crate::checksum::{Checksum, update_from};
use crate::client::Patience;
use crate::error::{DownloadError, MirrorFailure};
use crate::lock::Lock;
use crate::mirror::{Mirror, Trouble};
use crate::part::PartialFile;
use crate::progress::{Progress, Watch};

/// What is wanted.
#[derive(Debug, Clone, Copy)]
pub struct Download<'a> {
    /// Addresses of the file, by `http` or `https`, which are tried in their order. A checksum that
    /// is not whole keeps off accidents and no attackers: mirrors should then be by `https`, and
    /// none of those can lead to one without.
    pub mirrors: &'a [String],
    /// The file's SHA-256 as 64 hexadecimal digits, or the first of them, at least 8.
    pub checksum: &'a str,
    /// Where the file shall lie. Folders above it are made.
    pub path: &'a Path,
    /// Most bytes that the file can have, so that no mirror can fill the disk.
    pub max_bytes: u64,
}

/// How a file came to be where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// It was there already, or another process brought it meanwhile.
    AlreadyThere,
    /// It was downloaded.
    Downloaded {
        /// Bytes that came by the network, without those that an earlier try had left.
        received: u64,
    },
}

/// Brings a file, unless it is there: afterwards it lies at its path, whole and with the right
/// checksum.
///
/// It is loaded into `NAME.part` beside `NAME`, with `NAME.part.json` and, meanwhile, `NAME.lock`.
/// What is in a part is used by the next call, by another mirror too.
///
/// `progress` is called about ten times a second or more often, also while a mirror says nothing.
/// `Break` stops the download: the part stays, and the error is [`DownloadError::Interrupted`].
///
/// # Errors
///
/// [`DownloadError::Damaged`] if another file is at the path, which is left as it is;
/// [`DownloadError::NoMirror`] if no mirror gives the file, with what was wrong with each;
/// [`DownloadError::DiskFull`] and others if the file cannot be read or written here.
pub fn fetch(
    download: &Download<'_>,
    progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
) -> Result<Outcome, DownloadError> {
    fetch_with(download, &Patience::usual(), progress)
}

/// The same, with another patience.
pub(crate) fn fetch_with(
    download: &Download<'_>,
    patience: &Patience,
    progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
) -> Result<Outcome, DownloadError> {
    let path = download.path;
    let checksum =
        Checksum::parse(download.checksum).map_err(|source| DownloadError::Checksum {
            checksum: download.checksum.to_owned(),
            source,
        })?;
    let watch = &mut Watch::new(progress);
    if is_there(path, &checksum, watch)? {
        return Ok(Outcome::AlreadyThere);
    }
    make_folder(path)?;
    let _lock = Lock::acquire(path, watch)?;
    if is_there(path, &checksum, watch)? {
        return Ok(Outcome::AlreadyThere);
    }

    let mut part = PartialFile::open(path, download.max_bytes, watch)?;
    if let Err(error) = fill(&mut part, download, &checksum, patience, watch) {
        part.leave();
        return Err(error);
    }
    // Someone may have put the file there by hand meanwhile, which is theirs.
    if is_there(path, &checksum, watch)? {
        part.restart()?;
        part.leave();
        return Ok(Outcome::AlreadyThere);
    }
    let received = part.received();
    part.finish()?;
    Ok(Outcome::Downloaded { received })
}

/// Asks one mirror after the other until the part is the file.
fn fill(
    part: &mut PartialFile,
    download: &Download<'_>,
    checksum: &Checksum,
    patience: &Patience,
    watch: &mut Watch<'_>,
) -> Result<(), DownloadError> {
    // A process that died may have left all of it.
    if checksum.matches(&part.sha256()) {
        return Ok(());
    }
    let mut failures = Vec::new();
    for url in download.mirrors {
        let mirror = Mirror {
            url,
            checksum,
            max_bytes: download.max_bytes,
            patience,
        };
        match mirror.load(part, watch) {
            Ok(()) => return Ok(()),
            Err(Trouble::Here(error)) => return Err(error),
            Err(Trouble::Mirror(problem)) => failures.push(MirrorFailure {
                url: url.clone(),
                problem,
            }),
        }
    }
    Err(DownloadError::NoMirror {
        path: download.path.to_owned(),
        failures,
    })
}

/// Whether the right file is there; an error if another one is.
fn is_there(
    path: &Path,
    checksum: &Checksum,
    watch: &mut Watch<'_>,
) -> Result<bool, DownloadError> {
    let read_error = |source| DownloadError::Read {
        path: path.to_owned(),
        source,
    };
    let mut file = match files::open_file(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(read_error(error)),
    };
    let length = file.metadata().map_err(read_error)?.len();
    let mut hasher = Hasher::new();
    update_from(&mut hasher, &mut file, path, length, watch)?;
    let sha256 = hasher.sha256();
    if checksum.matches(&sha256) {
        return Ok(true);
    }
    Err(DownloadError::Damaged {
        path: path.to_owned(),
        expected: checksum.shown(),
        found: checksum.same_digits(&sha256),
    })
}

/// Makes the folders that the file shall lie in.
pub(crate) fn make_folder(path: &Path) -> Result<(), DownloadError> {
    if path.file_name().is_none() {
        return Err(DownloadError::Path {
            path: path.to_owned(),
        });
    }
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => {
            fs::create_dir_all(folder).map_err(|source| DownloadError::writing(folder, source))
        }
        _ => Ok(()),
    }
}
