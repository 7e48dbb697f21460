//! Whether a run is going on.

use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

/// Locked as long as a program works on the run; the system takes the lock off when the program ends,
/// however it does.
const FILE: &str = "lock";

/// Holds a run's folder for one program.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

/// Why a folder cannot be held.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LockError {
    /// Another program does.
    #[error("another program is training the run in {}", folder.display())]
    Taken {
        /// The run's folder.
        folder: PathBuf,
    },
    /// The file of the lock cannot be made.
    #[error("cannot write {}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl Lock {
    /// Holds a folder until this is dropped. Where the file system has no locks, nothing is held, and
    /// that is no error.
    ///
    /// # Errors
    ///
    /// If another program holds it, or a file cannot be made there.
    pub fn take(folder: &Path) -> Result<Self, LockError> {
        let path = folder.join(FILE);
        let file = files::append_file(&path).map_err(|source| LockError::Io { path, source })?;
        // Who only looks whether there is a lock has one for a moment.
        for _ in 0..LOOKS {
            match file.try_lock() {
                Err(TryLockError::WouldBlock) => std::thread::sleep(LOOK),
                Ok(()) | Err(TryLockError::Error(_)) => return Ok(Self { _file: file }),
            }
        }
        Err(LockError::Taken {
            folder: folder.to_owned(),
        })
    }
}

const LOOKS: usize = 20;
const LOOK: std::time::Duration = std::time::Duration::from_millis(10);

/// Whether a program works on the run of this folder.
pub fn is_locked(folder: &Path) -> bool {
    let Ok(file) = files::open_file(folder.join(FILE)) else {
        return false;
    };
    matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_held_by_one_and_let_go() {
        let folder = tempfile::tempdir().unwrap();
        assert!(!is_locked(folder.path()));
        let lock = Lock::take(folder.path()).unwrap();
        assert!(is_locked(folder.path()));
        let second = Lock::take(folder.path());
        assert!(matches!(second, Err(LockError::Taken { .. })));
        drop(lock);
        assert!(!is_locked(folder.path()));
        Lock::take(folder.path()).unwrap();
    }
}
