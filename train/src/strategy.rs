//! The loop over epochs and steps, in the place that burn-train leaves for it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use burn::data::dataloader::{DataLoader, Progress};
use burn::module::AutodiffModule as _;
use burn::optim::Sgd;
use burn::optim::adaptor::OptimizerAdaptor;
use burn::tensor::backend::AutodiffBackend;
use burn_train::metric::store::EventStoreClient;
use burn_train::{
    EventProcessorTraining as _, InferenceStep as _, Learner, LearnerEvent, LearningCheckpointer,
    LearningComponentsMarker, SupervisedLearningStrategy, SupervisedTrainingEventProcessor,
    TrainLoader, TrainingComponents, TrainingItem, ValidLoader,
};
use data::{ImageBatch, Position};
use infer::{Accuracy, SavedModel};

use crate::checkpoint::{Best, CheckpointRecorder, Checkpoints, PARTS, RunState};
use crate::classifier::{Classifier, TrainBackend};
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

/// What burn-train gives the loop to work with.
struct Session<B: TrainBackend> {
    learner: Learner<Components<B>>,
    events: SupervisedTrainingEventProcessor<Components<B>>,
    checkpointer: Option<LearningCheckpointer<Components<B>>>,
    store: Arc<EventStoreClient>,
}

impl EpochLoop {
    /// Runs the epochs that are left, until told to stop.
    fn run<B: TrainBackend>(
        &self,
        session: &mut Session<B>,
        train: &dyn DataLoader<B, ImageBatch<B>>,
        validation: &dyn DataLoader<B::InnerBackend, ImageBatch<B::InnerBackend>>,
    ) -> Result<(), TrainError> {
        let mut progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
        let LoopProgress { state, observer } = &mut *progress;
        let seconds_before = state.seconds;
        let started = Instant::now();
        // burn-train counts epochs by their ends, so a resumed run has to tell it of the last one.
        let earlier = state.epoch - 1;
        if earlier > 0 {
            session
                .events
                .process_train(LearnerEvent::EndEpoch(earlier));
            session
                .events
                .process_valid(LearnerEvent::EndEpoch(earlier));
        }
        while state.epoch <= self.plan.config.epochs && !self.stop.requested() {
            let epoch_started = Instant::now();
            let trained = self.train_epoch(session, train, state);
            let validated = self.validate(session, validation, state.epoch);
            let report = match validated {
                Some(validation) => Some(self.conclude(session, state, trained, validation)?),
                None => None, // told to stop
            };
            state.seconds = seconds_before + started.elapsed().as_secs_f64();
            // A log that failed ends the run here: its disk is the one to be written to next.
            if let Some(failure) = self.stop.take_failure() {
                return Err(failure);
            }
            self.save(session, state)?;
            if let Some(report) = report {
                observer.epoch_ended(&EpochReport {
                    seconds: epoch_started.elapsed().as_secs_f64(),
                    ..report
                });
            }
        }
        Ok(())
    }

    /// Takes the steps that are left of the epoch at hand, until told to stop.
    fn train_epoch<B: TrainBackend>(
        &self,
        session: &mut Session<B>,
        loader: &dyn DataLoader<B, ImageBatch<B>>,
        state: &mut RunState,
    ) -> Option<Score> {
        let mut totals = Totals::<B::InnerBackend>::new();
        self.position.set(state.epoch, state.steps_in_epoch);
        let mut batches = loader.iter();
        while !self.stop.requested() {
            let Some(batch) = batches.next() else { break };
            session.learner.lr_step();
            let output = session.learner.train_step(batch);
            session.learner.optimizer_step(output.grads);
            state.step += 1;
            state.steps_in_epoch += 1;
            totals.add(&output.item);
            session
                .events
                .process_train(LearnerEvent::ProcessedItem(TrainingItem::new(
                    output.item,
                    batches.progress(),
                    self.epochs_progress(state.epoch),
                    Some(state.steps_in_epoch),
                    Some(session.learner.lr_current()),
                )));
        }
        session
            .events
            .process_train(LearnerEvent::EndEpoch(state.epoch));
        totals.score()
    }

    /// None if told to stop before its end.
    fn validate<B: TrainBackend>(
        &self,
        session: &mut Session<B>,
        loader: &dyn DataLoader<B::InnerBackend, ImageBatch<B::InnerBackend>>,
        epoch: usize,
    ) -> Option<Score> {
        let model = session.learner.model().valid();
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
            session
                .events
                .process_valid(LearnerEvent::ProcessedItem(TrainingItem::new(
                    output,
                    batches.progress(),
                    self.epochs_progress(epoch),
                    Some(step),
                    None,
                )));
        }
        session.events.process_valid(LearnerEvent::EndEpoch(epoch));
        totals.score()
    }

    /// Keeps the model if it is the best, and moves on to the next epoch.
    fn conclude<B: TrainBackend>(
        &self,
        session: &Session<B>,
        state: &mut RunState,
        train: Option<Score>,
        validation: Score,
    ) -> Result<EpochReport, TrainError> {
        let epoch = state.epoch;
        let finite =
            validation.loss.is_finite() && train.is_none_or(|score| score.loss.is_finite());
        if !finite {
            return Err(TrainError::Diverged {
                epoch,
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
                &session.learner.model().valid().network,
                &self.plan.description(epoch, accuracy),
            )?;
            state.best = Some(Best {
                epoch,
                accuracy: validation.accuracy,
            });
        }
        state.epoch += 1;
        state.steps_in_epoch = 0;
        Ok(EpochReport {
            epoch,
            epochs: self.plan.config.epochs,
            train,
            validation,
            learning_rate: session.learner.lr_current(),
            seconds: 0.0,
            best,
        })
    }

    fn save<B: TrainBackend>(
        &self,
        session: &mut Session<B>,
        state: &RunState,
    ) -> Result<(), TrainError> {
        if let Some(checkpointer) = &mut session.checkpointer {
            checkpointer.checkpoint(&session.learner, state.step, &session.store);
        }
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

impl<B: TrainBackend> SupervisedLearningStrategy<Components<B>> for EpochLoop {
    fn fit(
        &self,
        components: TrainingComponents<Components<B>>,
        learner: Learner<Components<B>>,
        train: TrainLoader<Components<B>>,
        validation: ValidLoader<Components<B>>,
        _starting_epoch: usize,
    ) -> (
        Classifier<B>,
        SupervisedTrainingEventProcessor<Components<B>>,
    ) {
        let mut session = Session {
            learner,
            events: components.event_processor,
            checkpointer: components.checkpointer,
            store: components.event_store,
        };
        if let Err(error) = self.run(&mut session, &*train, &*validation) {
            self.stop.fail(error);
        }
        (session.learner.model(), session.events)
    }
}
