//! The loop over epochs and steps, in the place that burn-train leaves for it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use burn::data::dataloader::{DataLoader, Progress};
use burn::module::AutodiffModule as _;
use burn::optim::Sgd;
use burn::optim::adaptor::OptimizerAdaptor;
use burn::tensor::backend::AutodiffBackend;
use burn_train::{
    EventProcessorTraining as _, InferenceStep as _, Learner, LearnerEvent, LearningCheckpointer,
    LearningComponentsMarker, SupervisedLearningStrategy, SupervisedTrainingEventProcessor,
    TrainLoader, TrainingComponents, TrainingItem, ValidLoader,
};
use data::{ImageBatch, Position};
use infer::{Accuracy, SavedModel};

use crate::checkpoint::{Best, CheckpointRecorder, Checkpoints, PARTS, RunState};
use crate::classifier::Classifier;
use crate::error::TrainError;
use crate::folder::RunFolder;
use crate::plan::Plan;
use crate::run::Observer;
use crate::schedule::WarmupCosine;
use crate::stop::Stop;
use crate::totals::{Score, Totals};

/// burn-train's name for backend, schedule, model and optimizer of a run.
pub(crate) type Components<B> =
    LearningComponentsMarker<B, WarmupCosine, Classifier<B>, Optimizer<B>>;
pub(crate) type Optimizer<B> =
    OptimizerAdaptor<Sgd<<B as AutodiffBackend>::InnerBackend>, Classifier<B>, B>;

/// What an epoch came to.
#[derive(Clone, Debug, PartialEq)]
pub struct EpochReport {
    /// Counted from 1.
    pub epoch: usize,
    /// Of how many.
    pub epochs: usize,
    /// Over the training pictures, as they were met; in a resumed epoch, those since.
    pub train: Option<Score>,
    /// Over the validation pictures, after the epoch.
    pub validation: Score,
    /// Learning rate of the last step.
    pub learning_rate: f64,
    /// Time of this epoch, validation included.
    pub seconds: f64,
    /// Whether no earlier epoch validated better.
    pub best: bool,
}

/// Runs the epochs of a plan: trains, validates, keeps the best model, saves checkpoints.
pub(crate) struct EpochLoop {
    pub plan: Arc<Plan>,
    pub folder: RunFolder,
    pub position: Position,
    pub recorder: CheckpointRecorder,
    pub stop: Stop,
    pub progress: Mutex<LoopProgress>,
}

/// What changes while the loop runs; read by its owner afterwards.
pub(crate) struct LoopProgress {
    pub state: RunState,
    pub observer: Box<dyn Observer>,
}

/// What the loop needs of burn-train in each epoch.
struct Epoch<'a, B: AutodiffBackend> {
    number: usize,
    learner: &'a mut Learner<Components<B>>,
    events: &'a mut SupervisedTrainingEventProcessor<Components<B>>,
}

impl EpochLoop {
    fn run<B: AutodiffBackend>(
        &self,
        components: TrainingComponents<Components<B>>,
        learner: &mut Learner<Components<B>>,
        train: &dyn DataLoader<B, ImageBatch<B>>,
        validation: &dyn DataLoader<B::InnerBackend, ImageBatch<B::InnerBackend>>,
    ) -> (
        SupervisedTrainingEventProcessor<Components<B>>,
        Result<(), TrainError>,
    ) {
        let mut events = components.event_processor;
        let mut checkpointer = components.checkpointer;
        let mut progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
        let LoopProgress { state, observer } = &mut *progress;
        let started = Instant::now();
        let seconds_before = state.seconds;

        let mut step = || -> Result<(), TrainError> {
            while state.epoch <= self.plan.config.epochs {
                let epoch_started = Instant::now();
                let mut epoch = Epoch {
                    number: state.epoch,
                    learner: &mut *learner,
                    events: &mut events,
                };
                let trained = self.train_epoch(&mut epoch, train, state);
                let validated = if self.stop.requested() {
                    None
                } else {
                    self.validate(&mut epoch, validation)
                };
                let finished = match validated {
                    Some(validation) => {
                        Some(self.conclude(&mut epoch, state, trained, validation)?)
                    }
                    None => None,
                };
                state.seconds = seconds_before + started.elapsed().as_secs_f64();
                // Nothing failed so far: failures of other threads end the run below, unsaved,
                // because the disk that they met is the one this would be written to.
                if let Some(failure) = self.stop.take_failure() {
                    return Err(failure);
                }
                if let Some(checkpointer) = &mut checkpointer {
                    self.save(checkpointer, learner, &components.event_store, state)?;
                }
                match finished {
                    Some(report) => observer.epoch_ended(&EpochReport {
                        seconds: epoch_started.elapsed().as_secs_f64(),
                        ..report
                    }),
                    None => return Ok(()),
                }
                if self.stop.requested() {
                    return Ok(());
                }
            }
            Ok(())
        };
        let result = step();
        (events, result)
    }

    /// Takes the steps that are left of the epoch at hand, until told to stop.
    fn train_epoch<B: AutodiffBackend>(
        &self,
        epoch: &mut Epoch<'_, B>,
        loader: &dyn DataLoader<B, ImageBatch<B>>,
        state: &mut RunState,
    ) -> Option<Score> {
        let mut totals = Totals::<B::InnerBackend>::new();
        self.position.set(epoch.number, state.steps_in_epoch);
        let mut batches = loader.iter();
        while !self.stop.requested() {
            let Some(batch) = batches.next() else { break };
            epoch.learner.lr_step();
            let output = epoch.learner.train_step(batch);
            epoch.learner.optimizer_step(output.grads);
            state.step += 1;
            state.steps_in_epoch += 1;
            totals.add(&output.item);
            epoch
                .events
                .process_train(LearnerEvent::ProcessedItem(TrainingItem::new(
                    output.item,
                    batches.progress(),
                    self.epochs_progress(epoch.number),
                    Some(state.steps_in_epoch),
                    Some(epoch.learner.lr_current()),
                )));
        }
        epoch
            .events
            .process_train(LearnerEvent::EndEpoch(epoch.number));
        totals.score()
    }

    /// None if told to stop before its end.
    fn validate<B: AutodiffBackend>(
        &self,
        epoch: &mut Epoch<'_, B>,
        loader: &dyn DataLoader<B::InnerBackend, ImageBatch<B::InnerBackend>>,
    ) -> Option<Score> {
        let model = epoch.learner.model().valid();
        let mut totals = Totals::new();
        let mut batches = loader.iter();
        let mut step = 0;
        while let Some(batch) = batches.next() {
            if self.stop.requested() {
                return None;
            }
            let output = model.step(batch);
            step += 1;
            totals.add(&output);
            epoch
                .events
                .process_valid(LearnerEvent::ProcessedItem(TrainingItem::new(
                    output,
                    batches.progress(),
                    self.epochs_progress(epoch.number),
                    Some(step),
                    None,
                )));
        }
        epoch
            .events
            .process_valid(LearnerEvent::EndEpoch(epoch.number));
        totals.score()
    }

    /// Keeps the model if it is the best, and moves on to the next epoch.
    fn conclude<B: AutodiffBackend>(
        &self,
        epoch: &mut Epoch<'_, B>,
        state: &mut RunState,
        train: Option<Score>,
        validation: Score,
    ) -> Result<EpochReport, TrainError> {
        let finite =
            validation.loss.is_finite() && train.is_none_or(|score| score.loss.is_finite());
        if !finite {
            return Err(TrainError::Diverged {
                epoch: epoch.number,
                rate: self.plan.config.lr,
            });
        }
        let best = state
            .best
            .is_none_or(|best| validation.accuracy > best.accuracy);
        if best {
            let accuracy = Accuracy {
                validation: Some(validation.accuracy),
                test: None,
            };
            SavedModel::save(
                self.folder.path(),
                &epoch.learner.model().valid().network,
                &self.plan.description(epoch.number, accuracy),
            )?;
            state.best = Some(Best {
                epoch: epoch.number,
                accuracy: validation.accuracy,
            });
        }
        state.epoch += 1;
        state.steps_in_epoch = 0;
        Ok(EpochReport {
            epoch: epoch.number,
            epochs: self.plan.config.epochs,
            train,
            validation,
            learning_rate: epoch.learner.lr_current(),
            seconds: 0.0,
            best,
        })
    }

    fn save<B: AutodiffBackend>(
        &self,
        checkpointer: &mut LearningCheckpointer<Components<B>>,
        learner: &Learner<Components<B>>,
        store: &burn_train::metric::store::EventStoreClient,
        state: &RunState,
    ) -> Result<(), TrainError> {
        checkpointer.checkpoint(learner, state.step, store);
        self.recorder.wait_for(PARTS.len());
        match self.stop.take_failure() {
            Some(failure) => Err(failure),
            None => Checkpoints::new(self.folder.path()).commit(state),
        }
    }

    fn epochs_progress(&self, epoch: usize) -> Progress {
        Progress::new(epoch, self.plan.config.epochs)
    }
}

impl<B: AutodiffBackend> SupervisedLearningStrategy<Components<B>> for EpochLoop {
    fn fit(
        &self,
        components: TrainingComponents<Components<B>>,
        mut learner: Learner<Components<B>>,
        train: TrainLoader<Components<B>>,
        validation: ValidLoader<Components<B>>,
        _starting_epoch: usize,
    ) -> (
        Classifier<B>,
        SupervisedTrainingEventProcessor<Components<B>>,
    ) {
        let (events, result) = self.run(components, &mut learner, &*train, &*validation);
        if let Err(error) = result {
            self.stop.fail(error);
        }
        (learner.model(), events)
    }
}
