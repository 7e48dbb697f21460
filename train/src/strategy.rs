//! The loop over epochs and steps, in the place that burn-train leaves for it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use burn::data::dataloader::{DataLoader, Progress};
use burn::lr_scheduler::LrScheduler as _;
use burn::module::AutodiffModule as _;
use burn::tensor::backend::Backend;
use burn_train::ClassificationOutput;
use burn_train::metric::ItemLazy as _;
use burn_train::metric::store::EventStoreClient;
use burn_train::{
    EventProcessorTraining as _, Learner, LearnerEvent, LearningCheckpointer,
    LearningComponentsMarker, SupervisedLearningStrategy, SupervisedTrainingEventProcessor,
    TrainLoader, TrainingComponents, TrainingItem, ValidLoader,
};
use data::{ImageBatch, LoadFailure, Position};

use crate::average::Average;
use crate::checkpoint::{CheckpointRecorder, Checkpoints, PARTS, RunState};
use crate::classifier::{Classifier, TrainBackend};
use crate::divergence::{LossWatch, Place};
use crate::epoch_end::place;
use crate::error::TrainError;
use crate::folder::RunFolder;
use crate::keep::keep;
use crate::plan::Plan;
use crate::run::Observer;
use crate::schedule::Rates;
use crate::stop::Stop;
use crate::stream::{Laps, Logged, Part, Stream};
use crate::totals::{Sums, Totals, cross_entropy};
use crate::trainee::{Optimizer, Trainee};

/// burn-train's name for backend, schedule, model and optimizer of a run.
pub(crate) type Components<B> = LearningComponentsMarker<B, Rates, Classifier<B>, Optimizer<B>>;

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
    pub stream: Arc<Stream>,
    /// Of the stream's steps.
    pub logged: Logged,
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

/// A step that was taken and whose output is still on the device: it is fetched one step later, so that no device
/// waits for it.
struct Taken<B: Backend> {
    output: ClassificationOutput<B>,
    place: Place,
    step_in_epoch: usize,
    progress: Progress,
}

/// What changes while the loop runs; read by its owner afterwards.
pub(crate) struct LoopProgress {
    pub state: RunState,
    pub observer: Box<dyn Observer>,
}

/// What the loop works with besides the network.
pub(crate) struct Session<B: TrainBackend> {
    pub schedule: Rates,
    /// Of the last step.
    pub rate: f64,
    pub events: SupervisedTrainingEventProcessor<Components<B>>,
    pub checkpointer: Option<LearningCheckpointer<Components<B>>>,
    pub store: Arc<EventStoreClient>,
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
        while !state.is_finished(&self.plan.config) && !self.stop.requested_after_epoch() {
            let epoch_started = Instant::now();
            let trained;
            (trainee, trained) = self.train_epoch(session, trainee, train, state);
            let report = match self.end_epoch(
                session,
                &trainee,
                validation,
                state,
                trained,
                epoch_started,
            ) {
                Ok(report) => report,
                Err(error) => return (trainee, Err(error)),
            };
            let saved = self
                .save(session, &trainee, state)
                .and_then(|()| self.keep(&trainee, state));
            if let Err(error) = saved {
                return (trainee, Err(error));
            }
            if let Some(report) = report {
                observer.epoch_ended(&report);
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
    ) -> (Trainee<B>, Option<Sums>) {
        let mut totals = Totals::resumed(state.partial.take());
        let mut watch = self.watch();
        let mut latest: Option<Taken<B::InnerBackend>> = None;
        let mut laps = Laps::start();
        let accumulate = self.plan.config.accumulate.get();
        self.position
            .set(state.epoch, state.steps_in_epoch * accumulate);
        let mut loader = loader.iter();
        // Batches that are left over, too few for a step, are dropped if the plan does not count them.
        while !self.stop.requested() && state.steps_in_epoch < self.plan.steps_per_epoch {
            let batches: Vec<_> = loader.by_ref().take(accumulate).collect();
            if batches.is_empty() {
                break;
            }
            let images = batches.iter().map(|batch| batch.targets.dims()[0]).sum();
            laps.lap(Part::Waiting);
            session.rate = session.schedule.step();
            let output;
            (trainee, output) = trainee.step(batches, session.rate, &mut laps);
            state.step += 1;
            state.steps_in_epoch += 1;
            let taken = Taken {
                output,
                place: place(state, session.rate),
                step_in_epoch: state.steps_in_epoch,
                progress: loader.progress(),
            };
            if let Some(before) = latest.replace(taken) {
                self.tell(session, before, &mut totals, &watch);
            }
            let seconds = self.stream.clock().seconds();
            if let Some(speed) = laps.step(images, seconds, state.step) {
                self.stream.send(speed);
            }
            if self.stop.take_checkpoint_request() {
                if let Some(last) = latest.take() {
                    self.tell(session, last, &mut totals, &watch);
                }
                state.partial = totals.sums();
                match self.save(session, &trainee, state) {
                    Ok(()) => watch.saved(Checkpoints::new(self.folder.path()).latest_model()),
                    Err(error) => self.stop.fail(error),
                }
            }
        }
        if let Some(last) = latest.take() {
            self.tell(session, last, &mut totals, &watch);
        }
        let seconds = self.stream.clock().seconds();
        if let Some(speed) = laps.told(seconds, state.step) {
            self.stream.send(speed);
        }
        // The images ended before their epoch.
        if let Some(error) = self.load_failure.take() {
            self.stop.fail(error.into());
        }
        session
            .events
            .process_train(LearnerEvent::EndEpoch(state.epoch));
        state.partial = totals.sums();
        (trainee, state.partial)
    }

    /// Fetches what a step came to, counts it, and hands it on to burn-train.
    fn tell(
        &self,
        session: &mut Session<B>,
        taken: Taken<B::InnerBackend>,
        totals: &mut Totals,
        watch: &LossWatch,
    ) {
        let Taken {
            output,
            place,
            step_in_epoch,
            progress,
        } = taken;
        let output = output.sync();
        let loss = output.loss.to_data().iter().next().unwrap_or(f64::NAN);
        let plain = self.plan.config.smooths_labels_alone();
        let plain = plain.then(|| cross_entropy(&output));
        totals.add(&output, loss, plain);
        if let Some(plain) = plain {
            self.logged.note(place.step, plain);
        }
        if let Err(diverged) = watch.check_finite(place, loss) {
            self.stop.fail(diverged);
        }
        session
            .events
            .process_train(LearnerEvent::ProcessedItem(TrainingItem::new(
                output,
                progress,
                self.epochs_progress(place.epoch),
                Some(step_in_epoch),
                Some(place.rate),
            )));
    }

    pub(crate) fn watch(&self) -> LossWatch {
        LossWatch::new(Checkpoints::new(self.folder.path()).latest_model())
    }

    fn save(
        &self,
        session: &mut Session<B>,
        trainee: &Trainee<B>,
        state: &mut RunState,
    ) -> Result<(), TrainError> {
        // A checkpoint that is named in an error as the last good one has to be good.
        let place = place(state, session.rate);
        self.watch()
            .check_weights::<B, _>(place, &trainee.model.network)?;
        // Events must not lack a step that a resumed run does not take again.
        self.logged.wait_for(state.step);
        self.stream.writer().flush();
        state.seconds = self.stream.clock().seconds();
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
        let checksums = self.recorder.wait_for(parts);
        match self.stop.take_failure() {
            Some(failure) => Err(failure),
            None => checkpoints.commit(state, &checksums),
        }?;
        self.stream.saved(state);
        Ok(())
    }

    fn keep(&self, trainee: &Trainee<B>, state: &RunState) -> Result<(), TrainError> {
        let network = trainee.model.network.valid();
        let average = trainee.average.as_ref().map(Average::network);
        keep(&self.plan, self.folder.path(), state, &network, average)
    }

    pub(crate) fn epochs_progress(&self, epoch: usize) -> Progress {
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
        let last_rate = schedule.last();
        drop(learner); // it holds the memory that is about to change in place
        let mut session = Session {
            schedule,
            rate: last_rate,
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
