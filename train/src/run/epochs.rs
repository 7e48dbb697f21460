//! The loop over epochs and steps.

use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::time::Instant;

use burn::backend::Autodiff;
use burn::data::dataloader::Progress;
use burn::lr_scheduler::LrScheduler as _;
use burn::module::AutodiffModule as _;
use burn::tensor::backend::Backend;
use burn_train::ClassificationOutput;
use burn_train::metric::ItemLazy as _;
use data::{DataError, Position};
use events::Work;
use model::ResidualBackend;

use super::adapter::{EpochLoop, Item, ScoredBatches, Session, TrainBatches};
use super::divergence::{LossWatch, StepPosition};
use super::scorer::Scorer;
use super::start::{Learning, Start};
use crate::checkpoint::{
    CheckpointRecorder, Checkpoints, EpochScores, PARTS, RunState, WrittenRecords, keep,
};
use crate::error::TrainError;
use crate::evaluation::{Sums, Totals, cross_entropy};
use crate::folder::RunFolder;
use crate::plan::Plan;
use crate::settings::Rates;
use crate::step::{Average, Classifier, Laps, StepPart, Trainee};
use crate::stop::Stop;
use crate::stream::{self, EpochFigures, Stream};

/// Trains, validates, keeps the best model and saves checkpoints, until all epochs are done or `stop` is requested.
///
/// The last checkpoint holds the run's progress.
pub(super) struct Epochs<B: ResidualBackend> {
    pub plan: Arc<Plan>,
    pub folder: RunFolder,
    pub device: B::Device,
    pub position: Position,
    pub load_failures: Receiver<DataError>,
    pub recorder: CheckpointRecorder,
    pub written: WrittenRecords,
    pub stop: Stop,
    pub stream: Arc<Stream>,
    pub state: RunState,
}

/// A step whose output is still on the device. The output is fetched one step later, so that the device does not wait
/// for it.
struct Taken<B: Backend> {
    output: ClassificationOutput<B>,
    position: StepPosition,
    step_in_epoch: usize,
    progress: Progress,
}

/// State that changes while the loop runs, besides the network.
struct Run<'a, B: ResidualBackend> {
    session: &'a mut Session<Autodiff<B>>,
    schedule: Rates,
    /// Learning rate of the last step.
    rate: f64,
    state: RunState,
}

impl<B: ResidualBackend> EpochLoop<Autodiff<B>> for Epochs<B> {
    fn run(
        &self,
        session: &mut Session<Autodiff<B>>,
        model: Classifier<Autodiff<B>>,
        train: &TrainBatches<Autodiff<B>>,
        validation: &ScoredBatches<Autodiff<B>>,
    ) -> (Classifier<Autodiff<B>>, Result<(), TrainError>) {
        session.resume_after(self.state.epoch - 1);
        let learning = Start::learning(&self.plan, &self.folder, model.clone(), &self.device);
        let Learning { trainee, schedule } = match learning {
            Ok(learning) => learning,
            Err(error) => return (model, Err(error)),
        };
        drop(model); // steps change its memory in place
        let mut run = Run {
            session,
            rate: schedule.last(),
            schedule,
            state: self.state.clone(),
        };
        let (trainee, result) = self.epochs(&mut run, trainee, train, validation);
        (trainee.model, result)
    }
}

impl<B: ResidualBackend> Epochs<B> {
    /// Runs the remaining epochs.
    fn epochs(
        &self,
        run: &mut Run<B>,
        mut trainee: Trainee<Autodiff<B>>,
        train: &TrainBatches<Autodiff<B>>,
        validation: &ScoredBatches<Autodiff<B>>,
    ) -> (Trainee<Autodiff<B>>, Result<(), TrainError>) {
        while !run.state.is_finished(&self.plan.config) && !self.stop.requested_after_epoch() {
            let started = Instant::now();
            let trained;
            (trainee, trained) = self.train_epoch(run, trainee, train);
            let saved = trained
                .and_then(|sums| self.conclude(run, &trainee, validation, sums, started))
                .and_then(|()| self.save(run, &trainee))
                .and_then(|()| self.keep(run, &trainee));
            if let Err(error) = saved {
                return (trainee, Err(error));
            }
        }
        (trainee, Ok(()))
    }

    /// Takes the remaining steps of the current epoch, until `stop` is requested. Returns the sums of all of its steps.
    fn train_epoch(
        &self,
        run: &mut Run<B>,
        mut trainee: Trainee<Autodiff<B>>,
        loader: &TrainBatches<Autodiff<B>>,
    ) -> (Trainee<Autodiff<B>>, Result<Option<Sums>, TrainError>) {
        let mut totals = Totals::resumed(run.state.partial.take());
        let mut watch = self.watch();
        let mut latest: Option<Taken<B>> = None;
        let mut laps = Laps::start();
        let mut result = Ok(());
        let accumulate = self.plan.config.accumulate.get();
        self.position
            .set(run.state.epoch, run.state.steps_in_epoch * accumulate);
        let mut loader = loader.iter();
        // Leftover batches, too few for a full step, are dropped if the plan does not count them.
        while result.is_ok()
            && !self.stop.requested()
            && run.state.steps_in_epoch < self.plan.steps_per_epoch
        {
            let batches: Vec<_> = loader.by_ref().take(accumulate).collect();
            if batches.is_empty() {
                break;
            }
            let images = batches.iter().map(|batch| batch.targets.dims()[0]).sum();
            laps.lap(StepPart::Waiting);
            run.rate = run.schedule.step();
            let output;
            (trainee, output) = trainee.step(batches, run.rate, &mut laps);
            run.state.step += 1;
            run.state.steps_in_epoch += 1;
            let taken = Taken {
                output,
                position: position(&run.state, run.rate),
                step_in_epoch: run.state.steps_in_epoch,
                progress: loader.progress(),
            };
            if let Some(before) = latest.replace(taken) {
                result = self.tell(run, before, &mut totals, &watch);
            }
            if let Some(speed) = laps.step(images, self.stream.seconds(), run.state.step) {
                self.stream.send(speed);
            }
            if self.stop.take_checkpoint_request() {
                if let Some(last) = latest.take() {
                    result = result.and(self.tell(run, last, &mut totals, &watch));
                }
                run.state.partial = totals.sums();
                result = result.and_then(|()| self.save(run, &trainee));
                if result.is_ok() {
                    watch.saved(Checkpoints::new(self.folder.path()).latest_model());
                }
            }
        }
        if let Some(last) = latest.take() {
            result = result.and(self.tell(run, last, &mut totals, &watch));
        }
        if let Some(speed) = laps.told(self.stream.seconds(), run.state.step) {
            self.stream.send(speed);
        }
        // A load failure ends the batches before the end of the epoch.
        if let Ok(error) = self.load_failures.try_recv() {
            result = result.and(Err(error.into()));
        }
        run.session.end_training(run.state.epoch);
        run.state.partial = totals.sums();
        (trainee, result.map(|()| run.state.partial))
    }

    /// Fetches the output of a step, adds it to the totals and records its event. Returns an error if the loss is not
    /// finite.
    fn tell(
        &self,
        run: &mut Run<B>,
        taken: Taken<B>,
        totals: &mut Totals,
        watch: &LossWatch,
    ) -> Result<(), TrainError> {
        let Taken {
            output,
            position,
            step_in_epoch,
            progress,
        } = taken;
        let output = output.sync();
        let loss = output.loss.to_data().iter().next().unwrap_or(f64::NAN);
        let plain = self.plan.config.smooths_labels_alone();
        let plain = plain.then(|| cross_entropy(&output));
        let accuracy = totals.add(&output, loss, plain);
        let StepPosition { epoch, step, rate } = position;
        self.stream.step(
            epoch,
            step,
            stream::step_metrics([loss, accuracy, rate], plain),
        );
        let item = Item {
            epoch,
            number: step_in_epoch,
            progress,
        };
        run.session.trained(output, item, rate);
        watch.check_finite(position, loss)
    }

    /// Scores the network and advances to the next epoch, unless told to stop before that.
    fn conclude(
        &self,
        run: &mut Run<B>,
        trainee: &Trainee<Autodiff<B>>,
        loader: &ScoredBatches<Autodiff<B>>,
        trained: Option<Sums>,
        started: Instant,
    ) -> Result<(), TrainError> {
        let network = trainee.model.network.valid();
        let scorer = Scorer {
            plan: &self.plan,
            stop: &self.stop,
            load_failures: &self.load_failures,
        };
        let epoch = run.state.epoch;
        let mut number = 0;
        let validation = scorer.score(&network, loader, &mut |output, progress| {
            number += 1;
            let [done, total] = [progress.items_processed, progress.items_total];
            self.stream.progress(Work::Validation, done, total);
            let item = Item {
                epoch,
                number,
                progress,
            };
            run.session.validated(output, item);
        })?;
        if validation.is_some() {
            run.session.end_validation(epoch);
        }
        let average = trainee.average.as_ref().map(Average::network);
        let averaged = match (&validation, average) {
            (Some(_), Some(average)) => scorer.score(average, loader, &mut |_, _| {})?,
            _ => None,
        };
        // If told to stop while the average was scored, neither score counts yet.
        let scores = validation.filter(|_| averaged.is_some() || average.is_none());
        if let Some(validation) = scores {
            let figures = EpochFigures {
                train: trained.and_then(|sums| sums.score()),
                train_cross_entropy: trained.and_then(|sums| sums.cross_entropy()),
                validation,
                averaged,
                took: started.elapsed().as_secs_f64(),
            };
            self.check(run, &figures, trainee)?;
            let best = run.state.conclude_epoch(figures.scores());
            let ended_early = run.state.last_better(&self.plan.config);
            self.stream.epoch(
                &self.plan,
                [epoch, run.state.step],
                &figures,
                best,
                ended_early,
            );
        }
        Ok(())
    }

    /// Checks that losses and weights are finite, before they may replace the kept ones.
    fn check(
        &self,
        run: &Run<B>,
        figures: &EpochFigures,
        trainee: &Trainee<Autodiff<B>>,
    ) -> Result<(), TrainError> {
        let watch = self.watch();
        let position = position(&run.state, run.rate);
        let EpochScores {
            validation,
            averaged,
            ..
        } = figures.scores();
        for score in [Some(validation), averaged].into_iter().flatten() {
            watch.check_finite(position, score.loss)?;
        }
        watch.check_weights::<B, _>(position, &trainee.model.network.valid())?;
        match &trainee.average {
            Some(average) => watch.check_weights::<B, _>(position, average.network()),
            None => Ok(()),
        }
    }

    fn watch(&self) -> LossWatch {
        LossWatch::new(Checkpoints::new(self.folder.path()).latest_model())
    }

    fn save(&self, run: &mut Run<B>, trainee: &Trainee<Autodiff<B>>) -> Result<(), TrainError> {
        let state = &mut run.state;
        // Errors name the last checkpoint as the last good one, so its weights must be finite.
        let position = position(state, run.rate);
        self.watch()
            .check_weights::<Autodiff<B>, _>(position, &trainee.model.network)?;
        // A resumed run does not repeat the steps before its checkpoint, so their events must be written first.
        self.stream.flush()?;
        state.seconds = self.stream.seconds();
        let checkpoints = Checkpoints::new(self.folder.path());
        run.session.save(trainee, &run.schedule, state.step);
        let mut parts = PARTS.len();
        if let Some(average) = &trainee.average {
            checkpoints.save_average(&self.recorder, average.network(), state.step);
            parts += 1;
        }
        let checksums = self.written.wait_for(parts)?;
        checkpoints.commit(state, &checksums)?;
        self.stream.saved(state);
        Ok(())
    }

    fn keep(&self, run: &Run<B>, trainee: &Trainee<Autodiff<B>>) -> Result<(), TrainError> {
        let network = trainee.model.network.valid();
        let average = trainee.average.as_ref().map(Average::network);
        keep(
            &self.plan,
            self.folder.path(),
            &run.state,
            &network,
            average,
        )
    }
}

/// Returns the position of the last step taken.
fn position(state: &RunState, rate: f64) -> StepPosition {
    StepPosition {
        // After the last step of an epoch, the state names the next one.
        epoch: state.epoch - usize::from(state.steps_in_epoch == 0 && state.epoch > 1),
        step: state.step,
        rate,
    }
}
