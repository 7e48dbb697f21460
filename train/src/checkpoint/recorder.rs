//! Writes the records of a checkpoint.

use std::io;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use burn::record::{
    FileRecorder, FullPrecisionSettings, NamedMpkBytesRecorder, Recorder, RecorderError,
};
use burn::serde::{Serialize, de::DeserializeOwned};
use burn::tensor::backend::Backend;
use files::{Checksums, sha256, write_atomically};

use super::{EXTENSION, file_name};
use crate::error::TrainError;

/// Longest time that a record may take. It is limited because a checkpointer's thread that dies sends nothing.
const LONGEST: Duration = Duration::from_secs(600);

/// Name and checksum of a record's file, or why it was not written.
type Written = Result<(String, String), TrainError>;

/// Writes records atomically and reports each to [`WrittenRecords`].
#[derive(Clone, Debug)]
pub(crate) struct CheckpointRecorder(Sender<Written>);

/// Receives the results of a [`CheckpointRecorder`] and its clones.
#[derive(Debug)]
pub(crate) struct WrittenRecords(Receiver<Written>);

impl CheckpointRecorder {
    pub(crate) fn new() -> (Self, WrittenRecords) {
        let (sender, receiver) = channel();
        (Self(sender), WrittenRecords(receiver))
    }

    fn write<B: Backend>(&self, item: impl Serialize, path: PathBuf) -> Written {
        let recorder = NamedMpkBytesRecorder::<FullPrecisionSettings>::default();
        let path = path.with_extension(EXTENSION);
        let unwritten = TrainError::io("write", &path);
        let bytes = Recorder::<B>::save_item(&recorder, item, ())
            .map_err(|error| io::Error::other(error.to_string()))
            .and_then(|bytes| write_atomically(&path, &bytes).map(|()| bytes))
            .map_err(unwritten)?;
        Ok((file_name(&path), sha256(&bytes)))
    }
}

/// Burn's [`Recorder`] requires it; nobody receives its results.
impl Default for CheckpointRecorder {
    fn default() -> Self {
        Self::new().0
    }
}

impl WrittenRecords {
    /// Waits until the given number of records was written, and returns their checksums.
    ///
    /// # Errors
    ///
    /// If a record could not be written.
    pub(crate) fn wait_for(&self, records: usize) -> Result<Checksums, TrainError> {
        let results = (0..records).map(|_| {
            let result = self.0.recv_timeout(LONGEST);
            let late = TrainError::io("write", "the checkpoint");
            result.unwrap_or_else(|_| Err(late(io::ErrorKind::TimedOut.into())))
        });
        results.collect()
    }
}

impl<B: Backend> Recorder<B> for CheckpointRecorder {
    type Settings = FullPrecisionSettings;
    type RecordArgs = PathBuf;
    type RecordOutput = ();
    type LoadArgs = PathBuf;

    /// Never returns an error to burn-train: [`WrittenRecords`] gets it.
    fn save_item<I: Serialize>(&self, item: I, path: PathBuf) -> Result<(), RecorderError> {
        // The run may have ended with another error.
        let _ = self.0.send(self.write::<B>(item, path));
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
