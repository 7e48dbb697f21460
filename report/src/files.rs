//! Files that are whole or not there.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Component, Path, PathBuf};

use thiserror::Error;

/// What a temporary name starts with.
const UNFINISHED: &str = ".writing-";

/// Why a run cannot be exported.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ExportError {
    /// The name leads out of the folder, or is none.
    #[error("`{}` is no name of a run", name.escape_debug())]
    Name {
        /// As given.
        name: String,
    },
    /// A folder cannot be made.
    #[error("cannot make {}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file cannot be written.
    #[error("cannot write {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A folder cannot be looked into for files of an earlier export.
    #[error("cannot read {}", path.display())]
    Look {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file of an earlier export cannot be removed.
    #[error("cannot remove {}", path.display())]
    Remove {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// The folder of a run inside another: its name may have several parts, none of which leads out.
pub(crate) fn inside(folder: &Path, name: &str) -> Result<PathBuf, ExportError> {
    let is_plain = |part: Component| matches!(part, Component::Normal(_));
    if name.is_empty() || name.contains('\0') || !Path::new(name).components().all(is_plain) {
        return Err(ExportError::Name {
            name: name.to_owned(),
        });
    }
    Ok(folder.join(name))
}

/// Makes a folder, and those that it is in.
pub(crate) fn make_folder(path: &Path) -> Result<(), ExportError> {
    fs::create_dir_all(path).map_err(|source| ExportError::Folder {
        path: path.to_owned(),
        source,
    })
}

/// Writes a file under a temporary name in its folder, then renames it: a reader sees the old file or the
/// new one, whatever happens in between.
pub(crate) fn write(
    folder: &Path,
    name: &str,
    write: impl FnOnce(&mut BufWriter<&mut File>) -> io::Result<()>,
) -> Result<PathBuf, ExportError> {
    let path = folder.join(name);
    let written = tempfile::Builder::new()
        .prefix(UNFINISHED)
        .tempfile_in(folder)
        .and_then(|mut file| {
            // To the file itself, so that an error does not name the temporary path.
            let mut buffered = BufWriter::with_capacity(1 << 16, file.as_file_mut());
            write(&mut buffered)?;
            buffered.flush()?;
            drop(buffered);
            file.as_file().sync_all()?;
            allow_others_to_read(file.as_file())?;
            file.persist(&path).map_err(|error| error.error)
        });
    match written {
        Ok(_) => Ok(path),
        Err(source) => Err(ExportError::Write { path, source }),
    }
}

/// Temporary files are private; what they become should be as readable as any other file.
#[cfg(unix)]
fn allow_others_to_read(file: &File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn allow_others_to_read(_file: &File) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_leaves_the_old_file_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = write(folder.path(), "file", |file| file.write_all(b"old")).unwrap();
        let failed = write(folder.path(), "file", |file| {
            file.write_all(b"new")?;
            Err(io::Error::other("enough"))
        });
        assert!(matches!(failed, Err(ExportError::Write { .. })));
        assert_eq!(fs::read(&path).unwrap(), b"old");
        write(folder.path(), "file", |file| file.write_all(b"new")).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn names_stay_inside() {
        let folder = Path::new("out");
        for good in ["mine", "study/plain-20", "\u{1b}[2J"] {
            assert_eq!(inside(folder, good).unwrap(), folder.join(good));
        }
        for bad in ["", ".", "..", "a/../..", "/etc", "./a", "a\0"] {
            let error = inside(folder, bad).unwrap_err();
            assert!(matches!(error, ExportError::Name { .. }), "{bad}");
        }
        let error = inside(folder, "../\u{1b}[2J").unwrap_err();
        assert_eq!(error.to_string(), r"`../\u{1b}[2J` is no name of a run");
    }
}
