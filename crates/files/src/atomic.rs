//! Atomic writes: files are either complete or missing.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;

use tempfile::NamedTempFile;

use crate::target::{Target, folder_of};

/// Prefix of temporary names.
const UNFINISHED: &str = ".writing-";

/// Removes the files that killed processes left in a folder during [`write_atomically`]. Concurrent
/// writers in this folder lose their files.
///
/// # Errors
///
/// If the folder exists but cannot be read, or a file cannot be removed.
pub fn remove_unfinished(folder: &Path) -> io::Result<()> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(UNFINISHED) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// Writes one of the project's own files to a temporary name in its folder, flushes it to disk,
/// then renames it. A reader always sees the complete old file or the complete new one. A symbolic
/// link is kept, and its target is replaced.
///
/// # Errors
///
/// The system's error, or an error if the path is a device or a pipe; the old file, if any, is
/// untouched.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> io::Result<()> {
    write_atomically_with(path, |file| file.write_all(bytes))
}

/// Like [`write_atomically`], for data written in pieces. An error of `write` also leaves the old
/// file, if any, untouched.
///
/// # Errors
///
/// The error of `write` or of the system.
pub fn write_atomically_with(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    let Target::File(path) = Target::of(path)? else {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "it is not a regular file",
        ));
    };
    let file = filled(unfinished(folder_of(&path))?, write)?;
    keep_mode(&file, &path);
    file.persist(&path).map_err(|error| error.error)?;
    Ok(())
}

/// Writes a file with a temporary name and flushes it to disk.
pub(crate) fn filled(
    mut file: NamedTempFile,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<NamedTempFile> {
    // Write to the `File` itself, so that errors do not name the temporary path.
    let mut buffered = BufWriter::new(file.as_file_mut());
    write(&mut buffered)?;
    buffered.flush()?;
    drop(buffered);
    file.as_file().sync_all()?;
    Ok(file)
}

/// Copies the mode of the replaced file to the new one. Has no effect on a file system without
/// modes.
pub(crate) fn keep_mode(file: &NamedTempFile, replaced: &Path) {
    if let Ok(metadata) = fs::metadata(replaced) {
        let _ = file.as_file().set_permissions(metadata.permissions());
    }
}

/// Creates a file with a temporary name, readable by others like any new file. Errors are the
/// system's and omit that name, which means nothing to users.
pub(crate) fn unfinished(folder: &Path) -> io::Result<NamedTempFile> {
    let mut code = None;
    let made = tempfile::Builder::new()
        .prefix(UNFINISHED)
        .make_in(folder, |path| {
            File::create_new(path).inspect_err(|error| code = error.raw_os_error())
        });
    made.map_err(|error| code.map_or(error, io::Error::from_raw_os_error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn new_file_has_default_permissions() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let [usual, written] = ["usual", "written"].map(|name| folder.path().join(name));
        fs::write(&usual, "a").unwrap();
        write_atomically(&written, b"a").unwrap();
        let mode = |path| fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode(&written), mode(&usual));
    }

    #[test]
    fn only_unfinished_files_are_removed() {
        let folder = tempfile::tempdir().unwrap();
        for name in [".writing-abc", ".hidden", "writing-abc"] {
            fs::write(folder.path().join(name), "half").unwrap();
        }
        remove_unfinished(folder.path()).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
        remove_unfinished(&folder.path().join("nowhere")).unwrap();
    }

    #[test]
    fn write_replaces_file_and_leaves_no_temporary() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        write_atomically(&path, b"old").unwrap();
        write_atomically(&path, b"new").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"new");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn error_does_not_name_temporary_file() {
        let folder = tempfile::tempdir().unwrap();
        let error = write_atomically(&folder.path().join("missing/file"), b"").unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
        assert!(!error.to_string().contains(UNFINISHED), "{error}");
        fs::write(folder.path().join("file"), "").unwrap();
        let error = write_atomically(&folder.path().join("file/in"), b"").unwrap_err();
        assert!(!error.to_string().contains(UNFINISHED), "{error}");
    }

    #[test]
    fn failed_write_keeps_old_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("half");
        write_atomically(&path, b"old").unwrap();
        let failed = write_atomically_with(&path, |file| {
            file.write_all(b"new")?;
            Err(io::Error::other("enough"))
        });
        assert!(failed.is_err());
        assert_eq!(fs::read(&path).unwrap(), b"old");
        fs::remove_file(&path).unwrap();
        let path = folder.path().join("taken");
        std::fs::create_dir(&path).unwrap();
        assert!(write_atomically(&path, b"new").is_err());
        assert!(path.is_dir());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn links_are_kept_and_devices_rejected() {
        use std::os::unix::fs::symlink;
        let folder = tempfile::tempdir().unwrap();
        let [file, link, device] = ["file", "link", "device"].map(|name| folder.path().join(name));
        fs::write(&file, "old").unwrap();
        symlink("file", &link).unwrap();
        write_atomically(&link, b"new").unwrap();
        assert!(link.is_symlink());
        assert_eq!(fs::read(&file).unwrap(), b"new");
        symlink("/dev/null", &device).unwrap();
        let error = write_atomically(&device, b"new").unwrap_err();
        assert_eq!(error.to_string(), "it is not a regular file");
        assert!(device.is_symlink());
    }
}
