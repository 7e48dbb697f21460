//! Downloads a file from the first mirror that has it.

use std::io;
use std::ops::ControlFlow;
use std::path::Path;

use files::Hasher;

use crate::checksum::Checksum;
use crate::client::Patience;
use crate::error::{DownloadError, MirrorFailure};
use crate::lock::Lock;
use crate::mirror::{Mirror, Trouble};
use crate::part::{PartialFile, make_folder, update_from};
use crate::progress::{Progress, Watch};

/// A file to download.
#[derive(Debug, Clone, Copy)]
pub struct Download<'a> {
    /// URLs of the file, `http` or `https`, tried in order. A partial checksum protects against
    /// accidents but not against attackers, so mirrors should then use `https`; they can never
    /// redirect to `http`.
    pub mirrors: &'a [String],
    /// SHA-256 of the file as 64 hexadecimal digits, or at least its first 8.
    pub checksum: &'a str,
    /// Destination of the file. Missing parent folders are created.
    pub path: &'a Path,
    /// Maximum size of the file in bytes, so that no mirror can fill the disk.
    pub max_bytes: u64,
}

/// Result of a download.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// The file already existed, or another process downloaded it in the meantime.
    AlreadyThere,
    /// The file was downloaded.
    Downloaded {
        /// Bytes received over the network, excluding those left by an earlier attempt.
        received: u64,
    },
}

/// Downloads a file unless it exists. On success, the complete file is at its path with the right
/// checksum.
///
/// The download goes to `NAME.part` next to `NAME`, with `NAME.part.json` and, temporarily,
/// `NAME.lock`. The next call resumes a partial file, even from another mirror.
///
/// `progress` is called at least about ten times a second, even while a mirror is silent. `Break`
/// stops the download: the partial file stays, and the error is [`DownloadError::Interrupted`].
///
/// # Errors
///
/// [`DownloadError::Damaged`] if a different file is at the path, which is left unchanged;
/// [`DownloadError::NoMirror`] if no mirror returns the file, with the problem of each;
/// [`DownloadError::DiskFull`] or another error if the file cannot be read or written locally.
pub fn fetch(
    download: &Download<'_>,
    progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
) -> Result<Outcome, DownloadError> {
    fetch_with(download, &Patience::usual(), progress)
}

/// Like [`fetch`], with the given timeouts.
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
    // Someone may have put the file there by hand in the meantime; keep theirs.
    if is_there(path, &checksum, watch)? {
        part.restart()?;
        part.leave();
        return Ok(Outcome::AlreadyThere);
    }
    let received = part.received();
    part.finish()?;
    Ok(Outcome::Downloaded { received })
}

/// Tries one mirror after another until the partial file is complete.
fn fill(
    part: &mut PartialFile,
    download: &Download<'_>,
    checksum: &Checksum,
    patience: &Patience,
    watch: &mut Watch<'_>,
) -> Result<(), DownloadError> {
    // A killed process may have left the complete file.
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

/// Returns whether the right file exists; an error if a different file does.
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
