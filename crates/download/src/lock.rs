//! Locks that let only one process at a time download a file.

use std::ffi::OsString;
use std::fs::{self, File, TryLockError};
use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use crate::error::DownloadError;
use crate::part::{beside, make_folder};
use crate::progress::{Progress, TICK, Watch};

/// An exclusive lock for downloading or processing a file, released on drop. The system releases it
/// if the process dies.
///
/// On a file system without locks, as on some clusters, every process gets the lock. Resulting
/// damage is detected by the checksum, at the latest when the file is next used.
#[derive(Debug)]
pub struct Lock {
    path: PathBuf,
    // Locked while it is open.
    _file: File,
}

/// Waits for the lock of `path`, a file `NAME.lock` next to it, to process files downloaded by
/// [`fetch`](crate::fetch).
///
/// `progress` is called about ten times a second while waiting; `Break` stops the wait.
///
/// # Errors
///
/// [`DownloadError::Interrupted`] after `Break`, or another error if the lock file cannot be
/// written.
pub fn lock(
    path: &Path,
    progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
) -> Result<Lock, DownloadError> {
    make_folder(path)?;
    Lock::acquire(path, &mut Watch::new(progress))
}

impl Lock {
    /// Waits for the lock of the file at `path`.
    pub(crate) fn acquire(path: &Path, watch: &mut Watch<'_>) -> Result<Self, DownloadError> {
        let path = beside(path, &OsString::from(".lock"));
        loop {
            let file = File::options()
                .create(true)
                .truncate(false)
                .write(true)
                .open(&path)
                .map_err(|source| DownloadError::writing(&path, source))?;
            loop {
                match file.try_lock() {
                    Ok(()) => break,
                    Err(TryLockError::WouldBlock) => watch.pause(TICK, Progress::Waiting)?,
                    Err(TryLockError::Error(error))
                        if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(TryLockError::Error(_)) => break,
                }
            }
            if is_at(&file, &path) {
                return Ok(Self { path, _file: file });
            }
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Remove it while the lock is still held: waiting processes notice that their file is no
        // longer at the path.
        if cfg!(unix) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Returns whether an open file is the one at the path, and not one that was removed.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    match (file.metadata(), fs::metadata(path)) {
        (Ok(open), Ok(there)) => (open.dev(), open.ino()) == (there.dev(), there.ino()),
        _ => false,
    }
}

/// Always returns `true`, because lock files are not removed on this platform.
#[cfg(not(unix))]
fn is_at(_file: &File, _path: &Path) -> bool {
    true
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;

    use super::*;

    #[test]
    fn lock_is_exclusive_and_removed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let inside = AtomicUsize::new(0);
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..5 {
                        let mut go_on = |_| ControlFlow::Continue(());
                        let lock = Lock::acquire(&path, &mut Watch::new(&mut go_on)).unwrap();
                        assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
                        thread::yield_now();
                        inside.fetch_sub(1, Ordering::SeqCst);
                        drop(lock);
                    }
                });
            }
        });
        if cfg!(unix) {
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        }
    }

    #[cfg(unix)]
    #[test]
    fn removed_lock_file_differs_from_new_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file.lock");
        let first = File::create(&path).unwrap();
        assert!(is_at(&first, &path));
        fs::remove_file(&path).unwrap();
        assert!(!is_at(&first, &path));
        let second = File::create(&path).unwrap();
        assert!(is_at(&second, &path) && !is_at(&first, &path));
    }

    #[test]
    fn waiting_for_lock_can_be_interrupted() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let mut go_on = |_| ControlFlow::Continue(());
        let _lock = Lock::acquire(&path, &mut Watch::new(&mut go_on)).unwrap();
        let mut said = Vec::new();
        let mut stop = |progress| {
            said.push(progress);
            ControlFlow::Break(())
        };
        let error = Lock::acquire(&path, &mut Watch::new(&mut stop)).err();
        assert!(matches!(error, Some(DownloadError::Interrupted)));
        assert_eq!(said, [Progress::Waiting]);
    }
}
