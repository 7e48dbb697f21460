//! Bringing the files of a published data set.

use std::fs;
use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use download::{Download, DownloadError, Outcome, Progress};

use super::error::MissingPart;
use super::local::LocalFile;
use super::locate::{SearchedFolder, fullest, locate, places};
use super::unpack::{UnpackError, Unpacking, unpack};
use super::{Form, PublishedError, PublishedSet, RemoteFile};
use crate::error::DataError;

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
    let place = place(set, base)?;
    let result = match (set.form, set.downloads) {
        (Form::Archive, [archive]) => {
            let folder = base.join(set.subfolders[0]);
            bring_archive(set, archive, &folder, base, progress)
        }
        _ => bring_files(set, &place, progress).map_err(UnpackError::from),
    };
    result.map_err(|error| match error {
        UnpackError::Here(source) => not_fetched(set, base, &place, source),
        UnpackError::Archive { path, reason } => PublishedError::Archive { path, reason },
    })
}

/// Where a set's files go below `base`: to the others, if some are there and are the published
/// ones.
///
/// # Errors
/// If one of them is not, unless nothing but its name says that it belongs to the set.
fn place(set: &PublishedSet<'_>, base: &Path) -> Result<SearchedFolder, PublishedError> {
    let mut places = places(set, base);
    // Another set's files may have the same names.
    places.retain(|place| place.folder != base || verify(set, place).is_ok());
    let place = fullest(places).ok_or(PublishedError::NoFolder)?;
    match verify(set, &place) {
        Err(DataError::Published(error)) => Err(error),
        // What cannot be read is told when it is loaded.
        _ => Ok(place),
    }
}

/// Compares what is there with what was published, where that is known.
fn verify(set: &PublishedSet<'_>, place: &SearchedFolder) -> Result<(), DataError> {
    let known = place.files.iter().zip(set.contents);
    for (path, sha256) in known {
        if let Some(path) = path {
            let file = LocalFile {
                path: path.clone(),
                sha256: Some(sha256),
            };
            file.verify()?;
        }
    }
    Ok(())
}

fn bring_files(
    set: &PublishedSet<'_>,
    place: &SearchedFolder,
    progress: &mut dyn FnMut(FetchProgress<'_>) -> ControlFlow<()>,
) -> Result<(), DownloadError> {
    for (index, (file, found)) in set.downloads.iter().zip(&place.files).enumerate() {
        let path = place.folder.join(file.name);
        // Where what it should hold is unknown, the checksum of the download is compared.
        let is_checked = set.contents.get(index).is_some();
        let is_there = found
            .as_ref()
            .is_some_and(|found| is_checked || *found != path);
        if !is_there {
            download(set, file, &path, progress)?;
        }
    }
    Ok(())
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

fn not_fetched(
    set: &PublishedSet<'_>,
    base: &Path,
    place: &SearchedFolder,
    source: DownloadError,
) -> PublishedError {
    let names = set.downloads.iter().enumerate();
    let wanted = names.filter(|(index, _)| match set.form {
        Form::Files => place.files.get(*index).is_none_or(Option::is_none),
        Form::Archive => true,
    });
    let files: Vec<String> = wanted.map(|(_, file)| file.name.to_owned()).collect();
    PublishedError::NotFetched {
        name: set.name.to_owned(),
        missing: (place.count() > 0).then(|| {
            Box::new(MissingPart {
                files: place.missing(set),
                folder: place.folder.clone(),
            })
        }),
        urls: files.iter().map(|file| set.url(file)).collect(),
        files,
        folder: match set.form {
            Form::Files => place.folder.clone(),
            Form::Archive => base.to_owned(),
        },
        source: Box::new(source),
    }
}
