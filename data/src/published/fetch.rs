//! Downloads the files of a published data set.

use std::fs;
use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use download::{Download, DownloadError, Outcome};

use super::local::LocalFile;
use super::locate::{SearchedFolder, fullest, locate, places};
use super::unpack::{UnpackError, Unpacking, unpack};
use super::{Form, PublishedSet, RemoteFile};
use crate::error::{DataError, MissingPart, PublishedError};
use crate::options::FetchProgress;

/// Downloads a set into the first writable folder of `writable`, unless its files are in one of the
/// folders `searched`.
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

/// Returns the folder below `base` for a set's files: the one with the other files, if they are the
/// published ones.
///
/// # Errors
/// If a file differs from the published one, unless only its name suggests that it belongs to the
/// set.
fn place(set: &PublishedSet<'_>, base: &Path) -> Result<SearchedFolder, PublishedError> {
    let mut places = places(set, base);
    // Files of another set may have the same names.
    places.retain(|place| place.folder != base || verify(set, place).is_ok());
    let place = fullest(places).ok_or(PublishedError::NoFolder)?;
    match verify(set, &place) {
        Err(DataError::Published(error)) => Err(error),
        // Unreadable files are reported when they are loaded.
        _ => Ok(place),
    }
}

/// Compares the existing files with the published checksums, where they are known.
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
        // If the checksum of the content is unknown, the checksum of the download is compared.
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

/// Downloads and unpacks an archive. Only one process at a time does so; the others then find the
/// result.
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
    unpack(&unpacking, progress)?;
    // An archive that existed before belongs to the user.
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

/// Returns whether to try another folder.
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
