//! The state of a run, saved and restored.
//!
//! burn-train's checkpointer hands the records of model, optimizer and schedule to a
//! [`CheckpointRecorder`] on threads of its own; a file named [`LATEST_FILE`] is written only after all of them, and
//! an average's if there is one, are on the disk, so it never names a checkpoint that is not whole. It holds
//! checksums of itself and of the records.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use burn::backend::Autodiff;
use burn::lr_scheduler::LrScheduler;
use burn::module::{AutodiffModule as _, Module};
use burn::record::{
    FileRecorder, FullPrecisionSettings, NamedMpkBytesRecorder, Record, Recorder, RecorderError,
};
use burn::serde::{Serialize, de::DeserializeOwned};
use burn::tensor::backend::Backend;
use burn_train::checkpoint::{CheckpointingAction, CheckpointingStrategy};
use burn_train::metric::store::EventStoreClient;
use files::{Checksums, SealError, seal, sha256, unseal, write_atomically};
use model::{Network, NetworkConfig, ResidualBackend};

use crate::classifier::Classifier;
use crate::config::TrainConfig;
use crate::error::TrainError;
use crate::fingerprint::Fingerprint;
use crate::folder::{CHECKPOINT_FOLDER, LATEST_FILE, RunFolder};
use crate::plan::Plan;
use crate::run::Place;
use crate::schedule::Rates;
use crate::stop::Stop;
use crate::totals::{Score, Sums};
use crate::trainee::Optimizer;

use self::outline::Outline;

mod outline;

const EXTENSION: &str = "mpk";
/// How burn-train's checkpointer names the three records of a checkpoint.
pub(crate) const PARTS: [&str; 3] = ["model", "optim", "scheduler"];
/// A fourth record, of the weights' moving average, where one is kept.
pub(crate) const AVERAGE: &str = "average";

/// Where a run is: what a checkpoint says besides its three records.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RunState {
    /// Steps taken since the start of the run; the number in the records' names.
    pub step: usize,
    /// The epoch at hand, counted from 1.
    pub epoch: usize,
    /// Steps taken in it. When it has them all, only its validation is left.
    pub steps_in_epoch: usize,
    /// What the steps taken in it came to.
    #[serde(default)]
    pub partial: Option<Sums>,
    /// The epoch with the best validation accuracy so far: of the average, if one is kept.
    pub best: Option<Best>,
    /// The same of the weights beside an average.
    #[serde(default)]
    pub best_raw: Option<Best>,
    /// What the epochs before it came to.
    #[serde(default)]
    pub history: Vec<EpochScores>,
    /// Time spent so far.
    pub seconds: f64,
    /// What the records belong to.
    pub network: NetworkConfig,
    /// The images that they learned from.
    #[serde(default)]
    pub data: Option<Fingerprint>,
}

impl RunState {
    /// Whether all epochs are done, or none of the last was better than one before.
    pub(crate) fn is_finished(&self, config: &TrainConfig) -> bool {
        self.epoch > config.epochs || self.last_better(config).is_some()
    }

    /// The best epoch, if patience with those after it is out before all are trained.
    fn last_better(&self, config: &TrainConfig) -> Option<usize> {
        let best = self.best?.epoch;
        let is_out = self.epoch > best + config.patience?.get();
        (is_out && self.epoch <= config.epochs).then_some(best)
    }

    /// The epoch whose network is kept, and of whose average if one is.
    pub(crate) fn kept(&self, config: &TrainConfig) -> Option<Best> {
        match config.keeps_last_epoch() {
            true => self.last(|scores| scores.averaged.unwrap_or(scores.validation)),
            false => self.best,
        }
    }

    /// The epoch whose weights are kept beside an average; none without one.
    pub(crate) fn kept_raw(&self, config: &TrainConfig) -> Option<Best> {
        match config.keeps_last_epoch() {
            true => self.best_raw.and(self.last(|scores| scores.validation)),
            false => self.best_raw,
        }
    }

    /// Takes in what the epoch at hand came to, and moves on to the next one; whether it scored better
    /// than all before.
    pub(crate) fn conclude_epoch(&mut self, scores: EpochScores) -> bool {
        let epoch = self.epoch;
        let improve = |best: &mut Option<Best>, score| {
            let is_better = best.is_none_or(|best| best.is_beaten_by(score));
            if is_better {
                *best = Some(Best { epoch, score });
            }
            is_better
        };
        let is_best = match scores.averaged {
            Some(averaged) => {
                improve(&mut self.best_raw, scores.validation);
                improve(&mut self.best, averaged)
            }
            None => improve(&mut self.best, scores.validation),
        };
        self.history.push(scores);
        self.epoch += 1;
        self.steps_in_epoch = 0;
        self.partial = None;
        is_best
    }

    fn last(&self, score: impl Fn(&EpochScores) -> Score) -> Option<Best> {
        let score = score(self.history.last()?);
        let epoch = self.history.len();
        Some(Best { epoch, score })
    }

    pub(crate) fn place(&self, plan: &Plan) -> Place {
        Place {
            epoch: self.epoch,
            epochs: plan.config.epochs,
            steps: self.steps_in_epoch.min(plan.steps_per_epoch),
            steps_per_epoch: plan.steps_per_epoch,
            is_trained: self.is_finished(&plan.config),
            last_better: self.last_better(&plan.config),
        }
    }
}

/// What an epoch came to.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct EpochScores {
    /// Over the training images as they were met, augmented and while the network learned.
    pub train: Option<Score>,
    /// After it, over the images held back or, if none are, the test images.
    pub validation: Score,
    /// The same of the weights' moving average, if one is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub averaged: Option<Score>,
}

/// An epoch that scored better than all before.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Best {
    pub epoch: usize,
    pub score: Score,
}

impl Best {
    /// Whether another score is better: more images are told rightly or, where as many are, with a lower
    /// loss. With few validation images, several epochs tell as many.
    pub(crate) fn is_beaten_by(self, other: Score) -> bool {
        let Score { loss, accuracy } = self.score;
        other.accuracy > accuracy || (other.accuracy == accuracy && other.loss < loss)
    }
}

/// The last whole checkpoint.
#[derive(Debug, PartialEq)]
pub(crate) struct Checkpoint {
    pub(crate) state: RunState,
    /// Of its records; none in a checkpoint of an older version.
    checksums: Option<Checksums>,
}

/// The checkpoints of a run's folder.
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

    /// The last whole checkpoint; none before the first.
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

    /// Declares the records of this state's step whole, with their checksums, and deletes those of other
    /// steps.
    pub(crate) fn commit(&self, state: &RunState, checksums: &Checksums) -> Result<(), TrainError> {
        let path = self.folder.join(LATEST_FILE);
        seal(state, LATEST_FILE, checksums)
            .map_err(io::Error::other)
            .and_then(|bytes| write_atomically(&path, &bytes))
            .map_err(TrainError::io("write", &path))?;
        self.remove_others(state)
    }

    /// Deletes the records of other steps than this state's: those of earlier checkpoints, and what a process that
    /// was killed left of a later one.
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
                // An old checkpoint that stays only takes space.
                if let Err(error) = fs::remove_file(&path) {
                    log::warn!("cannot remove {}: {error}", path.display());
                }
            }
        }
        Ok(())
    }

    /// The model of the last whole checkpoint; none before the first.
    pub(crate) fn latest_model(&self) -> Option<PathBuf> {
        let latest = self.latest().ok()??;
        Some(self.record_path(PARTS[0], latest.state.step))
    }

    /// Saves the moving average of a state's step, with the other three.
    pub(crate) fn save_average<B: Backend>(
        &self,
        recorder: &CheckpointRecorder,
        average: &Network<B>,
        step: usize,
    ) {
        let path = self.record_path(AVERAGE, step);
        // A failure is the recorder's to tell.
        let _ = Recorder::<B>::record(recorder, average.clone().into_record(), path);
    }

    /// The records of a checkpoint on a device, for a network and what trains it as they are at the start of a run.
    pub(crate) fn load<B: ResidualBackend>(
        &self,
        checkpoint: &Checkpoint,
        model: &Classifier<Autodiff<B>>,
        is_averaged: bool,
        device: &B::Device,
    ) -> Result<Records<B>, TrainError> {
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
        let average = if is_averaged {
            let average = read(AVERAGE)?;
            let network = model.network.valid().into_record();
            let expected = Outline::of::<B, _>(network);
            let outline = average.outline()?;
            average.check(expected.and_then(|expected| outline.check_same(&expected)))?;
            Some(average.load::<B, _>(device)?)
        } else {
            None
        };
        Ok(Records {
            model: whole.load::<Autodiff<B>, _>(device)?,
            optimizer: moments.load::<Autodiff<B>, _>(device)?,
            schedule: rates.load::<Autodiff<B>, _>(device)?,
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

/// What the records of a checkpoint hold.
pub(crate) struct Records<B: ResidualBackend> {
    pub model: <Classifier<Autodiff<B>> as Module<Autodiff<B>>>::Record,
    pub optimizer: <Optimizer<Autodiff<B>> as burn::optim::Optimizer<
        Classifier<Autodiff<B>>,
        Autodiff<B>,
    >>::Record,
    pub schedule: <Rates as LrScheduler>::Record<Autodiff<B>>,
    pub average: Option<<Network<B> as Module<B>>::Record>,
}

/// A record's file, with the bytes that were written.
struct RecordFile {
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

    /// Only of a file whose outline was checked.
    fn load<B: Backend, R: Record<B>>(self, device: &B::Device) -> Result<R, TrainError> {
        let recorder = NamedMpkBytesRecorder::<FullPrecisionSettings>::default();
        let path = self.path;
        // Burn's reason is advice for people who write programs.
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

/// The name of a record's file.
fn file_name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

impl RunFolder {
    /// Reads the last checkpoint with all of its records, as a run that is resumed reads them, and returns how many
    /// steps it has behind it; `None` before the first checkpoint.
    ///
    /// # Errors
    ///
    /// If a file of the checkpoint is missing, damaged, does not match its checksum, or holds another network than the
    /// checkpoint's.
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
        checkpoints.load::<B>(&checkpoint, &model, config.ema.is_some(), device)?;
        Ok(Some(checkpoint.state.step))
    }
}

/// Saves at every call: the loop over epochs decides when that is.
pub(crate) struct WhenCalled;

impl CheckpointingStrategy for WhenCalled {
    fn checkpointing(&mut self, _: usize, _: &EventStoreClient) -> Vec<CheckpointingAction> {
        vec![CheckpointingAction::Save]
    }
}

/// Writes records whole or not at all, counts those that are on the disk, and ends the run when
/// one cannot be written.
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

    /// Waits until so many records were written or failed since the last wait; the checksums of those that were
    /// written.
    pub(crate) fn wait_for(&self, records: usize) -> Checksums {
        let (count, changed) = &*self.handled;
        let mut count = count.lock().unwrap_or_else(PoisonError::into_inner);
        while *count < records {
            // A time limit, because a checkpointer's thread that dies would never wake this one.
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

    /// Never fails for burn-train: the failure ends the run through [`Stop`], with its own words.
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

#[cfg(test)]
mod tests;
