//! Target of a path that a program wants to write to.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Maximum number of symbolic links, as on Linux.
const MOST_LINKS: usize = 40;

/// Target of a write.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// A regular file, or one that does not exist yet; its path after resolving all symbolic links.
    File(PathBuf),
    /// A device, a pipe, a socket, or an open file of a process; it can only be written in place.
    Stream(PathBuf),
}

impl Target {
    /// Follows symbolic links to the target.
    ///
    /// # Errors
    ///
    /// If the links form a loop, the path leads to a folder, or the system cannot access it.
    pub(crate) fn of(path: &Path) -> io::Result<Self> {
        let mut target = path.to_owned();
        for _ in 0..MOST_LINKS {
            let metadata = match fs::symlink_metadata(&target) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    return Ok(Self::File(target));
                }
                metadata => metadata?,
            };
            let kind = metadata.file_type();
            if kind.is_dir() {
                return Err(io::ErrorKind::IsADirectory.into());
            }
            if is_descriptor(&target) || !(kind.is_file() || kind.is_symlink()) {
                return Ok(Self::Stream(target));
            }
            if kind.is_file() {
                return Ok(Self::File(target));
            }
            let link = fs::read_link(&target)?;
            target = folder_of(&target).join(link);
        }
        // Returns the system's own error for a loop.
        fs::metadata(path)?;
        Err(io::Error::other("too many symbolic links"))
    }
}

/// Returns the folder that contains a file.
pub(crate) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// Returns whether a path names an open file of a process, such as `/proc/self/fd/1`. The target of
/// its link is not a usable path if the file is a pipe or was deleted, and a file that the process
/// has open must not be replaced.
fn is_descriptor(path: &Path) -> bool {
    fs::canonicalize(folder_of(path))
        .is_ok_and(|folder| folder.starts_with("/proc") || folder.starts_with("/dev/fd"))
}

/// Returns whether a path leads to the program's own standard output, as `/dev/stdout` does.
pub fn is_standard_output(path: &Path) -> bool {
    system::is_same(path, Path::new("/dev/stdout"))
}

#[cfg(unix)]
mod system {
    use std::fs;
    use std::os::unix::fs::MetadataExt as _;
    use std::path::Path;

    pub(super) fn is_same(one: &Path, other: &Path) -> bool {
        let identity = |path| {
            let metadata = fs::metadata(path).ok()?;
            Some((metadata.dev(), metadata.ino(), metadata.rdev()))
        };
        identity(one).is_some_and(|one| identity(other) == Some(one))
    }
}

#[cfg(not(unix))]
mod system {
    use std::path::Path;

    pub(super) fn is_same(_: &Path, _: &Path) -> bool {
        false
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn links_are_followed_to_target() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::create_dir(path("real")).unwrap();
        fs::write(path("real/file"), "").unwrap();
        symlink("real", path("folder")).unwrap();
        symlink("real/file", path("link")).unwrap();
        symlink(path("link"), path("second")).unwrap();
        symlink("folder/new", path("dangling")).unwrap();
        for (name, target) in [
            ("real/file", "real/file"),
            ("nothing", "nothing"),
            ("folder/file", "folder/file"),
            ("link", "real/file"),
            ("second", "real/file"),
            ("dangling", "folder/new"),
        ] {
            assert_eq!(
                Target::of(&path(name)).unwrap(),
                Target::File(path(target)),
                "{name}"
            );
        }
        symlink("loop", path("loop")).unwrap();
        let error = Target::of(&path("loop")).unwrap_err();
        assert!(error.to_string().contains("symbolic links"), "{error}");
        for name in ["real", "folder"] {
            let error = Target::of(&path(name)).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::IsADirectory, "{name}");
        }
        assert!(Target::of(&path("real/file/below")).is_err());
    }

    #[test]
    fn devices_and_open_files_are_streams() {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("link");
        symlink("/dev/null", &link).unwrap();
        for path in [Path::new("/dev/null"), &link, Path::new("/dev/stdout")] {
            assert!(
                matches!(Target::of(path).unwrap(), Target::Stream(_)),
                "{}",
                path.display()
            );
        }
        assert!(is_standard_output(Path::new("/dev/stdout")));
        assert!(!is_standard_output(folder.path()));
        assert!(!is_standard_output(&folder.path().join("nothing")));
    }
}
