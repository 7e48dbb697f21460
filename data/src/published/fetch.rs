//! Bringing the files of a published data set.

use std::fs;
use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use download::{Download, DownloadError, Outcome, Progress};

use super::locate::locate;
use super::unpack::{UnpackError, Unpacking, unpack};
use super::{Form, PublishedError, PublishedSet, RemoteFile};

/// How far a data set's files are; told about ten times a second or more often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FetchProgress<'a> {
    /// A file is downloaded, or waited or looked for.
    Downloading {
        /// Its name.
        file: &'a str,
        /// How far it is.
        progress: Progress,
    },
    /// An archive is unpacked.
    Unpacking {
        /// Its name.
        file: &'a str,
        /// Bytes of it that are done.
        done: u64,
        /// All of them.
        total: u64,
    },
}

/// Downloads a set, unless its files are in one of the folders `searched`, into the first of the
/// folders `writable` that can be written to.
pub(super) fn fetch(
    set: &PublishedSet<'_>,
    searched: &[PathBuf],
    writable: &[PathBuf],
    progress: &mut dyn FnMut(FetchProgress<'_>) -> ControlFlow<()>,
) -> Result<(), PublishedError> {
    if locate(set, searched).is_ok() {
        return Ok(());
    }
    let mut bases = writable.iter().peekable();
    while let Some(base) = bases.next() {
        match (bring(set, base, progress), bases.peek()) {
            (Err(error), Some(_)) if is_read_only(&error) => {}
            (result, _) => return result,
        }
    }
    Err(PublishedError::NoFolder)
}

fn bring(
    set: &PublishedSet<'_>,
    base: &Path,
    progress: &mut dyn FnMut(FetchProgress<'_>) -> ControlFlow<()>,
) -> Result<(), PublishedError> {
    let folder = base.join(set.subfolders[0]);
    let result = match (set.form, set.downloads) {
        (Form::Archive, [archive]) => bring_archive(set, archive, &folder, base, progress),
        (_, files) => files.iter().try_for_each(|file| {
            download(set, file, &folder.join(file.name), progress)?;
            Ok(())
        }),
    };
    result.map_err(|error| match error {
        UnpackError::Here(source) => not_fetched(set, base, source),
        UnpackError::Archive { path, reason } => PublishedError::Archive { path, reason },
    })
}

/// One process at a time downloads an archive and unpacks it; the others find what it has left.
fn bring_archive(
    set: &PublishedSet<'_>,
    archive: &RemoteFile<'_>,
    folder: &Path,
    base: &Path,
    progress: &mut dyn FnMut(FetchProgress<'_>) -> ControlFlow<()>,
) -> Result<(), UnpackError> {
    let file = archive.name;
    let _lock = download::lock(folder, &mut |waiting| {
        progress(FetchProgress::Downloading {
            file,
            progress: waiting,
        })
    })?;
    if locate(set, &[base.to_owned()]).is_ok() {
        return Ok(());
    }
    let path = base.join(file);
    let outcome = download(set, archive, &path, progress)?;
    let unpacking = Unpacking {
        archive: &path,
        folder,
        needed: set.files,
    };
    unpack(&unpacking, &mut |done, total| {
        progress(FetchProgress::Unpacking { file, done, total })
    })?;
    // An archive that was there before is the user's.
    if matches!(outcome, Outcome::Downloaded { .. }) {
        let _ = fs::remove_file(&path);
    }
    Ok(())
}

fn download(
    set: &PublishedSet<'_>,
    file: &RemoteFile<'_>,
    path: &Path,
    progress: &mut dyn FnMut(FetchProgress<'_>) -> ControlFlow<()>,
) -> Result<Outcome, DownloadError> {
    let mirrors = set
        .mirrors
        .iter()
        .map(|mirror| mirror.to_string() + file.name);
    download::fetch(
        &Download {
            mirrors: &mirrors.collect::<Vec<_>>(),
            checksum: file.sha256,
            path,
            max_bytes: file.bytes,
        },
        &mut |progressed| {
            progress(FetchProgress::Downloading {
                file: file.name,
                progress: progressed,
            })
        },
    )
}

/// Whether another folder may do.
fn is_read_only(error: &PublishedError) -> bool {
    let PublishedError::NotFetched { source, .. } = error else {
        return false;
    };
    let DownloadError::Write { source, .. } = &**source else {
        return false;
    };
    matches!(
        source.kind(),
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem
    )
}

fn not_fetched(set: &PublishedSet<'_>, base: &Path, source: DownloadError) -> PublishedError {
    let names = set.downloads.iter().map(|file| file.name.to_owned());
    PublishedError::NotFetched {
        name: set.name.to_owned(),
        files: names.collect(),
        urls: set.urls(),
        folder: match set.form {
            Form::Files => base.join(set.subfolders[0]),
            Form::Archive => base.to_owned(),
        },
        source: Box::new(source),
    }
}
