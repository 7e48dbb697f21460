//! Writes files for other programs.

use std::fs;
use std::io::{self, Write};
use std::path::{Component, Path, PathBuf};

use thiserror::Error;

/// The reason why a run cannot be exported.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ExportError {
    /// The name leads out of the folder, or is not a valid name.
    #[error("`{}` is not the name of a run", name.escape_debug())]
    Name {
        /// The given name.
        name: String,
    },
    /// A folder cannot be created.
    #[error("cannot create {}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// The I/O error.
        source: io::Error,
    },
    /// A file cannot be written.
    #[error("cannot write {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The I/O error.
        source: io::Error,
    },
    /// A folder cannot be searched for files of an earlier export.
    #[error("cannot read {}", path.display())]
    Look {
        /// The folder.
        path: PathBuf,
        /// The I/O error.
        source: io::Error,
    },
    /// A file of an earlier export cannot be removed.
    #[error("cannot remove {}", path.display())]
    Remove {
        /// The file.
        path: PathBuf,
        /// The I/O error.
        source: io::Error,
    },
}

/// Returns the subfolder of a run. Its name may have several parts, but must not lead out of the
/// folder.
pub(crate) fn inside(folder: &Path, name: &str) -> Result<PathBuf, ExportError> {
    let is_plain = |part: Component| matches!(part, Component::Normal(_));
    if name.is_empty() || name.contains('\0') || !Path::new(name).components().all(is_plain) {
        return Err(ExportError::Name {
            name: name.to_owned(),
        });
    }
    Ok(folder.join(name))
}

/// Creates a folder and its parents.
pub(crate) fn make_folder(path: &Path) -> Result<(), ExportError> {
    fs::create_dir_all(path).map_err(|source| ExportError::Folder {
        path: path.to_owned(),
        source,
    })
}

/// Writes a file completely or not at all, and returns its path.
pub(crate) fn write(
    folder: &Path,
    name: &str,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<PathBuf, ExportError> {
    let path = folder.join(name);
    match files::write_output_with(&path, write) {
        Ok(()) => Ok(path),
        Err(source) => Err(ExportError::Write { path, source }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn run_names_stay_inside_folder() {
        let folder = Path::new("out");
        for good in ["mine", "study/plain-20", "\u{1b}[2J"] {
            assert_eq!(inside(folder, good).unwrap(), folder.join(good));
        }
        for bad in ["", ".", "..", "a/../..", "/etc", "./a", "a\0"] {
            let error = inside(folder, bad).unwrap_err();
            assert!(matches!(error, ExportError::Name { .. }), "{bad}");
        }
        let error = inside(folder, "../\u{1b}[2J").unwrap_err();
        assert_eq!(
            error.to_string(),
            r"`../\u{1b}[2J` is not the name of a run"
        );
    }
}
