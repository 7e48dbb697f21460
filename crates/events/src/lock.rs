//! Lock on a run that is in progress.

use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

/// Locked while a program trains the run. The system releases the lock when the program ends,
/// however it ends.
const FILE: &str = "lock";

/// A lock on a run's folder for one program.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

/// The reason why a folder cannot be locked.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LockError {
    /// Another program holds the lock.
    #[error("another program is training the run in {}", folder.display())]
    Taken {
        /// The run's folder.
        folder: PathBuf,
    },
    /// The lock file cannot be created.
    #[error("cannot write {}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The I/O error.
        source: io::Error,
    },
}

impl Lock {
    /// Locks a folder until the returned value is dropped. If the file system does not support
    /// locks, nothing is locked and no error is returned.
    ///
    /// # Errors
    ///
    /// If another program holds the lock, or the lock file cannot be created.
    pub fn take(folder: &Path) -> Result<Self, LockError> {
        let path = folder.join(FILE);
        let file = files::append_file(&path).map_err(|source| LockError::Io { path, source })?;
        // A process that only checks for the lock holds it for a moment.
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

/// Returns whether a program is training the run in this folder.
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
    fn folder_lock_is_exclusive_and_released() {
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
