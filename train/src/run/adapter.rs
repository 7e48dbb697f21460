//! Adapter between a run and burn-train.
//!
//! [`launch`] sets up burn-train's [`SupervisedTraining`] and replaces its loop over epochs with the run's own, because
//! burn-train's `Learner` copies every parameter at each step. A [`Session`] lets the loop report metrics to
//! burn-train's dashboard and save with its checkpointer.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{self, Sender};

use burn::data::dataloader::{DataLoader, Progress};
use burn_train::checkpoint::{CheckpointingAction, CheckpointingStrategy};
use burn_train::logger::MetricLogger;
use burn_train::metric::store::{EpochSummary, EventStoreClient, MetricsUpdate, Split};
use burn_train::metric::{
    AccuracyMetric, CpuMemory, CpuUse, IterationSpeedMetric, LearningRateMetric, LossMetric,
    MetricDefinition, MetricId, NumericEntry,
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
use crate::error::TrainError;
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
pub(super) trait EpochLoop<B: TrainBackend>: 'static {
    /// Trains a model and returns it, with the error that ended the run, if any.
    fn run(
        &self,
        session: &mut Session<B>,
        model: Classifier<B>,
        train: &TrainBatches<B>,
        validation: &ScoredBatches<B>,
    ) -> (Classifier<B>, Result<(), TrainError>);
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

/// Trains a model with a loop over epochs that has its own optimizer, and returns the loop's error.
pub(super) fn launch<B: TrainBackend, R: MetricsRenderer + 'static>(
    frame: Frame<B, R>,
    model: Classifier<B>,
    epochs: impl EpochLoop<B>,
) -> Result<(), TrainError> {
    let learner = Learner::new(model, frame.config.new_optimizer().into(), frame.schedule);
    let (result, ended) = mpsc::channel();
    let strategy: CustomLearningStrategy<Components<B>> =
        Arc::new(InPlaceOfLoop { epochs, result });
    let training = SupervisedTraining::new(
        frame.folder,
        Arc::new(frame.train),
        Arc::new(frame.validation),
    );
    let trained = training
        .metrics((AccuracyMetric::new(), LossMetric::new()))
        .metric_train_numeric(LearningRateMetric::new())
        .metric_train_numeric(IterationSpeedMetric::new())
        .metric_train_numeric(CpuUse::new())
        .metric_train_numeric(CpuMemory::new())
        .with_file_checkpointer(frame.recorder)
        .with_checkpointing_strategy(WhenCalled)
        .with_metric_logger(EpochMeans::default())
        .with_application_logger(None)
        .with_training_strategy(TrainingStrategy::Custom(strategy))
        .num_epochs(frame.config.epochs)
        .renderer(frame.renderer)
        .launch(learner);
    drop(trained); // and with it the renderer
    // burn-train calls its strategy once.
    ended.recv().unwrap_or(Ok(()))
}

/// Replaces burn-train's loop, and sends the result, which burn-train has no place for.
struct InPlaceOfLoop<L> {
    epochs: L,
    result: Sender<Result<(), TrainError>>,
}

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
        let (model, result) = self.epochs.run(&mut session, model, &*train, &*validation);
        // `launch` receives it.
        let _ = self.result.send(result);
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

/// Keeps the mean of each metric over each epoch for burn-train's event store, and logs it. burn-train's own logger would
/// write a folder of files for each epoch.
#[derive(Default)]
struct EpochMeans {
    names: HashMap<MetricId, String>,
    means: HashMap<(usize, Split), HashMap<String, NumericEntry>>,
}

impl MetricLogger for EpochMeans {
    fn log(&mut self, update: MetricsUpdate, epoch: usize, split: &Split) {
        let means = self.means.entry((epoch, split.clone())).or_default();
        for metric in update.entries_numeric {
            if let Some(name) = self.names.get(&metric.entry.metric_id) {
                means.insert(name.clone(), metric.running_entry);
            }
        }
    }

    fn read_numeric(
        &mut self,
        name: &str,
        epoch: usize,
        split: &Split,
    ) -> Result<Vec<NumericEntry>, String> {
        let means = self.means.get(&(epoch, split.clone()));
        let mean = means.and_then(|means| means.get(name));
        Ok(mean.cloned().into_iter().collect())
    }

    fn log_metric_definition(&mut self, definition: MetricDefinition) {
        self.names.insert(definition.metric_id, definition.name);
    }

    fn log_epoch_summary(&mut self, summary: EpochSummary) {
        let EpochSummary {
            epoch_number,
            split,
        } = summary;
        let means = self.means.get(&(epoch_number, split.clone()));
        for (name, mean) in means.into_iter().flatten() {
            log::debug!("epoch {epoch_number}, {split}: {name} {}", mean.current());
        }
    }
}
