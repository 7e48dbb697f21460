//! Requests from other processes to the process that trains a run.
//!
//! A request is an empty file in the run's folder; its name says what is wanted. The process that trains removes
//! the file and does it. Creating and removing a file are atomic, and no content has to be believed.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::lock::is_locked;

/// What a process may ask of a run that another process trains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request {
    /// Save a checkpoint after the step at hand, and go on.
    Checkpoint,
    /// Stop after the epoch at hand.
    StopAfterEpoch,
    /// Save a checkpoint and stop after the step at hand.
    Stop,
}

/// Why a request was not made.
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
        /// The error of the system.
        source: io::Error,
    },
}

impl Request {
    /// All requests, in the order in which they are taken.
    pub const ALL: [Self; 3] = [Self::Checkpoint, Self::StopAfterEpoch, Self::Stop];

    /// Name of its file in the run's folder.
    pub fn file(self) -> &'static str {
        match self {
            Self::Checkpoint => "request-checkpoint",
            Self::StopAfterEpoch => "request-stop-after-epoch",
            Self::Stop => "request-stop",
        }
    }

    /// Makes the request. Making it again before it is taken changes nothing.
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
        // A new file: an existing one, or a link, is left as it is.
        match File::create_new(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            Err(source) => Err(RequestError::Io { path, source }),
            Ok(_) => Ok(()),
        }
    }

    /// Takes the requests that were made since the last call. Only the process that trains the run calls this.
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
    fn requests_are_taken_once_and_only_by_a_run_that_trains() {
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
    fn a_request_writes_to_no_file_that_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let _lock = Lock::take(folder.path()).unwrap();
        let path = folder.path().join(Request::Stop.file());
        fs::write(&path, "kept").unwrap();
        Request::Stop.send(folder.path()).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "kept");
        fs::remove_file(&path).unwrap();
        // What is no file is no request.
        fs::create_dir(&path).unwrap();
        assert_eq!(Request::take(folder.path()), []);
    }
}
