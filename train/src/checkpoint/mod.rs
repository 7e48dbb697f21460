//! Saves and restores the state of a run.
//!
//! burn-train's checkpointer passes the records of model, optimizer and schedule to a [`CheckpointRecorder`] on threads
//! of its own. The file [`LATEST_FILE`] is written only after all of these records, and that of the average if there is
//! one, are on disk, so it never names an incomplete checkpoint. It holds checksums of itself and of the records.
//!
//! | module | what it holds |
//! |---|---|
//! | `state` | progress of a run and scores of its epochs |
//! | `recorder` | writing records |
//! | `outline` | which tensors a record holds |
//! | `keep` | saving the network of the best or last epoch |
//! | `same_data` | checking that a resumed run uses the images it was started with |

mod keep;
mod outline;
mod recorder;
mod same_data;
mod state;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use burn::backend::Autodiff;
use burn::lr_scheduler::LrScheduler;
use burn::module::{AutodiffModule as _, Module};
use burn::record::{FullPrecisionSettings, NamedMpkBytesRecorder, Record, Recorder};
use burn::tensor::backend::Backend;
use files::{Checksums, SealError, seal, sha256, unseal, write_atomically};
use model::{Network, ResidualBackend};

use self::outline::Outline;
use crate::error::TrainError;
use crate::folder::{CHECKPOINT_FOLDER, LATEST_FILE, RunFolder};
use crate::settings::{Rates, TrainConfig};
use crate::step::{Classifier, Optimizer};

pub(crate) use keep::{check_kept, keep};
pub(crate) use recorder::{CheckpointRecorder, WrittenRecords};
pub(crate) use state::{Best, RunState};
pub use state::{EpochScores, RunProgress};

const EXTENSION: &str = "mpk";
/// Names that burn-train's checkpointer gives the three records of a checkpoint.
pub(crate) const PARTS: [&str; 3] = ["model", "optim", "scheduler"];
/// Name of a fourth record: the weights' moving average, if one is kept.
const AVERAGE: &str = "average";

/// The last complete checkpoint.
#[derive(Debug, PartialEq)]
pub(crate) struct Checkpoint {
    pub(crate) state: RunState,
    /// Checksums of its records; `None` in checkpoints of older versions.
    checksums: Option<Checksums>,
}

/// The checkpoints in a run's folder.
#[derive(Clone, Debug)]
pub(crate) struct Checkpoints {
    folder: PathBuf,
}

impl Checkpoints {
    pub(crate) fn new(run: &Path) -> Self {
        Self {
            folder: run.join(CHECKPOINT_FOLDER),
        }
    }

    /// Returns the last complete checkpoint, or `None` before the first.
    pub(crate) fn latest(&self) -> Result<Option<Checkpoint>, TrainError> {
        let path = self.folder.join(LATEST_FILE);
        let bytes = match files::read_file(&path, files::MAX_DOCUMENT_BYTES) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            bytes => bytes.map_err(TrainError::io("read", &path))?,
        };
        match unseal(&bytes, LATEST_FILE) {
            Ok((state, checksums)) => Ok(Some(Checkpoint { state, checksums })),
            Err(SealError::Checksum) => Err(TrainError::Checksum { path }),
            Err(error) => Err(TrainError::Checkpoint {
                path,
                reason: error.to_string(),
            }),
        }
    }

    /// Marks the records of this state's step as complete, with their checksums, and deletes those of other steps.
    pub(crate) fn commit(&self, state: &RunState, checksums: &Checksums) -> Result<(), TrainError> {
        let path = self.folder.join(LATEST_FILE);
        seal(state, LATEST_FILE, checksums)
            .map_err(io::Error::other)
            .and_then(|bytes| write_atomically(&path, &bytes))
            .map_err(TrainError::io("write", &path))?;
        self.remove_others(state)
    }

    /// Deletes the records of all steps but this state's: those of earlier checkpoints, and those of a later one that a
    /// killed process left behind.
    pub(crate) fn remove_others(&self, state: &RunState) -> Result<(), TrainError> {
        let [model, optimizer, schedule] = PARTS;
        let current = [model, optimizer, schedule, AVERAGE];
        let current = current.map(|part| self.record_path(part, state.step));
        let entries = fs::read_dir(&self.folder).map_err(TrainError::io("read", &self.folder))?;
        for entry in entries.flatten() {
            let path = entry.path();
            let is_record = path
                .extension()
                .is_some_and(|extension| extension == EXTENSION);
            if is_record && !current.contains(&path) {
                // A leftover checkpoint only takes up space.
                if let Err(error) = fs::remove_file(&path) {
                    log::warn!("cannot remove {}: {error}", path.display());
                }
            }
        }
        Ok(())
    }

    /// Returns the path of the last complete checkpoint's model record, or `None` before the first checkpoint.
    pub(crate) fn latest_model(&self) -> Option<PathBuf> {
        let latest = self.latest().ok()??;
        Some(self.record_path(PARTS[0], latest.state.step))
    }

    /// Saves the record of the moving average next to the other three of the given step.
    pub(crate) fn save_average<B: Backend>(
        &self,
        recorder: &CheckpointRecorder,
        average: &Network<B>,
        step: usize,
    ) {
        let path = self.record_path(AVERAGE, step);
        // The recorder reports the result.
        let _ = Recorder::<B>::record(recorder, average.clone().into_record(), path);
    }

    /// Reads the records of a checkpoint and checks that they fit a freshly initialized network.
    pub(crate) fn records<B: ResidualBackend>(
        &self,
        checkpoint: &Checkpoint,
        model: &Classifier<Autodiff<B>>,
        is_averaged: bool,
    ) -> Result<Records, TrainError> {
        let read = |part| self.read(checkpoint, part);
        let [model_part, optimizer, schedule] = PARTS;
        let whole = read(model_part)?;
        let outline = whole.outline()?;
        let expected = Outline::of::<Autodiff<B>, _>(model.clone().into_record());
        whole.check(expected.and_then(|expected| outline.check_same(&expected)))?;
        let moments = read(optimizer)?;
        moments.check(moments.outline()?.check_moments(&outline))?;
        let rates = read(schedule)?;
        rates.outline()?;
        let average = match is_averaged {
            true => Some(read(AVERAGE)?),
            false => None,
        };
        if let Some(average) = &average {
            let expected = Outline::of::<B, _>(model.network.valid().into_record());
            let outline = average.outline()?;
            average.check(expected.and_then(|expected| outline.check_same(&expected)))?;
        }
        Ok(Records {
            model: whole,
            optimizer: moments,
            schedule: rates,
            average,
        })
    }

    fn read(&self, checkpoint: &Checkpoint, part: &str) -> Result<RecordFile, TrainError> {
        let path = self.record_path(part, checkpoint.state.step);
        let bytes = files::read_file(&path, files::MAX_WEIGHTS_BYTES)
            .map_err(TrainError::io("read", &path))?;
        if let Some(checksums) = &checkpoint.checksums
            && checksums.get(&file_name(&path)) != Some(&sha256(&bytes))
        {
            return Err(TrainError::Checksum { path });
        }
        Ok(RecordFile { path, bytes })
    }

    fn record_path(&self, part: &str, step: usize) -> PathBuf {
        self.folder.join(format!("{part}-{step}.{EXTENSION}"))
    }
}

/// Record files of a checkpoint, checked to hold the tensors of the run's network.
pub(crate) struct Records {
    pub model: RecordFile,
    pub optimizer: RecordFile,
    pub schedule: RecordFile,
    pub average: Option<RecordFile>,
}

/// Path and content of a record file.
pub(crate) struct RecordFile {
    path: PathBuf,
    bytes: Vec<u8>,
}

impl RecordFile {
    fn outline(&self) -> Result<Outline, TrainError> {
        let outline = Outline::read(&self.bytes);
        outline.map_err(|reason| self.error(reason))
    }

    fn check(&self, result: Result<(), String>) -> Result<(), TrainError> {
        result.map_err(|reason| self.error(reason))
    }

    /// Loads the record onto a device.
    pub(crate) fn load<B: Backend, R: Record<B>>(
        self,
        device: &B::Device,
    ) -> Result<R, TrainError> {
        let recorder = NamedMpkBytesRecorder::<FullPrecisionSettings>::default();
        let path = self.path;
        // Burn's own message is advice for programmers.
        Recorder::<B>::load(&recorder, self.bytes, device).map_err(|_| TrainError::Checkpoint {
            path,
            reason: "its tensors cannot be read".to_owned(),
        })
    }

    fn error(&self, reason: String) -> TrainError {
        TrainError::Checkpoint {
            path: self.path.clone(),
            reason,
        }
    }
}

/// Returns the name of a record file.
fn file_name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

impl RunFolder {
    /// Reads the last checkpoint with all of its records, as a resumed run does, and returns the number of steps taken
    /// so far, or `None` before the first checkpoint.
    ///
    /// # Errors
    ///
    /// If a file of the checkpoint is missing, damaged, does not match its checksum, or holds a different network than
    /// the checkpoint's.
    pub fn read_checkpoint<B: ResidualBackend>(
        &self,
        config: &TrainConfig,
        device: &B::Device,
    ) -> Result<Option<usize>, TrainError> {
        let checkpoints = Checkpoints::new(self.path());
        let Some(checkpoint) = checkpoints.latest()? else {
            return Ok(None);
        };
        let network = checkpoint.state.network.init(device);
        let network = network.map_err(|error| TrainError::Checkpoint {
            path: self.path().join(CHECKPOINT_FOLDER).join(LATEST_FILE),
            reason: error.to_string(),
        })?;
        let model = Classifier::new(network, config);
        let records = checkpoints.records::<B>(&checkpoint, &model, config.ema.is_some())?;
        type Model<B> = <Classifier<B> as Module<B>>::Record;
        type Moments<B> = <Optimizer<B> as burn::optim::Optimizer<Classifier<B>, B>>::Record;
        type Schedule<B> = <Rates as LrScheduler>::Record<B>;
        records
            .model
            .load::<Autodiff<B>, Model<Autodiff<B>>>(device)?;
        records
            .optimizer
            .load::<Autodiff<B>, Moments<Autodiff<B>>>(device)?;
        records
            .schedule
            .load::<Autodiff<B>, Schedule<Autodiff<B>>>(device)?;
        if let Some(average) = records.average {
            average.load::<B, <Network<B> as Module<B>>::Record>(device)?;
        }
        Ok(Some(checkpoint.state.step))
    }
}

#[cfg(test)]
mod tests;
