//! Adapter between a run and burn-train.
//!
//! [`launch`] sets up burn-train's [`SupervisedTraining`] and replaces its loop over epochs with the run's own, because
//! burn-train's `Learner` copies every parameter at each step. A [`Session`] lets the loop report metrics to
//! burn-train's dashboard and save with its checkpointer.

use std::path::Path;
use std::sync::Arc;

use burn::data::dataloader::{DataLoader, Progress};
use burn_train::checkpoint::{CheckpointingAction, CheckpointingStrategy};
use burn_train::logger::MetricLogger;
use burn_train::metric::store::{EpochSummary, EventStoreClient, MetricsUpdate, Split};
use burn_train::metric::{
    AccuracyMetric, CpuMemory, CpuUse, IterationSpeedMetric, LearningRateMetric, LossMetric,
    MetricDefinition, NumericEntry,
};
use burn_train::renderer::MetricsRenderer;
use burn_train::{
    CustomLearningStrategy, EventProcessorTraining as _, Learner, LearnerEvent,
    LearningCheckpointer, LearningComponentsMarker, SupervisedLearningStrategy, SupervisedTraining,
    SupervisedTrainingEventProcessor, TrainLoader, TrainingComponents, TrainingItem,
    TrainingStrategy, ValidLoader,
};
use data::{BatchLoader, ImageBatch};

use crate::checkpoint::CheckpointRecorder;
use crate::settings::{Rates, TrainConfig};
use crate::step::{Classifier, Fetched, Optimizer, TrainBackend, Trainee};

/// Backend, schedule, model and optimizer of a run, as burn-train bundles them.
type Components<B> = LearningComponentsMarker<B, Rates, Classifier<B>, Optimizer<B>>;

/// Batches to train on.
pub(super) type TrainBatches<B> = dyn DataLoader<B, ImageBatch<B>>;
/// Batches to score.
pub(super) type ScoredBatches<B> =
    TrainBatches<<B as burn::tensor::backend::AutodiffBackend>::InnerBackend>;

/// Loop over epochs that replaces burn-train's.
pub(super) trait EpochLoop<B: TrainBackend>: Send + Sync + 'static {
    /// Trains a model and returns it.
    fn run(
        &self,
        session: &mut Session<B>,
        model: Classifier<B>,
        train: &TrainBatches<B>,
        validation: &ScoredBatches<B>,
    ) -> Classifier<B>;
}

/// Everything that burn-train needs besides the loop.
pub(super) struct Frame<'a, B: TrainBackend, R> {
    pub folder: &'a Path,
    pub train: BatchLoader<B>,
    pub validation: BatchLoader<B::InnerBackend>,
    pub config: &'a TrainConfig,
    pub schedule: Rates,
    pub recorder: CheckpointRecorder,
    pub renderer: R,
}

/// Trains a model with a loop over epochs that has its own optimizer.
pub(super) fn launch<B: TrainBackend, R: MetricsRenderer + 'static>(
    frame: Frame<B, R>,
    model: Classifier<B>,
    epochs: impl EpochLoop<B>,
) {
    let learner = Learner::new(model, frame.config.new_optimizer().into(), frame.schedule);
    let strategy: CustomLearningStrategy<Components<B>> = Arc::new(InPlaceOfLoop(epochs));
    let training = SupervisedTraining::new(
        frame.folder,
        Arc::new(frame.train),
        Arc::new(frame.validation),
    );
    let result = training
        .metrics((AccuracyMetric::new(), LossMetric::new()))
        .metric_train_numeric(LearningRateMetric::new())
        .metric_train_numeric(IterationSpeedMetric::new())
        .metric_train_numeric(CpuUse::new())
        .metric_train_numeric(CpuMemory::new())
        .with_file_checkpointer(frame.recorder)
        .with_checkpointing_strategy(WhenCalled)
        .with_metric_logger(NoFiles)
        .with_application_logger(None)
        .with_training_strategy(TrainingStrategy::Custom(strategy))
        .num_epochs(frame.config.epochs)
        .renderer(frame.renderer)
        .launch(learner);
    drop(result); // and with it the renderer
}

struct InPlaceOfLoop<L>(L);

impl<B: TrainBackend, L: EpochLoop<B>> SupervisedLearningStrategy<Components<B>>
    for InPlaceOfLoop<L>
{
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
        let model = learner.model();
        drop(learner); // it holds the memory that is about to change in place
        let mut session = Session {
            events: components.event_processor,
            checkpointer: components.checkpointer,
            store: components.event_store,
            epochs: components.num_epochs,
        };
        let model = self.0.run(&mut session, model, &*train, &*validation);
        (model, session.events)
    }
}

/// The parts of burn-train that a run's loop uses.
pub(super) struct Session<B: TrainBackend> {
    events: SupervisedTrainingEventProcessor<Components<B>>,
    checkpointer: Option<LearningCheckpointer<Components<B>>>,
    store: Arc<EventStoreClient>,
    epochs: usize,
}

/// Position of an item: its epoch, its number in the epoch, and the number of images of the epoch done.
#[derive(Clone, Debug)]
pub(super) struct Item {
    pub epoch: usize,
    pub number: usize,
    pub progress: Progress,
}

impl<B: TrainBackend> Session<B> {
    /// Counts the earlier epochs of a resumed run. burn-train counts epochs as they end.
    pub(super) fn resume_after(&mut self, epoch: usize) {
        if epoch > 0 {
            self.end_training(epoch);
            self.end_validation(epoch);
        }
    }

    /// Reports a training step.
    pub(super) fn trained(&mut self, output: Fetched<B::InnerBackend>, item: Item, rate: f64) {
        let item = self.item(output, item, Some(rate));
        self.events.process_train(LearnerEvent::ProcessedItem(item));
    }

    /// Reports a scored batch.
    pub(super) fn validated(&mut self, output: Fetched<B::InnerBackend>, item: Item) {
        let item = self.item(output, item, None);
        self.events.process_valid(LearnerEvent::ProcessedItem(item));
    }

    fn item<T>(&self, output: T, item: Item, rate: Option<f64>) -> TrainingItem<T> {
        TrainingItem::new(
            output,
            item.progress,
            Progress::new(item.epoch, self.epochs),
            Some(item.number),
            rate,
        )
    }

    pub(super) fn end_training(&mut self, epoch: usize) {
        self.events.process_train(LearnerEvent::EndEpoch(epoch));
    }

    pub(super) fn end_validation(&mut self, epoch: usize) {
        self.events.process_valid(LearnerEvent::EndEpoch(epoch));
    }

    /// Starts saving the records of a step.
    pub(super) fn save(&mut self, trainee: &Trainee<B>, schedule: &Rates, step: usize) {
        if let Some(checkpointer) = &mut self.checkpointer {
            let learner = Learner::new(
                trainee.model.clone(),
                trainee.optimizer.clone(),
                schedule.clone(),
            );
            checkpointer.checkpoint(&learner, step, &self.store);
        }
    }
}

/// Saves at every call, because the loop over epochs decides when to call.
struct WhenCalled;

impl CheckpointingStrategy for WhenCalled {
    fn checkpointing(&mut self, _: usize, _: &EventStoreClient) -> Vec<CheckpointingAction> {
        vec![CheckpointingAction::Save]
    }
}

/// Replaces burn-train's logger, which would write a folder of files for each epoch. The run's events hold the metrics.
struct NoFiles;

impl MetricLogger for NoFiles {
    fn log(&mut self, _: MetricsUpdate, _: usize, _: &Split) {}

    fn read_numeric(&mut self, _: &str, _: usize, _: &Split) -> Result<Vec<NumericEntry>, String> {
        Err("metrics are in the run's events".to_owned())
    }

    fn log_metric_definition(&mut self, _: MetricDefinition) {}

    fn log_epoch_summary(&mut self, _: EpochSummary) {}
}
