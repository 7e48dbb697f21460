//! From a plan to a trained, tested network.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use burn::backend::Autodiff;
use burn::tensor::backend::Backend;
use burn_train::metric::{
    AccuracyMetric, CpuMemory, CpuUse, IterationSpeedMetric, LearningRateMetric, LossMetric,
};
use burn_train::renderer::MetricsRenderer;
use burn_train::{SupervisedTraining, TrainingStrategy};
use data::{BatchLoader, ImageBatcher, ImageDataset, LoadFailure, Position};
use events::{Level, Work};
use model::ResidualBackend;
use saved_models::{Accuracy, SavedModel};

use crate::checkpoint::{Best, CheckpointRecorder, EpochScores, WhenCalled};
use crate::epoch_end::EpochReport;
use crate::error::{ConfigError, TrainError};
use crate::evaluation::{Evaluation, Tally};
use crate::folder::{RAW_FOLDER, RunFolder, TEST_FILE, write_evaluation};
use crate::plan::Plan;
use crate::scoring::score;
use crate::start::Start;
use crate::stop::Stop;
use crate::strategy::{Components, EpochLoop, LoopProgress};
use crate::stream::{self, Scored, StepLog, Stream};

/// Is told what happens; called on the training thread.
pub trait Observer: Send {
    /// A run goes on from its last checkpoint; not called for a new one.
    fn resumed(&mut self, place: &Place);

    /// An epoch was trained, validated and saved.
    fn epoch_ended(&mut self, report: &EpochReport);

    /// No epoch is left though not all were trained: none was better than this one for long enough.
    fn ended_early(&mut self, last_better: usize);

    /// So many of the test images are done.
    fn tested(&mut self, done: usize, total: usize);

    /// The run came to its end. It is called before the result is written, which may fail.
    fn finished(&mut self, finished: &Finished);
}

/// How far a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The epoch at hand, counted from 1.
    pub epoch: usize,
    /// How many epochs there are.
    pub epochs: usize,
    /// Steps taken in the epoch at hand.
    pub steps: usize,
    /// Steps of an epoch.
    pub steps_per_epoch: usize,
    /// No epoch is left to train: all are done, or patience is out.
    pub is_trained: bool,
    /// The epoch that so many were not better than that patience is out.
    pub last_better: Option<usize>,
}

/// How a run ended without an error.
#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "there is one for each run")]
pub enum Outcome {
    /// All epochs were trained and the best model tested.
    Finished(Finished),
    /// It was told to stop; everything is saved.
    Interrupted(Place),
}

/// What a finished run came to.
#[derive(Clone, Debug)]
pub struct Finished {
    /// Of the best model, over the test images. It lies as `test.json` in the run's folder.
    pub test: Evaluation,
    /// Of the best weights beside their moving average, if one was kept; it lies in `raw`.
    pub raw: Option<Evaluation>,
    /// The epoch that the best model is from, counted from 1.
    pub best_epoch: usize,
    /// What each epoch came to, in order.
    pub history: Vec<EpochScores>,
    /// Time of training and testing, over all the sittings of a resumed run.
    pub seconds: f64,
}

/// Runs a plan on a backend, from the start or, where the folder has a checkpoint, from there.
///
/// `renderer` shows burn-train's metrics while it trains and is dropped before the test. `stream` is told
/// of everything, to the end.
///
/// # Errors
///
/// If a file cannot be read or written, a checkpoint is damaged, or the loss is not finite. What
/// was saved before stays whole.
pub fn train<B: ResidualBackend, R: MetricsRenderer + 'static>(
    plan: Arc<Plan>,
    folder: &RunFolder,
    device: B::Device,
    renderer: R,
    observer: Box<dyn Observer>,
    stop: Stop,
    stream: Arc<Stream>,
) -> Result<Outcome, TrainError> {
    let result = run::<B, R>(plan, folder, device, renderer, observer, &stop, &stream);
    stream.end(&result);
    match stop.take_failure() {
        // The last events may be what did not fit on the disk.
        Some(failure) if result.is_ok() => Err(failure),
        _ => result,
    }
}

fn run<B: ResidualBackend, R: MetricsRenderer + 'static>(
    plan: Arc<Plan>,
    folder: &RunFolder,
    device: B::Device,
    renderer: R,
    mut observer: Box<dyn Observer>,
    stop: &Stop,
    stream: &Arc<Stream>,
) -> Result<Outcome, TrainError> {
    let start = Start::<B>::new(&plan, folder, &device)?;
    // Now that it can go on: the settings of a run that cannot stay as they were.
    folder.write_config(&plan.config)?;
    if start.state.step > 0 {
        observer.resumed(&start.state.place(&plan));
    }
    let position = Position::default();
    let load_failure = LoadFailure::default();
    let recorder = CheckpointRecorder::new(stop.clone());
    let learner = start.learning.learner();
    stream.begin(&plan, &start.state);
    let machine = stream.watch_machine();
    let _requests = stream.watch_requests(folder, stop);
    let step_log = StepLog::new(
        stream.writer().clone(),
        stream.clock().clone(),
        start.state.step,
    );
    let epoch_loop = Arc::new(EpochLoop {
        learning: Mutex::new(Some(start.learning)),
        plan: Arc::clone(&plan),
        folder: folder.clone(),
        position: position.clone(),
        load_failure: load_failure.clone(),
        recorder: recorder.clone(),
        stop: stop.clone(),
        stream: Arc::clone(stream),
        logged: step_log.logged(),
        progress: Mutex::new(LoopProgress {
            state: start.state,
            observer,
        }),
    });

    let config = &plan.config;
    let mut train = loader::<Autodiff<B>>(&plan, &plan.train, Some(config.seed), &device)
        .with_augmentation(config.augmentation.clone(), config.seed)
        .map_err(ConfigError::from)?
        .with_position(position)
        .with_failure(load_failure.clone());
    if let Some(outliers) = &config.outliers {
        train = train
            .with_outliers(outliers.clone(), config.seed)
            .map_err(ConfigError::from)?;
    }
    let validation = loader::<B>(&plan, &plan.validation, None, &device).with_failure(load_failure);
    let strategy: burn_train::CustomLearningStrategy<Components<Autodiff<B>>> =
        Arc::clone(&epoch_loop) as _;
    let training = SupervisedTraining::new(folder.path(), Arc::new(train), Arc::new(validation))
        .metrics((AccuracyMetric::new(), LossMetric::new()))
        .metric_train_numeric(LearningRateMetric::new())
        .metric_train_numeric(IterationSpeedMetric::new())
        .metric_train_numeric(CpuUse::new())
        .metric_train_numeric(CpuMemory::new())
        .with_file_checkpointer(recorder)
        .with_checkpointing_strategy(WhenCalled)
        .with_metric_logger(step_log)
        .with_application_logger(None)
        .with_training_strategy(TrainingStrategy::Custom(strategy))
        .num_epochs(plan.config.epochs)
        .renderer(renderer);
    let result = training.launch(learner);
    drop(result); // and with it the renderer
    if let Some(failure) = stop.take_failure() {
        return Err(failure);
    }

    let mut progress = epoch_loop
        .progress
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    let LoopProgress { state, observer } = &mut *progress;
    let place = state.place(&plan);
    if !place.is_trained {
        return Ok(Outcome::Interrupted(place));
    }
    if let Some(epoch) = place.last_better {
        stream.say(
            Level::Info,
            format!("ended early: no epoch was better than epoch {epoch}"),
        );
        observer.ended_early(epoch);
    }
    let test = Test::<B> {
        plan: &plan,
        device: &device,
        stop,
        stream,
    };
    let raw_folder = folder.path().join(RAW_FOLDER);
    let kept_raw = state.kept_raw(&plan.config);
    let mut raw = None;
    if kept_raw.is_some() {
        match test.run(&raw_folder, &mut **observer)? {
            Some(scored) => raw = Some(scored.evaluation),
            None => return Ok(Outcome::Interrupted(place)),
        }
    }
    let best = state.kept(&plan.config).ok_or(TrainError::NoValidation {
        data: plan.data.name.clone(),
    })?;
    let Some(scored) = test.run(folder.path(), &mut **observer)? else {
        return Ok(Outcome::Interrupted(place));
    };
    drop(machine);
    let seconds = stream.clock().seconds();
    let images = ImageDataset::all(plan.data.test.clone());
    stream.send(stream::tested(seconds, best.epoch, &scored, &images));
    let finished = Finished {
        test: scored.evaluation,
        raw,
        best_epoch: best.epoch,
        history: state.history.clone(),
        seconds,
    };
    observer.finished(&finished);
    if let (Some(best), Some(raw)) = (kept_raw, &finished.raw) {
        test.save(&raw_folder, best, raw)?;
    }
    test.save(folder.path(), best, &finished.test)?;
    Ok(Outcome::Finished(finished))
}

pub(crate) fn loader<B: Backend>(
    plan: &Plan,
    images: &Arc<ImageDataset>,
    shuffle: Option<u64>,
    device: &B::Device,
) -> BatchLoader<B> {
    let batcher = ImageBatcher::new(plan.data.preprocessing.clone());
    let loader = BatchLoader::new(
        Arc::clone(images),
        Arc::new(batcher),
        plan.config.batch_size,
        shuffle,
        device.clone(),
    );
    plan.config.loader.apply(loader, shuffle)
}

/// Tests saved models on the test images.
struct Test<'a, B: ResidualBackend> {
    plan: &'a Plan,
    device: &'a B::Device,
    stop: &'a Stop,
    stream: &'a Stream,
}

impl<B: ResidualBackend> Test<'_, B> {
    /// Tests the model of a folder; none if told to stop.
    fn run(
        &self,
        folder: &Path,
        observer: &mut dyn Observer,
    ) -> Result<Option<Scored>, TrainError> {
        let Self {
            plan,
            device,
            stop,
            stream,
        } = self;
        let saved = SavedModel::open(folder)?;
        let network = saved.network::<B>(device)?;
        let images = Arc::new(ImageDataset::all(plan.data.test.clone()).for_scoring());
        let loader = loader::<B>(plan, &images, None, device);
        let failure = loader.failure().clone();
        let tally = score(
            &network,
            &loader,
            plan.config.views(),
            Tally::new(plan.network.classes()).of(&images),
            &mut |_, progress| {
                let (done, total) = (progress.items_processed, progress.items_total);
                observer.tested(done, total);
                stream.progress(Work::Test, done, total);
                stop.go_on()
            },
        );
        if let Some(error) = failure.take() {
            return Err(error.into());
        }
        let Some(tally) = tally else {
            return Ok(None);
        };
        let scored =
            Scored::new(tally, &plan.data.class_names).ok_or_else(|| TrainError::NoneReadable {
                data: plan.data.name.clone(),
                part: "test",
            })?;
        Ok(Some(scored))
    }

    /// Writes what the model of a folder, that of this epoch, came to.
    fn save(&self, folder: &Path, best: Best, evaluation: &Evaluation) -> Result<(), TrainError> {
        let accuracy = Accuracy {
            validation: self.plan.validated(best.score.accuracy),
            test: Some(evaluation.accuracy),
        };
        SavedModel::save_description(folder, &self.plan.description(best.epoch, accuracy))?;
        write_evaluation(&folder.join(TEST_FILE), evaluation)
    }
}
