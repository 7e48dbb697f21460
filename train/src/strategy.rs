//! The loop over epochs and steps, in the place that burn-train leaves for it.

use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use burn::data::dataloader::{DataLoader, Progress};
use burn::lr_scheduler::LrScheduler as _;
use burn::module::AutodiffModule as _;
use burn_train::metric::store::EventStoreClient;
use burn_train::{
    EventProcessorTraining as _, Learner, LearnerEvent, LearningCheckpointer,
    LearningComponentsMarker, SupervisedLearningStrategy, SupervisedTrainingEventProcessor,
    TrainLoader, TrainingComponents, TrainingItem, ValidLoader,
};
use data::{ImageBatch, LoadFailure, Position};
use model::Network;

use crate::checkpoint::{CheckpointRecorder, Checkpoints, EpochScores, PARTS, RunState};
use crate::classifier::{Classifier, TrainBackend};
use crate::divergence::{LossWatch, Place};
use crate::error::TrainError;
use crate::evaluation::Tally;
use crate::folder::{RAW_FOLDER, RunFolder};
use crate::keep::keep;
use crate::plan::Plan;
use crate::run::Observer;
use crate::schedule::Rates;
use crate::scoring::score;
use crate::stop::Stop;
use crate::totals::{Score, Totals};
use crate::trainee::{Optimizer, Trainee};

/// burn-train's name for backend, schedule, model and optimizer of a run.
pub(crate) type Components<B> = LearningComponentsMarker<B, Rates, Classifier<B>, Optimizer<B>>;

/// What an epoch came to.
#[derive(Clone, Debug, PartialEq)]
pub struct EpochReport {
    /// Counted from 1.
    pub epoch: usize,
    /// Of how many.
    pub epochs: usize,
    /// Over the training pictures, as they were met.
    pub train: Option<Score>,
    /// After the epoch, over the validation pictures or, if none are held back, the test pictures.
    pub validation: Score,
    /// The same of the weights' moving average, if one is kept.
    pub averaged: Option<Score>,
    /// Learning rate of the last step.
    pub learning_rate: f64,
    /// Time of this epoch, validation included.
    pub seconds: f64,
    /// Whether its model is kept: no earlier epoch validated better, or the last one is kept.
    pub best: bool,
}

/// Runs the epochs of a plan: trains, validates, keeps the best model, saves checkpoints.
///
/// It owns what is trained: burn-train's `Learner` copies every parameter at each step and does not
/// give its optimizer away, so one is made only to save a checkpoint.
pub(crate) struct EpochLoop<B: TrainBackend> {
    /// Taken when the loop starts.
    pub learning: Mutex<Option<Learning<B>>>,
    pub plan: Arc<Plan>,
    pub folder: RunFolder,
    pub position: Position,
    /// Why batches ended too early, if they did.
    pub load_failure: LoadFailure,
    pub recorder: CheckpointRecorder,
    pub stop: Stop,
    pub progress: Mutex<LoopProgress>,
}

/// What a run starts or goes on with.
pub(crate) struct Learning<B: TrainBackend> {
    pub trainee: Trainee<B>,
    pub schedule: Rates,
}

impl<B: TrainBackend> Learning<B> {
    /// burn-train's form of it, which shares its memory.
    pub(crate) fn learner(&self) -> Learner<Components<B>> {
        learner(&self.trainee, &self.schedule)
    }
}

fn learner<B: TrainBackend>(trainee: &Trainee<B>, schedule: &Rates) -> Learner<Components<B>> {
    Learner::new(
        trainee.model.clone(),
        trainee.optimizer.clone(),
        schedule.clone(),
    )
}

/// Where the loop is after a step.
fn place(state: &RunState, rate: f64) -> Place {
    Place {
        epoch: state.epoch,
        step: state.step,
        rate,
    }
}

/// What changes while the loop runs; read by its owner afterwards.
pub(crate) struct LoopProgress {
    pub state: RunState,
    pub observer: Box<dyn Observer>,
}

/// What the loop works with besides the network.
struct Session<B: TrainBackend> {
    schedule: Rates,
    /// Of the last step.
    rate: f64,
    events: SupervisedTrainingEventProcessor<Components<B>>,
    checkpointer: Option<LearningCheckpointer<Components<B>>>,
    store: Arc<EventStoreClient>,
}

impl<B: TrainBackend> EpochLoop<B> {
    /// Runs the epochs that are left, until told to stop or unable to go on.
    fn run(
        &self,
        session: &mut Session<B>,
        mut trainee: Trainee<B>,
        train: &dyn DataLoader<B, ImageBatch<B>>,
        validation: &dyn DataLoader<B::InnerBackend, ImageBatch<B::InnerBackend>>,
    ) -> (Trainee<B>, Result<(), TrainError>) {
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
        while !state.is_finished(&self.plan.config) && !self.stop.requested() {
            let epoch_started = Instant::now();
            let trained;
            (trainee, trained) = self.train_epoch(session, trainee, train, state);
            let report = match self.end_epoch(session, &trainee, validation, state, trained) {
                Ok(report) => report,
                Err(error) => return (trainee, Err(error)),
            };
            state.seconds = seconds_before + started.elapsed().as_secs_f64();
            if let Err(error) = self.save(session, &trainee, state) {
                return (trainee, Err(error));
            }
            if let Some(report) = report {
                observer.epoch_ended(&EpochReport {
                    seconds: epoch_started.elapsed().as_secs_f64(),
                    ..report
                });
            }
        }
        (trainee, Ok(()))
    }

    /// Takes the steps that are left of the epoch at hand, until told to stop.
    fn train_epoch(
        &self,
        session: &mut Session<B>,
        mut trainee: Trainee<B>,
        loader: &dyn DataLoader<B, ImageBatch<B>>,
        state: &mut RunState,
    ) -> (Trainee<B>, Option<Score>) {
        let mut totals = Totals::<B::InnerBackend>::resumed(state.partial.take());
        let mut watch = self.watch();
        let accumulate = self.plan.config.accumulate;
        self.position
            .set(state.epoch, state.steps_in_epoch * accumulate);
        let mut loader = loader.iter();
        while !self.stop.requested() {
            let batches: Vec<_> = loader.by_ref().take(accumulate).collect();
            if batches.is_empty() {
                break;
            }
            session.rate = session.schedule.step();
            let output;
            (trainee, output) = trainee.step(batches, session.rate);
            state.step += 1;
            state.steps_in_epoch += 1;
            totals.add(&output);
            if let Err(diverged) = watch.next(place(state, session.rate), &output) {
                self.stop.fail(diverged);
            }
            session
                .events
                .process_train(LearnerEvent::ProcessedItem(TrainingItem::new(
                    output,
                    loader.progress(),
                    self.epochs_progress(state.epoch),
                    Some(state.steps_in_epoch),
                    Some(session.rate),
                )));
        }
        if let Err(diverged) = watch.finish() {
            self.stop.fail(diverged);
        }
        self.check_load();
        session
            .events
            .process_train(LearnerEvent::EndEpoch(state.epoch));
        state.partial = totals.sums();
        (trainee, state.partial.and_then(|sums| sums.score()))
    }

    /// Validates and moves on to the next epoch; none if told to stop before that.
    fn end_epoch(
        &self,
        session: &mut Session<B>,
        trainee: &Trainee<B>,
        loader: &dyn DataLoader<B::InnerBackend, ImageBatch<B::InnerBackend>>,
        state: &mut RunState,
        trained: Option<Score>,
    ) -> Result<Option<EpochReport>, TrainError> {
        let network = trainee.model.network.valid();
        let scores = self.validate(session, &network, loader, state.epoch);
        let averaged = match (&scores, &trainee.average) {
            (Some(_), Some(average)) => self.score(average.network(), loader),
            _ => None,
        };
        let report = match scores {
            // Told to stop while the average was scored: neither counts yet.
            Some(_) if trainee.average.is_some() && averaged.is_none() => None,
            Some(validation) => {
                let scores = EpochScores {
                    train: trained,
                    validation,
                    averaged,
                };
                Some(self.conclude(session.rate, state, scores, &network, trainee)?)
            }
            None => None,
        };
        // A log that failed ends the run here: its disk is the one to be written to next.
        match self.stop.take_failure() {
            Some(failure) => Err(failure),
            None => Ok(report),
        }
    }

    /// None if told to stop before its end.
    fn validate(
        &self,
        session: &mut Session<B>,
        network: &Network<B::InnerBackend>,
        loader: &dyn DataLoader<B::InnerBackend, ImageBatch<B::InnerBackend>>,
        epoch: usize,
    ) -> Option<Score> {
        let mut step = 0;
        let tally = score(
            network,
            loader,
            self.plan.config.flip_test,
            self.tally(),
            &mut |output, progress| {
                step += 1;
                session
                    .events
                    .process_valid(LearnerEvent::ProcessedItem(TrainingItem::new(
                        output,
                        progress,
                        self.epochs_progress(epoch),
                        Some(step),
                        None,
                    )));
                self.go_on()
            },
        )?;
        session.events.process_valid(LearnerEvent::EndEpoch(epoch));
        self.check_load();
        tally.score()
    }

    /// The same for a network that burn-train knows nothing of.
    fn score(
        &self,
        network: &Network<B::InnerBackend>,
        loader: &dyn DataLoader<B::InnerBackend, ImageBatch<B::InnerBackend>>,
    ) -> Option<Score> {
        let flip = self.plan.config.flip_test;
        let tally = score(network, loader, flip, self.tally(), &mut |_, _| {
            self.go_on()
        })?;
        self.check_load();
        tally.score()
    }

    fn tally(&self) -> Tally {
        Tally::new(self.plan.network.classes())
    }

    fn go_on(&self) -> ControlFlow<()> {
        match self.stop.requested() {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    }

    /// Ends the run if the pictures did before their epoch.
    fn check_load(&self) {
        if let Some(error) = self.load_failure.take() {
            self.stop.fail(error.into());
        }
    }

    /// Keeps the model if it is the best, and moves on to the next epoch.
    fn conclude(
        &self,
        rate: f64,
        state: &mut RunState,
        scores: EpochScores,
        network: &Network<B::InnerBackend>,
        trainee: &Trainee<B>,
    ) -> Result<EpochReport, TrainError> {
        let EpochScores {
            train,
            validation,
            averaged,
        } = scores;
        let watch = self.watch();
        let place = place(state, rate);
        for score in [Some(validation), averaged].into_iter().flatten() {
            watch.check_finite(place, score.loss)?;
        }
        let (plan, folder, epoch) = (&self.plan, self.folder.path(), state.epoch);
        let best = match (&trainee.average, averaged) {
            (Some(average), Some(averaged)) => {
                let raw = folder.join(RAW_FOLDER);
                keep(plan, &raw, network, epoch, validation, &mut state.best_raw)?;
                let best = &mut state.best;
                keep(plan, folder, average.network(), epoch, averaged, best)?
            }
            _ => keep(plan, folder, network, epoch, validation, &mut state.best)?,
        };
        state.history.push(scores);
        state.epoch += 1;
        state.steps_in_epoch = 0;
        state.partial = None;
        Ok(EpochReport {
            epoch,
            epochs: self.plan.config.epochs,
            train,
            validation,
            averaged,
            learning_rate: rate,
            seconds: 0.0,
            best,
        })
    }

    fn watch(&self) -> LossWatch<B::InnerBackend> {
        LossWatch::new(Checkpoints::new(self.folder.path()).latest_model())
    }

    fn save(
        &self,
        session: &mut Session<B>,
        trainee: &Trainee<B>,
        state: &RunState,
    ) -> Result<(), TrainError> {
        let checkpoints = Checkpoints::new(self.folder.path());
        if let Some(checkpointer) = &mut session.checkpointer {
            let learner = learner(trainee, &session.schedule);
            checkpointer.checkpoint(&learner, state.step, &session.store);
        }
        let mut parts = PARTS.len();
        if let Some(average) = &trainee.average {
            checkpoints.save_average(&self.recorder, average.network(), state.step);
            parts += 1;
        }
        self.recorder.wait_for(parts);
        match self.stop.take_failure() {
            Some(failure) => Err(failure),
            None => checkpoints.commit(state),
        }
    }

    fn epochs_progress(&self, epoch: usize) -> Progress {
        Progress::new(epoch, self.plan.config.epochs)
    }
}

impl<B: TrainBackend> SupervisedLearningStrategy<Components<B>> for EpochLoop<B> {
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
        let learning = self
            .learning
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let Some(Learning { trainee, schedule }) = learning else {
            return (learner.model(), components.event_processor); // a second call has nothing to do
        };
        drop(learner); // it holds the memory that is about to change in place
        let mut session = Session {
            schedule,
            rate: 0.0,
            events: components.event_processor,
            checkpointer: components.checkpointer,
            store: components.event_store,
        };
        let (trainee, result) = self.run(&mut session, trainee, &*train, &*validation);
        if let Err(error) = result {
            self.stop.fail(error);
        }
        (trainee.model, session.events)
    }
}
