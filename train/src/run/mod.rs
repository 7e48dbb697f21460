//! Training and testing a network by a plan.
//!
//! | module | what it holds |
//! |---|---|
//! | `start` | the initial state of a run, new or from its last checkpoint |
//! | `adapter` | adapter between a run and burn-train |
//! | `epochs` | the loop over epochs and steps |
//! | `scorer` | scoring the network of an epoch |
//! | `divergence` | detecting that training diverges |
//! | `finite` | checking that all values of a network are finite |
//! | `test` | the test at the end |

mod adapter;
mod divergence;
mod epochs;
mod finite;
mod scorer;
mod start;
mod test;

use std::sync::{Arc, mpsc};

use burn::backend::Autodiff;
use burn_train::renderer::MetricsRenderer;
use data::Position;
use events::{Ending, Level};
use model::ResidualBackend;

use self::adapter::Frame;
use self::epochs::Epochs;
use self::start::Start;
use self::test::Test;
use crate::checkpoint::{CheckpointRecorder, Checkpoints, EpochScores, RunProgress, RunState};
use crate::error::{ConfigError, TrainError};
use crate::evaluation::Evaluation;
use crate::folder::{RAW_FOLDER, RunFolder};
use crate::plan::Plan;
use crate::stop::Stop;
use crate::stream::Stream;

/// How a run ended without an error.
#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "there is one for each run")]
pub enum Outcome {
    /// All epochs were trained and the best model tested.
    Finished(Finished),
    /// The run was told to stop; everything is saved.
    Interrupted(RunProgress),
}

/// Results of a finished run.
#[derive(Clone, Debug)]
pub struct Finished {
    /// Test metrics of the best model, stored as `test.json` in the run's folder.
    pub test: Evaluation,
    /// Test metrics of the best weights without averaging, stored in `raw`, if a moving average was kept.
    pub raw: Option<Evaluation>,
    /// Epoch of the best model, counted from 1.
    pub best_epoch: usize,
    /// Scores of each epoch, in order.
    pub history: Vec<EpochScores>,
    /// Time of training and testing in seconds, including the time before a run was resumed.
    pub seconds: f64,
}

/// Controls and outputs of a run.
pub struct Control<R> {
    /// Ends the run early.
    pub stop: Stop,
    /// Receives every event of the run, to its end.
    pub stream: Stream,
    /// Shows burn-train's metrics during training; dropped before the test.
    pub renderer: R,
}

/// Runs a plan on a backend, from the start or from the checkpoint in the folder.
///
/// # Errors
///
/// If a file cannot be read or written, a checkpoint is damaged, or the loss is not finite. Files saved earlier stay
/// intact.
pub fn train<B: ResidualBackend, R: MetricsRenderer + 'static>(
    plan: Arc<Plan>,
    folder: &RunFolder,
    device: B::Device,
    control: Control<R>,
) -> Result<Outcome, TrainError> {
    let Control {
        stop,
        stream,
        renderer,
    } = control;
    let run = Run::<B> {
        plan,
        folder,
        device,
        stop,
        stream: Arc::new(stream),
    };
    let result = run.run(renderer);
    let ending = match &result {
        Ok(Outcome::Finished(_)) => Ending::Finished,
        Ok(Outcome::Interrupted(_)) => Ending::Stopped,
        Err(_) => Ending::Failed,
    };
    // Writing the last events may fail, such as on a full disk.
    let written = run.stream.end(ending, result.as_ref().err());
    result.and_then(|outcome| written.map(|()| outcome))
}

struct Run<'a, B: ResidualBackend> {
    plan: Arc<Plan>,
    folder: &'a RunFolder,
    device: B::Device,
    stop: Stop,
    stream: Arc<Stream>,
}

impl<B: ResidualBackend> Run<'_, B> {
    fn run<R: MetricsRenderer + 'static>(&self, renderer: R) -> Result<Outcome, TrainError> {
        let Self {
            plan,
            folder,
            device,
            stop,
            stream,
        } = self;
        let Start { model, state } = Start::<B>::new(plan, folder, device)?;
        // Written only now, so that a run that cannot be resumed keeps its settings.
        folder.write_config(&plan.config)?;
        stream.begin(plan, &state);
        let machine = stream.watch_machine();
        let _requests = stream.watch_requests(folder, stop);
        let position = Position::default();
        let (failed_load, load_failures) = mpsc::channel();
        let (recorder, written) = CheckpointRecorder::new();
        let config = &plan.config;
        let mut train = plan
            .loader::<Autodiff<B>>(&plan.train, Some(config.seed), device)
            .with_augmentation(config.augmentation.clone(), config.seed)
            .map_err(ConfigError::from)?
            .with_position(position.clone())
            .with_failures(failed_load.clone());
        if let Some(outliers) = &config.outliers {
            train = train
                .with_outliers(outliers.clone(), config.seed)
                .map_err(ConfigError::from)?;
        }
        let validation = plan.loader::<B>(&plan.validation, None, device);
        let frame = Frame {
            folder: folder.path(),
            train,
            validation: validation.with_failures(failed_load),
            config,
            schedule: plan.schedule(),
            recorder: recorder.clone(),
            renderer,
        };
        let epochs = Epochs::<B> {
            plan: Arc::clone(plan),
            folder: (*folder).clone(),
            device: device.clone(),
            position,
            load_failures,
            recorder,
            written,
            stop: stop.clone(),
            stream: Arc::clone(stream),
            state: state.clone(),
        };
        adapter::launch(frame, model, epochs)?;
        let checkpoint = Checkpoints::new(folder.path()).latest()?;
        let state = checkpoint.map_or(state, |checkpoint| checkpoint.state);
        let progress = state.progress(plan);
        if !progress.is_trained {
            return Ok(Outcome::Interrupted(progress));
        }
        if let Some(epoch) = progress.last_better {
            let text = format!("ended early: no epoch was better than epoch {epoch}");
            stream.say(Level::Info, text);
        }
        let finished = self.test(&state)?;
        drop(machine);
        Ok(match finished {
            Some(finished) => Outcome::Finished(finished),
            None => Outcome::Interrupted(progress),
        })
    }

    /// Tests the kept models. Returns `None` if told to stop.
    fn test(&self, state: &RunState) -> Result<Option<Finished>, TrainError> {
        let Self {
            plan,
            folder,
            device,
            stop,
            stream,
        } = self;
        let test = Test::<B> {
            plan,
            device,
            stop,
            stream,
        };
        let raw_folder = folder.path().join(RAW_FOLDER);
        let kept_raw = state.kept_raw(&plan.config);
        let mut raw = None;
        if kept_raw.is_some() {
            match test.run(&raw_folder)? {
                Some(scored) => raw = Some(scored.evaluation),
                None => return Ok(None),
            }
        }
        let best = state.kept(&plan.config).ok_or(TrainError::NoValidation {
            data: plan.data.name.clone(),
        })?;
        let Some(scored) = test.run(folder.path())? else {
            return Ok(None);
        };
        let seconds = stream.seconds();
        stream.tested(plan, best.epoch, &scored, raw.as_ref());
        let finished = Finished {
            test: scored.evaluation,
            raw,
            best_epoch: best.epoch,
            history: state.history.clone(),
            seconds,
        };
        if let (Some(best), Some(raw)) = (kept_raw, &finished.raw) {
            test.save(&raw_folder, best, raw)?;
        }
        test.save(folder.path(), best, &finished.test)?;
        Ok(Some(finished))
    }
}
