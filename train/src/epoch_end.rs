//! What follows the last step of an epoch: scores and a report.

use std::time::Instant;

use burn::data::dataloader::DataLoader;
use burn::module::AutodiffModule as _;
use burn_train::{EventProcessorTraining as _, LearnerEvent, TrainingItem};
use data::ImageBatch;
use events::Work;
use model::Network;

use crate::checkpoint::{EpochScores, RunState};
use crate::classifier::TrainBackend;
use crate::divergence::Place;
use crate::error::TrainError;
use crate::evaluation::Tally;
use crate::scoring::score;
use crate::strategy::{EpochLoop, Session};
use crate::stream::{self, Scored};
use crate::totals::{Score, Sums};
use crate::trainee::Trainee;

/// What an epoch came to.
#[derive(Clone, Debug, PartialEq)]
pub struct EpochReport {
    /// Counted from 1.
    pub epoch: usize,
    /// Of how many.
    pub epochs: usize,
    /// Over the training images, as they were met: the loss is what the optimizer minimizes.
    pub train: Option<Score>,
    /// The training loss with the definition of the validation loss, where `train` has smoothed labels.
    pub train_cross_entropy: Option<f64>,
    /// After the epoch, over the validation images or, if none are held back, the test images.
    pub validation: Score,
    /// The same of the weights' moving average, if one is kept.
    pub averaged: Option<Score>,
    /// Learning rate of the last step.
    pub learning_rate: f64,
    /// Time of this epoch, validation included.
    pub seconds: f64,
    /// Whether it scored better than all before.
    pub best: bool,
}

impl<B: TrainBackend> EpochLoop<B> {
    /// Validates and moves on to the next epoch; none if told to stop before that.
    pub(crate) fn end_epoch(
        &self,
        session: &mut Session<B>,
        trainee: &Trainee<B>,
        loader: &dyn DataLoader<B::InnerBackend, ImageBatch<B::InnerBackend>>,
        state: &mut RunState,
        trained: Option<Sums>,
        started: Instant,
    ) -> Result<Option<EpochReport>, TrainError> {
        let network = trainee.model.network.valid();
        let scores = self.validate(session, &network, loader, state.epoch)?;
        let averaged = match (&scores, &trainee.average) {
            (Some(_), Some(average)) => self.score(average.network(), loader)?,
            _ => None,
        };
        let report = match scores {
            // Told to stop while the average was scored: neither counts yet.
            Some(_) if trainee.average.is_some() && averaged.is_none() => None,
            Some(validation) => {
                let scored = EpochScored {
                    train: trained,
                    validation,
                    averaged,
                    seconds: started.elapsed().as_secs_f64(),
                };
                Some(self.conclude(session.rate, state, &scored, &network, trainee)?)
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
    ) -> Result<Option<Scored>, TrainError> {
        let mut step = 0;
        let tally = score(
            network,
            loader,
            self.plan.config.views(),
            self.tally(),
            &mut |output, progress| {
                step += 1;
                self.stream.progress(
                    Work::Validation,
                    progress.items_processed,
                    progress.items_total,
                );
                session
                    .events
                    .process_valid(LearnerEvent::ProcessedItem(TrainingItem::new(
                        output,
                        progress,
                        self.epochs_progress(epoch),
                        Some(step),
                        None,
                    )));
                self.stop.go_on()
            },
        );
        let Some(tally) = tally else {
            return Ok(None);
        };
        session.events.process_valid(LearnerEvent::EndEpoch(epoch));
        self.scored(tally).map(Some)
    }

    /// The same for a network that burn-train knows nothing of.
    fn score(
        &self,
        network: &Network<B::InnerBackend>,
        loader: &dyn DataLoader<B::InnerBackend, ImageBatch<B::InnerBackend>>,
    ) -> Result<Option<Scored>, TrainError> {
        let views = self.plan.config.views();
        let tally = score(network, loader, views, self.tally(), &mut |_, _| {
            self.stop.go_on()
        });
        tally.map(|tally| self.scored(tally)).transpose()
    }

    /// An error if the images ended too early: the score over a part of them counts for nothing.
    fn scored(&self, tally: Tally) -> Result<Scored, TrainError> {
        if let Some(error) = self.load_failure.take() {
            return Err(error.into());
        }
        let data = &self.plan.data;
        Scored::new(tally, &data.class_names).ok_or_else(|| TrainError::NoneReadable {
            data: data.name.clone(),
            part: match self.plan.config.scores_on_test() {
                true => "test",
                false => "validation",
            },
        })
    }

    fn tally(&self) -> Tally {
        Tally::new(self.plan.network.classes()).of(&self.plan.validation)
    }

    /// Checks what may be kept, and moves on to the next epoch.
    fn conclude(
        &self,
        rate: f64,
        state: &mut RunState,
        scored: &EpochScored,
        network: &Network<B::InnerBackend>,
        trainee: &Trainee<B>,
    ) -> Result<EpochReport, TrainError> {
        let scores = EpochScores {
            train: scored.train.and_then(|sums| sums.score()),
            validation: scored.validation.evaluation.score(),
            averaged: scored
                .averaged
                .as_ref()
                .map(|scored| scored.evaluation.score()),
        };
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
        // What is kept takes the place of what was kept before.
        watch.check_weights::<B::InnerBackend, _>(place, network)?;
        if let Some(average) = &trainee.average {
            watch.check_weights::<B::InnerBackend, _>(place, average.network())?;
        }
        let train_cross_entropy = scored.train.and_then(|sums| sums.cross_entropy());
        let epoch = state.epoch;
        let best = state.conclude_epoch(scores);
        // Its steps come from another thread, and stand before it.
        self.logged.wait_for(state.step);
        self.stream.send(stream::epoch(
            stream::Place {
                seconds: self.stream.clock().seconds(),
                took: scored.seconds,
                epoch,
                step: state.step,
                best,
            },
            (train, train_cross_entropy),
            &scored.validation,
            scored.averaged.as_ref(),
            &self.plan.validation,
        ));
        Ok(EpochReport {
            epoch,
            epochs: self.plan.config.epochs,
            train,
            train_cross_entropy,
            validation,
            averaged,
            learning_rate: rate,
            seconds: scored.seconds,
            best,
        })
    }
}

/// What an epoch came to, image by image.
struct EpochScored {
    train: Option<Sums>,
    validation: Scored,
    averaged: Option<Scored>,
    /// Time that it took.
    seconds: f64,
}

/// The last step that was taken.
pub(crate) fn place(state: &RunState, rate: f64) -> Place {
    Place {
        // Once its epoch is over, the next one is at hand.
        epoch: state.epoch - usize::from(state.steps_in_epoch == 0 && state.epoch > 1),
        step: state.step,
        rate,
    }
}
