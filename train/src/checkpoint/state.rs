//! Progress of a run and scores of its epochs.

use serde::{Deserialize, Serialize};

use crate::evaluation::{Score, Sums};
use crate::plan::{Fingerprint, Plan};
use crate::settings::TrainConfig;
use model::NetworkConfig;

/// State of a run that a checkpoint stores besides its three records.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RunState {
    /// Steps taken since the start of the run; the number in the records' names.
    pub step: usize,
    /// The current epoch, counted from 1.
    pub epoch: usize,
    /// Steps taken in the current epoch. After the last of them, only validation remains.
    pub steps_in_epoch: usize,
    /// Sums over the steps taken in the current epoch.
    #[serde(default)]
    pub partial: Option<Sums>,
    /// Epoch with the best validation accuracy so far, measured on the average if one is kept.
    pub best: Option<Best>,
    /// Like `best`, for the weights without averaging, if an average is kept.
    #[serde(default)]
    pub best_raw: Option<Best>,
    /// Scores of earlier epochs.
    #[serde(default)]
    pub history: Vec<EpochScores>,
    /// Time spent so far, in seconds.
    pub seconds: f64,
    /// Network that the records belong to.
    pub network: NetworkConfig,
    /// Identity of the images that the network is trained on.
    #[serde(default)]
    pub data: Option<Fingerprint>,
}

impl RunState {
    /// Creates the state before the first step of a run.
    pub(crate) fn new(plan: &Plan) -> Self {
        Self {
            step: 0,
            epoch: 1,
            steps_in_epoch: 0,
            partial: None,
            best: None,
            best_raw: None,
            history: Vec::new(),
            seconds: 0.0,
            network: plan.network.clone(),
            data: Some(Fingerprint::of(plan)),
        }
    }

    /// Returns whether all epochs are done, or patience has run out.
    pub(crate) fn is_finished(&self, config: &TrainConfig) -> bool {
        self.epoch > config.epochs || self.last_better(config).is_some()
    }

    /// Returns the best epoch, if patience ran out before all epochs were trained.
    pub(crate) fn last_better(&self, config: &TrainConfig) -> Option<usize> {
        let best = self.best?.epoch;
        let is_out = self.epoch > best + config.patience?.get();
        (is_out && self.epoch <= config.epochs).then_some(best)
    }

    /// Returns the epoch of the network to keep, or of its average if there is one.
    pub(crate) fn kept(&self, config: &TrainConfig) -> Option<Best> {
        match config.keeps_last_epoch() {
            true => self.last(|scores| scores.averaged.unwrap_or(scores.validation)),
            false => self.best,
        }
    }

    /// Returns the epoch of the weights to keep next to an average, or `None` without an average.
    pub(crate) fn kept_raw(&self, config: &TrainConfig) -> Option<Best> {
        match config.keeps_last_epoch() {
            true => self.best_raw.and(self.last(|scores| scores.validation)),
            false => self.best_raw,
        }
    }

    /// Records the scores of the current epoch, moves on to the next one, and returns whether the epoch scored better
    /// than all before.
    pub(crate) fn conclude_epoch(&mut self, scores: EpochScores) -> bool {
        let epoch = self.epoch;
        let improve = |best: &mut Option<Best>, score| {
            let is_better = best.is_none_or(|best| best.is_beaten_by(score));
            if is_better {
                *best = Some(Best { epoch, score });
            }
            is_better
        };
        let is_best = match scores.averaged {
            Some(averaged) => {
                improve(&mut self.best_raw, scores.validation);
                improve(&mut self.best, averaged)
            }
            None => improve(&mut self.best, scores.validation),
        };
        self.history.push(scores);
        self.epoch += 1;
        self.steps_in_epoch = 0;
        self.partial = None;
        is_best
    }

    fn last(&self, score: impl Fn(&EpochScores) -> Score) -> Option<Best> {
        let score = score(self.history.last()?);
        let epoch = self.history.len();
        Some(Best { epoch, score })
    }

    pub(crate) fn progress(&self, plan: &Plan) -> RunProgress {
        RunProgress {
            epoch: self.epoch,
            epochs: plan.config.epochs,
            steps: self.steps_in_epoch.min(plan.steps_per_epoch),
            steps_per_epoch: plan.steps_per_epoch,
            is_trained: self.is_finished(&plan.config),
            last_better: self.last_better(&plan.config),
        }
    }
}

/// Scores of an epoch.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct EpochScores {
    /// Score over the augmented training images, measured while the network was learning.
    pub train: Option<Score>,
    /// Score after the epoch, over the held-back images or, if there are none, the test images.
    pub validation: Score,
    /// Like `validation`, for the weights' moving average, if one is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub averaged: Option<Score>,
}

/// An epoch that scored better than all before.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Best {
    pub epoch: usize,
    pub score: Score,
}

impl Best {
    /// Returns whether another score is better: its accuracy is higher or, at the same accuracy, its loss is lower.
    /// With few validation images, several epochs often have the same accuracy.
    pub(crate) fn is_beaten_by(self, other: Score) -> bool {
        let Score { loss, accuracy } = self.score;
        other.accuracy > accuracy || (other.accuracy == accuracy && other.loss < loss)
    }
}

/// Progress of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunProgress {
    /// The current epoch, counted from 1.
    pub epoch: usize,
    /// Number of epochs.
    pub epochs: usize,
    /// Steps taken in the current epoch.
    pub steps: usize,
    /// Number of steps in an epoch.
    pub steps_per_epoch: usize,
    /// Whether training is done: all epochs are trained, or patience has run out.
    pub is_trained: bool,
    /// Best epoch of a run that ended early because patience ran out.
    pub last_better: Option<usize>,
}
