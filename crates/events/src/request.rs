//! Requests from other processes to the process that trains a run.
//!
//! A request is an empty file in the run's folder whose name states the request. The process that
//! trains removes the file and acts on it. Creating and removing a file are atomic, and there is no
//! content to validate.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::lock::is_locked;

/// A request to a run that another process trains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request {
    /// Save a checkpoint after the current step, and continue.
    Checkpoint,
    /// Stop after the current epoch.
    StopAfterEpoch,
    /// Save a checkpoint and stop after the current step.
    Stop,
}

/// The reason why a request failed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RequestError {
    /// No process trains the run.
    #[error("no process trains the run in {}", folder.display())]
    NotRunning {
        /// The run's folder.
        folder: PathBuf,
    },
    /// The file cannot be created.
    #[error("cannot write {}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The I/O error.
        source: io::Error,
    },
}

impl Request {
    /// All requests, in the order in which they are handled.
    pub const ALL: [Self; 3] = [Self::Checkpoint, Self::StopAfterEpoch, Self::Stop];

    /// Returns the name of its file in the run's folder.
    pub fn file(self) -> &'static str {
        match self {
            Self::Checkpoint => "request-checkpoint",
            Self::StopAfterEpoch => "request-stop-after-epoch",
            Self::Stop => "request-stop",
        }
    }

    /// Sends the request. Sending it again before it is taken has no effect.
    ///
    /// # Errors
    ///
    /// If no process trains the run, or the file cannot be created.
    pub fn send(self, folder: &Path) -> Result<(), RequestError> {
        if !is_locked(folder) {
            return Err(RequestError::NotRunning {
                folder: folder.to_owned(),
            });
        }
        let path = folder.join(self.file());
        // Only creates a new file: an existing file or link is left unchanged.
        match File::create_new(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            Err(source) => Err(RequestError::Io { path, source }),
            Ok(_) => Ok(()),
        }
    }

    /// Takes the requests sent since the last call. Only the process that trains the run calls
    /// this.
    pub fn take(folder: &Path) -> Vec<Self> {
        let is_taken = |request: &Self| fs::remove_file(folder.join(request.file())).is_ok();
        Self::ALL.into_iter().filter(is_taken).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lock::Lock;

    #[test]
    fn requests_are_taken_once_by_running_run_only() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let refused = Request::Stop.send(folder);
        assert!(matches!(refused, Err(RequestError::NotRunning { .. })));
        assert_eq!(Request::take(folder), []);

        let _lock = Lock::take(folder).unwrap();
        for request in [Request::Stop, Request::Checkpoint, Request::Stop] {
            request.send(folder).unwrap();
        }
        assert_eq!(Request::take(folder), [Request::Checkpoint, Request::Stop]);
        assert_eq!(Request::take(folder), []);
        Request::StopAfterEpoch.send(folder).unwrap();
        assert_eq!(Request::take(folder), [Request::StopAfterEpoch]);
    }

    #[test]
    fn request_does_not_overwrite_files() {
        let folder = tempfile::tempdir().unwrap();
        let _lock = Lock::take(folder.path()).unwrap();
        let path = folder.path().join(Request::Stop.file());
        fs::write(&path, "kept").unwrap();
        Request::Stop.send(folder.path()).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "kept");
        fs::remove_file(&path).unwrap();
        // Only a file counts as a request.
        fs::create_dir(&path).unwrap();
        assert_eq!(Request::take(folder.path()), []);
    }
}
