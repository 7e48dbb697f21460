//! Output files named by the user.

use std::fs::{self, File};
use std::io::{self, BufWriter, Seek as _, Write};
use std::path::Path;

use tempfile::NamedTempFile;

use crate::atomic::{filled, keep_mode, unfinished};
use crate::target::{Target, folder_of};

/// Writes a file named by the user; see [`write_output_with`].
///
/// # Errors
///
/// The system's error.
pub fn write_output(path: &Path, bytes: &[u8]) -> io::Result<()> {
    write_output_with(path, |file| file.write_all(bytes))
}

/// Writes a file named by the user, of any type. A regular file is replaced atomically once
/// everything is written, like [`write_atomically`](crate::write_atomically()). A symbolic link is
/// kept and its target is written. A device or a pipe receives the bytes directly. A file that is a
/// mount point or whose folder does not accept new files is written in place.
///
/// # Errors
///
/// The error of `write` or of the system.
pub fn write_output_with(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    match Target::of(path)? {
        Target::Stream(path) => write_through(&path, write),
        Target::File(path) => match unfinished(folder_of(&path)) {
            Ok(file) => put(filled(file, write)?, &path),
            Err(error) if is_closed_folder(&error) && path.is_file() => write_through(&path, write),
            Err(error) => Err(error),
        },
    }
}

/// Checks before a long operation that [`write_output_with`] can start. Changes nothing. Errors of
/// a pipe or a device only appear when writing.
///
/// # Errors
///
/// The system's error.
pub fn check_output(path: &Path) -> io::Result<()> {
    let Target::File(path) = Target::of(path)? else {
        return Ok(());
    };
    match unfinished(folder_of(&path)) {
        Ok(_) => Ok(()),
        Err(error) if is_closed_folder(&error) && path.is_file() => {
            File::options().write(true).open(&path).map(drop)
        }
        Err(error) => Err(error),
    }
}

/// Moves a finished file to its final name.
fn put(file: NamedTempFile, path: &Path) -> io::Result<()> {
    keep_mode(&file, path);
    let error = match file.persist(path) {
        Ok(_) => return Ok(()),
        Err(error) => error,
    };
    let is_mounted = matches!(
        error.error.kind(),
        io::ErrorKind::ResourceBusy | io::ErrorKind::CrossesDevices
    );
    if !is_mounted {
        return Err(error.error);
    }
    let mut file = error.file;
    write_through(path, |target| {
        file.rewind()?;
        io::copy(file.as_file_mut(), target).map(drop)
    })
}

fn write_through(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    let file = File::options().write(true).truncate(true).open(path)?;
    let mut buffered = BufWriter::new(&file);
    write(&mut buffered)?;
    buffered.flush()?;
    drop(buffered);
    // Only files on disk can be flushed.
    match fs::metadata(path).is_ok_and(|metadata| metadata.is_file()) {
        true => file.sync_all(),
        false => Ok(()),
    }
}

/// Returns whether the folder does not accept new files; existing files in it may still be
/// writable.
fn is_closed_folder(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem
    )
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::io::Read as _;
    use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _, symlink};
    use std::process::Command;
    use std::thread;

    fn entries(folder: &Path) -> usize {
        fs::read_dir(folder).unwrap().count()
    }

    #[test]
    fn links_are_kept_and_point_to_new_content() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::create_dir(path("real")).unwrap();
        fs::write(path("real/file"), "a longer old content").unwrap();
        symlink("real", path("folder")).unwrap();
        symlink("folder/file", path("link")).unwrap();
        symlink("folder/new", path("dangling")).unwrap();
        for (name, target) in [
            ("link", "real/file"),
            ("dangling", "real/new"),
            ("folder/x", "real/x"),
        ] {
            check_output(&path(name)).unwrap();
            write_output(&path(name), b"new").unwrap();
            assert_eq!(fs::read(path(target)).unwrap(), b"new", "{name}");
        }
        for name in ["link", "dangling", "folder"] {
            assert!(path(name).is_symlink(), "{name}");
        }
        assert_eq!(entries(folder.path()), 4, "no temporary file is left");
        assert_eq!(entries(&path("real")), 3, "no temporary file is left");

        symlink("loop", path("loop")).unwrap();
        for name in ["loop", "real", "folder", "real/file/below", "missing/file"] {
            assert!(check_output(&path(name)).is_err(), "{name}");
            assert!(write_output(&path(name), b"new").is_err(), "{name}");
        }
    }

    #[test]
    fn pipes_and_devices_receive_bytes_and_remain() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        let made = Command::new("mkfifo").arg(&pipe).status().unwrap();
        assert!(made.success());
        let link = folder.path().join("link");
        symlink("pipe", &link).unwrap();
        for path in [&pipe, &link] {
            check_output(path).unwrap();
            let reader = thread::spawn({
                let pipe = pipe.clone();
                move || {
                    let mut bytes = Vec::new();
                    File::open(pipe).unwrap().read_to_end(&mut bytes).unwrap();
                    bytes
                }
            });
            write_output(path, b"through").unwrap();
            assert_eq!(reader.join().unwrap(), b"through");
        }
        assert!(fs::metadata(&pipe).unwrap().file_type().is_fifo());
        assert!(link.is_symlink());

        let null = folder.path().join("null");
        symlink("/dev/null", &null).unwrap();
        write_output(&null, b"nothing").unwrap();
        write_output(Path::new("/dev/null"), b"nothing").unwrap();
        let kind = fs::symlink_metadata("/dev/null").unwrap().file_type();
        assert!(kind.is_char_device());
        assert_eq!(entries(folder.path()), 3);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn full_device_is_an_error() {
        let error = write_output(Path::new("/dev/full"), b"too much").unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
        let kind = fs::symlink_metadata("/dev/full").unwrap().file_type();
        assert!(kind.is_char_device());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn open_file_is_written_through_descriptor() {
        use std::os::fd::AsRawFd as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, "a longer old content").unwrap();
        let file = File::options().read(true).write(true).open(&path).unwrap();
        let descriptor = format!("/proc/self/fd/{}", file.as_raw_fd());
        write_output(Path::new(&descriptor), b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        // The same file, not a replacement.
        let mut text = String::new();
        (&file).read_to_string(&mut text).unwrap();
        assert_eq!(text, "new");
    }

    #[test]
    fn regular_file_keeps_its_mode() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        fs::write(&path, "old").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        write_output(&path, b"new").unwrap();
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
