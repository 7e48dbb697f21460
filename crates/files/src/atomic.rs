//! Files that are either whole or not there.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;

use tempfile::NamedTempFile;

use crate::target::{Target, folder_of};

/// What a temporary name starts with.
const UNFINISHED: &str = ".writing-";

/// Removes what processes that were killed in [`write_atomically`] left in a folder. Whoever writes
/// there at the same time loses their file.
///
/// # Errors
///
/// If the folder cannot be read, but for one that is not there, or a file cannot be removed.
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

/// Writes one of the project's own files under a temporary name in its folder, flushes it to the disk, then
/// renames it: a reader sees the old file or the new one, whatever happens in between. A symbolic link stays,
/// and the file that it leads to is replaced.
///
/// # Errors
///
/// What the system says, or that a device or a pipe is there; the old file, if any, is untouched.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> io::Result<()> {
    write_atomically_with(path, |file| file.write_all(bytes))
}

/// The same for what is written piece by piece: an error of `write` leaves the old file, if any, too.
///
/// # Errors
///
/// What `write` or the system says.
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

/// Writes a file with a temporary name, and flushes it to the disk.
pub(crate) fn filled(
    mut file: NamedTempFile,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<NamedTempFile> {
    // To the file itself, so that an error does not name the temporary path.
    let mut buffered = BufWriter::new(file.as_file_mut());
    write(&mut buffered)?;
    buffered.flush()?;
    drop(buffered);
    file.as_file().sync_all()?;
    Ok(file)
}

/// Gives a new file the mode of the one that it replaces. A file system without modes loses nothing.
pub(crate) fn keep_mode(file: &NamedTempFile, replaced: &Path) {
    if let Ok(metadata) = fs::metadata(replaced) {
        let _ = file.as_file().set_permissions(metadata.permissions());
    }
}

/// A file with a temporary name, which others may read as any new file. Errors are the system's, without
/// that name, which tells nobody anything.
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
    fn others_may_read_it_as_any_new_file() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let [usual, written] = ["usual", "written"].map(|name| folder.path().join(name));
        fs::write(&usual, "a").unwrap();
        write_atomically(&written, b"a").unwrap();
        let mode = |path| fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode(&written), mode(&usual));
    }

    #[test]
    fn what_was_never_finished_is_removed_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        for name in [".writing-abc", ".hidden", "writing-abc"] {
            fs::write(folder.path().join(name), "half").unwrap();
        }
        remove_unfinished(folder.path()).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
        remove_unfinished(&folder.path().join("nowhere")).unwrap();
    }

    #[test]
    fn replaces_and_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        write_atomically(&path, b"old").unwrap();
        write_atomically(&path, b"new").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"new");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn an_error_does_not_name_the_temporary_file() {
        let folder = tempfile::tempdir().unwrap();
        let error = write_atomically(&folder.path().join("missing/file"), b"").unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
        assert!(!error.to_string().contains(UNFINISHED), "{error}");
        fs::write(folder.path().join("file"), "").unwrap();
        let error = write_atomically(&folder.path().join("file/in"), b"").unwrap_err();
        assert!(!error.to_string().contains(UNFINISHED), "{error}");
    }

    #[test]
    fn a_failure_keeps_the_old_file() {
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
    fn links_stay_and_devices_are_refused() {
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
