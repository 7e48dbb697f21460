//! Writes the records of a checkpoint.

use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use burn::record::{
    FileRecorder, FullPrecisionSettings, NamedMpkBytesRecorder, Recorder, RecorderError,
};
use burn::serde::{Serialize, de::DeserializeOwned};
use burn::tensor::backend::Backend;
use files::{Checksums, sha256, write_atomically};

use super::{EXTENSION, file_name};
use crate::error::TrainError;
use crate::stop::Stop;

/// Writes records atomically, counts the written ones, and ends the run if one cannot be written.
#[derive(Clone, Debug, Default)]
pub(crate) struct CheckpointRecorder {
    stop: Stop,
    handled: Arc<(Mutex<usize>, Condvar)>,
    checksums: Arc<Mutex<Checksums>>,
}

impl CheckpointRecorder {
    pub(crate) fn new(stop: Stop) -> Self {
        Self {
            stop,
            handled: Arc::default(),
            checksums: Arc::default(),
        }
    }

    /// Waits until the given number of records was written or failed since the last wait, and returns the checksums of
    /// those that were written.
    pub(crate) fn wait_for(&self, records: usize) -> Checksums {
        let (count, changed) = &*self.handled;
        let mut count = count.lock().unwrap_or_else(PoisonError::into_inner);
        while *count < records {
            // The wait has a time limit because a checkpointer's thread that dies would never wake this one.
            let (guard, timeout) = changed
                .wait_timeout(count, Duration::from_secs(600))
                .unwrap_or_else(PoisonError::into_inner);
            count = guard;
            if timeout.timed_out() {
                self.stop.fail(TrainError::Io {
                    action: "write",
                    path: PathBuf::from("the checkpoint"),
                    source: io::ErrorKind::TimedOut.into(),
                });
                break;
            }
        }
        *count = 0;
        std::mem::take(
            &mut self
                .checksums
                .lock()
                .unwrap_or_else(PoisonError::into_inner),
        )
    }

    fn write(&self, path: PathBuf, bytes: &[u8]) -> Result<(), TrainError> {
        let path = path.with_extension(EXTENSION);
        write_atomically(&path, bytes).map_err(TrainError::io("write", &path))?;
        let mut checksums = self
            .checksums
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        checksums.insert(file_name(&path), sha256(bytes));
        Ok(())
    }
}

impl<B: Backend> Recorder<B> for CheckpointRecorder {
    type Settings = FullPrecisionSettings;
    type RecordArgs = PathBuf;
    type RecordOutput = ();
    type LoadArgs = PathBuf;

    /// Never returns an error to burn-train: a failure ends the run through [`Stop`], with its own message.
    fn save_item<I: Serialize>(&self, item: I, path: PathBuf) -> Result<(), RecorderError> {
        let recorder = NamedMpkBytesRecorder::<FullPrecisionSettings>::default();
        let result = Recorder::<B>::save_item(&recorder, item, ())
            .map_err(|error| TrainError::io("write", &path)(io::Error::other(error.to_string())))
            .and_then(|bytes| self.write(path, &bytes));
        if let Err(error) = result {
            self.stop.fail(error);
        }
        let (count, changed) = &*self.handled;
        *count.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        changed.notify_all();
        Ok(())
    }

    fn load_item<I: DeserializeOwned>(&self, path: &mut PathBuf) -> Result<I, RecorderError> {
        let path = path.with_extension(EXTENSION);
        let bytes = files::read_file(path, files::MAX_WEIGHTS_BYTES)
            .map_err(|error| RecorderError::FileNotFound(error.to_string()))?;
        let recorder = NamedMpkBytesRecorder::<FullPrecisionSettings>::default();
        Recorder::<B>::load_item(&recorder, &mut { bytes })
    }
}

impl<B: Backend> FileRecorder<B> for CheckpointRecorder {
    fn file_extension() -> &'static str {
        EXTENSION
    }
}
